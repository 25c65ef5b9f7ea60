"""One machine's FMgo: PostgreSQL, Valkey, the ledger's tables, a vault key and an evidence folder, under one folder.

Promises: what `with Sandbox() as sandbox` started is gone when the block ends, whether by its last line, an
exception, SIGINT, SIGTERM or SIGKILL; nothing outside the folder is changed; several sandboxes of one machine never
meet (each has its own folder, socket, port and password). A server named in the environment (``FMGO_DATABASE_URL``,
``FMGO_REDIS_URL``) is used instead of an embedded one, and which one runs is said.

A kept folder carries on where it stopped. A temporary one (`ephemeral`) is removed at the end.
"""

import base64
import hashlib
import json
import os
import secrets
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import psycopg
import redis
from alembic import command
from alembic.config import Config

from deploy.sandbox.servers import PostgreSQL, Valkey, free_port, open_to_all, package_folder, unprivileged_account
from deploy.sandbox.supervisor import Child, FolderBusyError, SandboxError, Supervisor, end_leftovers, lock_folder

_PREFIX: Final = "fmgo-sandbox-"
_ABANDONED_AFTER_SECONDS: Final = 60.0
_READY_SECONDS: Final = 30.0
_LOOK_EVERY_SECONDS: Final = 0.01

# What the simulator's port file calls each host, and the setting that names it to FMgo.
_SII_HOSTS: Final = {
    "dte": "FMGO_SII_SOAP_URL",
    "boleta_api": "FMGO_SII_REST_URL",
    "boleta_up": "FMGO_SII_REST_UPLOAD_URL",
    "reclamo": "FMGO_SII_CLAIMS_URL",
}


class Terminated(KeyboardInterrupt):
    """SIGTERM came; it ends the block, and so the sandbox, as ctrl-C does."""


class Sandbox:
    """Servers and processes of one folder, from entering the block to leaving it.

    `folder` defaults to ``.sandbox`` in the checkout (elsewhere where PostgreSQL's account couldn't get there). With
    `ephemeral` a fresh folder is made in the temporary directory and removed at the end; `folder` then has no part.
    `say` takes the lines meant for a person.

    Raises `SandboxError` (with a sentence) where a server doesn't start, and `FolderBusyError` where another sandbox
    runs in the folder.
    """

    def __init__(
        self, folder: Path | None = None, *, ephemeral: bool = False, say: Callable[[str], None] = print
    ) -> None:
        self.environment: Final[dict[str, str]] = {}
        self.folder = folder or default_folder()
        self._ephemeral = ephemeral
        self._say = say
        self._stack = ExitStack()
        self._supervisor: Supervisor | None = None
        self._processes: list[Child] = []

    @property
    def database_url(self) -> str:
        """Address of the ledger as libpq reads it (``postgresql://``)."""
        return self.environment["FMGO_DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        """Address of the Redis-protocol server, with password and database number."""
        return self.environment["FMGO_REDIS_URL"]

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs, one file each."""
        return self.folder / "logs"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(_interrupted_by(signal.SIGTERM))
            self._make_folder(stack)
            postgresql = PostgreSQL(self.folder)
            stack.callback(postgresql.forget)
            self._supervisor = stack.enter_context(Supervisor(self.folder))
            if self._ephemeral:
                self._supervisor.remove_if_killed(self.folder)
            stack.callback(self._end_processes)
            self._start_database(self._supervisor, postgresql)
            self._start_redis(self._supervisor)
            migrate(self.database_url)
            self._make_secrets()
            self._write_environment()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._supervisor = None

    def spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Child:
        """Start a process with the sandbox's `environment` (and `env` over it); its output goes to ``logs/NAME.log``.

        It ends with the sandbox: by SIGTERM and, if it is still there ten seconds later, by SIGKILL with its whole
        group. Raises `SandboxError` outside the block.
        """
        child = self._running().start(
            name,
            argv,
            env={**os.environ, **self.environment, **(env or {})},
            log=self.logs / f"{name}.log",
            cwd=self.folder,
        )
        self._processes.append(child)
        return child

    def end(self, *children: Child, patience: float = 10.0) -> None:
        """End processes before the sandbox does: SIGTERM to all, SIGKILL for what is left after `patience` seconds."""
        self._running().end(children, patience)
        self._processes = [child for child in self._processes if child not in children]

    def start_sii(self, *, seed: int | None = None, tls: bool = False) -> dict[str, str]:
        """Start the simulated SII and make it the one that `environment` names; with `tls` its authority is trusted.

        Returns its addresses: ``dte``, ``boleta_api``, ``boleta_up``, ``reclamo``, ``control``. Raises `SandboxError`
        if it is not there within 30 s.
        """
        home = self.folder / "sii"
        home.mkdir(mode=0o700, exist_ok=True)
        ports = home / "ports.json"
        argv = [sys.executable, "-m", "deploy.sandbox.sii", "--folder", str(home), "--port-file", str(ports)]
        argv += [word for name, port in _last_ports(ports) for word in (f"--{name}-port", str(port))]
        ports.unlink(missing_ok=True)
        argv += [] if seed is None else ["--seed", str(seed)]
        child = self.spawn("sii", argv + (["--tls"] if tls else []))
        self._await_file(ports, child)
        found = json.loads(ports.read_text(encoding="utf-8"))
        hosts = {name: str(found[name]) for name in (*_SII_HOSTS, "control")}
        self.environment.update({variable: hosts[name] for name, variable in _SII_HOSTS.items()})
        if tls:
            self.environment["FMGO_SII_CA_FILE"] = str(found["ca"])
        self._write_environment()
        self._say(f"SII: simulated, certification, {hosts['dte']}")
        return hosts

    def _await_file(self, path: Path, child: Child) -> None:
        """Return when `child` has written `path`, by which it says that it is ready."""
        deadline = time.monotonic() + _READY_SECONDS
        while not path.exists():
            child.check()
            if time.monotonic() > deadline:
                raise SandboxError(f"{child.name} was not ready after {_READY_SECONDS:.0f} s; see {child.log}")
            time.sleep(_LOOK_EVERY_SECONDS)

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise SandboxError("the sandbox isn't running: use it inside its `with` block")
        return self._supervisor

    def _make_folder(self, stack: ExitStack) -> None:
        # Root lends PostgreSQL an account, which must pass through this folder; it can't read what lies in it.
        mode = 0o711 if unprivileged_account() else 0o700
        if self._ephemeral:
            _remove_abandoned()
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder = self.folder.resolve()
        _ours(self.folder)
        self.folder.chmod(mode)
        for name in ("logs", "evidence"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    def _start_database(self, supervisor: Supervisor, server: PostgreSQL) -> None:
        given = os.environ.get("FMGO_DATABASE_URL")
        if given:
            self.environment["FMGO_DATABASE_URL"] = given
            with psycopg.connect(given) as connection:
                version = connection.info.server_version // 10000
            self._say(f"PostgreSQL {version}: {_without_secrets(given)} (from FMGO_DATABASE_URL)")
            return
        server.start(supervisor, self._server_environment())
        self.environment["FMGO_DATABASE_URL"] = server.url
        self._say(f"PostgreSQL {server.version()}: embedded, data in {server.folder}")

    def _start_redis(self, supervisor: Supervisor) -> None:
        given = os.environ.get("FMGO_REDIS_URL")
        if given:
            self.environment["FMGO_REDIS_URL"] = given
            with redis.Redis.from_url(given) as client:
                version = client.info("server")["redis_version"]
            self._say(f"Redis {version}: {_without_secrets(given)} (from FMGO_REDIS_URL)")
            return
        server = Valkey(self.folder)
        server.start(supervisor, self._server_environment())
        self.environment["FMGO_REDIS_URL"] = server.url
        self._say(f"Valkey {server.version()}: embedded, 127.0.0.1:{server.port}, data in {server.folder}")

    def _server_environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _make_secrets(self) -> None:
        """Make the vault key and name the evidence folder, unless the environment names its own."""
        self.environment["FMGO_EVIDENCE_DIR"] = os.environ.get("FMGO_EVIDENCE_DIR", str(self.folder / "evidence"))
        if "FMGO_VAULT_KEYS" in os.environ or "FMGO_VAULT_KEY_FILE" in os.environ:
            return
        path = self.folder / "vault.keys"
        if not path.exists():
            _write_closed(path, f"sandbox-1:{base64.b64encode(secrets.token_bytes(32)).decode('ascii')}\n")
        self.environment["FMGO_VAULT_KEY_FILE"] = str(path)

    def tell(self, variables: Mapping[str, str]) -> None:
        """Add settings for whatever is started from now on, also by a person from another shell."""
        self.environment.update(variables)
        self._write_environment()

    def _write_environment(self) -> None:
        """Write ``environment``, which a shell can source to reach this sandbox with its own `fmgo`."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(self.environment.items())]
        lines.append(f'export PATH={shlex.quote(str(Path(sys.prefix) / "bin"))}:"$PATH"\n')
        _write_closed(self.folder / "environment", "".join(lines))

    def _end_processes(self) -> None:
        if self._supervisor is not None:
            self._supervisor.end(reversed(self._processes), 10.0)
        self._processes = []


def _last_ports(file: Path) -> Iterator[tuple[str, int]]:
    """The ports of the simulated SII's last run that are still free, by the option that asks for them."""
    try:
        urls = json.loads(file.read_text(encoding="utf-8"))
        last = {name: urlsplit(str(urls[name])).port for name in (*_SII_HOSTS, "control")}
    except (OSError, ValueError, KeyError):
        return
    for name, port in last.items():
        if port and free_port(port) == port:
            yield name.replace("_", "-"), port


def migrate(database_url: str) -> None:
    """Bring the ledger at `database_url` (libpq's form) to the newest step of ``migrations``."""
    config = Config()
    config.set_main_option("script_location", str(package_folder("migrations")))
    # Alembic reads % as its own sign.
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    command.upgrade(config, "head")


def clear(folder: Path) -> None:
    """Remove a sandbox's folder, and end what a killed sandbox left running in it.

    Raises `FolderBusyError` where a sandbox runs in it, and `SandboxError` for a folder that is no sandbox's.
    """
    if not folder.exists():
        return
    _ours(folder)
    if any(folder.iterdir()) and not (folder / "lock").exists():
        raise SandboxError(f"{folder} isn't a sandbox's folder; it was left as it is, name another")
    descriptor = lock_folder(folder)
    try:
        end_leftovers(folder)
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def default_folder() -> Path:
    """Folder of the kept sandbox: ``.sandbox`` in the checkout, or in the user's state folder for an installed FMgo.

    Where root's account for PostgreSQL can't get there, a folder under /var/tmp whose name is derived from it.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        wanted = checkout / ".sandbox"
    else:
        wanted = (
            Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state").resolve() / "fmgo" / "sandbox"
        )
    above = next(path for path in wanted.parents if path.exists())
    if unprivileged_account() is None or open_to_all(above):
        return wanted
    return Path("/var/tmp") / f"{_PREFIX}{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]}"  # noqa: S108 (checked to be ours)


def _ours(folder: Path) -> None:
    """Refuse a folder that somebody else made under a name we would use."""
    if folder.stat().st_uid != os.geteuid():
        raise SandboxError(f"{folder} belongs to another user; name another folder or remove it")


def _remove_abandoned() -> None:
    """Remove temporary sandboxes whose supervisor and guard were both killed, and what still runs in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, FolderBusyError):
            lock = (folder / "lock").stat()
            if lock.st_uid != os.geteuid() or time.time() - lock.st_mtime < _ABANDONED_AFTER_SECONDS:
                continue
            descriptor = lock_folder(folder)
            try:
                end_leftovers(folder)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _write_closed(path: Path, text: str) -> None:
    """Write a file that only this user may read, in one step."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _without_secrets(url: str) -> str:
    """Scheme, host and path of a URL: what may be shown."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


@contextmanager
def _interrupted_by(number: signal.Signals) -> Iterator[None]:
    """Have the signal end the block as ctrl-C would."""

    def interrupt(*_: object) -> None:
        raise Terminated

    earlier = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, earlier)
