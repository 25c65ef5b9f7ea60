"""Envelopes: sealing them, claiming them, their attempts and their steps.

Every step of a claimed envelope checks its fence. Attempts are rows of their own, written before the first byte
leaves; an answer that comes late is kept there whatever became of the envelope meanwhile.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection

from workers.database.claims import Lease
from workers.database.engine import count, run

Channel = Literal["soap", "rest"]


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that may travel together: one company, one channel, one lane."""

    issuer: str
    environment: str
    channel: Channel
    lane: str


@dataclass(frozen=True, slots=True)
class Passenger:
    """A signed document about to be put in an envelope."""

    id: uuid.UUID
    document_type: int
    folio: int
    dte: bytes


@dataclass(frozen=True, slots=True)
class NewEnvelope:
    """A sealed envelope as it goes into the ledger; `data` are the bytes that will be sent, for ever."""

    id: uuid.UUID
    group: Group
    sender: str
    certificate: int
    resolution_number: int
    resolution_date: date
    filename: str
    data: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True)
class ClaimedEnvelope:
    """A claimed envelope; `at` is the business time of the claim.

    `doubt_since` is when the first of its attempts began that the SII may have received, of one in doubt.
    """

    id: uuid.UUID
    issuer: str
    environment: str
    channel: Channel
    lane: str
    state: str
    sender: str
    certificate: int
    filename: str
    data: bytes
    track_id: str | None
    attempts: int
    polls: int
    last_attempt_at: datetime | None
    sent_at: datetime | None
    verdict: dict[str, Any]
    fence: int
    at: datetime
    doubt_since: datetime | None


# Issuers are hopped over by the index, so that a backlog of one costs nothing when others are looked for.
GROUPS = """
    WITH RECURSIVE due_issuers (issuer) AS (
        (SELECT issuer FROM documents
         WHERE lane = :lane AND state = 'signed' AND due_at IS NOT NULL ORDER BY issuer LIMIT 1)
        UNION ALL
        SELECT (SELECT d.issuer FROM documents d
                WHERE d.lane = :lane AND d.state = 'signed' AND d.due_at IS NOT NULL AND d.issuer > i.issuer
                ORDER BY d.issuer LIMIT 1)
        FROM due_issuers i WHERE i.issuer IS NOT NULL
    )
    SELECT i.issuer, e.environment, c.channel, CAST(:lane AS text) AS lane
    FROM due_issuers i
    CROSS JOIN (VALUES ('certification'), ('production')) AS e (environment)
    CROSS JOIN (VALUES ('soap'), ('rest')) AS c (channel)
    WHERE i.issuer IS NOT NULL
      AND EXISTS (
          SELECT FROM documents d
          WHERE d.lane = :lane AND d.state = 'signed' AND d.issuer = i.issuer AND d.environment = e.environment
            AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL AND d.held IS NULL
            AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = (c.channel = 'rest'))
"""


def groups_due(tx: Connection, lane: str, rest_types: Sequence[int]) -> list[Group]:
    """Groups of a lane with documents to be sent."""
    rows = run(tx, GROUPS, lane=lane, rest_types=list(rest_types))
    return [Group(row.issuer, row.environment, row.channel, row.lane) for row in rows]


MAY_SEAL = """
    SELECT (SELECT count(*) FROM envelopes
            WHERE issuer = :issuer AND environment = :environment AND channel = :channel AND lane = :lane
              AND state IN ('sealed', 'sending')) < :in_flight
       AND (signed.n = :size
            OR signed.oldest < fmgo_now() - make_interval(secs => :linger)
            OR signed.n > 0 AND (:lane = 'interactive' OR NOT EXISTS (
                SELECT FROM documents
                WHERE lane = :lane AND state IN ('received', 'numbered', 'signed') AND issuer = :issuer
                  AND environment = :environment AND due_at IS NOT NULL AND evidenced_at IS NULL)))
    FROM (
        SELECT count(*) AS n, min(due_at) AS oldest FROM (
            SELECT d.due_at FROM documents d
            WHERE d.lane = :lane AND d.state = 'signed' AND d.issuer = :issuer AND d.environment = :environment
              AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL AND d.held IS NULL
              AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = :rest
            ORDER BY d.due_at
            LIMIT :size
        ) waiting
    ) signed
"""


@dataclass(frozen=True, slots=True)
class Load:
    """How envelopes are filled: documents in one, open ones of a group, seconds for which bulk waits to fill one."""

    documents: int
    in_flight: int
    linger_seconds: float


def may_seal(tx: Connection, group: Group, rest_types: Sequence[int], load: Load) -> bool:
    """Whether the group should have another envelope now; holds the group for this transaction.

    At most `in_flight` envelopes of a company, channel and lane are open: what comes meanwhile shares the next one.
    While bulk documents of the company are still to be signed, they are waited for until the envelope is full, or its
    oldest document has waited `linger_seconds`.
    """
    held = run(
        tx,
        "SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 42))",
        name=f"dispatch {group.environment} {group.issuer} {group.channel} {group.lane}",
    ).scalar_one()
    if not held:
        return False
    return bool(
        run(
            tx,
            MAY_SEAL,
            issuer=group.issuer,
            environment=group.environment,
            channel=group.channel,
            lane=group.lane,
            rest_types=list(rest_types),
            rest=group.channel == "rest",
            in_flight=load.in_flight,
            size=load.documents,
            linger=load.linger_seconds,
        ).scalar_one()
    )


PASSENGERS = """
    WITH picked AS (
        SELECT d.id, d.document_type, d.folio, d.received_at
        FROM documents d
        WHERE d.lane = :lane AND d.state = 'signed' AND d.issuer = :issuer AND d.environment = :environment
          AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL AND d.held IS NULL
          AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = :rest
        ORDER BY d.due_at
        LIMIT :size
        FOR UPDATE SKIP LOCKED
    )
    SELECT p.id, p.document_type, p.folio, f.bytes
    FROM picked p JOIN document_files f
         ON f.document_id = p.id AND f.received_at = p.received_at AND f.kind = 'dte'
    ORDER BY p.document_type, p.folio
"""


def passengers(tx: Connection, group: Group, rest_types: Sequence[int], size: int) -> list[Passenger]:
    """Lock up to `size` signed documents of a group, with their bytes, by type and folio."""
    rows = run(
        tx,
        PASSENGERS,
        lane=group.lane,
        issuer=group.issuer,
        environment=group.environment,
        rest_types=list(rest_types),
        rest=group.channel == "rest",
        size=size,
    )
    return [Passenger(row.id, row.document_type, row.folio, bytes(row.bytes)) for row in rows]


SEAL = """
    WITH sealed AS (
        INSERT INTO envelopes (id, issuer, environment, channel, lane, sender, certificate, documents,
                               resolution_number, resolution_date, filename, bytes, sha256)
        VALUES (:id, :issuer, :environment, :channel, :lane, :sender, :certificate, :count,
                :resolution_number, :resolution_date, :filename, :bytes, :sha256)
        RETURNING id
    ), told AS (
        INSERT INTO envelope_events (envelope, from_state, to_state, worker)
        SELECT id, '', 'sealed', :worker FROM sealed
    ), boarded AS (
        INSERT INTO envelope_documents (envelope, document_id, position)
        SELECT s.id, p.id, p.position
        FROM sealed s, unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS p (id, position)
    ), moved AS (
        UPDATE documents d
        SET state = 'enveloped', envelope = s.id, due_at = NULL
        FROM sealed s
        WHERE d.id = ANY (CAST(:ids AS uuid[])) AND d.state = 'signed'
        RETURNING d.id
    ), noted AS (
        INSERT INTO document_events (document_id, from_state, to_state, worker, detail)
        SELECT m.id, 'signed', 'enveloped', :worker, jsonb_build_object('envelope', s.id) FROM moved m, sealed s
    )
    SELECT count(*) FROM moved
"""


def seal(tx: Connection, envelope: NewEnvelope, documents: Sequence[uuid.UUID], worker: int) -> int:
    """Store a sealed envelope and put its documents in it; it may leave only after `mark_evidenced`."""
    return count(
        tx,
        SEAL,
        id=envelope.id,
        issuer=envelope.group.issuer,
        environment=envelope.group.environment,
        channel=envelope.group.channel,
        lane=envelope.group.lane,
        sender=envelope.sender,
        certificate=envelope.certificate,
        count=len(documents),
        resolution_number=envelope.resolution_number,
        resolution_date=envelope.resolution_date,
        filename=envelope.filename,
        bytes=envelope.data,
        sha256=envelope.sha256,
        ids=list(documents),
        worker=worker,
    )


def mark_evidenced(tx: Connection, envelope: uuid.UUID) -> None:
    """Say that the envelope's second copy is durable: from here it may leave."""
    run(
        tx,
        "UPDATE envelopes SET evidenced_at = fmgo_now(), due_at = fmgo_now() WHERE id = :id AND evidenced_at IS NULL",
        id=envelope,
    )


def unevidenced(tx: Connection, limit: int) -> list[tuple[uuid.UUID, bytes]]:
    """Sealed envelopes whose worker died before their second copy was durable."""
    rows = run(
        tx,
        """
        SELECT id, bytes FROM envelopes
        WHERE state = 'sealed' AND evidenced_at IS NULL AND sealed_at < fmgo_now() - interval '10 seconds'
        ORDER BY sealed_at LIMIT :limit FOR UPDATE SKIP LOCKED
        """,
        limit=limit,
    )
    return [(row.id, bytes(row.bytes)) for row in rows]


CLAIM = """
    WITH picked AS (
        SELECT id FROM envelopes
        WHERE state = ANY (CAST(:states AS text[])) AND due_at <= fmgo_now() AND evidenced_at IS NOT NULL
          AND lease_owner IS NULL AND environment = :environment
          AND EXISTS (SELECT FROM ledger_epoch WHERE epoch = :epoch AND replayed_at IS NOT NULL)
        ORDER BY (lane = 'bulk'), due_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE envelopes e
    SET due_at = fmgo_now() + make_interval(secs => :seconds), fence = :fence, lease_owner = :worker
    FROM picked WHERE e.id = picked.id
    RETURNING e.*, fmgo_now() AS at,
              CASE WHEN e.state = 'uncertain' THEN (
                  SELECT min(a.started_at) FROM envelope_attempts a
                  WHERE a.envelope = e.id AND (a.outcome IS NULL OR a.outcome IN ('unknown', 'duplicate'))
              ) END AS doubt_since
"""


def next_fence(tx: Connection) -> int:
    """Draw the number of a claim that is about to be made."""
    return count(tx, "SELECT nextval('claim_fence')")


def claim_envelope(
    tx: Connection, states: Sequence[str], environment: str, lease: Lease, fence: int
) -> ClaimedEnvelope | None:
    """Claim the due envelope of an environment that comes first (interactive before bulk), or None."""
    row = run(
        tx,
        CLAIM,
        states=list(states),
        environment=environment,
        seconds=lease.seconds,
        worker=lease.worker,
        epoch=lease.epoch,
        fence=fence,
    ).one_or_none()
    if row is None:
        return None
    return ClaimedEnvelope(
        id=row.id,
        issuer=row.issuer,
        environment=row.environment,
        channel=row.channel,
        lane=row.lane,
        state=row.state,
        sender=row.sender,
        certificate=row.certificate,
        filename=row.filename,
        data=bytes(row.bytes),
        track_id=row.track_id,
        attempts=row.attempts,
        polls=row.polls,
        last_attempt_at=row.last_attempt_at,
        sent_at=row.sent_at,
        verdict=row.verdict or {},
        fence=row.fence,
        at=row.at,
        doubt_since=row.doubt_since,
    )


def give_back(tx: Connection, fence: int, worker: int) -> int:
    """Free what a claim may have got whose answer was lost; nothing was begun with it. Returns how many (0 or 1)."""
    return run(
        tx,
        """
        UPDATE envelopes SET lease_owner = NULL, due_at = fmgo_now()
        WHERE fence = :fence AND lease_owner = :worker AND state <> 'sending'
        """,
        fence=fence,
        worker=worker,
    ).rowcount


STEP = """
    WITH moved AS (
        UPDATE envelopes e
        SET state = :to_state,
            due_at = CASE WHEN CAST(:after AS double precision) IS NULL THEN NULL
                          ELSE fmgo_now() + make_interval(secs => :after) END,
            lease_owner = CASE WHEN :keep THEN lease_owner END,
            track_id = coalesce(CAST(:track_id AS text), e.track_id),
            sent_at = CASE WHEN :to_state = 'sent' THEN coalesce(e.sent_at, fmgo_now()) ELSE e.sent_at END,
            attempts = e.attempts + :attempted,
            polls = e.polls + :polled,
            last_attempt_at = CASE WHEN :attempted > 0 THEN fmgo_now() ELSE e.last_attempt_at END,
            sii_state = coalesce(CAST(:sii_state AS text), e.sii_state),
            verdict = coalesce(CAST(:verdict AS jsonb), e.verdict),
            decided_at = CASE WHEN :to_state IN ('processed', 'refused') THEN fmgo_now() ELSE e.decided_at END
        WHERE e.id = :id AND e.fence = :fence AND e.lease_owner = :worker AND e.state = :from_state
        RETURNING e.id
    ), told AS (
        INSERT INTO envelope_events (envelope, from_state, to_state, worker, detail)
        SELECT id, :from_state, :to_state, :worker, CAST(:detail AS jsonb) FROM moved
        WHERE CAST(:from_state AS text) <> CAST(:to_state AS text)
    )
    SELECT count(*) FROM moved
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a claimed envelope; `due_after` None: nothing is to be done any more (seconds otherwise)."""

    from_state: str
    to_state: str
    due_after: float | None
    keep_lease: bool = False
    attempted: bool = False
    polled: bool = False
    track_id: str | None = None
    sii_state: str | None = None
    verdict: dict[str, Any] | None = None
    detail: dict[str, Any] | None = None


def step(tx: Connection, envelope: uuid.UUID, fence: int, worker: int, what: Step) -> bool:
    """Move a claimed envelope; False when it is no longer ours."""
    return (
        count(
            tx,
            STEP,
            id=envelope,
            fence=fence,
            worker=worker,
            from_state=what.from_state,
            to_state=what.to_state,
            after=what.due_after,
            keep=what.keep_lease,
            attempted=1 if what.attempted else 0,
            polled=1 if what.polled else 0,
            track_id=what.track_id,
            sii_state=what.sii_state,
            verdict=None if what.verdict is None else json.dumps(what.verdict),
            detail=json.dumps(what.detail or {}),
        )
        == 1
    )


def open_attempt(
    tx: Connection, envelope: ClaimedEnvelope, worker: int, address: str, deadline_seconds: float
) -> tuple[int, datetime]:
    """Write the attempt before its first byte leaves; returns its key (id, started_at)."""
    row = run(
        tx,
        """
        INSERT INTO envelope_attempts (envelope, number, worker, address, deadline_seconds)
        VALUES (:envelope, :number, :worker, :address, :deadline)
        RETURNING id, started_at
        """,
        envelope=envelope.id,
        number=envelope.attempts + 1,
        worker=worker,
        address=address,
        deadline=deadline_seconds,
    ).one()
    return row.id, row.started_at


def close_attempt(
    tx: Connection,
    key: tuple[int, datetime],
    *,
    outcome: str,
    http_status: int | None,
    sii_status: str | None,
    track_id: str | None,
    detail: str | None,
    answer: bytes,
) -> None:
    """Keep the answer of an attempt; unfenced, because an answer that comes late is kept too."""
    run(
        tx,
        """
        UPDATE envelope_attempts
        SET ended_at = fmgo_now(), outcome = :outcome, http_status = :http_status, sii_status = :sii_status,
            track_id = :track_id, detail = :detail, answer = :answer
        WHERE id = :id AND started_at = :started_at
        """,
        id=key[0],
        started_at=key[1],
        outcome=outcome,
        http_status=http_status,
        sii_status=sii_status,
        track_id=track_id,
        detail=detail,
        answer=answer,
    )


def adopt_late_track_id(tx: Connection, envelope: uuid.UUID, track_id: str) -> bool:
    """Give an envelope in doubt the track id of an answer that came late, whoever asked for it."""
    return (
        count(
            tx,
            """
            WITH moved AS (
                UPDATE envelopes SET state = 'sent', track_id = :track_id, sent_at = coalesce(sent_at, fmgo_now()),
                       due_at = fmgo_now(), lease_owner = NULL
                WHERE id = :id AND state = 'uncertain'
                RETURNING id
            ), told AS (
                INSERT INTO envelope_events (envelope, from_state, to_state, detail)
                SELECT id, 'uncertain', 'sent', jsonb_build_object('late_track_id', CAST(:track_id AS text)) FROM moved
            )
            SELECT count(*) FROM moved
            """,
            id=envelope,
            track_id=track_id,
        )
        == 1
    )


def known_track_id(tx: Connection, envelope: uuid.UUID) -> str | None:
    """The first track id that any attempt of an envelope got, however late it came."""
    return run(
        tx,
        """
        SELECT track_id FROM envelope_attempts
        WHERE envelope = :id AND track_id IS NOT NULL ORDER BY number LIMIT 1
        """,
        id=envelope,
    ).scalar()


def has_doubtful_attempt(tx: Connection, envelope: uuid.UUID) -> bool:
    """Whether the SII may have received some attempt: one that never ended, without a readable answer or track id."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (SELECT FROM envelope_attempts
                           WHERE envelope = :id AND (outcome IS NULL OR outcome IN ('unknown', 'duplicate')))
            """,
            id=envelope,
        ).scalar_one()
    )


def release_dead(tx: Connection, *, grace_seconds: float, recheck_seconds: float) -> int:
    """Free the envelopes of dead processes: one that was being sent becomes `uncertain`, never `sealed`."""
    return count(
        tx,
        """
        WITH orphans AS (
            SELECT e.id, e.state, a.last_deadline
            FROM envelopes e JOIN workers w ON w.id = e.lease_owner
            LEFT JOIN LATERAL (
                SELECT max(started_at + make_interval(secs => deadline_seconds)) AS last_deadline
                FROM envelope_attempts WHERE envelope = e.id
            ) a ON true
            WHERE e.lease_owner IS NOT NULL AND w.stopped_at IS NOT NULL
            FOR UPDATE OF e SKIP LOCKED
        ), moved AS (
            UPDATE envelopes e
            SET lease_owner = NULL,
                state = CASE WHEN o.state = 'sending' THEN 'uncertain' ELSE o.state END,
                due_at = CASE WHEN o.state = 'sending'
                              THEN greatest(fmgo_now() + make_interval(secs => :recheck),
                                            o.last_deadline + make_interval(secs => :grace))
                              ELSE fmgo_now() END
            FROM orphans o WHERE e.id = o.id
            RETURNING e.id, o.state AS before, e.state AS now
        ), told AS (
            INSERT INTO envelope_events (envelope, from_state, to_state, detail)
            SELECT id, before, now, '{"reason": "its process died"}' FROM moved WHERE before <> now
        )
        SELECT count(*) FROM moved
        """,
        grace=grace_seconds,
        recheck=recheck_seconds,
    )


def due_states(tx: Connection) -> set[str]:
    """States in which some envelope is due and nobody holds it."""
    rows = run(
        tx,
        """
        SELECT DISTINCT state FROM envelopes
        WHERE due_at <= fmgo_now() AND lease_owner IS NULL AND evidenced_at IS NOT NULL
        """,
    )
    return {row.state for row in rows}


def any_unevidenced(tx: Connection) -> bool:
    """Whether some sealed envelope waits for its second copy."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (SELECT FROM envelopes WHERE state = 'sealed' AND evidenced_at IS NULL
                           AND sealed_at < fmgo_now() - interval '10 seconds')
            """,
        ).scalar_one()
    )


def later_processed(tx: Connection, envelope: uuid.UUID) -> bool:
    """Whether an envelope of the same company and channel, first sent later than this one, was processed."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (
                SELECT FROM envelopes e JOIN envelopes l
                  ON l.issuer = e.issuer AND l.environment = e.environment AND l.channel = e.channel
                WHERE e.id = :id AND l.state = 'processed' AND l.sent_at > e.last_attempt_at)
            """,
            id=envelope,
        ).scalar_one()
    )
