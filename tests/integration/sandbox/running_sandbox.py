"""A program that holds a sandbox open, for tests that kill it.

`python -m tests.integration.sandbox.running_sandbox [FOLDER]` prints one line of JSON when everything runs (all process
numbers and the folder) and waits for its end. The spawned process has a child of its own, as a Celery worker has its
pool.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.sandbox.guard import start_time
from deploy.sandbox.sandbox import Sandbox

_WORKER = (
    "import subprocess, sys, signal;"
    "child = subprocess.Popen([sys.executable, '-S', '-c', 'import signal; signal.pause()']);"
    "print(child.pid, flush=True);"
    "signal.pause()"
)


def descendants(pid: int) -> set[int]:
    """Numbers of all processes below `pid`."""
    answer = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in answer.splitlines())}
    found: set[int] = set()
    while True:
        more = {child for child, parent in parents.items() if parent in found | {pid}} - found
        if not more:
            return found
        found |= more


def main() -> None:
    """Hold the sandbox open until a signal ends it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with Sandbox(folder, ephemeral=folder is None, say=lambda line: None) as sandbox:
        worker = sandbox.spawn("worker", [sys.executable, "-S", "-c", _WORKER])
        while not worker.log_tail().strip().isdigit():
            worker.check()
        grandchild = int(worker.log_tail())
        report = {
            "folder": str(sandbox.folder),
            "environment": sandbox.environment,
            "worker": worker.pid,
            "grandchild": grandchild,
            "all": sorted(pid for pid in descendants(os.getpid()) if start_time(pid)),
        }
        print(json.dumps(report), flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
