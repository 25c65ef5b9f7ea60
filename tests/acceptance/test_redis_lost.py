"""Redis forgets everything, again and again: recorded jobs aren't lost, and results are told all the same."""

from tests.acceptance.books import check_books
from tests.acceptance.sales import invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

BATCH = 300


def test_flushall_in_mid_batch_loses_no_recorded_job(works: Works) -> None:
    company = works.company()
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(BATCH)])
    works.redis.flushall()
    wait_until(lambda: works.states(company)["signed"] + works.states(company)["enveloped"] > 0, "nothing was signed")
    works.redis.flushall()
    wait_until(lambda: works.states(company)["accepted"] > 0, "nothing was accepted")
    works.redis.flushall()
    works.await_states(company, {"accepted": BATCH})
    check_books(works, company)


def test_whoever_waits_for_a_result_that_redis_forgot_gets_it_from_the_ledger(works: Works) -> None:
    company = works.company()
    receipt = works.producer.enqueue(invoice(company, "sale", lane="interactive"))
    works.await_states(company, {"accepted": 1})
    wait_until(lambda: works.told(receipt.document_id).get("state") == "accepted", "it wasn't told")
    told = works.producer.wait(receipt, until="decided", timeout=30)
    works.redis.flushall()
    found = works.producer.wait(receipt, until="decided", timeout=30)
    assert (found.version, found.state, found.folio, found.total) == (told.version, "accepted", 1, told.total)
    assert found.xml == told.xml
    assert found.ted == told.ted
    assert found.xml is not None
