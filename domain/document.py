"""A document as the format's tags, read and completed: the shape in which it is calculated, judged and written.

The tags are kept as a tree of the official names rather than as a class a tag: the format tables are the model, and
what a table says needn't be said twice. `Document` gives the tree's rooms names and is what others get.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain.codes.document_types import SETTLEMENT, TAX_DOCUMENTS, WHOLLY_EXEMPT, Family, family_of
from domain.format.reading import Values
from domain.format.rendering import render_rows
from domain.format.table import Profile
from domain.format.types import format_of
from domain.money import unmistakable

PESOS = "PESO CL"
"""TpoMoneda of Chilean pesos, which have no decimals."""
FOREIGN_DECIMALS = 4
WITHOUT_CENTS = frozenset({"YEN", "GUARANI"})
"""Other currencies whose unit has no hundredth (ISO 4217)."""

_ANNULS = "1"
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_FOLIO = "\x00"  # stands for the folio until there is one; no text of a document can hold it


@dataclass(frozen=True, slots=True)
class Document:
    """A document of one type; `values` has the members of the job's `document`, completed and calculated."""

    type: int
    values: Values
    profile: Profile = "2019"

    @property
    def family(self) -> Family:
        """The content model that the document follows."""
        return family_of(self.type)

    @property
    def header(self) -> Values:
        """Encabezado."""
        return _group(self.values, "Encabezado")

    @property
    def id_doc(self) -> Values:
        """Encabezado/IdDoc."""
        return _group(self.header, "IdDoc")

    @property
    def emisor(self) -> Values:
        """Encabezado/Emisor."""
        return _group(self.header, "Emisor")

    @property
    def receptor(self) -> Values:
        """Encabezado/Receptor."""
        return _group(self.header, "Receptor")

    @property
    def totals(self) -> Values:
        """Encabezado/Totales."""
        return _group(self.header, "Totales")

    @property
    def exempt(self) -> bool:
        """Whether its lines are exempt without saying so."""
        return self.type in WHOLLY_EXEMPT

    @property
    def decimals(self) -> int:
        """Decimals that its amounts may have: none in pesos, up to four in another currency (SII, DTE_v10.xsd)."""
        if self.family != "exportaciones":
            return 0
        return 0 if self.totals.get("TpoMoneda") == PESOS else FOREIGN_DECIMALS

    @property
    def cents(self) -> int:
        """Decimals that its currency has itself, whatever its amounts may have."""
        return min(self.decimals, 0 if self.totals.get("TpoMoneda") in WITHOUT_CENTS else 2)

    def items(self, tag: str) -> list[tuple[int, Values]]:
        """The readable groups of a zone (Detalle, DscRcgGlobal, Referencia, …) with their place in the job's list."""
        return [(index, item) for index, item in enumerate(self.values.get(tag) or ()) if item is not None]

    def render(self, folio: int) -> str:
        """The inner text of `<Documento>` from `<Encabezado>` to the stamp, escaped and final."""
        values = {**self.values, "Encabezado": {**self.header, "IdDoc": {**self.id_doc, "Folio": _FOLIO}}}
        text = render_rows(format_of(self.type, self.profile), values)
        return text.replace(_FOLIO, str(folio), 1).rstrip("\n")

    def as_json(self) -> dict[str, Any]:
        """The tree with JSON's own kinds of values; figures with decimals become texts, exactly."""
        plain: dict[str, Any] = _plain(self.values)
        return plain


def changed_documents(document: Document) -> list[tuple[int, Values]]:
    """The references that name the tax documents which a document changes: those with a CodRef.

    No note annuls a liquidación: another one with amounts below zero does, which names it, with CodRef 1 or without
    (SII, FAQ 001.003.7335 of 2025-06-30).
    """
    if document.type == SETTLEMENT:
        below_zero = (document.totals.get("MntTotal") or 0) < 0
        return [
            (index, reference)
            for index, reference in document.items("Referencia")
            if below_zero and annuls_settlement(reference.get("TpoDocRef"), reference.get("CodRef"))
        ]
    return [
        (index, reference)
        for index, reference in document.items("Referencia")
        if reference.get("CodRef") is not None and type_referred(reference) in TAX_DOCUMENTS
    ]


def annuls_settlement(kind: object, code: object) -> bool:
    """Whether the reference of a liquidación below zero, by its TpoDocRef and CodRef, annuls the one that it names."""
    return str(kind) == str(SETTLEMENT) and str(code or _ANNULS) == _ANNULS


def type_referred(reference: Values) -> int | None:
    """TpoDocRef as a number, None when it is a commercial code of letters."""
    written = reference.get("TpoDocRef") or ""
    return int(written) if _DIGITS.fullmatch(written) else None


def folio_referred(reference: Values) -> int | None:
    """FolioRef as a number, None when it isn't one."""
    written = reference.get("FolioRef") or ""
    return int(written) if _DIGITS.fullmatch(written) else None


def changed_types(document: Document) -> frozenset[int | None]:
    """The types of the documents that a note changes."""
    return frozenset(type_referred(reference) for _, reference in changed_documents(document))


def _group(values: Values, tag: str) -> Values:
    group: Values | None = values.get(tag)
    return {} if group is None else group


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {tag: _plain(item) for tag, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return unmistakable(format(value, "f")) if isinstance(value, Decimal) else value
