"""Processes of FMgo in the ledger: their rows, their heartbeats, their deaths, and named leases.

A process beats every two seconds from a thread of its own; a missing beat is a death, and only a death frees what the
process had claimed. Beats are counted: whoever buries has watched by its own monotonic clock that a count stood still
(`workers.watch`), so that a step of the server's clock, or an outage of the ledger, kills nobody. The times of these
rows, for people, are the server's real ones, never the business clock's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from workers.database.engine import count, run


def register(tx: Connection, kind: str, host: str, pid: int, environment: str | None = None) -> tuple[int, int]:
    """Enter this process (`environment`: of the SII that it talks to); returns its number and the ledger's epoch."""
    row = run(
        tx,
        """
        INSERT INTO workers (kind, host, pid, epoch, environment)
        SELECT :kind, :host, :pid, epoch, :environment FROM ledger_epoch
        RETURNING id, epoch
        """,
        kind=kind,
        host=host,
        pid=pid,
        environment=environment,
    ).one()
    return row.id, row.epoch


@dataclass(frozen=True, slots=True)
class Doing:
    """What a process is at: the phase whose last step is the longest ago (None: nothing), and so many seconds."""

    phase: str | None = None
    seconds: float = 0.0


IDLE: Final = Doing()


def beat(tx: Connection, worker: int, doing: Doing = IDLE) -> int | None:
    """Say that the process lives; returns the epoch it should be of, or None when it was declared dead meanwhile."""
    return run(
        tx,
        """
        UPDATE workers SET beats = beats + 1, beat_at = clock_timestamp(), doing = :doing, doing_seconds = :seconds
        WHERE id = :worker AND stopped_at IS NULL
        RETURNING (SELECT epoch FROM ledger_epoch)
        """,
        worker=worker,
        doing=doing.phase,
        seconds=doing.seconds,
    ).scalar()


def beats(tx: Connection) -> dict[int, int]:
    """How often each living process has beaten."""
    return {row.id: row.beats for row in run(tx, "SELECT id, beats FROM workers WHERE stopped_at IS NULL")}


def leave(tx: Connection, worker: int) -> None:
    """Say that the process has ended in good order."""
    run(tx, "UPDATE workers SET stopped_at = clock_timestamp() WHERE id = :worker", worker=worker)


def alive(tx: Connection, dead_after_seconds: float) -> dict[str, int]:
    """Number of living processes of each kind."""
    rows = run(
        tx,
        """
        SELECT kind, count(*) AS n FROM workers
        WHERE stopped_at IS NULL AND beat_at > clock_timestamp() - make_interval(secs => :dead_after)
        GROUP BY kind
        """,
        dead_after=dead_after_seconds,
    )
    return {row.kind: row.n for row in rows}


def take_lease(tx: Connection, name: str, owner: int, seconds: float) -> bool:
    """Take a named lease if nobody holds it.

    One that ends later than any lease of this length could is of a clock that was set back since, and holds nobody up
    (five seconds more, because others may have waited for the row).
    """
    return (
        run(
            tx,
            """
            INSERT INTO leases (name, owner, until)
            VALUES (:name, :owner, clock_timestamp() + make_interval(secs => :seconds))
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
            WHERE leases.until < clock_timestamp() OR leases.until > excluded.until + interval '5 s'
            RETURNING 1
            """,
            name=name,
            owner=owner,
            seconds=seconds,
        ).first()
        is not None
    )


def bury(tx: Connection, silent: Mapping[int, int]) -> list[int]:
    """Mark processes as stopped that still haven't beaten more often than so; returns them (they may hold claims)."""
    rows = run(
        tx,
        """
        UPDATE workers SET stopped_at = clock_timestamp(), buried = true
        WHERE id IN (
            SELECT w.id FROM workers w
            JOIN unnest(CAST(:ids AS bigint[]), CAST(:beats AS bigint[])) AS s (id, beats)
              ON s.id = w.id AND s.beats = w.beats
            WHERE w.stopped_at IS NULL
            ORDER BY w.id FOR UPDATE OF w SKIP LOCKED
        )
        RETURNING id
        """,
        ids=list(silent),
        beats=list(silent.values()),
    )
    return [row.id for row in rows]


@dataclass(frozen=True, slots=True)
class Stuck:
    """A living process whose phase hasn't come a step further for so many seconds."""

    id: int
    kind: str
    host: str
    pid: int
    phase: str
    seconds: float


def stuck(tx: Connection, longer_than_seconds: float) -> list[Stuck]:
    """Living processes that beat but don't get on."""
    rows = run(
        tx,
        """
        SELECT id, kind, host, pid, doing AS phase, doing_seconds AS seconds FROM workers
        WHERE stopped_at IS NULL AND doing IS NOT NULL AND doing_seconds > :limit
        ORDER BY doing_seconds DESC
        """,
        limit=longer_than_seconds,
    )
    return [Stuck(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)


def buried_lately(tx: Connection) -> dict[str, int]:
    """How many processes of each kind were declared dead within the last hour."""
    rows = run(
        tx,
        """
        SELECT kind, count(*) AS n FROM workers
        WHERE buried AND stopped_at > clock_timestamp() - interval '1 hour' GROUP BY kind ORDER BY kind
        """,
    )
    return {row.kind: row.n for row in rows}


def make_partitions(tx: Connection) -> int:
    """Make the months ahead; returns how many partitions were new."""
    return count(tx, "SELECT fmgo_make_partitions(fmgo_now(), fmgo_now() + interval '3 months')")


def stopped(tx: Connection, workers: list[int]) -> list[int]:
    """Those of the processes that have ended, in good order or not."""
    rows = run(
        tx,
        """
        SELECT k.id FROM unnest(CAST(:ids AS bigint[])) AS k (id) LEFT JOIN workers w ON w.id = k.id
        WHERE w.id IS NULL OR w.stopped_at IS NOT NULL
        """,
        ids=workers,
    )
    return [row.id for row in rows]


def now(tx: Connection) -> float:
    """The server's real time, in seconds of the epoch."""
    return float(run(tx, "SELECT extract(epoch FROM clock_timestamp())").scalar_one())


def follow_the_clock_back(tx: Connection, seconds: float) -> int:
    """Bring what is due in the future as much nearer as the clock was set back; returns how many rows.

    A sale that was recorded a moment before would else be due in an hour.
    """
    moved = 0
    for statement in (
        """
        UPDATE documents SET due_at = due_at - make_interval(secs => :seconds)
        WHERE due_at > fmgo_now() AND lease_owner IS NULL
        """,
        """
        UPDATE envelopes SET due_at = due_at - make_interval(secs => :seconds)
        WHERE due_at > fmgo_now() AND lease_owner IS NULL
        """,
        """
        UPDATE sii_services SET paced_to = paced_to - make_interval(secs => :seconds),
                                closed_until = closed_until - make_interval(secs => :seconds)
        WHERE paced_to > fmgo_now() OR closed_until > fmgo_now()
        """,
    ):
        moved += run(tx, statement, seconds=seconds).rowcount
    return moved
