"""Watching other processes: who is dead, judged by a clock that nobody sets.

A process counts its beats in the ledger. Whoever watches remembers when, by its own monotonic clock, it saw each count
move; one that stood still for as long as a living process may be silent is dead. So an outage of the ledger kills
nobody (nobody watched meanwhile: the watch begins anew), nor does a step of the server's clock, nor a watcher that was
itself paused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

STEP_SECONDS: Final = 2.0
"""Smallest difference between two clocks that counts as a step: below it lies what a statement may take."""


@dataclass(frozen=True, slots=True)
class _Seen:
    beats: int
    at: float


class Watch:
    """What one process has seen of the others. For one thread."""

    def __init__(self, dead_after_seconds: float, monotonic: Callable[[], float]) -> None:
        self._dead_after: Final = dead_after_seconds
        self._monotonic: Final = monotonic
        self._seen: dict[int, _Seen] = {}
        self._looked_at: float | None = None
        self._watched = 0.0

    def look(self, beats: Mapping[int, int]) -> dict[int, int]:
        """Take the present counts of all living processes; returns those of the silent ones, to be buried."""
        now = self._monotonic()
        gap = 0.0 if self._looked_at is None else now - self._looked_at
        if gap > self._dead_after:
            self.forget()
        self._looked_at = now
        # Who looks seldom, being busy, has seen no more of a silence than this: two looks at least make a death.
        self._watched += min(gap, self._dead_after / 2)
        known = self._seen
        self._seen = {
            worker: known[worker] if worker in known and known[worker].beats == count else _Seen(count, self._watched)
            for worker, count in beats.items()
        }
        return {
            worker: seen.beats for worker, seen in self._seen.items() if self._watched - seen.at >= self._dead_after
        }

    def forget(self) -> None:
        """Begin anew: the ledger couldn't be looked at, so nobody could beat either."""
        self._seen = {}


class ClockWatch:
    """Notices when the server's clock is set. For one thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic: Final = monotonic
        self._offset: float | None = None

    def look(self, server_seconds: float) -> float | None:
        """Take the server's time; returns by how many seconds it was set since the last look, None if it wasn't."""
        offset = server_seconds - self._monotonic()
        step = 0.0 if self._offset is None else offset - self._offset
        self._offset = offset
        return step if abs(step) >= STEP_SECONDS else None
