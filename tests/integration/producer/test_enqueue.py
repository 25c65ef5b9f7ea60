"""Handing in jobs: recorded when it returns, one document a key, and what is no job never delays another."""

import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
import structlog

from domain.job import document_id
from tests.integration.producer.jobs import (
    ISSUER,
    body,
    end_invalid,
    job,
    producer_at,
    refuse_big_bodies,
    rows,
    scalar,
)
from workers.producer import IntakeShut, JobLike, KeyConflict, LedgerAway, NotAJob, Producer, QueueAway
from workers.settings import SettingsError


@pytest.fixture
def producer(database: str, redis_url: str) -> Iterator[Producer]:
    with producer_at(database, redis_url) as made:
        yield made


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ('ALTER DATABASE "{name}" SET default_transaction_read_only = on', "read-only"),
        ('ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', "can't be reached"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_told_as_away(database: str, redis_url: str, statement: str, says: str) -> None:
    parts = urlsplit(database)
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(statement.format(name=parts.path.lstrip("/")).encode())
    with producer_at(database, redis_url) as producer:
        with pytest.raises(LedgerAway, match=says):
            producer.enqueue(job("venta-1"))
        with pytest.raises(LedgerAway, match=says):
            producer.enqueue_many([job("venta-1"), job("venta-2")])


def test_a_job_is_a_row_when_enqueue_returns(producer: Producer, database: str) -> None:
    receipt = producer.enqueue(job("venta-1"))
    assert (receipt.outcome, receipt.state) == ("recorded", "received")
    assert receipt.document_id == document_id(ISSUER, "certification", "venta-1", 1)
    assert rows(database, "SELECT id, lane, state FROM documents") == [(receipt.document_id, "interactive", "received")]
    stored = scalar(database, "SELECT body FROM inbox")
    assert "Peñaflor & Cía.".encode() in bytes(stored)


@pytest.mark.parametrize("issuer", ["76900101-9", "66666666-6", "99999-7"])
def test_an_issuer_that_can_never_exist_is_refused_before_anything_is_recorded(
    producer: Producer, database: str, redis_url: str, issuer: str
) -> None:
    for way in (producer.enqueue, producer.queue):
        with pytest.raises(NotAJob, match="JOB-ISSUER issuer"):
            way(job("venta-1", issuer=issuer))
    receipts = producer.enqueue_many([job("venta-1", issuer=issuer), job("venta-2")])
    assert [receipt.outcome for receipt in receipts] == ["refused", "recorded"]
    assert rows(database, "SELECT key FROM documents") == [("venta-2",)]
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("fmgo.jobs") == 0


@pytest.mark.parametrize("form", ["object", "bytes", "text"])
def test_a_job_may_be_an_object_bytes_or_text(producer: Producer, form: str) -> None:
    forms: dict[str, JobLike] = {"object": job("k"), "bytes": body("k"), "text": body("k").decode()}
    producer.enqueue(forms["object"])
    assert producer.enqueue(forms[form]).outcome == "known"


def test_kinds_of_python_are_written_as_the_format_has_them(producer: Producer, database: str) -> None:
    sale = job("k", batch=uuid.UUID(int=7))
    sale["document"]["Encabezado"]["IdDoc"]["FchEmis"] = date(2026, 11, 24)
    sale["document"]["Detalle"][0]["PrcItem"] = Decimal("1000.50")
    sale["document"]["Detalle"][0] = MappingProxyType(sale["document"]["Detalle"][0])
    producer.enqueue(sale)
    stored = bytes(scalar(database, "SELECT body FROM inbox"))
    assert b'"2026-11-24"' in stored
    assert b'"1000.50"' in stored
    assert scalar(database, "SELECT batch FROM documents") == uuid.UUID(int=7)


def test_the_same_job_from_ten_producers_at_once_is_one_document(database: str, redis_url: str) -> None:
    together = threading.Barrier(10)

    def enqueue(_: int) -> tuple[str, uuid.UUID | None]:
        with producer_at(database, redis_url) as producer:
            together.wait(timeout=30)
            receipt = producer.enqueue(job("una-venta"))
            return receipt.outcome, receipt.document_id

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(enqueue, range(10)))
    assert sorted(outcome for outcome, _ in answers) == ["known"] * 9 + ["recorded"]
    assert len({number for _, number in answers}) == 1
    assert scalar(database, "SELECT count(*) FROM documents") == 1
    assert scalar(database, "SELECT count(*) FROM document_events") == 1


def test_keys_in_opposite_order_never_wait_for_each_other(database: str, redis_url: str) -> None:
    keys = [f"venta-{number:03}" for number in range(200)]
    together = threading.Barrier(2)

    def enqueue(order: list[str]) -> list[str]:
        with producer_at(database, redis_url) as producer:
            together.wait(timeout=30)
            return [receipt.outcome for receipt in producer.enqueue_many(job(key) for key in order)]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(enqueue, [keys, keys[::-1]])
    assert sorted(first + second) == ["known"] * 200 + ["recorded"] * 200
    assert scalar(database, "SELECT count(*) FROM documents") == 200
    assert scalar(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


def test_another_body_under_a_used_key_is_a_conflict_and_changes_nothing(producer: Producer, database: str) -> None:
    first = producer.enqueue(job("k"))
    with pytest.raises(KeyConflict) as refused:
        producer.enqueue(job("k", price=2000))
    assert [problem.code for problem in refused.value.problems] == ["JOB-KEY-CONFLICT"]
    assert rows(database, "SELECT id, attempt FROM documents") == [(first.document_id, 1)]
    assert rows(database, "SELECT code, source, key FROM refused_messages") == [("JOB-KEY-CONFLICT", "producer", "k")]


def test_a_corrected_job_may_use_the_key_again_after_invalid(producer: Producer, database: str) -> None:
    first = producer.enqueue(job("k"))
    assert first.document_id is not None
    end_invalid(database, first.document_id)
    assert producer.enqueue(job("k")).state == "invalid"  # the same body is the same answer
    second = producer.enqueue(job("k", price=2000))
    assert (second.outcome, second.state) == ("recorded", "received")
    assert second.document_id == document_id(ISSUER, "certification", "k", 2)
    assert producer.enqueue(job("k", price=2000)).outcome == "known"


def test_a_key_twice_in_one_call_is_one_document(producer: Producer) -> None:
    receipts = producer.enqueue_many([job("k"), job("k"), job("k", price=5)])
    assert [receipt.outcome for receipt in receipts] == ["recorded", "known", "conflict"]
    assert len({receipt.document_id for receipt in receipts}) == 1


BAD = {
    "no JSON": (b"{", "JOB-JSON"),
    "no object": (b"[]", "JOB-OBJECT"),
    "no UTF-8": (b'{"version":1,"idempotency_key":"\xff"}', "JOB-ENCODING"),
    "NUL in the key": (body("k").replace(b'"k"', b'"\\u0000"'), "JOB-KEY"),
    "surrogate in the key": (body("k").replace(b'"k"', b'"\\ud800"'), "JOB-KEY"),
    "surrogate in text": (body("k").decode().replace('"k"', '"\ud800"'), "JOB-ENCODING"),
    "no number": ({**job("k"), "version": float("nan")}, "JOB-JSON"),
    "no kind of JSON": ({**job("k"), "till": object()}, "JOB-JSON"),
    "unknown member": ({**job("k"), "prioridad": 1}, "JOB-MEMBER"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_job_goes_back_with_its_reason_and_the_others_go_on(
    producer: Producer, database: str, name: str
) -> None:
    bad, code = BAD[name]
    with pytest.raises(NotAJob) as refused:
        producer.enqueue(bad)  # type: ignore[arg-type]  # that is the point
    assert [problem.code for problem in refused.value.problems] == [code]
    assert scalar(database, "SELECT count(*) FROM documents") == 0
    receipts = producer.enqueue_many([job("a"), bad, job("b")])  # type: ignore[list-item]  # that is the point
    assert [receipt.outcome for receipt in receipts] == ["recorded", "refused", "recorded"]
    assert [problem.code for problem in receipts[1].problems] == [code]


def test_nul_and_lone_surrogates_in_the_document_are_recorded_for_the_issuing_phase_to_refuse(
    producer: Producer, database: str
) -> None:
    sales = [body(f"k{n}").replace(b"Martillo", text) for n, text in enumerate((b"\\u0000", b"\\ud800"))]
    receipts = producer.enqueue_many([job("a"), *sales, job("b")])
    assert [receipt.outcome for receipt in receipts] == ["recorded"] * 4
    assert scalar(database, "SELECT count(*) FROM documents") == 4


def test_what_postgresql_refuses_goes_back_alone(producer: Producer, database: str) -> None:
    refuse_big_bodies(database)
    big = body("big").replace(b"Martillo", b"M" * 6000)
    receipts = producer.enqueue_many([job("a"), job("b"), big, job("c")])
    assert [receipt.outcome for receipt in receipts] == ["recorded", "recorded", "refused", "recorded"]
    assert [problem.code for problem in receipts[2].problems] == ["JOB-NOT-STORABLE"]
    assert rows(database, "SELECT key FROM documents ORDER BY key") == [("a",), ("b",), ("c",)]


def test_bells_ring_once_per_lane_after_the_commit(producer: Producer, redis_url: str) -> None:
    producer.enqueue_many([job("a"), job("b"), job("c", lane="bulk")])
    producer.enqueue(job("a"))  # known: nobody needs to look
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("fmgo.issue.interactive") == 1
        assert client.llen("fmgo.issue.bulk") == 1
        for _ in range(10):
            producer.enqueue(job(uuid.uuid4().hex))
        assert client.llen("fmgo.issue.interactive") == 2


def test_the_producers_context_travels_with_its_jobs(producer: Producer, database: str) -> None:
    with structlog.contextvars.bound_contextvars(origin="caja-7", password="no"):
        producer.enqueue(job("k"))
    assert scalar(database, "SELECT context->>'fmgo_context' FROM inbox") == '{"origin": "caja-7"}'


def test_jobs_are_recorded_while_redis_is_away(database: str) -> None:
    with producer_at(database, "redis://127.0.0.1:1/0") as producer:
        assert producer.enqueue(job("k")).outcome == "recorded"
        with pytest.raises(QueueAway):
            producer.queue(job("k"))


def test_a_ledger_that_is_away_is_said_and_nothing_is_recorded(redis_url: str) -> None:
    with producer_at("postgresql://fmgo@127.0.0.1:1/fmgo", redis_url) as producer, pytest.raises(LedgerAway):
        producer.enqueue(job("k"))


def test_a_restored_ledger_takes_no_jobs(producer: Producer, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(b"UPDATE ledger_epoch SET epoch = 2, replayed_at = NULL")
    with pytest.raises(IntakeShut):
        producer.enqueue(job("k"))


def test_a_role_that_may_only_hand_in_and_read_results_is_enough(database: str, redis_url: str) -> None:
    name = f"shop_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE fmgo_producer".encode())
    shop = psycopg.conninfo.conninfo_to_dict(database) | {"user": name}
    address = f"postgresql://{name}@/{shop['dbname']}?host={shop['host']}"
    try:
        with producer_at(address, redis_url) as producer:
            receipt = producer.enqueue(job("k"))
            found = producer.result((ISSUER, "certification", "k"))
            assert found is not None
            assert (found.id, found.state) == (receipt.document_id, "received")
            with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(b"SELECT * FROM documents")
    finally:
        with psycopg.connect(database) as connection:
            connection.execute(f"DROP ROLE {name}".encode())


def test_queued_jobs_lie_on_the_list_oldest_last(producer: Producer, redis_url: str) -> None:
    receipts = producer.queue_many([job("a"), b"{", job("b")])
    assert [receipt.outcome for receipt in receipts] == ["queued", "refused", "queued"]
    assert (receipts[0].key, receipts[0].document_id) == ("a", None)
    with redis.Redis.from_url(redis_url) as client:
        assert [b'"b"' in taken for taken in client.lrange("fmgo.jobs", 0, -1)] == [True, False]


def test_addresses_of_another_kind_are_refused_with_a_sentence_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMGO_REDIS_URL", "redis://a,b,c")
    monkeypatch.setenv("FMGO_DATABASE_URL", "mysql:///x")
    with pytest.raises(SettingsError) as refused:
        Producer()
    assert [sentence.partition(":")[0] for sentence in refused.value.sentences] == [
        "FMGO_DATABASE_URL",
        "FMGO_REDIS_URL",
    ]


def test_a_producer_needs_two_addresses_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, database: str, redis_url: str
) -> None:
    for name in [name for name in os.environ if name.startswith("FMGO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FMGO_DATABASE_URL", database)
    monkeypatch.setenv("FMGO_REDIS_URL", redis_url)
    with Producer() as producer:
        assert producer.enqueue(job("k")).outcome == "recorded"
