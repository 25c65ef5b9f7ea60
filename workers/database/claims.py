"""Claiming documents: what is due, round-robin over issuers, leased and fenced.

A claim moves `due_at` to the lease's end, so that claimed rows leave the front of the index, and takes one fence
number that every later update of those rows checks: a worker that was declared dead and wakes up changes nothing.
Rows whose worker died are `suspect`: they are claimed apart, in halves of the chunk they died in, until the one that
kills stands alone and is quarantined.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import count, run


@dataclass(frozen=True, slots=True)
class Lease:
    """Who claims, and for how many seconds."""

    worker: int
    epoch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ClaimedDocument:
    """A claimed row as the issuing phase needs it; `body` is the job as it came (UTF-8 JSON)."""

    id: uuid.UUID
    issuer: str
    environment: str
    key: str
    branch: str | None
    till: str | None
    lane: str
    state: str
    received_at: datetime
    body: bytes
    context: dict[str, str]
    document_type: int | None
    folio: int | None
    caf: int | None
    issued_on: date | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk: its fence, the business time at which it was claimed, and its documents."""

    fence: int
    at: datetime
    documents: tuple[ClaimedDocument, ...]


CLAIM = """
    WITH RECURSIVE mode (suspect) AS MATERIALIZED (
        SELECT (SELECT suspect FROM documents
                WHERE lane = :lane AND state = :state AND suspect IS NOT NULL AND due_at <= fmgo_now()
                  AND lease_owner IS NULL
                ORDER BY due_at LIMIT 1)
    ), due_issuers (issuer) AS (
        (SELECT issuer FROM documents
         WHERE lane = :lane AND state = :state AND due_at <= fmgo_now() AND lease_owner IS NULL
         ORDER BY issuer LIMIT 1)
        UNION ALL
        SELECT (SELECT d.issuer FROM documents d
                WHERE d.lane = :lane AND d.state = :state AND d.due_at <= fmgo_now() AND d.issuer > i.issuer
                  AND d.lease_owner IS NULL
                ORDER BY d.issuer LIMIT 1)
        FROM due_issuers i WHERE i.issuer IS NOT NULL
    ), due (issuer, stopped) AS (
        SELECT d.issuer, coalesce(array_agg(s.environment) FILTER (WHERE s.stopped), '{}')
        FROM due_issuers d
        LEFT JOIN LATERAL (
            SELECT i.environment, :state = 'received'
                   AND coalesce(i.issuing_stopped_at, w.issuing_stopped_at) IS NOT NULL AS stopped
            FROM issuers i JOIN switches w ON w.environment = i.environment WHERE i.rut = d.issuer
        ) s ON true
        WHERE d.issuer IS NOT NULL
        GROUP BY d.issuer HAVING NOT coalesce(bool_and(s.stopped), false)
    ), share (rows) AS (
        SELECT greatest(1, least(:size, (SELECT suspect FROM mode)) / greatest(1, count(*)))
        FROM due
    ), picked AS (
        SELECT d.id
        FROM due i
        CROSS JOIN share
        CROSS JOIN LATERAL (
            SELECT id FROM documents
            WHERE lane = :lane AND state = :state AND issuer = i.issuer AND due_at <= fmgo_now()
              AND environment <> ALL (i.stopped)
              AND (suspect IS NOT NULL) = (SELECT suspect IS NOT NULL FROM mode)
              AND evidenced_at IS NULL AND lease_owner IS NULL
            ORDER BY due_at
            LIMIT share.rows
            FOR UPDATE SKIP LOCKED
        ) d
        LIMIT least(:size, (SELECT suspect FROM mode))
    ), fence (number) AS (
        SELECT nextval('claim_fence')
    ), claimed AS (
        UPDATE documents d
        SET due_at = fmgo_now() + make_interval(secs => :seconds), fence = fence.number, lease_owner = :worker
        FROM picked, fence
        WHERE d.id = picked.id
          AND EXISTS (SELECT FROM ledger_epoch WHERE epoch = :epoch AND replayed_at IS NOT NULL)
        RETURNING d.id, d.issuer, d.environment, d.key, d.branch, d.till, d.lane, d.state, d.received_at,
                  d.document_type, d.folio, d.caf, d.issued_on, d.fence
    )
    SELECT c.*, i.body, i.context, fmgo_now() AS at
    FROM claimed c JOIN inbox i ON i.document_id = c.id
    ORDER BY c.received_at, c.id
"""


def claim_documents(tx: Connection, *, lane: str, state: str, size: int, lease: Lease) -> Claim | None:
    """Claim up to `size` due documents of one lane and state, in one statement; None when nothing is due.

    Only rows without evidence are claimed here (dispatch takes the evidenced ones itself).
    """
    rows = run(
        tx,
        CLAIM,
        lane=lane,
        state=state,
        size=size,
        seconds=lease.seconds,
        worker=lease.worker,
        epoch=lease.epoch,
    ).all()
    if not rows:
        return None
    return Claim(
        fence=rows[0].fence,
        at=rows[0].at,
        documents=tuple(
            ClaimedDocument(
                id=row.id,
                issuer=row.issuer,
                environment=row.environment,
                key=row.key,
                branch=row.branch,
                till=row.till,
                lane=row.lane,
                state=row.state,
                received_at=row.received_at,
                body=bytes(row.body),
                context=row.context,
                document_type=row.document_type,
                folio=row.folio,
                caf=row.caf,
                issued_on=row.issued_on,
            )
            for row in rows
        ),
    )


def left_behind(tx: Connection, lane: str) -> list[str]:
    """States in which dead processes left documents of a lane that nobody holds: `signed` without evidence, `numbered`.

    One statement.
    """
    rows = run(
        tx,
        """
        SELECT s.state FROM (VALUES ('signed'), ('numbered')) AS s (state)
        WHERE EXISTS (
            SELECT FROM documents d
            WHERE d.lane = :lane AND d.state = s.state AND d.due_at <= fmgo_now() AND d.lease_owner IS NULL
              AND d.evidenced_at IS NULL)
        """,
        lane=lane,
    )
    return [row.state for row in rows]


def give_back(tx: Connection, fence: int, *, after_seconds: float) -> int:
    """Return what is left of a claim after a fault; it is due again after some seconds. No death is counted."""
    return run(
        tx,
        """
        UPDATE documents SET due_at = fmgo_now() + make_interval(secs => :after), lease_owner = NULL
        WHERE fence = :fence AND lease_owner IS NOT NULL
        """,
        fence=fence,
        after=after_seconds,
    ).rowcount


def give_back_all(tx: Connection, worker: int) -> int:
    """Free whatever a process holds that does one thing at a time, after a claim whose answer was lost."""
    return run(
        tx,
        "UPDATE documents SET due_at = fmgo_now(), lease_owner = NULL WHERE lease_owner = :worker",
        worker=worker,
    ).rowcount


def release_dead(tx: Connection, *, quarantine_after: int) -> int:
    """Free the documents of dead processes: halves of their chunk, and a death for one that was alone.

    Returns how many rows were freed or quarantined.
    """
    return count(
        tx,
        """
        WITH orphans AS (
            SELECT d.id, d.fence, d.state, d.deaths, w.stopped_at
            FROM documents d JOIN workers w ON w.id = d.lease_owner
            WHERE d.lease_owner IS NOT NULL AND w.stopped_at IS NOT NULL
            FOR UPDATE OF d SKIP LOCKED
        ), sized AS (
            SELECT o.*, count(*) OVER (PARTITION BY fence) AS size FROM orphans o
        ), moved AS (
            UPDATE documents d
            SET lease_owner = NULL,
                suspect = greatest(1, s.size / 2),
                deaths = CASE WHEN s.size = 1 THEN d.deaths + 1 ELSE d.deaths END,
                state = CASE WHEN s.size = 1 AND d.deaths + 1 >= :limit THEN 'quarantined' ELSE d.state END,
                held = CASE WHEN s.size = 1 AND d.deaths + 1 >= :limit THEN 'deaths' ELSE d.held END,
                due_at = CASE WHEN s.size = 1 AND d.deaths + 1 >= :limit THEN NULL ELSE fmgo_now() END,
                version = CASE WHEN s.size = 1 AND d.deaths + 1 >= :limit THEN d.version + 1 ELSE d.version END
            FROM sized s WHERE d.id = s.id
            RETURNING d.id, s.state AS before, d.state AS now, d.deaths
        ), told AS (
            INSERT INTO document_events (document_id, from_state, to_state, detail)
            SELECT id, before, now, jsonb_build_object('deaths', deaths) FROM moved WHERE before <> now
        )
        SELECT count(*) FROM moved
        """,
        limit=quarantine_after,
    )


def release_forgotten(tx: Connection) -> int:
    """Free documents whose lease has long ended while their owner lives and is at nothing; returns how many.

    A claim may be committed after its process has given it up: the server hung, and woke later. No death is counted.
    """
    return run(
        tx,
        """
        UPDATE documents d SET due_at = fmgo_now(), lease_owner = NULL
        FROM workers w
        WHERE w.id = d.lease_owner AND w.stopped_at IS NULL AND w.beats > 0 AND w.doing IS NULL
          AND d.due_at < fmgo_now() - interval '1 minute'
        """,
    ).rowcount


def due_work(tx: Connection) -> Sequence[Any]:
    """Lanes and states of documents with due rows that nobody living holds: (lane, state, evidenced)."""
    return run(
        tx,
        """
        SELECT l.lane, s.state, s.evidenced
        FROM (VALUES ('interactive'), ('bulk')) AS l (lane)
        CROSS JOIN (VALUES ('received', false), ('numbered', false), ('signed', false), ('signed', true))
             AS s (state, evidenced)
        WHERE EXISTS (
            SELECT FROM documents d
            WHERE d.lane = l.lane AND d.state = s.state AND d.due_at <= fmgo_now() AND d.lease_owner IS NULL
              AND (d.evidenced_at IS NOT NULL) = s.evidenced AND d.held IS NULL
        )
        """,
    ).all()
