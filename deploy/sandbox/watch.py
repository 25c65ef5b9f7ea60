"""What the ledger says of a sandbox's work: how many documents are where, and why."""

import uuid
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from workers.database.engine import Ledger, run

_OF_2026 = (b"<FchSalida>", b"<HraSalida>", b"<FchLlegada>", b"<PatenteCarro>", b"<TipoFactEsp>", b"<TipoDocID>")
"""Tags that the schemas in circulation don't have."""


@dataclass(frozen=True, slots=True)
class Row:
    """A document as the closing table shows it."""

    id: uuid.UUID
    issuer: str
    key: str
    state: str
    document_type: int | None
    folio: int | None
    total: Decimal | None
    held: str | None
    problems: list[dict[str, str]]
    verdict: dict[str, Any]
    replaces: uuid.UUID | None
    issued_on: str | None
    envelope: uuid.UUID | None


def documents(ledger: Ledger) -> list[Row]:
    """Every document, in the order it was received."""
    with ledger.transaction() as tx:
        rows = run(
            tx,
            """
            SELECT id, issuer, key, state, document_type, folio, total, held, problems, verdict, replaces, issued_on,
                   envelope
            FROM documents ORDER BY received_at, id
            """,
        ).all()
    return [
        Row(
            row.id,
            row.issuer,
            row.key,
            row.state,
            row.document_type,
            row.folio,
            row.total,
            row.held,
            row.problems or [],
            row.verdict or {},
            row.replaces,
            None if row.issued_on is None else row.issued_on.isoformat(),
            row.envelope,
        )
        for row in rows
    ]


def states(ledger: Ledger) -> Counter[str]:
    """How many documents are in each state."""
    with ledger.transaction() as tx:
        return Counter(
            {row.state: row.n for row in run(tx, "SELECT state, count(*) AS n FROM documents GROUP BY state")}
        )


def refused_messages(ledger: Ledger) -> list[tuple[str, str]]:
    """Code and reason of each message that was no job."""
    with ledger.transaction() as tx:
        return [(row.code, row.reason) for row in run(tx, "SELECT code, reason FROM refused_messages ORDER BY id")]


def refused_envelopes(ledger: Ledger) -> list[tuple[uuid.UUID, str, str]]:
    """Refused envelopes that nobody has released yet: id, issuer, the SII's state."""
    with ledger.transaction() as tx:
        rows = run(
            tx, "SELECT id, issuer, sii_state FROM envelopes WHERE state = 'refused' AND released_at IS NULL"
        ).all()
    return [(row.id, row.issuer, row.sii_state) for row in rows]


def envelope_story(ledger: Ledger) -> list[dict[str, Any]]:
    """Every envelope with its attempts, in the order they were sealed."""
    with ledger.transaction() as tx:
        rows = run(
            tx,
            """
            SELECT e.id, e.issuer, e.channel, e.state, e.sii_state, e.documents, e.track_id,
                   array_agg(a.outcome ORDER BY a.number) FILTER (WHERE a.id IS NOT NULL) AS outcomes,
                   array_agg(a.sii_status ORDER BY a.number) FILTER (WHERE a.id IS NOT NULL) AS statuses
            FROM envelopes e LEFT JOIN envelope_attempts a ON a.envelope = e.id
            GROUP BY e.id ORDER BY e.sealed_at
            """,
        ).all()
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented way to a dict


def busy_seconds(ledger: Ledger) -> float:
    """Seconds of real time from the receipt of the first document in bulk to the last signature, waits left out."""
    with ledger.transaction() as tx:
        value = run(
            tx,
            """
            SELECT extract(epoch FROM max(evidenced_at) - min(received_at)) FROM documents
            WHERE lane = 'bulk' AND replaces IS NULL AND evidenced_at IS NOT NULL
            """,
        ).scalar()
    return float(value or 0)


def export_envelopes(ledger: Ledger, folder: Path, apart: Path) -> tuple[int, int]:
    """Write the bytes of every envelope that was sent into a folder; returns how many.

    Those that only the format of 2026 knows go `apart`, and are the second count: the schemas in circulation refuse
    them.
    """
    for place in (folder, apart):
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob("*.xml"):
            old.unlink()
    with ledger.transaction() as tx:
        rows = run(tx, "SELECT filename, bytes FROM envelopes WHERE attempts > 0 ORDER BY sealed_at").all()
    newer = 0
    for n, row in enumerate(rows, start=1):
        data = bytes(row.bytes)
        new = any(tag in data for tag in _OF_2026)
        newer += new
        ((apart if new else folder) / f"{n:03d}-{row.filename}").write_bytes(data)
    return len(rows) - newer, newer
