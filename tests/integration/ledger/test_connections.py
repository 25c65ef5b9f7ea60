"""Reaching the ledger: connections that died while idle, statements that commit by themselves, bytes in arrays."""

import pytest
from sqlalchemy.exc import OperationalError

from workers.database import engine
from workers.database.engine import ByteArray, Ledger, run


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
