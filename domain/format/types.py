"""The tables of each type, made ready once for each profile."""

from functools import cache

from domain.codes.document_types import Family, family_of
from domain.format import boleta, dte, exportaciones, liquidacion
from domain.format.table import BOLETA_COLUMNS, DTE_COLUMNS, Group, Profile, TypeRow, for_type

TABLES: dict[Family, Group] = {
    "dte": dte.DOCUMENT,
    "liquidacion": liquidacion.DOCUMENT,
    "exportaciones": exportaciones.DOCUMENT,
    "boleta": boleta.DOCUMENT,
}
"""The table of each content model."""


@cache
def format_of(document_type: int, profile: Profile = "2019") -> TypeRow:
    """The table of a type; a type without one is read with that of the factura (33)."""
    family = family_of(document_type)
    if family == "boleta":
        return for_type(TABLES[family], document_type, BOLETA_COLUMNS, profile)
    return for_type(TABLES[family], document_type if document_type in DTE_COLUMNS else 33, DTE_COLUMNS, profile)
