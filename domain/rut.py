"""The RUT: the tax number of a person or company in Chile.

Canonical text is `76900101-8`: no dots, no leading zeros, capital K, as XML has it (SII, SiiTypes_v10.xsd, RUTType).
The check digit is modulo 11 with weights 2 to 7 from the right; bodies run from 100,000 to 99,999,999 (SII, Formato
Documentos Tributarios Electrónicos 2.5, section 2.2).
"""

import re
from functools import lru_cache

SII = "60803000-K"
"""The Servicio de Impuestos Internos: receiver of envelopes, and a customer like any other."""
FOREIGNER = "55555555-5"
"""Receiver without RUT: exports and the tourist's invoice (SII, Formato DTE 2.5)."""
ANONYMOUS = "66666666-6"
"""The final consumer who isn't named: boletas (SII, Formato Boletas 4.2)."""

LOWEST, HIGHEST = 100_000, 99_999_999
"""Bounds of the body (SII, Formato DTE 2.5)."""

_SHAPE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)\s*-\s*([0-9Kk])", re.ASCII)
_DASHES = {ord(dash): "-" for dash in "‐‑‒–—―−﹣－"}
"""What word processors and phones write for the hyphen."""
_MOST_DIGITS = 12  # with leading zeros; a longer text is no RUT that somebody padded


class InvalidRut(ValueError):  # noqa: N818  (a finding about a text)
    """A text that is no RUT; the sentence says why."""


def check_digit(body: int) -> str:
    """The digit that belongs to a body: `0` to `9` or `K`."""
    total, weight = 0, 2
    while body:
        body, digit = divmod(body, 10)
        total += digit * weight
        weight = 2 if weight == 7 else weight + 1  # noqa: PLR2004  (weights 2 to 7)
    return "0K987654321"[total % 11]


@lru_cache(maxsize=4096)
def canonical_shape(text: str) -> str:
    """The canonical text of whatever is shaped like a RUT, its check digit unproven.

    Raises InvalidRut when the text isn't shaped like one.
    """
    match = _SHAPE.fullmatch(text.strip().translate(_DASHES))
    if match is None:
        raise InvalidRut("write a RUT as 12345678-9")
    body = match[1].replace(".", "")
    if len(body) > _MOST_DIGITS or not body.strip("0") or int(body) > HIGHEST:
        raise InvalidRut("the body of a RUT has up to eight digits")
    return f"{int(body)}-{match[2].upper()}"


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """The canonical text of a RUT: dots and leading zeros go, a small k becomes capital, any dash a hyphen.

    Raises InvalidRut for a wrong shape, a wrong check digit or a body outside 100,000 to 99,999,999.
    """
    rut = canonical_shape(text)
    body, digit = rut.split("-")
    number = int(body)
    if digit != (right := check_digit(number)):
        raise InvalidRut(f"the check digit of {body} is {right}, not {digit}")
    if number < LOWEST:
        raise InvalidRut("the body of a RUT is 100,000 or more")
    return rut


def is_valid(text: str) -> bool:
    """Whether the text is a RUT, in canonical form or not."""
    try:
        normalise(text)
    except InvalidRut:
        return False
    return True


def split(rut: str) -> tuple[str, str]:
    """Body and check digit of a canonical RUT, e.g. `("76900101", "8")`."""
    body, _, digit = rut.partition("-")
    return body, digit
