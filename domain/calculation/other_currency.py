"""Totals of documents in pesos told in another currency too (OtraMoneda): informative, but not left to chance.

    amount in the other currency = amount in pesos ÷ TpoCambio, up to four decimals

What is stated stays if it is that amount to the cent, or what a peso more or less comes to. Amounts of 0 aren't
written: the schema has no room for them. Source: SII, Formato DTE 2.5, zone OtraMoneda; DTE_v10.xsd.
"""

from decimal import Decimal

from domain.calculation.findings import Findings
from domain.document import FOREIGN_DECIMALS, Document
from domain.format.reading import Values
from domain.money import EXACT, LARGEST_FOREIGN, Number, rounded

_PATH = "document.Encabezado.OtraMoneda"
_OF = (
    ("MntNeto", "MntNetoOtrMnda"),
    ("MntExe", "MntExeOtrMnda"),
    ("MntBase", "MntFaeCarneOtrMnda"),
    ("MntMargenCom", "MntMargComOtrMnda"),
    ("IVA", "IVAOtrMnda"),
    ("IVANoRet", "IVANoRetOtrMnda"),
    ("MntTotal", "MntTotOtrMnda"),
)
"""Totals and what tells them in the other currency."""
_CENT = Decimal("0.01")


def convert_totals(document: Document, findings: Findings) -> None:
    """Complete OtraMoneda of a document in pesos and compare what is stated; without a rate stated amounts stand."""
    other, totals = document.header["OtraMoneda"], document.totals
    rate: Number | None = other.get("TpoCambio")
    if not rate:
        if "MntTotOtrMnda" not in other:
            other["MntTotOtrMnda"] = None
            if "TpoCambio" not in other:
                findings.add("DTE-CUR-03", f"{_PATH}.TpoCambio")
        return
    if not totals["MntTotal"]:
        del document.header["OtraMoneda"]
        findings.add("DTE-CUR-02", _PATH)
        return
    for tag, named in _OF:
        _convert(other, named, totals.get(tag) or 0, rate, f"{_PATH}.{named}", findings)
    for index, tax in enumerate(other.get("ImpRetOtrMnda") or ()):
        code = tax and tax.get("TipoImpOtrMnda")
        amount = next((each["MontoImp"] for each in totals.get("ImptoReten") or () if each["TipoImp"] == code), 0)
        if code and amount >= 0:
            path = f"{_PATH}.ImpRetOtrMnda[{index}].VlrImpOtrMnda"
            _convert(tax, "VlrImpOtrMnda", amount, rate, path, findings)


def _convert(group: Values, tag: str, pesos: int, rate: Number, path: str, findings: Findings) -> None:
    amount = rounded(EXACT.divide(Decimal(pesos), Decimal(rate)), FOREIGN_DECIMALS)
    written: Number | None = group.get(tag)
    leeway = max(_CENT, EXACT.divide(1, Decimal(rate))) if pesos else 0
    if written is not None and not -leeway <= written - amount <= leeway:
        findings.add("DTE-CUR-01", path, tag=tag, stated=written, computed=amount)
    if tag not in group and 0 < amount <= LARGEST_FOREIGN:
        group[tag] = amount
