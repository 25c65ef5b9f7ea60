"""The way in for jobs: recording bodies from anywhere, and reading the plain job list.

`fmgo.jobs` is a Redis list of raw UTF-8 JSON, so that any language can put a job on it without a client of Celery. It
is read here with redis-py, never through kombu: a body is moved to a list of this process (`BLMOVE`), recorded in the
ledger, and only then deleted; the sweep returns the lists of dead processes.
"""

import threading
from collections.abc import Sequence
from typing import Final

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.job import parse_job
from domain.problems import DomainError
from workers.bells import doorbell, ring
from workers.database import intake
from workers.database.engine import Ledger, ledger
from workers.database.intake import IncomingJob, Receipt, RefusedMessage
from workers.process import this_process

log: Final = structlog.get_logger(__name__)

LIST: Final = "fmgo.jobs"
TAKEN: Final = "fmgo.jobs.taken:"
CHUNK: Final = 200


def record_bodies(
    into: Ledger, bodies: Sequence[bytes], source: str, context: dict[str, str] | None = None
) -> list[Receipt | RefusedMessage]:
    """Record raw jobs, keep what is none, and ring; what came of each, in order. All of it is committed on return."""
    outcomes: list[Receipt | RefusedMessage | None] = [None] * len(bodies)
    jobs: list[tuple[int, IncomingJob]] = []
    refused: list[RefusedMessage] = []
    for n, body in enumerate(bodies):
        try:
            jobs.append((n, IncomingJob(parse_job(body), body, context or {})))
        except DomainError as error:
            message = RefusedMessage(
                error.problems[0].code, " ".join(problem.message for problem in error.problems), body
            )
            refused.append(message)
            outcomes[n] = message
    if refused:
        into.repeated(lambda tx: intake.refuse(tx, refused, source))
    receipts = intake.record_halving(into, [job for _, job in jobs], source) if jobs else []
    for (n, _), receipt in zip(jobs, receipts, strict=True):
        outcomes[n] = receipt
    lanes = {job.job.lane for (_, job), receipt in zip(jobs, receipts, strict=True) if receipt.outcome == "recorded"}
    for lane in sorted(lanes, reverse=True):
        ring("fmgo.issue", lane)
    if refused or not lanes:
        log.info("intake", source=source, jobs=len(jobs), refused=len(refused))
    return [outcome for outcome in outcomes if outcome is not None]


class InboxReader:
    """Reads the plain list in a thread of its own until it is stopped."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="inbox", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the chunk at hand."""
        self._ended.set()
        self._thread.join(timeout=5)

    def _read(self) -> None:
        mine = f"{TAKEN}{this_process().id}"
        while not self._ended.is_set():
            try:
                self._take(mine)
            except (redis.RedisError, SQLAlchemyError, OSError) as error:
                log.warning("inbox.pause", error=type(error).__name__)
                self._ended.wait(1)

    def _take(self, mine: str) -> None:
        """Take a chunk (what an earlier fault left in our list comes first), record it, delete it."""
        client = doorbell()
        bodies = client.lrange(mine, 0, CHUNK - 1)
        if not bodies:
            first = client.blmove(LIST, mine, 1, "RIGHT", "LEFT")
            if first is None:
                return
            pipeline = client.pipeline(transaction=False)
            for _ in range(CHUNK - 1):
                pipeline.lmove(LIST, mine, "RIGHT", "LEFT")
            bodies = [first, *(body for body in pipeline.execute() if body is not None)]
        else:
            bodies = list(reversed(bodies))
        record_bodies(ledger(), [body if isinstance(body, bytes) else body.encode() for body in bodies], "list")
        client.delete(mine)


def start_reading() -> InboxReader:
    """Start this process's reader."""
    reader = InboxReader()
    reader.start()
    return reader


def return_lists(dead: Sequence[int]) -> int:
    """Put back what dead processes had taken from the list; returns how many bodies."""
    client = doorbell()
    returned = 0
    for worker in dead:
        while client.lmove(f"{TAKEN}{worker}", LIST, "RIGHT", "LEFT") is not None:
            returned += 1
    return returned


def orphaned_lists() -> list[int]:
    """Numbers of the processes that have a list of taken bodies now."""
    prefix = TAKEN.encode()
    return [int(key[len(prefix) :]) for key in doorbell().scan_iter(match=f"{TAKEN}*")]
