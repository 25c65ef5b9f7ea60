"""Whether a service of the SII may be asked: breaker, rate and open requests, for all processes together."""

import threading
import uuid

import pytest

from tests.integration.ledger.conftest import enter
from workers.database import pace, processes
from workers.database.engine import Ledger, run
from workers.database.pace import Ask, Learnt, Limits, Pauses

WORLD, SERVICE = "certification", "dte.upload"
WIDE = Limits(seconds_each=0.0, burst_seconds=1.0, open_requests=100)
PAUSES = Pauses(faults=3, first_seconds=30, longest_seconds=300)
FAULT = Learnt("HTTP 503")
FINE = Learnt(None)


def request(worker: int) -> Ask:
    return Ask(WORLD, SERVICE, worker, uuid.uuid4().hex)


def ask(ledger: Ledger, what: Ask, limits: Limits = WIDE, requests: int = 1) -> bool | None:
    with ledger.statements() as tx:
        return pace.enter(tx, what, limits, requests)


def end(ledger: Ledger, what: Ask, learnt: Learnt) -> None:
    with ledger.transaction() as tx:
        pace.leave(tx, what, learnt, PAUSES)


def once(ledger: Ledger, worker: int, learnt: Learnt) -> None:
    what = request(worker)
    assert ask(ledger, what) is not None
    end(ledger, what, learnt)


def closed_for(ledger: Ledger) -> float | None:
    with ledger.transaction() as tx:
        found = pace.closed(tx, WORLD).get(SERVICE)
    return None if found is None else found.seconds


def pass_time(ledger: Ledger, seconds: float) -> None:
    with ledger.transaction() as tx:
        run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
        run(tx, "SELECT fmgo_move_clock(make_interval(secs => :seconds))", seconds=seconds)


@pytest.fixture
def worker(ledger: Ledger) -> int:
    return enter(ledger).worker


def test_faults_in_a_row_close_a_service_and_an_answer_between_them_does_not(ledger: Ledger, worker: int) -> None:
    for learnt in (FAULT, FAULT, FINE, FAULT, FAULT):
        once(ledger, worker, learnt)
    assert closed_for(ledger) is None
    once(ledger, worker, FAULT)
    assert closed_for(ledger) == pytest.approx(30, abs=10)
    assert ask(ledger, request(worker)) is None


def test_after_the_pause_one_request_probes_and_its_answer_opens(ledger: Ledger, worker: int) -> None:
    for _ in range(3):
        once(ledger, worker, FAULT)
    pass_time(ledger, 31)
    other, probe = enter(ledger).worker, request(worker)
    assert ask(ledger, probe) is True
    assert ask(ledger, request(other)) is None
    assert ask(ledger, request(worker)) is None
    end(ledger, probe, FINE)
    assert closed_for(ledger) is None
    assert ask(ledger, request(other)) is False


def test_probes_that_bring_nothing_come_at_growing_pauses_up_to_the_longest(ledger: Ledger, worker: int) -> None:
    for _ in range(3):
        once(ledger, worker, FAULT)
    pauses = []
    for _ in range(6):
        wait = closed_for(ledger)
        assert wait is not None
        pauses.append(wait)
        pass_time(ledger, wait + 0.1)
        once(ledger, worker, FAULT)
    assert pauses == [pytest.approx(seconds, abs=10) for seconds in (30, 60, 120, 240, 300, 300)]


def test_a_dead_process_takes_neither_the_probe_nor_the_room_of_others(ledger: Ledger, worker: int) -> None:
    one = Limits(0.0, 1.0, open_requests=1)
    other = enter(ledger).worker
    mine = request(other)
    assert ask(ledger, request(worker), one) is False
    assert ask(ledger, mine, one) is None
    with ledger.transaction() as tx:
        processes.leave(tx, worker)
    assert ask(ledger, mine, one) is False
    end(ledger, mine, FINE)
    for _ in range(3):
        once(ledger, other, FAULT)
    pass_time(ledger, 31)
    third = enter(ledger).worker
    assert ask(ledger, request(other)) is True
    with ledger.transaction() as tx:
        processes.leave(tx, other)
        pace.forget_the_dead(tx)
    assert ask(ledger, request(third)) is True
    with ledger.transaction() as tx:
        assert [one.open_requests for one in pace.services(tx)] == [1]


def test_a_request_of_which_nobody_knows_whether_it_was_admitted_is_taken_back(ledger: Ledger, worker: int) -> None:
    one = Limits(0.0, 1.0, open_requests=1)
    held, never_held = request(worker), request(worker)
    assert ask(ledger, held, one) is False
    with ledger.transaction() as tx:
        pace.withdraw(tx, never_held)
    assert ask(ledger, request(worker), one) is None
    for _ in range(2):
        with ledger.transaction() as tx:
            pace.withdraw(tx, held)
    assert ask(ledger, request(worker), one) is False


def test_open_requests_are_bounded_however_many_ask_at_the_same_moment(ledger: Ledger) -> None:
    few = Limits(0.0, 1.0, open_requests=5)
    workers = [enter(ledger).worker for _ in range(20)]
    start, answers = threading.Barrier(len(workers)), []

    def one(number: int) -> None:
        start.wait(timeout=30)
        answers.append(ask(ledger, request(number), few))

    threads = [threading.Thread(target=one, args=(number,)) for number in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert answers.count(False) == 5
    assert answers.count(None) == 15


def test_the_rate_lets_a_burst_through_and_then_as_many_as_time_allows(ledger: Ledger, worker: int) -> None:
    slow = Limits(seconds_each=60.0, burst_seconds=120.0, open_requests=100)
    assert [ask(ledger, request(worker), slow) for _ in range(5)] == [False, False, False, None, None]
    pass_time(ledger, 60)
    assert [ask(ledger, request(worker), slow) for _ in range(2)] == [False, None]


def test_requests_that_go_together_are_paid_for_together(ledger: Ledger, worker: int) -> None:
    slow = Limits(seconds_each=60.0, burst_seconds=120.0, open_requests=100)
    assert ask(ledger, request(worker), slow, requests=10) is False
    assert ask(ledger, request(worker), slow) is None
    pass_time(ledger, 480)
    assert ask(ledger, request(worker), slow) is False


def test_a_service_that_asks_to_wait_is_left_alone_that_long(ledger: Ledger, worker: int) -> None:
    earlier = request(worker)
    assert ask(ledger, earlier) is False
    once(ledger, worker, Learnt("too many requests", retry_after=600))
    assert closed_for(ledger) == pytest.approx(600, abs=10)
    end(ledger, earlier, FINE)  # an answer to what was asked before doesn't open it
    assert closed_for(ledger) == pytest.approx(600, abs=10)
    pass_time(ledger, 601)
    assert ask(ledger, request(worker)) is True


def test_a_request_that_was_never_made_teaches_nothing(ledger: Ledger, worker: int) -> None:
    for _ in range(2):
        once(ledger, worker, FAULT)
    never = request(worker)
    assert ask(ledger, never) is False
    with ledger.transaction() as tx:
        pace.withdraw(tx, never)
    once(ledger, worker, FAULT)
    assert closed_for(ledger) is not None
