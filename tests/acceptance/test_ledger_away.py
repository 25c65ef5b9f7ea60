"""PostgreSQL goes away and comes back while everybody works: whoever lives gives back what it holds; all goes on."""

from tests.acceptance.books import check_books
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

BATCH = 200
AWAY = "ledger.away"
BACK = "ledger.back"


def told(works: Works, what: str) -> dict[str, int]:
    """How often each kind of worker has said that the ledger is away, or back."""
    return {kind: works.logged(kind, what) for kind in works.crew}


def await_told(works: Works, what: str, before: dict[str, int]) -> None:
    """Return when each kind has said it again."""
    wait_until(lambda: all(n > before[kind] for kind, n in told(works, what).items()), f"not everybody said {what}")


def test_outages_of_the_ledger_in_mid_batch_lose_nothing_and_leave_nothing_leased(works: Works) -> None:
    company = works.company((33, 39))
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(BATCH)])
    works.producer.enqueue_many([boleta(company, f"boleta-{n}", lane="interactive") for n in range(20)])
    for _ in range(3):
        done = works.states(company)["accepted"]
        away, back = told(works, AWAY), told(works, BACK)
        with works.without_ledger():
            await_told(works, AWAY, away)
        await_told(works, BACK, back)
        wait_until(
            lambda done=done: works.states(company)["accepted"] > done or works.states(company)["received"] == 0,  # type: ignore[misc]
            "nothing goes on",
        )
    works.await_states(company, {"accepted": BATCH + 20})
    check_books(works, company)
    for child in works.crew.values():
        child.check()


def test_an_answer_that_comes_while_the_ledger_is_away_leaves_a_doubt_and_no_second_upload(works: Works) -> None:
    company = works.company()
    works.fault("F-SLOW", company, "DTEUpload", args={"seconds": 2})
    owes = works.logged("threads", "process.owes")
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(3)])
    wait_until(lambda: works.uploads(company), "nothing was uploaded")
    with works.without_ledger():
        wait_until(lambda: works.logged("threads", "process.owes") > owes, "it doesn't know that it owes the envelope")
    works.await_states(company, {"accepted": 3})
    check_books(works, company)
    assert len(works.uploads(company)) == 1
    track_id = str(works.uploads(company)[0]["track_id"])
    attempts = [(outcome, track) for outcome, _, track in works.attempts(company)]
    assert attempts == [(None, None), ("duplicate", track_id)]
