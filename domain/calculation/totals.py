"""Totals of a document, by the master formula, and how they compare with what the producer stated.

    MntTotal = MntNeto + MntExe + IVA + Σ additional taxes + GrntDep − CredEC − Σ withheld VAT − Σ commissions
    MontoPeriodo = MntTotal + MontoNF;  VlrPagar = MontoPeriodo + SaldoAnterior

Lines of a boleta and of a document with MntBruto carry VAT: the net is taken out of them and VAT is what remains, so
that the amount that was agreed stays. Settlements (43) have signed amounts and split their VAT into that of the
commissions (IVAProp) and that of the principals (IVATerc). Export documents have totals of their own (exports.py).
Sources: SII, Formato DTE 2.5, fields 107 to 128; SII, Formato Boletas 4.2.
"""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.calculation.classes import DEPOSIT, EXEMPT, NOT_BILLABLE, TAXABLE, Classes, apply_globals, classify
from domain.calculation.exports import calculate_export
from domain.calculation.findings import Findings
from domain.calculation.lines import CORRECTABLE, calculate_line
from domain.calculation.other_currency import convert_totals
from domain.calculation.taxes import Lines, Sums, Taxed, calculate_taxes
from domain.codes.document_types import (
    CREDIT_NOTE,
    DEBIT_NOTE,
    DISPATCH_GUIDE,
    EXEMPT_INVOICE,
    PURCHASE_INVOICE,
    PURCHASES,
)
from domain.document import Document, changed_types
from domain.format.reading import Values
from domain.money import LARGEST, net_of, rounded, vat_rate, whole_share

_TOTALS = "document.Encabezado.Totales"
_NET_LINES = 2
"""IndMntNeto of a boleta whose lines carry no VAT."""
_COMMISSION_PARTS = ("ValComNeto", "ValComExe", "ValComIVA")
_DISAGREES = frozenset({"DTE-TOT-03", "DTE-TOT-06"})
"""Rules of stated totals of exports."""
_GIVEN = ("IVAProp", "IVATerc", "CredEC")
"""What the issuer states because nothing gives it: parts of the VAT that are somebody else's, construction credit."""


def calculate(document: Document, on: date) -> Findings:
    """Complete a document's lines and totals with the rates of its day `on`. Findings are by rule id.

    Totals of exports that agree only with lines in the currency's own decimals are taken, and the lines are so.
    """
    stated = document.family == "exportaciones" and any(document.totals.get(tag) for tag in ("MntExe", "MntTotal"))
    if not stated or document.cents == document.decimals:
        return _calculated(document, on, document.decimals)
    coarser = deepcopy(document.values)
    findings = _calculated(document, on, document.decimals)
    if findings.complete and _DISAGREES & findings.by_rule.keys():
        again = _calculated(replace(document, values=coarser), on, document.cents)
        if again.complete and not _DISAGREES & again.by_rule.keys():
            document.values.clear()
            document.values.update(coarser)
            return again
    return findings


def _calculated(document: Document, on: date, decimals: int) -> Findings:
    findings = Findings()
    lines = document.items("Detalle")
    signed = document.family == "liquidacion"
    cents = document.cents if decimals else 0
    for index, line in lines:
        calculate_line(line, index, findings, decimals, cents=cents, signed=signed)
    findings.complete &= len(lines) == len(document.values.get("Detalle") or (None,))
    unreadable = any(document.id_doc.get(tag, 0) is None for tag in ("MntBruto", "IndMntNeto", "FmaPagExp"))
    if not findings.complete or unreadable:
        findings.complete = False
        return findings
    classes = Classes(document.exempt, decimals)
    classify(classes, lines, findings)
    global_lines = document.items("DscRcgGlobal")
    apply_globals(classes, global_lines, findings)
    findings.complete &= len(global_lines) == len(document.values.get("DscRcgGlobal") or ())
    if findings.complete:
        if document.family == "exportaciones":
            calculate_export(document, classes, findings)
        else:
            _total(document, lines, classes, on, findings)
    return findings


def _total(document: Document, lines: Lines, classes: Classes, on: date, findings: Findings) -> None:
    rate = vat_rate(on)
    stated = document.totals
    boleta = document.family == "boleta"
    inside = _inside_gross(document, classes, findings)
    totals = _value_added(classes, rate, inside, gross=_is_gross(document))
    if classes.totals[EXEMPT] or document.type == EXEMPT_INVOICE:
        totals["MntExe"] = classes.totals[EXEMPT]
    if classes.totals[DEPOSIT]:
        totals["GrntDep"] = classes.totals[DEPOSIT]
    taxes = Sums(added=inside) if boleta else _taxes(document, lines, classes, on, totals, findings)
    total = totals.get("MntExe", 0) + totals.get("GrntDep", 0) + totals.get("MntNeto", 0) + totals.get("IVA", 0)
    total += taxes.added - taxes.withheld
    if not boleta:
        if totals.get("MntNeto"):
            totals["TasaIVA"] = rate
        total -= _taken_off(document, stated, totals, rate, findings)
    totals["MntTotal"] = total
    least = -LARGEST if document.family == "liquidacion" else 0
    if not least <= total <= LARGEST:
        findings.add("DTE-TOT-04", f"{_TOTALS}.MntTotal", computed=total if total < 0 else "more than 18 digits")
    _period(document, classes, totals, findings)
    if boleta and not totals.get("IVA"):
        totals.pop("IVA", None)
    if stated:
        _compare(stated, totals, rate, _hint(document, classes, totals, rate), findings)
    document.header["Totales"] = totals
    if document.header.get("OtraMoneda"):
        convert_totals(document, findings)


def _is_gross(document: Document) -> bool:
    if document.family == "boleta":
        return document.id_doc.get("IndMntNeto") != _NET_LINES
    return bool(document.id_doc.get("MntBruto"))


def _inside_gross(document: Document, classes: Classes, findings: Findings) -> int:
    """Additional taxes of a boleta, in pesos: no tag of its totals has them, so its subtotals say them."""
    if document.family != "boleta" or document.exempt:
        return 0
    subtotals = document.items("SubTotInfo")
    added = int(rounded(sum(Decimal(each.get("SubTotAdicSTI") or 0) for _, each in subtotals), 0))
    taxable = int(classes.totals[TAXABLE])
    if added <= taxable:
        return added
    findings.add("BOL-ADI-01", "document.SubTotInfo", stated=added, computed=taxable)
    return 0


def _value_added(classes: Classes, rate: int, inside: int, *, gross: bool) -> Values:
    """Net and VAT; `inside` are other taxes within gross prices."""
    taxable = int(classes.totals[TAXABLE])
    if not taxable or classes.exempt:
        return {}
    if gross:
        net = net_of(taxable - inside, rate)
        return {"MntNeto": net, "IVA": taxable - inside - net}
    return {"MntNeto": taxable, "IVA": whole_share(taxable, rate)}


def _hint(document: Document, classes: Classes, totals: Values, rate: int) -> str:
    """What else to do about a stated total that is right for prices of the other kind, with VAT or without."""
    stated, taxable = document.totals, int(classes.totals[TAXABLE])
    if not taxable or classes.exempt:
        return ""
    apart = totals["MntTotal"] - totals["MntNeto"] - totals.get("IVA", 0)
    boleta, gross = document.family == "boleta", _is_gross(document)
    if gross:
        net, total = taxable, taxable + whole_share(taxable, rate)
        out = "state IndMntNeto 2" if boleta else "take MntBruto out"
        hint = f"; if the prices are without VAT, {out}"
    else:
        net, total = net_of(taxable, rate), taxable
        out = "take IndMntNeto out" if boleta else "state MntBruto 1"
        hint = f"; if the prices hold VAT, {out}"
        if document.type == DISPATCH_GUIDE:
            hint = "; prices of a guía are without VAT"
    meant = stated.get("MntTotal") == total + apart or stated.get("MntNeto") == net
    return hint if meant else ""


def _taxes(document: Document, lines: Lines, classes: Classes, on: date, totals: Values, findings: Findings) -> Sums:
    if document.family == "liquidacion":
        return _settled_taxes(document.totals, totals)
    if not classes.codes and not document.totals.get("ImptoReten"):
        return Sums()
    taxed = Taxed(on, vat_rate(on), lines, adds=_adds(document), withholds=_withholds(document))
    return calculate_taxes(taxed, classes, document.totals, totals, findings)


def _settled_taxes(stated: Values, totals: Values) -> Sums:
    """The taxes of what was sold for others: a settlement states them, its lines carry no codes."""
    taxes = [tax for tax in stated.get("ImptoReten") or () if tax and tax.get("MontoImp")]
    if taxes:
        totals["ImptoReten"] = taxes
    return Sums(added=sum(tax["MontoImp"] for tax in taxes))


def _adds(document: Document) -> bool:
    """Whether the document may carry additional taxes: not when it is a purchase or a note on one."""
    return document.type != PURCHASE_INVOICE and not changed_types(document) & PURCHASES


def _withholds(document: Document) -> bool:
    """Whether VAT may be withheld: in facturas de compra, notes on them, and notes on notes, which may be on them.

    So it may in a note that doesn't say what it changes: that is another rule's to refuse.
    """
    if document.type in (CREDIT_NOTE, DEBIT_NOTE):
        changed = changed_types(document)
        return not changed or bool(changed & (PURCHASES | {CREDIT_NOTE, DEBIT_NOTE, 55, 60}))
    return document.type == PURCHASE_INVOICE


def _taken_off(document: Document, stated: Values, totals: Values, rate: int, findings: Findings) -> int:
    """Construction credit, which is stated, and commissions: what the master formula subtracts."""
    for tag in _GIVEN:
        if stated.get(tag):
            totals[tag] = stated[tag]
    credit: int = totals.get("CredEC", 0)
    if credit and credit > totals.get("IVA", 0):
        findings.add("DTE-TOT-08", f"{_TOTALS}.CredEC", stated=credit, computed=totals.get("IVA", 0))
    commissions = [line for _, line in document.items("Comisiones")]
    if not commissions:
        return credit
    for line in commissions:
        net: int | None = line.get("ValComNeto")
        if net and "ValComIVA" not in line:
            line["ValComIVA"] = whole_share(net, rate)
    sums = {tag: sum(line.get(tag) or 0 for line in commissions) for tag in _COMMISSION_PARTS}
    totals["Comisiones"] = sums
    written = stated.get("Comisiones") or {}
    for tag, amount in sums.items():
        if written.get(tag) not in (None, amount):
            figures = {"tag": tag, "stated": written[tag], "computed": amount}
            findings.add("DTE-TOT-06", f"{_TOTALS}.Comisiones.{tag}", **figures, source="the lines give")
    if document.family == "liquidacion" and "IVA" in totals:
        totals.setdefault("IVAProp", sums["ValComIVA"])
        totals.setdefault("IVATerc", totals["IVA"] - totals["IVAProp"])
    return credit + sum(sums.values())


def _period(document: Document, classes: Classes, totals: Values, findings: Findings) -> None:
    """Amounts that aren't part of this sale: not billable lines and the balance of earlier ones."""
    stated = document.totals
    tag = "TotalPeriodo" if document.family == "boleta" else "MontoPeriodo"
    other = classes.totals[NOT_BILLABLE]
    due = totals["MntTotal"] + other
    if classes.not_billable and document.family != "liquidacion":
        totals["MontoNF"] = other
    if classes.not_billable or stated.get(tag) is not None:
        totals[tag] = due
    if tag == "TotalPeriodo" and due < 0 and document.profile == "2019":
        findings.add("DTE-TOT-07", f"{_TOTALS}.{tag}", computed=due)
        del totals[tag]
    balance: int | None = stated.get("SaldoAnterior")
    if balance is not None:
        totals["SaldoAnterior"] = balance
    if balance is not None or stated.get("VlrPagar") is not None or (due < 0 and tag not in totals):
        totals["VlrPagar"] = due + (balance or 0)


def _compare(stated: Values, totals: Values, rate: int, hint: str, findings: Findings) -> None:
    for tag, written in stated.items():
        if written is None or tag in ("ImptoReten", "Comisiones"):
            continue
        path = f"{_TOTALS}.{tag}"
        if tag == "TasaIVA":
            if written not in (rate, 0):
                findings.add("DTE-TOT-05", path, stated=written, computed=rate)
            continue
        computed = totals.get(tag, 0)
        if written == computed or (tag == "TotalPeriodo" and tag not in totals):
            continue
        rule = "DTE-TOT-06"
        if tag == "MntTotal":
            rule = "DTE-TOT-03"
        elif tag in ("MntNeto", "IVA"):
            rule = "DTE-TOT-02" if abs(written - computed) <= CORRECTABLE else "DTE-TOT-01"
        figures = {"tag": tag, "stated": written, "computed": computed, "source": "the lines give", "hint": hint}
        findings.add(rule, path, **figures)
