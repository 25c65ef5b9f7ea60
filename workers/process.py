"""This process in the ledger: its number, its heartbeat, and its end.

Every process that claims work has a row in `workers` and beats from a thread of its own. A process that finds itself
declared dead (it was paused, say), or that the ledger's epoch is no longer its own, ends itself at once: it must not
act on what it remembers. The row is made at first use after a fork, never inherited.
"""

import os
import queue
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from workers.database import processes
from workers.database.claims import Lease
from workers.database.engine import Ledger, ledger
from workers.settings import settings

log: Final = structlog.get_logger(__name__)


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
        self._ledger = Ledger(settings().database_url, pool_size=1)
        pid = os.getpid()
        host, world = socket.gethostname(), settings().sii_environment
        number, epoch = self._ledger.repeated(lambda tx: processes.register(tx, kind, host, pid, world))
        self.process = Process(number, epoch, pid)
        self._owed: queue.SimpleQueue[Callable[[Connection], object]] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._ended.wait(settings().beat_seconds):
            try:
                with self._ledger.transaction() as tx:
                    epoch = processes.beat(tx, self.process.id)
            except SQLAlchemyError as error:
                log.warning("pulse.missed", worker=self.process.id, error=str(error.__cause__ or error))
                continue
            if epoch != self.process.epoch:
                log.error("process.is_over", worker=self.process.id, own_epoch=self.process.epoch, ledger_epoch=epoch)
                os.kill(os.getpid(), signal.SIGKILL)
            self._settle()

    def owe(self, work: Callable[[Connection], object]) -> None:
        """Do a piece of work in the ledger after the next beat, and after every further one until it is done."""
        self._owed.put(work)

    def _settle(self) -> None:
        for _ in range(self._owed.qsize()):
            work = self._owed.get()
            try:
                self._ledger.repeated(work)
            except SQLAlchemyError as error:
                log.warning("pulse.still_owed", worker=self.process.id, error=str(error.__cause__ or error))
                self._owed.put(work)
                return

    def stop(self) -> None:
        """Say goodbye: what this process still holds is free at once."""
        self._ended.set()
        try:
            with self._ledger.transaction() as tx:
                processes.leave(tx, self.process.id)
        except SQLAlchemyError as error:
            log.warning("pulse.goodbye_failed", worker=self.process.id, error=str(error.__cause__ or error))
        self._ledger.dispose()


_pulses: Final[dict[int, Pulse]] = {}
_lock: Final = threading.Lock()


def this_process(kind: str = "process") -> Process:
    """Return this process's row, entered at the first call (the kind of later calls is ignored)."""
    pid = os.getpid()
    with _lock:
        if pid not in _pulses:
            _pulses.clear()
            _pulses[pid] = Pulse(kind)
        return _pulses[pid].process


def surely(work: Callable[[Connection], object]) -> None:
    """Give something back in the ledger: now or, when the ledger is away, as soon as it is there again.

    A living process keeps its claims for ever, so what can't be given back at once must not be forgotten.
    """
    try:
        ledger().repeated(work)
    except SQLAlchemyError as error:
        log.warning("process.owes", error=str(error.__cause__ or error))
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
