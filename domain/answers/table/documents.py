"""States of single documents: QueryEstDte, QueryEstDteAv, and a boleta's status.

Codes: SII, manuals of QueryEstDte and QueryEstDteAv; API of boletas 1.0.5. All three know only documents of processed
envelopes; QueryEstDteAv compares the SignatureValue and so tells whether the SII holds the very bytes that FMgo made.
"""

from domain.answers.table.row import FIELD, NOTHING, OURS, Row, Service

_ACCEPT = "the document is accepted"
_ABSENT = (
    "waits: never received, in process or rejected all look so; a rejection when the counters reject as many, or twice"
    " half an hour apart beside documents that are held"
)
_NOT_HELD = "as FAU; the SII also says why it would not take it"
_AGAIN = "asks again; no verdict"
_NEW_LOGIN = "logs in anew once and asks again; a second refusal in a row pauses that person's channel"
_CONFLICT = "the document goes to `conflict`; its folio isn't used again"
_WHO = (
    "find who else issues with this range of folios, and what the SII holds under this one; then `fmgo document settle`"
)


def _states(service: Service, mismatch: str) -> tuple[Row, ...]:
    return (
        Row(service, "DOK", "accepted", "received, and as asked", "over", _ACCEPT),
        Row(service, "DNK", "mismatch", mismatch, "person", _CONFLICT, _WHO),
        Row(service, "FAU", "absent", "the folio wasn't received", "later", _ABSENT),
        Row(
            service,
            "FNA",
            "not_authorised",
            "the folio isn't authorised",
            "later",
            _NOT_HELD,
            "check the company's CAF files at the SII",
        ),
        Row(
            service,
            "FAN",
            "folio_annulled",
            "the folio was annulled before",
            "later",
            _NOT_HELD,
            "find who annulled folios that FMgo still issues: `fmgo caf`",
        ),
        Row(
            service,
            "EMP",
            "company_not_authorised",
            "the company may not issue electronic documents",
            "later",
            _NOT_HELD,
            "have the company authorised at the SII",
        ),
        Row(service, "TMD", "modified", "held; a nota de débito changes its text", "over", _ACCEPT),
        Row(service, "TMC", "modified", "held; a nota de crédito changes its text", "over", _ACCEPT),
        Row(service, "MMD", "modified", "held; a nota de débito changes its amounts", "over", _ACCEPT),
        Row(service, "MMC", "modified", "held; a nota de crédito changes its amounts", "over", _ACCEPT),
        Row(service, "AND", "annulled", "held; a nota de débito annuls it", "over", _ACCEPT),
        Row(service, "ANC", "annulled", "held; a nota de crédito annuls it", "over", _ACCEPT),
    )


def _none(service: Service, answer: str, says: str, person: str = NOTHING, source: str = FIELD) -> Row:
    return Row(service, answer, "unknown", says, "later", _AGAIN, person, source)


DOCUMENTS: tuple[Row, ...] = (
    *_states("QueryEstDte", "received with other data (receiver, date or amount)"),
    Row("QueryEstDte", "001", "token", "the token is inactive", "token", _NEW_LOGIN),
    Row("QueryEstDte", "002", "token", "the token is inactive", "token", _NEW_LOGIN),
    Row("QueryEstDte", "003", "token", "the token doesn't exist", "token", _NEW_LOGIN),
    _none("QueryEstDte", "-3", "an error in the question"),
    _none("QueryEstDte", "(unknown code)", "a code that nobody published", source=OURS),
    _none("QueryEstDte", "(page, text, fault, cut or nothing)", "no answer of the service"),
    Row("QueryEstDte", "(fault about the token)", "token", "the token is refused", "token", _NEW_LOGIN, source=FIELD),
    *_states("QueryEstDteAv", "received with another signature or other data"),
    Row("QueryEstDteAv", "1", "token", "the token is inactive", "token", _NEW_LOGIN),
    Row("QueryEstDteAv", "2", "token", "the token doesn't exist", "token", _NEW_LOGIN),
    *(_none("QueryEstDteAv", code, "an error of the service: QueryEstDte is asked instead") for code in ("3", "4")),
    _none("QueryEstDteAv", "5", "an error in the question: QueryEstDte is asked instead"),
    *(
        _none("QueryEstDteAv", code, "an error of the service: QueryEstDte is asked instead")
        for code in ("6", "7", "8")
    ),
    _none(
        "QueryEstDteAv",
        "9",
        "the person isn't authorised for this company: QueryEstDte is asked instead",
        "give the person the permission for this company at the SII",
    ),
    *(
        _none("QueryEstDteAv", code, "an error of the service: QueryEstDte is asked instead")
        for code in ("10", "11", "12", "13", "14")
    ),
    _none("QueryEstDteAv", "(unknown code)", "a code that nobody published: QueryEstDte is asked instead", source=OURS),
    _none("QueryEstDteAv", "(page, text, fault, cut or nothing)", "no answer: QueryEstDte is asked instead"),
    *_states("boleta status", "received with other data (receiver, date or amount)"),
    Row(
        "boleta status", "(HTTP 401 or 403)", "token", "the token, or the User-Agent", "token", _NEW_LOGIN, source=FIELD
    ),
    _none("boleta status", "(HTTP 404)", "no such resource, which is no absence"),
    _none("boleta status", "(plain text sent as JSON)", "`falta …`: a parameter is missing"),
    _none("boleta status", "(unknown code)", "a code that nobody published", source=OURS),
    _none("boleta status", "(page, cut or nothing)", "no answer of the service"),
)
