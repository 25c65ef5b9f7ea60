"""The process that outlives a killed supervisor for a moment and leaves nothing running.

A supervisor that is killed with SIGKILL can't stop its children. The kernel then signals the children themselves
(`PR_SET_PDEATHSIG`), but not *their* children, such as the pool of a Celery worker; and a temporary folder would stay.
So the supervisor starts this script, outside its own session, and tells it over a pipe what runs. When the pipe ends
without the word ``done``, the supervisor is dead: the guard ends every process group it was told of, removes the
folders it was told to remove, and exits.

Lines on standard input: ``child PID START STOP`` (START: the kernel's start time of that process, STOP: the number of
the signal that ends it properly, or 9), ``gone PID``, ``remove FOLDER``, ``done``. Standard library only, run by path
with ``python -I -S``: it has to start in some 15 ms and must not depend on anything that it may have to clean up.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.02


def start_time(pid: int) -> str | None:
    """Start time of a process in the kernel's ticks since boot; None if there is no such process or only its zombie.

    Source: proc(5), ``/proc/PID/stat`` fields 3 (state) and 22 (starttime). ``os.kill(pid, 0)`` would call a zombie
    alive.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def end_groups(children: dict[int, tuple[str, int]], *, patience: float = _PATIENCE_SECONDS) -> None:
    """End the process groups led by `children` (pid -> start time, signal), the last one started first.

    Groups whose signal is SIGKILL end at once; the others (servers) get theirs and `patience` seconds before SIGKILL.
    """
    for pid, (start, stop) in reversed(children.items()):
        if stop == signal.SIGKILL:
            _signal_group(pid, start, signal.SIGKILL)
        elif start_time(pid) == start:
            with suppress(ProcessLookupError):
                os.kill(pid, stop)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(start_time(pid) == start for pid, (start, _) in children.items()):
        time.sleep(_LOOK_EVERY_SECONDS)
    for pid, (start, _) in children.items():
        _signal_group(pid, start, signal.SIGKILL)


def _signal_group(pid: int, start: str, number: int) -> None:
    """Signal the group that `pid` leads or led; a stranger that has got the same number since is left alone."""
    if start_time(pid) in (start, None):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


def main() -> None:
    """Listen until the pipe ends, then clean up unless told that it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    children: dict[int, tuple[str, int]] = {}
    folders: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "child":
            pid, start, stop = rest.split()
            children[int(pid)] = (start, int(stop))
        elif word == "gone":
            children.pop(int(rest), None)
        elif word == "remove":
            folders.append(rest)
        elif word == "done":
            return
    end_groups(children)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
