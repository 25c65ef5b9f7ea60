"""Folios by hand: saying which numbers are not to be given, and looking at what became of all.

The SII has no service for it: numbers are annulled in its portal, and what another program issued is known from that
program. What is said here is a row each (`folio_voids`), refused where a document already bears the number, and leaves
an audit row. Said again, it changes nothing.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from domain.codes.document_types import DOCUMENT_TYPES
from domain.problems import Problem, shown
from workers.caf_checks import company_name, unknown_company
from workers.database import folio_accounts as accounts
from workers.database.audit import audit
from workers.database.engine import Ledger
from workers.database.folio_accounts import Series
from workers.enrolment_fields import EnrolmentError
from workers.folio_ranges import Range, joined, read_ranges, size, without, written

LONGEST_REASON: Final = 200
USED_ELSEWHERE: Final = "used elsewhere"
"""Reason of numbers that another program gave."""
MOST_BAD_LINES: Final = 100
"""Bad lines of a file that are told; a file that is wrong throughout is told no further."""


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of numbers that are not to be given: newly void, void before, and borne by documents."""

    document_type: int
    fresh: tuple[Range, ...]
    known: tuple[Range, ...]
    documents: tuple[Range, ...]
    outside: tuple[Range, ...]
    """Numbers in no range that is loaded; a range that is loaded later passes them over."""

    def as_dict(self) -> dict[str, object]:
        """The answer as members of a JSON object."""
        return {
            "type": self.document_type,
            "void": written(self.fresh),
            "count": size(self.fresh),
            "known": written(self.known),
            "documents": written(self.documents),
            "outside": written(self.outside),
        }


class FolioDesk:
    """What a person says of one company's folios. `actor` is who the audit rows name."""

    def __init__(self, ledger: Ledger, issuer: str, environment: str, *, actor: str) -> None:
        self._ledger = ledger
        self._issuer = issuer
        self._environment = environment
        self._actor = actor

    def annul(self, document_type: int, ranges: list[Range], reason: str) -> Voided:
        """Say that these numbers are never to be given.

        Raises EnrolmentError: FOLIO-TYPE, FOLIO-REASON, ISSUER-UNKNOWN, and FOLIO-USED when a document bears one of
        them; then nothing has changed.
        """
        _raise([*_type_problems(document_type, "type"), *_reason_problems(reason)])

        def work(tx: Connection) -> Voided:
            self._hold(tx, [document_type])
            if borne := accounts.used(tx, self._series(document_type), ranges):
                sentence = (
                    f"Folios {written(borne)} of type {document_type} are documents' already: nothing was annulled."
                )
                raise EnrolmentError([Problem("FOLIO-USED", "folios", sentence)])
            return self._void(tx, document_type, ranges, reason, "folio.annul")

        return self._ledger.repeated(work)

    def import_used(self, data: bytes) -> list[Voided]:
        """Say what another program gave, from CSV lines `type,folio[,reason]`; a folio may be a range, `10-57`.

        Raises EnrolmentError with every bad line (FOLIO-LINE, FOLIO-TYPE) or ISSUER-UNKNOWN; then nothing has changed.
        Numbers of FMgo's own documents are left as they are.
        """
        lines = read_used(data)
        types = sorted({document_type for document_type, _ in lines})

        def work(tx: Connection) -> list[Voided]:
            self._hold(tx, types)
            answers = []
            for document_type in types:
                reasons = sorted({reason for kind, reason in lines if kind == document_type})
                parts = [
                    self._void(tx, document_type, lines[document_type, reason], reason, "folio.import-used")
                    for reason in reasons
                ]
                answers.append(_together(parts))
            return answers

        return self._ledger.repeated(work)

    def ranges(self, document_type: int | None = None) -> list[dict[str, Any]]:
        """The company's ranges, each with its voids; voids outside of every range come last, with `caf` null."""
        with self._ledger.transaction() as tx:
            found = accounts.ranges(tx, self._issuer, self._environment, document_type)
            types = {row["type"] for row in found} | set(accounts.types_with_voids(tx, self._issuer, self._environment))
            void = {kind: accounts.voids(tx, self._series(kind)) for kind in types if document_type in (None, kind)}
        for row in found:
            row["voids"] = [one for one in map(_within(row["first"], row["last"]), void[row["type"]]) if one]
            row["void"] = sum(one["last"] - one["first"] + 1 for one in row["voids"])
        for kind in sorted(void):
            loaded = [(row["first"], row["last"]) for row in found if row["type"] == kind]
            outside = [
                {**one, "first": first, "last": last}
                for one in void[kind]
                for first, last in without([(one["first"], one["last"])], loaded)
            ]
            if outside:
                found.append(
                    {
                        "caf": None,
                        "issuer": self._issuer,
                        "environment": self._environment,
                        "type": kind,
                        "void": size((one["first"], one["last"]) for one in outside),
                        "voids": outside,
                    }
                )
        return found

    def _series(self, document_type: int) -> Series:
        return self._issuer, self._environment, document_type

    def _hold(self, tx: Connection, types: Iterable[int]) -> None:
        if not accounts.hold_company(tx, self._issuer, self._environment):
            raise EnrolmentError([unknown_company((self._issuer, self._environment))])
        accounts.hold_counters(tx, [self._series(kind) for kind in types])

    def _void(self, tx: Connection, document_type: int, ranges: list[Range], reason: str, action: str) -> Voided:
        series = self._series(document_type)
        borne = accounts.used(tx, series, ranges)
        fresh = accounts.make_void(tx, series, ranges, reason)
        counters = accounts.hold_counters(tx, [series])
        accounts.settle(tx, counters)
        if fresh:
            detail = {"type": document_type, "folios": written(fresh), "reason": reason}
            audit(tx, self._actor, action, company_name(self._issuer, self._environment), detail)
        return Voided(
            document_type,
            tuple(fresh),
            tuple(without(ranges, [*fresh, *borne])),
            tuple(borne),
            tuple(without(fresh, [(one.first, one.last) for one in counters])),
        )


def read_used(data: bytes) -> dict[tuple[int, str], list[Range]]:
    """Ranges by type and reason from CSV lines `type,folio[,reason]` (UTF-8 or ISO-8859-1; a header is passed over).

    Raises EnrolmentError with every bad line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("iso-8859-1")
    found: dict[tuple[int, str], list[Range]] = {}
    problems: list[Problem] = []
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    for number, line in enumerate(_table_lines(text, delimiter), 1):
        cells = [cell.strip() for cell in line]
        if not any(cells) or (number == 1 and not any(cell.isdecimal() for cell in cells)):
            continue
        path = f"line {number}"
        if len(cells) < 2 or not (cells[0].isascii() and cells[0].isdecimal()):  # noqa: PLR2004  (type and folio)
            problems.append(Problem("FOLIO-LINE", path, f"Write type,folio: {shown(delimiter.join(line))} isn't that."))
            continue
        document_type = int(cells[0][:4])
        problems += _type_problems(document_type, path)
        try:
            ranges = read_ranges(cells[1])
        except ValueError as fault:
            problems.append(Problem("FOLIO-LINE", path, f"{fault}."))
            continue
        reason = f"{USED_ELSEWHERE}: {cells[2]}"[:LONGEST_REASON] if cells[2:] and cells[2] else USED_ELSEWHERE
        found[document_type, reason] = [*found.get((document_type, reason), []), *ranges]
    if not found and not problems:
        problems.append(Problem("FOLIO-LINE", "", "The file names no folio."))
    _raise(problems[:MOST_BAD_LINES])
    return {key: joined(ranges) for key, ranges in found.items()}


def _table_lines(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter)
    except csv.Error as fault:
        raise EnrolmentError([Problem("FOLIO-LINE", "", f"The file is no CSV: {fault}.")]) from None


def _together(parts: list[Voided]) -> Voided:
    fresh = joined(one for part in parts for one in part.fresh)
    return Voided(
        parts[0].document_type,
        tuple(fresh),
        tuple(without(joined(one for part in parts for one in part.known), fresh)),
        tuple(joined(one for part in parts for one in part.documents)),
        tuple(joined(one for part in parts for one in part.outside)),
    )


def _within(first: int, last: int) -> Any:
    def cut(void: dict[str, Any]) -> dict[str, Any] | None:
        if void["last"] < first or void["first"] > last:
            return None
        return {**void, "first": max(first, void["first"]), "last": min(last, void["last"])}

    return cut


def _type_problems(document_type: int, path: str) -> list[Problem]:
    if document_type in DOCUMENT_TYPES:
        return []
    known = ", ".join(map(str, sorted(DOCUMENT_TYPES)))
    return [Problem("FOLIO-TYPE", path, f"The SII has no electronic type {document_type}; it has {known}.")]


def _reason_problems(reason: str) -> list[Problem]:
    if reason.strip() and reason.isprintable() and len(reason) <= LONGEST_REASON:
        return []
    sentence = f"Give a reason of 1 to {LONGEST_REASON} printable characters: it stays with the numbers."
    return [Problem("FOLIO-REASON", "reason", sentence)]


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise EnrolmentError(problems)
