"""The tables of each type, made ready once for each profile."""

from functools import cache

from domain.codes.document_types import Family, family_of
from domain.format import boleta, dte, exportaciones, liquidacion
from domain.format.table import BOLETA_COLUMNS, DTE_COLUMNS, PROFILES, Group, Profile, TypeRow, for_type

TABLES: dict[Family, Group] = {
    "dte": dte.DOCUMENT,
    "liquidacion": liquidacion.DOCUMENT,
    "exportaciones": exportaciones.DOCUMENT,
    "boleta": boleta.DOCUMENT,
}
"""The table of each content model."""


@cache
def places_of(document_type: int, profile: Profile = "2019") -> dict[str, tuple[str, ...]]:
    """Where each tag of a type stands: the paths of the groups that have it, the document's own being empty."""
    found: dict[str, tuple[str, ...]] = {}
    _gather(format_of(document_type, profile), "", found)
    return found


@cache
def every_tag() -> frozenset[str]:
    """The tags of all types."""
    types = (33, 43, 110, *BOLETA_COLUMNS)
    return frozenset(tag for each in types for profile in PROFILES for tag in places_of(each, profile))


def _gather(row: TypeRow, path: str, found: dict[str, tuple[str, ...]]) -> None:
    for tag, child in (row.rows or {}).items():
        if not child.forbidden:
            found[tag] = (*found.get(tag, ()), path)
            _gather(child, f"{path}.{tag}".removeprefix("."), found)
        else:
            found.setdefault(tag, ())


@cache
def format_of(document_type: int, profile: Profile = "2019") -> TypeRow:
    """The table of a type; a type without one is read with that of the factura (33)."""
    family = family_of(document_type)
    if family == "boleta":
        return for_type(TABLES[family], document_type, BOLETA_COLUMNS, profile)
    return for_type(TABLES[family], document_type if document_type in DTE_COLUMNS else 33, DTE_COLUMNS, profile)
