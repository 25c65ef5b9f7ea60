"""Recording jobs that came from outside: bytes become rows, and what is no job is kept with its reason and answered.

All of it is committed when a function returns; bells and answers follow the commit.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from domain.job import parse_job
from domain.problems import DomainError
from workers.bells import ring
from workers.database import intake
from workers.database.engine import Ledger
from workers.database.intake import IncomingJob, Receipt
from workers.database.refused import RefusedMessage, refuse
from workers.handed_in import Body
from workers.refusals import refused_message
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

MOST_AT_ONCE: Final = 500
"""Jobs of one transaction."""

Reading = IncomingJob | RefusedMessage


def read_body(body: Body) -> Reading:
    """The job that a body is, or why it is none."""
    try:
        return IncomingJob(parse_job(body.data, settings().job_bytes), body.data, body.context)
    except DomainError as error:
        return refused_message(body.data, error.problems, body.names)


def record_readings(into: Ledger, readings: Sequence[Reading], source: str) -> list[Receipt | RefusedMessage]:
    """Record jobs, keep what is none, and ring; what came of each, in order.

    Raises DBAPIError when the ledger can't be written now; what was committed by then is known at the next try.
    """
    outcomes: list[Receipt | RefusedMessage] = []
    for start in range(0, len(readings), MOST_AT_ONCE):
        outcomes += _record(into, readings[start : start + MOST_AT_ONCE], source)
    return outcomes


def _record(into: Ledger, readings: Sequence[Reading], source: str) -> list[Receipt | RefusedMessage]:
    refused = [reading for reading in readings if isinstance(reading, RefusedMessage)]
    jobs = [reading for reading in readings if isinstance(reading, IncomingJob)]
    if refused:
        into.repeated(lambda tx: refuse(tx, refused, source))
    receipts = intake.record_halving(into, jobs, source) if jobs else []
    lanes = {job.job.lane for job, receipt in zip(jobs, receipts, strict=True) if receipt.outcome == "recorded"}
    for lane in sorted(lanes, reverse=True):
        ring("fmgo.issue", lane)
    if refused or any(receipt.outcome in ("conflict", "refused") for receipt in receipts):
        ring("fmgo.publish")  # whoever waits is told that it is no job
    if refused or not lanes:
        log.info("intake", source=source, jobs=len(jobs), refused=len(refused))
    following = iter(receipts)
    return [next(following) if isinstance(reading, IncomingJob) else reading for reading in readings]
