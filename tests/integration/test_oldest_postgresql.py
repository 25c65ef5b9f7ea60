"""The ledger on whatever PostgreSQL the run uses; CI runs this on Debian's PostgreSQL 15, the oldest one supported."""

import os
from collections.abc import Iterator

import psycopg
import pytest

from domain.job import parse_job
from tests.integration.producer.jobs import body
from workers.database import processes
from workers.database.claims import Lease, claim_documents
from workers.database.engine import Ledger
from workers.database.intake import IncomingJob, record, record_copied


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """The way into this test's own ledger."""
    made = Ledger(database)
    yield made
    made.dispose()


def incoming(key: str) -> IncomingJob:
    """A job as it came."""
    raw = body(key)
    return IncomingJob(parse_job(raw), raw, {})


def test_server_is_the_expected_one(database: str) -> None:
    with psycopg.connect(database) as connection:
        major = connection.info.server_version // 10000
    assert major == int(os.environ.get("FMGO_EXPECTED_POSTGRESQL", major))
    assert major >= 15


def test_recorded_job_is_claimed_once(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        number, epoch = processes.register(tx, "test", "here", os.getpid())
        receipts = record(tx, [incoming("one")], "test") + record_copied(tx, [incoming("two")], "test")
    assert [receipt.outcome for receipt in receipts] == ["recorded", "recorded"]
    lease = Lease(worker=number, epoch=epoch, seconds=60)
    with ledger.transaction() as tx:
        claim = claim_documents(tx, lane="interactive", state="received", size=10, lease=lease)
    assert claim is not None
    assert sorted(document.key for document in claim.documents) == ["one", "two"]
    with ledger.transaction() as tx:
        assert claim_documents(tx, lane="interactive", state="received", size=10, lease=lease) is None
