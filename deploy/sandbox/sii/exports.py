"""What is examined in export documents (110, 111, 112): their own currency, the pesos beside it, and customs data.

Amounts have up to four decimals, totals may be rounded to cents; in pesos they are whole. Sources: SII, Formato DTE,
zones Totales, OtraMoneda and Aduana; codes of real answers.
"""

from collections.abc import Iterator
from decimal import Decimal

from deploy.sandbox.sii.amounts import EXPORTS, PESOS, amount_of, class_sums, number, rounded
from deploy.sandbox.sii.reading import Element, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding

_INVOICE = 110
_FOREIGNER = "55555555-5"
_UNPAID = "21"
_CONTAINERS = frozenset({"73", "74", "75", "76", "77", "78"})
_SERVICES = frozenset({"3", "4", "5", "6"})
_CENT = Decimal("0.01")


def export_findings(body: Element, document_type: int) -> list[Finding]:
    """The findings about an export document's body; other documents have none."""
    totals = find(body, "Encabezado/Totales")
    if document_type not in EXPORTS or totals is None:
        return []
    return [
        *_totals(body, totals, document_type),
        *_pesos(body, totals),
        *_receiver(body),
        *_customs(body, document_type),
    ]


def _is_unpaid(body: Element) -> bool:
    return text_of(body, "Encabezado/IdDoc/FmaPagExp") == _UNPAID


def _totals(body: Element, totals: Element, document_type: int) -> Iterator[Finding]:
    exempt, total = amount_of(totals, "MntExe"), amount_of(totals, "MntTotal")
    expected = Decimal(0) if _is_unpaid(body) else class_sums(body, document_type).get("exempt", Decimal(0))
    if exempt not in {expected, rounded(expected, _CENT)}:
        yield Finding("HED-2-220", f"Monto Exento No Cuadra con el Detalle [{exempt} <> {expected}]")
    if total != exempt:
        yield Finding("HED-2-260", f"Monto Total No Cuadra [{total} <> {exempt}]")


def _pesos(body: Element, totals: Element) -> Iterator[Finding]:
    other = find(body, "Encabezado/OtraMoneda")
    if other is None or text_of(other, "TpoMoneda") != PESOS:
        yield Finding("HED-3-834", "Falta Otra Moneda en Pesos")
        return
    for own, tag in (("MntExe", "MntExeOtrMnda"), ("MntTotal", "MntTotOtrMnda")):
        stated = number(text_of(other, tag))
        if _is_unpaid(body) and stated:
            yield Finding("HED-1-803", f"{tag} Debe Ser Cero (Sin Pago)")
        expected = rounded(amount_of(totals, own) * amount_of(other, "TpoCambio"))
        if not _is_unpaid(body) and (stated is None or abs(stated - expected) >= 1):
            yield Finding("HED-2-999", f"{tag} Distinto a Monto * Tipo de Cambio [{stated} <> {expected}]")


def _receiver(body: Element) -> Iterator[Finding]:
    if text_of(body, "Encabezado/Receptor/RUTRecep") != _FOREIGNER:
        yield Finding("HED-3-999", "RUT Receptor de Exportacion Debe Ser 55555555-5")
    if not text_of(body, "Encabezado/Receptor/Extranjero/Nacionalidad"):
        yield Finding("HED-2-804", "Falta Nacionalidad del Receptor Extranjero")


def _customs(body: Element, document_type: int) -> Iterator[Finding]:
    """Goods leave with customs data; packages say their marks, containers their seal."""
    aduana = find(body, "Encabezado/Transporte/Aduana")
    if document_type == _INVOICE and text_of(body, "Encabezado/IdDoc/IndServicio") not in _SERVICES:
        for tag in ("CodModVenta", "CodClauVenta", "TotClauVenta", "CodViaTransp", "TotBultos", "CodPaisRecep"):
            if aduana is None or not text_of(aduana, tag):
                yield Finding("HED-2-804", f"Falta {tag}")
    for package in [] if aduana is None else find_all(aduana, "TipoBultos"):
        sealed = text_of(package, "CodTpoBultos") in _CONTAINERS
        for tag in ("IdContainer", "Sello", "EmisorSello") if sealed else ("Marcas",):
            if not text_of(package, tag):
                yield Finding("HED-2-804", f"Falta {tag} del Bulto")
