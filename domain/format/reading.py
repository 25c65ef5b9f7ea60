"""Reading what a producer wrote against a type's table: every tag known, every value of its kind, all faults at once.

It never stops at the first fault and never raises for bad content. A tag whose value can't be used stays in the result
as None, so that nobody also complains that it is missing. `null`, `false`, empty texts, lists and objects state
nothing: other systems of the field write them for tags that aren't there.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from domain.format.kinds import Unreadable
from domain.format.table import TypeRow
from domain.problems import Level, Problem, shown

Values = dict[str, Any]
"""Tags of a group, read: a value, a group, or a list of either; None where what was written can't be used."""

MOST_PROBLEMS = 100
"""Errors, and warnings, that are told in full; more of them have one cause, and an answer must stay readable."""


class Report:
    """Collects the problems of one document."""

    __slots__ = ("errors", "problems", "warnings")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.errors = 0
        self.warnings = 0

    def add(self, code: str, path: str, message: str, level: Level = "error") -> None:
        """Take down one problem."""
        if level == "error":
            self.errors += 1
            told = self.errors
        else:
            self.warnings += 1
            told = self.warnings
        if told <= MOST_PROBLEMS:
            self.problems.append(Problem(code, path, message, level))

    def told(self) -> tuple[Problem, ...]:
        """Every problem, with last ones that count those that were too many."""
        more: list[Problem] = []
        if self.errors > MOST_PROBLEMS:
            sentence = f"Mend these first: there are {self.errors - MOST_PROBLEMS} more errors."
            more.append(Problem("FMT-MORE", "document", sentence))
        if self.warnings > MOST_PROBLEMS:
            sentence = f"There are {self.warnings - MOST_PROBLEMS} more warnings."
            more.append(Problem("FMT-MORE", "document", sentence, "warning"))
        return (*self.problems, *more)


def read_group(row: TypeRow, raw: Mapping[str, Any], path: str, report: Report) -> Values:
    """A group's tags as the table reads them; `path` is the group's own."""
    values: Values = {}
    rows = row.rows or {}
    for name, written in raw.items():
        if not written and (written is None or written is False or written in ("", [], {})):
            continue
        child = rows.get(name)
        if child is None:
            tag = row.renamed.get(name, "")
            child = rows.get(tag)
            if child is None or tag in raw:
                _strange(row, name, path, report)
                continue
        else:
            tag = name
        if child.forbidden:
            report.add("FMT-FORBIDDEN", f"{path}.{tag}", f"Take {tag} out: documents of this type don't carry it.")
        elif child.kind is None or child.most > 1:
            if (several := _read_several(child, written, f"{path}.{tag}", report)) != []:
                values[tag] = several
        else:
            try:
                value = child.kind.read(written)
            except Unreadable as fault:
                value = _told(fault, f"{path}.{tag}", report)
            if value != "":
                values[tag] = value
    return values


def add_missing(row: TypeRow, values: Values, path: str, report: Report) -> None:
    """Report every mandatory tag that isn't there, in a group and the groups within it."""
    for tag in row.required:
        if tag not in values:
            report.add("FMT-REQUIRED", f"{path}.{tag}", f"State {tag}: documents of this type must carry it.")
    rows = row.rows or {}
    for tag, value in values.items():
        if type(value) is dict:
            add_missing(rows[tag], value, f"{path}.{tag}", report)
        elif type(value) is list and rows[tag].rows:
            for index, item in enumerate(value):
                if item is not None:
                    add_missing(rows[tag], item, f"{path}.{tag}[{index}]", report)


def _read_several(row: TypeRow, written: object, path: str, report: Report) -> Values | list[Any] | None:
    if row.most == 1:
        group: Values | None = _read_item(row, written, path, report)
        return group
    if not isinstance(written, (list, tuple)):
        item = _read_item(row, written, path, report)
        return [] if item == "" else [item]
    if len(written) > row.most:
        sentence = f"State {row.tag} at most {row.most} times; there are {len(written)}."
        report.add("FMT-MANY", path, sentence)
    items = [
        _read_item(row, item, f"{path}[{index}]", report)
        for index, item in enumerate(written[: row.most])
        if row.kind is None or item not in ("", None)
    ]
    return [item for item in items if item != ""]


def _read_item(row: TypeRow, written: object, path: str, report: Report) -> Any:
    if row.kind is not None:
        try:
            return row.kind.read(written)
        except Unreadable as fault:
            return _told(fault, path, report)
    if not isinstance(written, Mapping):
        report.add("FMT-KIND", path, f"Write {row.tag} as an object with its tags, not {shown(written)}.")
        return None
    return read_group(row, written, path, report)


def _told(fault: Unreadable, path: str, report: Report) -> Any:
    for code, sentence in fault.faults:
        report.add(code, path, sentence, fault.level)
    return fault.value


def _strange(row: TypeRow, name: object, path: str, report: Report) -> None:
    where = f"{path}.{shown(name)}"
    if name in row.left_out:
        lacks = "this edition of the format has" if name in row.elsewhere else "documents of this type have"
        report.add("FMT-LEFT-OUT", where, f"{name} was left out: {lacks} no such tag.", "warning")
    elif name in row.elsewhere:
        sentence = f"Take {name} out, or issue in another profile of the format: this one can't carry it."
        report.add("FMT-PROFILE", where, sentence)
    elif name in row.renamed:
        other = row.renamed[str(name)]
        report.add("FMT-UNKNOWN", where, f"Take {name} out: {other} is stated too and means the same.")
    else:
        near = get_close_matches(str(name)[:40], row.rows or {}, 1)
        hint = f"did you mean {near[0]}?" if near else "no tag of that name belongs here."
        report.add("FMT-UNKNOWN", where, f"Take {shown(name)} out or correct its name: {hint}")
