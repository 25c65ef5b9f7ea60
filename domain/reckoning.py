"""What a document comes to: its lines and totals, without asking whether it may be issued.

For who wants the figures before there is a receiver, a folio or a ledger. Only what keeps them from being right is
refused: figures that can't be read, tags that are unknown where figures stand, and the rules of arithmetic.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.calculation.lines import ARITHMETIC
from domain.calculation.totals import calculate
from domain.codes.document_types import INVOICE
from domain.completion import complete
from domain.document import Document
from domain.format.reading import Report, Values
from domain.format.table import Profile
from domain.format.types import format_of
from domain.money import Number
from domain.preparing import profile_of, read_document, sure_problems, type_of
from domain.problems import Problem
from domain.rules import View, rules_of

_ROOM = "document.Encabezado.IdDoc."
_ID_DOC = frozenset({"TipoDTE", "FchEmis", "MntBruto", "IndMntNeto", "FmaPagExp"})
"""Tags of IdDoc that the arithmetic depends on."""
_ZONES = ("Encabezado.Totales", "Encabezado.OtraMoneda", "DscRcgGlobal", "Comisiones")
"""Zones where every figure counts."""
_TEXTS = frozenset({"GlosaDR", "Glosa", "NroLinDR", "NroLinCom", "TasaComision"})
"""Tags of those zones that no figure depends on."""
_SHAPE = frozenset({"FMT-UNKNOWN", "FMT-FORBIDDEN", "FMT-MANY"})
"""Faults that leave out something that was meant to count."""
_NAMES = frozenset({"FMT-UNKNOWN", "DOC-TYPE"})
"""Faults that leave a document without a type."""
_ASKED = frozenset({"DTE-LIN-07", "DTE-TAX-08", "DTE-TAX-09", "DTE-EXE-01", "DTE-LIN-12", "DTE-TOT-15"})
"""Rules about figures that the calculation itself doesn't find broken."""
_LIMITS = frozenset({"BOL-UF-01", "BOL-UF-02", "BOL-UF-03"})
"""Rules about amounts in UF."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A document's figures, or the problems that keep it from having any.

    `totals` is Totales, `amounts` are MontoItem of the lines in their order, `other_currency` is OtraMoneda where there
    is one. `warnings` are what was corrected.
    """

    totals: Values
    amounts: tuple[Any, ...]
    other_currency: Values
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def reckon(
    raw_document: Mapping[str, Any], *, today: date, profile: Profile | None = None, uf: Number | None = None
) -> Reckoning:
    """The figures of a document as a producer wrote it; `today` is its day where it states none. Never raises.

    With the value of the `uf` in pesos that limits of that day go by, who must be named from an amount on is told of
    as a warning.
    """
    report = Report()
    document_type = type_of(raw_document, report)
    edition = profile or profile_of(raw_document, today)
    if document_type is None:
        read_document(raw_document, INVOICE, edition, report)
        sure = (one for one in sure_problems(report) if one.code in _NAMES or _counts(one))
        return Reckoning({}, (), {}, tuple(sure), ())
    document = read_document(raw_document, document_type, edition, report)
    complete(document, issuer=None, today=today, referenced={}, report=report)
    day = document.id_doc.get("FchEmis") or today
    findings = calculate(document, day)
    if not document.values.get("Detalle"):
        report.add("FMT-REQUIRED", "document.Detalle", "State Detalle: documents of this type must carry it.")
    view = View(document, findings, issuer=None, today=today, referenced={}, uf=uf)
    found = Report()
    for rule in rules_of(document_type, edition):
        broken = rule.predicate(view) if rule.id in findings.by_rule or rule.id in _ASKED else ()
        for path, figures in broken:
            found.add(rule.id, path, rule.sentence.format_map(figures), rule.level)
    _in_uf(view, found)
    problems = (*(problem for problem in report.told() if _counts(problem)), *_of_level(found, "error"))
    if problems or not findings.complete:
        return Reckoning({}, (), {}, problems or tuple(_of_level(report, "error")), ())
    return Reckoning(
        _in_order(document),
        tuple(line["MontoItem"] for _, line in document.items("Detalle")),
        document.header.get("OtraMoneda") or {},
        (),
        tuple(_of_level(found, "warning")),
    )


def _in_uf(view: View, found: Report) -> None:
    """Rules about limits in UF, which whoever only calculates may still mend."""
    for rule in rules_of(view.type, view.profile):
        for path, figures in rule.predicate(view) if rule.id in _LIMITS else ():
            found.add(rule.id, path, rule.sentence.format_map(figures), "warning")


def _in_order(document: Document) -> Values:
    """Totales in the order of the format."""
    header = (format_of(document.type, document.profile).rows or {})["Encabezado"].rows or {}
    return {tag: document.totals[tag] for tag in header["Totales"].rows or {} if tag in document.totals}


def _of_level(report: Report, level: str) -> Iterator[Problem]:
    return (problem for problem in report.told() if problem.level == level)


def _counts(problem: Problem) -> bool:
    """Whether a fault of reading touches the figures."""
    if problem.level != "error":
        return False
    place = problem.path.removeprefix("document.")
    last = place.rpartition(".")[2].partition("[")[0]
    if place.startswith("Detalle"):
        return last in ARITHMETIC or problem.code in _SHAPE or last == "Detalle" or "Retenedor" in place
    if problem.path.startswith(_ROOM):
        return last in _ID_DOC or problem.code == "FMT-UNKNOWN"
    if place.startswith(_ZONES):
        return last not in _TEXTS
    return problem.code == "FMT-UNKNOWN" and place.count(".") == 0
