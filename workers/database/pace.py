"""The SII's services as rows: whether one may be asked now, and what was learnt from asking.

Breaker, rate and open requests of a service are one row, and one statement admits a request or doesn't, so the limits
hold for all workers together and survive the loss of Redis. Requests of dead processes don't count.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Limits:
    """What admits a request: the seconds of the rate that it takes, how far ahead it may run, how many may be open."""

    seconds_each: float
    burst_seconds: float
    open_requests: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that a process is about to make; its ticket is drawn before, so that it can always be taken back."""

    environment: str
    service: str
    worker: int
    ticket: str

    def names(self) -> dict[str, str]:
        """The names that statements know it by."""
        return {"environment": self.environment, "service": self.service, "ticket": self.ticket}


FARTHEST = 100
"""Requests that one admission may ask for: no rate is used up farther ahead than that."""

ENTER = """
    INSERT INTO sii_services AS s (environment, service, paced_to, holders)
    VALUES (:environment, :service, fmgo_now() + make_interval(secs => :cost),
            jsonb_build_object(CAST(:ticket AS text), CAST(:worker AS bigint)))
    ON CONFLICT (environment, service) DO UPDATE
    SET paced_to = CASE WHEN s.paced_to <= fmgo_now() + make_interval(secs => :ahead)
                        THEN greatest(s.paced_to, fmgo_now()) ELSE fmgo_now() END + make_interval(secs => :cost),
        holders = s.holders || jsonb_build_object(CAST(:ticket AS text), CAST(:worker AS bigint)),
        probe = CASE WHEN s.closed_until IS NOT NULL AND s.failures > 0 THEN CAST(:ticket AS text) END
    WHERE (s.closed_until IS NULL
           OR s.closed_until <= fmgo_now()
              AND (s.probe IS NULL OR NOT EXISTS (
                  SELECT FROM workers w WHERE w.id = CAST(s.holders ->> s.probe AS bigint) AND w.stopped_at IS NULL)))
      AND (s.paced_to IS NULL OR s.paced_to <= fmgo_now() + make_interval(secs => :burst)
           OR s.paced_to > fmgo_now() + make_interval(secs => :ahead))  -- the clock was set back
      AND (SELECT count(*) FROM jsonb_each_text(s.holders) AS h (ticket, worker)
           JOIN workers w ON w.id = CAST(h.worker AS bigint) AND w.stopped_at IS NULL) < :open_requests
    RETURNING s.probe IS NOT NULL AS probe
"""


def enter(tx: Connection, request: Ask, limits: Limits, requests: int = 1) -> bool | None:
    """Admit some requests of a process as one: whether they are the probe of a closed service; None if not now."""
    return run(
        tx,
        ENTER,
        **request.names(),
        worker=request.worker,
        cost=limits.seconds_each * requests,
        burst=limits.burst_seconds,
        ahead=limits.burst_seconds + FARTHEST * max(1.0, limits.seconds_each),
        open_requests=limits.open_requests,
    ).scalar()


@dataclass(frozen=True, slots=True)
class Learnt:
    """What an admitted request showed: `fault` None, the service answered; `retry_after` seconds if it asks to wait."""

    fault: str | None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Pauses:
    """After how many faults in a row a service is closed, and for how long: doubled each time, to a longest one."""

    faults: int
    first_seconds: float
    longest_seconds: float


LEAVE = """
    WITH before AS (
        SELECT closed_until, failures, probe IS NOT DISTINCT FROM :ticket AS probing,
               closed_until IS NULL OR failures = 0 AND closed_until <= fmgo_now()
                   OR probe IS NOT DISTINCT FROM :ticket AS counts,
               CAST(:fault AS text) AS fault, CAST(:retry_after AS double precision) AS retry_after
        FROM sii_services WHERE environment = :environment AND service = :service FOR UPDATE
    )
    UPDATE sii_services s
    SET holders = s.holders - CAST(:ticket AS text),
        probe = nullif(s.probe, CAST(:ticket AS text)),
        failures = CASE WHEN NOT b.counts THEN s.failures WHEN b.fault IS NULL THEN 0 ELSE s.failures + 1 END,
        failing_since = CASE WHEN b.fault IS NOT NULL THEN coalesce(s.failing_since, fmgo_now())
                             WHEN NOT b.counts THEN s.failing_since END,
        reason = CASE WHEN b.fault IS NOT NULL OR b.counts THEN b.fault ELSE s.reason END,
        closed_until = CASE
            WHEN b.retry_after IS NOT NULL
                THEN greatest(s.closed_until, fmgo_now() + make_interval(secs => b.retry_after))
            WHEN NOT b.counts THEN s.closed_until
            WHEN b.fault IS NOT NULL AND (b.probing OR s.failures + 1 >= :faults)
                THEN fmgo_now() + make_interval(
                    secs => least(:longest, :first * 2 ^ greatest(0, least(s.failures + 1 - :faults, 20))))
        END,
        changed_at = fmgo_now()
    FROM before b
    WHERE s.environment = :environment AND s.service = :service
    RETURNING s.closed_until, b.closed_until AS was_closed_until, b.failures > 0 AND s.failures = 0 AS answers_again
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """Until when a service is closed now, and was before (None: open); whether it answered after it had been silent."""

    closed_until: datetime | None
    was_closed_until: datetime | None
    answers_again: bool = False


def leave(tx: Connection, request: Ask, learnt: Learnt, pauses: Pauses) -> Turn:
    """End an admitted request. A probe's outcome opens or closes; others close after several faults in a row.

    What was asked before a service was closed and ends after it changes nothing.
    """
    row = run(
        tx,
        LEAVE,
        **request.names(),
        fault=learnt.fault,
        retry_after=learnt.retry_after,
        faults=pauses.faults,
        first=pauses.first_seconds,
        longest=pauses.longest_seconds,
    ).one_or_none()
    return Turn(None, None) if row is None else Turn(row.closed_until, row.was_closed_until, row.answers_again)


def wait(tx: Connection, environment: str, services: list[str], seconds: float, reason: str | None) -> None:
    """Close some services for at least so many seconds, because their host asks for it.

    One that was open has shown nothing itself (no failures), so it is open again by itself when the time is over.
    """
    run(
        tx,
        """
        INSERT INTO sii_services AS s (environment, service, closed_until, reason)
        SELECT :environment, unnest(CAST(:services AS text[])), fmgo_now() + make_interval(secs => :seconds), :reason
        ON CONFLICT (environment, service) DO UPDATE
        SET failures = CASE WHEN s.closed_until IS NULL THEN 0 ELSE s.failures END,
            closed_until = greatest(s.closed_until, excluded.closed_until), reason = excluded.reason,
            changed_at = fmgo_now()
        """,
        environment=environment,
        services=services,
        seconds=seconds,
        reason=reason,
    )


def withdraw(tx: Connection, request: Ask) -> None:
    """End a request that was never made, or of which nobody knows whether it was admitted: nothing was learnt."""
    run(
        tx,
        """
        UPDATE sii_services SET holders = holders - CAST(:ticket AS text), probe = nullif(probe, CAST(:ticket AS text))
        WHERE environment = :environment AND service = :service
        """,
        **request.names(),
    )


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed service: seconds until somebody may ask it, and why."""

    service: str
    seconds: float
    reason: str


def closed(tx: Connection, environment: str) -> dict[str, Closed]:
    """Services of an environment that are closed; those with 0 seconds left wait for a probe, or its answer."""
    rows = run(
        tx,
        """
        SELECT service, greatest(0, extract(epoch FROM closed_until - fmgo_now()))::double precision AS seconds,
               coalesce(reason, 'it asked to wait') AS reason
        FROM sii_services
        WHERE environment = :environment AND closed_until IS NOT NULL AND (failures > 0 OR closed_until > fmgo_now())
        """,
        environment=environment,
    )
    return {row.service: Closed(row.service, row.seconds, row.reason) for row in rows}


def forget_the_dead(tx: Connection) -> None:
    """Take the open requests of dead processes out of the rows (they didn't count any more)."""
    run(
        tx,
        """
        UPDATE sii_services s
        SET holders = coalesce((
            SELECT jsonb_object_agg(h.ticket, h.worker)
            FROM jsonb_each(s.holders) AS h (ticket, worker)
            JOIN workers w ON w.id = CAST(h.worker AS bigint) AND w.stopped_at IS NULL), '{}')
        WHERE EXISTS (SELECT FROM jsonb_each(s.holders) AS h (ticket, worker)
                      JOIN workers w ON w.id = CAST(h.worker AS bigint) AND w.stopped_at IS NOT NULL)
        """,
    )


ServiceState = Literal["ok", "failing", "closed", "waiting"]


@dataclass(frozen=True, slots=True)
class Service:
    """A service as it was met last; `closed_seconds` until it may be asked again, None while it is open."""

    environment: str
    service: str
    closed_seconds: float | None
    failing_since: datetime | None
    failures: int
    reason: str | None
    open_requests: int

    @property
    def state(self) -> ServiceState:
        """`closed`: nobody asks it now; `failing`: it is asked and nothing gets through; `waiting`: it asked to."""
        if self.closed_seconds is not None:
            return "closed" if self.failures else "waiting"
        return "failing" if self.failures else "ok"


@dataclass(frozen=True, slots=True)
class FailingLogin:
    """A person's session that brings no token; `retry_at`: nobody tries before."""

    person: str
    environment: str
    channel: str
    problem: str
    retry_at: datetime | None
    alert: str | None


def failing_logins(tx: Connection) -> list[FailingLogin]:
    """Every session whose last login or use failed."""
    rows = run(
        tx,
        """
        SELECT person, environment, channel, problem, retry_at, alert FROM sii_sessions
        WHERE problem IS NOT NULL ORDER BY environment, person, channel
        """,
    )
    return [FailingLogin(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)


def services(tx: Connection) -> list[Service]:
    """Every service that was ever asked."""
    rows = run(
        tx,
        """
        SELECT environment, service, failing_since, failures, reason,
               (SELECT count(*) FROM jsonb_object_keys(holders)) AS open_requests,
               CASE WHEN closed_until > fmgo_now() OR closed_until IS NOT NULL AND failures > 0 THEN
                   greatest(0, extract(epoch FROM closed_until - fmgo_now()))::double precision
               END AS closed_seconds
        FROM sii_services ORDER BY environment, service
        """,
    )
    return [
        Service(
            row.environment,
            row.service,
            row.closed_seconds,
            row.failing_since,
            row.failures,
            row.reason,
            row.open_requests,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How documents of a type stand to the moment by which they should be sent; times in seconds, None where none is.

    `waiting` not sent yet, `late` of these past their moment, `longest_late` by how much; `sent`, `sent_late` and
    `most_late` the same for what was sent in the last day.
    """

    environment: str
    document_type: int
    waiting: int
    next_send_by: datetime | None
    late: int
    longest_late: float | None
    sent: int
    sent_late: int
    most_late: float | None


def punctuality(tx: Connection, grace_seconds: float = 60) -> list[Punctuality]:
    """Every type with documents that wait to be sent or were sent in the last day; late by more than the grace."""
    rows = run(
        tx,
        """
        WITH waiting AS (
            SELECT environment, document_type, send_by, fmgo_now() - send_by AS late
            FROM documents d
            WHERE state = 'signed'
               OR state = 'enveloped' AND EXISTS (SELECT FROM envelopes e WHERE e.id = d.envelope AND e.sent_at IS NULL)
        ), sent AS (
            SELECT d.environment, d.document_type, e.sent_at - d.send_by AS late
            FROM envelopes e JOIN documents d ON d.envelope = e.id
            WHERE e.sent_at > fmgo_now() - interval '1 day'
        ), kinds AS (
            SELECT environment, document_type FROM waiting UNION SELECT environment, document_type FROM sent
        )
        SELECT k.environment, k.document_type, w.*, s.*
        FROM kinds k
        CROSS JOIN LATERAL (
            SELECT count(*) AS waiting, min(send_by) AS next_send_by,
                   count(*) FILTER (WHERE late > make_interval(secs => :grace)) AS late,
                   extract(epoch FROM max(late))::double precision AS longest_late
            FROM waiting WHERE environment = k.environment AND document_type = k.document_type
        ) w
        CROSS JOIN LATERAL (
            SELECT count(*) AS sent, count(*) FILTER (WHERE late > make_interval(secs => :grace)) AS sent_late,
                   extract(epoch FROM max(late))::double precision AS most_late
            FROM sent WHERE environment = k.environment AND document_type = k.document_type
        ) s
        ORDER BY k.environment, k.document_type
        """,
        grace=grace_seconds,
    )
    return [Punctuality(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)
