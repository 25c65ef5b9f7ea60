"""Values of the UF by hand: from files, one by one, and what is known.

The UF (unidad de fomento) is published by the Banco Central de Chile for each day from the 9th of a month to the 9th of
the next. FMgo asks about it for boletas only, which must name their buyer above 135 UF. That limit is fixed once a
year, with the UF of 31 December before; without that value such a boleta goes with a warning.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from domain.codes.uf import MOST_PROBLEMS, Stated, UfError, read_uf, uf_day, uf_value
from domain.problems import Problem
from workers.database import uf
from workers.database.audit import audit
from workers.database.engine import Ledger


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
        """Take a file of values (`domain.codes.uf`); all go in, or none.

        Raises UfError with every bad line, and with UF-OTHER for each day that has another value already unless
        `replace`.
        """
        stated = read_uf(data)

        def work(tx: Connection) -> Imported:
            known = uf.values(tx, stated)
            other = [day for day, one in stated.items() if known.get(day, one.value) != one.value]
            if other and not replace:
                raise UfError(_other(day, stated[day], known[day]) for day in other[:MOST_PROBLEMS])
            uf.put(tx, {day: one.value for day, one in stated.items()})
            new = len(stated) - len(known)
            done = Imported(new, len(other), len(known) - len(other), min(stated), max(stated))
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
        """Set the value of a day; whether anything changed. Raises UfError (UF-DATE, UF-VALUE)."""
        when, figure = uf_day(day), uf_value(value, "value")

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
        """The value of a day, None when it isn't known. Raises UfError (UF-DATE)."""
        when = uf_day(day)
        with self._ledger.transaction() as tx:
            return when, uf.values(tx, [when]).get(when)


def _other(day: date, stated: Stated, known: Decimal) -> Problem:
    sentence = f"{day.isoformat()} is {known} in the ledger, not {stated.value}; --replace takes the file's."
    return Problem("UF-OTHER", stated.place, sentence)
