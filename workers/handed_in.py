"""Jobs as producers hold them: objects of Python, JSON text or bytes; read into what the ledger takes, or refused.

The bytes of a job are what is kept of it, so they are made once, here. Nothing is sent from here.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from domain.job import NotAJob, parse_job
from domain.money import unmistakable
from domain.problems import Problem, shown
from workers.database.intake import IncomingJob
from workers.logging import context_headers
from workers.outcome import Receipt

JobLike = Mapping[str, Any] | bytes | str
"""A job as an object, or as its JSON (bytes are UTF-8)."""


@dataclass(frozen=True, slots=True)
class Body:
    """A job's bytes as they came, with the log context of its producer and the other names it is answered under."""

    data: bytes
    context: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def read_job(job: JobLike, most_bytes: int) -> IncomingJob | Receipt:
    """The job with its bytes, or the receipt that says why it is none."""
    try:
        body = body_of(job)
        return IncomingJob(parse_job(body, most_bytes), body, context_headers())
    except NotAJob as error:
        key = job.get("idempotency_key") if isinstance(job, Mapping) else None
        return Receipt("refused", shown(key) if key is not None else None, None, None, problems=error.problems)


def body_of(job: JobLike) -> bytes:
    """The bytes of a job. Decimals, dates and UUIDs of Python become texts, which the format accepts."""
    if isinstance(job, bytes):
        return job
    if isinstance(job, str):
        return job.encode("utf-8", "surrogatepass")  # a lone surrogate is no UTF-8, and is refused as such
    try:
        return json.dumps(job, ensure_ascii=False, allow_nan=False, default=_plain).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise NotAJob(
            [Problem("JOB-JSON", "", f"This object can't be written as JSON: {shown(str(error))}.")]
        ) from None


def _plain(value: object) -> str | dict[str, Any]:
    if isinstance(value, Decimal):
        return unmistakable(format(value, "f") if value.is_finite() else str(value))
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no kind of JSON")
