"""One line: price times quantity, less its discount, plus its surcharge.

    B  = round(QtyItem × PrcItem)
    Ds = round(B × DescuentoPct ÷ 100), or DescuentoMonto
    Rc = round((B − Ds) × RecargoPct ÷ 100), or RecargoMonto
    MontoItem = B − Ds + Rc

The SII recomputes MontoItem the same way (reparo DET-2-200). Amounts are whole pesos; in another currency B has up to
four decimals, while discounts and surcharges are whole there too. What is stated there may be rounded to the currency's
own decimals, or hold the percentage to its last decimal: both were accepted. Source: SII, Formato DTE 2.5, zone B.
"""

from decimal import Decimal

from domain.calculation.findings import Findings
from domain.format.reading import Values
from domain.money import EXACT, LARGEST, LARGEST_FOREIGN, Number, product, rounded, share

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
CENTS = 2
"""Decimals of most currencies."""

_HUNDRED = Decimal(100)
_KINDS = (("DescuentoPct", "DescuentoMonto"), ("RecargoPct", "RecargoMonto"))


def calculate_line(
    line: Values, index: int, findings: Findings, decimals: int = 0, *, cents: int = CENTS, signed: bool = False
) -> None:
    """Complete a line with what follows from its figures; MontoItem is always set.

    `cents` are the decimals that the currency has where amounts may have more (`decimals`). `signed` lines, those of
    settlements, may take something off: then MontoItem is stated below 0.
    """
    if None in line.values() and any(line.get(tag, 0) is None for tag in ARITHMETIC):
        findings.complete = False
        return
    path = f"document.Detalle[{index}]"
    stated: Number | None = line.get("MontoItem")
    base = _base(line, path, findings, decimals)
    if base is None:
        return
    if signed and stated is not None and stated < 0 < base:
        base = -base
    rates = [None if line.get(part) else line.get(percent) for percent, part in _KINDS]
    discount = _part(line, base, *_KINDS[0], path, findings)
    surcharge = _part(line, base - discount, *_KINDS[1], path, findings)
    amount = base - discount + surcharge
    if decimals and stated is not None and stated != amount:
        amount = _as_stated(line, base, amount, rates, stated, (decimals, cents))
    if any(rates):
        way_out = "; to count its decimals, state MontoItem" if decimals else ""
        _tell_vanished(line, rates, amount, path, findings, way_out)
    if amount < 0 and not signed:
        findings.add("DTE-LIN-05", f"{path}.DescuentoMonto", discount=discount, base=base)
        amount = 0
    most = LARGEST_FOREIGN if decimals else LARGEST
    if not -most <= amount <= most:
        findings.add("DTE-LIN-08", f"{path}.PrcItem", amount="too many digits")
        findings.complete = False
        return
    if line.get("IndExe") in NOT_SOLD:
        amount = 0
    line["MontoItem"] = amount
    if stated is not None and stated != amount:
        leeway: Number = CORRECTABLE_FOREIGN if decimals else CORRECTABLE
        unit = "one cent" if decimals else "one peso"
        rule = "DTE-LIN-02" if -leeway <= stated - amount <= leeway else "DTE-LIN-01"
        findings.add(rule, f"{path}.MontoItem", stated=stated, computed=amount, unit=unit)


def _base(line: Values, path: str, findings: Findings, decimals: int) -> Number | None:
    """Quantity times price; a line without price has the amount that is stated for it. None when it is complete."""
    price: Number | None = line.get("PrcItem")
    quantity: Number | None = line.get("QtyItem")
    if price:
        if quantity is None:
            line["QtyItem"] = 1
            return product(1, price, decimals)
        if not quantity:
            findings.add("DTE-LIN-03", f"{path}.QtyItem")
        return product(quantity, price, decimals)
    if quantity == 0:
        del line["QtyItem"]
    if price is not None:
        del line["PrcItem"]
        return 0
    amount: Number = rounded(line.get("MontoItem") or 0, decimals)
    parts = [tag for tags in _KINDS for tag in tags if line.get(tag)]
    if not parts:
        return amount
    if not amount:
        findings.add("DTE-LIN-04", f"{path}.{parts[0]}")
        for tag in parts:
            del line[tag]
        return amount
    if line.get("IndExe") in NOT_SOLD:
        findings.add("DTE-LIN-01", f"{path}.MontoItem", stated=amount, computed=0)
    findings.add("DTE-LIN-10", f"{path}.{parts[0]}", stated=amount)
    _within(line, amount)
    line["MontoItem"] = amount
    return None


def _within(line: Values, amount: Number) -> None:
    """The discount and surcharge that are in the amount of a line without price, where a percentage says how much."""
    for percent_tag, amount_tag in reversed(_KINDS):
        rate, part = Decimal(line.get(percent_tag) or 0), line.get(amount_tag)
        sign = 1 if amount_tag == "RecargoMonto" else -1
        whole = _HUNDRED + sign * rate
        if not rate:
            line.pop(percent_tag, None)
        elif part is None and whole:
            part = int(rounded(EXACT.divide(EXACT.multiply(Decimal(amount), rate), whole), 0))
        if part:
            line[amount_tag] = part
        else:
            line.pop(amount_tag, None)
        amount -= sign * (part or 0)


def _part(line: Values, base: Number, percent_tag: str, amount_tag: str, path: str, findings: Findings) -> int:
    """A line's discount or surcharge; both its tags go or none does, and an amount of 0 isn't written."""
    rate: Number | None = line.get(percent_tag)
    stated: int | None = line.get(amount_tag)
    if rate is None and stated is None:
        return 0
    if rate:
        amount = int(share(base, rate))
        if stated is not None and stated != amount:
            figures = {"tag": amount_tag, "percent": percent_tag, "stated": stated, "computed": amount, "rate": rate}
            findings.add("DTE-LIN-06", f"{path}.{amount_tag}", **figures)
            amount = stated
    else:
        line.pop(percent_tag, None)
        amount = stated or 0
    if amount:
        line[amount_tag] = amount
    else:
        line.pop(percent_tag, None)
        line.pop(amount_tag, None)
    return amount


def _as_stated(
    line: Values,
    base: Number,
    amount: Number,
    rates: list[Number | None],
    stated: Number,
    places: tuple[int, int],
) -> Number:
    """What is stated in another currency, if it is the line's amount in one of the ways that were accepted."""
    if stated in (rounded(amount, place) for place in places):
        return stated
    exact = base
    for (_, amount_tag), rate in zip(_KINDS, rates, strict=True):
        part = share(exact, rate, places[0]) if rate else line.get(amount_tag) or 0
        exact += part if amount_tag == "RecargoMonto" else -part
    if stated not in (rounded(exact, place) for place in places):
        return amount
    for (percent_tag, amount_tag), rate in zip(_KINDS, rates, strict=True):
        if rate:
            line[percent_tag] = rate
            line.pop(amount_tag, None)
    return stated


def _tell_vanished(
    line: Values, rates: list[Number | None], amount: Number, path: str, findings: Findings, hint: str
) -> None:
    """Tell of percentages that come to nothing and so aren't in the document."""
    for (percent_tag, _), rate in zip(_KINDS, rates, strict=True):
        if rate and percent_tag not in line:
            findings.add("DTE-LIN-11", f"{path}.{percent_tag}", tag=percent_tag, rate=rate, computed=amount, hint=hint)
