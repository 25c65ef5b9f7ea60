"""Results: what has changed and was not told yet, and what the ledger answers for ever."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Result:
    """A document's result; `xml` (ISO-8859-1) and `ted` are there once it is issued and evidenced.

    `version` is what is told; `counted` the ledger's own part of it, which knows nothing of envelopes.
    """

    id: uuid.UUID
    version: int
    state: str
    lane: str
    body: dict[str, Any]
    xml: bytes | None
    ted: bytes | None
    counted: int = 0


# Sub-selects instead of joins: a planner without statistics would read whole tables for a few rows.
ANSWER = """
    WITH picked AS (
        SELECT d.id, d.version, d.state, d.lane, d.received_at, d.evidenced_at
        FROM documents d
        WHERE {which}
    )
    SELECT p.id, p.version AS counted, p.state, p.lane,
           (SELECT r.result FROM document_results r WHERE r.id = p.id) AS result,
           CASE WHEN p.lane = 'interactive' AND p.evidenced_at IS NOT NULL AND p.state <> 'withdrawn' THEN (
               SELECT f.bytes FROM document_files f
               WHERE f.document_id = p.id AND f.received_at = p.received_at AND f.kind = 'dte') END AS xml,
           CASE WHEN p.lane = 'interactive' AND p.evidenced_at IS NOT NULL AND p.state <> 'withdrawn' THEN (
               SELECT f.bytes FROM document_files f
               WHERE f.document_id = p.id AND f.received_at = p.received_at AND f.kind = 'ted') END AS ted
    FROM picked p
"""
# In the order of its index: a planner can't know how few rows differ in two columns, and would read the whole table.
_DUE = """d.published_version < d.version AND (d.signature_value IS NULL OR d.evidenced_at IS NOT NULL)
              AND (d.state <> 'withdrawn' OR NOT EXISTS (
                  SELECT FROM withdrawals w WHERE w.document_id = d.id AND w.evidenced_at IS NULL))"""
DUE = f"SELECT d.id FROM documents d WHERE {_DUE} ORDER BY d.id LIMIT :size FOR UPDATE OF d SKIP LOCKED"  # noqa: S608
THESE = ANSWER.format(which="d.id = ANY (CAST(:ids AS uuid[])) ORDER BY d.id")
CHANGED = ANSWER.format(which=f"{_DUE} AND d.id = ANY (CAST(:ids AS uuid[]))")
RIDERS = ANSWER.format(which="d.envelope = :envelope AND d.state = 'enveloped'")


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def untold(tx: Connection, size: int) -> list[Result]:
    """Lock results that were not told; bytes come with interactive ones only (bulk asks the ledger).

    Locked first and read then, in a statement of its own: one statement would lock a row as it is now, and take the
    result from before a change that was committed in between; the new version would be marked, and never told.
    """
    ids = list(run(tx, DUE, size=size).scalars())
    return _results(run(tx, THESE, ids=ids)) if ids else []


def _results(rows: Iterable[Any]) -> list[Result]:
    return [
        Result(
            row.id,
            row.result["version"],
            row.state,
            row.lane,
            row.result,
            _bytes(row.xml),
            _bytes(row.ted),
            row.counted,
        )
        for row in rows
    ]


def changed(tx: Connection, ids: Sequence[uuid.UUID]) -> list[Result]:
    """Results of these documents that were not told, as `untold`, but locking nothing: telling twice does no harm."""
    return _results(run(tx, CHANGED, ids=list(ids)))


def sent_untold(tx: Connection) -> uuid.UUID | None:
    """Lock the envelope that was sent first of those whose documents' producers don't know it; None: there is none."""
    found: uuid.UUID | None = run(
        tx,
        """
        SELECT id FROM envelopes WHERE sent_at IS NOT NULL AND sent_told_at IS NULL
        ORDER BY sent_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        """,
    ).scalar()
    return found


def of_envelope(tx: Connection, envelope: uuid.UUID) -> list[Result]:
    """The results of an envelope's documents that have no verdict yet, which say that they were sent."""
    return _results(run(tx, RIDERS, envelope=envelope))


def mark_sent_told(tx: Connection, envelope: uuid.UUID) -> None:
    """Say that the producers of an envelope's documents were told that it was sent."""
    run(tx, "UPDATE envelopes SET sent_told_at = fmgo_now() WHERE id = :id", id=envelope)


def mark_told(tx: Connection, told: Sequence[Result]) -> None:
    """Say that these versions were told."""
    run(
        tx,
        """
        UPDATE documents d SET published_version = greatest(d.published_version, t.version)
        FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS integer[])) AS t (id, version)
        WHERE d.id = t.id
        """,
        ids=[r.id for r in told],
        versions=[r.counted for r in told],
    )


def any_untold(tx: Connection) -> bool:
    """Whether some result waits to be told, or a withdrawal for its second copy."""
    return bool(
        run(
            tx,
            """
            SELECT (SELECT id FROM results_due ORDER BY id LIMIT 1) IS NOT NULL
                OR EXISTS (SELECT FROM envelopes WHERE sent_at IS NOT NULL AND sent_told_at IS NULL)
                OR EXISTS (SELECT FROM withdrawals WHERE evidenced_at IS NULL)
            """,
        ).scalar_one()
    )


def results(tx: Connection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Result]:
    """What the ledger knows of documents, bytes included."""
    rows = run(tx, "SELECT * FROM fmgo_results(CAST(:ids AS uuid[]))", ids=list(ids))
    return {
        row.id: Result(row.id, row.version, row.state, "", row.result, _bytes(row.xml), _bytes(row.ted)) for row in rows
    }


def find(tx: Connection, issuer: str, environment: str, key: str) -> uuid.UUID | None:
    """Id of the latest document under a producer's key."""
    return run(
        tx,
        "SELECT fmgo_find(:issuer, :environment, :key)",
        issuer=issuer,
        environment=environment,
        key=key,
    ).scalar()
