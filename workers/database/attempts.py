"""Attempts to send an envelope: rows written before the first byte leaves, and whatever answer came.

An answer that comes late is kept here whatever became of the envelope meanwhile; so an envelope may have several track
ids, and one in doubt can be ended by the answer of a process that was declared dead.
"""

import uuid
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from domain.answers.table.alerts import IN_DOUBT
from workers.database.audit import audit
from workers.database.engine import count, run
from workers.database.envelopes import ClaimedEnvelope


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


def later_processed(tx: Connection, envelope: uuid.UUID) -> bool:
    """Whether an envelope of the same channel, whoever's, first sent after this one's last attempt, was processed."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (
                SELECT FROM envelopes e JOIN envelopes l ON l.environment = e.environment AND l.channel = e.channel
                WHERE e.id = :id AND l.state = 'processed' AND l.sent_at > e.last_attempt_at)
            """,
            id=envelope,
        ).scalar_one()
    )


def track_ids(tx: Connection, envelope: uuid.UUID) -> list[str]:
    """Every track id that an attempt of an envelope ever got, in their order."""
    rows = run(
        tx,
        """
        SELECT track_id FROM envelope_attempts
        WHERE envelope = :id AND track_id IS NOT NULL GROUP BY track_id ORDER BY min(number)
        """,
        id=envelope,
    )
    return [row.track_id for row in rows]


def another_upload_is_possible(tx: Connection, envelope: uuid.UUID, window_seconds: float) -> bool:
    """Whether the SII may have an upload of an envelope whose track id nobody knows.

    An attempt without a readable answer may have arrived, unless the SII recognised its bytes later and gave a track id
    that no receipt had given; or took the same bytes as new within the `window_seconds` in which DTEUpload recognises
    a repeated file. Nobody knows whether the boletas' service recognises one at all.
    """
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (
                SELECT FROM envelope_attempts u JOIN envelopes e ON e.id = u.envelope
                WHERE u.envelope = :id
                  AND (u.outcome IS NULL OR u.outcome = 'unknown' OR (u.outcome = 'duplicate' AND u.track_id IS NULL))
                  AND NOT EXISTS (SELECT FROM envelope_attempts r
                                  WHERE r.envelope = :id AND r.outcome = 'received' AND e.channel = 'soap'
                                    AND r.number > u.number
                                    AND r.started_at < u.started_at + make_interval(secs => :window)))
               AND NOT EXISTS (SELECT FROM envelope_attempts d
                               WHERE d.envelope = :id AND d.outcome = 'duplicate' AND d.track_id IS NOT NULL
                                 AND NOT EXISTS (SELECT FROM envelope_attempts r
                                                 WHERE r.envelope = :id AND r.outcome = 'received'
                                                   AND r.track_id = d.track_id))
            """,
            id=envelope,
            window=window_seconds,
        ).scalar_one()
    )


Resend = Literal["allowed", "unknown", "not-in-doubt", "in-hand", "goes-already", "too-early", "stopped"]
"""What came of the wish to send an envelope's bytes once more: allowed, or why not."""


def allow_once_more(tx: Connection, envelope: uuid.UUID, actor: str) -> Resend:
    """Let the identical bytes of an envelope in doubt be sent once more: a person answers for it.

    Only where the alert says that questions don't end the doubt; before, FMgo ends it itself.
    """
    row = run(
        tx,
        """
        SELECT state, lease_owner, alert, verdict -> 'send_once_more' IS NOT NULL AS goes,
               fmgo_sending_is_stopped(issuer, environment) AS stopped
        FROM envelopes WHERE id = :id FOR UPDATE
        """,
        id=envelope,
    ).one_or_none()
    why: Resend
    if row is None:
        why = "unknown"
    elif row.state == "sending" or (row.state == "uncertain" and row.lease_owner is not None):
        why = "in-hand"
    elif row.state != "uncertain":
        why = "not-in-doubt"
    elif row.goes:
        why = "goes-already"
    elif row.alert != IN_DOUBT:
        why = "too-early"
    elif row.stopped:
        why = "stopped"
    else:
        why = "allowed"
        run(
            tx,
            """
            UPDATE envelopes
            SET verdict = coalesce(verdict, '{}') || '{"send_once_more": true}', due_at = fmgo_now(), alert = NULL
            WHERE id = :id
            """,
            id=envelope,
        )
        audit(tx, actor, "envelope.resend", str(envelope), {})
    return why
