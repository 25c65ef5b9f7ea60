"""The keeper: it begins a worker anew, hands signals on, ends with it, and never leaves it behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.waiting import wait_until

# Writes its number at each beginning, and ends in good order by SIGTERM with a code of its own.
COMMAND = """
import os, signal, sys
def end(*_): sys.exit(7)
signal.signal(signal.SIGTERM, end)
with open(sys.argv[1], "a") as file: file.write(f"{os.getpid()}\\n")
while True: signal.pause()
"""

Begun = Callable[[int], list[int]]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Begun]]:
    """A keeper with its worker, and what waits for so many beginnings and gives their process numbers."""
    numbers = tmp_path / "numbers"
    command = [sys.executable, "-m", "workers.keeper", sys.executable, "-c", COMMAND, str(numbers)]
    keeper = subprocess.Popen(command)

    def begun(times: int) -> list[int]:
        def there() -> list[int]:
            found = [int(line) for line in numbers.read_text().splitlines()] if numbers.exists() else []
            return found if len(found) >= times else []

        return wait_until(there, f"it didn't begin {times} times")

    yield keeper, begun
    keeper.kill()
    keeper.wait()


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_is_killed_begins_anew(kept: tuple[subprocess.Popen[bytes], Begun]) -> None:
    keeper, begun = kept
    (first,) = begun(1)
    os.kill(first, signal.SIGKILL)
    assert begun(2)[1] != first
    assert keeper.poll() is None


def test_a_keeper_that_was_paused_goes_on(kept: tuple[subprocess.Popen[bytes], Begun]) -> None:
    keeper, begun = kept
    (first,) = begun(1)
    for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGSTOP, signal.SIGCONT):
        os.kill(keeper.pid, number)
    os.kill(first, signal.SIGKILL)
    begun(2)
    assert keeper.poll() is None


def test_sigterm_ends_both_with_the_workers_own_code(kept: tuple[subprocess.Popen[bytes], Begun]) -> None:
    keeper, begun = kept
    (first,) = begun(1)
    keeper.terminate()
    assert keeper.wait(60) == 7
    assert not is_there(first)


def test_a_keeper_that_is_killed_takes_its_worker_with_it(kept: tuple[subprocess.Popen[bytes], Begun]) -> None:
    keeper, begun = kept
    (first,) = begun(1)
    keeper.kill()
    keeper.wait()
    wait_until(lambda: not is_there(first), "the worker lives on")


def test_a_command_line_that_is_wrong_ends_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.keeper", sys.executable, "-c", "raise SystemExit(2)"], check=False, timeout=60
    )
    assert done.returncode == 2
