"""Ringing: telling a phase that there is work, after the commit that made it.

A bell is a hint; it may be lost or repeated. A queue that already holds a bell for each of its processes is not rung
again: the bell there will find the new work too. When Redis is away, hangs or answers with errors nothing is lost: the
workers look at the ledger by themselves (`workers.watchman`).
"""

import os
from functools import lru_cache
from typing import Final

import redis
from kombu.exceptions import OperationalError

from workers.app import app
from workers.cache.connection import connect
from workers.cache.silence import SilentError, why_silent
from workers.logging import context_headers
from workers.outages import DOORBELL
from workers.queues import ENOUGH, LANED, queue_of
from workers.settings import settings

PROBE: Final = "fmgo:bell"
"""A key that is written to see whether anything can be."""
PROBE_MILLISECONDS: Final = 60_000


@lru_cache(maxsize=2)
def _doorbell(_pid: int, url: str) -> redis.Redis:
    return connect(url)


def doorbell() -> redis.Redis:
    """This process's connection to the broker's server."""
    return _doorbell(os.getpid(), settings().redis_url)


def ring(phase: str, lane: str | None = None, times: int = 1) -> bool:
    """Ring a phase; False when it was not needed or Redis is away."""
    queue = queue_of(phase, lane)
    try:
        missing = min(times, ENOUGH[queue] - int(doorbell().llen(queue)))
        for _ in range(missing):
            app.send_task(
                phase,
                kwargs={"lane": lane} if phase in LANED else {},
                queue=queue,
                headers=context_headers(),
            )
    except (redis.RedisError, OperationalError, OSError) as error:
        not_rung(error)
        return False
    return missing > 0


def not_rung(error: BaseException) -> None:
    """Note why the doorbell can't be used; told once an outage."""
    cause = error.__cause__ if isinstance(error, OperationalError) and error.__cause__ is not None else error
    if not isinstance(cause, SilentError):
        DOORBELL.failed(why_silent(cause))


def is_heard() -> bool:
    """Whether bells can be rung: a server that answers and takes no writes is as silent as one that is away."""
    try:
        doorbell().set(PROBE, "1", px=PROBE_MILLISECONDS)
    except (redis.RedisError, OSError) as error:
        not_rung(error)
        return False
    DOORBELL.works()
    return True
