"""Recording jobs: whoever meets in the ledger, everybody's jobs are in it once; what it can't hold stands alone."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from domain.job import parse_job
from tests.integration.ledger.conftest import job
from workers.database import intake
from workers.database.engine import Ledger, run
from workers.database.intake import IncomingJob, record_halving


def incoming(body: bytes, **spoilt: str) -> IncomingJob:
    """A parsed job; `spoilt` members are what no parsed job has."""
    return IncomingJob(parse_job(body).model_copy(update=spoilt), body, {})


def both(*works: Callable[[], object]) -> None:
    """Let pieces of work go on at once, and see that each ended well."""
    faults: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - it is told in the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert faults == []


def test_two_transactions_with_keys_in_opposite_order_both_end_well(ledger: Ledger) -> None:
    first, second = incoming(job("a")), incoming(job("b"))
    between = threading.Barrier(2)
    turns: dict[str, int] = {"ab": 0, "ba": 0}

    def write(name: str, order: tuple[IncomingJob, IncomingJob]) -> None:
        def work(tx: Connection) -> None:
            turns[name] += 1
            intake.record(tx, order[:1], "test")
            if turns[name] == 1:
                between.wait(30)  # each now has the key that the other wants next
            intake.record(tx, order[1:], "test")

        ledger.repeated(work)

    both(lambda: write("ab", (first, second)), lambda: write("ba", (second, first)))
    assert max(turns.values()) > 1, "PostgreSQL broke one of them for the sake of the other, and it was repeated"
    with ledger.transaction() as tx:
        assert run(tx, "SELECT count(*) FROM documents").scalar_one() == 2
        assert run(tx, "SELECT count(*) FROM inbox").scalar_one() == 2
        assert run(tx, "SELECT count(*) FROM document_events").scalar_one() == 2


def test_one_call_sorts_its_keys_so_that_opposite_orders_never_meet_in_a_circle(ledger: Ledger) -> None:
    jobs = [incoming(job(f"key-{n}")) for n in range(200)]

    def write(order: list[IncomingJob]) -> None:
        with ledger.transaction() as tx:
            outcomes.append([receipt.outcome for receipt in intake.record(tx, order, "test")])

    outcomes: list[list[str]] = []
    both(*(lambda order=order: write(order) for order in (jobs, jobs[::-1], jobs[100:] + jobs[:100])))
    assert sum(one.count("recorded") for one in outcomes) == 200
    assert sum(one.count("known") for one in outcomes) == 400
    with ledger.transaction() as tx:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert run(tx, query).scalar_one() == 0


@pytest.mark.parametrize(
    "spoilt", [{"branch": "a\x00b"}, {"issuer": "1-9-1"}, {"idempotency_key": "k" * 201}, {"lane": "slow"}]
)
def test_what_the_ledger_cannot_hold_is_kept_alone_and_the_others_are_recorded(
    ledger: Ledger, spoilt: dict[str, str]
) -> None:
    jobs = [incoming(job(f"key-{n}")) for n in range(199)]
    bad = incoming(job("bad"), **spoilt)
    jobs.insert(123, bad)
    receipts = record_halving(ledger, jobs, "list")
    assert [n for n, receipt in enumerate(receipts) if receipt.outcome != "recorded"] == [123]
    assert receipts[123].outcome == "refused"
    with ledger.transaction() as tx:
        kept = run(tx, "SELECT source, code, reason, body FROM refused_messages").one()
        assert run(tx, "SELECT count(*) FROM documents").scalar_one() == 199
    assert (kept.source, kept.code, bytes(kept.body)) == ("list", "JOB-NOT-STORABLE", bad.body)
    assert kept.reason


def test_the_same_key_twice_in_a_chunk_is_one_document_and_another_body_a_kept_conflict(ledger: Ledger) -> None:
    jobs = [incoming(job("a", price=1)), incoming(job("a", price=1)), incoming(job("a", price=2))]
    with ledger.transaction() as tx:
        receipts = intake.record(tx, jobs, "test")
        kept = run(tx, "SELECT code, body, document_id FROM refused_messages").one()
    assert [receipt.outcome for receipt in receipts] == ["recorded", "known", "conflict"]
    assert len({receipt.document_id for receipt in receipts}) == 1
    assert (kept.code, kept.document_id) == ("JOB-KEY-CONFLICT", receipts[0].document_id)
    assert bytes(kept.body) == jobs[2].body


def test_copying_and_calling_record_the_same(ledger: Ledger) -> None:
    jobs = [incoming(job(f"key-{n}")) for n in range(20)]
    with ledger.transaction() as tx:
        called = intake.record(tx, jobs[:10], "test")
        copied = intake.record_copied(tx, jobs, "batch")
    assert [receipt.outcome for receipt in copied] == ["known"] * 10 + ["recorded"] * 10
    assert [receipt.document_id for receipt in copied[:10]] == [receipt.document_id for receipt in called]


def test_nothing_is_recorded_while_the_evidence_of_a_restored_ledger_is_not_replayed(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        run(tx, "UPDATE ledger_epoch SET epoch = epoch + 1, replayed_at = NULL")
    with pytest.raises(Exception, match="intake is shut"), ledger.transaction() as tx:
        intake.record(tx, [incoming(job("a"))], "test")
