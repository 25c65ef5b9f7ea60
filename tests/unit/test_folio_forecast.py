"""For how many days folios last."""

from datetime import date, timedelta

from workers.folio_forecast import days_left

MONDAY = date(2026, 11, 23)


def last_days(count: int, each: int) -> dict[date, int]:
    return {MONDAY - timedelta(days=number): each for number in range(1, count + 1)}


def test_an_even_use_is_divided() -> None:
    assert days_left(100, last_days(28, 10), MONDAY) == 10
    assert days_left(99, last_days(28, 10), MONDAY) == 9
    assert days_left(9, last_days(28, 10), MONDAY) == 0


def test_a_shop_that_sells_on_saturdays_only_lasts_until_the_saturday_that_uses_them_up() -> None:
    saturdays = {day: 50 for day in last_days(28, 0) if day.weekday() == 5}
    assert len(saturdays) == 4
    assert days_left(120, saturdays, MONDAY) == 18  # 28 November, 5 December; the third is the one too many
    assert days_left(49, saturdays, MONDAY) == 4


def test_what_isn_t_used_lasts() -> None:
    assert days_left(5, {}, MONDAY) is None
    assert days_left(5, {MONDAY - timedelta(days=40): 100}, MONDAY) is None
    assert days_left(1_000_000, last_days(28, 1), MONDAY) is None


def test_a_series_of_three_days_is_judged_by_them() -> None:
    assert days_left(30, last_days(3, 10), MONDAY) == 3


def test_the_first_day_counts_for_itself() -> None:
    assert days_left(30, {MONDAY: 10}, MONDAY) == 3


def test_a_day_that_isn_t_over_makes_no_day_weaker() -> None:
    assert days_left(100, {**last_days(28, 10), MONDAY: 1}, MONDAY) == 10
