"""Processes of one sandbox: started, watched and ended together, however their supervisor ends.

Promises, for every process started here and for its children:

* an orderly `Supervisor.stop` ends them in the reverse of their order, each by the signal it understands, and by
  SIGKILL after its patience;
* when this process dies, even by SIGKILL, they die: the kernel signals each child (prctl(2), ``PR_SET_PDEATHSIG``)
  and a guard (`deploy.sandbox.guard`) ends the whole groups;
* where both of these were killed too, the next supervisor of the same folder ends what the folder's list names
  (process number and start time) and what carries the folder in its environment; so never a stranger.

Nothing is restarted here: a worker has a keeper of its own (`workers.keeper`), and a server that ends is an error that
`Child.check` raises.

Children run in sessions of their own: an interrupt at the terminal reaches the supervisor alone, which stops them in
order. The kernel's signal comes when the *thread* that started a child ends, so `start` is refused outside the main
thread.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.sandbox import guard

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_MARK: Final = "FMGO_SANDBOX_FOLDER"  # in the environment of everything that runs in a folder
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class SandboxError(Exception):
    """The sandbox can't start or go on; the sentence says why and what a person can do."""


class FolderBusyError(SandboxError):
    """Another sandbox is running in this folder; stop that one first or name another folder."""


class ChildEndedError(SandboxError):
    """A process that should be running has ended; the end of its log is in the sentence."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine that a process runs as."""

    uid: int
    gid: int


class Child:
    """One process under supervision; `log` is the file that holds its standard output and error."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, stop_signal: signal.Signals) -> None:
        self.name: Final = name
        self.log: Final = log
        self.stop_signal: Final = stop_signal
        self._process: Final = process

    @property
    def pid(self) -> int:
        """Process number, which is also its group's."""
        return self._process.pid

    def poll(self) -> int | None:
        """Exit status as `subprocess` gives it (negative: ended by that signal), None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait `timeout` seconds for its end; raises `subprocess.TimeoutExpired`."""
        return self._process.wait(timeout)

    def send(self, number: int) -> None:
        """Send a signal to the process (not to its group); nothing happens if it has ended."""
        self._process.send_signal(number)

    def terminate(self) -> None:
        """Ask it to end, by the signal it understands as that."""
        self.send(self.stop_signal)

    def kill(self) -> None:
        """End it and its whole group at once with SIGKILL."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """Last `lines` lines of the log, for a person."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def check(self) -> None:
        """Raise `ChildEndedError` if it no longer runs."""
        status = self.poll()
        if status is not None:
            raise ChildEndedError(f"{self.name} ended with status {status}; the end of {self.log}:\n{self.log_tail()}")


def dies_with_parent(number: int) -> Callable[[], None]:
    """Return what a child calls between fork and exec, so that the kernel signals it when its parent's thread ends.

    For `preexec_fn`. A parent that died before this ran is seen by the changed parent number.
    """
    parent = os.getpid()

    def ask() -> None:
        if _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(127)

    return ask


class Supervisor:
    """All processes of one folder, which it holds locked while it lives.

    Context manager. Raises `FolderBusyError` on entering if a living supervisor holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []
        self._lock: int | None = None
        self._guard: subprocess.Popen[str] | None = None

    @property
    def _list(self) -> Path:
        return self._folder / "processes"

    def __enter__(self) -> Self:
        self._lock = lock_folder(self._folder)
        end_leftovers(self._folder)
        self._list.write_text("", encoding="utf-8")
        self._guard = subprocess.Popen(
            (sys.executable, "-I", "-S", guard.__file__),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        account: Account | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Start `argv` with `env` (and the folder's mark, nothing else), its output appended to `log`.

        `stop_signal` is what `stop` sends, `death_signal` what it gets when we die. `account` (root only) is the user
        it runs as. Raises `SandboxError` outside the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            raise SandboxError("processes of a sandbox must be started by the main thread: they die with their thread")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                tuple(argv),
                env={**env, _MARK: str(self._folder)},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=() if account else None,
                preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509 (a bound C function, no lock is taken)
            )
        start = guard.start_time(process.pid) or "0"
        self._tell(f"child {process.pid} {start} {int(death_signal)}")
        self._note(f"{process.pid} {start} {int(death_signal)}")
        child = Child(name, process, log, stop_signal)
        self._children.append(child)
        return child

    def remove_if_killed(self, folder: Path) -> None:
        """Have `folder` removed if we are killed: by the guard, or by the next supervisor if it was killed too.

        At an orderly end that is its owner's work.
        """
        self._tell(f"remove {folder}")
        if folder != self._folder:
            self._note(f"remove {folder}")

    def end(self, children: Iterable[Child], patience: float) -> None:
        """Ask `children` to end, all at once; after `patience` seconds in all, kill what is left of their groups."""
        chosen = list(children)
        for child in chosen:
            child.terminate()
        for child in chosen:
            began = time.monotonic()
            with suppress(subprocess.TimeoutExpired):
                child.wait(patience)
            patience = max(0.0, patience - (time.monotonic() - began))
            child.kill()
            self._tell(f"gone {child.pid}")
            if child in self._children:
                self._children.remove(child)

    def stop(self, patience: float = 15.0) -> None:
        """End everything, the last started first, and let the folder go. Calling it again does nothing."""
        while self._children:
            self.end([self._children[-1]], patience)
        if self._guard is not None:
            self._tell("done")
            if self._guard.stdin is not None:
                with suppress(BrokenPipeError):
                    self._guard.stdin.close()
            self._guard.wait()
            self._guard = None
        if self._lock is not None:
            self._list.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _note(self, line: str) -> None:
        """Add a line to the folder's list, for the next supervisor."""
        with self._list.open("a", encoding="utf-8") as listing:
            listing.write(line + "\n")

    def _tell(self, line: str) -> None:
        """Send a line to the guard. One that somebody killed is no reason to stop: the kernel's signal remains."""
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(BrokenPipeError):
                self._guard.stdin.write(line + "\n")
                self._guard.stdin.flush()


def lock_folder(folder: Path) -> int:
    """Take the folder's lock, which ends with this process, and return its descriptor; raises `FolderBusyError`."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderBusyError(
            f"a sandbox is already running in {folder}; stop it first or choose another folder"
        ) from None
    return descriptor


def end_leftovers(folder: Path) -> None:
    """End what an earlier supervisor of `folder`, now dead, has left running. The caller holds the folder's lock.

    What it started is in the folder's list; what these started in turn carries the folder in its environment.
    """
    listed: dict[int, tuple[str, int]] = {}
    with suppress(FileNotFoundError):
        for line in (folder / "processes").read_text(encoding="utf-8").splitlines():
            word, _, outside = line.partition(" ")
            if word == "remove":
                shutil.rmtree(outside, ignore_errors=True)
                continue
            with suppress(ValueError):  # a line cut short by the end of its writer
                pid, start, stop = line.split()
                if guard.start_time(int(pid)) == start:
                    listed[int(pid)] = (start, int(stop))
    if listed:
        guard.end_groups(listed)
    mark = f"{_MARK}={folder}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or is another user's
            if mark in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGKILL)
