"""Workers that die by SIGKILL: no document is lost, doubled, or left in dead hands."""

import os
import signal

from tests.acceptance.books import check_books
from tests.acceptance.sales import invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

BATCH = 300


def test_a_bulk_worker_killed_in_mid_batch_loses_and_doubles_nothing(works: Works) -> None:
    company = works.company()
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(BATCH)])
    wait_until(lambda: BATCH > works.states(company)["received"] > 0, "the batch didn't begin")
    works.kill("bulk")
    left = works.states(company)
    assert left["received"] + left["numbered"] > 0, "it was over before the kill"
    works.start("bulk")
    works.await_states(company, {"accepted": BATCH})
    check_books(works, company)
