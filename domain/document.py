"""A document as the format's tags, read and completed: the shape in which it is calculated, judged and written.

The tags are kept as a tree of the official names rather than as a class a tag: the format tables are the model, and
what a table says needn't be said twice. `Document` gives the tree's rooms names and is what others get.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain.codes.document_types import Family, family_of
from domain.format.reading import Values
from domain.format.rendering import render_rows
from domain.format.types import format_of

_FOLIO = "\x00"  # stands for the folio until there is one; no text of a document can hold it


@dataclass(frozen=True, slots=True)
class Document:
    """A document of one type; `values` has the members of the job's `document`, completed and calculated."""

    type: int
    values: Values

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

    def items(self, tag: str) -> list[tuple[int, Values]]:
        """The readable groups of a zone (Detalle, DscRcgGlobal, Referencia, …) with their place in the job's list."""
        return [(index, item) for index, item in enumerate(self.values.get(tag) or ()) if item is not None]

    def render(self, folio: int) -> str:
        """The inner text of `<Documento>` from `<Encabezado>` to the last `<Referencia>`, escaped and final."""
        values = {**self.values, "Encabezado": {**self.header, "IdDoc": {**self.id_doc, "Folio": _FOLIO}}}
        text = render_rows(format_of(self.type), values)
        return text.replace(_FOLIO, str(folio), 1).rstrip("\n")

    def as_json(self) -> dict[str, Any]:
        """The tree with JSON's own kinds of values; figures with decimals become texts, exactly."""
        plain: dict[str, Any] = _plain(self.values)
        return plain


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
    return format(value, "f") if isinstance(value, Decimal) else value
