"""Every answer of the SII that FMgo knows, as one table: service by service, what it means and what follows from it.

The readers of answers take their meanings from here, the operations page is written from here, and a test holds each
row against an answer of that kind. What isn't in the table is "unknown": kept verbatim, shown, asked about again.
"""

import re
from typing import Final

from domain.answers.table.afterwards import AFTERWARDS
from domain.answers.table.documents import DOCUMENTS
from domain.answers.table.elsewhere import ELSEWHERE
from domain.answers.table.envelopes import ENVELOPES
from domain.answers.table.login import LOGIN
from domain.answers.table.reasons import REASONS
from domain.answers.table.row import Retry, Row, Service, row_of
from domain.answers.table.uploads import UPLOADS

ROWS: tuple[Row, ...] = (*LOGIN, *UPLOADS, *ENVELOPES, *DOCUMENTS, *AFTERWARDS, *REASONS)
"""The whole table, in the order in which an envelope meets the services."""


_LINE: Final = re.compile(r"^([A-Z]{3}) ?L ?\d*(?=-)")
_REASON: Final = re.compile(r"[A-Z]{3}-([123])-\d+")
_LEVELS: Final = {
    "3": "level 3: what it is about is rejected",
    "2": "level 2: the document is accepted with repairs",
    "1": "level 1: the document is accepted with repairs",
}
_ZEROS: Final = re.compile(r"^(-?)0*(?=\d)")


def explained(code: str) -> list[Row]:
    """Every row of a code as a person may write it: small letters, with the line that a mail names, with zeros."""
    wanted = _LINE.sub(r"\1", code.strip().upper())
    everything = (*ROWS, *ELSEWHERE)
    found = [row for row in everything if row.is_code and row.answer == wanted]
    return found or [row for row in everything if row.is_code and _bare(row.answer) == _bare(wanted)]


def level_of(code: str) -> str | None:
    """What the level of an unknown reason (SECTION-LEVEL-CODE) says alone; None for another kind of code."""
    found = _REASON.fullmatch(_LINE.sub(r"\1", code.strip().upper()))
    return None if found is None else _LEVELS[found[1]]


def _bare(code: str) -> str:
    return _ZEROS.sub(r"\1", code)


def must_do(service: Service, answer: str) -> str:
    """What a person must do about an answer, in a sentence; for one that nobody published: look."""
    row = row_of(ROWS, service, answer)
    return "see what the SII said" if row is None else row.person


__all__ = ["ELSEWHERE", "ROWS", "Retry", "Row", "Service", "explained", "level_of", "must_do", "row_of"]
