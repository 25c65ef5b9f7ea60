"""Asking the SII to send a result mail again: reenvioCorreo of wsDTECorreo (SII, its table of ESTADO).

The mail goes to the address that the company registered, not to whoever asks.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

from domain.answers.reading import UnreadableError
from domain.answers.soap import SoapFault, read_soap
from domain.answers.table import ROWS
from domain.answers.table.row import meanings

Meaning = Literal["sent", "not_yet", "refused", "token", "unknown"]

_CODES: Final = meanings(ROWS, "wsDTECorreo")
_UNAUTHORISED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class MailAgainAnswer:
    """`meaning`: "sent" (it comes again), "not_yet" (nothing was decided), "refused" (asking again is of no use)."""

    meaning: Meaning
    code: str
    gloss: str
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None


def read_mail_again(http_status: int, body: bytes, *, retry_after: float | None = None) -> MailAgainAnswer:
    """Read what reenvioCorreo answered; never raises."""
    base = MailAgainAnswer("unknown", "", "", http_status=http_status, body=body, retry_after=retry_after)
    try:
        answer = read_soap(body)
    except UnreadableError as error:
        return replace(base, meaning="token" if http_status in _UNAUTHORISED else "unknown", gloss=str(error))
    if isinstance(answer, SoapFault):
        return replace(base, meaning="token" if answer.speaks_of_token else "unknown", code="FAULT", gloss=answer.text)
    code = answer.state()
    return replace(base, meaning=cast("Meaning", _CODES.get(code, "unknown")), code=code, gloss=answer.gloss())
