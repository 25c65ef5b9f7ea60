"""Reaching the ledger: connections that died while idle, statements that commit by themselves, bytes in arrays."""

import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.acceptance.wire import Wire
from workers.database import engine
from workers.database.away import AWAY, why_away
from workers.database.engine import ByteArray, Ledger, as_sqlalchemy, run


def _session(ledger: Ledger) -> int:
    with ledger.transaction() as tx:
        return int(run(tx, "SELECT pg_backend_pid()").scalar_one())


def _end(ledger: Ledger, session: int) -> None:
    other = Ledger(ledger.url, pool_size=1)
    with other.statements() as tx:
        run(tx, "SELECT pg_terminate_backend(:session, 5000)", session=session)
    other.dispose()


def test_a_connection_that_died_while_it_was_idle_is_replaced_unseen(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "IDLE_SECONDS", 0.0)
    first = _session(ledger)
    _end(ledger, first)
    assert _session(ledger) != first


def test_a_connection_that_died_in_use_fails_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "IDLE_SECONDS", 3600.0)
    first = _session(ledger)
    _end(ledger, first)
    with pytest.raises(OperationalError):
        _session(ledger)
    assert _session(ledger) != first


CANARY = "rosa.inventada@correo.invalid"


def _fail_on_a_row(ledger: Ledger) -> None:
    """A constraint fails on a row that holds the canary: PostgreSQL quotes it in DETAIL."""
    with ledger.transaction() as tx:
        run(tx, "CREATE TEMPORARY TABLE people (name text, age integer CHECK (age > 0)) ON COMMIT DROP")
        run(tx, "INSERT INTO people SELECT :name, :age", name=CANARY, age=-1)


def _fail_on_a_value(ledger: Ledger) -> None:
    """A value is of no such type: PostgreSQL quotes it in its first line."""
    with ledger.transaction() as tx:
        run(tx, "SELECT CAST(CAST(:name AS text) AS uuid)", name=CANARY)


def _fail_on_json(ledger: Ledger) -> None:
    """A text is no JSON: PostgreSQL quotes it in DETAIL and CONTEXT."""
    with ledger.statements() as tx:
        run(tx, "SELECT CAST(CAST(:name AS text) AS jsonb)", name=CANARY)


def _fail_in_a_copy(ledger: Ledger) -> None:
    """A line of a COPY is of no such type: PostgreSQL quotes it in CONTEXT."""
    with ledger.transaction() as tx:
        run(tx, "CREATE TEMPORARY TABLE people (name text, born date) ON COMMIT DROP")
        driver: Any = tx.connection.driver_connection
        with as_sqlalchemy(), driver.cursor() as cursor, cursor.copy("COPY people FROM STDIN") as copy:
            copy.write_row((CANARY, f"no day {CANARY}"))


@pytest.mark.parametrize("fail", [_fail_in_a_copy, _fail_on_a_row, _fail_on_a_value, _fail_on_json])
def test_an_error_shows_nothing_of_what_its_statement_was_about(ledger: Ledger, fail: Callable[[Ledger], None]) -> None:
    with pytest.raises(DBAPIError) as caught:
        fail(ledger)
    assert isinstance(caught.value.orig, psycopg.Error)
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told
    assert "rosa" not in told
    assert str(caught.value.orig) in told
    assert caught.value.orig.sqlstate
    assert "HINT" not in told


def test_an_error_keeps_the_hint_that_says_what_to_do(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError, match=r"HINT:  .*type casts"), ledger.transaction() as tx:
        run(tx, "SELECT no_such_function(:name)", name=CANARY)


def test_a_statement_of_its_own_is_committed_when_it_returns(ledger: Ledger) -> None:
    with ledger.statements() as tx:
        run(tx, "CREATE TABLE kept (n integer)")
        run(tx, "INSERT INTO kept VALUES (1)")
        with ledger.transaction() as other:
            assert run(other, "SELECT n FROM kept").scalar() == 1
    with ledger.transaction() as tx:  # the same connection again: it no longer commits by itself
        run(tx, "INSERT INTO kept VALUES (2)")
        tx.rollback()
    with ledger.transaction() as tx:
        assert run(tx, "SELECT count(*) FROM kept").scalar() == 1


def test_bytes_in_an_array_arrive_as_they_are(ledger: Ledger) -> None:
    sent = [b"", b"\x00\xff", bytes(range(256)) * 40, b'"\\,{}']
    with ledger.statements() as tx:
        rows = run(tx, "SELECT b FROM unnest(CAST(:given AS bytea[])) AS g (b)", given=ByteArray(sent))
        assert [bytes(row.b) for row in rows] == sent


def test_a_statement_without_an_answer_is_cancelled_and_its_connection_kept(ledger: Ledger) -> None:
    impatient = Ledger(ledger.url, pool_size=1, answer_seconds=0.3)
    before = _session(impatient)
    with pytest.raises(OperationalError) as caught, impatient.transaction() as tx:
        run(tx, "SELECT pg_sleep(600)")
    assert why_away(caught.value) == "the ledger takes too long to answer"
    assert _session(impatient) == before
    impatient.dispose()


def test_a_server_that_falls_silent_is_given_up_and_reached_anew(ledger: Ledger) -> None:
    parts = urlsplit(ledger.url)
    asked = parse_qs(parts.query)
    with Wire(f"{asked['host'][0]}/.s.PGSQL.{asked['port'][0]}") as wire:
        url = urlunsplit(parts._replace(netloc=f"fmgo@127.0.0.1:{wire.port}", query=""))
        impatient = Ledger(url, pool_size=1, answer_seconds=0.3)
        before = _session(impatient)
        wire.silence()
        with pytest.raises(OperationalError) as caught, impatient.transaction() as tx:
            run(tx, "SELECT 1")
        assert why_away(caught.value) == AWAY
        wire.mend()
        assert _session(impatient) != before
        impatient.dispose()


def test_connections_notice_a_host_that_is_gone(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
    assert (told["keepalives_idle"], told["tcp_user_timeout"]) == ("5", "10000")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("SELECT 1 FROM nowhere", "fmgo ledger migrate"),
        ("SELECT CAST(NULL AS nothing)", "fmgo ledger migrate"),
        ("SET TRANSACTION READ ONLY; DELETE FROM leases", "read-only"),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = 'disk_full'; END $$", "disk is full"),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = 'too_many_connections'; END $$", "no connection left"),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = 'cannot_connect_now'; END $$", "starting or stopping"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_told_from_a_mistake(ledger: Ledger, statement: str, says: str) -> None:
    with pytest.raises(DBAPIError) as caught, ledger.transaction() as tx:
        run(tx, statement)
    assert says in (why_away(caught.value) or "")


@pytest.mark.parametrize("mistake", ["SELECT 1 / 0", "SELEC 1", "INSERT INTO leases DEFAULT VALUES"])
def test_a_mistake_of_ours_is_no_outage(ledger: Ledger, mistake: str) -> None:
    with pytest.raises(DBAPIError) as caught, ledger.transaction() as tx:
        run(tx, mistake)
    assert why_away(caught.value) is None
