"""Answers of the seed and token services, SOAP and REST alike.

State codes: SII, authentication manual 1.9, chapter 8. Which of them a new attempt with a new seed may mend is our
reading of the same table; an unknown code is tried again later and never taken for a token.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from domain.answers.reading import UnreadableError, excerpt
from domain.answers.soap import Respuesta, SoapFault, read_soap
from domain.answers.table.login import LOGIN

Retry = Literal["later", "never"]

_OK: Final = frozenset({"0", "00"})
_SEED: Final = re.compile(r"[0-9]{1,40}")
_TOKEN: Final = re.compile(r"[!-:<-~]{1,500}")  # visible ASCII without ';': it travels in a Cookie header

# What only another document or certificate can mend. 10 covers malformed signatures too, but also plain failures.
_NEVER: Final = {row.answer: row.says for row in LOGIN if row.service == "token" and row.meaning == "never"}


@dataclass(frozen=True, slots=True)
class SeedAnswer:
    """A seed as text with its leading zeros; None with the state and gloss when there is none. Asking again helps."""

    seed: str | None
    state: str
    gloss: str
    answered: bool = True


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A token; None with the state verbatim, the SII's words, and whether a new seed later may help.

    `answered`: the service itself spoke, not a page or a fault in its place.
    """

    token: str | None = field(repr=False)
    state: str
    gloss: str
    retry: Retry | None
    answered: bool = True


def read_seed(http_status: int, body: bytes) -> SeedAnswer:
    """Read the answer of getSeed (SOAP) or of boleta.electronica.semilla; ESTADO may be 0, 00 or absent."""
    answer = _read(http_status, body)
    if isinstance(answer, tuple):
        return SeedAnswer(None, *answer, answered=False)
    seed = answer.first("SEMILLA")
    state = answer.state()
    if seed is not None and _SEED.fullmatch(seed) and (state in _OK or state == ""):
        return SeedAnswer(seed, state, answer.gloss())
    return SeedAnswer(None, state, answer.gloss())


def read_token(http_status: int, body: bytes) -> TokenAnswer:
    """Read the answer of getToken (SOAP) or of boleta.electronica.token: HTTP 200 also when it is a refusal."""
    answer = _read(http_status, body)
    if isinstance(answer, tuple):
        state, gloss = answer
        return TokenAnswer(None, state, gloss, "later", answered=False)
    token = answer.first("TOKEN")
    state = answer.state()
    if state in _OK and token is not None and _TOKEN.fullmatch(token):
        return TokenAnswer(token, state, answer.gloss(), None)
    sentence = _NEVER.get(state)
    gloss = answer.gloss()
    if sentence is None:
        return TokenAnswer(None, state, gloss, "later")
    return TokenAnswer(None, state, f"{gloss} ({sentence})" if gloss else sentence, "never")


def _read(http_status: int, body: bytes) -> Respuesta | tuple[str, str]:
    """The inner document, or a state of our own ("FAULT", "HTTP 503") and a gloss."""
    try:
        answer = read_soap(body)
    except UnreadableError as error:
        return f"HTTP {http_status}", excerpt(str(error))
    if isinstance(answer, SoapFault):
        return "FAULT", answer.text
    return answer
