"""Tables in terminals of any width: nothing is cut, nothing is left out, nothing is wider than the terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from workers.cli.columns import Column, render

LISTING = ["document", "state", "#type", "#folio", "#total", "key", "issuer", "received", "cause"]
ROWS = [
    ["6f1c2a90", "accepted", "39", "1204", "9.180", "till-3-000123", "76900101-8", "2026-11-24 10:00:00", ""],
    ["6f1c2a91", "accepted_with_repairs", "33", "7", "1.190.000", "b-2", "76900101-8", "2026-11-24 10:00:01", ""],
    ["6f1c2a92", "invalid", "", "", "", "k" * 70, "77654321-K", "2026-11-24 10:00:02", "DTE-TOT-03, DTE-REF-20"],
]


def drawn(columns: list[str], rows: list[list[str]], width: int | None) -> list[str]:
    sides = [Column(name.lstrip("#"), right=name.startswith("#")) for name in columns]
    screen = Console(file=io.StringIO(), width=width or 10_000)
    return [line.plain for line in render(screen, sides, [[Text(cell) for cell in row] for row in rows], width)]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_listing_fits_and_tells_everything(width: int) -> None:
    lines = drawn(LISTING, ROWS, width)
    assert max(map(len, lines)) <= width
    told = "".join("".join(lines).split())
    for row in ROWS:
        for cell in row:
            assert "".join(cell.split()) in told or len(cell) > 24


def test_ids_dates_and_figures_are_never_broken() -> None:
    for width in (60, 80, 120):
        text = "\n".join(drawn(LISTING, ROWS, width))
        for whole in ("6f1c2a90", "1.190.000", "2026-11-24 10:00:01", "accepted_with_repairs", "76900101-8"):
            assert whole in text


def test_what_fits_stands_in_columns() -> None:
    lines = drawn(["name", "#sum"], [["x", "1"], ["yy", "1.000"]], 80)
    assert lines == ["name    sum", "───────────", "x         1", "yy    1.000"]


def test_what_finds_no_room_follows_below_its_row_with_its_name() -> None:
    lines = drawn(["id", "name", "since", "until"], [["1", "a" * 20, "2026-11-24", "2026-11-25"]], 40)
    assert lines[0] == "id  name                  since"
    assert lines[3] == "    until: 2026-11-25"


def test_a_long_text_is_broken_between_words() -> None:
    lines = drawn(["id", "what to do"], [["1", "write the amount without a dot for thousands"]], 34)
    assert [line.strip() for line in lines[2:]] == ["1   write the amount without a dot", "for thousands"]


@given(
    st.lists(st.lists(st.text("añ 1.", max_size=90), min_size=5, max_size=5), max_size=4),
    st.integers(min_value=40, max_value=130),
)
def test_whatever_is_in_it_no_line_is_too_long_and_no_letter_is_lost(rows: list[list[str]], width: int) -> None:
    lines = drawn(["a", "b", "#c", "d", "e"], rows, width)
    assert all(len(line) <= width for line in lines)
    written = "".join(lines)
    for letter in "ñ1.":
        assert written.count(letter) == sum(cell.count(letter) for row in rows for cell in row)
