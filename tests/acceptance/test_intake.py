"""The ways in: the same job from everywhere at once, jobs that are none beside good ones, keys used again."""

import json
import threading
from typing import Any

import pytest
from celery import Celery

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import body, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, unknown_company
from workers.producer import LIST, KeyConflict, Producer

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
