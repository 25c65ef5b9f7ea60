"""What setting up accepts for each field of a company, a branch or a person.

Every check adds its problem and goes on, so that one answer tells them all. Texts are cleaned as documents will carry
them (`domain.text`), and lengths are those of the tags they become. Source: SII, Formato DTE 2.5, fields of Emisor.
"""

import re
from collections.abc import Sequence
from typing import Final

from domain.problems import DomainError, Problem, shown
from domain.rut import InvalidRut, normalise
from domain.text import clean

ENVIRONMENTS: Final = ("certification", "production")
MOST_ACTECOS: Final = 4
"""Economic activities that a document states at most (SII, Formato DTE 2.5, Acteco)."""

_BRANCH_CODE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class EnrolmentError(DomainError):
    """Something can't be set up as asked; nothing has changed."""


class Checks:
    """Checks the fields of one thing; `kind` begins the codes (`ISSUER` gives `ISSUER-GIRO`)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.problems: list[Problem] = []

    def rut(self, field: str, text: str) -> str:
        """The canonical RUT."""
        try:
            return normalise(text)
        except InvalidRut as fault:
            self._refuse(field, f"{shown(text)} is no RUT: {fault}.")
            return text

    def environment(self, text: str) -> str:
        """`certification` or `production`."""
        if text not in ENVIRONMENTS:
            self._refuse("environment", f"{shown(text)} is no environment: state certification or production.")
        return text

    def text(self, field: str, text: str, longest: int) -> str:
        """A text that must be there, cleaned."""
        plain, faults = clean(text)
        for _, sentence in faults:
            self._refuse(field, f"{field}: {sentence}")
        if not plain:
            self._refuse(field, f"State {field}: it can't be empty.")
        elif len(plain) > longest:
            self._refuse(field, f"Shorten {field} to {longest} characters; it has {len(plain)}.")
        return plain

    def optional(self, field: str, text: str | None, longest: int) -> str | None:
        """A text that may be absent; an empty one is absent."""
        return self.text(field, text, longest) if text and text.strip() else None

    def acteco(self, codes: Sequence[int]) -> tuple[int, ...]:
        """One to four codes of economic activity, of up to six digits."""
        if not 1 <= len(codes) <= MOST_ACTECOS:
            self._refuse("acteco", f"State one to {MOST_ACTECOS} codes of economic activity (acteco).")
        for code in codes:
            if not 0 < code < 10**6:
                self._refuse("acteco", f"{shown(code)} is no code of economic activity: it has up to six digits.")
        return tuple(codes)

    def branch_code(self, text: str | None) -> str | None:
        """The SII's code of a branch: up to nine digits."""
        if text and not _BRANCH_CODE.fullmatch(text):
            self._refuse("cdg_sii_sucur", f"{shown(text)} is no code of a branch: the SII's have up to nine digits.")
        return text or None

    def resolution(self, number: int) -> int:
        """The number of a resolution: 0 in certification, up to six digits (SII, EnvioDTE_v10.xsd, NroResol)."""
        if not 0 <= number < 10**6:
            self._refuse("resolution_number", f"{shown(number)} is no number of a resolution: it has up to six digits.")
        return number

    def companies(self, companies: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """RUTs and environments, canonical and in order."""
        return sorted({(self.rut("company", rut), self.environment(environment)) for rut, environment in companies})

    def _refuse(self, field: str, sentence: str) -> None:
        self.problems.append(Problem(f"{self.kind}-{field.upper().replace('_', '-')}", field, sentence))
