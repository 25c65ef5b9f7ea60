"""Documents that state every tag of their type at its full size, made from the format tables."""

from datetime import date
from typing import Any

from domain.format.kinds import Choice, Day, Figure, Hour, Kind, Moment, Rut, Text, Whole
from domain.format.table import Profile, TypeRow
from domain.format.types import format_of
from tests.unit.domain.samples import Raw

_COMPUTED = frozenset({"Totales", "OtrMnda", "NroLinDet", "NroLinRef", "NroLinDR", "NroLinCom", "NroSTI", "Folio"})
_ITEMS = {"Detalle": 3, "Referencia": 2, "DscRcgGlobal": 1}
_AMOUNTS = ("DescuentoMonto", "RecargoMonto", "MontoItem", "IndExe")
_CHANGED = {61: "33", 56: "33", 112: "110", 111: "110"}


def full_document(document_type: int, profile: Profile = "2019") -> Raw:
    """Every tag that a producer can state for a type, texts at full length."""
    raw = _group(format_of(document_type, profile))
    header = raw["Encabezado"]
    header["IdDoc"] |= {"TipoDTE": document_type, "FchEmis": "2026-11-24"}
    for tag in ("MntBruto", "TipoFactEsp"):
        header["IdDoc"].pop(tag, None)
    header["Emisor"]["RUTEmisor"] = "76900101-8"
    if document_type == 43:
        raw["Comisiones"] = [
            {**item, "ValComNeto": 1000, "ValComExe": 0, "ValComIVA": 190} for item in raw["Comisiones"]
        ]
    else:
        raw["DscRcgGlobal"] = [{"TpoMov": "R", "GlosaDR": "g" * 45, "TpoValor": "%", "ValorDR": "1.5"}]
    if document_type == 52:
        del raw["DscRcgGlobal"]
    if document_type >= 110:
        _full_export(header)
    else:
        header.get("OtraMoneda", {}).pop("TpoCambio", None)  # with it these amounts would be compared
    for line in raw["Detalle"]:
        _full_line(line, document_type)
    for charge in raw.get("Comisiones", ()):
        charge["ValComNeto"], charge["ValComExe"], charge["ValComIVA"] = 1000, 0, 190
    for subtotal in raw["SubTotInfo"]:
        subtotal["LineasDeta"] = [1, 2]
    _full_references(raw, document_type)
    return raw


def _full_line(line: Raw, document_type: int) -> None:
    line["QtyItem"], line["PrcItem"] = "12.123456", "999999.123456"
    for tag in _AMOUNTS:
        line.pop(tag, None)
    if "DescuentoPct" in line:
        line["DescuentoPct"], line["RecargoPct"] = "9.99", "12.5"
    if "ItemEspectaculo" in line:
        line["ItemEspectaculo"] = "02"
    if "CodImpAdic" in line:
        line["CodImpAdic"] = ["15"] if document_type == 46 else ["27", "271"]
    if document_type == 34:
        line.pop("CodImpAdic", None)
        line.pop("Retenedor", None)
    if document_type == 43:
        line["TpoDocLiq"] = "33"
    if document_type == 46:
        line["Retenedor"].pop("PrcConsFinal", None)


def _full_export(header: Raw) -> None:
    header["IdDoc"] |= {"FmaPagExp": 1, "IndServicio": 3}
    header["Receptor"]["RUTRecep"] = "55555555-5"
    header["Totales"] = {"TpoMoneda": "DOLAR USA"}
    header["OtraMoneda"] = {"TpoMoneda": "PESO CL", "TpoCambio": "952.37"}
    codes = {"CodTpoBultos": 75}
    customs = header["Transporte"]["Aduana"]
    customs["TipoBultos"] = [{**item, **codes} for item in customs["TipoBultos"]]
    customs |= {"CodModVenta": 1, "CodClauVenta": 5, "CodViaTransp": 1, "CodPtoEmbarque": 905, "CodPtoDesemb": 220}
    customs |= {"CodUnidMedTara": 10, "CodUnidPesoBruto": 6, "CodUnidPesoNeto": 6, "CodPaisRecep": 225}
    customs["CodPaisDestin"] = 225


def _full_references(raw: Raw, document_type: int) -> None:
    if changed := _CHANGED.get(document_type):
        raw["Referencia"] = [{**raw["Referencia"][0], "TpoDocRef": changed, "FolioRef": "9999999999", "CodRef": 3}]
    elif document_type not in (39, 41):
        raw["Referencia"] = [{**item, "TpoDocRef": "HES"} for item in raw["Referencia"]]
    for item in raw["Referencia"]:
        item.pop("IndGlobal", None)


def _group(row: TypeRow) -> Raw:
    values: Raw = {}
    for tag, child in (row.rows or {}).items():
        if child.forbidden or tag in _COMPUTED:
            continue
        value = _group(child) if child.kind is None else _leaf(child.kind)
        values[tag] = value if child.most == 1 else [value] * min(child.most, _ITEMS.get(tag, 2))
    return values


def _leaf(kind: Kind) -> Any:  # noqa: PLR0911  (a line for each kind)
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
        case Hour():
            return "23:59:59"
        case Moment():
            return "2026-11-24T23:59:59"
        case Rut():
            return "77777777-7"
    raise AssertionError(kind)
