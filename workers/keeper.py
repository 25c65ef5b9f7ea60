"""Keeps a worker: starts it, hands signals on to it, and begins it anew when it ends without having been told to.

`python -m workers.keeper COMMAND…` runs a command as its child. A worker outlives the outages of what it depends on,
so it ends unasked only where it must (it was declared dead, the ledger's epoch was raised, the kernel killed it);
then the keeper starts it again, after a pause that grows while it ends quickly. SIGTERM, SIGINT and SIGQUIT end both;
a worker that doesn't end within `STOP_SECONDS` is killed. The child's exit code is the keeper's own. When the keeper
dies, however it does, the child dies too.

Light on purpose: the standard library only, nothing of Celery or of FMgo is loaded.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

STOP_SECONDS: Final = 90.0
"""An upload that is under way may take 60 s, and the ledger 20 more to be told."""
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A worker that ran for this long is begun anew after the shortest pause."""
USAGE: Final = frozenset({2, 64})
"""Exit codes that say that the command itself is wrong: it won't be right the next time."""

_STOPPING: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
_HANDED_ON: Final = _STOPPING | {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
_AWAITED: Final = _HANDED_ON | {signal.SIGCHLD}
_FROM_THE_TERMINAL: Final = 0x80  # SI_KERNEL (sigaction(2)): the whole foreground group got it, so our child did too
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies: nothing beats on for a worker that is gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


class Keeper:
    """One command, kept running."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command: Final = tuple(command)
        self._stopping_since: float | None = None
        self._killed = False

    def run(self) -> int:
        """Keep it until it is told to end; returns its exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            code = self._attend(self._start())
            if self._stopping_since is not None:
                return 0 if code < 0 and not self._killed else abs(code)
            if code in USAGE:
                return code
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > STEADY_SECONDS else pause
            _say(f"the worker ended ({_told(code)}); it begins anew in {pause:g} s")
            if self._paused(pause):
                return 0
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    def _start(self) -> "subprocess.Popen[bytes]":
        parent = os.getpid()

        def prepare() -> None:
            die_with_parent()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
            if os.getppid() != parent:
                os._exit(1)

        return subprocess.Popen(self._command, preexec_fn=prepare)  # noqa: PLW1509 (this process has one thread)

    def _attend(self, child: "subprocess.Popen[bytes]") -> int:
        """Hand signals on until the child has ended; returns its exit code, negative for a signal."""
        while True:
            code = child.poll()
            if code is not None:
                return code
            got = signal.sigtimedwait(_AWAITED, 1.0)
            # Not every answer is a signal: after a SIGSTOP and SIGCONT of our own CPython gives one that means nothing.
            if got is not None and got.si_signo in _HANDED_ON:
                if got.si_signo in _STOPPING and self._stopping_since is None:
                    self._stopping_since = time.monotonic()
                if not (got.si_signo == signal.SIGINT and got.si_code == _FROM_THE_TERMINAL):
                    child.send_signal(got.si_signo)
            if self._stopping_since is not None and time.monotonic() - self._stopping_since > STOP_SECONDS:
                self._killed = True
                child.kill()

    def _paused(self, seconds: float) -> bool:
        """Wait before the next beginning; whether it was told to end meanwhile."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            got = signal.sigtimedwait(_AWAITED, left)
            if got is not None and got.si_signo in _STOPPING:
                return True
        return False


def _say(what: str) -> None:
    """Say something on standard error, in the form of the worker's own log."""
    if os.environ.get("FMGO_LOG_FORMAT", "json") == "json":
        at = datetime.now(tz=UTC).isoformat()
        line = json.dumps(
            {"event": "keeper.says", "said": what, "level": "warning", "logger": "workers.keeper", "at": at}
        )
    else:
        line = f"fmgo: {what}"
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _told(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


if __name__ == "__main__":
    raise SystemExit(Keeper(sys.argv[1:]).run())
