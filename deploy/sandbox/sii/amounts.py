"""Whether a document's amounts add up: lines, VAT, total.

Pesos are whole; halves are rounded away from zero (SII, Formato DTE). Documents with further taxes, retentions,
deposits or commissions have a longer sum; for those only lines and VAT are examined.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from deploy.sandbox.sii.reading import Element, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding

_BOLETA_AFECTA = 39
_BOLETAS = frozenset({39, 41})
_EXPORTS = frozenset({110, 111, 112})
_RATE = Decimal(19)
_LONGER_SUM = ("ImptoReten", "IVANoRet", "CredEC", "GrntDep", "Comisiones", "IVAProp")


def amount_findings(body: Element, document_type: int) -> list[Finding]:
    """The findings about amounts of a document's body; exports, in foreign currency, have none here."""
    totals = find(body, "Encabezado/Totales")
    if totals is None or document_type in _EXPORTS:
        return []
    return [*_lines(body), *_vat(body, totals, document_type), *_total(totals)]


def whole(text: str) -> int | None:
    """Pesos from text, without their decimals; None when there is no number."""
    number = _decimal(text)
    return None if number is None else int(number)


def _lines(body: Element) -> list[Finding]:
    found = []
    for line in find_all(body, "Detalle"):
        quantity, price = _decimal(text_of(line, "QtyItem")), _decimal(text_of(line, "PrcItem"))
        stated = _decimal(text_of(line, "MontoItem"))
        if price is None or quantity is None or stated is None:
            continue
        less, more = (_decimal(text_of(line, tag)) or Decimal(0) for tag in ("DescuentoMonto", "RecargoMonto"))
        expected = _rounded(quantity * price) - less + more
        if stated != expected:
            text = f"Valor Detalle Distinto a Precio * Cantidad [{stated} <> {expected}]"
            found.append(Finding("DET-1-200", f"L[{text_of(line, 'NroLinDet')}] {text}"))
    return found


def _vat(body: Element, totals: Element, document_type: int) -> list[Finding]:
    net, vat = _decimal(text_of(totals, "MntNeto")), _decimal(text_of(totals, "IVA"))
    rate = _decimal(text_of(totals, "TasaIVA"))
    if document_type == _BOLETA_AFECTA:
        rate = _RATE
    if net is None or vat is None or rate is None:
        return []
    gross = document_type in _BOLETAS or text_of(body, "Encabezado/IdDoc/MntBruto") == "1"
    if abs(vat - _rounded(net * rate / 100)) <= (1 if gross else 0):
        return []
    return [Finding("HED-2-302", f"IVA Distinto a Neto * Tasa [{vat} <> {_rounded(net * rate / 100)}]")]


def _total(totals: Element) -> list[Finding]:
    net, exempt = _decimal(text_of(totals, "MntNeto")), _decimal(text_of(totals, "MntExe"))
    if any(find(totals, tag) is not None for tag in _LONGER_SUM) or (net is None and exempt is None):
        return []
    parts = (net, exempt, _decimal(text_of(totals, "IVA")))
    expected = sum((part for part in parts if part is not None), Decimal(0))
    stated = _decimal(text_of(totals, "MntTotal"))
    if stated == expected:
        return []
    return [Finding("HED-3-211", f"Monto Total No Cuadra [{stated} <> {expected}]")]


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1), ROUND_HALF_UP)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
