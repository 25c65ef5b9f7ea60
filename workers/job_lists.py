"""The lists that jobs come by: taking from them without losing a message, and without dying of one.

A message is moved from its list to a list of this process, recorded, and only then taken off; what a dead process held
is moved to the list's suspects, which are tried one at a time. Promises: nothing is held that is larger than the limit
(such a message is set aside unread, with its size, digest and beginning); a message that ends the process that reads it
is set aside at the first time that this happens to it alone; every other goes on.

Keys, of a list `fmgo.jobs`: `fmgo.jobs.taken:{worker}`, `fmgo.jobs.suspects`, `fmgo.jobs.deaths` (digest to count) and
`fmgo.jobs.aside:{digest}` (kept for a week, whole, for whoever wants to look at it or put it back).
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis import Redis

from workers.cache.bounded import Budget, Unread, connect_within

log: Final = structlog.get_logger(__name__)

JOBS: Final = "fmgo.jobs"
"""Raw jobs, put there by anybody."""
CELERY: Final = "fmgo.enqueue"
"""Messages of Celery clients: kombu's queue of that name, which no Celery worker reads."""
LISTS: Final = (JOBS, CELERY)
# kombu keeps messages of a priority in lists of their own: name, these two characters, the priority's step.
_PRIORITIES: Final = tuple(f"\x06\x16{step}" for step in (3, 6, 9))

CHUNK: Final = 200
"""Messages of one trip."""
CHUNK_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one trip's messages: a chunk of ordinary jobs has one."""
WAIT_SECONDS: Final = 1
ASIDE_SECONDS: Final = 7 * 86400

# What a try costs, until it ends: a death while the message is read is the last, of those while it is recorded (which
# also takes PostgreSQL's time, and may be nobody's fault) the third.
_READING: Final = 3
_RECORDING: Final = 1
_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages in the hands of this process, the oldest first; `alone`: one that somebody may have died of."""

    messages: list[bytes]
    unread: Unread | None = None
    """What comes next and is too large; there are no `messages` then."""
    alone: bool = False


class JobList:
    """One list, as one process reads it. For one thread."""

    def __init__(self, url: str, name: str, most_bytes: int) -> None:
        """`most_bytes`: of a message. Nothing is sent yet. Raises `CacheUrlError`."""
        self.name: Final = name
        self.most_bytes: Final = most_bytes
        self._budget = Budget(most_bytes, CHUNK_BYTES)
        self._client = connect_within(url, self._budget, answer_seconds=WAIT_SECONDS + 2)
        self._most = CHUNK
        self._variants = tuple(name + suffix for suffix in _PRIORITIES) if name == CELERY else ()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def take(self, worker: int, *, most: int = CHUNK) -> Taken:
        """Take messages: what is in our hands still, else a suspect, else what comes within a second.

        Raises RedisError or OSError; what was moved by then is in our hands and comes at the next call.
        """
        mine = taken_by(self.name, worker)
        most = min(most, self._most)
        self._budget.begin()
        if self._client.exists(mine):
            return self._kept(self._trip("lindex", [(mine, -n) for n in range(1, most + 1)]))
        suspect: Any = self._client.lmove(suspects_of(self.name), mine, "RIGHT", "LEFT")
        if suspect is not None:
            return self._kept([suspect], alone=True)
        return self._kept(self._fresh(mine, most))

    def _kept(self, found: Sequence[bytes | Unread], *, alone: bool = False) -> Taken:
        """The messages up to the first that isn't read; that one only if nothing stands before it."""
        messages = list(itertools.takewhile(lambda message: not isinstance(message, Unread), found))
        kept = [message for message in messages if isinstance(message, bytes)]
        # What is beyond the budget comes again, so no more is asked for next time than could be kept.
        self._most = max(1, len(kept)) if len(kept) < len(found) else min(CHUNK, 2 * self._most)
        first = found[0] if found else None
        return Taken(kept, first if isinstance(first, Unread) else None, alone=alone)

    def _fresh(self, mine: str, most: int) -> list[bytes | Unread]:
        for source in self._variants:
            found = self._trip("lmove", [(source, mine, "RIGHT", "LEFT")] * most)
            if found:
                return found
        first: Any = self._client.blmove(self.name, mine, WAIT_SECONDS, "RIGHT", "LEFT")
        if first is None:
            return []
        return [first, *self._trip("lmove", [(self.name, mine, "RIGHT", "LEFT")] * (most - 1))]

    def _trip(self, command: str, arguments: Sequence[tuple[Any, ...]]) -> list[bytes | Unread]:
        """Send commands that answer with a message each, in one trip."""
        pipeline = self._client.pipeline(transaction=False)
        for given in arguments:
            getattr(pipeline, command)(*given)
        return [message for message in pipeline.execute() if message is not None]

    def done(self, worker: int, number: int) -> None:
        """Take the oldest messages off: they are recorded."""
        if number:
            self._client.ltrim(taken_by(self.name, worker), 0, -(number + 1))

    def set_aside(self, worker: int, digest: str) -> None:
        """Put the oldest message where nobody reads it, under its digest."""
        aside = aside_of(self.name, digest)
        self._budget.begin()
        pipeline = self._client.pipeline(transaction=False)
        pipeline.delete(aside)  # the same message again is one
        pipeline.lmove(taken_by(self.name, worker), aside, "RIGHT", "LEFT")
        pipeline.expire(aside, ASIDE_SECONDS)
        pipeline.hdel(deaths_of(self.name), digest)
        pipeline.execute()

    @contextmanager
    def tried(self, message: bytes) -> Iterator["Try"]:
        """Try a message alone: the count of its deaths stands while it is tried, and ends with the try."""
        one = Try(self._client, deaths_of(self.name), hashlib.sha256(message).hexdigest())
        try:
            yield one
        finally:
            one.end()

    def return_lists(self, dead: Sequence[int]) -> int:
        """Make suspects of what dead processes had taken; returns how many messages."""
        returned = 0
        for worker in dead:
            while True:
                self._budget.begin()
                moved = self._trip(
                    "lmove", [(taken_by(self.name, worker), suspects_of(self.name), "RIGHT", "LEFT")] * CHUNK
                )
                returned += len(moved)
                if len(moved) < CHUNK:
                    break
        return returned


class Try:
    """One message that is tried alone."""

    def __init__(self, client: Redis, key: str, digest: str) -> None:
        self.digest: Final = digest
        self._client = client
        self._key = key

    def may_be_read(self) -> bool:
        """Begin to read; False when processes have died of it."""
        before = int(self._client.hincrby(self._key, self.digest, _READING)) - _READING
        self._client.expire(self._key, ASIDE_SECONDS)
        return before < _MOST

    def is_read(self) -> None:
        """It is read, and will be recorded now."""
        self._client.hincrby(self._key, self.digest, _RECORDING - _READING)

    def end(self) -> None:
        """We live: it killed nobody."""
        self._client.hdel(self._key, self.digest)


def taken_by(name: str, worker: int) -> str:
    """Key of what a process has taken from a list."""
    return f"{name}.taken:{worker}"


def suspects_of(name: str) -> str:
    """Key of the messages that dead processes had taken."""
    return f"{name}.suspects"


def deaths_of(name: str) -> str:
    """Key of the counts of deaths."""
    return f"{name}.deaths"


def aside_of(name: str, digest: str) -> str:
    """Key of a message that was set aside."""
    return f"{name}.aside:{digest}"
