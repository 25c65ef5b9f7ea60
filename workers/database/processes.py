"""Processes of FMgo in the ledger: their rows, their heartbeats, their deaths, and named leases.

A process beats every two seconds from a thread of its own; a missing beat is a death, and only a death frees what the
process had claimed. All of it is in the server's real time, never in the business clock.
"""

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


def beat(tx: Connection, worker: int) -> int | None:
    """Say that the process lives; returns the epoch it should be of, or None when it was declared dead meanwhile."""
    return run(
        tx,
        """
        UPDATE workers SET beat_at = clock_timestamp() WHERE id = :worker AND stopped_at IS NULL
        RETURNING (SELECT epoch FROM ledger_epoch)
        """,
        worker=worker,
    ).scalar()


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
    """Take a named lease if nobody holds it; the holder may renew it."""
    return (
        run(
            tx,
            """
            INSERT INTO leases (name, owner, until)
            VALUES (:name, :owner, clock_timestamp() + make_interval(secs => :seconds))
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
            WHERE leases.until < clock_timestamp()
            RETURNING 1
            """,
            name=name,
            owner=owner,
            seconds=seconds,
        ).first()
        is not None
    )


def bury(tx: Connection, dead_after_seconds: float) -> list[int]:
    """Mark processes whose beat is missing as stopped; returns their numbers (they may still hold claims)."""
    rows = run(
        tx,
        """
        UPDATE workers SET stopped_at = clock_timestamp()
        WHERE id IN (
            SELECT id FROM workers
            WHERE stopped_at IS NULL AND beat_at < clock_timestamp() - make_interval(secs => :dead_after)
            ORDER BY id FOR UPDATE SKIP LOCKED
        )
        RETURNING id
        """,
        dead_after=dead_after_seconds,
    )
    return [row.id for row in rows]


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
