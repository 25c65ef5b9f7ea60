"""This process in the ledger: its number, its heartbeat, and its end.

Every process that claims work has a row in `workers` and beats from a thread of its own. The thread enters the
process as soon as there is a ledger that this FMgo knows, however late that is; while the ledger is away it waits,
and a beat that couldn't be written is no death. A process that finds itself declared dead (it was paused, say), or
that the ledger's epoch is no longer its own, ends itself at once: it must not act on what it remembers, and whoever
keeps it (the pool, `workers.keeper`) begins it anew. The row is made at first use after a fork, never inherited.

The sweepers' heartbeats also watch the other processes, and bury those whose count of beats stands still.
"""

import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from workers import pool_watch
from workers.activity import ONE_AT_A_TIME, activity
from workers.database import processes, schema
from workers.database.away import NotEnteredError, why_away
from workers.database.claims import Lease
from workers.database.engine import Ledger, ledger
from workers.outages import LEDGER
from workers.settings import settings
from workers.watch import ClockWatch, Watch

log: Final = structlog.get_logger(__name__)

ENTER_SECONDS: Final = 5.0
"""So long whoever needs this process's number waits for it; then the work is put off."""
STUCK_SECONDS: Final = 180.0
"""A phase that has come no step further for this long hangs: an upload may take 75 s, a question 30."""
GIVEN_UP_SECONDS: Final = 600.0
"""A pool's process that hangs for this long ends itself, and the pool begins another."""
WATCHERS: Final = "threads"
"""Kind of the processes that sweep."""


@dataclass(frozen=True, slots=True)
class Process:
    """A registered process: its number in the ledger and the epoch it works in."""

    id: int
    epoch: int
    pid: int

    def lease(self) -> Lease:
        """Terms under which this process claims."""
        return Lease(worker=self.id, epoch=self.epoch, seconds=settings().lease_seconds)


class Pulse:
    """The heartbeat of one process, in a thread with a connection of its own."""

    def __init__(self, kind: str) -> None:
        self._kind: Final = kind
        patience = max(1.0, settings().dead_after_seconds / 2)
        self._ledger = Ledger(settings().database_url, pool_size=1, answer_seconds=patience)
        self._process: Process | None = None
        self._why = "this process isn't in the ledger yet"
        self._owed: queue.SimpleQueue[Callable[[Connection], object]] = queue.SimpleQueue()
        self._tried = threading.Event()
        self._ended = threading.Event()
        self._watch = Watch(settings().dead_after_seconds, time.monotonic)
        self._clock = ClockWatch(time.monotonic)
        self._thread = threading.Thread(target=self._live, name="pulse", daemon=True)
        self._thread.start()

    def process(self) -> Process:
        """This process's row; raises NotEnteredError while there is none (the thread goes on trying)."""
        if self._process is None:
            self._tried.wait(ENTER_SECONDS)
        process = self._process
        if process is None:
            raise NotEnteredError(self._why)
        return process

    def _live(self) -> None:
        """Beat until the end; nothing that goes wrong ends the thread, for its silence would be a death."""
        while not self._ended.is_set():
            pool_watch.mark()
            try:
                self._turn()
            except Exception as error:
                self._why = why_away(error) or f"the heartbeat failed: {type(error).__name__}"
                if why_away(error) is None:
                    log.exception("pulse.failed", worker=self._process and self._process.id)
                LEDGER.failed(self._why)
                self._watch.forget()
            else:
                LEDGER.works()
            self._tried.set()
            self._ended.wait(settings().beat_seconds)

    def _turn(self) -> None:
        process = self._process
        if process is None:
            self._enter()
            return
        self._beat(process)
        self._settle()
        if self._kind == WATCHERS:
            self._bury()
            self._follow_the_clock(process)

    def _enter(self) -> None:
        pid, host, world = os.getpid(), socket.gethostname(), settings().sii_environment
        with self._ledger.transaction() as tx:
            schema.check(tx)
            number, epoch = processes.register(tx, self._kind, host, pid, world)
        self._process = Process(number, epoch, pid)
        log.info("process.entered", worker=number, kind=self._kind)

    def _beat(self, process: Process) -> None:
        doing = activity().longest()
        with self._ledger.transaction() as tx:
            schema.check(tx)
            epoch = processes.beat(tx, process.id, doing)
        if epoch != process.epoch:
            log.error("process.is_over", worker=process.id, own_epoch=process.epoch, ledger_epoch=epoch)
            os.kill(os.getpid(), signal.SIGKILL)
        if doing.seconds > GIVEN_UP_SECONDS and self._kind in ONE_AT_A_TIME:
            log.error("process.hangs", worker=process.id, phase=doing.phase, seconds=doing.seconds)
            os.kill(os.getpid(), signal.SIGKILL)

    def _bury(self) -> None:
        with self._ledger.transaction() as tx:
            silent = self._watch.look(processes.beats(tx))
            dead = processes.bury(tx, silent) if silent else []
        if dead:
            log.warning("sweep.dead_processes", workers=dead)

    def _follow_the_clock(self, process: Process) -> None:
        """Notice that the ledger's clock was set; where it was set back, what was due soon is due soon again."""
        with self._ledger.statements() as tx:
            step = self._clock.look(processes.now(tx))
        if step is None:
            return
        log.warning("ledger.clock_was_set", seconds=round(step, 1))
        if step > 0:
            return
        with self._ledger.transaction() as tx:
            if processes.take_lease(tx, "clock", process.id, settings().dead_after_seconds):
                moved = processes.follow_the_clock_back(tx, -step)
                log.warning("ledger.clock_followed", rows=moved)

    def owe(self, work: Callable[[Connection], object]) -> None:
        """Do a piece of work in the ledger after the next beat, and after every further one until it is done."""
        self._owed.put(work)

    def _settle(self) -> None:
        for _ in range(self._owed.qsize()):
            work = self._owed.get()
            try:
                self._ledger.repeated(work)
            except SQLAlchemyError as error:
                log.warning("pulse.still_owed", worker=self._process and self._process.id, error=first_line(error))
                self._owed.put(work)
                return

    def stop(self) -> None:
        """Say goodbye: what this process still holds is free at once."""
        self._ended.set()
        process = self._process
        if process is not None:
            try:
                with self._ledger.transaction() as tx:
                    processes.leave(tx, process.id)
            except SQLAlchemyError as error:
                log.warning("pulse.goodbye_failed", worker=process.id, error=first_line(error))
        self._ledger.dispose()


_pulses: Final[dict[int, Pulse]] = {}
_lock: Final = threading.Lock()


def begin_pulse(kind: str) -> Pulse:
    """Begin this process's heartbeat unless it beats already; returns at once, whether the ledger answers or not."""
    pid = os.getpid()
    with _lock:
        if pid not in _pulses:
            _pulses.clear()
            _pulses[pid] = Pulse(kind)
        return _pulses[pid]


def this_process(kind: str = "process") -> Process:
    """Return this process's row, entered at the first call (the kind of later calls is ignored).

    Raises NotEnteredError while there is no ledger to be entered in.
    """
    return begin_pulse(kind).process()


def await_ledger() -> None:
    """Return when there is a ledger that this FMgo knows; what is missing is said once."""
    looking = Ledger(settings().database_url, pool_size=1, answer_seconds=ENTER_SECONDS)
    while True:
        try:
            with looking.transaction() as tx:
                schema.check(tx)
        except Exception as error:
            why = why_away(error)
            if why is None:
                raise
            LEDGER.failed(why)
            time.sleep(1)
        else:
            LEDGER.works()
            looking.dispose()
            return


def surely(work: Callable[[Connection], object]) -> None:
    """Give something back in the ledger: now or, when the ledger is away, as soon as it is there again.

    A living process keeps its claims for ever, so what can't be given back at once must not be forgotten.
    """
    try:
        ledger().repeated(work)
    except SQLAlchemyError as error:
        log.warning("process.owes", error=first_line(error))
        with _lock:
            pulse = _pulses.get(os.getpid())
        if pulse is not None:
            pulse.owe(work)


def end_this_process() -> None:
    """Leave in good order, if this process was ever entered."""
    with _lock:
        pulse = _pulses.pop(os.getpid(), None)
    if pulse is not None:
        pulse.stop()
        ledger().dispose()


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or of its cause's words."""
    return str(error.__cause__ or error).partition("\n")[0]
