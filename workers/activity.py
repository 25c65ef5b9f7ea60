"""What this process is at, so that one that beats but gets nowhere is seen.

The heartbeat has a thread of its own and would beat beside a phase that hangs. Each phase therefore says when it comes
a step further (a chunk, an envelope), and the beat tells the ledger which phase was silent the longest.

A process of a pool does one thing at a time, also when it looks at the ledger by itself beside the bells.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from workers.database.processes import IDLE, Doing


@dataclass(slots=True)
class _Running:
    phase: str
    stepped_at: float


class Activity:
    """The phases that run in this process, a thread each."""

    def __init__(self, *, one_at_a_time: bool) -> None:
        self._turn: Final = threading.Lock() if one_at_a_time else None
        self._running: Final[dict[int, _Running]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Run a phase in this thread, when it is its turn."""
        if self._turn is not None:
            self._turn.acquire()
        thread = threading.get_ident()
        self._running[thread] = _Running(name, time.monotonic())
        try:
            yield
        finally:
            del self._running[thread]
            if self._turn is not None:
                self._turn.release()

    def step(self) -> None:
        """Say that this thread's phase has come a step further."""
        running = self._running.get(threading.get_ident())
        if running is not None:
            running.stepped_at = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether no phase runs."""
        return not self._running

    def longest(self) -> Doing:
        """The phase whose last step is the longest ago."""
        running = list(self._running.values())
        if not running:
            return IDLE
        oldest = min(running, key=lambda one: one.stepped_at)
        return Doing(oldest.phase, round(time.monotonic() - oldest.stepped_at, 1))


_activities: Final[dict[int, Activity]] = {}


def activity() -> Activity:
    """This process's (never inherited over a fork)."""
    pid = os.getpid()
    found = _activities.get(pid)
    if found is None:
        kind = os.environ.get("FMGO_WORKER_KIND", "")
        found = _activities.setdefault(pid, Activity(one_at_a_time=kind in ONE_AT_A_TIME))
    return found


ONE_AT_A_TIME: Final = ("interactive", "bulk")
"""Kinds whose processes do one thing at a time."""
