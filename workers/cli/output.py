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

from domain.problems import Problem
from workers.database.engine import exact

Json = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]
Environment = Annotated[str, typer.Option(help="certification or production.", metavar="ENVIRONMENT")]

DONE: Final = 0
NO: Final = 1
BAD_INPUT: Final = 2

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
        return int(value) if value == value.to_integral_value() else exact(format(value.normalize(), "f"))
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
        header_style="bold" if screen.is_terminal else "",
    )
    for column in columns:
        shown.add_column(
            column.lstrip("#"),
            justify="right" if column.startswith("#") else "left",
            no_wrap=not screen.is_terminal,
            overflow="fold",
        )
    for line in lines:
        shown.add_row(*(cell(value) for value in line))
    _print(screen, shown)


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
        return escape(json.dumps(plain(value), ensure_ascii=False))
    if isinstance(value, list | tuple):
        return escape(", ".join(str(item) for item in value))
    return escape(str(value))


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
