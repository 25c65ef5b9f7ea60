"""States of uploads: QueryEstUp, and boleta.electronica.envio asked with a track id.

Codes: SII, manual of QueryEstUp; API of boletas 1.0.5; clients in the field. Sources disagree about RPR, RLV, VOF and
PRD: none of them is taken for a rejection.
"""

from domain.answers.table.row import FIELD, NOTHING, OURS, Retry, Row, Service

_ASK = "asks again, more slowly each time, up to half an hour; after two days the alert is `no-verdict`"
_COUNT = "decides by the counters; where these leave doubt, each document is asked about"
_EACH = "each document is asked about; if none is held and no other upload can be: they return to `signed`, held"
_FIRST = "looks for the first upload: other track ids, then each document; held are accepted, nothing is sent back"
_NEW_LOGIN = "logs in anew once and asks again; a second refusal in a row pauses that person's channel"
_PERMISSION = "give the person the permission for this company at the SII"
_MEND = "mend the cause, then `fmgo envelope release`"
_LOOK = "if it stays: look for the upload in the SII's portal by its track id"


def _states(service: Service) -> tuple[Row, ...]:
    """The states that both services share."""
    pending = "asks again"
    return (
        Row(service, "REC", "pending", "received", "later", _ASK),
        Row(service, "SOK", "pending", "the schema is right", "later", _ASK),
        Row(service, "CRT", "pending", "the Carátula is right", "later", _ASK),
        Row(service, "FOK", "pending", "the envelope's signature is right", "later", _ASK),
        Row(service, "PDR", "pending", "in process", "later", _ASK),
        Row(service, "PRD", "pending", "in process", "later", _ASK, source=FIELD),
        Row(service, "EPR", "processed", "processed, which is no acceptance", "over", _COUNT),
        Row(
            service,
            "(EPR without counters)",
            "pending",
            "processed, and not yet counted",
            "later",
            pending,
            source=FIELD,
        ),
        Row(service, "RPR", "processed", "accepted with repairs", "over", _COUNT),
        Row(service, "RLV", "processed", "accepted with slight repairs", "over", _COUNT),
        Row(
            service,
            "RSC",
            "refused",
            "the schema is wrong",
            "documents",
            "each document is asked about; then halves of it are tried until the culprit stands alone, held"
            " `schema-refused`; where every half is refused: `refused-throughout`",
            "tell FMgo's makers of the culprit, and replace it (`fmgo document replace`)",
        ),
        _refused(
            service,
            "RCT",
            "the Carátula is wrong: mostly the resolution",
            "`fmgo issuer set-resolution`, then `fmgo envelope release`",
        ),
        _refused(
            service,
            "RFR",
            "the signature, a missing permission, or an envelope that came before",
            "look, in this order: is the certificate in force and its person's (`fmgo doctor --sii`); may the person"
            " send for this company at the SII; did its folios come in another envelope (`fmgo envelope show`); then"
            " `fmgo envelope release`",
        ),
        _refused(service, "RCH", "rejected", _MEND),
        Row(service, "RPT", "refused", "the envelope came before", "documents", _FIRST),
        _refused(service, "RCO", "rejected for its consistency", _MEND),
        _refused(service, "RDC", "rejected for its documents", _MEND),
        Row(
            service, "VOF", "unknown", "the envelope's file isn't found; sources disagree", "later", _ASK, _LOOK, FIELD
        ),
    )


def _refused(service: Service, code: str, says: str, person: str) -> Row:
    return Row(service, code, "refused", says, "documents", _EACH, person)


def _error(code: str, says: str, retry: Retry = "later", person: str = NOTHING) -> Row:
    return Row("QueryEstUp", code, "unknown", says, retry, _ASK, person)


ENVELOPES: tuple[Row, ...] = (
    *_states("QueryEstUp"),
    Row("QueryEstUp", "-11", "pending", "not ready; ERR_CODE 1: not this company's envelope", "later", _ASK, _LOOK),
    Row("QueryEstUp", "107", "pending", "an error of the service", "later", _ASK),
    Row("QueryEstUp", "004", "pending", "undocumented, not final", "later", _ASK, source=FIELD),
    Row("QueryEstUp", "005", "pending", "undocumented, not final", "later", _ASK, source=FIELD),
    Row("QueryEstUp", "007", "pending", "undocumented, not final", "later", _ASK, source=FIELD),
    Row("QueryEstUp", "001", "token", "the token is inactive", "token", _NEW_LOGIN),
    Row("QueryEstUp", "002", "token", "the token is inactive", "token", _NEW_LOGIN),
    Row("QueryEstUp", "003", "token", "the token doesn't exist", "token", _NEW_LOGIN),
    _error("106", "no permission for this company, or no such track id", "person", _PERMISSION),
    _error("-1", "a field of the answer is missing"),
    _error("-2", "an error of the service"),
    _error("-3", "the person's RUT is unknown", "person", _PERMISSION),
    _error("-4", "the data can't be had"),
    _error("-5", "an error of the service"),
    _error("-6", "the person isn't authorised", "person", _PERMISSION),
    _error("-7", "an error of the service"),
    _error("-8", "an error of the service"),
    _error("-9", "an error of the service"),
    _error("-10", "the person's RUT isn't valid", "person", _PERMISSION),
    _error("-12", "an error of the service"),
    _error("-13", "the person's RUT is missing", "person", _PERMISSION),
    _error("-14", "an error of the service"),
    Row("QueryEstUp", "(unknown code)", "unknown", "a code that nobody published", "later", _ASK, source=OURS),
    Row(
        "QueryEstUp", "(page, text, cut or nothing)", "unknown", "no answer of the service", "later", _ASK, source=FIELD
    ),
    Row("QueryEstUp", "(fault about the token)", "token", "the token is refused", "token", _NEW_LOGIN, source=FIELD),
    Row("QueryEstUp", "(other fault)", "unknown", "an error of the service", "later", _ASK, source=FIELD),
    *_states("boleta upload status"),
    Row(
        "boleta upload status",
        "(HTTP 401 or 403)",
        "token",
        "the token, or the User-Agent",
        "token",
        _NEW_LOGIN,
        source=FIELD,
    ),
    Row("boleta upload status", "(HTTP 404)", "pending", "not visible yet", "later", _ASK, source=FIELD),
    Row(
        "boleta upload status", "(unknown code)", "unknown", "a code that nobody published", "later", _ASK, source=OURS
    ),
    Row(
        "boleta upload status",
        "(page, text, cut or nothing)",
        "unknown",
        "no answer of the service, or plain text sent as JSON",
        "later",
        _ASK,
        source=FIELD,
    ),
)
