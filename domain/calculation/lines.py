"""One line: price times quantity, less its discount, plus its surcharge.

    B  = round(QtyItem × PrcItem)
    Ds = round(B × DescuentoPct ÷ 100), or DescuentoMonto
    Rc = round((B − Ds) × RecargoPct ÷ 100), or RecargoMonto
    MontoItem = B − Ds + Rc

The SII recomputes MontoItem the same way (reparo DET-2-200). Amounts are whole pesos; in another currency B has up to
four decimals, while discounts and surcharges are whole there too. Source: SII, Formato DTE 2.5, zone B.
"""

from decimal import Decimal

from domain.calculation.findings import Findings
from domain.format.reading import Values
from domain.money import LARGEST, LARGEST_FOREIGN, Number, product, rounded, share

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
CORRECTABLE_FOREIGN = Decimal("0.01")
"""The same in another currency."""


def calculate_line(line: Values, index: int, findings: Findings, decimals: int = 0, *, signed: bool = False) -> None:
    """Complete a line with what follows from its figures; MontoItem is always set.

    `signed` lines, those of settlements, may take something off: then MontoItem is stated below 0.
    """
    if None in line.values() and any(line.get(tag, 0) is None for tag in ARITHMETIC):
        findings.complete = False
        return
    stated: Number | None = line.get("MontoItem")
    base = _base(line, index, findings, decimals)
    if signed and stated is not None and stated < 0 < base:
        base = -base
    discount = _part(line, base, "Descuento", index, findings)
    surcharge = _part(line, base - discount, "Recargo", index, findings)
    amount = base - discount + surcharge
    if amount < 0 and not signed:
        path = f"document.Detalle[{index}].DescuentoMonto"
        findings.add("DTE-LIN-05", path, discount=discount, base=base)
        amount = 0
    most = LARGEST_FOREIGN if decimals else LARGEST
    if not -most <= amount <= most:
        findings.add("DTE-LIN-08", f"document.Detalle[{index}].PrcItem", amount="too many digits")
        findings.complete = False
        return
    if line.get("IndExe") in NOT_SOLD:
        amount = 0
    line["MontoItem"] = amount
    if stated is not None and stated != amount:
        leeway: Number = CORRECTABLE_FOREIGN if decimals else CORRECTABLE
        rule = "DTE-LIN-02" if -leeway <= stated - amount <= leeway else "DTE-LIN-01"
        findings.add(rule, f"document.Detalle[{index}].MontoItem", stated=stated, computed=amount)


def _base(line: Values, index: int, findings: Findings, decimals: int) -> Number:
    """Quantity times price; a line without price has the amount that is stated for it."""
    price: Number | None = line.get("PrcItem")
    quantity: Number | None = line.get("QtyItem")
    if price:
        if quantity is None:
            line["QtyItem"] = 1
            return product(1, price, decimals)
        if not quantity:
            findings.add("DTE-LIN-03", f"document.Detalle[{index}].QtyItem")
        return product(quantity, price, decimals)
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
    return rounded(line.get("MontoItem") or 0, decimals)


def _part(line: Values, base: Number, kind: str, index: int, findings: Findings) -> int:
    """A line's discount or surcharge; both its tags go or none does, and an amount of 0 isn't written."""
    percent_tag, amount_tag = (
        ("DescuentoPct", "DescuentoMonto") if kind == "Descuento" else ("RecargoPct", "RecargoMonto")
    )
    rate: Number | None = line.get(percent_tag)
    stated: int | None = line.get(amount_tag)
    if rate is None and stated is None:
        return 0
    if rate:
        amount = int(share(base, rate))
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
