"""The tables of each type that FMgo issues, made ready once."""

from functools import cache

from domain.codes.document_types import family_of
from domain.format import boleta, dte
from domain.format.table import BOLETA_COLUMNS, DTE_COLUMNS, TypeRow, for_type


@cache
def format_of(document_type: int) -> TypeRow:
    """The table of a type; a type without one is read with that of the factura (33)."""
    if family_of(document_type) == "boleta":
        return for_type(boleta.DOCUMENT, document_type, BOLETA_COLUMNS)
    return for_type(dte.DOCUMENT, document_type if document_type in DTE_COLUMNS else 33, DTE_COLUMNS)
