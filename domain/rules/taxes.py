"""Rules of additional taxes and VAT that is kept: what lines carry, what a document sums up.

Most of these are found while calculating (domain/calculation/taxes).
"""

import re
from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.codes.document_types import CREDIT_NOTE, DEBIT_NOTE, INVOICE, PURCHASE_INVOICE
from domain.codes.taxes import MARGIN_TAXES, WITHHELD_TAXES
from domain.rules.rule import IN_PESOS, Rule, View, found

_FORMAT = "SII, Formato DTE 2.5"
_TOTALS = "document.Encabezado.Totales"
_LINE = "document.Detalle[]"

_COMPONENTS = frozenset({"28", "35"})
"""Taxes on fuel that have a base and a variable component (Ley 18.502; Ley 20.765)."""
_A_DAY = re.compile(
    r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2} de [a-z]{4,10}", re.ASCII
)
_SPECIAL_BASE = {"17": "MntBaseFaena", "53": "PrcConsFinal", **dict.fromkeys(MARGIN_TAXES, "MntMargComer")}


def _gross_with_taxes(view: View) -> Iterator[Finding]:
    if view.id_doc.get("MntBruto"):
        for index, line in view.lines:
            if line.get("CodImpAdic"):
                yield f"document.Detalle[{index}].CodImpAdic", {}


def _other_partial_rate(view: View) -> Iterator[Finding]:
    for index, tax in enumerate(view.totals.get("ImptoReten") or ()):
        known = WITHHELD_TAXES.get(tax["TipoImp"])
        usual = known.rate(view.issued_on) if known else None
        if usual is not None and tax.get("TasaImp") != usual:
            figures = {"code": tax["TipoImp"], "stated": tax.get("TasaImp"), "computed": usual}
            yield f"{_TOTALS}.ImptoReten[{index}].TasaImp", figures


def _tax_without_base(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        for code in line.get("CodImpAdic") or ():
            tag = _SPECIAL_BASE.get(code)
            agent = line.get("Retenedor") or {}
            if tag is not None and not agent.get(tag):
                yield f"document.Detalle[{index}].Retenedor", {"code": code, "tag": tag}


def _fuel_untold(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        if _COMPONENTS.isdisjoint(line.get("CodImpAdic") or ()):
            continue
        text = f"{line.get('NmbItem') or ''} {line.get('DscItem') or ''}"
        told = text.casefold()
        path = f"document.Detalle[{index}].DscItem"
        if not ("base" in told and "variable" in told):
            yield path, {"what": "apart what the base and the variable component of the tax come to, in DscItem"}
        if not (_A_DAY.search(told) or "PeriodoDesde" in view.id_doc):
            yield path, {"what": "the day of the operation, in DscItem"}
        if not ("Patente" in view.transport or "patente" in told):
            yield path, {"what": "the plate of the vehicle that was filled, in Transporte/Patente or DscItem"}


RULES: tuple[Rule, ...] = (
    found(
        "DTE-TAX-01",
        f"{_LINE}.CodImpAdic",
        "Take the tax code {code} out: it is withheld VAT or out of use, and this document can't carry it.",
        f"{_FORMAT}, table of additional taxes",
        types=IN_PESOS,
    ),
    found(
        "DTE-TAX-02",
        f"{_LINE}.CodImpAdic",
        "Take the tax code out or make the line taxable.",
        f"{_FORMAT}, field CodImpAdic",
        types=IN_PESOS,
    ),
    found(
        "DTE-TAX-03",
        f"{_TOTALS}.ImptoReten",
        "State CodImpAdic {code} on the lines that it is for, or take it out of ImptoReten.",
        f"{_FORMAT}, field ImptoReten",
        types=IN_PESOS,
    ),
    found(
        "DTE-TAX-04",
        f"{_TOTALS}.ImptoReten[].TasaImp",
        "Correct TasaImp of tax {code}: it says {stated}, the rate is {computed} %.",
        f"{_FORMAT}, table of additional taxes",
        types=IN_PESOS,
    ),
    found(
        "DTE-TAX-05",
        f"{_TOTALS}.ImptoReten[].MontoImp",
        "Correct MontoImp of tax {code}: it says {stated}, the lines give {computed}.",
        f"{_FORMAT}, field MontoImp",
        types=IN_PESOS,
    ),
    found(
        "DTE-TAX-06",
        f"{_TOTALS}.ImptoReten",
        "State MontoImp of tax {code} in ImptoReten: it can't be computed from the lines.",
        f"{_FORMAT}, table of additional taxes; Ley 18.502",
        types=IN_PESOS,
    ),
    found(
        "DTE-TAX-07",
        f"{_TOTALS}.ImptoReten",
        "State tax {code} once in ImptoReten.",
        f"{_FORMAT}, field ImptoReten",
        types=IN_PESOS,
    ),
    Rule(
        "DTE-TAX-08",
        f"{_LINE}.CodImpAdic",
        "State net prices and take MntBruto out: it can't go with additional taxes.",
        _gross_with_taxes,
        f"{_FORMAT}, field MntBruto",
        IN_PESOS,
    ),
    Rule(
        "DTE-TAX-09",
        f"{_LINE}.Retenedor",
        "State Retenedor with {tag} on the line: tax {code} is computed on it.",
        _tax_without_base,
        f"{_FORMAT}, group Retenedor",
        IN_PESOS,
    ),
    Rule(
        "DTE-TAX-10",
        f"{_TOTALS}.ImptoReten[].TasaImp",
        "Check TasaImp of code {code}: it says {stated}, sellers without a status of their own have {computed} %.",
        _other_partial_rate,
        f"{_FORMAT}, table of withheld VAT; the SII's resolutions on change of subject",
        frozenset({PURCHASE_INVOICE, DEBIT_NOTE, CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-FUE-01",
        f"{_LINE}.DscItem",
        "State {what}: a factura of fuel has it, so that its buyer can use the tax.",
        _fuel_untold,
        "Decreto 332 of 2011 (Hacienda), article 15; SII, preguntas frecuentes 001.130.6124 and 001.003.6705",
        frozenset({INVOICE}),
        "warning",
    ),
)
