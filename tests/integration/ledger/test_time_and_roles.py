"""One clock that only a sandbox moves, months made ahead, and roles that can do what they must and no more."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from tests.integration.ledger.conftest import job, record
from workers.database.engine import Ledger, business_time, run
from workers.database.processes import make_partitions

PARTITIONED = ("document_events", "document_files", "envelope_events", "envelope_attempts")


def test_the_clock_moves_only_in_a_sandbox(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError, match=r"fmgo\.sandbox is off"), ledger.transaction() as tx:
        run(tx, "SELECT fmgo_move_clock('1 hour')")
    with ledger.transaction() as tx:
        before = business_time(tx)
        run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
        run(tx, "SELECT fmgo_move_clock('6 hours')")
        assert business_time(tx) - before >= dt.timedelta(hours=6)


def test_a_year_ahead_has_its_months_and_the_default_partitions_stay_empty(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
        run(tx, "SELECT fmgo_move_clock('400 days')")
    record(ledger, job("a"))
    with ledger.transaction() as tx:
        assert make_partitions(tx) == 0
        for table in PARTITIONED:
            assert run(tx, f"SELECT count(*) FROM {table}_default").scalar_one() == 0
        assert run(tx, "SELECT count(*) FROM document_events").scalar_one() == 1


@pytest.fixture
def producer_url(database: str) -> Iterator[str]:
    """Address of the ledger for a login role that is a producer and nothing else."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE fmgo_test_shop LOGIN PASSWORD 'shop' IN ROLE fmgo_producer")
        parts = urlsplit(database)
        host = parts.netloc.rpartition("@")[2]
        yield urlunsplit(parts._replace(netloc=f"fmgo_test_shop:shop@{host}"))
        connection.execute("DROP ROLE fmgo_test_shop")


def test_a_producer_hands_in_jobs_and_reads_results_and_nothing_else(producer_url: str) -> None:
    shop = Ledger(producer_url, pool_size=1)
    (receipt,) = record(shop, job("a"))
    with shop.transaction() as tx:
        found = run(tx, "SELECT state FROM fmgo_results(CAST(:ids AS uuid[]))", ids=[receipt.document_id]).scalar_one()
    assert found == "received"
    for statement in (
        "SELECT * FROM documents",
        "SELECT * FROM inbox",
        "SELECT * FROM certificates",
        "INSERT INTO audit_log (actor, action, subject) VALUES ('a', 'b', 'c')",
        "UPDATE ledger_epoch SET epoch = 7",
        "SELECT fmgo_move_clock('1 day')",
        "SELECT fmgo_make_partitions(now(), now())",
    ):
        with pytest.raises(DBAPIError) as refused, shop.transaction() as tx:
            run(tx, statement)
        assert isinstance(refused.value.orig, errors.InsufficientPrivilege), statement
    shop.dispose()


def as_role(ledger: Ledger, role: str, statement: str) -> None:
    with ledger.transaction() as tx:
        run(tx, f"SET LOCAL ROLE {role}")
        run(tx, statement)


def test_a_reader_sees_no_sealed_secret_and_no_body(ledger: Ledger) -> None:
    for statement in ("SELECT private_key_sealed FROM cafs", "SELECT * FROM certificates", "SELECT body FROM inbox"):
        with pytest.raises(DBAPIError) as refused:
            as_role(ledger, "fmgo_reader", statement)
        assert isinstance(refused.value.orig, errors.InsufficientPrivilege), statement
    as_role(ledger, "fmgo_reader", "SELECT * FROM documents")
    as_role(ledger, "fmgo_reader", "SELECT id, expires_on FROM cafs")


def test_a_worker_rewrites_no_history(ledger: Ledger) -> None:
    for statement in ("DELETE FROM document_events", "UPDATE document_files SET bytes = ''", "DELETE FROM audit_log"):
        with pytest.raises(DBAPIError) as refused:
            as_role(ledger, "fmgo_worker", statement)
        assert isinstance(refused.value.orig, errors.InsufficientPrivilege), statement
