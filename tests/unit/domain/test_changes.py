"""What notes together have done to a document: only what is certain counts, and a note that is undone doesn't."""

from decimal import Decimal

import pytest

from domain.changes import Changed, Key, StandingNote, Taken, changes_of, taken
from tests.unit.domain.samples import (
    credit_note,
    debit_note,
    export_note,
    invoice,
    opposite,
    prepared,
    settlement,
    spoilt,
)

SALE: Key = (33, 1)
OTHER: Key = (33, 2)
TOTALS = {SALE: 100, OTHER: 100}


def note(key: Key, total: int, *changes: tuple[Key, int]) -> StandingNote:
    return StandingNote(*key, total, tuple(Changed(*changed, code) for changed, code in changes))


CASES: dict[str, tuple[list[StandingNote], Taken]] = {
    "none": ([], Taken()),
    "two partial notes": ([note((61, 1), 30, (SALE, 3)), note((61, 2), 20, (SALE, 3))], Taken(50)),
    "on another document": ([note((61, 1), 30, (OTHER, 3))], Taken()),
    "a note that adds": ([note((56, 1), 40, (SALE, 3))], Taken(0, 40)),
    "a text": ([note((61, 1), 0, (SALE, 2))], Taken()),
    "annulled": ([note((61, 1), 100, (SALE, 1))], Taken(100, 0, annulled=True)),
    "annulled by its opposite": ([note((43, 2), -100, (SALE, 1))], Taken(0, 0, annulled=True)),
    "annulled, and that undone": (
        [note((61, 1), 100, (SALE, 1)), note((56, 1), 100, ((61, 1), 1))],
        Taken(),
    ),
    "undone, and that undone": (
        [note((61, 1), 100, (SALE, 1)), note((56, 1), 100, ((61, 1), 1)), note((61, 2), 100, ((56, 1), 1))],
        Taken(100, 0, annulled=True),
    ),
    "lessened by a debit note": (
        [note((61, 1), 60, (SALE, 3)), note((56, 1), 25, ((61, 1), 3))],
        Taken(35),
    ),
    "more undone than there was": (
        [note((61, 1), 60, (SALE, 3)), note((56, 1), 90, ((61, 1), 3))],
        Taken(0),
    ),
    "on two, little": ([note((61, 1), 90, (SALE, 3), (OTHER, 3))], Taken(0)),
    "on two, more than the other can bear": ([note((61, 1), 130, (SALE, 3), (OTHER, 3))], Taken(30)),
    "on two, the other one is larger by a debit note": (
        [note((61, 1), 130, (SALE, 3), (OTHER, 3)), note((56, 1), 20, (OTHER, 3))],
        Taken(10),
    ),
    "on two, the other unknown": ([note((61, 1), 500, (SALE, 3), ((33, 9), 3))], Taken(0)),
    "in a circle": ([note((61, 1), 30, (SALE, 3), ((61, 1), 3))], Taken(0)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_stands_on_a_sale(name: str) -> None:
    notes, expected = CASES[name]
    assert taken(SALE, notes, TOTALS) == expected


UNDO = note((56, 1), 100, ((61, 1), 1))
CHAIN = [note((61, 1), 100, (SALE, 1)), UNDO]


@pytest.mark.parametrize(("again", "left"), [(0, 100), (40, 60), (100, 0)])
def test_an_undoing_is_undone_only_as_far_as_there_is_room(again: int, left: int) -> None:
    notes = [*CHAIN, note((61, 2), again, (SALE, 3))]
    assert 100 - taken((56, 1), notes, TOTALS).credited == left


def test_what_was_undone_more_than_once_may_be_undone_until_it_counts() -> None:
    twice = [
        note((61, 1), 100, (SALE, 3)),
        note((56, 1), 100, ((61, 1), 3)),
        note((56, 2), 30, ((61, 1), 3)),
        note((61, 2), 100, (SALE, 3)),
    ]
    assert taken((56, 1), twice, TOTALS).credited == 70


@pytest.mark.parametrize(
    "notes",
    [
        [UNDO],
        [note((61, 1), 100, (SALE, 3), (OTHER, 3)), UNDO],
        [note((61, 1), 100, ((33, 9), 3)), UNDO],
        [*CHAIN[:1], note((56, 1), 0, ((61, 1), 2))],
        [note((56, 1), 40, (SALE, 3))],
    ],
)
def test_what_is_not_certain_limits_nothing(notes: list[StandingNote]) -> None:
    assert taken((56, 1), notes, TOTALS) == Taken()


def test_notes_within_the_documents_looked_at_count_wholly_and_once() -> None:
    notes = [note((61, 1), 90, (SALE, 3), (OTHER, 3)), note((61, 2), 50, (OTHER, 3), (SALE, 3))]
    both = (SALE, OTHER)
    assert taken(SALE, notes, TOTALS, both).credited == 90
    assert taken(OTHER, notes, TOTALS, both).credited == 50


def test_two_notes_that_undo_each_other_end() -> None:
    circle = [note((61, 1), 30, ((56, 1), 1)), note((56, 1), 30, ((61, 1), 1))]
    assert isinstance(taken((61, 1), circle, {}), Taken)


def test_amounts_in_another_currency_stay_exact() -> None:
    notes = [
        StandingNote(112, 1, Decimal("0.1"), (Changed(110, 1, 3),)),
        StandingNote(112, 2, Decimal("0.2"), (Changed(110, 1, 3),)),
    ]
    assert taken((110, 1), notes, {}).credited == Decimal("0.3")


def test_what_a_note_says_it_changes() -> None:
    two = credit_note(3)
    two["Referencia"] += [{**two["Referencia"][0], "FolioRef": "00012"}, two["Referencia"][0]]
    two["Referencia"] += [{"TpoDocRef": 801, "FolioRef": "A1", "FchRef": "2026-11-20"}]
    assert changes_of(prepared(two).document) == (Changed(33, 10, 3), Changed(33, 12, 3))
    assert changes_of(prepared(debit_note()).document) == (Changed(33, 10, 3),)
    assert changes_of(prepared(export_note()).document) == (Changed(110, 50, 1),)
    assert changes_of(prepared(invoice()).document) == ()


def test_only_a_liquidacion_below_zero_changes_another() -> None:
    assert changes_of(prepared(opposite()).document) == (Changed(43, 70, 1),)
    above = spoilt(settlement(), Referencia=opposite()["Referencia"])
    assert changes_of(prepared(above).document) == ()
