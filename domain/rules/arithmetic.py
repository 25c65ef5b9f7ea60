"""Rules of lines, global discounts, taxes and totals: what was stated against what comes out.

FMgo owns the arithmetic: a stated MntTotal must agree; one peso in MntNeto, IVA or MontoItem is corrected with a
warning; anything else is refused with both figures. Most of these are found while calculating (domain/calculation).
"""

from collections.abc import Iterator
from datetime import date

from domain.calculation.exports import UNPAID
from domain.calculation.findings import Finding
from domain.changes import CORRECTS_AMOUNTS, CORRECTS_TEXT
from domain.codes.document_types import (
    BOLETA,
    CREDIT_NOTE,
    DEBIT_NOTE,
    DISPATCH_GUIDE,
    EXEMPT_INVOICE,
    EXPORT_CREDIT_NOTE,
    EXPORT_DEBIT_NOTE,
    INVOICE,
    NOTES,
    PURCHASE_INVOICE,
    SETTLEMENT,
)
from domain.rules.rule import BOLETAS, EVERY, IN_PESOS, NOT_BOLETAS, Rule, View, found

_FORMAT = "SII, Formato DTE 2.5"
_TOTALS = "document.Encabezado.Totales"
_LINE = "document.Detalle[]"

_NOT_BILLED = frozenset({2, 6})
"""IndExe of amounts that aren't part of the sale, and of such that are taken off."""
_SALE_KINDS = frozenset({None, 1, 2, 3, 4, 6})
_NOTE_KINDS = frozenset({None, 1, 2, 3, 6})
_EXPORT_KINDS: frozenset[int | None] = frozenset({None, 1})
_KINDS: dict[int, frozenset[int | None]] = {
    INVOICE: _SALE_KINDS,
    EXEMPT_INVOICE: _SALE_KINDS,
    SETTLEMENT: frozenset({None, 1, 2}),
    PURCHASE_INVOICE: frozenset({None, 1, 2, 6}),
    DISPATCH_GUIDE: frozenset({None, 1, 2, 4, 5, 6}),
    DEBIT_NOTE: _NOTE_KINDS,
    CREDIT_NOTE: _NOTE_KINDS,
}
"""IndExe that a type's totals have room for; exports have only that of exempt lines."""
_CREDIT_ENDS = date(2027, 1, 1)
"""Day from which construction credit is no more (Leyes 21.420, 21.462 and 21.558)."""
_SAYS_NOTHING = frozenset(
    {"VARIOS", "SERVICIOS", "SERVICIO", "PRODUCTO", "PRODUCTOS", "MERCADERIA", "MERCADERIAS", "SEGUN ORDEN"},
)
_PARTS = (
    ("SubDscto", "TipoDscto", "ValorDscto", "DescuentoMonto"),
    ("SubRecargo", "TipoRecargo", "ValorRecargo", "RecargoMonto"),
)


def _kinds_of_line(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        kind = line.get("IndExe")
        if kind not in _KINDS.get(view.type, _EXPORT_KINDS):
            yield f"document.Detalle[{index}].IndExe", {"kind": kind}


def _names_nothing(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        name = line.get("NmbItem")
        if name is not None and name.upper().replace("Í", "I").replace("Ú", "U").strip(" .") in _SAYS_NOTHING:
            yield f"document.Detalle[{index}].NmbItem", {"name": name}


def _nothing_taxable(view: View) -> Iterator[Finding]:
    kinds = {line.get("IndExe", 0) for _, line in view.lines}
    if kinds and kinds <= {1, 2, 6} and not kinds <= _NOT_BILLED:
        yield "document.Detalle", {}


def _bills_nothing(view: View) -> Iterator[Finding]:
    """Houses that change money document purchases and sales in this way: nothing is billed but a commission."""
    if view.lines and all(line.get("IndExe") in _NOT_BILLED for _, line in view.lines):
        yield "document.Detalle", {}


def _no_net(view: View) -> Iterator[Finding]:
    taxable = any("IndExe" not in line for _, line in view.lines)
    if taxable and view.totals and "MntNeto" not in view.totals:
        yield f"{_TOTALS}.MntNeto", {}


def _credit_is_no_more(view: View) -> Iterator[Finding]:
    if view.totals.get("CredEC") and view.issued_on >= _CREDIT_ENDS:
        yield f"{_TOTALS}.CredEC", {"day": _CREDIT_ENDS}


def _parts_of_vat(view: View) -> Iterator[Finding]:
    parts = [view.totals[tag] for tag in ("IVAProp", "IVATerc") if tag in view.totals]
    if parts and sum(parts) != view.totals.get("IVA", 0):
        yield f"{_TOTALS}.IVAProp", {"stated": sum(parts), "computed": view.totals.get("IVA", 0)}


def _exempt_with_gross(view: View) -> Iterator[Finding]:
    if view.id_doc.get("MntBruto"):
        yield "document.Encabezado.IdDoc.MntBruto", {}


def _parts_alone(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        for parts, sign, value, tag in _PARTS:
            found = [part for part in line.get(parts) or () if part]
            if not found or any(part.get(value) is None or part.get(sign) is None for part in found):
                continue
            total = line.get(tag)
            plain = all(part[sign] == "$" for part in found)
            wanted = sum(part[value] for part in found) if plain else "with the sum"
            if total is None or (plain and total != wanted):
                yield f"document.Detalle[{index}].{parts}", {"tag": tag, "parts": parts, "computed": wanted}


def _several_corrections(view: View) -> Iterator[Finding]:
    if view.changes and all(change.code == CORRECTS_TEXT for change in view.changes) and len(view.lines) > 1:
        yield "document.Detalle", {}


def _nothing_charged(view: View) -> Iterator[Finding]:
    apart = view.totals.get("MontoNF") or view.totals.get("SaldoAnterior")
    # A note that corrects words comes to nothing, and so does one that annuls it.
    other_note = view.type in NOTES and not any(change.code == CORRECTS_AMOUNTS for change in view.changes)
    free = apart or other_note or view.id_doc.get("FmaPagExp") == UNPAID
    if view.totals and not free and not any(line.get("MontoItem") for _, line in view.lines):
        yield f"{_TOTALS}.MntTotal", {}


RULES: tuple[Rule, ...] = (
    found(
        "DTE-LIN-01",
        f"{_LINE}.MontoItem",
        "Correct the line: MontoItem says {stated}, price × quantity − discount + surcharge gives {computed}.",
        f"{_FORMAT}, field MontoItem; SII reparo DET-2-200",
    ),
    found(
        "DTE-LIN-02",
        f"{_LINE}.MontoItem",
        "Corrected by {unit}: MontoItem said {stated}, the line gives {computed}.",
        f"{_FORMAT}, field MontoItem",
        level="warning",
    ),
    found(
        "DTE-LIN-03",
        f"{_LINE}.QtyItem",
        "State a quantity above 0 for a line with a price, or take the price out.",
        "SII, SiiTypes_v10.xsd, Dec12_6Type",
    ),
    found(
        "DTE-LIN-04",
        f"{_LINE}.PrcItem",
        "State PrcItem or MontoItem for a line with a discount or surcharge: without either it comes to nothing.",
        f"{_FORMAT}, zone B",
    ),
    found(
        "DTE-LIN-05",
        f"{_LINE}.DescuentoMonto",
        "Lower the discount: {discount} is more than the line's {base}.",
        f"{_FORMAT}, field MontoItem: not negative",
    ),
    found(
        "DTE-LIN-06",
        f"{_LINE}.DescuentoMonto",
        "State {tag} alone or {percent} alone: {tag} says {stated}, {rate} % gives {computed}.",
        f"{_FORMAT}, fields DescuentoPct and DescuentoMonto",
    ),
    Rule(
        "DTE-LIN-07",
        f"{_LINE}.IndExe",
        "Take the line out or change IndExe: {kind} has no place in a document of this type.",
        _kinds_of_line,
        f"{_FORMAT}, fields IndExe, GrntDep and MontoNF",
        NOT_BOLETAS,
    ),
    found(
        "DTE-LIN-08",
        f"{_LINE}.PrcItem",
        "Lower quantity or price: the line's amount has {amount}.",
        "SII, SiiTypes_v10.xsd, MontoType",
    ),
    found(
        "DTE-LIN-10",
        f"{_LINE}.DescuentoPct",
        "Check the line: MontoItem {stated} stands as it is, with its discount or surcharge in it. State PrcItem if "
        "they come on top.",
        f"{_FORMAT}, zone B; the SII's sets of exports give lines by their value",
        level="warning",
    ),
    found(
        "DTE-LIN-11",
        f"{_LINE}.DescuentoPct",
        "{tag} was left out: {rate} % of the line comes to nothing in whole units, so MontoItem is {computed}{hint}.",
        "SII, SiiTypes_v10.xsd, MntImpType: 1 or more",
        level="warning",
    ),
    Rule(
        "DTE-LIN-12",
        f"{_LINE}.SubDscto",
        "State {tag} {computed}: {parts} only says what {tag} is made of, and takes or adds nothing by itself.",
        _parts_alone,
        f"{_FORMAT}, fields SubDscto and SubRecargo",
        NOT_BOLETAS,
        "warning",
    ),
    Rule(
        "DTE-LIN-13",
        "document.Detalle",
        "Write the correction in one line: a note that corrects text (CodRef 2) has no more.",
        _several_corrections,
        f"{_FORMAT}, field CodRef",
        frozenset({DEBIT_NOTE, CREDIT_NOTE, EXPORT_DEBIT_NOTE, EXPORT_CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-LIN-09",
        f"{_LINE}.NmbItem",
        "Describe what was sold: the SII objects to “{name}”.",
        _names_nothing,
        "SII, Resolución Exenta 36 of 2024",
        EVERY,
        "warning",
    ),
    found(
        "DTE-GLO-01",
        "document.DscRcgGlobal[].ValorDR",
        "Lower the global discount: {change} is more than the {base} of {kind} lines.",
        f"{_FORMAT}, zone D",
    ),
    found(
        "DTE-GLO-03",
        "document.DscRcgGlobal[].ValorDR",
        "Take the global line out or change IndExeDR (none: taxable, 1 exempt, 2 not billable lines): there are no "
        "{kind} lines, {stated} % of them is nothing.",
        f"{_FORMAT}, zone D, field IndExeDR",
    ),
    found(
        "DTE-GLO-04",
        "document.DscRcgGlobal[].ValorDR",
        "Check the global line: {stated} % of {kind} lines, {base}, comes to nothing.",
        f"{_FORMAT}, zone D",
        level="warning",
    ),
    found(
        "DTE-GLO-02",
        "document.DscRcgGlobal[].TpoValor",
        "State the global discount in %: in pesos it can't be split among lines with different taxes.",
        f"{_FORMAT}, field TpoValor",
        types=IN_PESOS,
    ),
    found(
        "DTE-TOT-01",
        f"{_TOTALS}.MntNeto",
        "Correct {tag}: it says {stated}, the lines give {computed}{hint}.",
        f"{_FORMAT}, fields MntNeto and IVA",
    ),
    found(
        "DTE-TOT-02",
        f"{_TOTALS}.MntNeto",
        "Corrected by one peso: {tag} said {stated}, the lines give {computed}.",
        f"{_FORMAT}, fields MntNeto and IVA",
        level="warning",
    ),
    found(
        "DTE-TOT-03",
        f"{_TOTALS}.MntTotal",
        "Correct MntTotal or the lines: it says {stated}, {source} {computed}{hint}.",
        f"{_FORMAT}, field 124; SII reparo HED-2-260",
    ),
    found(
        "DTE-TOT-04",
        f"{_TOTALS}.MntTotal",
        "Correct the lines: the total would be {computed}.",
        "SII, SiiTypes_v10.xsd, MontoType",
    ),
    found(
        "DTE-TOT-05",
        f"{_TOTALS}.TasaIVA",
        "Correct TasaIVA: it says {stated}, the VAT of that day is {computed} %.",
        "DL 825, article 14",
        types=IN_PESOS,
    ),
    found(
        "DTE-TOT-06",
        _TOTALS,
        "Correct {tag}: it says {stated}, {source} {computed}.",
        f"{_FORMAT}, zone Totales; SII HED-2-220, HED-3-265",
    ),
    found(
        "DTE-TOT-07",
        f"{_TOTALS}.TotalPeriodo",
        "TotalPeriodo was left out: {computed} is due, and only the newer schema has it below 0. VlrPagar says it.",
        "SII, EnvioBOLETA_v11.xsd, TotalPeriodo",
        types=BOLETAS,
        level="warning",
    ),
    found(
        "DTE-TOT-08",
        f"{_TOTALS}.CredEC",
        "Lower CredEC: {stated} is more than the VAT, {computed}.",
        "DL 910, article 21",
        types=IN_PESOS,
    ),
    Rule(
        "DTE-TOT-09",
        "document.Detalle",
        "Issue a factura exenta (34), or take IndExe out of the taxable lines: this one has none.",
        _nothing_taxable,
        f"{_FORMAT}, field IndExe; SII HED-2-223",
        frozenset({INVOICE}),
    ),
    Rule(
        "DTE-TOT-14",
        "document.Detalle",
        "Check the lines: nothing is billed here (IndExe 2 and 6 only), as houses do that change money without a "
        "commission.",
        _bills_nothing,
        "SII, Resolución Exenta 66 of 2022; SII, FAQ 001.003.8353 (2025-05-28) and 001.380.8351 (2025-07-01)",
        frozenset({INVOICE, EXEMPT_INVOICE}) | BOLETAS,
        "warning",
    ),
    Rule(
        "DTE-TOT-10",
        f"{_TOTALS}.MntNeto",
        "Check the lines: nothing taxable is left, and the SII objects to a net amount of 0.",
        _no_net,
        "SII HED-2-223, HED-1-232",
        frozenset({INVOICE}),
        "warning",
    ),
    Rule(
        "DTE-TOT-11",
        "document.Detalle",
        "Issue a boleta exenta (41) for exempt sales: this one has no taxable line.",
        _nothing_taxable,
        "SII, Formato Boletas 4.2, fields MntNeto and IVA",
        frozenset({BOLETA}),
        "warning",
    ),
    Rule(
        "DTE-TOT-12",
        f"{_TOTALS}.CredEC",
        "Check CredEC: the special credit of construction companies ends on {day} but for acquired rights.",
        _credit_is_no_more,
        "Leyes 21.420, 21.462 and 21.558; SII, Circular 37 of 2023",
        frozenset({INVOICE, DISPATCH_GUIDE, DEBIT_NOTE, CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-TOT-13",
        f"{_TOTALS}.IVAProp",
        "Check IVAProp and IVATerc: they sum to {stated}, the VAT is {computed}.",
        _parts_of_vat,
        f"{_FORMAT}, fields IVAProp and IVATerc",
        IN_PESOS,
        "warning",
    ),
    Rule(
        "DTE-TOT-15",
        f"{_TOTALS}.MntTotal",
        "Check the lines: nothing is charged, the total is 0.",
        _nothing_charged,
        f"{_FORMAT}, field MntTotal; SII, Formato Boletas 4.2",
        EVERY - {INVOICE, SETTLEMENT, DISPATCH_GUIDE},
        "warning",
    ),
    found(
        "DTE-CUR-01",
        "document.Encabezado.OtraMoneda",
        "Correct {tag}: it says {stated}, the amount in pesos divided by TpoCambio gives {computed}.",
        f"{_FORMAT}, zone OtraMoneda",
        types=IN_PESOS,
    ),
    found(
        "DTE-CUR-03",
        "document.Encabezado.OtraMoneda.TpoCambio",
        "State TpoCambio, pesos for a unit of the other currency: its amounts are computed with it.",
        f"{_FORMAT}, zone OtraMoneda",
        types=IN_PESOS,
    ),
    found(
        "DTE-CUR-02",
        "document.Encabezado.OtraMoneda",
        "OtraMoneda was left out: the total is 0, which it has no room for.",
        "SII, DTE_v10.xsd, MntTotOtrMnda",
        types=IN_PESOS,
        level="warning",
    ),
    Rule(
        "DTE-EXE-01",
        "document.Encabezado.IdDoc.MntBruto",
        "Take MntBruto out: prices of a factura exenta hold no VAT.",
        _exempt_with_gross,
        f"{_FORMAT}, field MntBruto",
        frozenset({EXEMPT_INVOICE}),
    ),
)
