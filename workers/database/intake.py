"""Recording jobs and keeping what is no job.

`record` is one call of `fmgo_enqueue` for a chunk; `record_copied` is the same through COPY for thousands. A chunk
that PostgreSQL refuses is halved until the bad job stands alone (`record_halving`).
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from domain.job import Job, body_hash
from domain.problems import Problem
from workers.database.engine import Ledger, as_sqlalchemy, run
from workers.database.refused import RefusedMessage, refuse

# What PostgreSQL says of a job that it can't hold, whoever asks again.
REFUSED: Final = (DataError, IntegrityError)

Outcome = Literal["recorded", "known", "conflict", "refused"]


@dataclass(frozen=True, slots=True)
class IncomingJob:
    """A parsed job with the bytes it came as (`body`, UTF-8 JSON) and the log context of its producer."""

    job: Job
    body: bytes
    context: dict[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one job: `document_id` is None only when it was refused before it got one."""

    document_id: uuid.UUID | None
    outcome: Outcome
    state: str | None
    key: str
    issuer: str
    environment: str


RECORD = """
    SELECT ordinal, document_id, outcome, state
    FROM fmgo_enqueue((
        SELECT array_agg(ROW(j.*)::fmgo_job ORDER BY j.ordinal)
        FROM unnest(CAST(:ordinals AS integer[]), CAST(:issuers AS text[]), CAST(:environments AS text[]),
                    CAST(:keys AS text[]), CAST(:hashes AS bytea[]), CAST(:lanes AS text[]), CAST(:branches AS text[]),
                    CAST(:tills AS text[]), CAST(:batches AS uuid[]), CAST(:bodies AS bytea[]),
                    CAST(:contexts AS jsonb[]))
             AS j (ordinal, issuer, environment, key, body_hash, lane, branch, till, batch, body, context)
    ), :source)
"""

COPIED = """
    SELECT ordinal, document_id, outcome, state
    FROM fmgo_enqueue((
        SELECT array_agg(ROW(j.*)::fmgo_job ORDER BY j.ordinal) FROM incoming_jobs j
    ), :source)
"""


def _row(ordinal: int, incoming: IncomingJob) -> tuple[Any, ...]:
    job = incoming.job
    return (
        ordinal,
        job.issuer,
        job.environment,
        job.idempotency_key,
        body_hash(job),
        job.lane,
        job.branch,
        job.till,
        job.batch,
        incoming.body,
        json.dumps(incoming.context),
    )


def _receipts(jobs: Sequence[IncomingJob], rows: Sequence[Any]) -> list[Receipt]:
    by_ordinal = {row.ordinal: row for row in rows}
    return [
        Receipt(
            document_id=by_ordinal[n].document_id,
            outcome=cast("Outcome", by_ordinal[n].outcome),
            state=by_ordinal[n].state,
            key=incoming.job.idempotency_key,
            issuer=incoming.job.issuer,
            environment=incoming.job.environment,
        )
        for n, incoming in enumerate(jobs)
    ]


def record(tx: Connection, jobs: Sequence[IncomingJob], source: str) -> list[Receipt]:
    """Record a chunk of jobs; receipts come in the order of the jobs.

    Raises DBAPIError as PostgreSQL gives it: the whole chunk is then not recorded.
    """
    if not jobs:
        return []
    columns = list(zip(*(_row(n, incoming) for n, incoming in enumerate(jobs)), strict=True))
    names = (
        "ordinals",
        "issuers",
        "environments",
        "keys",
        "hashes",
        "lanes",
        "branches",
        "tills",
        "batches",
        "bodies",
        "contexts",
    )
    values = {name: list(column) for name, column in zip(names, columns, strict=True)}
    return _receipts(jobs, run(tx, RECORD, source=source, **values).all())


def record_copied(tx: Connection, jobs: Sequence[IncomingJob], source: str) -> list[Receipt]:
    """Record a large chunk through COPY; otherwise as `record`."""
    if not jobs:
        return []
    tx.exec_driver_sql(
        "CREATE TEMPORARY TABLE incoming_jobs (ordinal integer, issuer text, environment text, key text,"
        " body_hash bytea, lane text, branch text, till text, batch uuid, body bytea, context jsonb) ON COMMIT DROP"
    )
    driver = cast("Any", tx.connection.driver_connection)
    with as_sqlalchemy(), driver.cursor() as cursor, cursor.copy("COPY incoming_jobs FROM STDIN") as copy:
        for n, incoming in enumerate(jobs):
            copy.write_row(_row(n, incoming))
    receipts = _receipts(jobs, run(tx, COPIED, source=source).all())
    tx.exec_driver_sql("DROP TABLE incoming_jobs")
    return receipts


def record_halving(ledger: Ledger, jobs: Sequence[IncomingJob], source: str) -> list[Receipt]:
    """Record jobs, each half in a transaction of its own where the whole is refused for its data.

    A job that PostgreSQL refuses alone is kept among the refused messages, with PostgreSQL's reason.
    """
    try:
        return ledger.repeated(lambda tx: record(tx, jobs, source))
    except DBAPIError as error:
        if not isinstance(error, REFUSED):
            raise
        if len(jobs) > 1:
            middle = len(jobs) // 2
            return record_halving(ledger, jobs[:middle], source) + record_halving(ledger, jobs[middle:], source)
        job = jobs[0].job
        problem = Problem("JOB-NOT-STORABLE", "", f"The ledger refused this job: {error.orig}")
        message = RefusedMessage(
            problem.code,
            problem.message,
            jobs[0].body,
            len(jobs[0].body),
            hashlib.sha256(jobs[0].body).hexdigest(),
            job.issuer,
            job.environment,
            job.idempotency_key,
            (problem,),
        )
        ledger.repeated(lambda tx: refuse(tx, [message], source))
        return [Receipt(None, "refused", None, job.idempotency_key, job.issuer, job.environment)]


def finish_batch(tx: Connection, batch: uuid.UUID) -> None:
    """Note that a batch's file was read to its end; an import of the same file again changes nothing."""
    run(tx, "UPDATE batches SET finished_at = fmgo_now() WHERE id = :id AND finished_at IS NULL", id=batch)


def register_batch(tx: Connection, batch: uuid.UUID, name: str, source: str | None, total: int | None) -> None:
    """Open a batch, or leave it as it is if it is known."""
    run(
        tx,
        "INSERT INTO batches (id, name, source, total) VALUES (:id, :name, :source, :total) ON CONFLICT DO NOTHING",
        id=batch,
        name=name,
        source=source,
        total=total,
    )
