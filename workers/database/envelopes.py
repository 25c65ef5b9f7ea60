"""Envelopes on their way: claiming them, their steps, and what a dead process leaves.

Every step of a claimed envelope checks its fence.
"""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from workers.database.claims import Lease
from workers.database.engine import count, run
from workers.database.sealing import Channel


@dataclass(frozen=True, slots=True)
class ClaimedEnvelope:
    """A claimed envelope; `at` is the business time of the claim.

    Of one in doubt, `doubt_since` is when the first of its attempts began that the SII may have received, and `doubts`
    how many such attempts there are. `sending_stopped`: a person stopped the sending of its company.
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
    alert: str | None
    fence: int
    at: datetime
    doubt_since: datetime | None
    doubts: int
    sending_stopped: bool


CLAIM = """
    WITH picked AS (
        SELECT id FROM envelopes
        WHERE state = ANY (CAST(:states AS text[])) AND due_at <= fmgo_now() AND evidenced_at IS NOT NULL
          AND lease_owner IS NULL AND environment = :environment AND channel = ANY (CAST(:channels AS text[]))
          AND NOT (state = 'sealed' AND fmgo_sending_is_stopped(issuer, environment))
          AND EXISTS (SELECT FROM ledger_epoch WHERE epoch = :epoch AND replayed_at IS NOT NULL)
        ORDER BY (lane = 'bulk'), CASE WHEN state = 'sent' THEN due_at ELSE send_by END
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE envelopes e
    SET due_at = fmgo_now() + make_interval(secs => :seconds), fence = :fence, lease_owner = :worker, silence = NULL
    FROM picked WHERE e.id = picked.id
    RETURNING e.*, fmgo_now() AS at, fmgo_sending_is_stopped(e.issuer, e.environment) AS sending_stopped
"""

DOUBTS = """
    SELECT min(started_at) AS since, count(*) AS number FROM envelope_attempts
    WHERE envelope = :id AND (outcome IS NULL OR outcome IN ('unknown', 'duplicate'))
"""


def next_fence(tx: Connection) -> int:
    """Draw the number of a claim that is about to be made."""
    return count(tx, "SELECT nextval('claim_fence')")


def claim_envelope(
    tx: Connection, states: Sequence[str], environment: str, lease: Lease, fence: int, channels: Collection[Channel]
) -> ClaimedEnvelope | None:
    """Claim the due envelope of an environment and some channels that comes first, or None.

    Tills before bulk, then the most urgent. One that was never sent stays where its company's sending is stopped.
    """
    row = run(
        tx,
        CLAIM,
        states=list(states),
        environment=environment,
        channels=list(channels),
        seconds=lease.seconds,
        worker=lease.worker,
        epoch=lease.epoch,
        fence=fence,
    ).one_or_none()
    if row is None:
        return None
    doubts = run(tx, DOUBTS, id=row.id).one() if row.state == "uncertain" else None
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
        alert=row.alert,
        fence=row.fence,
        at=row.at,
        doubt_since=None if doubts is None else doubts.since,
        doubts=0 if doubts is None else doubts.number,
        sending_stopped=row.sending_stopped,
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
            alert = CAST(:alert AS text),
            silence = CAST(:silence AS text),
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
    """A step of a claimed envelope; `due_after` None: nothing is to be done any more (seconds otherwise).

    `alert` names what a person should look at (`domain.answers.table.alerts`); a step without one lifts it. `silence`:
    the service of the SII whose silence alone puts it off; it is due at once when that answers again.
    """

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
    alert: str | None = None
    silence: str | None = None


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
            alert=what.alert,
            silence=what.silence,
        )
        == 1
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
