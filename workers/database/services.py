"""Sessions with the SII as rows: one login at a time per person, environment and channel.

The token itself is stored sealed; Redis only holds a copy. A refusal names the generation it used, so that one dead
token is renewed once, however many workers meet it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Session:
    """A person's session as it stands: `token_sealed` None when there is none to use."""

    generation: int
    token_sealed: bytes | None
    key_id: str | None
    obtained_at: datetime | None
    problem: str | None


def session(tx: Connection, person: str, environment: str, channel: str) -> Session | None:
    """Read a session that was not refused, or None."""
    row = run(
        tx,
        """
        SELECT generation, token_sealed, key_id, obtained_at, problem FROM sii_sessions
        WHERE person = :person AND environment = :environment AND channel = :channel
          AND token_sealed IS NOT NULL AND refused_generation IS DISTINCT FROM generation
        """,
        person=person,
        environment=environment,
        channel=channel,
    ).one_or_none()
    if row is None:
        return None
    return Session(row.generation, bytes(row.token_sealed), row.key_id, row.obtained_at, row.problem)


def refuse_session(tx: Connection, person: str, environment: str, channel: str, generation: int) -> None:
    """Say that the SII refused the token of this generation; a newer one stays."""
    run(
        tx,
        """
        UPDATE sii_sessions SET refused_generation = :generation
        WHERE person = :person AND environment = :environment AND channel = :channel AND generation = :generation
        """,
        person=person,
        environment=environment,
        channel=channel,
        generation=generation,
    )


def take_login(tx: Connection, person: str, environment: str, channel: str, worker: int, seconds: int) -> bool:
    """Take the right to log in, unless somebody living has it."""
    return (
        run(
            tx,
            """
            INSERT INTO sii_sessions (person, environment, channel, lease_owner, lease_until)
            VALUES (:person, :environment, :channel, :worker, clock_timestamp() + make_interval(secs => :seconds))
            ON CONFLICT (person, environment, channel) DO UPDATE
            SET lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
            WHERE (sii_sessions.lease_owner IS NULL OR sii_sessions.lease_until < clock_timestamp()
                   OR EXISTS (SELECT FROM workers w
                              WHERE w.id = sii_sessions.lease_owner AND w.stopped_at IS NOT NULL))
              AND (sii_sessions.token_sealed IS NULL
                   OR sii_sessions.refused_generation = sii_sessions.generation)
            RETURNING 1
            """,
            person=person,
            environment=environment,
            channel=channel,
            worker=worker,
            seconds=seconds,
        ).first()
        is not None
    )


def keep_session(
    tx: Connection, person: str, environment: str, channel: str, worker: int, token_sealed: bytes, key_id: str
) -> int | None:
    """Store a new token as the next generation and give the right to log in back; None if it was lost meanwhile."""
    return run(
        tx,
        """
        UPDATE sii_sessions
        SET generation = generation + 1, token_sealed = :token, key_id = :key_id, obtained_at = fmgo_now(),
            lease_owner = NULL, lease_until = NULL, problem = NULL
        WHERE person = :person AND environment = :environment AND channel = :channel AND lease_owner = :worker
        RETURNING generation
        """,
        person=person,
        environment=environment,
        channel=channel,
        worker=worker,
        token=token_sealed,
        key_id=key_id,
    ).scalar()


def give_login_back(tx: Connection, person: str, environment: str, channel: str, worker: int, problem: str) -> None:
    """Give the right to log in back after a failed login, with the reason."""
    run(
        tx,
        """
        UPDATE sii_sessions SET lease_owner = NULL, lease_until = NULL, problem = :problem
        WHERE person = :person AND environment = :environment AND channel = :channel AND lease_owner = :worker
        """,
        person=person,
        environment=environment,
        channel=channel,
        worker=worker,
        problem=problem,
    )
