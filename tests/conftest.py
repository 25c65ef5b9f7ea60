"""What every test may ask for: real servers, a fresh ledger, an empty Redis database, the folder of reference material.

Servers are those of one temporary sandbox per run (or the ones that FMGO_DATABASE_URL and FMGO_REDIS_URL name). A
test that needs the reference material asks for `shared` or is marked ``needs_shared``; without the folder it is
skipped by name, and `tests/shared_tests.txt` says which tests these are, so that none vanishes unseen.
"""

import itertools
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from deploy.sandbox.sandbox import Sandbox, migrate

ROOT = Path(__file__).resolve().parents[1]
SHARED_LIST = ROOT / "tests" / "shared_tests.txt"
_SHARED_MISSING = "needs the shared folder"
_redis_numbers = itertools.cycle(range(1, 16))


def shared_folder() -> Path | None:
    """The folder of reference material (FMGO_SHARED, by default ``../shared``), None where there is none."""
    folder = Path(os.environ.get("FMGO_SHARED") or ROOT.parent / "shared")
    return folder if (folder / "reference").is_dir() else None


def needs_shared(item: pytest.Item) -> bool:
    """Whether a test needs the folder: by its mark or by asking for the fixture."""
    return item.get_closest_marker("needs_shared") is not None or "shared" in getattr(item, "fixturenames", ())


def shared_tests(items: list[pytest.Item]) -> set[str]:
    """Names of the tests among `items` that need the folder, without their parameters (these may come from it)."""
    return {item.nodeid.partition("[")[0] for item in items if needs_shared(item)}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to write the list instead of running tests."""
    parser.addoption("--write-shared-list", action="store_true", help=f"write {SHARED_LIST.name} and stop")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the list when asked to."""
    if session.config.getoption("--write-shared-list"):
        SHARED_LIST.write_text("".join(f"{name}\n" for name in sorted(shared_tests(session.items))), encoding="utf-8")
        pytest.exit(f"{SHARED_LIST.name} is written", returncode=0)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the folder where it is missing; in CI that is a failure."""
    if needs_shared(item) and shared_folder() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must run with the shared folder beside the clone", pytrace=False)
        pytest.skip(_SHARED_MISSING)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests the missing folder has cost."""
    skipped = [report for report in terminalreporter.getreports("skipped") if _SHARED_MISSING in str(report.longrepr)]
    if not skipped:
        return
    names = sorted({report.nodeid.partition("[")[0] for report in skipped})
    listed = SHARED_LIST.read_text(encoding="utf-8").splitlines()
    terminalreporter.section(f"the shared folder is missing: {len(names)} of {len(listed)} listed tests were skipped")
    for name in names:
        terminalreporter.write_line(name)


@pytest.fixture(scope="session", autouse=True)
def _nobody_asks_the_real_sii() -> Iterator[None]:
    """No name of the SII's domain is looked up by a test; what a test starts is told its hosts by the sandbox."""
    look_up = socket.getaddrinfo

    def guarded(host: Any, *more: Any, **named: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if f".{name.rstrip('.').lower()}".endswith(".sii.cl"):
            raise AssertionError(f"a test asks for the real {name}")
        return look_up(host, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded)
        yield


@pytest.fixture
def shared() -> Path:
    """The folder of reference material."""
    folder = shared_folder()
    assert folder is not None, "pytest_runtest_setup lets no test come here without the folder"
    return folder


@pytest.fixture(scope="session")
def servers() -> Iterator[Sandbox]:
    """PostgreSQL and Valkey of this run."""
    with Sandbox(ephemeral=True) as sandbox:
        if "FMGO_DATABASE_URL" not in os.environ:
            # Databases by the hundred are made and dropped here, and no test pulls the machine's plug.
            with psycopg.connect(sandbox.database_url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
        yield sandbox


@pytest.fixture(scope="session")
def ledger_template(servers: Sandbox) -> Iterator[str]:
    """Name of a migrated, empty database from which each test's own is copied."""
    name = f"fmgo_test_template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        migrate(with_database(servers.database_url, name))
        yield name
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def database(servers: Sandbox, ledger_template: str) -> Iterator[str]:
    """Address (libpq's form) of a freshly migrated ledger that only this test uses."""
    name = f"fmgo_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{ledger_template}"'.encode())
        yield with_database(servers.database_url, name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def redis_url(servers: Sandbox) -> str:
    """Address of an empty Redis database that only this test uses."""
    parts = urlsplit(servers.redis_url)
    url = urlunsplit(parts._replace(path=f"/{next(_redis_numbers)}"))
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def environment(servers: Sandbox, database: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """FMGO_ variables for processes of this test: its own ledger, Redis database and evidence folder."""
    evidence = tmp_path / "evidence"
    evidence.mkdir(mode=0o700, exist_ok=True)
    return {
        **servers.environment,
        "FMGO_DATABASE_URL": database,
        "FMGO_REDIS_URL": redis_url,
        "FMGO_EVIDENCE_DIR": str(evidence),
    }


def with_database(url: str, name: str) -> str:
    """The address `url` with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
