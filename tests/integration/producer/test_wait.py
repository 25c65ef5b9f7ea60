"""Learning what became of a job: from Redis at once, from the ledger for ever, and never before it is durable twice."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis

from tests.integration.producer.jobs import ISSUER, end_invalid, job, make_issued, producer_at
from workers.cache.results import Result as Told
from workers.cache.results import Results
from workers.database.engine import Ledger
from workers.database.results import untold
from workers.producer import LedgerAway, Producer, StillWaiting

KEY = (ISSUER, "certification", "k")
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def producer(database: str, redis_url: str) -> Iterator[Producer]:
    with producer_at(database, redis_url) as made:
        yield made


def publish(database: str, redis_url: str, *, bytes_too: bool = True) -> None:
    """What the publishing phase does."""
    ledger = Ledger(database)
    with ledger.transaction() as tx, redis.Redis.from_url(redis_url) as client:
        for due in untold(tx, 10):
            fields = {"state": due.state, "result": json.dumps(due.body)}
            if bytes_too and due.xml is not None and due.ted is not None:
                fields |= {"xml": due.xml.decode("iso-8859-1"), "ted": due.ted.decode("iso-8859-1")}
            Results(client, ttl_seconds=60).publish(Told(str(due.id), due.version, fields))
    ledger.dispose()


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Let work go on in a thread, and see that it ended well."""
    faults: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001  (it is told in the test's own thread)
            faults.append(fault)

    thread = threading.Thread(target=guarded)
    thread.start()
    yield
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert faults == []


@pytest.mark.parametrize("bytes_too", [True, False], ids=["interactive", "bulk"])
def test_wait_returns_folio_stamp_and_xml_as_soon_as_they_are_published(
    producer: Producer, database: str, redis_url: str, bytes_too: bool
) -> None:
    receipt = producer.enqueue(job("k"))
    assert receipt.document_id is not None
    document = receipt.document_id

    def issue_it() -> None:
        make_issued(database, document, folio=7)
        publish(database, redis_url, bytes_too=bytes_too)

    with meanwhile(issue_it):
        result = producer.wait(receipt, timeout=30)
    assert (result.id, result.state, result.folio, result.total) == (document, "signed", 7, 1190)
    assert (result.xml, result.ted) == ("<DTE>Ñ</DTE>".encode("latin-1"), "<TED>Ñ</TED>".encode("latin-1"))
    assert result.issued
    assert not result.decided


def test_waiting_takes_an_id_a_text_a_key_or_a_receipt(producer: Producer, database: str) -> None:
    receipt = producer.enqueue(job("k"))
    document = receipt.document_id
    assert document is not None
    make_issued(database, document, folio=7)
    for what in (document, str(document), KEY, (f"0{ISSUER}", *KEY[1:]), receipt):
        assert producer.wait(what, timeout=0).folio == 7


def test_a_queued_job_is_waited_for_before_it_is_recorded(producer: Producer, database: str) -> None:
    receipt = producer.queue(job("k"))
    with pytest.raises(StillWaiting) as still:
        producer.wait(receipt, timeout=0.01)
    assert still.value.last is None

    def record_it() -> None:
        with producer_at(database, NOWHERE) as other:
            made = other.enqueue(job("k")).document_id
        assert made is not None
        make_issued(database, made, folio=9)

    with meanwhile(record_it):
        assert producer.wait(receipt, timeout=30).folio == 9


def test_the_ledger_answers_when_redis_is_away(database: str) -> None:
    with producer_at(database, NOWHERE) as producer:
        receipt = producer.enqueue(job("k"))
        document = receipt.document_id
        assert document is not None
        with meanwhile(lambda: make_issued(database, document, folio=7)):
            result = producer.wait(receipt, timeout=30)
    assert result.xml is not None


def test_redis_answers_when_the_ledger_is_away(producer: Producer, database: str, redis_url: str) -> None:
    receipt = producer.enqueue(job("k"))
    assert receipt.document_id is not None
    make_issued(database, receipt.document_id, folio=7)
    publish(database, redis_url)
    with producer_at("postgresql://fmgo@127.0.0.1:1/fmgo", redis_url) as cut_off:
        assert cut_off.wait(KEY, timeout=0).folio == 7
        found = cut_off.result(receipt)
        assert found is not None
        assert found.xml is not None
        with pytest.raises(LedgerAway):
            cut_off.wait((ISSUER, "certification", "other"), timeout=0)
        with pytest.raises(LedgerAway):
            cut_off.result(uuid.uuid4())


def test_nothing_is_shown_before_its_bytes_are_durable_twice(producer: Producer, database: str) -> None:
    receipt = producer.enqueue(job("k"))
    assert receipt.document_id is not None
    make_issued(database, receipt.document_id, folio=7, evidenced=False)
    with pytest.raises(StillWaiting) as still:
        producer.wait(receipt, timeout=0.01)
    assert still.value.last is not None
    assert (still.value.last.xml, still.value.last.ted) == (None, None)


def test_invalid_ends_the_wait_with_every_problem(producer: Producer, database: str) -> None:
    receipt = producer.enqueue(job("k"))
    assert receipt.document_id is not None
    end_invalid(database, receipt.document_id)
    result = producer.wait(receipt, until="issued", timeout=0)
    assert (result.state, result.issued, result.decided) == ("invalid", False, True)
    assert [problem.code for problem in result.problems] == ["DTE-X"]
    assert producer.wait(receipt, until="decided", timeout=0).state == "invalid"


def test_decided_waits_for_the_verdict(producer: Producer, database: str) -> None:
    receipt = producer.enqueue(job("k"))
    document = receipt.document_id
    assert document is not None
    make_issued(database, document, folio=7)
    with pytest.raises(StillWaiting) as still:
        producer.wait(receipt, until="decided", timeout=0.01)
    assert still.value.last is not None
    assert still.value.last.issued

    def decide_it() -> None:
        with psycopg.connect(database) as connection:
            connection.execute(
                b"UPDATE documents SET state = 'accepted', version = version + 1, verdict = '{\"envelope\": \"EPR\"}'"
            )

    with meanwhile(decide_it):
        result = producer.wait(receipt, until="decided", timeout=30)
    assert result.accepted
    assert result.verdict == {"envelope": "EPR"}


def test_a_copy_that_says_more_than_a_restored_ledger_is_not_believed(
    producer: Producer, database: str, redis_url: str
) -> None:
    receipt = producer.enqueue(job("k"))
    with redis.Redis.from_url(redis_url) as client:
        told = Told(str(receipt.document_id), 9, {"state": "signed", "result": "{}"})
        Results(client, ttl_seconds=60).publish(told)
    with pytest.raises(StillWaiting) as still:
        producer.wait(receipt, timeout=0.3)
    assert still.value.last is not None
    assert still.value.last.state == "received"


def test_a_receipt_of_a_refused_job_names_nothing_to_wait_for(producer: Producer) -> None:
    (receipt,) = producer.enqueue_many([b"{"])
    with pytest.raises(ValueError, match="refused job"):
        producer.wait(receipt, timeout=0)
