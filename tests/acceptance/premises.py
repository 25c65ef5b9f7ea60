"""A running FMgo whose wires to the ledger and to Redis a test may break, with servers of its own.

The workers and the test itself reach both servers through wires (`tests.acceptance.wire`); what a test does to the
servers as their operator goes straight to them.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import psycopg
import redis

from deploy.sandbox.crew import KINDS
from deploy.sandbox.people import Company
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.servers import PostgreSQL
from deploy.sandbox.supervisor import Child, Supervisor
from tests.acceptance.books import check_books
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.wire import Wire
from tests.acceptance.works import Works

DEAD_AFTER_SECONDS: Final = 3.0
QUICKER: Final = {
    "FMGO_DEAD_AFTER_SECONDS": str(DEAD_AFTER_SECONDS),
    "FMGO_STATEMENT_SECONDS": "4",
    "FMGO_SII_UPLOADS_PER_MINUTE": "6000",
}
ENDS: Final = "process.is_over"
COMPLAINTS: Final = ("[warning", "[error", "[critical", "Traceback")
FLOOD: Final = 30
"""Complaints that a worker may write in an outage: each of its processes some, on what it was at and once a cause."""


class Premises:
    """The works, their wires, and the servers behind these."""

    def __init__(self, works: Works, to_ledger: Wire, to_redis: Wire, server: str, valkey: str) -> None:
        self.works: Final = works
        self.to_ledger: Final = to_ledger
        self.to_redis: Final = to_redis
        self.server: Final = server
        self.valkey: Final = redis.Redis.from_url(valkey)

    # ---- outages ---------------------------------------------------------------------------------------------------

    def marks(self) -> dict[str, int]:
        """How long each worker's log is now."""
        return {kind: child.log.stat().st_size for kind, child in self.works.crew.items()}

    def said_since(self, marks: dict[str, int], kind: str) -> str:
        """What a worker has logged since."""
        with self.works.crew[kind].log.open("rb") as log:
            log.seek(marks[kind])
            return log.read().decode("utf-8", "replace")

    def await_said(self, marks: dict[str, int], words: str, kinds: tuple[str, ...] = KINDS) -> None:
        """Return when each of the kinds has logged some words."""
        for kind in kinds:
            wait_until(
                lambda kind=kind: words in self.said_since(marks, kind),  # type: ignore[misc]
                lambda kind=kind: f"{kind}: {words!r} in {self.said_since(marks, kind)[-2000:]}",  # type: ignore[misc]
                seconds=120,
            )

    def outlast_a_death(self) -> None:
        """Return after so long that whoever missed all beats of it would be dead."""
        ends = time.monotonic() + DEAD_AFTER_SECONDS + 1
        wait_until(lambda: time.monotonic() > ends, "time doesn't pass")

    def nobody_ended(self, marks: dict[str, int]) -> None:
        """Each worker lives on, none of its processes had to begin anew, and none has flooded its log."""
        for kind, child in self.works.crew.items():
            child.check()
            said = self.said_since(marks, kind)
            assert ENDS not in said
            assert "begins anew" not in said
            assert "Unrecoverable" not in said
            complaints = [line for line in said.splitlines() if any(word in line for word in COMPLAINTS)]
            assert len(complaints) < FLOOD, "\n".join(complaints)

    def documents_flow(self, company: Company, name: str) -> None:
        """Jobs of both lanes, by each way in, are accepted."""
        works = self.works
        wait_until(lambda: self._hand_in(company, name), "nothing can be handed in", seconds=120)
        recorded = sum(works.states(company).values())
        works.pass_time_until(
            lambda: set(states := works.states(company)) == {"accepted"} and states["accepted"] >= recorded,
            lambda: f"all of {recorded} accepted; it is {dict(works.states(company))}",
            seconds=120,
        )
        check_books(works, company)

    def _hand_in(self, company: Company, name: str) -> bool:
        """Hand in the same jobs again until all are recorded: the first try may meet connections that were cut."""
        works = self.works
        try:
            works.producer.enqueue(invoice(company, f"{name}-till", lane="interactive"))
            works.producer.enqueue(boleta(company, f"{name}-bulk"))
            works.producer.enqueue(boleta(company, f"{name}-more"))
        except Exception:  # noqa: BLE001 - whatever it is, it is over soon or the test fails
            return False
        return True

    def operator(self, statement: str) -> None:
        """Do something to the server as its operator, in a database that isn't the ledger."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def open_premises(postgresql: Mapping[str, str] = MappingProxyType({})) -> Iterator[Premises]:
    """Start everything, on servers of its own whatever the environment names; `postgresql`: more of its environment."""
    launch = PostgreSQL._launch

    def launched(server: PostgreSQL, supervisor: Supervisor, env: Mapping[str, str]) -> Child:
        return launch(server, supervisor, {**env, **postgresql})

    with mock.patch.object(PostgreSQL, "_launch", launched), _open() as premises:
        yield premises


@contextmanager
def _open() -> Iterator[Premises]:
    given = ("FMGO_DATABASE_URL", "FMGO_REDIS_URL")
    without = {name: value for name, value in os.environ.items() if name not in given}
    with mock.patch.dict(os.environ, without, clear=True), Sandbox(ephemeral=True, say=lambda line: None) as sandbox:
        server, valkey = sandbox.database_url, sandbox.redis_url
        parts = urlsplit(server)
        socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parse_qs(parts.query)['port'][0]}"
        port = urlsplit(valkey).port
        assert port is not None
        with Wire(socket) as to_ledger, Wire(("127.0.0.1", port)) as to_redis:
            more: dict[str, Any] = {
                **QUICKER,
                "FMGO_DATABASE_URL": f"postgresql://fmgo@127.0.0.1:{to_ledger.port}/fmgo",
                "FMGO_REDIS_URL": valkey.replace(f":{port}/", f":{to_redis.port}/"),
            }
            works = Works(sandbox, more=more)
            premises = Premises(works, to_ledger, to_redis, server.replace("/fmgo?", "/postgres?"), valkey)
            try:
                yield premises
            finally:
                to_ledger.mend()
                to_redis.mend()
                works.close()
                sandbox.end(*works.crew.values())


Break = Callable[[Premises], object]
