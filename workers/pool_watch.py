"""A pool's processes, watched by their parent: one that stands still is killed, and the pool begins another.

A process that is stopped, or hangs in code that lets no other thread run, beats no more: the others bury it and take
over what it held. But its parent knows nothing of that, and would give it bells for ever; an interactive worker has no
other process. So each process leaves the time of its last beat in memory that it shares with its parent.

Times are of the machine's monotonic clock, which all processes share.
"""

import mmap
import os
import signal
import struct
import time
from collections.abc import Iterable
from typing import Final

import structlog

from workers.settings import settings

log: Final = structlog.get_logger(__name__)

DEATHS: Final = 5
"""So many times as long as a process may be silent before the others bury it; a beat may wait for a connection."""
_MARK: Final = struct.Struct("=qd")
_MARKS: Final = 1024
_shared: Final = mmap.mmap(-1, _MARK.size * _MARKS)  # made before the fork, so that parent and pool have it in common


def mark() -> None:
    """Say that this process beats (a process whose number shares its place with another's isn't watched)."""
    pid = os.getpid()
    _MARK.pack_into(_shared, _place(pid), pid, time.monotonic())


def _place(pid: int) -> int:
    return pid % _MARKS * _MARK.size


class PoolWatch:
    """The parent's look at its processes. For one thread."""

    def __init__(self) -> None:
        self._looked_at = time.monotonic()

    def look(self, pids: Iterable[int]) -> list[int]:
        """Kill those of the processes that stand still; returns them."""
        patience = settings().dead_after_seconds * DEATHS
        now = time.monotonic()
        paused = now - self._looked_at > patience / 2  # whoever stood still itself gives the others time to beat
        self._looked_at = now
        if paused:
            return []
        still = [pid for pid in pids if self._stands_still(pid, now - patience)]
        for pid in still:
            log.error("pool.process_stands_still", pid=pid)
            os.kill(pid, signal.SIGKILL)
        return still

    @staticmethod
    def _stands_still(pid: int, since: float) -> bool:
        marked, at = _MARK.unpack_from(_shared, _place(pid))
        return bool(marked == pid and at < since)
