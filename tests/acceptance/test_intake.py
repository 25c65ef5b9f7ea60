"""The ways in: the same job from everywhere at once, jobs that are none beside good ones, keys used again."""

import hashlib
import json
import threading
from typing import Any

import pytest
from celery import Celery

from deploy.sandbox.people import Company
from domain.job import document_id
from tests.acceptance.books import check_books
from tests.acceptance.sales import body, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, unknown_company
from workers.producer import LIST, KeyConflict, NotAJob, Producer

PRODUCERS = 10
KEYS = 5


def refused(works: Works, marker: str) -> dict[str, str]:
    """Codes and reasons of the refused messages whose bytes hold a marker."""
    return dict(
        works.rows("SELECT code, reason FROM refused_messages WHERE position(%s::bytea IN body) > 0", marker.encode())
    )


def test_the_same_jobs_from_ten_producers_at_once_are_one_document_each(works: Works) -> None:
    company = works.company()
    jobs = [invoice(company, f"sale-{n}") for n in range(KEYS)]
    start = threading.Barrier(PRODUCERS + 1)
    outcomes: list[str] = []

    def produce(number: int) -> None:
        with Producer(works.settings) as producer:
            mine = jobs[number % KEYS :] + jobs[: number % KEYS]
            start.wait(30)
            outcomes.extend(receipt.outcome for receipt in producer.enqueue_many(mine))

    threads = [threading.Thread(target=produce, args=(number,)) for number in range(PRODUCERS)]
    for thread in threads:
        thread.start()
    start.wait(30)
    works.redis.lpush(LIST, *(body(job) for job in jobs * 3))
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == PRODUCERS * KEYS
    assert set(outcomes) <= {"recorded", "known"}
    assert outcomes.count("recorded") <= KEYS
    wait_until(lambda: works.redis.llen(LIST) == 0, "the list wasn't read")
    works.await_states(company, {"accepted": KEYS})
    check_books(works, company)
    assert sum(works.taken(company).values()) == KEYS
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut) == KEYS + 1


def wrong_digit(company: Company) -> str:
    """The company's RUT with another check digit."""
    number, digit = company.rut.split("-")
    return f"{number}-{'1' if digit == '0' else '0'}"


def spoilt(company: Company) -> dict[str, bytes]:
    """Messages that are no jobs, each by the code that it must get; each names the company somewhere in its bytes."""
    good = body(invoice(company, f"bad-{company.rut}"))
    without_key = invoice(company, "")
    del without_key["idempotency_key"]
    return {
        "JOB-JSON": b"{not json " + company.rut.encode(),
        "JOB-KEY": body(without_key),
        "JOB-OBJECT": json.dumps([company.rut]).encode(),
        "JOB-ENCODING": good.replace("Ñandú".encode(), b"\xd1and\xfa"),
        "JOB-BRANCH": good.replace(b'"lane"', b'"branch": "\\ud800", "lane"'),
        "JOB-TILL": good.replace(b'"lane"', b'"till": "caja\\u0000", "lane"'),
        "JOB-DEPTH": b'{"issuer": "' + company.rut.encode() + b'", "document": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        "JOB-DUPLICATE": good.replace(b'"version": 1', b'"version": 1, "version": 1'),
        "JOB-MEMBER": good.replace(b'"lane"', b'"lana": "bulk", "lane"'),
        "JOB-REPLY": good.replace(b'"lane"', b'"reply": {"queue": "tienda"}, "lane"'),
        "JOB-ISSUER": good.replace(
            f'"issuer": "{company.rut}"'.encode(), f'"issuer": "{wrong_digit(company)}"'.encode()
        ),
    }


@pytest.mark.parametrize("code", list(spoilt(unknown_company())))
def test_a_message_that_is_no_job_is_kept_with_its_reason_and_the_199_beside_it_go_on(works: Works, code: str) -> None:
    company = unknown_company()
    messages = [body(invoice(company, f"sale-{n}")) for n in range(199)]
    bad = spoilt(company)[code]
    messages.insert(77, bad)
    works.redis.lpush(LIST, *messages)
    works.await_states(company, {"waiting": 199})
    kept = wait_until(lambda: refused(works, company.rut), "the bad message wasn't kept")
    assert list(kept) == [code]
    assert kept[code]
    assert works.scalar("SELECT body FROM refused_messages ORDER BY id DESC LIMIT 1") == bad
    wait_until(lambda: works.redis.keys("fmgo.jobs.taken:*") == [], "a taken list stays")


def test_good_jobs_beside_messages_that_are_none_end_accepted(works: Works) -> None:
    company = works.company()
    bad = spoilt(company)
    messages = [body(invoice(company, f"sale-{n}")) for n in range(200 - len(bad))]
    works.redis.lpush(LIST, *messages[:100], *bad.values(), *messages[100:])
    works.await_states(company, {"accepted": len(messages)})
    check_books(works, company)
    assert set(refused(works, company.rut)) == set(bad)


def test_a_document_with_a_nul_or_a_lone_surrogate_is_invalid_and_spends_no_folio(works: Works) -> None:
    company = works.company()
    good = body(invoice(company, "good"))
    nul = body(invoice(company, "nul")).replace(b"Martillo", b"Mar\\u0000tillo")
    lone = body(invoice(company, "lone")).replace(b"Martillo", b"\\ud800Martillo")
    works.redis.lpush(LIST, nul, good, lone)
    works.await_states(company, {"accepted": 1, "invalid": 2})
    check_books(works, company)
    for key in ("nul", "lone"):
        result = works.producer.wait((company.rut, "certification", key), until="decided")
        assert result.state == "invalid"
        assert any(problem.path.startswith("document.Detalle[0].NmbItem") for problem in result.problems), (
            result.problems
        )
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut) == 2


def test_a_celery_client_hands_jobs_in_by_the_name_of_the_task(works: Works) -> None:
    company = works.company()
    client = Celery("a shop", broker=works.sandbox.redis_url, set_as_current=False)
    jobs: list[Any] = [invoice(company, "as-object"), json.dumps(invoice(company, "as-text")), {"issuer": company.rut}]
    client.send_task("fmgo.enqueue", args=[jobs], queue="fmgo.enqueue")
    client.close()
    works.await_states(company, {"accepted": 2})
    assert list(refused(works, company.rut)) == ["JOB-VERSION"]


def test_jobs_that_celery_clients_hand_in_while_the_ledger_is_away_or_a_worker_is_killed_wait(works: Works) -> None:
    company = works.company()
    client = Celery("a shop", broker=works.sandbox.redis_url, set_as_current=False)

    def hand_in(first: int, number: int) -> None:
        for n in range(first, first + number):
            client.send_task("fmgo.enqueue", args=[[invoice(company, f"sale-{n}")]], queue="fmgo.enqueue")

    pauses = works.logged("threads", "ledger.away")
    with works.without_ledger():
        hand_in(0, 10)
        wait_until(lambda: works.logged("threads", "ledger.away") > pauses, "it doesn't wait")
        works.kill("threads")
        hand_in(10, 10)
    works.start("threads")
    hand_in(20, 10)
    client.close()
    works.await_states(company, {"accepted": 30})
    check_books(works, company)
    assert refused(works, company.rut) == {}
    wait_until(lambda: works.redis.keys("fmgo.enqueue*") == [], "something is left on the lists")


def answer(works: Works, name: str) -> dict[str, Any]:
    """What Redis tells under a name, as soon as it does."""
    told = wait_until(lambda: works.told(name), f"{name} isn't answered")
    assert told["version"] == "0"
    assert told["state"] == "refused"
    return dict(json.loads(told["result"]))


def test_who_put_no_job_on_the_list_finds_the_answer_under_its_digest_and_its_key(works: Works) -> None:
    company = unknown_company()
    for code, bad in spoilt(company).items():
        works.redis.lpush(LIST, bad)
        told = answer(works, hashlib.sha256(bad).hexdigest())
        assert told["problems"][0]["code"] == code
        assert told["problems"][0]["message"]
        if b"idempotency_key" in bad:
            number = document_id(company.rut, "certification", f"bad-{company.rut}", 1)
            assert answer(works, str(number))["idempotency_key"] == f"bad-{company.rut}"
    mended = works.producer.queue(invoice(company, f"bad-{company.rut}"))
    works.await_states(company, {"waiting": 1})
    number = document_id(company.rut, "certification", f"bad-{company.rut}", 1)
    wait_until(lambda: works.told(number).get("state") == "waiting", "the document's own result doesn't take its place")
    assert mended.digest is not None


def test_a_celery_client_finds_the_answer_under_its_tasks_id(works: Works) -> None:
    client = Celery("a shop", broker=works.sandbox.redis_url, set_as_current=False)
    sent = [
        client.send_task("fmgo.enqueue", args=[[{"issuer": "76900101-8"}]], queue="fmgo.enqueue"),
        client.send_task("fmgo.no-such-task", args=[[]], queue="fmgo.enqueue"),
        client.send_task("fmgo.enqueue", args=[], queue="fmgo.enqueue"),
    ]
    client.close()
    codes = [answer(works, str(task.id))["problems"][0]["code"] for task in sent]
    assert codes == ["JOB-VERSION", "MESSAGE-TASK", "MESSAGE-ARGUMENTS"]


def test_a_wait_for_what_lies_on_the_list_ends_when_its_key_had_another_content(works: Works) -> None:
    company = works.company()
    first = works.producer.enqueue(invoice(company, "sale", price=1000))
    works.producer.wait(first, until="issued")
    receipt = works.producer.queue(invoice(company, "sale", price=2000))
    works.pass_time_until(
        lambda: works.producer.wait(receipt, until="issued", timeout=1).state == "refused", lambda: "it isn't refused"
    )
    result = works.producer.wait(receipt, until="issued")
    assert [problem.code for problem in result.problems] == ["JOB-KEY-CONFLICT"]
    works.await_states(company, {"accepted": 1})


def test_a_message_too_large_to_be_read_is_answered_and_those_beside_it_go_on(works: Works) -> None:
    company = works.company()
    large = invoice(company, "large")
    large["document"]["Detalle"][0]["DscItem"] = "x" * 20_000_000
    message = body(large)
    works.redis.lpush(LIST, body(invoice(company, "before")), message, body(invoice(company, "after")))
    told = answer(works, hashlib.sha256(message).hexdigest())
    assert [problem["code"] for problem in told["problems"]] == ["JOB-TOO-LARGE"]
    assert (told["idempotency_key"], told["bytes"]) == ("large", len(message))
    works.await_states(company, {"accepted": 2})
    kept = works.scalar("SELECT length(body) FROM refused_messages WHERE issuer = %s", company.rut)
    assert kept == 65536
    with pytest.raises(NotAJob, match="JOB-TOO-LARGE"):
        works.producer.enqueue(large)


def test_a_key_stands_for_one_content(works: Works) -> None:
    company = works.company()
    first = works.producer.enqueue(invoice(company, "sale", price=1000))
    assert first.outcome == "recorded"
    again = works.producer.enqueue(invoice(company, "sale", price=1000, lane="interactive"))
    assert (again.outcome, again.document_id) == ("known", first.document_id)
    with pytest.raises(KeyConflict):
        works.producer.enqueue(invoice(company, "sale", price=2000))
    works.redis.lpush(LIST, body(invoice(company, "sale", price=3000)))
    kept = wait_until(
        lambda: works.rows("SELECT code, document_id FROM refused_messages WHERE issuer = %s ORDER BY id", company.rut)[
            1:
        ],
        "the second conflict wasn't kept",
    )
    assert kept == [("JOB-KEY-CONFLICT", first.document_id)]
    works.await_states(company, {"accepted": 1})
    assert works.scalar("SELECT total FROM documents WHERE issuer = %s", company.rut) == 1190
    check_books(works, company)


def test_a_key_whose_job_was_invalid_may_come_again_corrected(works: Works) -> None:
    company = works.company()
    first = works.producer.enqueue(invoice(company, "sale", price=-5))
    assert works.producer.wait(first, until="decided").state == "invalid"
    second = works.producer.enqueue(invoice(company, "sale", price=1000))
    assert second.outcome == "recorded"
    assert second.document_id != first.document_id
    assert works.producer.enqueue(invoice(company, "sale", price=1000)).outcome == "known"
    works.await_states(company, {"invalid": 1, "accepted": 1})
    result = works.producer.result((company.rut, "certification", "sale"))
    assert result is not None
    assert (result.id, result.state, result.folio) == (second.document_id, "accepted", 1)
    with pytest.raises(KeyConflict):
        works.producer.enqueue(invoice(company, "sale", price=2000))
    check_books(works, company)
