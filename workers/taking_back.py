"""What comes of taking a job back: cancelled before it had a folio, withdrawn with it, or why it is too late.

The ledger decides (`fmgo_cancel`); this says it in words. `workers.producer` and `fmgo document cancel` use it.
"""

import uuid
from dataclasses import dataclass
from typing import Final, Literal

from domain.problems import DomainError, Problem
from workers.database.withdrawals import Cancelled


class NotTakenBack(DomainError):  # noqa: N818  (named for what the producer sees)
    """The document stays as it is; the problem's code says why: DOCUMENT-UNKNOWN, -BUSY, -TOO-LATE, or -REASON."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A job that was taken back: `cancelled` or `withdrawn` now, or `known`: it was before."""

    document_id: uuid.UUID
    outcome: Literal["cancelled", "withdrawn", "known"]
    state: str


_SENTENCES: Final = {
    "unknown": ("DOCUMENT-UNKNOWN", "There is no such document: a job that lies on the list is recorded first."),
    "busy": ("DOCUMENT-BUSY", "A worker has it in its hands: try again in a moment."),
    "no_reason": ("DOCUMENT-REASON", "It has its folio, which becomes void: say why (a reason)."),
    "too_late": (
        "DOCUMENT-TOO-LATE",
        "It is {state}, and the SII has it, or may have it: wait for the verdict, and annul it with a nota de crédito.",
    ),
    "ended": ("DOCUMENT-TOO-LATE", "It has ended: it is {state}."),
}
_ENDED: Final = frozenset({"invalid", "rejected", "imported"})


def taken_back(document: uuid.UUID, came: Cancelled) -> TakenBack:
    """What came of it; raises NotTakenBack."""
    if came.outcome in ("cancelled", "withdrawn", "known") and came.state is not None:
        return TakenBack(document, came.outcome, came.state)
    ended = came.outcome == "too_late" and came.state in _ENDED
    code, sentence = _SENTENCES["ended" if ended else came.outcome]
    raise NotTakenBack([Problem(code, "", sentence.format(state=came.state))])
