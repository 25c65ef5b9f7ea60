"""A whole FMgo for acceptance tests: servers, the simulated SII, and worker processes that a test may kill.

One runs for all tests of a run; each test works with companies of its own, so that they don't meet. Beats are quick,
so that a death is seen within seconds, and the SII is asked early.
"""

import datetime as dt
import itertools
import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import redis

from deploy.sandbox.clock import SandboxClock
from deploy.sandbox.control import SiiControl
from deploy.sandbox.crew import KINDS, start_crew
from deploy.sandbox.enrol import ENVIRONMENT, SandboxEnrolment
from deploy.sandbox.people import Company, rut
from deploy.sandbox.sandbox import Sandbox, migrate
from deploy.sandbox.supervisor import Child
from tests.acceptance.waiting import wait_until
from workers.database.engine import Ledger
from workers.folio_desk import FolioDesk, Voided
from workers.folio_ranges import Range
from workers.launch import launch
from workers.producer import Producer
from workers.settings import Settings

QUICK: Final = {
    "FMGO_BEAT_SECONDS": "0.4",
    "FMGO_DEAD_AFTER_SECONDS": "4",
    "FMGO_SWEEP_SECONDS": "0.3",
    "FMGO_POLL_FIRST_SECONDS_SOAP": "0.2",
    "FMGO_POLL_FIRST_SECONDS_REST": "0.2",
    "FMGO_MAIL_SECONDS": "0.2",
    "FMGO_LOG_FORMAT": "console",
}
LOOKS_BEFORE_MOVING: Final = 2

_bodies = itertools.count(76_100_001)


class Works:
    """The running FMgo and what tests do with it."""

    def __init__(self, sandbox: Sandbox, *, tls: bool = False, more: Mapping[str, str] = MappingProxyType({})) -> None:
        urls = sandbox.start_sii(seed=11, tls=tls)
        sandbox.environment.update({**QUICK, **more})
        self.sandbox: Final = sandbox
        self.settings: Final = Settings.model_validate(
            {name.removeprefix("FMGO_").lower(): value for name, value in sandbox.environment.items()}
        )
        self.ledger: Final = Ledger(sandbox.database_url)
        self.sii: Final = SiiControl(urls["control"])
        # Answers come in all the forms that were seen; guías are held to the strict reading, as FMgo holds them.
        self.sii.switch({"profile": "varied", "format_profile": "2026", "guide_rule": "reject"})
        self.window: Final = httpx.Client(base_url=urls["control"], timeout=60)
        self.clock: Final = SandboxClock(self.ledger, self.sii)
        self.enrolment: Final = SandboxEnrolment(self.ledger, self.sii, self.settings)
        self.producer: Final = Producer(self.settings)
        self.redis: Final = redis.Redis.from_url(sandbox.redis_url)
        self._beside: Final = ThreadPoolExecutor(2)
        self.crew: Final[dict[str, Child]] = start_crew(sandbox, self.ledger)

    def close(self) -> None:
        """Close every connection; the sandbox ends the processes."""
        self._beside.shutdown()
        self.producer.close()
        self.window.close()
        self.sii.close()
        self.redis.close()
        self.ledger.dispose()

    # ---- companies -------------------------------------------------------------------------------------------------

    def company(self, types: Sequence[int] = (33,), *, folios: int = 400, **enrolled: Any) -> Company:
        """A company that no other test knows, enrolled on both sides."""
        made = unknown_company()
        self.enrolment.enrol(made, types, folios=folios, **enrolled)
        return made

    # ---- processes -------------------------------------------------------------------------------------------------

    def kill(self, *kinds: str) -> None:
        """SIGKILL to the whole process groups of workers, all at once."""
        for kind in kinds:
            os.killpg(self.crew[kind].pid, signal.SIGKILL)
        for kind in kinds:
            self.crew[kind].wait(30)

    def kill_inside(self, kind: str) -> None:
        """SIGKILL to a kind's worker and its pool, and not to its keeper."""
        for pid in _below(self.crew[kind].pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def spawn_one(self, kind: str, more: Mapping[str, str] = MappingProxyType({})) -> Child:
        """Start a worker with some settings of its own, which is none of the crew."""
        how = launch(kind)
        return self.sandbox.spawn(f"worker-{kind}-{uuid.uuid4().hex[:6]}", how.argv, env={**how.environment, **more})

    def spawn(self, *kinds: str) -> None:
        """Start workers in the place of dead ones."""
        for kind in kinds:
            how = launch(kind)
            self.crew[kind] = self.sandbox.spawn(f"worker-{kind}", how.argv, env=how.environment)

    def start(self, *kinds: str) -> None:
        """Start workers in the place of dead ones and wait until each is in the ledger."""
        last = self.scalar("SELECT max(id) FROM workers")
        self.spawn(*kinds)
        for kind in kinds:
            self.await_entered(kind, last)

    def await_entered(self, kind: str, last: int) -> int:
        """Return the number of a process of a kind that entered the ledger after the one with the number `last`."""
        entered: int = wait_until(
            lambda: self.scalar("SELECT max(id) FROM workers WHERE id > %s AND kind = %s", last, kind),
            f"worker {kind} didn't enter the ledger",
        )
        return entered

    def redis_answers(self) -> bool:
        """Whether Redis answers the test."""
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False

    def mend(self) -> None:
        """Start whatever a failed test left dead."""
        self.start(*(kind for kind in KINDS if self.crew[kind].poll() is not None))

    @contextmanager
    def without_ledger(self) -> Iterator[None]:
        """PostgreSQL ends every connection to the ledger and lets nobody in, as while it is started again."""
        parts = urlsplit(self.sandbox.database_url)
        name = parts.path.lstrip("/")
        with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
            try:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
                yield
            finally:
                connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
                self.ledger.dispose()

    def logged(self, kind: str, what: str) -> int:
        """How often the workers of a kind have logged something."""
        return self.crew[kind].log.read_text(encoding="utf-8", errors="replace").count(what)

    # ---- the ledger ------------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with psycopg.connect(self.sandbox.database_url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def scalar(self, query: str, *values: object) -> Any:
        """The first value of a query, None when there is no row."""
        rows = self.rows(query, *values)
        return rows[0][0] if rows else None

    def change(self, statement: str, *values: object) -> None:
        """Change the ledger as an operator with psql would."""
        with psycopg.connect(self.sandbox.database_url) as connection:
            connection.execute(statement.encode(), values)

    def states(self, company: Company) -> Counter[str]:
        """How many documents of a company are in each state."""
        return Counter(
            dict(self.rows("SELECT state, count(*) FROM documents WHERE issuer = %s GROUP BY 1", company.rut))
        )

    def await_states(self, company: Company, expected: Mapping[str, int], *, seconds: float = 120) -> None:
        """Return when all of the company's documents are in these states; time is moved where it is waited for."""
        self.pass_time_until(
            lambda: self.states(company) == Counter(expected),
            lambda: f"{dict(expected)}; it is {dict(self.states(company))}",
            seconds=seconds,
        )

    def pass_time_until(self, condition: Callable[[], bool], what: Callable[[], str], *, seconds: float = 120) -> None:
        """Return when a condition holds; time is moved to whatever is due next wherever nothing is due now."""
        quiet = 0

        def there() -> bool:
            nonlocal quiet
            if condition():
                return True
            wait = self.clock.time_to_next()
            quiet = 0 if wait is None else quiet + 1
            if wait is not None and quiet > LOOKS_BEFORE_MOVING:
                self.clock.advance(wait)
                quiet = 0
            return False

        wait_until(there, what, seconds=seconds)

    def await_rows(self, query: str, number: int) -> None:
        """Return when a query that counts has come to at least so many."""
        wait_until(lambda: self.scalar(query) >= number, lambda: f"{number} of: {query}")

    def annul(self, company: Company, document_type: int, ranges: list[Range]) -> Future[Voided]:
        """Annul folios as an operator does, beside everything else."""
        desk = FolioDesk(self.ledger, company.rut, ENVIRONMENT, actor="test")
        return self._beside.submit(desk.annul, document_type, ranges, "a test")

    def envelopes(self, company: Company) -> list[tuple[uuid.UUID, str, str | None]]:
        """Id, state and track id of a company's envelopes, in the order they were sealed."""
        return self.rows("SELECT id, state, track_id FROM envelopes WHERE issuer = %s ORDER BY sealed_at", company.rut)

    def await_envelope(self, company: Company, state: str) -> uuid.UUID:
        """Return the id of the company's envelope in a state, as soon as there is one; time isn't moved."""
        found: uuid.UUID = wait_until(
            lambda: self.scalar("SELECT id FROM envelopes WHERE issuer = %s AND state = %s", company.rut, state),
            lambda: f"an envelope {state}; there are {self.envelopes(company)}",
        )
        return found

    def resend(self, envelope: uuid.UUID) -> None:
        """Have the bytes of an envelope in doubt sent once more, as a person does when two days didn't end it."""

        def allowed() -> bool:
            self.change("UPDATE envelopes SET alert = 'in-doubt' WHERE id = %s", envelope)
            return self.enrolment.operator.resend_envelope(envelope) == "allowed"

        wait_until(allowed, "the bytes weren't sent once more")

    def attempts(self, company: Company) -> list[tuple[str | None, str | None, str | None]]:
        """Outcome, STATUS and track id of every attempt to send a company's envelopes, in order."""
        return self.rows(
            "SELECT a.outcome, a.sii_status, a.track_id FROM envelope_attempts a JOIN envelopes e ON e.id = a.envelope"
            " WHERE e.issuer = %s ORDER BY a.id",
            company.rut,
        )

    # ---- the SII ---------------------------------------------------------------------------------------------------

    def uploads(self, company: Company) -> list[dict[str, Any]]:
        """What the SII stored of a company, in the order it came."""
        answer = self.window.get("/uploads")
        answer.raise_for_status()
        return [upload for upload in answer.json() if upload["company"] == company.rut]

    def taken(self, company: Company) -> Counter[tuple[int, int]]:
        """How often the SII accepted each type and folio of a company."""
        held = [one for one in self.sii.documents() if one["issuer"] == company.rut and one["state"] != "rejected"]
        return Counter((one["type"], one["folio"]) for one in held)

    def requests(self, company: Company, operation: str) -> list[dict[str, Any]]:
        """Requests of one operation about a company that reached the SII."""
        answer = self.window.get("/ledger")
        answer.raise_for_status()
        return [one for one in answer.json() if one["company"] == company.rut and one["operation"] == operation]

    def unfreeze(self, company: Company) -> None:
        """Let the SII go on with every upload of a company that a fault holds up."""
        for upload in self.uploads(company):
            answer = self.window.post(f"/uploads/{upload['track_id']}/freeze", json={"frozen": False})
            answer.raise_for_status()

    def told(self, document: uuid.UUID | str | None) -> dict[str, str]:
        """Redis's result of a document, empty when there is none."""
        held = self.redis.hgetall(f"fmgo:result:{document}")
        return {_text(name): _text(value) for name, value in held.items()}

    def stream(self, document: uuid.UUID | None) -> list[tuple[int, str]]:
        """Version and state of every entry of a document in the stream of results, in order."""
        entries = [entry for _, entry in self.redis.xrange("fmgo:results") or [] if entry]
        told = [{_text(name): _text(value) for name, value in entry.items()} for entry in entries]
        return [(int(entry["version"]), entry["state"]) for entry in told if entry["id"] == str(document)]

    def fault(self, fault: str, company: Company, operation: str | None = None, **rule: Any) -> None:
        """Switch a fault on for a company (and an operation)."""
        when = {"company": company.rut} | ({"operation": operation} if operation else {})
        self.sii.fault({"fault": fault, "when": when, **rule})


def _below(pid: int) -> list[int]:
    """Processes that a process has started, and what these have, the last ones first."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (*_below(child), child)]


def unknown_company() -> Company:
    """A company that is enrolled nowhere."""
    number = rut(next(_bodies))
    return Company(
        rut=number,
        razon_social=f"COMERCIAL ÑUBLE {number} LTDA.",
        giro="Venta al por menor de artículos de ferretería",
        acteco=475201,
        dir_origen="Av. O'Higgins 1234",
        cmna_origen="Chillán",
        ciudad_origen="Chillán",
    )


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8")


@contextmanager
def open_works(*, tls: bool = False, more: Mapping[str, str] = MappingProxyType({})) -> Iterator[Works]:
    """Start everything, in a fresh ledger (also on a server that the environment names), and end it.

    `tls`: the simulated SII speaks TLS; `more`: settings besides the quick ones.
    """
    with Sandbox(ephemeral=True, say=lambda line: None) as sandbox:
        server, name = sandbox.database_url, f"fmgo_acceptance_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        sandbox.environment["FMGO_DATABASE_URL"] = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        migrate(sandbox.database_url)
        works = Works(sandbox, tls=tls, more=more)
        try:
            yield works
        finally:
            works.close()
            sandbox.end(*works.crew.values())
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def hours(number: float) -> dt.timedelta:
    """So many hours."""
    return dt.timedelta(hours=number)
