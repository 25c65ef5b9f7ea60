"""The place of the benchmarks: a sandbox with the shipped settings, a simulated SII, and enrolled companies."""

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.sandbox.clock import SandboxClock
from deploy.sandbox.control import SiiControl
from deploy.sandbox.crew import start_crew
from deploy.sandbox.enrol import SandboxEnrolment
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.supervisor import Child
from tests.benchmarks.processes import cpu_seconds, parent_of
from tests.benchmarks.sales import COMPANIES
from workers.cache.connection import connect
from workers.database.engine import Ledger, count, run
from workers.settings import read_settings

FOLIOS: Final = 200_000
LOOK_EVERY_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 600.0


# Asked often beside what is measured, so each reads an index or a small table only.
ISSUING: Final = """
    SELECT EXISTS (SELECT FROM documents WHERE lease_owner IS NOT NULL)
        OR EXISTS (SELECT FROM documents
                   WHERE lane IN ('bulk', 'interactive') AND state IN ('received', 'numbered') AND due_at IS NOT NULL)
"""
ENVELOPES: Final = """
    SELECT count(*) AS open, min(due_at) - fmgo_now() AS wait,
           bool_or(lease_owner IS NOT NULL OR due_at <= fmgo_now()) AS busy,
           EXISTS (SELECT FROM documents
                   WHERE lane IN ('bulk', 'interactive') AND state = 'signed' AND due_at IS NOT NULL) AS due
    FROM envelopes WHERE state IN ('sealed', 'sending', 'uncertain', 'sent')
"""


class NotDoneError(Exception):
    """Something that was waited for didn't come within the patience of the benchmarks."""


@dataclass
class Town:
    """Everything that is running, and ways to look at it."""

    sandbox: Sandbox
    ledger: Ledger
    sii: SiiControl
    clock: SandboxClock
    servers: dict[str, int]
    """The oldest process of each server, as far as it runs here, and of this process."""
    crew: dict[str, Child] = field(default_factory=dict)

    def start(self, *kinds: str, **variables: str) -> None:
        """Start workers of the kinds, with other settings if some are given, and wait until they are ready."""
        self.sandbox.environment.update(variables)
        try:
            self.crew |= start_crew(self.sandbox, self.ledger, kinds)
        finally:
            for name in variables:
                del self.sandbox.environment[name]

    def stop(self, *kinds: str) -> None:
        """End workers of the kinds."""
        self.sandbox.end(*(self.crew.pop(kind) for kind in kinds))

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far of each group: workers by kind, embedded servers, the SII and this process."""
        return cpu_seconds({**self.servers, **{f"worker {kind}": child.pid for kind, child in self.crew.items()}})

    def waiting_to_be_issued(self, lane: str = "bulk") -> int:
        """Documents of a lane that nobody has signed yet."""
        with self.ledger.statements() as tx:
            return count(
                tx,
                "SELECT count(*) FROM documents WHERE lane = :lane AND state IN ('received', 'numbered')"
                " AND due_at IS NOT NULL",
                lane=lane,
            )

    def until(self, done: Callable[[], bool], what: str, *, look_every: float = LOOK_EVERY_SECONDS) -> None:
        """Return when `done`; raises NotDoneError after ten minutes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise NotDoneError(f"not done after {PATIENCE_SECONDS:.0f} s: {what}; see {self.sandbox.logs}")
            for child in self.crew.values():
                child.check()
            time.sleep(look_every)

    def until_issued(self) -> None:
        """Return when every document has its signature and its second copy."""
        self.until(lambda: not self._issuing(), "documents are signed")

    def until_decided(self) -> None:
        """Return when every envelope has its verdict; the clock is moved where the SII would make one wait."""

        def decided() -> bool:
            if self._issuing():
                return False
            with self.ledger.statements() as tx:
                row = run(tx, ENVELOPES).one()
            if row.wait is not None and not row.busy:
                self.clock.advance(max(row.wait, dt.timedelta(0)) + dt.timedelta(milliseconds=100))
            return not row.open and not row.due

        self.until(decided, "documents are accepted")

    def _issuing(self) -> bool:
        with self.ledger.statements() as tx:
            return bool(run(tx, ISSUING).scalar_one())


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A town in a folder of its own, until the block ends."""
    given = {name for name in ("FMGO_DATABASE_URL", "FMGO_REDIS_URL") if os.environ.get(name)}
    with Sandbox(folder, say=lambda _: None) as sandbox:
        urls = sandbox.start_sii(seed=7)
        os.environ.update(sandbox.environment)
        ledger = Ledger(sandbox.database_url)
        sii = SiiControl(urls["control"])
        enrolment = SandboxEnrolment(ledger, sii, read_settings())
        for company in COMPANIES:
            enrolment.enrol(company, (33,), folios=FOLIOS)
        try:
            yield Town(sandbox, ledger, sii, SandboxClock(ledger, sii), _servers(sandbox, ledger, given))
        finally:
            ledger.dispose()
            sii.close()


def _servers(sandbox: Sandbox, ledger: Ledger, given: set[str]) -> dict[str, int]:
    """Servers that were given may run anywhere: their CPU isn't read."""
    groups = {"producer": os.getpid(), "simulated SII": _sii_process(sandbox)}
    if "FMGO_DATABASE_URL" not in given:
        with ledger.transaction() as tx:
            groups["PostgreSQL"] = parent_of(count(tx, "SELECT pg_backend_pid()"))
    if "FMGO_REDIS_URL" not in given:
        with connect(sandbox.redis_url) as client:
            groups["Valkey"] = int(client.info("server")["process_id"])
    return groups


def _sii_process(sandbox: Sandbox) -> int:
    return int(json.loads((sandbox.folder / "sii" / "ports.json").read_text(encoding="utf-8"))["pid"])
