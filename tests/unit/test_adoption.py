"""Looking for the first free folio of a partly used range, with few questions."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answers.document import DocumentStatus
from workers.adoption import FIRST_FOLIOS, MOST_QUESTIONS, NoAnswerError, search

LAST = 5_000


def sii(used: set[int], asked: list[int] | None = None) -> Callable[[int], DocumentStatus]:
    def ask(folio: int) -> DocumentStatus:
        if asked is not None:
            asked.append(folio)
        return DocumentStatus("mismatch", "DNK", "") if folio in used else DocumentStatus("absent", "FAU", "")

    return ask


def test_an_unused_range_takes_as_many_questions_as_folios_are_looked_at() -> None:
    asked: list[int] = []
    found = search(sii(set(), asked), 1, LAST)
    assert (found.free, found.used) == (1, [])
    assert asked == list(range(1, FIRST_FOLIOS + 1))


@given(st.integers(min_value=0, max_value=LAST - FIRST_FOLIOS))
def test_the_end_of_a_run_is_found_with_few_questions(length: int) -> None:
    asked: list[int] = []
    found = search(sii(set(range(1, length + 1)), asked), 1, LAST)
    assert found.free == length + 1
    assert len(asked) <= 2 * LAST.bit_length() + FIRST_FOLIOS
    assert len(asked) == len(set(asked))


@given(st.sets(st.integers(min_value=1, max_value=60), max_size=60))
def test_what_is_proposed_is_free_and_so_are_the_next(used: set[int]) -> None:
    found = search(sii(used), 1, 100)
    assert set(found.used) <= used
    if found.free is not None:
        assert not used & set(range(found.free, min(found.free + FIRST_FOLIOS, 101)))
    else:
        assert len(found.answers) >= MOST_QUESTIONS


def test_what_is_known_to_be_gone_is_not_asked_for() -> None:
    asked: list[int] = []
    found = search(sii({3, 4, 8}, asked), 1, 100, [(1, 4), (8, 8)])
    assert found.free == 5
    assert asked == [5, 6, 7, 9, 10]


def test_a_range_that_is_used_up_has_no_free_folio() -> None:
    assert search(sii(set(range(1, 21))), 1, 20).free is None


def test_the_last_folios_of_a_range_are_enough() -> None:
    assert search(sii(set(range(1, 19))), 1, 20).free == 19


@pytest.mark.parametrize(("meaning", "code"), [("unknown", "-3"), ("not_authorised", "FNA"), ("unknown", "")])
def test_no_answer_is_no_absence(meaning: str, code: str) -> None:
    def ask(_folio: int) -> DocumentStatus:
        return DocumentStatus(meaning, code, "")  # type: ignore[arg-type]

    with pytest.raises(NoAnswerError, match="folio 7"):
        search(ask, 7, 20)
