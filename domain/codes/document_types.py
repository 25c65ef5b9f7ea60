"""Types of documents: what the SII calls them, which ones FMgo issues, which ones notes may change.

Sources: SII, Formato DTE 2.5 (fields TipoDTE and TpoDocRef); SII, Formato Boletas 4.2; SiiTypes_v10.xsd.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["dte", "boleta"]
"""Which content model a document follows: that of DTE_v10.xsd or that of EnvioBOLETA_v11.xsd."""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One electronic type; `name` is the official one in Spanish."""

    code: int
    name: str
    family: Family
    issued: bool = False


INVOICE, EXEMPT_INVOICE = 33, 34
BOLETA, EXEMPT_BOLETA = 39, 41
PURCHASE_INVOICE, DISPATCH_GUIDE = 46, 52
DEBIT_NOTE, CREDIT_NOTE = 56, 61

DOCUMENT_TYPES: dict[int, DocumentType] = {
    kind.code: kind
    for kind in (
        DocumentType(33, "Factura Electrónica", "dte", issued=True),
        DocumentType(34, "Factura No Afecta o Exenta Electrónica", "dte"),
        DocumentType(39, "Boleta Electrónica", "boleta", issued=True),
        DocumentType(41, "Boleta No Afecta o Exenta Electrónica", "boleta"),
        DocumentType(43, "Liquidación Factura Electrónica", "dte"),
        DocumentType(46, "Factura de Compra Electrónica", "dte"),
        DocumentType(52, "Guía de Despacho Electrónica", "dte"),
        DocumentType(56, "Nota de Débito Electrónica", "dte"),
        DocumentType(61, "Nota de Crédito Electrónica", "dte", issued=True),
        DocumentType(110, "Factura de Exportación Electrónica", "dte"),
        DocumentType(111, "Nota de Débito de Exportación Electrónica", "dte"),
        DocumentType(112, "Nota de Crédito de Exportación Electrónica", "dte"),
    )
}
"""Every electronic type; `issued` says whether this version makes it."""

PAPER_TYPES = frozenset({29, 30, 32, 35, 38, 40, 45, 48, 50, 55, 60, 101, 102, 103, 104, 105, 106, 108, 109})
"""Tax documents on paper or of former times that a reference may name (SII, Formato DTE 2.5, TpoDocRef)."""

TAX_DOCUMENTS = frozenset(DOCUMENT_TYPES) | PAPER_TYPES
"""What a reference may name as a tax document: its folio is a number."""

OTHER_REFERENCES = frozenset({*range(801, 816), 820, 821, 822, 823})
"""Numeric codes of documents that aren't tax documents, e.g. 801 orden de compra (the same table)."""

CREDITED_TYPES = frozenset({33, 34, 39, 41, 43, 46, 56, 30, 32, 35, 38, 40, 45, 55})
"""What a nota de crédito may change; guías and export documents it may not (SII, Formato DTE 2.5, zone Referencia)."""

EXEMPT_TYPES = frozenset({34, 41, 32, 38})
"""Types without VAT: a note on one carries none (SII, Formato DTE 2.5)."""

BOLETA_TYPES = frozenset({39, 41, 35, 38})
"""Boletas, electronic and on paper: the buyer is usually nobody in particular."""

TEST_SET = "SET"
"""TpoDocRef of the SII's certification sets."""


def family_of(document_type: int) -> Family:
    """The content model of a type; unknown ones are read as DTE."""
    known = DOCUMENT_TYPES.get(document_type)
    return known.family if known else "dte"
