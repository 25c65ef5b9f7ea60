"""Values of the UF are read as people have them, and a lost comma is seen."""

import json
from datetime import date
from decimal import Decimal

import pytest

from domain.codes.uf import LARGEST_FILE, UfError, read_uf, uf_value

DAY = date(2026, 11, 24)
VALUE = Decimal("39412.07")


@pytest.mark.parametrize("text", ["39412.07", "39.412,07", "39412,07", " 39412.07 "])
def test_a_value_is_read_as_it_is_written(text: str) -> None:
    assert uf_value(text) == VALUE


@pytest.mark.parametrize(
    "text", ["", "x", "39.412", "3941207", "-39412", "1e4", "39,412.07", "٣٩٤١٢", "9" * 50, "39.41,2"]
)
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(UfError) as refused:
        uf_value(text)
    assert refused.value.problems[0].code == "UF-VALUE"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24;39412.07",
        "24-11-2026;39.412,07",
        "Fecha;Valor\n24/11/2026;$39.412,07\n",
        '"2026-11-24","39.412,07"',
        "# from the bank\n2026-11-24\t39412.07\n\n2026-11-24 39412.07",
        json.dumps({"2026-11-24": 39412.07}),
        json.dumps([{"fecha": "2026-11-24T04:00:00.000Z", "valor": 39412.07}]),
    ],
)
def test_files_of_every_kind_are_read(text: str) -> None:
    assert read_uf(text.encode()) == {DAY: VALUE}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", ""),
        (b"\xff", ""),
        (b"{", ""),
        (b"[" * 100_000, ""),
        (b"[1]", "[0]"),
        (b'{"2026-13-24": 39412.07}', "2026-13-24"),
        (b'{"ayer": 39412.07}', "ayer"),
        (b"2026-11-24;39412.07\n2026-11-25", "line 2"),
        (b"2026-11-24;39412.07\n2026-11-24;39412.08", "line 2"),
        (b"30/02/2026;39412.07", "line 1"),
        (b"x" * (LARGEST_FILE + 1), ""),
    ],
)
def test_files_that_hold_something_else_say_where(data: bytes, place: str) -> None:
    with pytest.raises(UfError) as refused:
        read_uf(data)
    assert refused.value.problems[0].path == place
