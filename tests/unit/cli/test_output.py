"""What commands show: values as cells, as JSON, and plain columns in a pipe."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest

from domain.problems import Problem
from workers.cli.output import cell, coloured, complain, facts, plain, state, table, write_json


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (uuid.UUID(int=1 << 100), "00000010"),
        (dt.date(2026, 11, 24), "2026-11-24"),
        (Decimal("1234567.0000"), "1.234.567"),
        (Decimal("12.5"), "12.5"),
        ({"ñ": 1, "a": None, "b": "c d"}, "ñ 1, b c d"),
        ({"ñ": [1]}, '{"ñ": [1]}'),
        (["a", 1], "a, 1"),
        ("[bold]", "\\[bold]"),
        ("a\x1b[2Jb\x07", "a·[2Jb·"),
    ],
)
def test_a_value_is_shown_as_a_cell(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_a_state_has_its_colour_and_an_unknown_one_none() -> None:
    assert state("accepted") == "[green]accepted[/]"
    assert coloured("whatever") == "whatever"
    assert coloured(None) == ""


def test_values_become_kinds_of_json() -> None:
    at = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.timezone(dt.timedelta(hours=-3)))
    given = {
        "at": at,
        "on": at.date(),
        "total": Decimal("1190.0000"),
        "exact": Decimal("0.5000"),
        "long": Decimal("8999999999999.9991"),
        "left": dt.timedelta(minutes=1),
        "problems": (Problem("X", "a.b", "Mend it."),),
        "id": uuid.UUID(int=0),
    }
    assert plain(given) == {
        "at": "2026-11-24T13:00:00+00:00",
        "on": "2026-11-24",
        "total": 1190,
        "exact": 0.5,
        "long": "8999999999999.9991",
        "left": 60.0,
        "problems": [{"code": "X", "path": "a.b", "message": "Mend it.", "level": "error"}],
        "id": "00000000-0000-0000-0000-000000000000",
    }


def test_a_table_in_a_pipe_is_plain_columns_that_are_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "#sum"], [("x" * 300, 1), ("ñ", 1000)], title="not shown")
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split() == ["name", "sum"]
    assert second.split() == ["x" * 300, "1"]
    assert third == "ñ" + " " * 299 + "  1000"


def test_a_text_of_several_lines_is_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "said"], [("a", "one\ntwo"), ("b", "x")])
    assert capsys.readouterr().out == "name  said\na     one two\nb     x\n"


def test_facts_stand_below_each_other_and_what_is_absent_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    facts([("document", "6f1c"), ("total", Decimal(1190)), ("claim", None), ("state", coloured("accepted"))])
    assert capsys.readouterr().out == "document  6f1c\ntotal     1.190\nstate     accepted\n"


def test_errors_are_json_when_asked_and_else_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    complain("X", "Sentence.", [Problem("Y", "p", "Other.")], as_json=True)
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "Y"
    complain("X", "Sentence [bold].", as_json=False)
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "error X: Sentence [bold].\n")


def test_json_is_one_line_in_utf_8(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"ñ": "a\nb"})
    assert capsys.readouterr().out == '{"ñ": "a\\nb"}\n'
