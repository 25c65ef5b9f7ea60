"""`fmgo.enqueue`: jobs of Celery clients become rows.

Takes a list of jobs, each an object or a string of JSON, as `workers.inbox.record_bodies` takes them from the plain
list; what is no job is kept with its reason and the good ones beside it go on.
"""

import json
from typing import Any

from tasks.base import phase
from workers.database.engine import ledger
from workers.inbox import record_bodies
from workers.logging import context_headers


@phase("fmgo.enqueue")
def enqueue(jobs: Any = None) -> None:
    """Record jobs."""
    several = jobs if isinstance(jobs, list) else [jobs]
    record_bodies(ledger(), [_bytes(job) for job in several], "celery", context_headers())


def _bytes(job: Any) -> bytes:
    text = job if isinstance(job, str) else json.dumps(job, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")
