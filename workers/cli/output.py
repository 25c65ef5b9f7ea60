"""What commands show: tables with colours at a terminal, plain columns in a pipe, JSON with `--json`.

A table in a pipe has no lines, no colours and is never cut, so that grep and awk can read it. JSON is one object a
line, in UTF-8; times are ISO 8601 in UTC.
"""

import json
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from domain.money import exact_number
from domain.problems import Problem
from workers.cli.columns import Column, render, render_pairs
from workers.enrolment_fields import ENVIRONMENTS

Json = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]


def known_environment(value: str | None) -> str | None:
    """One of the SII's environments, as an option states it."""
    if value is not None and value not in ENVIRONMENTS:
        raise typer.BadParameter(f"there is no environment {value!r}: {' or '.join(ENVIRONMENTS)}")
    return value


Environment = Annotated[
    str, typer.Option(help="certification or production.", metavar="ENVIRONMENT", callback=known_environment)
]
EnvironmentFilter = Annotated[
    str | None, typer.Option("--environment", help="Only this environment's.", callback=known_environment)
]

DONE: Final = 0
NO: Final = 1
BAD_INPUT: Final = 2
AWAY: Final = 3

_CONTROLS: Final = {code: "·" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
"""What would move a terminal's cursor or change its colours, out of a message from outside."""

SHORT_ID: Final = 8
"""Digits of an id that are shown, and that a command takes for the whole."""

_COLOURS: Final = {
    **dict.fromkeys(("accepted", "processed", "recorded", "ok", "done", "whole"), "green"),
    **dict.fromkeys(
        ("accepted_with_repairs", "waiting", "uncertain", "known", "warn", "sending", "held", "not finished"), "yellow"
    ),
    **dict.fromkeys(("rejected", "invalid", "refused", "conflict", "quarantined", "fail", "failing", "closed"), "red"),
    **dict.fromkeys(("signed", "enveloped", "sent", "sealed", "queued"), "cyan"),
    **dict.fromkeys(("received", "numbered", "cancelled", "withdrawn", ""), "dim"),
}


def console() -> Console:
    """Standard output; in a pipe without colours and as wide as what is written."""
    terminal = Console(highlight=False, soft_wrap=True)
    if terminal.is_terminal:
        return Console(highlight=False)
    return Console(highlight=False, width=10_000, no_color=True)


def complaints() -> Console:
    """Standard error, for a person."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def write_json(value: Mapping[str, Any]) -> None:
    """Write one object on a line of its own."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")


def plain(value: object) -> Any:  # noqa: PLR0911  (any JSON value; a line for each kind)
    """A value as JSON's own kinds."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else exact_number(format(value.normalize(), "f"))
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Problem):
        return value.as_dict()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def say(text: str) -> None:
    """Write a sentence for a person, as it is."""
    console().print(escape(text.translate(_CONTROLS)))


def table(columns: Sequence[str], lines: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Write a table; columns whose name begins with `#` are figures. Those that stand first stay in the row longest."""
    screen = console()
    rows = [[_text(value, screen) for value in line] for line in lines]
    width = screen.width if screen.is_terminal else None
    if title and screen.is_terminal:
        screen.print(Text(title, "bold"))
    sides = [Column(column.lstrip("#"), right=column.startswith("#")) for column in columns]
    for line in render(screen, sides, rows, width):
        screen.print(line, soft_wrap=True)


def facts(pairs: Iterable[tuple[str, object]], *, title: str | None = None) -> None:
    """Write names and values below each other; what is absent is left out."""
    screen = console()
    style = "dim" if screen.is_terminal else ""
    rows = [(Text(name, style), _text(value, screen)) for name, value in pairs if value not in (None, "", [], {})]
    if title and screen.is_terminal:
        screen.print(Text(title, "bold"))
    for line in render_pairs(screen, rows, screen.width if screen.is_terminal else None):
        screen.print(line, soft_wrap=True)


def _text(value: object, screen: Console) -> Text:
    """A value as a cell; in a pipe on one line."""
    found = Text.from_markup(cell(value))
    return found if screen.is_terminal else Text(" ").join(found.split("\n"))


def state(name: str) -> str:
    """A state in its colour (rich's markup)."""
    colour = _COLOURS.get(name)
    return f"[{colour}]{escape(name)}[/]" if colour and name else escape(name)


class Markup(str):
    """A text that is rich's markup already."""

    __slots__ = ()


def cell(value: object) -> str:  # noqa: PLR0911  (a line for each kind)
    """A value as a cell of a table (rich's markup)."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    if isinstance(value, uuid.UUID):
        return value.hex[:SHORT_ID]
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return amount(value)
    if isinstance(value, Mapping):
        return escape(_in_words(plain(value)))
    if isinstance(value, list | tuple):
        return escape(", ".join(str(item) for item in value).translate(_CONTROLS))
    return escape(str(value).translate(_CONTROLS))


def _in_words(members: dict[str, Any]) -> str:
    """Members of an object one after the other; as JSON where one of them is an object or a list itself."""
    if any(isinstance(value, dict | list) for value in members.values()):
        return json.dumps(members, ensure_ascii=False)
    return ", ".join(f"{name} {value}" for name, value in members.items() if value not in (None, ""))


def amount(value: Decimal | int | None) -> str:
    """Pesos with points for thousands, as Chile writes them."""
    if value is None:
        return ""
    whole = int(value)
    return f"{whole:,}".replace(",", ".") if whole == value else str(value)


def coloured(name: str | None) -> Markup:
    """A state as a cell in its colour."""
    return Markup(state(name or ""))


def show_problems(problems: Sequence[Problem], *, to_errors: bool = True) -> None:
    """Write problems, a line each: level, code, path and sentence."""
    screen = complaints() if to_errors else console()
    for problem in problems:
        colour = "yellow" if problem.level == "warning" else "red"
        # A sentence about a file begins with its name, which its path is as well.
        where = f" {escape(problem.path)}" if problem.path and not problem.message.startswith(problem.path) else ""
        screen.print(f"[{colour}]{problem.level}[/] [bold]{escape(problem.code)}[/]{where}: {escape(problem.message)}")


def complain(code: str, message: str, problems: Sequence[Problem] = (), *, as_json: bool) -> None:
    """Say why a command did nothing: on standard error for a person, on standard output as JSON."""
    if as_json:
        found = [problem.as_dict() for problem in problems]
        write_json({"error": {"code": code, "message": message}, **({"problems": found} if found else {})})
    elif problems:
        show_problems(problems)
    else:
        complaints().print(f"[red]error[/] [bold]{escape(code)}[/]: {escape(message)}")
