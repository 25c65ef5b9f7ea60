"""The obligations in the format tables are those that the format's own tables give, type by type.

A tag that must not go is refused, one that is mandatory is asked for; whatever is conditional is a rule's affair. Where
the house differs, the reason is written here.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.format.table import DTE_COLUMNS, TypeRow
from domain.format.types import format_of

ZONES = {
    "3.1": ("Encabezado", "IdDoc"),
    "3.2": ("Encabezado", "Emisor"),
    "3.4": ("Encabezado", "Receptor"),
    "3.6": ("Encabezado", "Transporte"),
    "3.7": ("Encabezado", "Totales"),
    "4": ("Detalle",),
    "5": ("Referencia",),
}
_GUIDE = frozenset({52})
_NOTES = frozenset({56, 61, 111, 112})
_EXPORTS = frozenset({110, 111, 112})
_ALL = frozenset(DTE_COLUMNS)
REASONS: dict[str, tuple[frozenset[int], str]] = {
    "Folio": (_ALL, "the ledger gives it, a producer may not"),
    "CodRef": (_NOTES, "references of a note that change nothing have none; DTE-REF-02 asks the others for it"),
    **dict.fromkeys(
        (
            "Patente",
            "PatenteCarro",
            "RUTTrans",
            "Chofer",
            "FchSalida",
            "HraSalida",
            "FchLlegada",
            "DirDest",
            "CmnaDest",
        ),
        (_GUIDE, "what isn't known may be declared instead; rules GUI-TRP-… ask for it in profile 2026"),
    ),
    "QtyItem": (_GUIDE, "GUI-TRA-08 asks for it"),
    "UnmdItem": (_GUIDE, "GUI-TRA-08 asks for it"),
}
"""Tags and types in which the tables say something else than the format."""
NOT_KNOWN = frozenset({"PatenteCarro", "FchSalida", "HraSalida", "FchLlegada"})
"""Elements of 2026 whose place in Exportaciones nobody has seen."""


def _rows(page: str) -> Iterator[tuple[str, str, str]]:
    """Section, tag and obligation of every row of the page that has one."""
    section = ""
    for line in page.splitlines():
        if heading := re.match(r"#+ ([0-9](?:\.[0-9])?)\.? ", line):
            section = heading[1]
        if section not in ZONES or not line.startswith("|"):
            continue
        cells = line.split("|")
        named = re.findall(r"`([A-Z][A-Za-z]+)`", cells[1]) or re.findall(r"`([A-Z][A-Za-z]+)`", cells[2])
        given = re.findall(r"`([0-3]{10})`", line)
        if given and len(named) != len(given):
            given = given[:1] * len(named)
        yield from ((section, tag, needed) for tag, needed in zip(named, given, strict=False))


def _zone(kind: int, section: str) -> TypeRow | None:
    row: TypeRow | None = format_of(kind, "2026")
    for step in ZONES[section]:
        row = None if row is None else (row.rows or {}).get(step)
    return row


@pytest.mark.parametrize("kind", DTE_COLUMNS)
def test_obligations_are_those_of_the_format(shared: Path, kind: int) -> None:
    page = (shared / "reference" / "dte-format.md").read_text(encoding="utf-8")
    column = DTE_COLUMNS.index(kind)
    asked, differences = 0, {}
    for section, tag, needed in _rows(page):
        zone = _zone(kind, section)
        own = None if zone is None else (zone.rows or {}).get(tag)
        said = needed[column]
        asked += 1
        if kind in REASONS.get(tag, (frozenset[int](), ""))[0]:
            continue
        if zone is None or own is None:
            found = "0"
            if kind in _EXPORTS and tag in NOT_KNOWN:
                continue
        else:
            found = "0" if own.forbidden else "1" if tag in zone.required else "2"
        if (said == "0", said == "1") != (found == "0", found == "1"):
            differences[tag] = (said, found)
    assert differences == {}
    assert asked > 100


def test_every_reason_is_needed(shared: Path) -> None:
    page = (shared / "reference" / "dte-format.md").read_text(encoding="utf-8")
    named = {tag for _, tag, _ in _rows(page)}
    assert REASONS.keys() <= named
    assert all(reason for _, reason in REASONS.values())
