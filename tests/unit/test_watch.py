"""Who is dead is judged by the watcher's own clock: neither an outage nor a clock that is set kills anybody."""

import pytest

from workers.watch import ClockWatch, Watch

DEAD_AFTER = 6.0


class Hands:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


def looks(watch: Watch, clock: Hands, *turns: dict[int, int], every: float = 2.0) -> list[set[int]]:
    """Look at each of the counts, so many seconds apart; who was silent each time."""
    found = []
    for beats in turns:
        found.append(set(watch.look(beats)))
        clock.at += every
    return found


def test_who_stops_beating_is_dead_after_its_time_and_not_before(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    assert looks(watch, clock, {1: 5, 2: 7}, {1: 6, 2: 7}, {1: 7, 2: 7}, {1: 8, 2: 7}) == [set(), set(), set(), {2}]
    assert watch.look({1: 9, 2: 7}) == {2: 7}, "with the count that it had, so that a beat meanwhile saves it"


def test_who_beats_again_lives(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    assert looks(watch, clock, *({1: n} for n in (1, 1, 1, 2, 2, 2, 3))) == [set()] * 7


def test_after_an_outage_nobody_is_dead_until_watched_for_the_whole_time(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    looks(watch, clock, {1: 5, 2: 5}, {1: 6, 2: 6})
    clock.at += 3600
    assert looks(watch, clock, {1: 6, 2: 6}, {1: 7, 2: 6}, {1: 8, 2: 6}, {1: 9, 2: 6}) == [set(), set(), set(), {2}]


def test_a_watcher_that_was_paused_itself_buries_nobody(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    looks(watch, clock, {1: 5}, {1: 6})
    clock.at += DEAD_AFTER
    assert watch.look({1: 6}) == {}


def test_a_watcher_that_looks_seldom_needs_several_looks(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    assert looks(watch, clock, *[{1: 6}] * 3, every=5.0) == [set(), set(), {1}]


def test_a_look_that_failed_begins_the_watch_anew(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    looks(watch, clock, {1: 6}, {1: 6})
    watch.forget()
    assert looks(watch, clock, *[{1: 6}] * 4) == [set(), set(), set(), {1}]


def test_whoever_enters_has_the_whole_time(clock: Hands) -> None:
    watch = Watch(DEAD_AFTER, clock)
    assert looks(watch, clock, {1: 1}, {1: 2, 9: 0}, {1: 3, 9: 0}, {1: 4, 9: 0}) == [set()] * 4


@pytest.mark.parametrize("step", [12.0, -3600.0, 2.5])
def test_a_clock_that_is_set_is_noticed_once(clock: Hands, step: float) -> None:
    watch = ClockWatch(clock)
    assert watch.look(clock.at + 50) is None
    clock.at += 2
    assert watch.look(clock.at + 50.01) is None
    clock.at += 2
    assert watch.look(clock.at + 50 + step) == pytest.approx(step, abs=0.1)
    clock.at += 2
    assert watch.look(clock.at + 50 + step) is None


def test_an_outage_is_no_step_of_the_clock(clock: Hands) -> None:
    watch = ClockWatch(clock)
    watch.look(clock.at)
    clock.at += 3600
    assert watch.look(clock.at) is None
