"""Results: what has changed and was not told yet, and what the ledger answers for ever."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Result:
    """A document's result; `xml` (ISO-8859-1) and `ted` are there once it is issued and evidenced."""

    id: uuid.UUID
    version: int
    state: str
    lane: str
    body: dict[str, Any]
    xml: bytes | None
    ted: bytes | None


# Sub-selects instead of joins: a planner without statistics would read whole tables for a few rows.
ANSWER = """
    WITH picked AS (
        SELECT d.id, d.version, d.state, d.lane, d.received_at, d.evidenced_at
        FROM documents d
        WHERE d.published_version < d.version AND (d.signature_value IS NULL OR d.evidenced_at IS NOT NULL)
              {which}
    )
    SELECT p.id, p.version, p.state, p.lane, (SELECT r.result FROM document_results r WHERE r.id = p.id) AS result,
           CASE WHEN p.lane = 'interactive' AND p.evidenced_at IS NOT NULL THEN (
               SELECT f.bytes FROM document_files f
               WHERE f.document_id = p.id AND f.received_at = p.received_at AND f.kind = 'dte') END AS xml,
           CASE WHEN p.lane = 'interactive' AND p.evidenced_at IS NOT NULL THEN (
               SELECT f.bytes FROM document_files f
               WHERE f.document_id = p.id AND f.received_at = p.received_at AND f.kind = 'ted') END AS ted
    FROM picked p
"""
# In the order of its index: a planner can't know how few rows differ in two columns, and would read the whole table.
UNTOLD = ANSWER.format(which="ORDER BY d.id LIMIT :size FOR UPDATE OF d SKIP LOCKED")
CHANGED = ANSWER.format(which="AND d.id = ANY (CAST(:ids AS uuid[]))")


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def untold(tx: Connection, size: int) -> list[Result]:
    """Lock results that were not told; bytes come with interactive ones only (bulk asks the ledger)."""
    return [
        Result(row.id, row.version, row.state, row.lane, row.result, _bytes(row.xml), _bytes(row.ted))
        for row in run(tx, UNTOLD, size=size)
    ]


def changed(tx: Connection, ids: Sequence[uuid.UUID]) -> list[Result]:
    """Results of these documents that were not told, as `untold`, but locking nothing: telling twice does no harm."""
    return [
        Result(row.id, row.version, row.state, row.lane, row.result, _bytes(row.xml), _bytes(row.ted))
        for row in run(tx, CHANGED, ids=list(ids))
    ]


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
        versions=[r.version for r in told],
    )


def any_untold(tx: Connection) -> bool:
    """Whether some result waits to be told."""
    return bool(run(tx, "SELECT (SELECT id FROM results_due ORDER BY id LIMIT 1) IS NOT NULL").scalar_one())


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
