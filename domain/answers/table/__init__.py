"""Every answer of the SII that FMgo knows, as one table: service by service, what it means and what follows from it.

The readers of answers take their meanings from here, the operations page is written from here, and a test holds each
row against an answer of that kind. What isn't in the table is "unknown": kept verbatim, shown, asked about again.
"""

from domain.answers.table.afterwards import AFTERWARDS
from domain.answers.table.documents import DOCUMENTS
from domain.answers.table.envelopes import ENVELOPES
from domain.answers.table.login import LOGIN
from domain.answers.table.reasons import REASONS
from domain.answers.table.row import Retry, Row, Service, row_of
from domain.answers.table.uploads import UPLOADS

ROWS: tuple[Row, ...] = (*LOGIN, *UPLOADS, *ENVELOPES, *DOCUMENTS, *AFTERWARDS, *REASONS)
"""The whole table, in the order in which an envelope meets the services."""


def must_do(service: Service, answer: str) -> str:
    """What a person must do about an answer, in a sentence; for one that nobody published: look."""
    row = row_of(ROWS, service, answer)
    return "see what the SII said" if row is None else row.person


__all__ = ["ROWS", "Retry", "Row", "Service", "must_do", "row_of"]
