"""Looking at the ledger without a bell: what keeps work going while the doorbell is silent.

The ledger is the record and Redis only rings. While Redis is away, hangs or answers with errors, and while no bell is
heard for some seconds whatever the reason, each process asks the ledger once a second what is due for its kind and does
it, by the same phases that bells start. So without Redis nothing but a second or two is lost.

A thread of each process that works, made after a fork. In a pool's process the phases take turns with those that bells
start (`workers.activity`).
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import structlog
from celery import Celery

from workers.activity import ONE_AT_A_TIME, activity
from workers.database.away import why_away
from workers.due import Due, due_now
from workers.outages import LEDGER
from workers.process import this_process
from workers.queues import QUEUES, queue_of

log: Final = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 5.0
"""After so long without a bell the ledger is looked at although Redis answers: the bells may not reach us."""
HANDS: Final = 8
"""Phases that a worker of threads runs at once without bells."""
NEEDS_REDIS: Final = frozenset({"fmgo.publish"})


class Watchman:
    """The thread of one process."""

    def __init__(self, app: Celery[Any], kind: str) -> None:
        self._app: Final = app
        self._kind: Final = kind
        self._queues: Final = frozenset(QUEUES.get(kind, ()))
        self._heard_at = time.monotonic()
        self._ended = threading.Event()
        self._hands = None if kind in ONE_AT_A_TIME else ThreadPoolExecutor(HANDS, thread_name_prefix="watchman")
        self._at: dict[str, Future[None]] = {}
        self._thread = threading.Thread(target=self._watch, name="watchman", daemon=True)
        self._thread.start()

    def heard(self) -> None:
        """A bell was heard."""
        self._heard_at = time.monotonic()

    def end(self) -> None:
        """Stop after what is at hand."""
        self._ended.set()
        if self._hands is not None:
            self._hands.shutdown(wait=True, cancel_futures=True)
        self._thread.join(timeout=LOOK_SECONDS)

    def _watch(self) -> None:
        from workers.bells import is_heard  # noqa: PLC0415 - bells stand on the application

        while not self._ended.wait(LOOK_SECONDS):
            try:
                silent = not is_heard()
                if silent or time.monotonic() - self._heard_at > QUIET_SECONDS:
                    self.heard()
                    self._look(silent=silent)
            except Exception as error:
                why = why_away(error)
                if why is None:
                    log.exception("watchman.failed")
                else:
                    LEDGER.failed(why)

    def _look(self, *, silent: bool) -> None:
        """Do what is due for this kind of worker, and sweep."""
        if self._hands is None and not activity().is_idle:
            return
        this_process(self._kind)
        if "fmgo.sweep" in self._queues:
            self._do(Due("fmgo.sweep"))
        for due in due_now(self._mine):
            if not (silent and due.phase in NEEDS_REDIS):
                self._do(due)

    def _mine(self, due: Due) -> bool:
        return queue_of(due.phase, due.lane) in self._queues

    def _do(self, due: Due) -> None:
        """Run a phase: here, or in a hand that isn't at it yet."""
        task = self._app.tasks[due.phase]
        named = {} if due.lane is None else {"lane": due.lane}
        if self._hands is None:
            task(**named)
            return
        for hand in range(due.times):
            name = f"{queue_of(due.phase, due.lane)} {hand}"
            before = self._at.get(name)
            if before is None or before.done():
                self._at[name] = self._hands.submit(_run, task, named)


def _run(task: Callable[..., None], named: dict[str, str]) -> None:
    try:
        task(**named)
    except Exception:  # noqa: BLE001 - the phase has told it
        log.debug("watchman.phase_failed")


_watchmen: Final[dict[int, Watchman]] = {}


def begin(app: Celery[Any], kind: str) -> None:
    """Begin to watch in this process, unless it does already."""
    pid = os.getpid()
    if pid not in _watchmen:
        _watchmen.clear()
        _watchmen[pid] = Watchman(app, kind)


def heard() -> None:
    """Note that a bell was heard."""
    watchman = _watchmen.get(os.getpid())
    if watchman is not None:
        watchman.heard()


def end() -> None:
    """End this process's watch, if it has begun."""
    watchman = _watchmen.pop(os.getpid(), None)
    if watchman is not None:
        watchman.end()
