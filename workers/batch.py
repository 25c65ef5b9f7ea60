"""Importing a file of jobs: JSON lines into the ledger by COPY, before any message.

A file is read as a stream, in chunks; each chunk is one transaction and then one bell. What is no job is kept among
the refused messages with its line number and never delays the lines beside it. Every job of a batch goes to the bulk
lane, whatever it says. The same file imported again is the same batch, and what it recorded before is known: an import
that was cut off is simply started again.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DataError

from domain.job import LARGEST, NotAJob, parse_job, too_large
from domain.problems import Problem, shown
from workers.cache.bounded import BEGINNING, Unread
from workers.database import intake
from workers.database.engine import Ledger
from workers.database.intake import IncomingJob
from workers.database.refused import RefusedMessage, refuse
from workers.logging import context_headers
from workers.outcome import Outcome
from workers.outside_bells import OutsideBells
from workers.refusals import refused_message, unread_message

CHUNK: Final = 2000
"""Jobs of one transaction."""
_PIECE: Final = 64 * 1024
_NAMESPACE: Final = uuid.UUID("3f0a5b1e-54f3-5c1c-9a53-6c5a0a8f4b1d")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no job, or whose key has another content."""

    number: int
    """Counted from 1."""
    outcome: Outcome
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Import:
    """What became of a file, as far as it was read."""

    batch: uuid.UUID
    counts: dict[Outcome, int] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)
    """The first bad lines, up to the number asked for; `counts` has them all."""

    def count(self, outcome: Outcome, times: int = 1) -> None:
        """Count outcomes."""
        self.counts[outcome] = self.counts.get(outcome, 0) + times


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    job: IncomingJob | None
    refused: RefusedMessage | None = None


def batch_of(path: Path) -> tuple[uuid.UUID, int]:
    """The batch that a file's bytes are, and the number of its lines that aren't blank. Raises OSError."""
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
            lines += bool(line.strip())
    return uuid.uuid5(_NAMESPACE, digest.hexdigest()), lines


class BatchImporter:
    """Imports files into one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        bells: OutsideBells,
        *,
        chunk: int = CHUNK,
        most_told: int = 1000,
        job_bytes: int = LARGEST,
    ) -> None:
        """Take the ledger and the bells; `most_told` bad lines are told in full, `job_bytes` is a line's limit."""
        self._job_bytes = job_bytes
        self._ledger = ledger
        self._bells = bells
        self._chunk = chunk
        self._most_told = most_told

    def run(
        self,
        file: BinaryIO,
        batch: uuid.UUID,
        *,
        name: str,
        total: int | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Import:
        """Read the file to its end; `progress` is told how many lines each chunk had.

        Raises DBAPIError when the ledger is away; chunks that were committed stay.
        """
        outcome = Import(batch)
        self._ledger.repeated(lambda tx: intake.register_batch(tx, batch, name, name, total))
        for lines in _chunks(_lines(file, batch, self._job_bytes), self._chunk):
            self._take(lines, outcome)
            progress(len(lines))
        self._ledger.repeated(lambda tx: intake.finish_batch(tx, batch))
        return outcome

    def _take(self, lines: Sequence[_Line], outcome: Import) -> None:
        jobs = [line for line in lines if line.job is not None]
        source = f"batch:{outcome.batch}"
        answers = self._record(jobs, source)
        bad = [line for line in lines if line.job is None]
        bad += [line for line, answer in zip(jobs, answers, strict=True) if answer is None]
        told: list[BadLine] = []
        recorded = 0
        for line, answer in zip(jobs, answers, strict=True):
            if answer is not None:
                outcome.count(answer.outcome)
                recorded += answer.outcome == "recorded"
                if answer.outcome == "conflict":
                    told.append(BadLine(line.number, "conflict", (_conflict(line),)))
        for line in bad:
            outcome.count("refused")
            told.append(BadLine(line.number, "refused", _kept(line).problems))
        if bad:
            refused = [_numbered(line) for line in bad]
            self._ledger.repeated(lambda tx: refuse(tx, refused, source))
        outcome.bad += sorted(told, key=lambda line: line.number)[: self._most_told - len(outcome.bad)]
        if recorded:
            self._bells.ring_for_jobs("bulk")

    def _record(self, lines: Sequence[_Line], source: str) -> list[intake.Receipt | None]:
        """Record lines by COPY; a half in a transaction of its own where PostgreSQL refuses the whole for its data."""
        jobs = [line.job for line in lines if line.job is not None]

        def copy(tx: Connection) -> list[intake.Receipt]:
            return intake.record_copied(tx, jobs, source)

        try:
            return list(self._ledger.repeated(copy))
        except DataError:
            if len(lines) == 1:
                return [None]
            middle = len(lines) // 2
            return self._record(lines[:middle], source) + self._record(lines[middle:], source)


_UNSTORABLE: Final = Problem("JOB-NOT-STORABLE", "", "The ledger can't store this job.")


def _lines(file: BinaryIO, batch: uuid.UUID, most: int) -> Iterator[_Line]:
    context = context_headers()
    number = 0
    while body := file.readline(most + 1):
        number += 1
        if len(body.rstrip(b"\r\n")) > most:
            yield _Line(number, None, _too_large(body, file, most))
            continue
        body = body.strip()
        if not body:
            continue
        try:
            job = parse_job(body, most)
        except NotAJob as error:
            yield _Line(number, None, refused_message(body, error.problems))
        else:
            bulk = job.model_copy(update={"lane": "bulk", "batch": batch})
            yield _Line(number, IncomingJob(bulk, body, context))


def _too_large(body: bytes, file: BinaryIO, most: int) -> RefusedMessage:
    """Read a line to its end without holding it."""
    size, digest, beginning = 0, hashlib.sha256(), body[:BEGINNING]
    while body:
        ends = body.endswith(b"\n")
        line = body.rstrip(b"\r\n") if ends else body
        size += len(line)
        digest.update(line)
        body = b"" if ends else file.readline(_PIECE)
    return unread_message(Unread(size, digest.hexdigest(), beginning), too_large(size, most).problems)


def _chunks(lines: Iterator[_Line], size: int) -> Iterator[list[_Line]]:
    chunk: list[_Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _conflict(line: _Line) -> Problem:
    key = shown(line.job.job.idempotency_key) if line.job else ""
    return Problem(
        "JOB-KEY-CONFLICT", "idempotency_key", f"The key {key} already belongs to a job with another content."
    )


def _kept(line: _Line) -> RefusedMessage:
    """What is kept of a bad line; one that was a job is one that the ledger can't store."""
    if line.refused is not None:
        return line.refused
    return refused_message(line.job.body if line.job else b"", [_UNSTORABLE])


def _numbered(line: _Line) -> RefusedMessage:
    kept = _kept(line)
    return replace(kept, reason=f"Line {line.number}: {kept.reason}")
