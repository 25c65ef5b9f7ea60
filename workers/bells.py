"""Ringing: telling a phase that there is work, after the commit that made it.

A bell is a hint; it may be lost or repeated. A queue that already holds a bell for each of its processes is not rung
again: the bell there will find the new work too. When Redis is away nothing is lost, the sweep rings later.
"""

import os
from functools import lru_cache
from typing import Final

import redis
import structlog
from kombu.exceptions import OperationalError

from workers.app import app
from workers.cache.connection import connect
from workers.logging import context_headers
from workers.queues import ENOUGH, LANED, queue_of
from workers.settings import settings

log: Final = structlog.get_logger(__name__)


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
        log.warning("bell.not_rung", phase=phase, lane=lane, error=type(error).__name__)
        return False
    return missing > 0
