"""Writing a document: its tags in the schema's order, escaped, nothing empty.

It promises text that is final: it is signed, stored and sent as it comes out, so it holds no line longer than some
3,900 characters (the SII refuses lines of about 4,090, CHR-00002) and nothing that a parser would read differently.
A line feed follows every group and surrounds long values; it stands between tags, where the schema allows blanks.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from domain.format.reading import Values
from domain.format.table import TypeRow
from domain.money import figure

LONG_VALUE = 800
"""Characters from which a value gets a line of its own."""


def render_rows(row: TypeRow, values: Values) -> str:
    """The tags of a group, without the group's own tags."""
    parts: list[str] = []
    _write(row, values, parts)
    return "".join(parts)


def escaped(text: str) -> str:
    """Text as element content, escaped the way C14N does it."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def _write(row: TypeRow, values: Values, parts: list[str]) -> None:
    for tag, opening, closing, child in row.written:
        value = values.get(tag)
        if value is None:
            continue
        for item in _items(value):
            if type(item) is dict:
                parts.append(opening)
                _write(child, item, parts)
                parts.append(f"{closing}\n")
            else:
                parts.append(_leaf(opening, item, closing))


def _items(value: Any) -> Iterator[Any] | tuple[Any, ...]:
    return iter(value) if type(value) is list else (value,)


def _leaf(opening: str, value: Any, closing: str) -> str:
    if type(value) is str:
        text = escaped(value)
        if len(text) > LONG_VALUE:
            return f"\n{opening}{text}{closing}\n"
        return f"{opening}{text}{closing}"
    if type(value) is Decimal:
        return f"{opening}{figure(value)}{closing}"
    return f"{opening}{value}{closing}"
