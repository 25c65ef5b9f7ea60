"""A restored ledger raises its epoch: who worked on the older one ends and begins anew, and nothing is issued."""

from pathlib import Path

import pytest

from tests.acceptance.books import check_books
from tests.acceptance.sales import body, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works
from workers.producer import LIST, IntakeShut

RAISE = "UPDATE ledger_epoch SET epoch = epoch + 1, replayed_at = NULL, reason = 'restored'"
OPEN = "UPDATE ledger_epoch SET replayed_at = clock_timestamp() WHERE replayed_at IS NULL"
SWEEPS = "SELECT until FROM leases WHERE name = 'sweep'"


def test_a_raised_epoch_ends_the_processes_and_keeps_all_shut_until_the_evidence_is_replayed(works: Works) -> None:
    company = works.company()
    works.kill("bulk")
    works.producer.enqueue(invoice(company, "recorded"))
    old = [pid for (pid,) in works.rows("SELECT pid FROM workers WHERE stopped_at IS NULL AND kind <> 'bulk'")]
    assert len(old) == 2
    works.change(RAISE)
    try:
        wait_until(lambda: not any(_alive(pid) for pid in old), "processes of the older epoch live on")
        with pytest.raises(IntakeShut):
            works.producer.enqueue(invoice(company, "refused"))
        works.redis.lpush(LIST, body(invoice(company, "listed")))
        works.start("bulk")
        wait_until(lambda: works.redis.llen(LIST) == 0, "the list wasn't read")
        for _ in range(3):
            last = works.scalar(SWEEPS)
            wait_until(lambda last=last: works.scalar(SWEEPS) != last, "nobody sweeps")  # type: ignore[misc]
        assert works.states(company) == {"received": 1}
    finally:
        works.change(OPEN)
    works.await_states(company, {"accepted": 2})
    check_books(works, company)


def _alive(pid: int) -> bool:
    """Whether a process runs (one that is only to be collected doesn't)."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False
