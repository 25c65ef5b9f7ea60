"""Every kind of worker outlives every kind of outage of its servers, says so once, and goes on by itself.

Each row breaks something for longer than a silent process may live, and mends it; nobody ends, nobody floods a log, and
documents of both lanes are accepted afterwards, without Redis meanwhile too. `make faults` has more rows.
"""

import os
import signal
from collections.abc import Iterator

import psycopg
import pytest

from deploy.sandbox.crew import KINDS
from deploy.sandbox.people import Company
from deploy.sandbox.sandbox import migrate
from tests.acceptance.outages import outlive_ledger, outlive_redis
from tests.acceptance.premises import Premises, open_premises
from tests.acceptance.sales import body, boleta, invoice
from tests.acceptance.waiting import wait_until
from workers.producer import LIST


@pytest.fixture(scope="module")
def standing() -> Iterator[Premises]:
    with open_premises() as premises:
        yield premises


@pytest.fixture
def premises(standing: Premises) -> Iterator[Premises]:
    standing.works.mend()
    yield standing
    standing.to_ledger.mend()
    standing.to_redis.mend()


@pytest.fixture(scope="module")
def company(standing: Premises) -> Company:
    return standing.works.company((33, 39))


@pytest.mark.parametrize("name", ["away", "hung", "read-only"])
def test_a_ledger_that_cannot_be_used_for_a_while_ends_nobody(premises: Premises, company: Company, name: str) -> None:
    outlive_ledger(premises, company, name)


@pytest.mark.parametrize("name", ["away", "hung", "a replica"])
def test_without_a_doorbell_documents_are_accepted_all_the_same(
    premises: Premises, company: Company, name: str
) -> None:
    outlive_redis(premises, company, name)


def test_workers_that_begin_before_their_servers_go_to_work_when_these_are_there(
    premises: Premises, company: Company
) -> None:
    works = premises.works
    works.kill(*KINDS)
    premises.to_ledger.cut()
    premises.to_redis.cut()
    marks = premises.marks()
    works.spawn(*KINDS)
    premises.await_said(marks, "ledger.away")
    assert "ready" not in "".join(premises.said_since(marks, kind) for kind in KINDS)
    premises.to_ledger.mend()
    premises.await_said(marks, "redis.away")
    premises.documents_flow(company, "before-redis")
    premises.to_redis.mend()
    premises.await_said(marks, "worker.ready")
    works.redis.lpush(LIST, body(boleta(company, "begun")))
    wait_until(lambda: works.redis.llen(LIST) == 0, "the list isn't read", seconds=120)
    premises.documents_flow(company, "after-redis")


def test_workers_wait_for_an_empty_ledger_to_be_made(premises: Premises) -> None:
    works = premises.works
    premises.operator("CREATE DATABASE later")
    url = f"postgresql://fmgo@127.0.0.1:{premises.to_ledger.port}/later"
    child = works.spawn_one("threads", {"FMGO_DATABASE_URL": url})
    try:
        wait_until(lambda: "fmgo ledger migrate" in child.log_tail(50), lambda: child.log_tail(50), seconds=120)
        assert child.log_tail(200).count("ledger.away") == 1
        assert "ready" not in child.log_tail(200)
        migrate(url)
        wait_until(lambda: "worker.ready" in child.log_tail(200), lambda: child.log_tail(200), seconds=120)
        with psycopg.connect(url) as connection:
            entered = connection.execute("SELECT kind FROM workers WHERE stopped_at IS NULL").fetchall()
        assert entered == [("threads",)]
    finally:
        works.sandbox.end(child)


def test_a_worker_that_dies_begins_anew_by_itself(premises: Premises, company: Company) -> None:
    works = premises.works
    for kind in KINDS:
        last = works.scalar("SELECT max(id) FROM workers")
        works.kill_inside(kind)
        works.await_entered(kind, last)
        works.crew[kind].check()
    premises.documents_flow(company, "anew")


def test_a_process_that_stands_still_is_replaced(premises: Premises, company: Company) -> None:
    works = premises.works
    (pid,) = works.rows("SELECT pid FROM workers WHERE kind = 'interactive' AND stopped_at IS NULL")[0]
    last = works.scalar("SELECT max(id) FROM workers")
    os.kill(pid, signal.SIGSTOP)
    works.await_entered("interactive", last)
    premises.documents_flow(company, "still")
    assert works.scalar("SELECT buried FROM workers WHERE pid = %s", pid)


def test_redis_killed_again_and_again_under_load_ends_nobody(premises: Premises, company: Company) -> None:
    works = premises.works
    marks = premises.marks()
    for turn in range(3):
        works.producer.enqueue_many([boleta(company, f"load-{turn}-{n}") for n in range(60)])
        works.producer.enqueue_many([invoice(company, f"till-{turn}-{n}", lane="interactive") for n in range(6)])
        premises.to_redis.cut()
        premises.await_said(marks, "redis.away", ("threads",))
        premises.to_redis.mend()
        wait_until(works.redis_answers, "redis isn't back")
    wait_until(lambda: set(works.states(company)) == {"accepted"}, lambda: works.states(company), seconds=120)
    premises.documents_flow(company, "after-the-load")
    premises.nobody_ended(marks)
