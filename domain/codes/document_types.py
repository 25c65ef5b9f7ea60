"""Types of documents: what the SII calls them, which ones FMgo issues, which ones notes may change.

Sources: SII, Formato DTE 2.5 (fields TipoDTE and TpoDocRef); SII, Formato Boletas 4.2; SiiTypes_v10.xsd.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["dte", "liquidacion", "exportaciones", "boleta"]
"""Which content model a document follows: Documento, Liquidacion or Exportaciones of DTE_v10.xsd, or Documento of
EnvioBOLETA_v11.xsd."""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One electronic type; `name` is the official one in Spanish."""

    code: int
    name: str
    family: Family
    issued: bool = True


INVOICE, EXEMPT_INVOICE = 33, 34
BOLETA, EXEMPT_BOLETA = 39, 41
SETTLEMENT, PURCHASE_INVOICE, DISPATCH_GUIDE = 43, 46, 52
DEBIT_NOTE, CREDIT_NOTE = 56, 61
EXPORT_INVOICE, EXPORT_DEBIT_NOTE, EXPORT_CREDIT_NOTE = 110, 111, 112

DOCUMENT_TYPES: dict[int, DocumentType] = {
    kind.code: kind
    for kind in (
        DocumentType(33, "Factura Electrónica", "dte"),
        DocumentType(34, "Factura No Afecta o Exenta Electrónica", "dte"),
        DocumentType(39, "Boleta Electrónica", "boleta"),
        DocumentType(41, "Boleta No Afecta o Exenta Electrónica", "boleta"),
        DocumentType(43, "Liquidación Factura Electrónica", "liquidacion"),
        DocumentType(46, "Factura de Compra Electrónica", "dte"),
        DocumentType(52, "Guía de Despacho Electrónica", "dte"),
        DocumentType(56, "Nota de Débito Electrónica", "dte"),
        DocumentType(61, "Nota de Crédito Electrónica", "dte"),
        DocumentType(110, "Factura de Exportación Electrónica", "exportaciones"),
        DocumentType(111, "Nota de Débito de Exportación Electrónica", "exportaciones"),
        DocumentType(112, "Nota de Crédito de Exportación Electrónica", "exportaciones"),
    )
}
"""Every electronic type; `issued` says whether this version makes it."""

PAPER_TYPES = frozenset({29, 30, 32, 35, 38, 40, 45, 48, 50, 55, 60, 101, 102, 103, 104, 105, 106, 108, 109})
"""Tax documents on paper or of former times that a reference may name (SII, Formato DTE 2.5, TpoDocRef)."""

TAX_DOCUMENTS = frozenset(DOCUMENT_TYPES) | PAPER_TYPES
"""What a reference may name as a tax document: its folio is a number."""

OTHER_REFERENCES = frozenset({*range(801, 816), 820, 821, 822, 823})
"""Numeric codes of documents that aren't tax documents, e.g. 801 orden de compra (the same table)."""

NOTES = frozenset({DEBIT_NOTE, CREDIT_NOTE, EXPORT_DEBIT_NOTE, EXPORT_CREDIT_NOTE})
"""Documents that change others."""
CREDIT_NOTES = frozenset({CREDIT_NOTE, EXPORT_CREDIT_NOTE})
"""Notes that take something off."""
EXPORTS = frozenset({EXPORT_INVOICE, EXPORT_DEBIT_NOTE, EXPORT_CREDIT_NOTE})

CHANGEABLE: dict[int, frozenset[int]] = {
    CREDIT_NOTE: frozenset({33, 34, 39, 41, 43, 46, 56, 30, 32, 35, 38, 40, 45, 55}),
    DEBIT_NOTE: frozenset({33, 34, 43, 46, 61, 30, 32, 40, 45, 60}),
    EXPORT_CREDIT_NOTE: frozenset({110, 111, 101, 104}),
    EXPORT_DEBIT_NOTE: frozenset({110, 112, 101, 106}),
}
"""What each note may change; guías none of them (SII, Formato DTE 2.5, zone Referencia; REF-3-415)."""

ANNULLED_BY_DEBIT: dict[int, frozenset[int]] = {
    DEBIT_NOTE: frozenset({61, 60}),
    EXPORT_DEBIT_NOTE: frozenset({112, 106}),
}
"""All that a debit note may annul (CodRef 1): a credit note (SII, Formato DTE 2.5, field CodRef)."""

EXEMPT_TYPES = frozenset({34, 41, 32, 38})
"""Types without VAT: a note on one carries none (SII, Formato DTE 2.5)."""

WHOLLY_EXEMPT = frozenset({EXEMPT_INVOICE, EXEMPT_BOLETA}) | EXPORTS
"""Types whose lines are exempt without saying so."""

PURCHASES = frozenset({PURCHASE_INVOICE, 45})
"""Facturas de compra, where the buyer issues and keeps VAT."""

BOLETA_TYPES = frozenset({39, 41, 35, 38})
"""Boletas, electronic and on paper: the buyer is usually nobody in particular."""

TEST_SET = "SET"
"""TpoDocRef of the SII's certification sets."""


def family_of(document_type: int) -> Family:
    """The content model of a type; unknown ones are read as DTE."""
    known = DOCUMENT_TYPES.get(document_type)
    return known.family if known else "dte"
