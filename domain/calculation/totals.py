"""Totals of a document, by the master formula, and how they compare with what the producer stated.

    MntTotal = MntNeto + MntExe + IVA + Σ additional taxes + GrntDep − CredEC − Σ commissions
    MontoPeriodo = MntTotal + MontoNF;  VlrPagar = MontoPeriodo + SaldoAnterior

Lines of a boleta and of a document with MntBruto carry VAT: the net is taken out of them and VAT is what remains, so
that the amount that was agreed stays. Sources: SII, Formato DTE 2.5, fields 107 to 128; SII, Formato Boletas 4.2.
"""

from domain.calculation.classes import DEPOSIT, EXEMPT, NOT_BILLABLE, TAXABLE, Classes, apply_globals, classify
from domain.calculation.findings import Findings
from domain.calculation.lines import CORRECTABLE, calculate_line
from domain.calculation.taxes import calculate_taxes
from domain.document import Document
from domain.format.reading import Values
from domain.money import LARGEST, net_of, share

_TOTALS = "document.Encabezado.Totales"
_NET_LINES = 2
"""IndMntNeto of a boleta whose lines carry no VAT."""
_COMMISSION_PARTS = ("ValComNeto", "ValComExe", "ValComIVA")


def calculate(document: Document, rate: int) -> Findings:
    """Complete a document's lines and totals; `rate` is the VAT of its day, per cent. Findings are by rule id."""
    findings = Findings()
    lines = document.items("Detalle")
    for index, line in lines:
        calculate_line(line, index, findings)
    findings.complete &= len(lines) == len(document.values.get("Detalle") or (None,))
    if not findings.complete or any(document.id_doc.get(tag, 0) is None for tag in ("MntBruto", "IndMntNeto")):
        findings.complete = False
        return findings
    classes = classify(lines, findings)
    global_lines = document.items("DscRcgGlobal")
    apply_globals(classes, global_lines, findings)
    findings.complete &= len(global_lines) == len(document.values.get("DscRcgGlobal") or ())
    if findings.complete:
        _total(document, lines, classes, rate, findings)
    return findings


def _total(
    document: Document, lines: list[tuple[int, Values]], classes: Classes, rate: int, findings: Findings
) -> None:
    stated = document.totals
    boleta = document.family == "boleta"
    totals = _value_added(classes, rate, gross=_is_gross(document))
    if classes.totals[EXEMPT]:
        totals["MntExe"] = classes.totals[EXEMPT]
    if classes.totals[DEPOSIT]:
        totals["GrntDep"] = classes.totals[DEPOSIT]
    added = calculate_taxes(lines, classes, stated, totals, findings)
    total = classes.totals[EXEMPT] + classes.totals[DEPOSIT] + totals.get("MntNeto", 0) + totals.get("IVA", 0) + added
    if not boleta:
        if totals.get("MntNeto"):
            totals["TasaIVA"] = rate
        total -= _taken_off(document, stated, totals, findings)
    totals["MntTotal"] = total
    if not 0 <= total <= LARGEST:
        findings.add("DTE-TOT-04", f"{_TOTALS}.MntTotal", computed=total if total < 0 else "more than 18 digits")
    _period(classes, stated, totals, "TotalPeriodo" if boleta else "MontoPeriodo", findings)
    if boleta and not totals.get("IVA"):
        totals.pop("IVA", None)
    _compare(stated, totals, rate, findings)
    document.header["Totales"] = totals


def _is_gross(document: Document) -> bool:
    if document.family == "boleta":
        return document.id_doc.get("IndMntNeto") != _NET_LINES
    return bool(document.id_doc.get("MntBruto"))


def _value_added(classes: Classes, rate: int, *, gross: bool) -> Values:
    taxable = classes.totals[TAXABLE]
    if taxable <= 0:
        return {}
    if gross:
        net = net_of(taxable, rate)
        return {"MntNeto": net, "IVA": taxable - net}
    return {"MntNeto": taxable, "IVA": share(taxable, rate)}


def _taken_off(document: Document, stated: Values, totals: Values, findings: Findings) -> int:
    """Construction credit, which is stated, and commissions: what the master formula subtracts."""
    for tag in ("IVAProp", "IVATerc", "CredEC"):
        if stated.get(tag):
            totals[tag] = stated[tag]
    credit: int = totals.get("CredEC", 0)
    if credit > totals.get("IVA", 0):
        findings.add("DTE-TOT-08", f"{_TOTALS}.CredEC", stated=credit, computed=totals.get("IVA", 0))
    commissions = [line for _, line in document.items("Comisiones")]
    if not commissions:
        return credit
    sums = {tag: sum(line.get(tag) or 0 for line in commissions) for tag in _COMMISSION_PARTS}
    totals["Comisiones"] = sums
    written = stated.get("Comisiones") or {}
    for tag, amount in sums.items():
        if written.get(tag) not in (None, amount):
            figures = {"tag": tag, "stated": written[tag], "computed": amount}
            findings.add("DTE-TOT-06", f"{_TOTALS}.Comisiones.{tag}", **figures)
    return credit + sum(sums.values())


def _period(classes: Classes, stated: Values, totals: Values, tag: str, findings: Findings) -> None:
    """Amounts that aren't part of this sale: not billable lines and the balance of earlier ones."""
    other = classes.totals[NOT_BILLABLE]
    due = totals["MntTotal"] + other
    if classes.not_billable:
        totals["MontoNF"] = other
    if classes.not_billable or stated.get(tag) is not None:
        totals[tag] = due
    if tag == "TotalPeriodo" and due < 0:
        findings.add("DTE-TOT-07", f"{_TOTALS}.{tag}", computed=due)
    balance: int | None = stated.get("SaldoAnterior")
    if balance is not None:
        totals["SaldoAnterior"] = balance
    if balance is not None or stated.get("VlrPagar") is not None:
        totals["VlrPagar"] = due + (balance or 0)


def _compare(stated: Values, totals: Values, rate: int, findings: Findings) -> None:
    for tag, written in stated.items():
        if written is None or tag in ("ImptoReten", "Comisiones"):
            continue
        path = f"{_TOTALS}.{tag}"
        if tag == "TasaIVA":
            if written not in (rate, 0):
                findings.add("DTE-TOT-05", path, stated=written, computed=rate)
            continue
        computed = totals.get(tag, 0)
        if written == computed:
            continue
        rule = "DTE-TOT-06"
        if tag == "MntTotal":
            rule = "DTE-TOT-03"
        elif tag in ("MntNeto", "IVA"):
            rule = "DTE-TOT-02" if abs(written - computed) <= CORRECTABLE else "DTE-TOT-01"
        findings.add(rule, path, tag=tag, stated=written, computed=computed)
