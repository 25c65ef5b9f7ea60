"""Values of the UF are read as people have them, and a lost comma is seen."""

import json
from datetime import date
from decimal import Decimal

import pytest

from domain.codes.uf import LARGEST_FILE, MOST_PROBLEMS, UfError, read_uf, uf_day, uf_value

DAY = date(2026, 11, 24)
VALUE = Decimal("39412.07")


@pytest.mark.parametrize("text", ["39412.07", "39.412,07", "39412,07", " 39412.07 "])
def test_a_value_is_read_as_it_is_written(text: str) -> None:
    assert uf_value(text) == VALUE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "39.412.0",
        "9999.99",
        "200000.01",
        "39412.071",
        "3941207",
        "-39412",
        "1e4",
        "39,412.07",
        "٣٩٤١٢",
        "9" * 50,
        "39.41,2",
    ],
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
        "2026-11-24,39412,07",
        "\n;\nDía;UF\n2026-11-24; 39.412,07;;\n".encode("latin-1").decode("utf-8", "replace"),
        "# from the bank\n2026-11-24\t39412.07\n\n2026-11-24 39412.07",
        json.dumps({"2026-11-24": 39412.07}),
        json.dumps([{"fecha": "2026-11-24T04:00:00.000Z", "valor": 39412.07}]),
        '{"2026-11-24": 39412.070}',
    ],
)
def test_files_of_every_kind_are_read(text: str) -> None:
    assert {day: stated.value for day, stated in read_uf(text.encode()).items()} == {DAY: VALUE}


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
        (b'{"2026-11-24": 39.412}', "2026-11-24"),
        (b'{"2026-11-24": 39412.071}', "2026-11-24"),
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


def test_every_bad_line_is_told_with_its_place() -> None:
    text = "2026-11-24\nayer;39412.07\n2026-11-25;39\n\n2026-11-26;39412.07\n2026-11-26;39412.08\n2026-02-30;x"
    with pytest.raises(UfError) as refused:
        read_uf(text.encode())
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [
        ("UF-LINE", "line 1"),
        ("UF-DATE", "line 2"),
        ("UF-VALUE", "line 3"),
        ("UF-TWICE", "line 6"),
        ("UF-DATE", "line 7"),
        ("UF-VALUE", "line 7"),
    ]
    assert "line 5" in refused.value.problems[3].message


def test_too_many_bad_lines_are_counted() -> None:
    with pytest.raises(UfError) as refused:
        read_uf(b"1\n" * (MOST_PROBLEMS + 7))
    assert len(refused.value.problems) == MOST_PROBLEMS + 1
    assert "7 more" in refused.value.problems[-1].message


def test_a_day_is_read_alone() -> None:
    assert uf_day("24-11-2026") == DAY
    with pytest.raises(UfError):
        uf_day("24-13-2026")
