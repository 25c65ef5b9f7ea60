"""How a table is laid out in the width that there is.

What fits stands in columns. Columns of long texts give way first, down to a readable width, and are broken between
words; columns that still find no room follow below their row, each with its name, so that nothing is cut and nothing
is left out on a narrow terminal but columns without a single value. Columns that stand first stay in the row longest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from rich.console import Console
from rich.text import Text

_GAP: Final = 2
_READABLE: Final = 24
"""Characters that a column of longer texts keeps."""
_INDENT: Final = 4
_SHORT: Final = 40
"""Characters of a value that shares its line with others below a row."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and its side; `right` for figures."""

    name: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns stand in the row, how wide, and which follow below it."""

    widths: dict[int, int]
    below: list[int]


def render(
    screen: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int | None
) -> Iterator[Text]:
    """The lines of a table in a terminal of so many characters; None: as wide as it is."""
    layout = lay_out(columns, rows, width)
    names = [Text(column.name, "bold") for column in columns]
    yield from _lines(screen, columns, names, layout.widths)
    if width is not None:
        yield Text("─" * (sum(layout.widths.values()) + _GAP * (len(layout.widths) - 1)), "dim")
    for row in rows:
        yield from _lines(screen, columns, row, layout.widths)
        if width is not None:
            yield from _below(screen, columns, row, layout.below, width)


def render_pairs(screen: Console, pairs: Sequence[tuple[Text, Text]], width: int | None) -> Iterator[Text]:
    """Names and values below each other; a long value goes on in its own column."""
    columns = (Column("name"), Column("value"))
    names = max((name.cell_len for name, _ in pairs), default=0)
    values = max((_longest_line(value) for _, value in pairs), default=0)
    room = values if width is None else max(_READABLE, min(values, width - names - _GAP))
    for pair in pairs:
        yield from _lines(screen, columns, pair, {0: names, 1: room})


def lay_out(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int | None) -> Layout:
    """Give each column its room."""
    natural = {
        at: max((len(column.name), *(_longest_line(row[at]) for row in rows))) for at, column in enumerate(columns)
    }
    if width is None or _sum(natural.values()) <= width:
        return Layout(natural, [])
    natural = {at: wide for at, wide in natural.items() if any(row[at].plain.strip() for row in rows)} or natural
    least = {at: min(wide, max(_READABLE, len(columns[at].name))) for at, wide in natural.items()}
    inside: dict[int, int] = {}
    for at, wide in least.items():
        if not inside or _sum((*inside.values(), wide)) <= width:
            inside[at] = wide
    left = width - _sum(inside.values())
    for at in sorted(inside, key=lambda at: natural[at] - inside[at]):
        waiting = [other for other in inside if natural[other] > inside[other]]
        more = min(natural[at] - inside[at], left // max(1, len(waiting)))
        inside[at] += more
        left -= more
    return Layout(inside, [at for at in least if at not in inside])


def _sum(widths: Iterable[int]) -> int:
    """Characters of columns side by side."""
    found = list(widths)
    return sum(found) + _GAP * (len(found) - 1)


def _longest_line(text: Text) -> int:
    return max((part.cell_len for part in text.split("\n")), default=0)


def _lines(screen: Console, columns: Sequence[Column], row: Sequence[Text], widths: dict[int, int]) -> Iterator[Text]:
    """A row, each of its cells broken between words where it is longer than its column."""
    broken = {at: list(row[at].wrap(screen, wide)) if wide else [] for at, wide in widths.items()}
    for parts in zip_longest(*broken.values(), fillvalue=Text("")):
        line = Text(" " * _GAP).join(
            _aligned(part, wide, right=columns[at].right)
            for part, (at, wide) in zip(parts, widths.items(), strict=True)
        )
        line.rstrip()
        yield line


def _aligned(part: Text, wide: int, *, right: bool) -> Text:
    part = part.copy()
    part.rstrip()
    blanks = " " * max(0, wide - part.cell_len)
    return Text(blanks) + part if right else part + Text(blanks)


def _below(
    screen: Console, columns: Sequence[Column], row: Sequence[Text], below: Sequence[int], width: int
) -> Iterator[Text]:
    """The cells that found no room, short ones side by side; empty ones are left out."""
    line = Text("")
    for at in below:
        if not row[at].plain.strip():
            continue
        named = Text(f"{columns[at].name}: ", "dim") + row[at]
        together = line + Text("   ") + named if line.plain else named
        if together.cell_len > width - _INDENT or row[at].cell_len > _SHORT:
            yield from _indented(screen, line, width)
            line = Text("")
            together = named
        line = together
    yield from _indented(screen, line, width)


def _indented(screen: Console, line: Text, width: int) -> Iterator[Text]:
    if line.plain:
        for part in line.wrap(screen, max(_READABLE, width - _INDENT)):
            part.rstrip()
            yield Text(" " * _INDENT) + part
