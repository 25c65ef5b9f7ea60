"""Documents about which receivers may still say something: when each is asked about, and what was said.

A watch begins with the acceptance of a 33, 34 or 43; its term counts from the SII's reception of the upload (when the
SII's receipt was kept, which is never earlier; `domain.deadlines.end_of_claims`).
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from domain.answers.claims import ClaimEvent
from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Term:
    """When the SII received an upload, and the first moment at which receivers may speak no more of it."""

    since: datetime
    until: datetime


def received_at(tx: Connection, envelope: uuid.UUID) -> datetime:
    """When the SII received an upload, as far as it is known."""
    moment: datetime = run(
        tx,
        "SELECT coalesce(sent_at, last_attempt_at, fmgo_now()) FROM envelopes WHERE id = :envelope",
        envelope=envelope,
    ).scalar_one()
    return moment


def begin(tx: Connection, envelope: uuid.UUID, types: Sequence[int], term: Term, first_seconds: float) -> None:
    """Watch the accepted documents of an envelope that aren't watched yet."""
    run(
        tx,
        """
        INSERT INTO claim_watches (document_id, environment, issuer, since, until, due_at)
        SELECT d.id, d.environment, d.issuer, :since, :until, :since + make_interval(secs => :first)
        FROM documents d
        WHERE d.envelope = :envelope AND d.document_type = ANY (CAST(:types AS smallint[]))
          AND d.state IN ('accepted', 'accepted_with_repairs')
        ON CONFLICT (document_id) DO NOTHING
        """,
        envelope=envelope,
        types=list(types),
        since=term.since,
        until=term.until,
        first=first_seconds,
    )


def any_due(tx: Connection, environment: str) -> bool:
    """Whether some document should be asked about."""
    return bool(
        run(
            tx,
            "SELECT EXISTS (SELECT FROM claim_watches WHERE environment = :environment AND due_at <= fmgo_now())",
            environment=environment,
        ).scalar_one()
    )


@dataclass(frozen=True, slots=True)
class Watched:
    """A document to be asked about now (`at`); `until` its receiver may speak."""

    document_id: uuid.UUID
    issuer: str
    environment: str
    document_type: int
    folio: int
    until: datetime
    asked: int
    at: datetime


def take(tx: Connection, environment: str, size: int, lease_seconds: float) -> list[Watched]:
    """Documents of one of the companies that are due, drawn by lot, which nobody else takes for some seconds.

    So a company with a long list keeps no other waiting.
    """
    rows = run(
        tx,
        """
        WITH RECURSIVE due (issuer) AS (
            (SELECT issuer FROM claim_watches WHERE environment = :environment AND due_at <= fmgo_now()
             ORDER BY issuer LIMIT 1)
            UNION ALL
            SELECT (SELECT w.issuer FROM claim_watches w
                    WHERE w.environment = :environment AND w.issuer > d.issuer AND w.due_at <= fmgo_now()
                    ORDER BY w.issuer LIMIT 1)
            FROM due d WHERE d.issuer IS NOT NULL
        ), drawn AS MATERIALIZED (
            SELECT issuer FROM due WHERE issuer IS NOT NULL ORDER BY random() LIMIT 1
        ), picked AS (
            SELECT w.document_id FROM claim_watches w JOIN drawn f ON f.issuer = w.issuer
            WHERE w.environment = :environment AND w.due_at <= fmgo_now()
            ORDER BY w.due_at LIMIT :size FOR UPDATE OF w SKIP LOCKED
        )
        UPDATE claim_watches w SET due_at = fmgo_now() + make_interval(secs => :lease), silence = NULL
        FROM picked p JOIN documents d ON d.id = p.document_id
        WHERE w.document_id = p.document_id
        RETURNING w.document_id, w.issuer, w.environment, d.document_type, d.folio, w.until, w.asked, fmgo_now() AS at
        """,
        environment=environment,
        size=size,
        lease=lease_seconds,
    )
    return [Watched(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)


def postpone(tx: Connection, documents: Sequence[uuid.UUID], seconds: float, silence: str | None = None) -> None:
    """Ask about them later: nothing was learnt. `silence`: at once when that service answers again."""
    run(
        tx,
        """
        UPDATE claim_watches
        SET due_at = fmgo_now() + make_interval(secs => :seconds), silence = CAST(:silence AS text)
        WHERE document_id = ANY (CAST(:ids AS uuid[])) AND due_at IS NOT NULL
        """,
        ids=list(documents),
        seconds=seconds,
        silence=silence,
    )


def answered(tx: Connection, document: uuid.UUID, code: str, words: str, next_at: datetime | None) -> None:
    """Keep that the registry answered, and when it is asked again (None: no more)."""
    run(
        tx,
        """
        UPDATE claim_watches
        SET asked = asked + 1, asked_at = fmgo_now(), answer = :code, words = :words, due_at = :next_at
        WHERE document_id = :id
        """,
        id=document,
        code=code,
        words=words,
        next_at=next_at,
    )


def keep_events(tx: Connection, document: uuid.UUID, events: Sequence[ClaimEvent]) -> list[ClaimEvent]:
    """Keep events that are new; returns all that were ever seen of the document, in the order they were said."""
    if events:
        run(
            tx,
            """
            INSERT INTO document_claims (document_id, code, by, said_at, words, at)
            SELECT :id, e.code, e.by, e.said_at, e.words, e.at
            FROM unnest(CAST(:codes AS text[]), CAST(:by AS text[]), CAST(:said_at AS text[]), CAST(:words AS text[]),
                        CAST(:at AS timestamptz[])) AS e (code, by, said_at, words, at)
            ON CONFLICT DO NOTHING
            """,
            id=document,
            codes=[event.code for event in events],
            by=[event.by for event in events],
            said_at=[event.at for event in events],
            words=[event.text for event in events],
            at=[event.moment for event in events],
        )
    rows = run(
        tx,
        """
        SELECT code, words, by, said_at FROM document_claims
        WHERE document_id = :id ORDER BY at NULLS LAST, seen_at, code
        """,
        id=document,
    )
    return [ClaimEvent(row.code, row.words, row.by, row.said_at) for row in rows]


def tell(tx: Connection, document: uuid.UUID, claim: dict[str, Any]) -> bool:
    """Let a document's result say this, as a new version; False when it says so already."""
    changed = run(
        tx,
        """
        UPDATE documents SET claim = CAST(:claim AS jsonb), version = version + 1
        WHERE id = :id AND claim IS DISTINCT FROM CAST(:claim AS jsonb)
        """,
        id=document,
        claim=json.dumps(claim),
    )
    return changed.rowcount == 1
