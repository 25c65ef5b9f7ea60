"""Bells rung by those who stand outside the workers: producers, the command line, the sandbox's set-up.

The workers' own bells (`workers.bells`) need the whole tree of settings; a producer has only the two addresses it was
given. The message is the same: a phase and a lane, after the commit that made the work. Promises: a bell that can't
be rung raises nothing, is told once an outage and costs at most about a second (the workers find the work); a queue
that already holds enough bells gets no more; Celery's current app, which may be the producer's own, is left alone.
"""

import threading
from typing import Final

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from workers.cache.connection import CONNECT_SECONDS, connect
from workers.cache.silence import SilentError, why_silent
from workers.logging import context_headers
from workers.outages import DOORBELL
from workers.queues import ENOUGH, queue_of

ISSUE: Final = "fmgo.issue"
SWEEP: Final = "fmgo.sweep"


class OutsideBells:
    """Rings the workers of one Redis server. Safe from many threads; make one per process."""

    def __init__(self, redis_url: str) -> None:
        """Take the broker's address; nothing is sent yet. Raises `CacheUrlError` for one that can't carry queues."""
        self._client = connect(redis_url)
        self._app = _sender(redis_url)
        self._lock = threading.Lock()

    def ring_for_jobs(self, lane: str) -> bool:
        """Say that a lane has recorded jobs; False when it wasn't needed or Redis is away."""
        return self._ring(ISSUE, queue_of(ISSUE, lane), {"lane": lane})

    def ring_for_sweep(self) -> bool:
        """Ask for a sweep, which wakes what waited for a certificate, folios or a release."""
        return self._ring(SWEEP, queue_of(SWEEP), {})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._app.close()

    def _ring(self, phase: str, queue: str, arguments: dict[str, str]) -> bool:
        try:
            if int(self._client.llen(queue)) >= ENOUGH[queue]:
                return False
            with self._lock:  # one connection of Celery's pool is enough, and its order is that of the commits
                self._app.send_task(phase, kwargs=arguments, queue=queue, headers=context_headers())
        except (redis.RedisError, OperationalError, OSError) as error:
            cause = error.__cause__ if isinstance(error, OperationalError) and error.__cause__ is not None else error
            if not isinstance(cause, SilentError):
                DOORBELL.failed(why_silent(cause))
            return False
        DOORBELL.works()
        return True


def _sender(redis_url: str) -> Celery:
    app = Celery("fmgo.outside", set_as_current=False)
    app.conf.update(
        broker_url=redis_url,
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        # The row is written already: whoever rings must not wait for a broker that is away.
        task_publish_retry=False,
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_max_retries=0,
        broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": CONNECT_SECONDS, "max_retries": 0},
    )
    return app
