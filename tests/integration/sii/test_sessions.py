"""Sessions under load and under refusal: one login for everybody, pauses that grow, nothing lost without Redis.

Real PostgreSQL and Redis; a scripted server gives seeds and tokens and says which tokens it takes.
"""

import datetime as dt
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from typing import Any

import psycopg
import pytest

from domain.answers.table import alerts
from domain.signature import RsaSigner
from tests.integration.sii.conftest import PERSON, Identity, settings_for
from tests.integration.sii.scripted import Connection, Server
from tests.unit.answers.wire import respuesta, soap
from workers.cache.connection import connect
from workers.cache.tokens import TokenCopies
from workers.database import processes
from workers.database.engine import Ledger
from workers.database.engine import ledger as ledger_of_this_process
from workers.sessions import NoSessionError, Sessions, Token
from workers.settings import settings
from workers.sii import Channel, SiiClient
from workers.vault.sealing import Vault

VAULT = {"k1": b"k" * 32}
WHO: tuple[str, str, Channel] = (PERSON, "certification", "soap")
BOLETAS: tuple[str, str, Channel] = (PERSON, "certification", "rest")
DEADLINE = 120


class Sii(Server):
    """Gives a new token at every login, unless it is told to refuse."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.logins = 0
        self.refusal = ""
        self._lock = threading.Lock()

    def _answer(self, connection: Connection, request: bytes) -> None:
        asks_for_token = b"<Semilla>" in request or b"&lt;Semilla&gt;" in request
        if not asks_for_token:
            inner = respuesta("<ESTADO>00</ESTADO>", "<SEMILLA>000000000078</SEMILLA>")
        elif self.refusal:
            inner = respuesta(f"<ESTADO>{self.refusal}</ESTADO><GLOSA>no</GLOSA>")
        else:
            with self._lock:
                self.logins += 1
                inner = respuesta("<ESTADO>00</ESTADO>", f"<TOKEN>TOKEN{self.logins:08}</TOKEN>")
        soapy = b"DTEWS" in request.split(b"\r\n")[0]
        connection.answer(soap(inner, operation="getToken") if soapy else inner.encode())


@pytest.fixture(autouse=True)
def installation(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pace of logins is in the ledger that this process's settings name."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    ledger_of_this_process().dispose()
    settings.cache_clear()


@pytest.fixture
def sii() -> Iterator[Sii]:
    with Sii() as server:
        yield server


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with psycopg.connect(database) as connection:
        connection.execute(b"INSERT INTO persons VALUES (%s, 'Persona')", (PERSON,))
    opened = Ledger(database, pool_size=4)
    yield opened
    opened.dispose()


@contextmanager
def sessions_at(host: str, ledger: Ledger, redis_url: str) -> Iterator[Sessions]:
    """A process's way to tokens, with tools of its own."""
    worker, _ = ledger.repeated(lambda tx: processes.register(tx, "threads", "here", 1))
    vault = Vault(VAULT)
    with SiiClient(settings_for(host)) as client:
        yield Sessions(ledger, vault, TokenCopies(connect(redis_url), vault), client, worker)


@pytest.fixture
def access(sii: Sii, ledger: Ledger, redis_url: str) -> Iterator[Sessions]:
    with sessions_at(sii.host, ledger, redis_url) as made:
        yield made


@pytest.fixture
def later(ledger: Ledger) -> Callable[[float], None]:
    """Move business time."""

    def move(seconds: float) -> None:
        with ledger.engine.begin() as tx:
            tx.exec_driver_sql("SET LOCAL fmgo.sandbox = 'on'")
            tx.exec_driver_sql("SELECT fmgo_move_clock(%s)", (dt.timedelta(seconds=seconds),))

    return move


def row(ledger: Ledger, channel: str = "soap") -> Any:
    with ledger.engine.begin() as tx:
        return tx.exec_driver_sql(
            "SELECT generation, refusals, failures, alert, problem,"
            " extract(epoch FROM retry_at - fmgo_now())::float AS pause FROM sii_sessions WHERE channel = %s",
            (channel,),
        ).one()


def insist(access: Sessions, signer: RsaSigner, patience: threading.Event) -> Token:
    """A token, as a phase gets one: put back, and taken up again."""
    while True:
        try:
            return access.token(*WHO, signer)
        except NoSessionError:
            patience.wait(0.02)


def meet_the_dead_token(
    access: Sessions, signer: RsaSigner, dead: Token, threads: int, start: Callable[[], object]
) -> set[str]:
    """Many threads that all hold the dead token: each refuses it and goes on with what it gets."""
    found: set[str] = set()
    patience = threading.Event()

    def task() -> None:
        start()
        access.refuse(*WHO, dead)
        token = insist(access, signer, patience)
        access.taken(*WHO, token)
        found.add(token.value)

    workers = [threading.Thread(target=task) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(DEADLINE)
    return found


def _other_process(
    host: str, database: str, redis_url: str, key: bytes, certificate: bytes, threads: int, start: Barrier, out: Any
) -> None:
    ledger = Ledger(database, pool_size=4)
    with sessions_at(host, ledger, redis_url) as access:
        signer = RsaSigner.load(key, certificate)
        dead = access.token(*WHO, signer)
        out.put(meet_the_dead_token(access, signer, dead, threads, start.wait))
    ledger.dispose()


def test_two_hundred_tasks_that_meet_one_dead_token_log_in_once(
    sii: Sii, ledger: Ledger, access: Sessions, identity: Identity, redis_url: str
) -> None:
    access.token(*WHO, identity.signer)
    assert sii.logins == 1
    spawn = multiprocessing.get_context("spawn")
    processes_, threads = 4, 50
    start, out = spawn.Barrier(processes_ * threads), spawn.Queue()
    others = [
        spawn.Process(
            target=_other_process,
            args=(
                sii.host,
                ledger.url,
                redis_url,
                identity.private_key_der,
                identity.certificate_der,
                threads,
                start,
                out,
            ),
        )
        for _ in range(processes_)
    ]
    for process in others:
        process.start()
    found = [out.get(timeout=DEADLINE) for _ in others]
    for process in others:
        process.join(DEADLINE)
    assert set().union(*found) == {"TOKEN00000002"}
    assert sii.logins == 2
    assert row(ledger)[:4] == (2, 0, 0, None)


def test_a_dead_holder_of_the_login_delays_by_its_lease_and_no_more(
    sii: Sii, ledger: Ledger, access: Sessions, identity: Identity
) -> None:
    with ledger.engine.begin() as tx:
        tx.exec_driver_sql(
            "INSERT INTO sii_sessions (person, environment, channel, lease_owner, lease_until)"
            " VALUES (%s, 'certification', 'soap', 0, clock_timestamp() + interval '90 seconds')",
            (PERSON,),
        )
    with pytest.raises(NoSessionError) as waits:
        access.token(*WHO, identity.signer)
    assert waits.value.after_seconds == 1
    with ledger.engine.begin() as tx:
        tx.exec_driver_sql("UPDATE sii_sessions SET lease_until = clock_timestamp() - interval '1 microsecond'")
    assert access.token(*WHO, identity.signer).generation == 1
    assert sii.logins == 1


def test_the_session_outlives_redis(
    sii: Sii, ledger: Ledger, access: Sessions, identity: Identity, redis_url: str
) -> None:
    first = access.token(*WHO, identity.signer)
    with connect(redis_url) as client:
        client.flushall()
    assert access.token(*WHO, identity.signer) == first
    with sessions_at(sii.host, ledger, "redis://127.0.0.1:1/0") as cut_off:
        assert cut_off.token(*WHO, identity.signer) == first
        cut_off.refuse(*WHO, first)
        assert cut_off.token(*WHO, identity.signer).generation == 2
    assert sii.logins == 2


def test_a_token_is_renewed_after_fifty_minutes_without_use_and_not_before(
    sii: Sii, access: Sessions, identity: Identity, later: Callable[[float], None]
) -> None:
    first = access.token(*WHO, identity.signer)
    for _ in range(5):
        later(49 * 60)
        assert access.token(*WHO, identity.signer) == first
    later(51 * 60)
    assert access.token(*WHO, identity.signer).generation == 2
    assert sii.logins == 2


def test_a_refusal_of_an_older_token_touches_nothing(sii: Sii, access: Sessions, identity: Identity) -> None:
    first = access.token(*WHO, identity.signer)
    access.refuse(*WHO, first)
    second = access.token(*WHO, identity.signer)
    access.refuse(*WHO, first)
    assert access.token(*WHO, identity.signer).value == second.value
    assert sii.logins == 2


def test_a_fresh_token_that_is_refused_leads_to_pauses_and_not_to_logins(
    sii: Sii, ledger: Ledger, access: Sessions, identity: Identity, later: Callable[[float], None]
) -> None:
    access.refuse(*BOLETAS, access.token(*BOLETAS, identity.signer))
    pauses = []
    for _ in range(6):
        token = access.token(*BOLETAS, identity.signer)
        access.refuse(*BOLETAS, token)
        with pytest.raises(NoSessionError) as waits:
            access.token(*BOLETAS, identity.signer)
        pauses.append(round(waits.value.after_seconds / 60))
        assert row(ledger, "rest").alert == alerts.TOKEN_NOT_TAKEN
        later(waits.value.after_seconds + 1)
    assert pauses == [1, 5, 15, 30, 60, 60]
    # The second token was tried for as long as it could live; then there is one more login.
    assert sii.logins <= 4
    access.taken(*BOLETAS, access.token(*BOLETAS, identity.signer))
    assert row(ledger, "rest")[1:5] == (0, 0, None, None)


def test_of_many_who_meet_a_refused_fresh_token_one_refusal_counts(
    ledger: Ledger, access: Sessions, identity: Identity
) -> None:
    access.refuse(*BOLETAS, access.token(*BOLETAS, identity.signer))
    fresh = access.token(*BOLETAS, identity.signer)
    for _ in range(20):
        access.refuse(*BOLETAS, fresh)
    assert row(ledger, "rest").refusals == 2
    assert 0 < row(ledger, "rest").pause <= 60


@pytest.mark.parametrize(
    ("refusal", "alert", "minutes"),
    [
        ("-3", alerts.LOGIN_REFUSED, [5, 15, 30, 60, 120, 360, 360]),
        ("07", alerts.LOGIN_UNAVAILABLE, [0.5, 1, 2, 5, 10, 15, 15]),
    ],
)
def test_logins_that_fail_are_tried_at_growing_pauses_by_all_workers_together(
    sii: Sii,
    ledger: Ledger,
    access: Sessions,
    identity: Identity,
    redis_url: str,
    later: Callable[[float], None],
    refusal: str,
    alert: str,
    minutes: list[float],
) -> None:
    sii.refusal = refusal
    pauses = []
    for _ in minutes:
        with pytest.raises(NoSessionError) as waits:
            access.token(*WHO, identity.signer)
        pauses.append(round(waits.value.after_seconds / 60, 1))
        asked = len(sii.requests)
        with sessions_at(sii.host, ledger, redis_url) as another, pytest.raises(NoSessionError):
            another.token(*WHO, identity.signer)
        assert len(sii.requests) == asked, "nobody asks before the time"
        assert row(ledger).alert == alert
        later(waits.value.after_seconds + 1)
    assert pauses == pytest.approx(minutes, abs=0.05)
    sii.refusal = ""
    assert access.token(*WHO, identity.signer).generation == 1
    assert row(ledger)[2:5] == (0, None, None)


def test_a_token_shows_in_no_repr(access: Sessions, identity: Identity) -> None:
    token = access.token(*WHO, identity.signer)
    assert token.value not in repr(token)
    assert token.value not in repr(replace(token, generation=7))
