"""Values of the UF (unidad de fomento), in pesos by day, as people have them in files.

A file is JSON (an object of days and values, or a list of objects with `fecha` and `valor`) or lines of a day and a
value, with a header or without. Days are 2026-11-24, 24-11-2026 or 24/11/2026; values 39412.07 or, as Chile writes
them, 39.412,07. The Banco Central de Chile publishes a value with two decimals for each day, from the 9th of a month to
the 9th of the next.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.money import unmistakable
from domain.problems import DomainError, Problem, shown

LEAST, MOST = Decimal(10_000), Decimal(200_000)
"""Pesos between which a UF lies: beyond them a point was lost. It passed 10,000 in 1994 and was near 40,000 in 2026."""
_CENT = Decimal("0.01")
LARGEST_FILE = 1024 * 1024
"""Bytes of the largest file that is read; a hundred years have some seven hundred thousand."""
MOST_PROBLEMS = 100
"""Problems of a file that are told; the others are counted."""

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_CHILEAN = re.compile(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", re.ASCII)
_POINT = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,2})?", re.ASCII)
_COMMA = re.compile(r"[0-9]{1,7},[0-9]{1,2}", re.ASCII)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3}){1,2}(?:,[0-9]{1,2})?", re.ASCII)
_LINE = re.compile(r"""["']?([^"';,\s]+)["']?\s*[;,\s]\s*(.+)""")
_AROUND = "\"'$;, \t"
"""What may stand around a value in a line."""


def fixing_day(day: date) -> date:
    """The day whose UF gives the limits of boletas of `day`: 31 December of the year before, for a whole year.

    Source: Ley 21.713 and SII, Resolución Exenta 44 of 2025, as the limit of 2025 shows it (135 UF of 2024-12-31).
    """
    return date(day.year - 1, 12, 31)


class UfError(DomainError):
    """Values of the UF that can't be taken, with every problem by its line.

    UF-FILE (the file as a whole), UF-LINE, UF-DATE, UF-VALUE, UF-TWICE.
    """


@dataclass(frozen=True, slots=True)
class Stated:
    """A value in pesos, and the place in its file (`line 3`) that states it."""

    value: Decimal
    place: str


def uf_value(text: str, place: str = "UF") -> Decimal:
    """One value in pesos. Raises UfError (UF-VALUE)."""
    value = _value(text, place)
    if isinstance(value, Problem):
        raise UfError([value])
    return value


def uf_day(text: str, place: str = "date") -> date:
    """One day. Raises UfError (UF-DATE)."""
    day = _day(text, place)
    if isinstance(day, Problem):
        raise UfError([day])
    return day


def read_uf(data: bytes) -> Mapping[date, Stated]:
    """The values in a file, by day. Raises UfError with the problems of every line, and where a day has two values."""
    if len(data) > LARGEST_FILE:
        raise UfError([Problem("UF-FILE", "", f"The file has {len(data)} bytes; at most {LARGEST_FILE} are read.")])
    text = data.decode("utf-8-sig", "replace")  # days and values are ASCII; a header may be anything
    found: dict[date, Stated] = {}
    problems: list[Problem] = []
    for read in _from_json(text) if text.lstrip().startswith(("{", "[")) else _from_lines(text):
        if isinstance(read, Problem):
            problems.append(read)
            continue
        place, day_text, value_text = read
        day, value = _day(day_text, place), _value(value_text, place)
        problems += [each for each in (day, value) if isinstance(each, Problem)]
        if isinstance(day, Problem) or isinstance(value, Problem):
            continue
        first = found.setdefault(day, Stated(value, place))
        if first.value != value:
            sentence = f"{day} has another value in {first.place}, {first.value}, not {value}."
            problems.append(Problem("UF-TWICE", place, sentence))
    if not found and not problems:
        problems.append(Problem("UF-FILE", "", "The file has no value of the UF."))
    if len(problems) > MOST_PROBLEMS:
        sentence = f"Mend these first: there are {len(problems) - MOST_PROBLEMS} more."
        problems[MOST_PROBLEMS:] = [Problem("UF-FILE", "", sentence)]
    if problems:
        raise UfError(problems)
    return found


Read = tuple[str, str, str] | Problem
"""Place, day and value as they are written, or why they can't be told apart."""


def _from_json(text: str) -> Iterator[Read]:
    try:
        content = json.loads(text, parse_float=_plain_figure, parse_int=_plain_figure)
    except (ValueError, RecursionError):
        yield Problem("UF-FILE", "", "The file begins as JSON but is none.")
        return
    if isinstance(content, dict):
        for day, value in content.items():
            yield str(day), str(day), str(value)
        return
    for at, each in enumerate(content):
        if isinstance(each, dict) and {"fecha", "valor"} <= each.keys():
            day = str(each["fecha"])
            yield f"[{at}]", day.partition("T")[0], str(each["valor"])
        else:
            yield Problem("UF-LINE", f"[{at}]", "Write objects with fecha and valor.")


def _plain_figure(text: str) -> str:
    """A number of JSON as a text that means the same: its point never separates thousands."""
    try:
        number = Decimal(text)
        return format(number.quantize(_CENT), "f") if number == number.quantize(_CENT) else unmistakable(text)
    except ArithmeticError:
        return text


def _from_lines(text: str) -> Iterator[Read]:
    header = True
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if not written.strip(_AROUND) or written.startswith("#"):
            continue
        if header and not any(character.isdigit() for character in written):
            header = False
            continue
        header = False
        parts = _LINE.fullmatch(written)
        if parts is None:
            yield Problem("UF-LINE", f"line {number}", f"Write a day and its value: {shown(written)} isn't that.")
        else:
            yield f"line {number}", parts[1], parts[2].strip(_AROUND)


def _value(text: str, place: str) -> Decimal | Problem:
    plain = text.strip()
    if _THOUSANDS.fullmatch(plain) or _COMMA.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif not _POINT.fullmatch(plain):
        return Problem("UF-VALUE", place, f"Write pesos as 39412.07 or 39.412,07, not {shown(text)}.")
    value = Decimal(plain)
    if LEAST <= value <= MOST:
        return value
    sentence = f"{shown(text)} can't be the UF, which lies between {LEAST} and {MOST} pesos."
    return Problem("UF-VALUE", place, sentence)


def _day(text: str, place: str) -> date | Problem:
    written = text.strip()
    iso, chilean = _ISO.fullmatch(written), _CHILEAN.fullmatch(written)
    try:
        if iso is not None:
            return date(*map(int, iso.groups()))
        if chilean is not None:
            return date(*map(int, reversed(chilean.groups())))
    except ValueError:
        pass
    return Problem("UF-DATE", place, f"Write a day as 2026-11-24 or 24-11-2026, not {shown(text)}.")
