"""Whether taxes of lines (CodImpAdic) and their sums (ImptoReten) agree: codes, rates, amounts, VAT that is kept.

A code is of kind A, added to the total, or of kind R, VAT that the buyer keeps: in facturas de compra, notes on them
and notes on such notes. What is kept in whole is the VAT itself, to the peso, whatever global discounts do to the
parts. Sources: SII, Formato DTE, fields ImptoReten and IVANoRet, table of additional taxes; codes of real answers
(HED-2-300 for codes and rates, HED-2-302 for amounts).
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from deploy.sandbox.sii.amounts import (
    PURCHASE,
    SETTLEMENT,
    WHOLE_VAT,
    WITHHELD,
    amount_of,
    class_sums,
    is_gross,
    rounded,
)
from deploy.sandbox.sii.reading import Element, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding

# Taxes that aren't a percentage of the lines: margin, slaughter, fuels, tobacco.
_OWN_BASE = frozenset({"14", "50", "17", "53", "28", "35", "51", "52"})
_NOTHING_KEPT = "49"
_NOTES = frozenset({56, 61})
# A factura de compra, or a note that may be on one.
_OF_PURCHASES = frozenset({"45", "46", "55", "56", "60", "61"})


def tax_findings(body: Element, document_type: int) -> list[Finding]:
    """The findings about taxes of a document's body.

    A liquidación's are those of what was sold, which its lines don't carry: they aren't examined.
    """
    totals = find(body, "Encabezado/Totales")
    if totals is None or document_type == SETTLEMENT:
        return []
    bases = _bases(body)
    sums = {text_of(tax, "TipoImp"): tax for tax in find_all(totals, "ImptoReten")}
    if not bases and not sums and document_type != PURCHASE and find(totals, "IVANoRet") is None:
        return []
    return [
        *_codes(body, document_type, bases, sums),
        *_rates(totals, sums),
        *_amounts(body, bases, sums, document_type),
        *_kept(body, totals, sums, document_type),
    ]


def _bases(body: Element) -> Counter[str]:
    """Sums of the lines by code."""
    bases: Counter[str] = Counter()
    for line in find_all(body, "Detalle"):
        for element in find_all(line, "CodImpAdic"):
            bases[(element.text or "").strip()] += int(amount_of(line, "MontoItem"))
    return bases


def _codes(body: Element, document_type: int, bases: Counter[str], sums: dict[str, Element]) -> Iterator[Finding]:
    for code in sorted((set(bases) ^ set(sums)) - {_NOTHING_KEPT}):
        if code in sums or (bases[code] and code not in _OWN_BASE):
            yield Finding("HED-2-300", f"Impuesto {code} sin Detalle o sin Total")
    if not _may_withhold(body, document_type):
        for code in sorted(set(sums) & WITHHELD):
            yield Finding("HED-2-300", f"Retencion {code} No Corresponde al Tipo de Documento")


def _may_withhold(body: Element, document_type: int) -> bool:
    if document_type == PURCHASE:
        return True
    named = {text_of(reference, "TpoDocRef") for reference in find_all(body, "Referencia")}
    return document_type in _NOTES and bool(named & _OF_PURCHASES)


def _rates(totals: Element, sums: dict[str, Element]) -> Iterator[Finding]:
    vat_rate = amount_of(totals, "TasaIVA")
    for code, tax in sums.items():
        rate = amount_of(tax, "TasaImp")
        if code in WHOLE_VAT and rate != vat_rate:
            yield Finding("HED-2-300", f"Tasa de Retencion {code} Distinta a la del IVA [{rate} <> {vat_rate}]")


def _amounts(body: Element, bases: Counter[str], sums: dict[str, Element], document_type: int) -> Iterator[Finding]:
    """A code's amount is its rate of its lines, which global discounts and surcharges change with their class.

    One code on every taxable line has the net for its base. Where several share it, the parts are rounded so that they
    add up: a peso to either side, and one more where discounts were spread over them.
    """
    of_lines = sum((amount_of(line, "MontoItem") for line in _taxable(body)), Decimal(0))
    after = class_sums(body, document_type).get("taxable", Decimal(0))
    changed = bool(find_all(body, "DscRcgGlobal"))
    for code, tax in sums.items():
        if code not in bases or code in _OWN_BASE:
            continue
        rate, amount = amount_of(tax, "TasaImp"), amount_of(tax, "MontoImp")
        alone = bases[code] == of_lines
        if is_gross(body, document_type):
            if changed:
                continue
            base = Decimal(bases[code])
        else:
            base = after if alone else bases[code] * (after / of_lines if of_lines else Decimal(1))
        expected = rounded(base * rate / 100)
        if abs(amount - expected) > (0 if alone else (len(sums) > 1) + changed):
            yield Finding("HED-2-302", f"Monto de Impuesto {code} No Cuadra [{amount} <> {expected}]")


def _taxable(body: Element) -> list[Element]:
    return [line for line in find_all(body, "Detalle") if not text_of(line, "IndExe")]


def _kept(body: Element, totals: Element, sums: dict[str, Element], document_type: int) -> Iterator[Finding]:
    vat, whole = amount_of(totals, "IVA"), {code for code in sums if code in WHOLE_VAT}
    kept = sum((amount_of(tax, "MontoImp") for code, tax in sums.items() if code in WITHHELD), Decimal(0))
    of_whole = sum((amount_of(sums[code], "MontoImp") for code in whole), Decimal(0))
    marks = [{(one.text or "").strip() for one in find_all(line, "CodImpAdic")} for line in _taxable(body)]
    # One code alone is held to its rate of the net above, which is the VAT.
    told = len(whole) == 1 and not is_gross(body, document_type)
    if whole and not told and marks and all(mark & WHOLE_VAT for mark in marks) and of_whole != vat:
        yield Finding("HED-2-302", f"Retencion Total Distinta al IVA [{of_whole} <> {vat}]")
    if document_type == PURCHASE and any(not mark & (WITHHELD | {_NOTHING_KEPT}) for mark in marks):
        yield Finding("HED-2-999", "Linea de Factura de Compra sin Retencion")
    left, stated = vat - kept, amount_of(totals, "IVANoRet")
    if (stated or kept) and stated != left:
        yield Finding("HED-2-999", f"IVA No Retenido No Cuadra [{stated} <> {left}]")
