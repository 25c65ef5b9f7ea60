"""What is wrong with something that was handed in, said to the person who must mend it.

A `Problem` has a stable code, the dotted path of the field and a sentence that says what to do. Problems are collected
and told all at once; `DomainError` is the root of everything the domain refuses:

    DomainError
    ├── InvalidDocument    a document that can't be issued as it stands
    ├── NotAJob            bytes that can't be taken for a job at all
    ├── CafError           a CAF file that can't be used
    └── CertificateError   a certificate that can't be used

Texts of a problem can always be stored and shown: whatever comes from outside passes `shown`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SHOWN_LENGTH = 60
"""Characters of a foreign value that are quoted in a sentence."""

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend (`error`) or to know (`warning`).

    `path` is the way to the field as the producer wrote it, e.g. `document.Detalle[2].PrcItem`; lists count from 0.
    """

    code: str
    path: str
    message: str
    level: Level = "error"

    def as_dict(self) -> dict[str, str]:
        """The problem as members of a JSON object."""
        return {"code": self.code, "path": self.path, "message": self.message, "level": self.level}


class DomainError(Exception):
    """Something that the domain refuses, with every reason known. Trying again unchanged never helps."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(f"{problem.code} {problem.path}: {problem.message}" for problem in self.problems))

    def __reduce__(self) -> tuple[type["DomainError"], tuple[tuple[Problem, ...]]]:
        """Errors cross process borders with their problems."""
        return type(self), (self.problems,)


class InvalidDocument(DomainError):  # noqa: N818  (named for what the producer sees)
    """The document can't be issued as it stands; no folio was used."""


def shown(value: object) -> str:
    """A foreign value as it may stand in a sentence: short, printable, without NUL or lone surrogates."""
    if isinstance(value, str):
        text = value[: SHOWN_LENGTH + 1]
    elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4 * SHOWN_LENGTH:
        text = "a number of very many digits"
    else:
        text = type(value).__name__ if isinstance(value, (dict, list, tuple, set)) else str(value)[: SHOWN_LENGTH + 1]
    clean = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return clean if len(text) <= SHOWN_LENGTH else clean[:SHOWN_LENGTH] + "…"
