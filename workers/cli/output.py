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
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from domain.money import exact_number
from domain.problems import Problem
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

_AROUND_A_COLUMN: Final = 2
_LEAST_WIDTH: Final = 10
"""Characters that a column of longer texts keeps: a day stays whole."""

SHORT_ID: Final = 8
"""Digits of an id that are shown, and that a command takes for the whole."""

_COLOURS: Final = {
    **dict.fromkeys(("accepted", "processed", "recorded", "ok", "done"), "green"),
    **dict.fromkeys(("accepted_with_repairs", "waiting", "uncertain", "known", "warn", "sending", "held"), "yellow"),
    **dict.fromkeys(("rejected", "invalid", "refused", "conflict", "quarantined", "fail"), "red"),
    **dict.fromkeys(("signed", "enveloped", "sent", "sealed", "queued"), "cyan"),
    **dict.fromkeys(("received", "numbered", "cancelled", ""), "dim"),
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
    console().print(escape(text))


def table(columns: Sequence[str], lines: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Write a table; columns whose name begins with `#` are figures."""
    screen = console()
    shown = Table(
        title=title if screen.is_terminal else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD if screen.is_terminal else None,
        pad_edge=False,
        padding=(0, 1, 0, 0) if screen.is_terminal else (0, 1),
        header_style="bold" if screen.is_terminal else "",
    )
    names = [column.lstrip("#") for column in columns]
    rows = [[cell(value) for value in line] for line in lines]
    whole = _whole(names, rows, screen.width)
    for at, (column, name) in enumerate(zip(columns, names, strict=True)):
        right = column.startswith("#")
        shown.add_column(name, justify="right" if right else "left", no_wrap=at in whole, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    _print(screen, shown)


def _whole(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> set[int]:
    """Columns that aren't broken into lines: the narrowest first, as long as each of the others keeps some room."""
    widths = {
        at: max(len(name), *(Text.from_markup(row[at]).cell_len for row in rows), 0) for at, name in enumerate(names)
    }
    left = width - _AROUND_A_COLUMN * len(names)
    whole: set[int] = set()
    for at in sorted(widths, key=lambda at: widths[at]):
        left -= widths[at]
        whole.add(at)
        if left < sum(min(widths[other], _LEAST_WIDTH) for other in widths.keys() - whole):
            return whole - {at}
    return whole


def _print(screen: Console, shown: Table) -> None:
    """Print a table; in a pipe without the blanks that fill its last column."""
    if screen.is_terminal:
        screen.print(shown)
        return
    with screen.capture() as captured:
        screen.print(shown)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def facts(pairs: Iterable[tuple[str, object]], *, title: str | None = None) -> None:
    """Write names and values below each other; what is absent is left out."""
    screen = console()
    shown = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False)
    shown.add_column(style="dim" if screen.is_terminal else "", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", [], {}):
            shown.add_row(name, cell(value))
    _print(screen, shown)


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
        return escape(", ".join(str(item) for item in value))
    return escape(str(value))


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
        where = f" {escape(problem.path)}" if problem.path else ""
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
