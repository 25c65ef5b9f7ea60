"""Ranges of folios: the same numbers, whoever writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.folio_ranges import Range, free_from, joined, overlap, read_ranges, size, without, written

RANGES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8
)


def numbers(ranges: list[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def test_ranges_are_read_as_people_write_them() -> None:
    assert read_ranges(" 10-57, 61,58 ,1 - 2") == [(1, 2), (10, 58), (61, 61)]
    assert written([(1, 2), (61, 61)]) == "1-2,61"


@pytest.mark.parametrize("text", ["", "10-", "5-4", "0", "a", "1;2", "-3", "12345678901", "1,,2", "١"])
def test_what_is_no_range_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="folio"):
        read_ranges(text)


@given(RANGES, RANGES)
def test_ranges_are_sets_of_numbers(mine: list[Range], others: list[Range]) -> None:
    assert numbers(joined(mine)) == numbers(mine)
    assert all(left[1] + 1 < right[0] for left, right in zip(joined(mine), joined(mine)[1:], strict=False))
    assert numbers(without(mine, others)) == numbers(mine) - numbers(others)
    assert numbers(overlap(mine, others)) == numbers(mine) & numbers(others)
    assert size(joined(mine)) == len(numbers(mine))


@given(RANGES, st.integers(1, 50))
def test_the_next_free_number_is_the_smallest(taken: list[Range], number: int) -> None:
    expected = next(candidate for candidate in range(number, 200) if candidate not in numbers(taken))
    assert free_from(number, joined(taken)) == expected
