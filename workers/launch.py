"""How worker processes are started: the command of each kind, for the command line and the sandbox alike.

Kinds: `interactive` (prefork, one process: tills wait for it), `bulk` (prefork, a process a core, at a lower priority,
so that a backlog never stands before a till) and `threads` (uploads, questions, results, intake: they wait
for others, not for the processor). Each runs under a keeper, which begins it anew when it ends unasked
(`workers.keeper`).
"""

import os
import sys
from dataclasses import dataclass
from typing import Final

from workers.queues import QUEUES

THREADS: Final = 16
BULK_NICENESS: Final = 5


@dataclass(frozen=True, slots=True)
class Launch:
    """A worker's command, the variables it needs beside the settings, and its niceness."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    niceness: int


def concurrency_of(kind: str) -> int:
    """Processes or threads of a kind on this machine."""
    return {"interactive": 1, "threads": THREADS}.get(kind) or len(os.sched_getaffinity(0))


def launch(kind: str, concurrency: int | None = None) -> Launch:
    """How to start a worker of a kind; raises KeyError for an unknown one."""
    argv = (
        sys.executable,
        "-m",
        "workers.keeper",
        sys.executable,
        "-W",
        # Celery warns root twice; a container's only user is root, and whoever starts this knows it.
        "ignore:You're running the worker with superuser privileges",
        "-m",
        "workers.worker",
        "--pool",
        "threads" if kind == "threads" else "prefork",
        "--concurrency",
        str(concurrency or concurrency_of(kind)),
        "--queues",
        ",".join(QUEUES[kind]),
        "--hostname",
        f"{kind}@%h",
        "--without-mingle",
        "--without-gossip",
    )
    return Launch(argv, {"FMGO_WORKER_KIND": kind}, BULK_NICENESS if kind == "bulk" else 0)
