"""The command `fmgo` in a process of its own, against the running works or another ledger beside it."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from deploy.sandbox.enrol import SandboxEnrolment
from deploy.sandbox.sandbox import migrate
from tests.acceptance.works import Works
from workers.database.engine import Ledger
from workers.settings import Settings


@dataclass(frozen=True)
class Said:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def fmgo(environment: Mapping[str, str], *arguments: object) -> Said:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli.main", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Elsewhere:
    """A second installation beside the works, with a ledger of its own and the same SII; nobody works there."""

    environment: dict[str, str]
    ledger: Ledger
    enrolment: SandboxEnrolment

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.ledger.url) as connection:
            return connection.execute(query.encode(), values).fetchall()


@contextmanager
def elsewhere(works: Works) -> Iterator[Elsewhere]:
    """Another program's successor: an empty FMgo that takes a company over."""
    server, name = works.sandbox.database_url, f"fmgo_elsewhere_{uuid.uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    migrate(url)
    cache = urlunsplit(urlsplit(works.sandbox.redis_url)._replace(path="/7"))
    environment = {**works.sandbox.environment, "FMGO_DATABASE_URL": url, "FMGO_REDIS_URL": cache}
    fields = {key.removeprefix("FMGO_").lower(): value for key, value in environment.items()}
    ledger = Ledger(url)
    try:
        yield Elsewhere(environment, ledger, SandboxEnrolment(ledger, works.sii, Settings.model_validate(fields)))
    finally:
        ledger.dispose()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
