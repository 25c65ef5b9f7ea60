"""Rules of documents that stand for somebody else: facturas de compra (46), liquidaciones (43), facturas to tourists.

Sources: SII, Formato DTE 2.5, fields CodImpAdic, TpoDocLiq, Comisiones and TipoFactEsp.
"""

from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.codes.document_types import CREDIT_NOTE, INVOICE, PURCHASE_INVOICE, SETTLEMENT, TAX_DOCUMENTS
from domain.codes.taxes import WITHHELD_TAXES
from domain.rules.rule import Rule, View
from domain.rut import FOREIGNER

ADVANCE = 99
"""TpoDocLiq of advances and other payments."""
TOURIST_COMMUNES = frozenset({"ARICA", "CAMARONES", "PUTRE", "GENERAL LAGOS"})
"""Where facturas to tourists are issued."""
NO_RUT = "Extranjero sin RUT"
"""RznSocRecep of a tourist."""

_FORMAT = "SII, Formato DTE 2.5"
_HEADER = "document.Encabezado"


def _keeps_nothing(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        codes = line.get("CodImpAdic", ())
        unreadable = codes is None or None in codes
        if "IndExe" not in line and not unreadable and not any(code in WITHHELD_TAXES for code in codes):
            yield f"document.Detalle[{index}].CodImpAdic", {}


def _unknown_settled(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        kind = line.get("TpoDocLiq")
        if kind is not None and not (kind.isdecimal() and int(kind) in TAX_DOCUMENTS | {ADVANCE}):
            yield f"document.Detalle[{index}].TpoDocLiq", {"type": kind}


def _no_commission(view: View) -> Iterator[Finding]:
    if not view.document.items("Comisiones"):
        yield "document.Comisiones", {}


def _tourist(view: View) -> Iterator[Finding]:
    if not view.id_doc.get("TipoFactEsp"):
        return
    receptor, emisor = view.document.receptor, view.document.emisor
    foreign = receptor.get("Extranjero") or {}
    path = f"{_HEADER}.Receptor"
    if view.receiver != FOREIGNER:
        yield f"{path}.RUTRecep", {"what": f"RUTRecep {FOREIGNER}"}
    if receptor.get("RznSocRecep") != NO_RUT:
        yield f"{path}.RznSocRecep", {"what": f"RznSocRecep “{NO_RUT}”"}
    for tag in ("NumId", "TipoDocID"):
        if tag not in foreign:
            yield f"{path}.Extranjero.{tag}", {"what": f"Extranjero with {tag}"}
    if str(emisor.get("CmnaOrigen", "")).upper() not in TOURIST_COMMUNES:
        yield f"{_HEADER}.Emisor.CmnaOrigen", {"what": "a CmnaOrigen of Arica, Camarones, Putre or General Lagos"}


RULES: tuple[Rule, ...] = (
    Rule(
        "COM-RET-01",
        "document.Detalle[].CodImpAdic",
        "State CodImpAdic, what VAT the buyer keeps: 15 all of it, a product's own code a part, 49 nothing of it.",
        _keeps_nothing,
        f"{_FORMAT}, table of withheld VAT; SII HED-2-300, HED-2-302; SII, FAQ 001.430.0296 (2025-05-14)",
        frozenset({PURCHASE_INVOICE}),
    ),
    Rule(
        "LIQ-DET-01",
        "document.Detalle[].TpoDocLiq",
        "Correct TpoDocLiq: {type} is no tax document; 99 stands for advances and others.",
        _unknown_settled,
        f"{_FORMAT}, field TpoDocLiq",
        frozenset({SETTLEMENT}),
    ),
    Rule(
        "LIQ-COM-01",
        "document.Comisiones",
        "Check Comisiones: a liquidación usually takes the commission off what was sold.",
        _no_commission,
        f"{_FORMAT}, zone Comisiones",
        frozenset({SETTLEMENT}),
        "warning",
    ),
    Rule(
        "TUR-FAC-01",
        f"{_HEADER}.Receptor",
        "State {what}: a factura to a tourist (TipoFactEsp 1) has it.",
        _tourist,
        f"{_FORMAT}, field TipoFactEsp",
        frozenset({INVOICE, CREDIT_NOTE}),
        profiles=("2026",),
    ),
)
