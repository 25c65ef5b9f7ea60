"""Tables of codes that others keep: customs, currencies, communes, kinds of references; each with its source.

They are data files beside this module and are read once, when first asked. A code that isn't in a table is told as a
warning at most: tables grow, and the copy here may be older than the one that counts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Name = Literal[
    "countries",
    "ports",
    "packages",
    "sale_clauses",
    "sale_modalities",
    "transport_modes",
    "units",
    "payment_forms",
    "communes",
    "commune_spellings",
    "currencies",
    "customs_currencies",
    "references",
]
"""Tables that there are."""

_PLACES: dict[Name, tuple[str, str]] = {
    **{
        name: ("customs", name)
        for name in (
            "countries",
            "ports",
            "packages",
            "sale_clauses",
            "sale_modalities",
            "transport_modes",
            "units",
            "payment_forms",
        )
    },
    "communes": ("communes", "communes"),
    "commune_spellings": ("communes", "spellings"),
    "currencies": ("currencies", "names"),
    "customs_currencies": ("currencies", "customs_only"),
    "references": ("references", "types"),
}

CONTAINERS = frozenset({73, 74, 75, 76, 77, 78})
"""Package types that are containers: they have a number and a seal instead of marks (Aduanas, Anexo 51)."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of codes; `codes` gives what each stands for."""

    name: str
    source: str
    codes: Mapping[str, Any]

    def __contains__(self, code: object) -> bool:
        return str(code) in self.codes


@cache
def table(name: Name) -> Table:
    """A table by its name."""
    file, member = _PLACES[name]
    return Table(**_file(file)[member])


@cache
def _file(name: str) -> dict[str, Any]:
    text = (files("domain.codes") / "tables" / f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
