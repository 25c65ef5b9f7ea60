"""Whether a document's amounts in pesos add up: lines, their classes, VAT, taxes, commissions, total.

Pesos are whole; halves are rounded away from zero. What the types have of their own: a factura de compra (46) and
notes on one take withheld VAT off, a liquidación (43) its commissions and may be below zero when it annuls another, a
guía (52) that is no sale may come to nothing, a boleta has taxes of its own only in its subtotals (SubTotAdicSTI). A
specific tax on fuel below zero is written as 1 while the format knows no sign, its true amount at the end of the
line's DscItem (SII, FAQ 001.003.8044). Taxes are examined in `taxes`, export documents in `exports`. Sources: SII,
Formato DTE, fields of Totales; the codes are those of real answers (HED-3-211 for the plain sum, HED-2-260 where
taxes, deposits, credits or commissions are part of it); where none is known, 999 stands for it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from deploy.sandbox.sii.reading import Element, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding

EXPORTS = frozenset({110, 111, 112})
PESOS = "PESO CL"
_BOLETA_AFECTA = 39
_BOLETAS = frozenset({39, 41})
SETTLEMENT, PURCHASE = 43, 46
_WHOLLY_EXEMPT = frozenset({34, 41}) | EXPORTS
_SALES = frozenset({"1", "9"})  # IndTraslado of guías with prices
_RATE = Decimal(19)
_FOREIGN = Decimal("0.0001")
_FOREIGN_UNITS = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"), _FOREIGN)
FUELS = frozenset({"28", "35", "51", "52"})
_BELOW_ZERO = re.compile(r"negativo de\s*\$?\s*(\d[\d.]*)\s*\.?\s*$", re.IGNORECASE)

# IndExe of lines, and the class whose sum they are part of.
_CLASSES = {"1": "exempt", "2": "apart", "6": "apart", "3": "deposit", "4": "nothing", "5": "nothing"}
_GLOBAL_CLASSES = {"1": "exempt", "2": "apart"}

_ONE_PESO = Decimal(1)

# VAT that the buyer keeps: all of it, or part of it (SII, table of additional taxes and retentions).
WHOLE_VAT = frozenset({"15", "31", "38", "39", "41", "46", "47", "301", "321", "331", "341", "361", "371", "481"})
WITHHELD = WHOLE_VAT | {"30", "32", "33", "34", "36", "37", "48", "49"}


def amount_findings(body: Element, document_type: int) -> list[Finding]:
    """The findings about the totals of a document's body in pesos; exports have theirs elsewhere."""
    totals = find(body, "Encabezado/Totales")
    if totals is None or document_type in EXPORTS:
        return []
    sums = class_sums(body, document_type)
    return [
        *_classes(body, totals, sums, document_type),
        *_vat(body, totals, document_type),
        *_commissions(totals, body, document_type),
        *_total(body, totals, document_type),
        *_period(totals, sums, document_type),
    ]


def number(text: str) -> Decimal | None:
    """A figure; None when there is none."""
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is None or value.is_finite() else None


def figure(text: str) -> int | Decimal | None:
    """An amount as it is kept: whole where it is whole; None when there is none."""
    value = number(text)
    return int(value) if value is not None and value == value.to_integral_value() else value


def rounded(value: Decimal, unit: Decimal = _ONE_PESO) -> Decimal:
    """The nearest multiple of `unit`, halves away from zero."""
    return value.quantize(unit, ROUND_HALF_UP)


def amount_of(element: Element, path: str) -> Decimal:
    """The amount at a path, 0 where there is none."""
    return number(text_of(element, path)) or Decimal(0)


def line_findings(body: Element, document_type: int) -> list[Finding]:
    """Lines whose amount isn't price by quantity less discount plus surcharge.

    In whole pesos; in the currency of an export to any of its four decimals.
    """
    foreign = document_type in EXPORTS and text_of(body, "Encabezado/Totales/TpoMoneda") != PESOS
    found = []
    for line in find_all(body, "Detalle"):
        quantity, price = number(text_of(line, "QtyItem")), number(text_of(line, "PrcItem"))
        stated = number(text_of(line, "MontoItem"))
        if price is None or quantity is None or stated is None:
            continue
        if not stated and (text_of(line, "IndExe") in {"4", "5"} or _is_free(body)):
            continue
        expected = _foreign_amounts(line, quantity * price) if foreign else [_peso_amount(line, quantity * price)]
        if stated not in expected:
            text = f"Valor Detalle Distinto a Precio * Cantidad [{stated} <> {expected[-1]}]"
            found.append(Finding("DET-1-200", f"L[{text_of(line, 'NroLinDet')}] {text}"))
    return found


def _peso_amount(line: Element, product: Decimal) -> Decimal:
    return rounded(product) - amount_of(line, "DescuentoMonto") + amount_of(line, "RecargoMonto")


def _foreign_amounts(line: Element, product: Decimal) -> list[Decimal]:
    """What a line in an export's currency may come to.

    Its discounts and surcharges are whole amounts in the schema; 94 and ten per cent was accepted as 103.4, 14 and five
    per cent as 15 (certifications of 2026). So the percentage may stand for the amount, and any rounding will do.
    """
    less, more = amount_of(line, "DescuentoMonto"), amount_of(line, "RecargoMonto")
    exact = product * (1 - amount_of(line, "DescuentoPct") / 100 + amount_of(line, "RecargoPct") / 100)
    return [rounded(value, unit) for value in (exact, product - less + more) for unit in _FOREIGN_UNITS]


def class_sums(body: Element, document_type: int) -> dict[str, Decimal]:
    """Sums of the lines by class (taxable, exempt, apart, deposit), after the global discounts and surcharges."""
    plain = "exempt" if document_type in _WHOLLY_EXEMPT else "taxable"
    unit, stated_unit = (_FOREIGN, Decimal("0.01")) if document_type in EXPORTS else (_ONE_PESO, _ONE_PESO)
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in find_all(body, "Detalle"):
        mark = text_of(line, "IndExe")
        sign = -1 if mark == "6" else 1
        sums[_CLASSES.get(mark, plain)] += sign * amount_of(line, "MontoItem")
    for change in find_all(body, "DscRcgGlobal"):
        name = _GLOBAL_CLASSES.get(text_of(change, "IndExeDR"), plain)
        value = amount_of(change, "ValorDR")
        share = rounded(sums[name] * value / 100, unit) if text_of(change, "TpoValor") == "%" else None
        sums[name] += (1 if text_of(change, "TpoMov") == "R" else -1) * (
            rounded(value, stated_unit) if share is None else share
        )
    return sums


def taxes_of_subtotals(body: Element) -> Decimal:
    """Additional taxes that a boleta states in its subtotals: its lines and totals have no place for them."""
    return sum((amount_of(one, "SubTotAdicSTI") for one in find_all(body, "SubTotInfo")), Decimal(0))


def true_amount(body: Element, tax: Element) -> Decimal:
    """The amount of a tax: MontoImp, or what the lines' DscItem says is below zero where MontoImp is 1 for it."""
    stated, code = amount_of(tax, "MontoImp"), text_of(tax, "TipoImp")
    if code not in FUELS or stated != 1:
        return stated
    below = [
        Decimal(found.group(1).replace(".", ""))
        for line in find_all(body, "Detalle")
        if code in {(one.text or "").strip() for one in find_all(line, "CodImpAdic")}
        and (found := _BELOW_ZERO.search(text_of(line, "DscItem"))) is not None
    ]
    return -sum(below, Decimal(0)) if below else stated


def _is_free(body: Element) -> bool:
    """Whether a guía moves goods without selling them: its lines may show prices and come to nothing."""
    motive = text_of(body, "Encabezado/IdDoc/IndTraslado")
    return bool(motive) and motive not in _SALES


def is_gross(body: Element, document_type: int) -> bool:
    """Whether the lines' amounts hold the VAT."""
    if document_type in _BOLETAS:
        return text_of(body, "Encabezado/IdDoc/IndMntNeto") != "2"
    return text_of(body, "Encabezado/IdDoc/MntBruto") == "1"


def _classes(body: Element, totals: Element, sums: dict[str, Decimal], document_type: int) -> Iterator[Finding]:
    if _is_free(body) and not amount_of(totals, "MntTotal"):
        return
    exempt, taxable = sums.get("exempt", Decimal(0)), sums.get("taxable", Decimal(0))
    net, vat = amount_of(totals, "MntNeto"), amount_of(totals, "IVA")
    if amount_of(totals, "MntExe") != exempt:
        text = f"Monto Exento No Cuadra con el Detalle [{amount_of(totals, 'MntExe')} <> {exempt}]"
        yield Finding("HED-2-220", text)
    if vat and not net:
        yield Finding("HED-2-223", "Monto Neto Debe Ser Mayor a Cero")
    if taxable and not net:
        yield Finding("HED-1-232", "Detalle Afecto sin Monto Neto")
        return
    gross = is_gross(body, document_type)
    without = taxable - taxes_of_subtotals(body)
    expected = rounded(without / (1 + _rate(totals, document_type) / 100)) if gross else without
    if net != expected:
        yield Finding("HED-2-999", f"Monto Neto No Cuadra con el Detalle [{net} <> {expected}]")
    if amount_of(totals, "GrntDep") != sums.get("deposit", Decimal(0)):
        yield Finding("HED-2-999", "Garantia por Deposito de Envases No Cuadra con el Detalle")


def _rate(totals: Element, document_type: int) -> Decimal:
    return _RATE if document_type == _BOLETA_AFECTA else amount_of(totals, "TasaIVA")


def _vat(body: Element, totals: Element, document_type: int) -> Iterator[Finding]:
    net, vat = number(text_of(totals, "MntNeto")), number(text_of(totals, "IVA"))
    rate = _rate(totals, document_type)
    if net is None or vat is None or not rate:
        return
    if abs(vat - rounded(net * rate / 100)) > (1 if is_gross(body, document_type) else 0):
        yield Finding("HED-2-302", f"IVA Distinto a Neto * Tasa [{vat} <> {rounded(net * rate / 100)}]")
    if document_type == SETTLEMENT and find(totals, "IVAProp") is not None:
        parts = amount_of(totals, "IVAProp") + amount_of(totals, "IVATerc")
        if parts != vat:
            yield Finding("HED-2-999", f"IVA Propio y de Terceros No Suman el IVA [{parts} <> {vat}]")


def _commissions(totals: Element, body: Element, document_type: int) -> Iterator[Finding]:
    lines = find_all(body, "Comisiones")
    if (lines or find(totals, "Comisiones") is not None) and document_type not in {SETTLEMENT, PURCHASE, 56, 61}:
        yield Finding("HED-2-999", "Comisiones No Corresponden al Tipo de Documento")
    for tag in ("ValComNeto", "ValComExe", "ValComIVA"):
        expected = sum((amount_of(line, tag) for line in lines), Decimal(0))
        stated = amount_of(totals, f"Comisiones/{tag}")
        if stated != expected:
            yield Finding("HED-2-999", f"{tag} No Cuadra con las Comisiones [{stated} <> {expected}]")


def _total(body: Element, totals: Element, document_type: int) -> Iterator[Finding]:
    stated = amount_of(totals, "MntTotal")
    if not stated and _is_free(body):
        return
    plain = sum((amount_of(totals, tag) for tag in ("MntNeto", "MntExe", "IVA")), Decimal(0))
    further = amount_of(totals, "GrntDep") - amount_of(totals, "CredEC") + taxes_of_subtotals(body)
    for tax in find_all(totals, "ImptoReten"):
        kept = text_of(tax, "TipoImp") in WITHHELD
        further += (-1 if kept else 1) * true_amount(body, tax)
    for tag in ("ValComNeto", "ValComExe", "ValComIVA"):
        further -= amount_of(totals, f"Comisiones/{tag}")
    longer = any(find(totals, tag) is not None for tag in ("ImptoReten", "GrntDep", "CredEC", "Comisiones"))
    expected = plain + further
    if stated != expected:
        code = "HED-2-260" if longer else "HED-3-211"
        yield Finding(code, f"Monto Total No Cuadra [{stated} <> {expected}]")
    if document_type in _WHOLLY_EXEMPT and plain != amount_of(totals, "MntExe"):
        yield Finding("HED-2-223", "Documento Exento con Neto o IVA")


def _period(totals: Element, sums: dict[str, Decimal], document_type: int) -> Iterator[Finding]:
    """Amounts that aren't part of the sale: MontoPeriodo (TotalPeriodo of boletas) is the total with them."""
    apart = sums.get("apart", Decimal(0))
    if document_type != SETTLEMENT and amount_of(totals, "MontoNF") != apart:
        yield Finding("HED-2-999", f"Monto No Facturable No Cuadra [{amount_of(totals, 'MontoNF')} <> {apart}]")
    stated = number(text_of(totals, "TotalPeriodo" if document_type in _BOLETAS else "MontoPeriodo"))
    expected = amount_of(totals, "MntTotal") + apart
    if stated is not None and stated != expected:
        yield Finding("HED-3-265", f"Monto Periodo No Cuadra [{stated} <> {expected}]")
