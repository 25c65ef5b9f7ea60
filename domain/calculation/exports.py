"""Totals of export documents: in the currency of the sale, and in pesos beside it.

    MntExe = Σ MontoItem − global discounts + global surcharges, up to four decimals
    MntTotal = MntExe; both 0 when nothing is paid (FmaPagExp 21)
    MntExeOtrMnda = MntTotOtrMnda = round(MntExe × TpoCambio), whole pesos
    ValorDROtrMnda = ValorDR × TpoCambio, up to four decimals, of every global line

Sources: SII, Formato DTE 2.5, fields of Totales and OtraMoneda for 110, 111 and 112; SII HED-1-803, HED-3-834.
"""

from domain.calculation.classes import EXEMPT, Classes
from domain.calculation.findings import Findings
from domain.document import FOREIGN_DECIMALS, PESOS, Document
from domain.format.reading import Values
from domain.money import LARGEST_FOREIGN, Number, product

UNPAID = 21
"""FmaPagExp of goods that nobody pays for."""

_HEADER = "document.Encabezado"
_CONVERTED = ("MntExeOtrMnda", "MntTotOtrMnda")


def calculate_export(document: Document, classes: Classes, findings: Findings) -> None:
    """Complete Totales and OtraMoneda of an export document."""
    stated = document.totals
    unpaid = document.id_doc.get("FmaPagExp") == UNPAID
    total = 0 if unpaid else classes.totals[EXEMPT]
    totals: Values = {}
    if "TpoMoneda" in stated:
        totals["TpoMoneda"] = stated["TpoMoneda"]
    totals["MntExe"] = totals["MntTotal"] = total
    if not 0 <= total <= LARGEST_FOREIGN:
        computed = total if total < 0 else "more than 14 digits"
        findings.add("DTE-TOT-04", f"{_HEADER}.Totales.MntTotal", computed=computed)
    for tag in ("MntExe", "MntTotal"):
        written: Number | None = stated.get(tag)
        if written is not None and written != total:
            rule = "DTE-TOT-03" if tag == "MntTotal" else "DTE-TOT-06"
            source = "FmaPagExp 21 (nobody pays) makes it" if unpaid else "the lines give"
            figures = {"tag": tag, "stated": written, "computed": total, "source": source, "hint": ""}
            findings.add(rule, f"{_HEADER}.Totales.{tag}", **figures)
    document.header["Totales"] = totals
    other = document.header.get("OtraMoneda")
    if other is not None:
        _convert(other, total, findings)
        _convert_charges(document, classes, other.get("TpoCambio"), findings)


def _convert(other: Values, total: Number, findings: Findings) -> None:
    """Complete the amounts in the other currency; without a rate of exchange stated ones stand."""
    rate: Number | None = other.get("TpoCambio")
    if total and not rate:
        if any(other.get(tag) is None for tag in _CONVERTED):
            if "TpoCambio" not in other or rate is not None:
                findings.add("EXP-CUR-02", f"{_HEADER}.OtraMoneda.TpoCambio")
            other.setdefault("MntTotOtrMnda", None)
        return
    decimals = 0 if other.get("TpoMoneda") == PESOS else FOREIGN_DECIMALS
    converted = product(total, rate or 1, decimals)
    for tag in _CONVERTED:
        written: Number | None = other.get(tag)
        if written is not None and not -1 < written - converted < 1:
            figures = {"tag": tag, "stated": written, "computed": converted}
            findings.add("EXP-CUR-03", f"{_HEADER}.OtraMoneda.{tag}", **figures)
        other[tag] = converted


def _convert_charges(document: Document, classes: Classes, rate: Number | None, findings: Findings) -> None:
    """Complete what global lines come to in the other currency."""
    for index, line in document.items("DscRcgGlobal"):
        change = classes.changes.get(index, 0)
        converted = product(max(change, -change), rate or 0, FOREIGN_DECIMALS)
        if not 0 < converted <= LARGEST_FOREIGN:
            continue
        written: Number | None = line.setdefault("ValorDROtrMnda", converted)
        if written is not None and not -1 < written - converted < 1:
            path = f"document.DscRcgGlobal[{index}].ValorDROtrMnda"
            findings.add("EXP-CUR-05", path, stated=written, computed=converted)
