"""One line: price times quantity, less its discount, plus its surcharge.

    B  = round(QtyItem × PrcItem)
    Ds = round(B × DescuentoPct ÷ 100), or DescuentoMonto
    Rc = round((B − Ds) × RecargoPct ÷ 100), or RecargoMonto
    MontoItem = B − Ds + Rc

The SII recomputes MontoItem the same way (reparo DET-2-200). Source: SII, Formato DTE 2.5, zone B.
"""

from domain.calculation.findings import Findings
from domain.format.reading import Values
from domain.money import LARGEST, Number, product, share

ARITHMETIC = frozenset(
    {
        "IndExe",
        "QtyItem",
        "PrcItem",
        "DescuentoPct",
        "DescuentoMonto",
        "RecargoPct",
        "RecargoMonto",
        "CodImpAdic",
        "Retenedor",
        "MontoItem",
    }
)
"""Tags that totals depend on: an unreadable one leaves nothing to compute."""

NOT_SOLD = (4, 5)
"""IndExe of lines that carry no amount: ítem no venta, ítem a rebajar."""
CORRECTABLE = 1
"""Pesos that a stated figure may be off and is corrected instead of refused."""


def calculate_line(line: Values, index: int, findings: Findings) -> None:
    """Complete a line with what follows from its figures; MontoItem is always set."""
    if None in line.values() and any(line.get(tag, 0) is None for tag in ARITHMETIC):
        findings.complete = False
        return
    stated = line.get("MontoItem")
    base = _base(line, index, findings)
    discount = _part(line, base, "Descuento", index, findings)
    surcharge = _part(line, base - discount, "Recargo", index, findings)
    amount = base - discount + surcharge
    if amount < 0:
        path = f"document.Detalle[{index}].DescuentoMonto"
        findings.add("DTE-LIN-05", path, discount=discount, base=base)
        amount = 0
    if amount > LARGEST:
        findings.add("DTE-LIN-08", f"document.Detalle[{index}].PrcItem", amount="more than 18 digits")
        findings.complete = False
        return
    if line.get("IndExe") in NOT_SOLD:
        amount = 0
    line["MontoItem"] = amount
    if stated is not None and stated != amount:
        rule = "DTE-LIN-02" if abs(stated - amount) <= CORRECTABLE else "DTE-LIN-01"
        findings.add(rule, f"document.Detalle[{index}].MontoItem", stated=stated, computed=amount)


def _base(line: Values, index: int, findings: Findings) -> int:
    """Quantity times price; a line without price has the amount that is stated for it."""
    price: Number | None = line.get("PrcItem")
    quantity: Number | None = line.get("QtyItem")
    if price:
        if quantity is None:
            line["QtyItem"] = 1
            return product(1, price)
        if not quantity:
            findings.add("DTE-LIN-03", f"document.Detalle[{index}].QtyItem")
        return product(quantity, price)
    if quantity == 0:
        del line["QtyItem"]
    if price is not None:
        del line["PrcItem"]
        return 0
    parts = [tag for tag in ("DescuentoPct", "DescuentoMonto", "RecargoPct", "RecargoMonto") if line.get(tag)]
    if parts:
        findings.add("DTE-LIN-04", f"document.Detalle[{index}].{parts[0]}")
        for tag in parts:
            del line[tag]
    amount: int = line.get("MontoItem") or 0
    return amount


def _part(line: Values, base: int, kind: str, index: int, findings: Findings) -> int:
    """A line's discount or surcharge; both its tags go or none does, and an amount of 0 isn't written."""
    percent_tag, amount_tag = (
        ("DescuentoPct", "DescuentoMonto") if kind == "Descuento" else ("RecargoPct", "RecargoMonto")
    )
    rate: Number | None = line.get(percent_tag)
    stated: int | None = line.get(amount_tag)
    if rate is None and stated is None:
        return 0
    if rate:
        amount = share(base, rate)
        if stated is not None and stated != amount:
            path = f"document.Detalle[{index}].{amount_tag}"
            findings.add("DTE-LIN-06", path, tag=amount_tag, stated=stated, computed=amount, rate=rate)
    else:
        line.pop(percent_tag, None)
        amount = stated or 0
    if amount:
        line[amount_tag] = amount
    else:
        line.pop(percent_tag, None)
        line.pop(amount_tag, None)
    return amount
