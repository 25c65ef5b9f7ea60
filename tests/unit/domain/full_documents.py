"""Documents that state every tag of their type at its full size, made from the format tables."""

from datetime import date
from typing import Any

from domain.format.kinds import Choice, Day, Figure, Kind, Rut, Text, Whole
from domain.format.table import TypeRow
from domain.format.types import format_of
from tests.unit.domain.samples import Raw

_COMPUTED = frozenset({"Totales", "OtrMnda", "NroLinDet", "NroLinRef", "NroLinDR", "NroLinCom", "NroSTI", "Folio"})
_ITEMS = {"Detalle": 3, "Referencia": 2, "DscRcgGlobal": 1}


def full_document(document_type: int) -> Raw:
    """Every tag that a producer can state for a type, texts at full length."""
    raw = _group(format_of(document_type))
    raw["Encabezado"]["IdDoc"] |= {"TipoDTE": document_type, "FchEmis": "2026-11-24"}
    raw["Encabezado"]["IdDoc"].pop("MntBruto", None)
    raw["Encabezado"]["Emisor"]["RUTEmisor"] = "76900101-8"
    raw["DscRcgGlobal"] = [{"TpoMov": "R", "GlosaDR": "g" * 45, "TpoValor": "%", "ValorDR": "1.5"}]
    for line in raw["Detalle"]:
        line["QtyItem"], line["PrcItem"] = "12.123456", "999999.123456"
        line["DescuentoPct"], line["RecargoPct"] = "9.99", "12.5"
        if "ItemEspectaculo" in line:
            line["ItemEspectaculo"] = "02"
        for tag in ("DescuentoMonto", "RecargoMonto", "MontoItem", "IndExe"):
            line.pop(tag, None)
        if "CodImpAdic" in line:
            line["CodImpAdic"] = ["27", "271"]
    for charge in raw.get("Comisiones", ()):
        charge["ValComNeto"], charge["ValComExe"], charge["ValComIVA"] = 1000, 0, 190
    if document_type == 61:
        raw["Referencia"] = [{**raw["Referencia"][0], "TpoDocRef": "33", "FolioRef": "9999999999", "CodRef": 3}]
        raw["Referencia"][0].pop("IndGlobal", None)
    elif document_type == 33:
        raw["Referencia"] = [{**item, "TpoDocRef": "HES"} for item in raw["Referencia"]]
        for item in raw["Referencia"]:
            item.pop("IndGlobal")
    return raw


def _group(row: TypeRow) -> Raw:
    values: Raw = {}
    for tag, child in (row.rows or {}).items():
        if child.forbidden or tag in _COMPUTED:
            continue
        value = _group(child) if child.kind is None else _leaf(child.kind)
        values[tag] = value if child.most == 1 else [value] * min(child.most, _ITEMS.get(tag, 2))
    return values


def _leaf(kind: Kind) -> Any:
    match kind:
        case Text(longest):
            return ("ñ&<>'\" b" * longest)[: longest - 1] + "x" if longest > 1 else "x"
        case Whole(_, most):
            return min(most, 10**9)
        case Figure(integers, decimals):
            return "1" + "0" * min(integers - 1, 1) + "." + "0" * (decimals - 1) + "1"
        case Day():
            return date(2026, 11, 24).isoformat()
        case Choice(codes):
            return next(iter(codes.values()))
        case Rut():
            return "77777777-7"
    raise AssertionError(kind)
