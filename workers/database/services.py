"""Sessions with the SII as rows: one login at a time per person, environment and channel.

The token itself is stored sealed; Redis only holds a copy. A refusal names the generation it used, so that one dead
token is renewed once, however many workers meet it. A token that is refused right after it was given isn't dead: the
User-Agent, the host or a permission is at fault, so what follows are growing pauses, not logins. All pauses are in the
row, so that they hold for every worker.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from workers.database.engine import run

USABLE: Final = """
    s.token_sealed IS NOT NULL AND s.refused_generation IS DISTINCT FROM s.generation
    AND coalesce(s.used_at, s.obtained_at) > fmgo_now() - interval '50 minutes'
"""
"""A token is taken to live for 50 minutes after its last use: the SII lets it die after an hour without one."""

# Seconds before the next try after so many of a kind in a row; the last one holds for all further ones.
REFUSED_PAUSES: Final = [60, 300, 900, 1800, 3600]
LATER_PAUSES: Final = [30, 60, 120, 300, 600, 900]
NEVER_PAUSES: Final = [300, 900, 1800, 3600, 7200, 21600]


@dataclass(frozen=True, slots=True)
class Session:
    """A person's session as it stands.

    `usable`: there is a token that nobody refused and that isn't too old. `doubted`: a token was refused since one was
    last taken. `wait_seconds` is business time until the next try, 0 when it may be made. `touch`: its last use should
    be noted.
    """

    generation: int
    token_sealed: bytes | None
    key_id: str | None
    usable: bool
    doubted: bool
    touch: bool
    wait_seconds: float
    problem: str | None


def session(tx: Connection, person: str, environment: str, channel: str) -> Session | None:
    """Read a session, None when the person never had one."""
    row = run(
        tx,
        f"""
        SELECT generation, token_sealed, key_id, problem, ({USABLE}) AS usable, refusals > 0 AS doubted,
               refusals = 0 AND used_at < fmgo_now() - interval '5 minutes' AS touch,
               greatest(coalesce(extract(epoch FROM retry_at - fmgo_now()), 0), 0)::double precision AS wait_seconds
        FROM sii_sessions s
        WHERE person = :person AND environment = :environment AND channel = :channel
        """,  # noqa: S608  (our own condition)
        person=person,
        environment=environment,
        channel=channel,
    ).one_or_none()
    if row is None:
        return None
    sealed = None if row.token_sealed is None else bytes(row.token_sealed)
    return Session(
        row.generation,
        sealed,
        row.key_id,
        bool(row.usable),
        row.doubted,
        bool(row.touch),
        row.wait_seconds,
        row.problem,
    )


def note_use(tx: Connection, person: str, environment: str, channel: str, generation: int) -> None:
    """Note that a token is being used now, which prolongs its life at the SII."""
    run(
        tx,
        """
        UPDATE sii_sessions SET used_at = fmgo_now()
        WHERE person = :person AND environment = :environment AND channel = :channel AND generation = :generation
        """,
        person=person,
        environment=environment,
        channel=channel,
        generation=generation,
    )


def session_taken(tx: Connection, person: str, environment: str, channel: str, generation: int) -> None:
    """Say that the SII took the token of this generation: whatever refusals came before are over."""
    run(
        tx,
        """
        UPDATE sii_sessions SET refusals = 0, retry_at = NULL, problem = NULL, alert = NULL, used_at = fmgo_now()
        WHERE person = :person AND environment = :environment AND channel = :channel AND generation = :generation
          AND refused_generation IS DISTINCT FROM generation
        """,
        person=person,
        environment=environment,
        channel=channel,
        generation=generation,
    )


def refuse_session(tx: Connection, person: str, environment: str, channel: str, generation: int, alert: str) -> bool:
    """Say that the SII refused the token of this generation; a newer one stays. Whether nobody had said so yet.

    The first refusal in a row is a dead token's. After that it is a fresh token that is refused: everybody waits, and
    with boletas, whose service can't tell a dead token from a wrong User-Agent, the same token is tried again then.
    """
    return (
        run(
            tx,
            """
            UPDATE sii_sessions s
            SET refusals = refusals + 1,
                refused_generation = CASE WHEN refusals = 0 OR channel = 'soap' THEN :generation
                                          ELSE refused_generation END,
                retry_at = CASE WHEN refusals > 0 THEN fmgo_now() + make_interval(secs =>
                    (CAST(:pauses AS integer[]))[least(refusals, cardinality(CAST(:pauses AS integer[])))]) END,
                alert = CASE WHEN refusals > 0 THEN :alert ELSE alert END,
                problem = CASE WHEN refusals > 0 THEN 'a fresh token was refused ' || refusals || ' times in a row'
                               ELSE problem END
            WHERE person = :person AND environment = :environment AND channel = :channel
              AND generation = :generation AND refused_generation IS DISTINCT FROM :generation
              AND (retry_at IS NULL OR retry_at <= fmgo_now())
            """,
            person=person,
            environment=environment,
            channel=channel,
            generation=generation,
            pauses=REFUSED_PAUSES,
            alert=alert,
        ).rowcount
        == 1
    )


def take_login(tx: Connection, person: str, environment: str, channel: str, worker: int, seconds: int) -> bool:
    """Take the right to log in, unless somebody living has it, a token is usable, or it is too early."""
    return (
        run(
            tx,
            f"""
            INSERT INTO sii_sessions AS s (person, environment, channel, lease_owner, lease_until)
            VALUES (:person, :environment, :channel, :worker, clock_timestamp() + make_interval(secs => :seconds))
            ON CONFLICT (person, environment, channel) DO UPDATE
            SET lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
            WHERE (s.lease_owner IS NULL OR s.lease_until < clock_timestamp()
                   OR s.lease_until > excluded.lease_until + interval '5 s'  -- the clock was set back
                   OR EXISTS (SELECT FROM workers w WHERE w.id = s.lease_owner AND w.stopped_at IS NOT NULL))
              AND (s.retry_at IS NULL OR s.retry_at <= fmgo_now())
              AND NOT coalesce({USABLE}, false)
            RETURNING 1
            """,  # noqa: S608  (our own condition)
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
            used_at = fmgo_now(), lease_owner = NULL, lease_until = NULL, failures = 0, retry_at = NULL,
            problem = CASE WHEN refusals > 1 THEN problem END, alert = CASE WHEN refusals > 1 THEN alert END
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


@dataclass(frozen=True, slots=True)
class FailedLogin:
    """Why a login brought no token: a sentence, the alert's name, whether a person must act, what the SII asks for."""

    problem: str
    alert: str
    person_must_act: bool
    retry_after: float | None = None


def give_login_back(
    tx: Connection, person: str, environment: str, channel: str, worker: int, failed: FailedLogin
) -> float | None:
    """Give the right to log in back; nobody logs in for the seconds returned, more with each failure in a row.

    None when the right was lost meanwhile.
    """
    return run(
        tx,
        """
        UPDATE sii_sessions
        SET lease_owner = NULL, lease_until = NULL, problem = :problem, alert = :alert, failures = failures + 1,
            retry_at = fmgo_now() + make_interval(secs => greatest(CAST(:retry_after AS double precision),
                (CAST(:pauses AS integer[]))[least(failures + 1, cardinality(CAST(:pauses AS integer[])))]))
        WHERE person = :person AND environment = :environment AND channel = :channel AND lease_owner = :worker
        RETURNING extract(epoch FROM retry_at - fmgo_now())::double precision
        """,
        person=person,
        environment=environment,
        channel=channel,
        worker=worker,
        problem=failed.problem,
        alert=failed.alert,
        retry_after=failed.retry_after or 0.0,
        pauses=NEVER_PAUSES if failed.person_must_act else LATER_PAUSES,
    ).scalar()


def free_login(tx: Connection, person: str, environment: str, channel: str, worker: int) -> None:
    """Give the right to log in back unused: nobody was asked, or nobody answered."""
    run(
        tx,
        """
        UPDATE sii_sessions SET lease_owner = NULL, lease_until = NULL
        WHERE person = :person AND environment = :environment AND channel = :channel AND lease_owner = :worker
        """,
        person=person,
        environment=environment,
        channel=channel,
        worker=worker,
    )


def try_anew(tx: Connection, person: str) -> None:
    """Let a person log in at once: something was mended (a certificate was added, say); what waited for it is due."""
    run(tx, "UPDATE sii_sessions SET retry_at = NULL, failures = 0 WHERE person = :person", person=person)
    run(
        tx,
        """
        UPDATE envelopes SET due_at = fmgo_now()
        WHERE sender = :person AND state = 'sealed' AND due_at > fmgo_now() AND lease_owner IS NULL
        """,
        person=person,
    )
