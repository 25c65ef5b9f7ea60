"""What earlier sandboxes left behind is cleared, and what isn't theirs is left alone."""

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from deploy.sandbox import guard
from deploy.sandbox import sandbox as sandbox_module
from deploy.sandbox import servers as servers_module
from deploy.sandbox.sandbox import Sandbox, clear, default_folder
from deploy.sandbox.supervisor import Account, FolderBusyError, SandboxError
from tests.integration.sandbox.watching import alive, guard_of, running, silent, until

WAITING = [sys.executable, "-S", "-c", "import signal; signal.pause()"]


@contextmanager
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of a session of its own."""
    with subprocess.Popen(WAITING, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Run the guard in this process with these lines on its pipe."""
    interrupt, terminate = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    try:
        guard.main()
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_guard_ends_what_it_was_told_of_when_the_pipe_ends(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "room").mkdir()
    with stranger() as child, stranger() as gone:
        starts = [guard.start_time(process.pid) for process in (child, gone)]
        lines = f"child {child.pid} {starts[0]} {number}\nchild {gone.pid} {starts[1]} 9\ngone {gone.pid}\n"
        told(monkeypatch, f"{lines}remove {tmp_path / 'room'}\n")
        assert child.wait(30) == -number
        assert gone.poll() is None
    assert not (tmp_path / "room").exists()


def test_guard_that_is_told_of_an_orderly_end_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stranger() as child:
        told(monkeypatch, f"child {child.pid} {guard.start_time(child.pid)} 9\nremove {tmp_path}\ndone\n")
        assert child.poll() is None
    assert tmp_path.exists()


def test_guard_leaves_a_stranger_with_the_same_number_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with stranger() as child:
        told(monkeypatch, f"child {child.pid} 1 9\nchild {child.pid} 1 15\n")
        assert child.poll() is None


def test_server_that_is_deaf_is_killed_after_its_time() -> None:
    deaf = [sys.executable, "-S", "-c", "import signal; signal.signal(15, signal.SIG_IGN); print(); signal.pause()"]
    with subprocess.Popen([*deaf[:1], "-u", *deaf[1:]], start_new_session=True, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        guard.end_groups({child.pid: (str(guard.start_time(child.pid)), signal.SIGTERM)}, patience=0.1)
        assert child.wait(30) == -signal.SIGKILL


def test_postgresql_that_no_list_names_is_ended_before_the_next_one_starts(folder: Path) -> None:
    with running(str(folder)) as (process, report):
        server = int((folder / "postgresql" / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGSTOP)  # so that it survives its supervisor for a while
        os.kill(guard_of(report), signal.SIGKILL)
        process.kill()
        process.wait()
        (folder / "processes").unlink()
        os.kill(server, signal.SIGCONT)
        with Sandbox(folder, say=silent) as sandbox, psycopg.connect(sandbox.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            until(lambda: alive([server]) == [], "the earlier server has ended")


def test_port_that_somebody_took_meanwhile_is_given_up_for_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
        probe.close()
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(servers_module, "free_port", lambda _last: next(ports))
        with Sandbox(folder, say=silent) as sandbox, redis.Redis.from_url(sandbox.redis_url) as client:
            assert client.ping()
            assert f":{free}/" in sandbox.redis_url


def sockets_of(report: dict[str, Any]) -> Path:
    """Folder of PostgreSQL's socket, which lies elsewhere when the sandbox's own path is long."""
    return Path(report["environment"]["FMGO_DATABASE_URL"].partition("host=")[2].partition("&")[0])


@pytest.mark.usefixtures("temporary")
def test_abandoned_temporary_sandbox_is_removed_by_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "_ABANDONED_AFTER_SECONDS", -1.0)
    with running() as (process, report):
        abandoned = Path(report["folder"])
        with Sandbox(ephemeral=True, say=silent):
            assert abandoned.exists(), "one that runs was taken for an abandoned one"
        os.kill(guard_of(report), signal.SIGKILL)
        process.kill()
        process.wait()
    assert abandoned.exists()
    with Sandbox(ephemeral=True, say=silent):
        assert not abandoned.exists()
    assert alive(report["all"]) == []


def test_socket_outside_of_a_killed_sandbox_is_removed_by_the_next_one(folder: Path) -> None:
    deep = folder / ("long" * 25)
    with running(str(deep)) as (process, report):
        assert not sockets_of(report).is_relative_to(deep)
        os.kill(guard_of(report), signal.SIGKILL)
        process.kill()
        process.wait()
    assert sockets_of(report).exists()
    with Sandbox(deep, say=silent):
        assert not sockets_of(report).exists()


def test_clearing_removes_a_sandbox_that_stands_still(folder: Path) -> None:
    with Sandbox(folder, say=silent), pytest.raises(FolderBusyError):
        clear(folder)
    clear(folder)
    assert not folder.exists()
    clear(folder)


def test_clearing_leaves_a_folder_that_is_no_sandbox(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SandboxError, match="isn't a sandbox's folder"):
        clear(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user_is_refused(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    with pytest.raises(SandboxError, match="belongs to another user"), Sandbox(folder, say=silent):
        pass


def test_installed_fmgo_keeps_its_sandbox_in_the_users_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module, "__file__", str(tmp_path / "lib" / "deploy" / "sandbox" / "sandbox.py"))
    monkeypatch.setattr(sandbox_module, "unprivileged_account", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_folder() == (tmp_path / "state" / "fmgo" / "sandbox").resolve()


def test_folder_out_of_reach_of_the_servers_account_is_replaced_by_one_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandbox_module, "unprivileged_account", lambda: Account(65534, 65534))
    monkeypatch.setattr(sandbox_module, "open_to_all", lambda path: False)
    assert default_folder().parent == Path("/var/tmp")
    assert default_folder() == default_folder()


def test_machine_without_an_account_for_the_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", nobody)
    with pytest.raises(SandboxError, match="neither a user postgres nor nobody"):
        servers_module.unprivileged_account()


def test_temporary_directory_is_left_as_it_was(temporary: Path) -> None:
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        assert sandbox.folder.parent == temporary
    assert list(temporary.iterdir()) == []
