"""The way in for jobs that others put on a list: reading it, for as long as this process lives.

`fmgo.jobs` is a Redis list of raw UTF-8 JSON, so that any language can put a job on it without a client of Celery;
`fmgo.enqueue` has the messages of Celery's clients. Both are read here with redis-py, never through kombu: a message
is moved to a list of this process, recorded in the ledger, and only then taken off (`workers.job_lists`). What is no
job is kept with its reason and answered.
"""

import threading
from collections.abc import Sequence
from typing import Final

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.job import NotAJob, too_large
from domain.problems import Problem
from workers.bells import doorbell, not_rung
from workers.celery_messages import bodies_of, task_id_of
from workers.database.away import why_away
from workers.database.engine import ledger
from workers.handed_in import Body
from workers.job_lists import CELERY, CHUNK, JOBS, LISTS, JobList, Taken, taken_by
from workers.outages import LEDGER
from workers.process import this_process
from workers.recording import Reading, read_body, record_readings
from workers.refusals import refused_message, unread_message
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

LIST: Final = JOBS
SOURCES: Final = {JOBS: "list", CELERY: "celery"}
"""What the ledger calls the two ways in."""
MESSAGE_OF_JOBS: Final = 8
"""A message of Celery may have as many bytes as so many jobs."""
AWAY: Final = (redis.RedisError, SQLAlchemyError, OSError)
"""What a turn ends with when the ledger or Redis can't do its part now."""

_DEADLY: Final = Problem(
    "JOB-DEADLY", "", "A process ended while it read this message alone; put it through again once that is mended."
)


class InboxReader:
    """Reads one list in a thread of its own until it is stopped."""

    def __init__(self, name: str = LIST) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"inbox {name}", daemon=True)
        self._source = SOURCES[name]
        self._list = open_list(name)
        self._most = CHUNK

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the chunk at hand."""
        self._ended.set()
        self._thread.join(timeout=5)

    def _read(self) -> None:
        """Read until the end; nothing that goes wrong ends the thread: whatever was away is there again one day."""
        while not self._ended.is_set():
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - the next try may go well
                tell(error)
                self._ended.wait(1)

    def _turn(self) -> None:
        """Take a chunk (what an earlier fault left in our hands comes first), record it, take it off."""
        me = this_process().id
        taken = self._list.take(me, most=self._most)
        if taken.unread is not None:
            reason = too_large(taken.unread.size, self._list.most_bytes).problems
            record_readings(ledger(), [unread_message(taken.unread, reason)], self._source)
            self._list.set_aside(me, taken.unread.digest)
        elif taken.alone:
            self._try(me, taken.messages[0])
        elif taken.messages:
            self._record(me, taken)

    def _record(self, me: int, taken: Taken) -> None:
        try:
            readings = [reading for message in taken.messages for reading in self._readings(message)]
            record_readings(ledger(), readings, self._source)
        except AWAY:
            raise
        except Exception as error:
            # One of them can't be taken at all (memory, a fault of ours): each stands alone at its turn, and that one
            # is set aside.
            log.exception("inbox.unreadable", source=self._source, messages=len(taken.messages))
            if len(taken.messages) == 1:
                self._set_aside(me, taken.messages[0], type(error).__name__)
            self._most = 1
            return
        self._list.done(me, len(taken.messages))
        self._most = min(CHUNK, 2 * self._most)

    def _try(self, me: int, message: bytes) -> None:
        """Record a message of which a process may have died."""
        with self._list.tried(message) as one:
            if not one.may_be_read():
                log.error("inbox.deadly", source=self._source, digest=one.digest)
                self._set_aside(me, message)
                return
            self._readings(message)
            one.is_read()
            self._record(me, Taken([message]))

    def _set_aside(self, me: int, message: bytes, fault: str | None = None) -> None:
        said = (
            _DEADLY if fault is None else Problem("JOB-UNREADABLE", "", f"FMgo failed to read this message ({fault}).")
        )
        kept = refused_message(message, [said])
        record_readings(ledger(), [kept], self._source)
        self._list.set_aside(me, kept.digest)

    def _readings(self, message: bytes) -> list[Reading]:
        """The jobs of a message, or why it is none."""
        if self._source != SOURCES[CELERY]:
            return [read_body(Body(message))]
        try:
            return [read_body(body) for body in bodies_of(message, self._list.most_bytes)]
        except NotAJob as error:
            task_id = task_id_of(message)
            return [refused_message(message, error.problems, (task_id,) if task_id else ())]


def tell(error: BaseException) -> None:
    """Say why the lists aren't read now: once an outage, or at length where it is none."""
    why = why_away(error)
    if why is not None:
        LEDGER.failed(why)
    elif isinstance(error, redis.RedisError | OSError):
        not_rung(error)
    else:
        log.error("inbox.failed", exc_info=error)


def open_list(name: str) -> JobList:
    """One of the lists, with the limit of its messages."""
    most = settings().job_bytes * (MESSAGE_OF_JOBS if name == CELERY else 1)
    return JobList(settings().redis_url, name, most)


def start_reading() -> list[InboxReader]:
    """Start this process's readers."""
    readers = [InboxReader(name) for name in LISTS]
    for reader in readers:
        reader.start()
    return readers


def return_lists(dead: Sequence[int]) -> int:
    """Give back what dead processes had taken, to be tried one by one; returns how many messages."""
    returned = 0
    for name in LISTS:
        jobs = open_list(name)
        try:
            returned += jobs.return_lists(dead)
        finally:
            jobs.close()
    return returned


def orphaned_lists() -> list[int]:
    """Numbers of the processes that have a list of taken messages now."""
    found: set[int] = set()
    for name in LISTS:
        prefix = taken_by(name, 0)[:-1].encode()
        found |= {int(key[len(prefix) :]) for key in doorbell().scan_iter(match=prefix.decode() + "*")}
    return sorted(found)
