"""One answer of one service: what it means, whether the same again helps, what FMgo does and what a person must do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Service = Literal[
    "seed",
    "token",
    "DTEUpload",
    "boleta upload",
    "QueryEstUp",
    "boleta upload status",
    "QueryEstDte",
    "QueryEstDteAv",
    "boleta status",
    "wsDTECorreo",
    "listarEventosHistDoc",
    "reasons",
    "ingresarAceptacionReclamoDoc",
    "consultarDocDteCedible",
    "RTCAnotEnvio",
    "cession status",
    "cession query",
    "books",
    "portal",
]
Retry = Literal["over", "token", "later", "resend", "documents", "person"]
"""What the next step is: nothing more ("over"), a new token and the same again, the same again later, identical bytes
once more, a question about each document, or whatever a person mends first."""

NOTHING: Final = "nothing"
CODES: Final = "manual"
FIELD: Final = "recorded in the field"
ONCE: Final = "recorded by one source"
OURS: Final = "our reading"


@dataclass(frozen=True, slots=True)
class Row:
    """An answer. `answer` is the SII's code verbatim, or in parentheses what comes instead of one.

    `meaning` is the reader's word for it; `says` explains it; `does` is FMgo's next step; `person` is what somebody
    must do ("nothing": FMgo goes on alone). `source` is where the code is from.
    """

    service: Service
    answer: str
    meaning: str
    says: str
    retry: Retry
    does: str
    person: str = NOTHING
    source: str = CODES

    @property
    def is_code(self) -> bool:
        """Whether the SII sends this code; otherwise it is something that comes in a code's place."""
        return not self.answer.startswith("(")


def meanings(rows: Iterable[Row], service: Service) -> dict[str, str]:
    """Code to meaning, of one service."""
    return {row.answer: row.meaning for row in rows if row.service == service and row.is_code}


def row_of(rows: Iterable[Row], service: Service, answer: str) -> Row | None:
    """The row of a code, None for one that nobody published."""
    return next((row for row in rows if row.service == service and row.answer == answer), None)
