"""Rules of places: communes are those of Chile's list.

The SII refuses no name that it doesn't know (the schema takes any text, the format asks only that it be there),
so it is a warning. The SII's list misspells some and lacks a few: official and usual spellings are taken beside it.
Sources: SII, direcciones regionales y unidades; Subdere, Código Único Territorial; Formato DTE 2.5, fields Cmna….
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from domain.calculation.findings import Finding
from domain.codes.document_types import EXPORTS
from domain.codes.tables import Name, table
from domain.rules.rule import EVERY, Rule, View
from domain.rut import FOREIGNER

_HEADER = "document.Encabezado"
_TABLES: tuple[Name, ...] = ("communes", "commune_spellings")
_APOSTROPHES = str.maketrans({"`": "'", "´": "'"})
_LONGEST = 20
"""Characters of a commune in a document; longer names are cut."""


def _commune(view: View) -> Iterator[Finding]:
    emisor, receptor, transport = view.document.emisor, view.document.receptor, view.transport
    stated = [("Emisor.CmnaOrigen", emisor.get("CmnaOrigen"))]
    if view.type not in EXPORTS and view.receiver != FOREIGNER:
        stated += [(f"Receptor.{tag}", receptor[tag]) for tag in ("CmnaRecep", "CmnaPostal") if tag in receptor]
        if "CmnaDest" in transport and not view.customs:
            stated.append(("Transporte.CmnaDest", transport["CmnaDest"]))
    for place, name in stated:
        if name and not _is_commune(name):
            yield f"{_HEADER}.{place}", {"name": name}


@lru_cache(maxsize=4096)
def _is_commune(name: str) -> bool:
    return _plain(name) in _communes()


@cache
def _communes() -> frozenset[str]:
    return frozenset(_plain(name) for known in _TABLES for name in table(known).codes)


def _plain(name: str) -> str:
    """A name without accents, in capitals: it is written in every way."""
    parts = unicodedata.normalize("NFD", " ".join(name.upper().translate(_APOSTROPHES).split()))
    return "".join(part for part in parts if not unicodedata.combining(part))[:_LONGEST].strip()


RULES: tuple[Rule, ...] = (
    Rule(
        "DTE-CMN-01",
        f"{_HEADER}.Receptor.CmnaRecep",
        "Check the commune: {name} is not in the SII's list.",
        _commune,
        "SII, direcciones regionales y unidades; Formato DTE 2.5, fields CmnaOrigen, CmnaRecep, CmnaDest, CmnaPostal",
        EVERY,
        "warning",
    ),
)
