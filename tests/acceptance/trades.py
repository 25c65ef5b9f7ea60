"""Jobs of all twelve types, as producers write them (`tests/golden/types`), and every note that the format allows."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from domain.codes.document_types import ANNULLED_BY_DEBIT, CHANGEABLE, DOCUMENT_TYPES, NOTES
from workers.outcome import Result

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "types"
ANNULS, CORRECTS_TEXT, CORRECTS_AMOUNTS = 1, 2, 3
TYPES: Final = tuple(sorted(DOCUMENT_TYPES))
SALES: Final = tuple(number for number in TYPES if number not in NOTES)
PAIRS: Final = tuple(
    (note, changed, code)
    for note in sorted(NOTES)
    for changed in sorted(CHANGEABLE[note] & set(TYPES))
    for code in (ANNULS, CORRECTS_TEXT, CORRECTS_AMOUNTS)
    if code != ANNULS or note not in ANNULLED_BY_DEBIT or changed in ANNULLED_BY_DEBIT[note]
)
"""Every note on every electronic type that it may change, with every CodRef that the pair allows."""

_ROOTS: Final = {56: 33, 61: 33, 111: 110, 112: 110}
_HEADS: Final = ("Receptor", "Transporte", "OtraMoneda")


def sale(document_type: int, *, form: str = "") -> dict[str, Any]:
    """The document of a type that no note is, as in `tests/golden/types`."""
    document: dict[str, Any] = json.loads((GOLDEN / f"{document_type}{form}.json").read_text("utf-8"))
    return document


def root_of(document_type: int) -> int:
    """The type of the sale that a chain of notes which ends in a type began with."""
    return _ROOTS.get(document_type, document_type)


def note(document_type: int, code: int, changed: Result, original: dict[str, Any]) -> dict[str, Any]:
    """A note on an issued document, of which `original` is what the producer wrote."""
    header = {tag: original["Encabezado"][tag] for tag in _HEADS if tag in original["Encabezado"]}
    header["IdDoc"] = {"TipoDTE": document_type}
    if "TpoMoneda" in original["Encabezado"].get("Totales", {}):
        header["Totales"] = {"TpoMoneda": original["Encabezado"]["Totales"]["TpoMoneda"]}
    if changed.document_type in (39, 41):
        header |= {"Receptor": {"GiroRecep": "Particular", "DirRecep": "Sin dirección", "CmnaRecep": "Chillán"}}
    if changed.document_type == 39:
        header["IdDoc"]["MntBruto"] = 1
    reference = {
        "TpoDocRef": changed.document_type,
        "FolioRef": changed.folio,
        "FchRef": changed.body["issued_on"],
        "CodRef": code,
        "RazonRef": {ANNULS: "Anula", CORRECTS_TEXT: "Corrige texto", CORRECTS_AMOUNTS: "Corrige montos"}[code],
    }
    made = {"Encabezado": header, "Detalle": _lines(code, original), "Referencia": [reference]}
    if code == ANNULS and "Comisiones" in original:
        made["Comisiones"] = original["Comisiones"]
    return made


def _lines(code: int, original: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a note: those of the document, a part of them, or a text."""
    if code == CORRECTS_TEXT:
        return [{"NmbItem": "DICE Providencia DEBE DECIR Ñuñoa", "MontoItem": 0}]
    lines = [{tag: value for tag, value in line.items() if tag != "TpoDocLiq"} for line in original["Detalle"]]
    if code == ANNULS:
        return lines
    part = dict(lines[0])
    if "QtyItem" in part:
        part["QtyItem"] = 3
    else:
        part["MontoItem"] = 30_000
    return [part]


def expected_total(document: dict[str, Any]) -> Decimal:
    """What lines of an export come to, by hand: quantity by price, freight and insurance."""
    amounts = [Decimal(str(line["QtyItem"])) * Decimal(str(line["PrcItem"])) for line in document["Detalle"]]
    charges = [Decimal(str(line["ValorDR"])) for line in document.get("DscRcgGlobal", ())]
    return sum((*amounts, *charges), Decimal(0))
