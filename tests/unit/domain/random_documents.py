"""Documents of every type at random: nasty texts, up to 60 lines, boletas of a thousand; some right, some refused."""

import random
from typing import Any

from tests.unit.domain.samples import SAMPLES, Raw

PIECES = (
    ' xmlns=""', ' xmlns="http://www.sii.cl/SiiDte"', "<DTE>", "</Documento>", "</SetDTE>", "<Signature ", "<![CDATA[",
    "]]>", "<!--", "-->", "&amp;", "&", "&#10;", "/>", '"', "'", "<", ">", "ñ", "Ñandú", "á", "°", "Ü", "ÿ", "—",
    "€", "…", "  ", "\t", "\n", "\x85", "\u00a0", "e\u0301", "Cía. & Hijos", "100 %", "{folio}", "\\", "DD>", "<TED",
    "</TED>", "F7T33", "palabra", 'Tornillo 1/2"', "x" * 39, "ñ" * 45, "a&b<c>" * 9,
)  # fmt: skip
"""What names are made of."""

_MOST_LINES = 60
_MOST_OF_A_BOLETA = 1000


def text(chance: random.Random, longest: int = 120) -> str:
    """A text that is never blank; some are longer than any tag."""
    return "x" + "".join(chance.choice(PIECES) for _ in range(chance.randint(0, 6)))[: longest - 1]


def document(kind: int, chance: random.Random) -> Raw:
    """A document of a type."""
    raw = SAMPLES[kind]()
    header = raw["Encabezado"]
    receptor = header.setdefault("Receptor", {})
    receptor["RznSocRecep"] = text(chance)
    receptor["DirRecep"] = text(chance, 60)
    if kind not in (56, 61, 111, 112):
        raw["Detalle"] = [_line(kind, chance) for _ in range(_count(kind, chance))]
        _change_all(raw, kind, chance)
    else:
        raw["Referencia"][0]["RazonRef"] = text(chance)
        raw["Detalle"][0] |= {"NmbItem": text(chance), "DscItem": text(chance, 900)}
    if kind == 43:
        raw["Comisiones"] = [{**raw["Comisiones"][0], "Glosa": text(chance, 50)}]
    if chance.random() < 0.3 and kind not in (39, 41, 56, 61, 111, 112):
        order = {"TpoDocRef": "801", "FolioRef": str(chance.randint(1, 10**9)), "FchRef": "2026-11-20"}
        raw["Referencia"] = [{**order, "RazonRef": text(chance)} for _ in range(chance.choice((1, 1, 2, 40)))]
    return raw


def _count(kind: int, chance: random.Random) -> int:
    if kind in (39, 41) and chance.random() < 0.02:
        return _MOST_OF_A_BOLETA
    return _MOST_LINES if chance.random() < 0.05 else chance.choice((1, 1, 2, 3, 5, 8))


def _line(kind: int, chance: random.Random) -> Raw:
    line: dict[str, Any] = {
        "NmbItem": text(chance),
        "QtyItem": chance.choice((1, 2, 450, "0.5", "2.3330", 1.25, "0.000001")),
        "PrcItem": chance.choice((1, 3, 70, 999, "1499.99", "0.5", 123456, "12.345678")),
    }
    if chance.random() < 0.3:
        line["DscItem"] = text(chance, 1200)
    if chance.random() < 0.2:
        line["UnmdItem"] = "UN"
    if chance.random() < 0.2:
        line["CdgItem"] = [{"TpoCodigo": "INT1", "VlrCodigo": text(chance, 20).replace("\n", "")[:12]}]
    if kind == 43:
        return {**line, "TpoDocLiq": chance.choice(("33", "39", "99"))}
    if kind == 46:
        return {**line, "CodImpAdic": chance.choice((["15"], ["34"], ["301"], "49"))}
    if chance.random() < 0.2:
        line[chance.choice(("DescuentoPct", "RecargoPct"))] = chance.choice((5, "12.5", "99.99"))
    if kind == 33 and chance.random() < 0.2:
        line["CodImpAdic"] = chance.choice(("24", "27", ["271"], [19]))
    if kind in (33, 39, 52, 61) and chance.random() < 0.2:
        line = {tag: value for tag, value in line.items() if tag != "CodImpAdic"} | {"IndExe": 1}
    return line


def _change_all(raw: Raw, kind: int, chance: random.Random) -> None:
    if kind not in (43, 52) and chance.random() < 0.3:
        change = {"TpoMov": chance.choice("DR"), "TpoValor": "%", "ValorDR": chance.choice((1, "7.5", 10))}
        raw["DscRcgGlobal"] = [{**change, "GlosaDR": text(chance, 40)}]
