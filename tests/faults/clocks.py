"""Rows of clocks: that of the SII away from ours, folios that expire while sales wait, and the end of summer time.

Both clocks go on from where the last of these rows leaves them, so they are played last.
"""

import datetime as dt
from typing import Final

from deploy.sandbox.enrol import ENVIRONMENT
from tests.acceptance.sales import annulment, boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.faults.play import Play
from tests.faults.row import ALL_ACCEPTED, Case, Counts, Injected, Row
from workers.database import processes

STRIDE: Final = dt.timedelta(days=20)
JUMP: Final = "jump"
OF_TOMORROW: Final = {
    number: {"accepted_with_repairs": sum(states.values())} for number, states in ALL_ACCEPTED.items()
}
"""The SII objects to the date of the stamps (TED-1-647), which don't lie: its clock does."""
BY_SANTIAGO: Final = """
    SELECT issued_on, (signed_at AT TIME ZONE 'America/Santiago')::date FROM documents WHERE issuer = %s
"""


def _skewed(seconds: float, ends: Counts = ALL_ACCEPTED) -> Row:
    """The SII's clock is so many seconds ahead of ours, or behind it."""
    return Row((Case((Injected("F-SKEW-1", None, args={"seconds": seconds}),), ends),))


def _both_jump(play: Play, fault: str) -> None:
    """Inject a fault of clocks, and let FMgo's clock follow; both stay there."""
    play.inject(Injected(fault, None, name=JUMP))
    (rule,) = [one for one in play.works.window.get("/faults").json() if one["id"] == JUMP]
    jump = dt.timedelta(seconds=float(rule["args"]["seconds"]))
    play.works.window.delete(f"/faults/{JUMP}").raise_for_status()
    while jump > dt.timedelta(0):
        step = min(jump, STRIDE)
        play.works.clock.advance(step)
        with play.works.ledger.transaction() as tx:  # as the sweep does, before anything is written in a new month
            processes.make_partitions(tx)
        jump -= step


def _sold_before_folios_expire(play: Play) -> None:
    """Four sales wait, and meanwhile the folios of the facturas expire; then new ones come."""
    works, company, operator = play.works, play.company, play.works.enrolment.operator
    operator.turn("issuing", company.rut, ENVIRONMENT, stop=True, reason="the books are being checked")
    made = [make(company, f"{make.__name__}-{n}") for n in range(2) for make in (invoice, boleta)]
    first, *_ = works.producer.enqueue_many(made)
    wait_until(lambda: works.states(company)["received"] == len(made), "the sales are recorded")
    _both_jump(play, "F-SKEW-2")
    operator.turn("issuing", company.rut, ENVIRONMENT, stop=False, reason=None)
    works.pass_time_until(
        lambda: works.states(company)["waiting"] == 2,
        lambda: f"facturas that wait for folios; there are {works.states(company)}",
    )
    today = works.scalar("SELECT fmgo_now()::date")
    for number in (33, 61):
        caf = {"company": company.rut, "type": number, "from": 1001, "to": 1050}
        (fresh,) = works.sii.register({"cafs": [{**caf, "date": (today - dt.timedelta(days=1)).isoformat()}]})
        operator.add_caf(fresh.data, environment=ENVIRONMENT)
    issued = works.producer.wait(first, until="issued")
    assert issued.folio is not None
    works.producer.enqueue(annulment(company, "note", issued.folio, issued.body["issued_on"]))


def _with_new_folios(play: Play) -> None:
    folios = "SELECT min(folio) FROM documents WHERE issuer = %s AND document_type IN (33, 61)"
    assert play.works.scalar(folios, play.company.rut) == 1001


def _sold_around_the_end_of_summer_time(play: Play) -> None:
    """Sales half a minute before the clocks are turned, minutes after it, and after the midnight that follows."""
    _both_jump(play, "F-SKEW-3")
    play.sell()
    for accepted in (5, 6):
        play.works.await_states(play.company, {"accepted": accepted})
        play.works.clock.advance(dt.timedelta(hours=2 * (accepted - 5)))
        play.sell_more(invoice)


def _dated_in_santiago(play: Play) -> None:
    days = play.works.rows(BY_SANTIAGO, play.company.rut)
    assert len(days) == 7
    assert all(dated == day for dated, day in days)
    assert len({dated for dated, _ in days}) == 2


ROWS: Final[dict[str, Row]] = {
    "F-SKEW-1: ten minutes ahead": _skewed(600),
    "F-SKEW-1: ten minutes behind": _skewed(-600),
    "F-SKEW-1: a day ahead": _skewed(86_400),
    "F-SKEW-1: a day behind": _skewed(-86_400, OF_TOMORROW),
    "F-SKEW-3": Row(
        (
            Case(
                ends={33: {"accepted": 4}, 39: {"accepted": 2}, 61: {"accepted": 1}},
                soap="received received received received",
                stored=(4, 1),
                sale=_sold_around_the_end_of_summer_time,
                check=_dated_in_santiago,
            ),
        ),
        logins=(2, 1),
    ),
    "F-SKEW-2": Row((Case(sale=_sold_before_folios_expire, check=_with_new_folios),)),
}
