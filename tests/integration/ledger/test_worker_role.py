"""The role of workers can do all that a worker must, months ahead included."""

import datetime as dt
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from tests.integration.ledger.conftest import enter, job, record
from workers.database import claim_watches, mail_sources, processes, result_mails, schema, waiting, wanted_mails
from workers.database.claim_watches import Term
from workers.database.claims import claim_documents, due_work, give_back, release_dead
from workers.database.engine import Ledger, run
from workers.database.mail_sources import NewSource
from workers.database.result_mails import NewMail


@pytest.fixture
def worker(database: str) -> Iterator[Ledger]:
    """The ledger for a login role that is a worker and nothing else."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE fmgo_test_worker LOGIN PASSWORD 'worker' IN ROLE fmgo_worker")
        parts = urlsplit(database)
        host = parts.netloc.rpartition("@")[2]
        opened = Ledger(urlunsplit(parts._replace(netloc=f"fmgo_test_worker:worker@{host}")), pool_size=2)
        yield opened
        opened.dispose()
        connection.execute("DROP ROLE fmgo_test_worker")


def test_a_worker_makes_the_months_ahead(ledger: Ledger, worker: Ledger) -> None:
    with ledger.transaction() as tx:
        run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
        run(tx, "UPDATE clock_offset SET by = '200 days'")
    with worker.transaction() as tx:
        assert processes.make_partitions(tx) > 0
    record(worker, job("a"))
    with ledger.transaction() as tx:
        assert run(tx, "SELECT count(*) FROM document_events_default").scalar_one() == 0


def test_a_worker_records_claims_and_frees(worker: Ledger) -> None:
    record(worker, job("a"), job("b"))
    lease = enter(worker)
    with worker.transaction() as tx:
        schema.check(tx)
        claim = claim_documents(tx, lane="bulk", state="received", size=10, lease=lease)
        assert claim is not None
        assert len(claim.documents) == 2
        assert give_back(tx, claim.fence, after_seconds=0) == 2
        assert waiting.wake_waiting(tx, 10) == 0
        assert processes.take_lease(tx, "sweep", lease.worker, 1)
        assert processes.bury(tx, {lease.worker: 99}) == []
        assert processes.follow_the_clock_back(tx, 1) == 0
        assert release_dead(tx, quarantine_after=3) == 0
        assert len(due_work(tx)) == 1


def test_a_worker_reads_mails_and_asks_about_claims(ledger: Ledger, worker: Ledger) -> None:
    with ledger.transaction() as tx:
        run(
            tx,
            """
            INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,
                                 resolution_date)
            VALUES ('76900101-8', 'certification', 'X', 'Y', 'Z', 'W', 0, '2014-08-22')
            ON CONFLICT DO NOTHING
            """,
        )
        folder = NewSource("76900101-8", "certification", "folder", "/mails", "none", None, None, ())
        mail_sources.add(tx, folder)
    with worker.transaction() as tx:
        source = mail_sources.take(tx, "certification", 60)
        assert source is not None
        mail_sources.seen(tx, source.id, "one")
        assert mail_sources.unseen(tx, source.id, ["one", "two"]) == ["two"]
        mail_sources.read_up_to(tx, source.id, 1, 7)
        mail_sources.done(tx, source.id, None, 60)
        mail = NewMail(
            "76900101-8", "certification", source.id, bytes(32), "a@sii.cl", None, "", "77", {"track_id": "77"}, b"x"
        )
        assert result_mails.keep(tx, mail).outcome == "unknown-track"
        assert result_mails.ready(tx, "certification", 5) == []
        wanted_mails.want(tx, uuid.uuid4(), 1)
        assert wanted_mails.take(tx, "certification", 60) is None
        moment = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
        claim_watches.begin(tx, uuid.uuid4(), [33], Term(moment, moment), 1)
        assert claim_watches.take(tx, "certification", 5, 60) == []
        assert claim_watches.keep_events(tx, uuid.uuid4(), []) == []


def test_a_row_in_a_default_partition_is_refused_its_month_and_nothing_else_stops(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO document_events_default (at, document_id, from_state, to_state)"
            " VALUES (now() + interval '200 days', gen_random_uuid(), '', 'received')",
        )
        run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
        run(tx, "UPDATE clock_offset SET by = '200 days'")
    with pytest.raises((IntegrityError, ProgrammingError)), ledger.transaction() as tx:
        processes.make_partitions(tx)
