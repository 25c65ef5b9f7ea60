"""Taking jobs back (`fmgo_cancel`), and the second copy of that: only then is a withdrawal told.

What is told stays true after a restore: the evidence holds a withdrawn document's bytes, and must hold, too, that they
are void.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection

from workers.database.engine import run

_SQL: Final = "SELECT outcome, state FROM fmgo_cancel(CAST(:id AS uuid), CAST(:reason AS text), CAST(:actor AS text))"
Outcome = Literal["cancelled", "withdrawn", "known", "unknown", "no_reason", "busy", "too_late"]
AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of it, and the document's state now (None: there is none)."""

    outcome: Outcome
    state: str | None


def cancel(tx: Connection, document: uuid.UUID, reason: str | None, actor: str) -> Cancelled:
    """Take a document back if nothing of it has left; the outcomes are those of `fmgo_cancel`."""
    row = run(tx, _SQL, id=document, reason=reason, actor=actor).one()
    return Cancelled(row.outcome, row.state)


@dataclass(frozen=True, slots=True)
class Void:
    """A withdrawn document whose second copy doesn't know it yet."""

    document_id: uuid.UUID
    issuer: str
    environment: str
    key: str
    document_type: int
    folio: int
    reason: str
    at: datetime


def unevidenced(tx: Connection) -> list[Void]:
    """Lock withdrawals that the second copy doesn't know yet, the oldest first."""
    rows = run(
        tx,
        """
        SELECT w.document_id, d.issuer, d.environment, d.key, d.document_type, d.folio, w.reason, w.at
        FROM withdrawals w JOIN documents d ON d.id = w.document_id
        WHERE w.evidenced_at IS NULL ORDER BY w.at LIMIT :size FOR UPDATE OF w SKIP LOCKED
        """,
        size=AT_ONCE,
    )
    return [Void(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)


def mark_evidenced(tx: Connection, documents: Sequence[uuid.UUID]) -> None:
    """Say that the second copy is durable: from here it may be told."""
    run(
        tx,
        "UPDATE withdrawals SET evidenced_at = fmgo_now() WHERE document_id = ANY (CAST(:ids AS uuid[]))",
        ids=list(documents),
    )
