"""How long the SII recognises a repeated file is counted from the first try that it may have received."""

import datetime as dt

from tests.acceptance.books import check_books
from tests.acceptance.sales import invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works


def test_later_tries_that_may_not_have_arrived_do_not_lengthen_the_window(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale"))
    works.await_envelope(company, "uncertain")
    works.fault("F-HTML-UP", company, "DTEUpload")
    works.clock.advance(dt.timedelta(seconds=600))
    wait_until(lambda: len(works.attempts(company)) == 2, "it wasn't sent again inside the window")
    works.await_envelope(company, "uncertain")
    works.clock.advance(dt.timedelta(seconds=400))
    works.await_states(company, {"accepted": 1})
    check_books(works, company)
    assert len(works.uploads(company)) == 1
    assert len(works.requests(company, "DTEUpload")) == 2
