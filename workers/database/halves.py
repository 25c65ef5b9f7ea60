"""Halves of envelopes that were refused for their schema: rows from the first split to the culprit that stands alone.

Documents of a half are `signed` and due, and only travel with each other. Whatever is tried counts against the envelope
that was whole, so that it has an end.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from workers.database.engine import count, run

CULPRIT = "schema-refused"
"""What a document is held for that was refused for its schema alone in its envelope."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried of an envelope that was whole: its documents then, halves made, and how those sent ended.

    `depth` is that of the envelope asked for: 0 is the whole, 1 a half, 2 a quarter.
    """

    depth: int
    origin: uuid.UUID
    documents: int
    made: int
    refused: int
    processed: int


def tried(tx: Connection, envelope: uuid.UUID) -> Tried:
    """What was tried so far of the whole that an envelope is a part of (itself, if it is no half)."""
    row = run(
        tx,
        """
        WITH origin AS (
            SELECT coalesce(h.origin, e.id) AS id, coalesce(h.depth, 0) AS depth
            FROM envelopes e LEFT JOIN envelope_halves h ON h.id = e.half WHERE e.id = :envelope
        )
        SELECT o.depth, o.id, w.documents, count(h.id) AS made,
               count(*) FILTER (WHERE s.state = 'refused') AS refused,
               count(*) FILTER (WHERE s.state = 'processed') AS processed
        FROM origin o JOIN envelopes w ON w.id = o.id
        LEFT JOIN envelope_halves h ON h.origin = o.id
        LEFT JOIN envelopes s ON s.half = h.id
        GROUP BY o.depth, o.id, w.documents
        """,
        envelope=envelope,
    ).one()
    return Tried(row.depth, row.id, row.documents, row.made, row.refused, row.processed)


def try_half(
    tx: Connection, envelope: uuid.UUID, before: Tried, documents: Sequence[uuid.UUID], worker: int
) -> uuid.UUID:
    """Let documents that a refused envelope sent back go again, same bytes, as one of its halves; returns its id."""
    half = uuid.uuid4()
    moved = count(
        tx,
        """
        WITH half AS (
            INSERT INTO envelope_halves (id, origin, refused, depth, documents)
            VALUES (:half, :origin, :envelope, :depth, :number) RETURNING id
        ), moved AS (
            UPDATE documents d
            SET half = h.id, held = NULL, verdict = NULL, due_at = fmgo_now(), version = d.version + 1
            FROM half h
            WHERE d.id = ANY (CAST(:ids AS uuid[])) AND d.state = 'signed' AND d.held LIKE 'envelope-refused%'
            RETURNING d.id
        ), marked AS (
            UPDATE envelopes SET released_at = fmgo_now() WHERE id = :envelope
        ), noted AS (
            INSERT INTO audit_log (actor, action, subject, detail)
            VALUES (:actor, 'envelope.half', CAST(:envelope AS text),
                    jsonb_build_object('half', CAST(:half AS text), 'documents', CAST(:number AS integer)))
        )
        SELECT count(*) FROM moved
        """,
        half=half,
        origin=before.origin,
        depth=before.depth + 1,
        envelope=envelope,
        number=len(documents),
        ids=list(documents),
        actor=f"worker:{worker}",
    )
    if moved != len(documents):
        msg = "some documents of a half were no longer held"
        raise RuntimeError(msg)
    return half


def put_aside(tx: Connection, document: uuid.UUID) -> None:
    """Hold the culprit for a person; the SII's words stay with it."""
    run(
        tx,
        """
        UPDATE documents SET held = :culprit, version = version + 1
        WHERE id = :id AND state = 'signed' AND held LIKE 'envelope-refused%'
        """,
        id=document,
        culprit=CULPRIT,
    )
