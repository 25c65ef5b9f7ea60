"""Values of the UF by hand: from files, one by one, and what is known.

The UF (unidad de fomento) is published by the Banco Central de Chile for each day from the 9th of a month to the 9th of
the next. FMgo asks about it for boletas only, which must name their buyer above 135 UF; without a value of the day such
a boleta goes with a warning.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection

from domain.problems import Problem, shown
from workers.database import uf
from workers.database.audit import audit
from workers.database.engine import Ledger
from workers.enrolment_fields import EnrolmentError

PLAUSIBLE: Final = (Decimal(10_000), Decimal(200_000))
"""Pesos between which a UF lies: beyond them a point was lost. It passed 10,000 in 1994 and was near 40,000 in 2026."""
MOST_BAD_LINES: Final = 100

_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_CHILEAN: Final = re.compile(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", re.ASCII)
_POINT: Final = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,2})?", re.ASCII)
_COMMA: Final = re.compile(r"(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,7})(?:,[0-9]{1,2})?", re.ASCII)
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of values: new ones, those that were replaced, those that were known."""

    new: int
    replaced: int
    known: int
    first: date
    last: date


class UfDesk:
    """What a person says of the UF. `actor` is who the audit rows name."""

    def __init__(self, ledger: Ledger, *, actor: str) -> None:
        self._ledger = ledger
        self._actor = actor

    def import_values(self, data: bytes, *, replace: bool = False) -> Imported:
        """Take CSV lines `date,value`; all go in, or none.

        Raises EnrolmentError with every bad line (UF-LINE, UF-DATE, UF-VALUE, UF-TWICE), and with UF-OTHER for each
        day that has another value already unless `replace`.
        """
        lines = read_values(data)

        def work(tx: Connection) -> Imported:
            known = uf.values(tx, lines)
            other = [day for day, (_, value) in lines.items() if known.get(day, value) != value]
            if other and not replace:
                problems = (_other(day, lines[day], known[day]) for day in other[:MOST_BAD_LINES])
                raise EnrolmentError(problems)
            uf.put(tx, {day: value for day, (_, value) in lines.items()})
            new = len(lines) - len(known)
            done = Imported(new, len(other), len(known) - len(other), min(lines), max(lines))
            if new or other:
                detail = {
                    "new": new,
                    "replaced": len(other),
                    "from": done.first.isoformat(),
                    "to": done.last.isoformat(),
                }
                audit(tx, self._actor, "uf.import", "uf", detail)
            return done

        return self._ledger.repeated(work)

    def set_value(self, day: str, value: str) -> tuple[date, Decimal, bool]:
        """Set the value of a day; whether anything changed. Raises EnrolmentError (UF-DATE, UF-VALUE)."""
        problems: list[Problem] = []
        when, figure = _day(day, "date", problems), _figure(value, "value", problems)
        if when is None or figure is None:
            raise EnrolmentError(problems)

        def work(tx: Connection) -> bool:
            changed = uf.put(tx, {when: figure}) > 0
            if changed:
                audit(tx, self._actor, "uf.set", "uf", {"date": when.isoformat(), "value": str(figure)})
            return changed

        return when, figure, self._ledger.repeated(work)

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """The latest values, newest first."""
        with self._ledger.transaction() as tx:
            return uf.latest(tx, limit)

    def value(self, day: str) -> tuple[date, Decimal | None]:
        """The value of a day, None when it isn't known. Raises EnrolmentError (UF-DATE)."""
        problems: list[Problem] = []
        when = _day(day, "date", problems)
        if when is None:
            raise EnrolmentError(problems)
        with self._ledger.transaction() as tx:
            return when, uf.values(tx, [when]).get(when)


def read_values(data: bytes) -> Mapping[date, tuple[int, Decimal]]:
    """Line and value of each day in CSV lines `date,value`; a header is passed over.

    Dates are 2026-11-24 or 24-11-2026, values 39643.59 or 39.643,59 (then with `;` between the columns, or in quotes).
    Raises EnrolmentError with every bad line.
    """
    text = data.decode("utf-8-sig", "replace")
    delimiter = ";" if ";" in text else "\t" if "\t" in text else ","
    found: dict[date, tuple[int, Decimal]] = {}
    problems: list[Problem] = []
    for number, line in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
        cells = [cell.strip() for cell in line]
        if not any(cells) or (number == 1 and not any(character.isdigit() for character in "".join(cells))):
            continue
        path = f"line {number}"
        if len(cells) < 2 or any(cells[2:]):  # noqa: PLR2004  (date and value)
            problems.append(Problem("UF-LINE", path, f"Write date,value: {shown(delimiter.join(line))} isn't that."))
            continue
        day, figure = _day(cells[0], path, problems), _figure(cells[1], path, problems)
        if day is None or figure is None:
            continue
        if day in found and found[day][1] != figure:
            sentence = f"{day.isoformat()} stands in line {found[day][0]} with another value, {found[day][1]}."
            problems.append(Problem("UF-TWICE", path, sentence))
        found.setdefault(day, (number, figure))
    if not found and not problems:
        problems.append(Problem("UF-LINE", "", "The file has no value."))
    if problems:
        raise EnrolmentError(problems[:MOST_BAD_LINES])
    return found


def _other(day: date, stated: tuple[int, Decimal], known: Decimal) -> Problem:
    line, value = stated
    sentence = f"{day.isoformat()} is {known} in the ledger, not {value}; --replace takes the file's."
    return Problem("UF-OTHER", f"line {line}", sentence)


def _day(text: str, path: str, problems: list[Problem]) -> date | None:
    iso, chilean = _ISO.fullmatch(text), _CHILEAN.fullmatch(text)
    try:
        if iso is not None:
            return date(*map(int, iso.groups()))
        if chilean is not None:
            return date(*map(int, reversed(chilean.groups())))
    except ValueError:
        pass
    problems.append(Problem("UF-DATE", path, f"Write a date as 2026-11-24 or 24-11-2026, not {shown(text)}."))
    return None


def _figure(text: str, path: str, problems: list[Problem]) -> Decimal | None:
    plain = text.replace("$", "").replace(" ", "")
    figure: Decimal | None = None
    if _COMMA.fullmatch(plain) and ("," in plain or _THOUSANDS.fullmatch(plain)):
        figure = Decimal(plain.replace(".", "").replace(",", "."))
    elif _POINT.fullmatch(plain):
        figure = Decimal(plain)
    if figure is None:
        problems.append(Problem("UF-VALUE", path, f"Write pesos as 39643.59 or 39.643,59, not {shown(text)}."))
    elif not PLAUSIBLE[0] <= figure <= PLAUSIBLE[1]:
        sentence = f"No UF is worth {figure} pesos: it lies between {PLAUSIBLE[0]} and {PLAUSIBLE[1]}."
        problems.append(Problem("UF-VALUE", path, sentence))
    else:
        return figure
    return None
