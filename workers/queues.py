"""Phases, lanes and queues: the names that messages travel under.

Phases are named as strings, so that nothing here imports them; a test checks that each exists. Jobs of Celery clients
come on a queue of their own, `fmgo.enqueue`, which is no phase's: the inbox reads it (`workers.celery_messages`).
"""

import os
from typing import Final

PHASES: Final[dict[str, str]] = {
    "fmgo.issue": "tasks.issue",
    "fmgo.dispatch": "tasks.dispatch",
    "fmgo.submit": "tasks.submit",
    "fmgo.track": "tasks.track",
    "fmgo.publish": "tasks.publish",
    "fmgo.mail": "tasks.mail",
    "fmgo.claims": "tasks.claims",
    "fmgo.sweep": "tasks.sweep",
}
LANED: Final = frozenset({"fmgo.issue", "fmgo.dispatch"})
LANES: Final = ("interactive", "bulk")

# Which process kind serves which queues. Interactive has processes of its own, so that no backlog stands before a till,
# nor does the envelope of the sale before: that is sealed on the threads.
QUEUES: Final[dict[str, tuple[str, ...]]] = {
    "interactive": ("fmgo.issue.interactive",),
    "bulk": ("fmgo.issue.bulk", "fmgo.dispatch.bulk"),
    "threads": (
        "fmgo.dispatch.interactive",
        "fmgo.submit",
        "fmgo.track",
        "fmgo.publish",
        "fmgo.mail",
        "fmgo.claims",
        "fmgo.sweep",
    ),
}

# Bells that may lie in a queue at once: as many as processes or threads would answer them.
ENOUGH: Final[dict[str, int]] = {
    "fmgo.issue.interactive": 2,
    "fmgo.issue.bulk": 4,
    "fmgo.dispatch.interactive": 2,
    "fmgo.dispatch.bulk": 4,
    "fmgo.submit": 8,
    "fmgo.track": 4,
    "fmgo.publish": 2,
    "fmgo.mail": 2,
    "fmgo.claims": 1,
    "fmgo.sweep": 1,
}


def worker_kind() -> str:
    """Kind of this worker, as its launcher said it (`fmgo worker KIND`)."""
    return os.environ.get("FMGO_WORKER_KIND", "pool")


def queue_of(phase: str, lane: str | None = None) -> str:
    """Name of the queue of a phase (and lane, for the phases that have lanes)."""
    return f"{phase}.{lane}" if phase in LANED else phase
