"""Additional and specific taxes (ImptoReten): one sum a code, from the lines that carry it.

Sources: SII, Formato DTE 2.5, fields ImptoReten, MntBase and MntMargenCom; table of additional taxes.
"""

from domain.calculation.classes import Classes
from domain.calculation.findings import Findings
from domain.codes.taxes import ADDED_TAXES, MARGIN_TAXES, AdditionalTax
from domain.format.reading import Values
from domain.money import Number, product, share

_TAXES = "document.Encabezado.Totales.ImptoReten"

Lines = list[tuple[int, Values]]


def calculate_taxes(lines: Lines, classes: Classes, stated: Values, totals: Values, findings: Findings) -> int:
    """Put ImptoReten, MntBase and MntMargenCom into `totals`; the sum of the taxes in pesos."""
    written = _stated_taxes(stated, findings)
    sums: list[Values] = []
    for code in classes.bases:
        tax = ADDED_TAXES.get(code)
        if tax is None:
            index = next(index for index, line in lines if code in line.get("CodImpAdic", ()))
            findings.add("DTE-TAX-01", f"document.Detalle[{index}].CodImpAdic", code=code)
            continue
        sums.append(_tax(tax, lines, classes, written.get(code), totals, findings))
    for code in written:
        if code not in classes.bases:
            findings.add("DTE-TAX-03", _TAXES, code=code)
    sums = [tax for tax in sums if tax["MontoImp"]]
    if sums:
        totals["ImptoReten"] = sums
    return sum(tax["MontoImp"] for tax in sums)


def _tax(
    tax: AdditionalTax,
    lines: Lines,
    classes: Classes,
    stated: Values | None,
    totals: Values,
    findings: Findings,
) -> Values:
    """The sum of one code, compared with what is stated for it."""
    stated_rate: Number | None = stated.get("TasaImp") if stated else None
    stated_amount: int | None = stated.get("MontoImp") if stated else None
    if tax.rate is not None and stated_rate is not None and stated_rate != tax.rate:
        findings.add("DTE-TAX-04", f"{_TAXES}.TasaImp", code=tax.code, stated=stated_rate, computed=tax.rate)
    amount = _amount(tax, lines, classes, stated_amount, totals, findings)
    if stated_amount is not None and stated_amount != amount:
        findings.add("DTE-TAX-05", f"{_TAXES}.MontoImp", code=tax.code, stated=stated_amount, computed=amount)
    rate = stated_rate if tax.rate is None else tax.rate
    return {"TipoImp": tax.code, **({"TasaImp": rate} if rate else {}), "MontoImp": amount}


def _amount(
    tax: AdditionalTax,
    lines: Lines,
    classes: Classes,
    stated_amount: int | None,
    totals: Values,
    findings: Findings,
) -> int:
    carrying = [(line, line.get("Retenedor") or {}) for _, line in lines if tax.code in line.get("CodImpAdic", ())]
    if tax.basis == "stated":
        if stated_amount is None:
            findings.add("DTE-TAX-06", _TAXES, code=tax.code)
        if tax.code in MARGIN_TAXES:
            margin = sum(agent.get("MntMargComer") or 0 for _, agent in carrying)
            totals["MntMargenCom"] = totals.get("MntMargenCom", 0) + margin
        return stated_amount or 0
    rate = tax.rate or 0
    if tax.basis == "slaughter":
        totals["MntBase"] = sum(agent.get("MntBaseFaena") or 0 for _, agent in carrying)
        return share(totals["MntBase"], rate)
    if tax.basis == "retail":
        return share(
            sum(product(line.get("QtyItem") or 1, agent.get("PrcConsFinal") or 0) for line, agent in carrying), rate
        )
    return share(classes.bases[tax.code], rate)


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
