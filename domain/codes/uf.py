"""Values of the UF (unidad de fomento), in pesos by day, as people have them in files.

A file is JSON (an object of days and values, or a list of objects with `fecha` and `valor`) or lines of a day and a
value. Days are 2026-11-24, 24-11-2026 or 24/11/2026; values 39412.07 or, as Chile writes them, 39.412,07. The SII and
the Banco Central publish a value for every day, with two decimals.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from domain.problems import DomainError, Problem, shown

LEAST, MOST = Decimal(1_000), Decimal(1_000_000)
"""Pesos between which a value is believed: the UF passed 1,000 in 1980, and a lost comma shows."""
LARGEST_FILE = 1024 * 1024
"""Bytes of the largest file that is read; a hundred years have some seven hundred thousand."""

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_CHILEAN = re.compile(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", re.ASCII)
_POINT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?", re.ASCII)
_COMMA = re.compile(r"[0-9]{1,3}(?:\.?[0-9]{3})*,[0-9]{1,4}", re.ASCII)
_LINE = re.compile(r"""^["']?([0-9/-]{8,10})["']?\s*[;,\t ]\s*["']?\$?\s*([0-9.,]+)["']?\s*;?$""", re.ASCII)


class UfError(DomainError):
    """Values of the UF that can't be read; code UF-VALUE, the path says where."""


def uf_value(text: str, place: str = "UF") -> Decimal:
    """One value in pesos. Raises UfError."""
    written = text.strip()
    if _COMMA.fullmatch(written):
        written = written.replace(".", "").replace(",", ".")
    elif not _POINT.fullmatch(written):
        raise _refused(place, f"{shown(text)} is no value of the UF; write 39412.07 or 39.412,07.")
    value = Decimal(written)
    if not LEAST <= value <= MOST:
        raise _refused(place, f"{shown(text)} can't be the UF, which lies between {LEAST} and {MOST} pesos.")
    return value


def read_uf(data: bytes) -> Mapping[date, Decimal]:
    """The values in a file, by day. Raises UfError for the first that can't be read, or when a day has two values."""
    if len(data) > LARGEST_FILE:
        raise _refused("", f"The file has {len(data)} bytes; at most {LARGEST_FILE} are read.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("", "Write the file in UTF-8.") from None
    found: dict[date, Decimal] = {}
    pairs = _from_json(text) if text.lstrip().startswith(("{", "[")) else _from_lines(text)
    for place, day_text, value_text in pairs:
        day, value = _day(day_text, place), uf_value(value_text, place)
        if found.setdefault(day, value) != value:
            raise _refused(place, f"{day} has two values, {found[day]} and {value}.")
    if not found:
        raise _refused("", "The file has no value of the UF.")
    return found


def _from_json(text: str) -> Iterator[tuple[str, str, str]]:
    try:
        content = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise _refused("", "The file is no JSON.") from None
    if isinstance(content, dict):
        for day, value in content.items():
            yield str(day), str(day), str(value)
        return
    for at, each in enumerate(content):
        if not isinstance(each, dict) or not {"fecha", "valor"} <= each.keys():
            raise _refused(f"[{at}]", "Write objects with fecha and valor.")
        yield f"[{at}]", str(each["fecha"])[:10], str(each["valor"])


def _from_lines(text: str) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        parts = _LINE.fullmatch(written)
        if parts is not None:
            yield f"line {number}", parts[1], parts[2]
        elif number > 1:  # the first line may name the columns
            raise _refused(f"line {number}", f"{shown(written)} is no day and value.")


def _day(text: str, place: str) -> date:
    if (parts := _ISO.fullmatch(text)) is not None:
        year, month, day = map(int, parts.groups())
    elif (parts := _CHILEAN.fullmatch(text)) is not None:
        day, month, year = map(int, parts.groups())
    else:
        raise _refused(place, f"{shown(text)} is no day; write 2026-11-24.")
    try:
        return date(year, month, day)
    except ValueError:
        raise _refused(place, f"{shown(text)} is no day; write 2026-11-24.") from None


def _refused(place: str, sentence: str) -> UfError:
    return UfError([Problem("UF-VALUE", place, sentence)])
