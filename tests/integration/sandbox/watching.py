"""Ways to look at sandboxes of other processes, and to wait."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.sandbox.guard import start_time


def silent(line: str) -> None:
    """Say nothing."""


def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for a condition; fail with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    waiter = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        waiter.wait(0.01)


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that still run (a zombie doesn't)."""
    return [pid for pid in pids if start_time(pid) is not None]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox held open by another process, with its report."""
    command = [sys.executable, "-m", "tests.integration.sandbox.running_sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the sandbox did not start"
        try:
            yield process, json.loads(line)
        finally:
            process.kill()


def guard_of(report: dict[str, Any]) -> int:
    """The guard among the reported processes."""
    for pid in report["all"]:
        with suppress(OSError):
            if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    raise AssertionError("there is no guard")
