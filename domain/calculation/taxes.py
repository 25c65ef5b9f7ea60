"""Additional taxes and withheld VAT (ImptoReten): one sum a code, from the lines that carry it.

Kind A is added to the total. Kind R is VAT that the buyer keeps, in facturas de compra and their notes: of all of a
line's VAT or of a part of it that is a rate on the net; what the seller gets of the VAT is IVANoRet. Sources: SII,
Formato DTE 2.5, fields ImptoReten, IVANoRet, MntBase and MntMargenCom; table of additional taxes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.calculation.classes import Classes
from domain.calculation.findings import Findings
from domain.calculation.fuel import WRITTEN, negative_taxes
from domain.codes.taxes import ADDED_TAXES, FUEL_TAXES, MARGIN_TAXES, WITHHELD_TAXES, AdditionalTax, WithheldTax
from domain.format.reading import Values
from domain.money import EXACT, Number, share, whole_share

NOTHING_KEPT = "49"
"""Code of a factura de compra that keeps no VAT."""

_TAXES = "document.Encabezado.Totales.ImptoReten"

Lines = list[tuple[int, Values]]


@dataclass(frozen=True, slots=True)
class Taxed:
    """What taxes depend on: the document's day and VAT rate, its lines, and which kinds of codes it may carry."""

    on: date
    vat_rate: int
    lines: Lines
    adds: bool
    withholds: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """Taxes to add and VAT to take off, in pesos."""

    added: int = 0
    withheld: int = 0


def calculate_taxes(taxed: Taxed, classes: Classes, stated: Values, totals: Values, findings: Findings) -> Sums:
    """Put ImptoReten, IVANoRet, MntBase and MntMargenCom into `totals`."""
    written = _stated_taxes(stated, findings)
    carrying = [line for _, line in taxed.lines]
    less = {code: negative_taxes(code, carrying) for code in classes.codes if code in FUEL_TAXES}
    added: list[Values] = []
    withheld: list[Values] = []
    for code in classes.codes:
        if taxed.adds and less.get(code):
            added.append(_less(code, less[code], written.get(code)))
        elif taxed.adds and code in ADDED_TAXES:
            added.append(_added(ADDED_TAXES[code], taxed, classes, written.get(code), totals, findings))
        elif taxed.withholds and code in WITHHELD_TAXES:
            withheld.append(_withheld(WITHHELD_TAXES[code], taxed, classes, written.get(code)))
        else:
            index = next(index for index, line in taxed.lines if code in line.get("CodImpAdic", ()))
            findings.add("DTE-TAX-01", f"document.Detalle[{index}].CodImpAdic", code=code)
    if taxed.withholds:
        _whole_vat(withheld, classes, totals)
        mark_agents(taxed.lines)
    _compare_all((*added, *withheld), written, classes, findings)
    if sums := [tax for tax in (*added, *withheld) if tax["MontoImp"]]:
        totals["ImptoReten"] = sums
    kept = sum(tax["MontoImp"] for tax in withheld)
    if withheld and totals.get("IVA", 0) > kept:
        totals["IVANoRet"] = totals["IVA"] - kept
    return Sums(sum(-less.get(tax["TipoImp"], 0) or tax["MontoImp"] for tax in added), kept)


def _less(code: str, amount: int, stated: Values | None) -> Values:
    """A negative tax on fuel as it is written: 1, or in the format of 2026 its own amount where that is stated."""
    written = (stated or {}).get("MontoImp")
    signed = written is not None and written < 0
    return _sum(code, (stated or {}).get("TasaImp"), -amount if signed else WRITTEN)


def _added(
    tax: AdditionalTax,
    taxed: Taxed,
    classes: Classes,
    stated: Values | None,
    totals: Values,
    findings: Findings,
) -> Values:
    """The sum of one code of kind A."""
    rate = tax.rate(taxed.on)
    stated_rate: Number | None = stated.get("TasaImp") if stated else None
    if rate is not None and stated_rate is not None and stated_rate != rate:
        findings.add("DTE-TAX-04", f"{_TAXES}.TasaImp", code=tax.code, stated=stated_rate, computed=rate)
    amount = _amount(tax, rate or 0, taxed.lines, classes, stated, totals, findings)
    return _sum(tax.code, stated_rate if rate is None else rate, amount)


def _amount(
    tax: AdditionalTax,
    rate: Number,
    lines: Lines,
    classes: Classes,
    stated: Values | None,
    totals: Values,
    findings: Findings,
) -> int:
    carrying = [(line, line.get("Retenedor") or {}) for _, line in lines if tax.code in line.get("CodImpAdic", ())]
    if tax.basis == "stated":
        amount: int | None = stated.get("MontoImp") if stated else None
        if amount is None and not (stated and "MontoImp" in stated):
            findings.add("DTE-TAX-06", _TAXES, code=tax.code)
        if tax.code in MARGIN_TAXES:
            margin = sum(agent.get("MntMargComer") or 0 for _, agent in carrying)
            totals["MntMargenCom"] = totals.get("MntMargenCom", 0) + margin
        return amount or 0
    if tax.basis == "slaughter":
        totals["MntBase"] = sum(agent.get("MntBaseFaena") or 0 for _, agent in carrying)
        return whole_share(totals["MntBase"], rate)
    if tax.basis == "retail":
        prices = (
            EXACT.multiply(Decimal(line.get("QtyItem") or 1), Decimal(agent.get("PrcConsFinal") or 0))
            for line, agent in carrying
        )
        return int(share(sum(prices, Decimal(0)), rate))
    return whole_share(classes.base(tax.code), rate)


def _withheld(tax: WithheldTax, taxed: Taxed, classes: Classes, stated: Values | None) -> Values:
    """The sum of one code of kind R; a partial rate is the seller's, so a stated one stands."""
    usual: Number = tax.rate(taxed.on) or 0
    rate = taxed.vat_rate if tax.total else (stated or {}).get("TasaImp") or usual
    return _sum(tax.code, rate, whole_share(classes.base(tax.code), rate))


def _whole_vat(withheld: list[Values], classes: Classes, totals: Values) -> None:
    """Where every line's VAT is kept whole, the sums are the VAT: the last code takes the peso of rounding.

    Where it is kept in part, rounding keeps no more than there is.
    """
    if withheld and classes.tax_covers_all and all(WITHHELD_TAXES[tax["TipoImp"]].total for tax in withheld):
        one_each = sum(classes.base(tax["TipoImp"]) for tax in withheld) == totals.get("MntNeto", 0)
        if one_each:
            withheld[-1]["MontoImp"] += totals.get("IVA", 0) - sum(tax["MontoImp"] for tax in withheld)
    for tax in reversed(withheld):
        over = sum(each["MontoImp"] for each in withheld) - totals.get("IVA", 0)
        tax["MontoImp"] -= min(max(over, 0), 1, tax["MontoImp"])


def mark_agents(lines: Lines) -> None:
    """Say on the lines whose VAT is kept that the issuer is who keeps it (IndAgente R), unless the line has it."""
    for _, line in lines:
        if any(code in WITHHELD_TAXES and code != NOTHING_KEPT for code in line.get("CodImpAdic") or ()):
            line.setdefault("Retenedor", {"IndAgente": "R"})


def _sum(code: str, rate: Number | None, amount: int) -> Values:
    return {"TipoImp": code, **({"TasaImp": rate} if rate else {}), "MontoImp": amount}


def _compare_all(
    computed: Sequence[Values], written: Mapping[str, Values], classes: Classes, findings: Findings
) -> None:
    for code in written:
        if code not in classes.codes:
            findings.add("DTE-TAX-03", _TAXES, code=code)
    for tax in computed:
        _compare(tax, written.get(tax["TipoImp"]), findings)


def _compare(tax: Values, stated: Values | None, findings: Findings) -> None:
    written: int | None = stated.get("MontoImp") if stated else None
    if written is not None and written != tax["MontoImp"]:
        figures = {"code": tax["TipoImp"], "stated": written, "computed": tax["MontoImp"]}
        findings.add("DTE-TAX-05", f"{_TAXES}.MontoImp", **figures)


def _stated_taxes(stated: Values, findings: Findings) -> dict[str, Values]:
    written: dict[str, Values] = {}
    for tax in stated.get("ImptoReten") or ():
        code = tax.get("TipoImp") if tax else None
        if code is None:
            continue
        if code in written:
            findings.add("DTE-TAX-07", _TAXES, code=code)
        written[code] = tax
    return written
