"""What is asked after a verdict: for the result mail again (wsDTECorreo), and for claims (listarEventosHistDoc).

Codes: SII, wsDTECorreo; SII, WSREGISTRORECLAMODTE 1.2 (2017-08).
"""

from domain.answers.table.row import FIELD, NOTHING, OURS, Row

_NEW_LOGIN = "logs in anew once and asks again; a second refusal in a row pauses that person's channel"
_AGAIN = "asks again, each time later, a few times"
_MAKERS = "tell FMgo's makers"
_PERMISSION = "give the person the permission for this company at the SII"
_LISTING = "listarEventosHistDoc"
_LATER = "asks again at its next turn; no event and no deemed acceptance follows from it"


def _mail(answer: str, meaning: str, says: str, does: str, person: str = NOTHING, source: str = "manual") -> Row:
    retry = {"sent": "over", "token": "token", "refused": "person"}.get(meaning, "later")
    return Row("wsDTECorreo", answer, meaning, says, retry, does, person, source)  # type: ignore[arg-type]


def _claims(answer: str, meaning: str, says: str, does: str, person: str = NOTHING, source: str = "manual") -> Row:
    retry = {"token": "token", "refused": "person", "not_registered": "over"}.get(meaning, "later")
    return Row(_LISTING, answer, meaning, says, retry, does, person, source)  # type: ignore[arg-type]


AFTERWARDS: tuple[Row, ...] = (
    _mail("0", "sent", "the mail is sent again, to the registered address", "waits for it in the company's source"),
    _mail("101", "refused", "the company's check digit is wrong", "asks no more", _MAKERS),
    _mail("102", "refused", "something is missing in the question", "asks no more", _MAKERS),
    _mail("104", "token", "the token is inactive or doesn't exist", _NEW_LOGIN),
    _mail("105", "refused", "the track id doesn't exist", "asks no more", "look for the upload in the SII's portal"),
    _mail("106", "refused", "the person has no permission over the company", "asks no more", _PERMISSION),
    _mail("114", "not_yet", "the validation hasn't ended, so there is no mail", _AGAIN),
    *(
        _mail(code, "unknown", "an error of the service", _AGAIN)
        for code in ("103", "107", "108", "110", "111", "112", "113")
    ),
    _mail("(unknown code)", "unknown", "a code that nobody published", _AGAIN, source=OURS),
    _mail("(page, text, fault, cut or nothing)", "unknown", "no answer of the service", _AGAIN, source=FIELD),
    _mail("(fault about the token)", "token", "the token is refused", _NEW_LOGIN, source=FIELD),
    _claims("15", "listed", "a list of events", "keeps them and tells them with the result (`claim`)"),
    _claims("16", "none", "no events", "asks again until eight days have passed, then `deemed_accepted`"),
    _claims("9", "none", "no records", "as 16"),
    _claims("18", "not_received", "the document wasn't received", _LATER),
    _claims("10", "not_registered", "issued or received before 2017-01-14", "asks no more; there is no claim"),
    _claims("14", "refused", "only receiver or issuer may ask", _LATER, _PERMISSION),
    _claims("1", "refused", "the issuer's RUT is wrong", _LATER, _MAKERS),
    _claims("2", "refused", "the folio is wrong", _LATER, _MAKERS),
    _claims("3", "refused", "the type isn't one of the registry's", _LATER, _MAKERS),
    _claims("-1", "unknown", "an error of the service", _LATER),
    _claims("(unknown code)", "unknown", "a code that nobody published", _LATER, source=OURS),
    _claims("(fault about the token)", "token", "TOKEN invalido", _NEW_LOGIN, source=FIELD),
    _claims("(page, text, fault, cut or nothing)", "unknown", "no answer of the service", _LATER, source=FIELD),
)
