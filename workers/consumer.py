"""The consumer of bells, which outlives whatever its broker does.

Celery's consumer reconnects after the errors that it knows, and ends its worker for good ("Unrecoverable error")
after any other: a Redis that answers READONLY, OOM or MISCONF instead of being away, or a connection that broke in
the middle of putting taken messages back. Here every error is the same: the connection is dropped, said once, and
made anew after a growing pause. Only a signal ends the consumer.
"""

import time
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from celery.utils.threads import bound_open_broker_sockets  # type: ignore[attr-defined]
from celery.worker.consumer import Consumer
from celery.worker.consumer.consumer import STOP_CONDITIONS  # type: ignore[attr-defined]
from celery.worker.state import maybe_shutdown
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Transport
from redis.exceptions import RedisError

from workers.cache.silence import why_silent
from workers.outages import DOORBELL

log: Final = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS: Final = 3.0
"""Between two tries to reach the broker: bells are heard again this soon after it is back."""
STEADY_SECONDS: Final = 10.0
"""A connection that held for this long begins with the shortest pause again."""
FIRST_PAUSE_SECONDS: Final = 0.2
DROP_SECONDS: Final = 2.0
"""Longest wait for each answer while a broken connection is taken down."""


class PatientTransport(Transport):
    """kombu's Redis transport, for which every error that Redis can answer with is one of the connection."""

    connection_errors = (*Transport.connection_errors, RedisError)


def use_patient_transport() -> None:
    """Have this process's connections to `redis://` and `rediss://` made by the patient transport."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{PatientTransport.__name__}"


class PatientConsumer(Consumer):
    """Celery's consumer, without an end of its own."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # SystemExit, which is how a worker is told to end, is no Exception.
        self.connection_errors = (Exception,)
        self.channel_errors = ()
        self._pause = FIRST_PAUSE_SECONDS
        self._began = time.monotonic()

    def start(self) -> None:
        """Consume until the worker is told to end."""
        while True:
            try:
                super().start()
            except Exception:
                # What went wrong while an error was being cleaned up after; the next connection needs nothing of this.
                log.exception("consumer.begins_anew")
                self.connection = None
                self._cancel_connection_timer_entries()  # type: ignore[attr-defined]
                self.blueprint.restart(self)
                self._wait()
            else:
                return
            if self.blueprint.state in STOP_CONDITIONS:
                return

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, however long it takes; raises SystemExit when the worker is told to end."""
        connected = conn.ensure_connection(
            self._not_connected,
            None,
            interval_start=FIRST_PAUSE_SECONDS,
            interval_step=FIRST_PAUSE_SECONDS,
            interval_max=LONGEST_PAUSE_SECONDS,
            callback=maybe_shutdown,
        )
        self.first_connection_attempt = False
        return connected

    def _not_connected(self, error: BaseException, _interval: float) -> None:
        DOORBELL.failed(_why(error))

    def on_connection_error_before_connected(self, exc: BaseException) -> None:
        """Say so once, and wait."""
        self._failed(exc)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        """Say so once, drop the connection, and wait."""
        connection: Any = self.connection
        self.connection = None
        bound_open_broker_sockets(connection, DROP_SECONDS)
        for drop in (partial(connection.collect, socket_timeout=DROP_SECONDS), connection.close):
            # Taken bells are put back here, if the broker takes them; if not, the sweep rings again.
            with suppress(Exception):
                drop()
        self._failed(exc)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, OSError | RedisError | KeyError) or _broker_said(error):
            DOORBELL.failed(_why(error))
        else:
            log.error("consumer.failed", exc_info=error)
        self._wait()

    def _wait(self) -> None:
        """Wait a little longer each time; a signal ends the wait."""
        now = time.monotonic()
        self._pause = FIRST_PAUSE_SECONDS if now - self._began > STEADY_SECONDS else self._pause * 2
        self._pause = min(self._pause, LONGEST_PAUSE_SECONDS)
        ends = now + self._pause
        while time.monotonic() < ends:
            maybe_shutdown()
            time.sleep(0.1)
        self._began = time.monotonic()


def _broker_said(error: BaseException) -> bool:
    return isinstance(error.__cause__, OSError | RedisError)


def _why(error: BaseException) -> str:
    return why_silent(error.__cause__ if _broker_said(error) and error.__cause__ is not None else error)
