"""The producer: what upstream systems import to hand in jobs and to learn what became of them.

    producer = Producer()                                   # FMGO_DATABASE_URL and FMGO_REDIS_URL
    receipt = producer.enqueue(job)                         # recorded: a row, before it returns
    result = producer.wait(receipt, until="issued")         # folio, stamp and XML: enough to print
    result = producer.wait(receipt, until="sent")           # the SII's receipt: it may be handed over
    result = producer.wait(receipt, until="decided")        # the SII's verdict
    producer.cancel(receipt)                                # taken back, while nothing of it has left

Promises: what `enqueue` has returned for is in the ledger for ever, whatever happens to Redis; the same job under the
same key is one document, however often and from wherever it comes; nothing is shown of a document before its bytes
are durable twice. `queue` only puts a job on the list: its receipt holds until Redis loses it, so the producer
repeats the job under its key until a result appears. A role that may only execute `fmgo_enqueue`, `fmgo_find`,
`fmgo_results` and `fmgo_cancel` is enough.

Errors:

    DomainError
    ├── NotAJob            the job can't be taken for one; every reason is told
    ├── KeyConflict        its key belongs to a job with another content
    └── NotTakenBack       a job can't be taken back (any more); its problem says why
    ProducerError
    ├── LedgerAway         PostgreSQL can't be reached; try again under the same key
    ├── IntakeShut         the ledger was restored and takes no jobs yet; try again later
    └── QueueAway          Redis can't be reached; try again under the same key
    StillWaiting           (a TimeoutError) the time to wait is over; it holds what was known last
"""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from domain.job import LARGEST, document_id
from domain.job import Job as Job
from domain.job import NotAJob as NotAJob
from domain.problems import DomainError, Problem, shown
from domain.rut import canonical_shape
from workers.cache.connection import AWAY, connect
from workers.cache.results import Results
from workers.database import intake, results, withdrawals
from workers.database.away import why_away
from workers.database.engine import Ledger, sqlstate
from workers.database.intake import IncomingJob
from workers.handed_in import JobLike as JobLike
from workers.handed_in import read_job
from workers.outcome import TOLD_AS_ISSUED, of_stored, of_told, reached, told_reached
from workers.outcome import Receipt as Receipt
from workers.outcome import Result as Result
from workers.outcome import Until as Until
from workers.outside_bells import OutsideBells
from workers.settings import DatabaseUrl, RedisUrl, SettingsError, sentences_of
from workers.taking_back import NotTakenBack as NotTakenBack
from workers.taking_back import TakenBack as TakenBack
from workers.taking_back import taken_back

ANSWER_SECONDS: Final = 20.0
"""Longest wait for the ledger's answer to one statement: a server that hangs sends no error."""
LIST: Final = "fmgo.jobs"
"""The Redis list of plain jobs (`workers.inbox` reads it)."""
MOST_AT_ONCE: Final = 500
"""Jobs of one transaction; `enqueue_many` cuts longer sequences."""
FIRST_PAUSE_SECONDS: Final = 0.25
BUSY_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0
"""While a result is waited for, the ledger is asked this often, whatever Redis says."""

Key = tuple[str, str, str]
"""Issuer, environment and idempotency key."""
What = uuid.UUID | str | Key | Receipt
"""A document: by its id, by issuer, environment and key, or by its receipt."""
Answer = TypeVar("Answer")

_INTAKE_SHUT: Final = "FM001"
_KEY_CONFLICT: Final = Problem(
    "JOB-KEY-CONFLICT",
    "idempotency_key",
    "This idempotency key already belongs to a job with another content; use a new key for a new sale.",
)


class KeyConflict(DomainError):  # noqa: N818  (named for what the producer sees)
    """The idempotency key belongs to a job with another content; that job and its document stay as they are."""


class ProducerError(Exception):
    """A server that the producer needs is away. Trying again under the same key is safe."""

    code = "PRODUCER"
    retry_helps: Final = True


class LedgerAway(ProducerError):  # noqa: N818  (named for what the producer sees)
    """The ledger can't be used now (away, read-only, full, of another version), and the sentence says what to do.

    Repeating the call finds whether it had recorded anything.
    """

    code = "LEDGER-AWAY"


class IntakeShut(ProducerError):  # noqa: N818  (named for what the producer sees)
    """The ledger was restored and its evidence isn't replayed yet: no job is taken."""

    code = "INTAKE-SHUT"


class QueueAway(ProducerError):  # noqa: N818  (named for what the producer sees)
    """Redis can't be reached, or refused the jobs."""

    code = "QUEUE-AWAY"


class StillWaiting(TimeoutError):  # noqa: N818  (named for what the producer sees)
    """The time to wait is over; `last` is the result known by then, None when no such job is recorded yet."""

    code: Final = "STILL-WAITING"
    retry_helps: Final = True

    def __init__(self, last: Result | None) -> None:
        super().__init__(f"the document is still {last.state}" if last else "no such job is recorded yet")
        self.last = last


class Addresses(Protocol):
    """Where the servers are: the settings of a process of FMgo, or of a producer alone."""

    @property
    def database_url(self) -> str:
        """The ledger, as libpq reads it (`postgresql://`)."""
        ...

    @property
    def redis_url(self) -> str:
        """The server of queues and job list."""
        ...

    @property
    def cache_url(self) -> str | None:
        """The server of results; None for that of the queues."""
        ...


class ProducerSettings(BaseSettings):
    """What a producer must be told: FMGO_DATABASE_URL, FMGO_REDIS_URL and, if it is another, FMGO_CACHE_URL."""

    model_config = SettingsConfigDict(env_prefix="FMGO_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    database_url: DatabaseUrl = Field(repr=False)
    redis_url: RedisUrl = Field(repr=False)
    cache_url: RedisUrl | None = Field(default=None, repr=False)
    job_bytes: int = Field(default=LARGEST, ge=64 * 1024, le=16 * 1024 * 1024)


class Producer:
    """One process's way to FMgo. Safe from many threads; make one per process, after any fork."""

    def __init__(self, addresses: Addresses | None = None) -> None:
        """Take the addresses, by default those of the environment; nothing is sent yet.

        Raises `SettingsError` with a sentence for each variable that is missing or of another kind.
        """
        at = addresses or _from_environment()
        # An installation may say how large a job can be; addresses alone don't.
        self._job_bytes: int = getattr(at, "job_bytes", LARGEST)
        self._ledger = Ledger(at.database_url, answer_seconds=ANSWER_SECONDS)
        self._queue = connect(at.redis_url)
        self._bells = OutsideBells(at.redis_url)
        self._cache = connect(at.cache_url or at.redis_url)
        self._results = Results(self._cache, ttl_seconds=1)  # it only reads here
        self._pause = threading.Event()  # never set: a pause that a signal can end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._ledger.dispose()
        self._bells.close()
        self._queue.close()
        self._cache.close()

    def enqueue(self, job: JobLike) -> Receipt:
        """Record one job: it is in the ledger when this returns. The outcome is `recorded` or `known`.

        Raises NotAJob, KeyConflict, LedgerAway or IntakeShut.
        """
        (receipt,) = self.enqueue_many([job])
        if receipt.outcome == "refused":
            raise NotAJob(receipt.problems)
        if receipt.outcome == "conflict":
            raise KeyConflict(receipt.problems)
        return receipt

    def enqueue_many(self, jobs: Iterable[JobLike]) -> list[Receipt]:
        """Record jobs, up to 500 a transaction; a receipt each, in order. What is no job doesn't hold up the others.

        Raises LedgerAway or IntakeShut; what was committed before stays, and repeating all of it is safe.
        """
        receipts: list[Receipt] = []
        readings = [read_job(job, self._job_bytes) for job in jobs]
        for start in range(0, len(readings), MOST_AT_ONCE):
            receipts += self._record(readings[start : start + MOST_AT_ONCE])
        return receipts

    def queue(self, job: JobLike) -> Receipt:
        """Put one job on the list, past the ledger; the receipt carries its key only. Raises NotAJob or QueueAway."""
        (receipt,) = self.queue_many([job])
        if receipt.outcome == "refused":
            raise NotAJob(receipt.problems)
        return receipt

    def queue_many(self, jobs: Iterable[JobLike]) -> list[Receipt]:
        """Put jobs on the list in one trip; a receipt each, in order. What is no job isn't put there.

        Raises QueueAway: then none or all lie there, and repeating all of them is safe.
        """
        readings = [read_job(job, self._job_bytes) for job in jobs]
        bodies = [reading.body for reading in readings if isinstance(reading, IncomingJob)]
        try:
            if bodies:
                self._queue.lpush(LIST, *bodies)
        except AWAY as error:
            raise QueueAway(f"the job list can't be reached ({type(error).__name__})") from error
        return [
            Receipt(
                "queued",
                reading.job.idempotency_key,
                reading.job.issuer,
                reading.job.environment,
                digest=hashlib.sha256(reading.body).hexdigest(),
            )
            if isinstance(reading, IncomingJob)
            else reading
            for reading in readings
        ]

    def result(self, what: What) -> Result | None:
        """What is known now of a document; None when there is no such document yet.

        The ledger is asked; where it is away, Redis. Raises LedgerAway when Redis knows nothing either.
        """
        try:
            number = self._find(what)
            return None if number is None else self._stored(number)
        except LedgerAway:
            number = _named(what) or _first_id(what)
            told = self._results.get_result(str(number))
            if told is None:
                raise
            return of_told(number, told)

    def wait(self, what: What, until: Until = "issued", *, timeout: float = 60) -> Result:
        """Wait up to `timeout` seconds for a document to be `issued`, `sent` or `decided`.

        That is: folio, stamp and XML; the SII's receipt; its verdict. A document that ends before that (`invalid`,
        `cancelled`, `withdrawn`) or is put aside for a person (`quarantined`) ends the wait as well: look at
        `Result.state`. Redis tells at once; without it the ledger is asked, ever less often.
        Raises StillWaiting with what was known last; LedgerAway when nothing could be learnt from anywhere.
        """
        ends = time.monotonic() + timeout
        pause = FIRST_PAUSE_SECONDS
        told = False
        last: Result | None = None
        while True:
            away: LedgerAway | None = None
            try:
                last = self._refusal_instead(self._look(what, until), what) or last
            except LedgerAway as error:
                away = error
                last = self._copy(_named(what) or _first_id(what), until) or last
            if last is not None and reached(last, until):
                return last
            left = ends - time.monotonic()
            if left <= 0:
                raise (away if away is not None and last is None else StillWaiting(last))
            # Redis may know more than a ledger that is away or was restored: it is believed once, not in a hot loop.
            number = last.id if last else _named(what) or _first_id(what)
            told = not told and self._told(number, until, min(left, pause))
            if not told:
                pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def cancel(self, what: What, reason: str | None = None, *, timeout: float = 10, by: str = "producer") -> TakenBack:
        """Take a job back: what has no folio yet is `cancelled`; with a `reason`, what has one is `withdrawn`.

        Withdrawn is only what surely never left for the SII; its folio is void then, for that reason. What a worker has
        in its hands is tried again until `timeout` seconds are over. `by` is named in the audit.
        Raises NotTakenBack, LedgerAway or IntakeShut.
        """
        ends = time.monotonic() + timeout
        while True:
            number = self._find(what)
            if number is None:
                return taken_back(uuid.UUID(int=0), withdrawals.Cancelled("unknown", None))
            came = self._cancel(number, reason, by)
            if came.outcome != "busy" or time.monotonic() >= ends:
                break
            self._pause.wait(BUSY_PAUSE_SECONDS)
        if came.outcome in ("cancelled", "withdrawn"):
            self._bells.ring_for_sweep()
        return taken_back(number, came)

    def _cancel(self, number: uuid.UUID, reason: str | None, by: str) -> withdrawals.Cancelled:
        return self._asking(lambda tx: withdrawals.cancel(tx, number, reason, by))

    def _look(self, what: What, until: Until) -> Result | None:
        """The result as Redis has it where that is enough, else as the ledger does."""
        number = _named(what)
        if number is None and (number := self._find(what)) is None:
            return None
        copy = self._copy(number, until)
        if copy is None or (copy.state in TOLD_AS_ISSUED and copy.xml is None):  # Redis has no bytes of bulk documents
            return self._stored(number)
        return copy

    def _refusal_instead(self, known: Result | None, what: What) -> Result | None:
        """What is known of a job on the list: that it was refused after all, or what is known under its key.

        Where its key had another content, what is known under it is another job's.
        """
        if not isinstance(what, Receipt) or what.digest is None:
            return known
        told = self._results.get_result(what.digest)
        refusal = None if told is None else of_told(_first_id(what), told)
        if known is None or (refusal and any(problem.code == _KEY_CONFLICT.code for problem in refusal.problems)):
            return refusal
        return known

    def _copy(self, number: uuid.UUID, until: Until) -> Result | None:
        told = self._results.get_result(str(number))
        return of_told(number, told) if told is not None and told_reached(told, until) else None

    def _told(self, number: uuid.UUID, until: Until, seconds: float) -> bool:
        """Wait so many seconds, or less if Redis tells what is waited for: then True."""
        began = time.monotonic()
        if self._results.wait(str(number), lambda told: told_reached(told, until), seconds=seconds) is not None:
            return True
        self._pause.wait(max(0.0, seconds - (time.monotonic() - began)))  # Redis is away
        return False

    def _find(self, what: What) -> uuid.UUID | None:
        """The id of the latest document under a key; None when none is recorded."""
        number = _named(what)
        if number is not None:
            return number
        issuer, environment, key = _key(what)
        return self._asking(lambda tx: results.find(tx, issuer, environment, key))

    def _stored(self, number: uuid.UUID) -> Result | None:
        found = self._asking(lambda tx: results.results(tx, [number]))
        return of_stored(found[number]) if number in found else None

    def _asking(self, work: Callable[[Connection], Answer]) -> Answer:
        try:
            return self._ledger.repeated(work)
        except DBAPIError as error:
            if sqlstate(error) == _INTAKE_SHUT:
                raise IntakeShut("the ledger was restored and takes no jobs until its evidence is replayed") from error
            why = why_away(error)
            if why is not None:
                raise LedgerAway(why) from error
            raise

    def _record(self, readings: Sequence[IncomingJob | Receipt]) -> list[Receipt]:
        jobs = [reading for reading in readings if isinstance(reading, IncomingJob)]
        stored = self._store(jobs)
        lanes = {job.job.lane for job, one in zip(jobs, stored, strict=True) if one.outcome == "recorded"}
        for lane in sorted(lanes, reverse=True):
            self._bells.ring_for_jobs(lane)
        following = iter(stored)
        return [next(following) if isinstance(reading, IncomingJob) else reading for reading in readings]

    def _store(self, jobs: Sequence[IncomingJob]) -> list[Receipt]:
        """One transaction for all; halves where PostgreSQL refuses the data, until the bad job stands alone."""
        try:
            given = self._asking(lambda tx: intake.record(tx, jobs, "producer"))
        except intake.REFUSED as error:
            if len(jobs) > 1:
                middle = len(jobs) // 2
                return self._store(jobs[:middle]) + self._store(jobs[middle:])
            reason = f"The ledger can't store this job: {shown(str(error.orig))}"
            return [_of_job(jobs[0].job, Problem("JOB-NOT-STORABLE", "", reason))]
        return [_of_given(receipt) for receipt in given]


def _from_environment() -> ProducerSettings:
    try:
        return ProducerSettings.model_validate({})
    except ValidationError as error:
        raise SettingsError(sentences_of(error)) from None


def _of_given(given: intake.Receipt) -> Receipt:
    problems = (_KEY_CONFLICT,) if given.outcome == "conflict" else ()
    return Receipt(given.outcome, given.key, given.issuer, given.environment, given.document_id, given.state, problems)


def _of_job(job: Job, problem: Problem) -> Receipt:
    return Receipt("refused", job.idempotency_key, job.issuer, job.environment, problems=(problem,))


def _named(what: What) -> uuid.UUID | None:
    """The id that `what` names, if it names one."""
    if isinstance(what, Receipt):
        return what.document_id
    if isinstance(what, tuple):
        return None
    return what if isinstance(what, uuid.UUID) else uuid.UUID(what)


def _key(what: What) -> Key:
    """Issuer (canonical), environment and key of a document that has no id yet."""
    if isinstance(what, Receipt) and what.issuer and what.environment and what.key:
        return what.issuer, what.environment, what.key
    if isinstance(what, tuple):
        issuer, environment, key = what
        return canonical_shape(issuer), environment, key
    raise ValueError("a receipt of a refused job names no document: there is nothing to wait for")


def _first_id(what: What) -> uuid.UUID:
    """The id that the first document under a key has or will have."""
    return document_id(*_key(what), 1)
