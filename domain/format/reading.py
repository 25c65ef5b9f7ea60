"""Reading what a producer wrote against a type's table: every tag known, every value of its kind, all faults at once.

It never stops at the first fault and never raises for bad content. A tag whose value can't be used stays in the result
as None, so that nobody also complains that it is missing. `null`, `false`, empty texts, lists and objects state
nothing: other systems of the field write them for tags that aren't there. So they do with 0: where a tag has no room
for it, it is left out with a warning.
"""

from collections.abc import Mapping
from typing import Any

from domain.format.kinds import Choice, Figure, Unreadable, Whole
from domain.format.naming import Places, meant_by
from domain.format.table import TypeRow
from domain.format.types import every_tag
from domain.problems import Level, Problem, shown

Values = dict[str, Any]
"""Tags of a group, read: a value, a group, or a list of either; None where what was written can't be used."""

MOST_PROBLEMS = 100
"""Errors, and warnings, that are told in full; more of them have one cause, and an answer must stay readable."""


class Report:
    """Collects the problems of one document; `places` says where the tags of its type belong.

    `misplaced` are the paths of tags that stand elsewhere: they aren't missing too.
    """

    __slots__ = ("errors", "misplaced", "places", "problems", "warnings")

    def __init__(self, places: Places | None = None) -> None:
        self.places: Places = places or {}
        self.misplaced: set[str] = set()
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
                _strange(row, name, written, path, report)
                continue
        else:
            tag = name
        where = f"{path}.{tag}"
        if (child.forbidden or child.kind) and _is_nothing(written) and (child.forbidden or _has_no_zero(child, row)):
            _left_out(tag, where, report)
        elif child.forbidden:
            report.add("FMT-FORBIDDEN", where, f"Take {tag} out: documents of this type don't carry it.")
        elif (value := _read_tag(child, written, where, report)) not in ("", []):
            values[tag] = value
    return values


def add_missing(row: TypeRow, values: Values, path: str, report: Report) -> None:
    """Report every mandatory tag that isn't there, in a group and the groups within it."""
    if path in report.misplaced:
        return
    for tag in row.required:
        if tag not in values and f"{path}.{tag}" not in report.misplaced:
            report.add("FMT-REQUIRED", f"{path}.{tag}", f"State {tag}: documents of this type must carry it.")
    rows = row.rows or {}
    for tag, value in values.items():
        if type(value) is dict:
            add_missing(rows[tag], value, f"{path}.{tag}", report)
        elif type(value) is list and rows[tag].rows:
            for index, item in enumerate(value):
                if item is not None:
                    add_missing(rows[tag], item, f"{path}.{tag}[{index}]", report)


def _read_tag(row: TypeRow, written: object, path: str, report: Report) -> Any:
    if row.kind is None or row.most > 1:
        return _read_several(row, written, path, report)
    try:
        return row.kind.read(written)
    except Unreadable as fault:
        return _told(_with_way_out(fault, row.tag, written), path, report)


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


def _with_way_out(fault: Unreadable, tag: str, written: object) -> Unreadable:
    """A fault that says what to do about an amount below 0."""
    below = isinstance(written, (int, float)) and written < 0
    below |= isinstance(written, str) and written.strip().startswith("-")
    if tag not in _BELOW_ZERO or not below:
        return fault
    told = ((code, f"{said} {_BELOW_ZERO[tag]}" if code == "FMT-RANGE" else said) for code, said in fault.faults)
    return Unreadable(*told, value=fault.value, level=fault.level)


_BELOW_ZERO = {
    **dict.fromkeys(
        ("PrcItem", "QtyItem", "MontoItem"),
        "A line takes nothing off: state DescuentoMonto on the line that it lowers, a global line (DscRcgGlobal) with "
        "TpoMov D, or issue a nota de crédito.",
    ),
    "DescuentoMonto": "What is added is a RecargoMonto.",
    "DescuentoPct": "What is added is a RecargoPct.",
    "RecargoMonto": "What is taken off is a DescuentoMonto.",
    "RecargoPct": "What is taken off is a DescuentoPct.",
    "ValorDR": "Write it without its sign: TpoMov D takes off, R adds.",
    "TotalPeriodo": "Leave it out: VlrPagar says what is due.",
    "MontoImp": "Of a negative tax on fuel MontoImp says 1, and the line's DscItem ends with “Impuesto específico … "
    "negativo de” and the amount.",
    **dict.fromkeys(
        ("MntNeto", "MntExe", "IVA", "MntTotal"), "What is given back is a nota de crédito, with amounts above 0."
    ),
}
"""Ways out for whoever writes an amount below 0 where there is none."""


def _is_nothing(written: object) -> bool:
    """Whether all that is written is zeros and nothings."""
    if type(written) is str:
        return not written.strip("0 .,")
    if isinstance(written, dict):
        return all(map(_is_nothing, written.values()))
    if isinstance(written, (list, tuple)):
        return all(map(_is_nothing, written))
    return not written


def _has_no_zero(child: TypeRow, row: TypeRow) -> bool:
    """Whether a tag that may be absent has no room for 0: then 0 says that it is absent."""
    kind = child.kind
    if child.tag in row.required or child.most > 1:
        return False
    if isinstance(kind, Choice):
        return "0" not in kind.codes
    return (isinstance(kind, Whole) and kind.least == 1) or (isinstance(kind, Figure) and not kind.zero)


def _left_out(name: object, path: str, report: Report) -> None:
    report.add("FMT-LEFT-OUT", path, f"{name} was left out: here it has no place for 0, which says nothing.", "warning")


def _strange(row: TypeRow, name: object, written: object, path: str, report: Report) -> None:
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
    elif name in every_tag() and _is_nothing(written):
        _left_out(name, where, report)
    else:
        report.misplaced |= {f"document.{home}.{name}".replace("..", ".") for home in report.places.get(str(name), ())}
        report.add("FMT-UNKNOWN", where, meant_by(name, row.rows or {}, report.places, written))
