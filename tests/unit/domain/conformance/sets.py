"""The SII's official test sets, built as a taxpayer who certifies builds them: a document a case, in their order.

What the instructions leave to the taxpayer (the receiver, the rate of exchange, the kinds of package) is invented here;
codes of customs are looked up by the names that the instructions use.
"""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.codes.document_types import EXPORTS
from domain.codes.tables import Name, table
from domain.completion import ReferencedDocument
from domain.issued import stated_in
from domain.issuing import Prepared, issue, prepare
from tests.unit.domain.conformance.kit import AT, TODAY, Kit

RECEIVER = {
    "RUTRecep": "77777777-7",
    "RznSocRecep": "EMPRESA RECEPTORA LTDA",
    "GiroRecep": "Comercio",
    "DirRecep": "Calle Dos 456",
    "CmnaRecep": "Providencia",
}
FOREIGN = {
    "RznSocRecep": "FOREIGN BUYER PTY",
    "Extranjero": {"NumId": "AU-1234"},
    "GiroRecep": "Import",
    "DirRecep": "1 George Street",
    "CiudadRecep": "Sydney",
}
TRANSPORT = {
    "Patente": "ABCD12",
    "RUTTrans": "76192083-9",
    "Chofer": {"RUTChofer": "11111111-1", "NombreChofer": "Pedro Pérez"},
    "DirDest": "Calle Dos 456",
    "CmnaDest": "Providencia",
    "FchSalida": TODAY.isoformat(),
    "HraSalida": "15:30",
}
RATE = "1030.55"
LOST = "\ufffd"
"""What a source of the corpus has where it lost a letter."""


@dataclass
class Bench:
    """Where a set is built: folios used so far and the documents of its cases."""

    kit: Kit
    folios: dict[int, int] = field(default_factory=dict)
    cases: dict[str, tuple[int, int]] = field(default_factory=dict)
    known: dict[tuple[int, int], ReferencedDocument] = field(default_factory=dict)
    exported: dict[str, Any] = field(default_factory=dict)
    made: list[bytes] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)

    def build(self, name: str, raw: dict[str, Any]) -> Prepared:
        """The document of a case, signed and kept."""
        ready = prepare(raw, issuer=self.kit.issuer, today=TODAY, referenced=self.known)
        kind = ready.document_type
        folio = self.folios[kind] = self.folios.get(kind, 0) + 1
        signed = issue(ready, folio=folio, caf=self.kit.caf(kind), signer=self.kit.signer(), at=AT)
        self.made.append(signed.xml)
        self.kinds.append(kind)
        self.cases[name] = (kind, folio)
        taxes = stated_in(signed.xml).taxes
        self.known[kind, folio] = ReferencedDocument(
            kind, folio, "accepted", ready.receiver, ready.total, ready.net, ready.exempt, ready.vat, TODAY, taxes=taxes
        )
        return ready


def official_sets(shared: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The sets by the number of their attention, each with its cases in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted((shared / "corpus" / "calc").glob("set*.json")):
        case = json.loads(file.read_text(encoding="utf-8").replace(LOST, "?"))
        found.setdefault(case["id"].rpartition("-")[0], []).append(case)
    yield from found.items()


def as_written(case: dict[str, Any], bench: Bench) -> dict[str, Any]:
    """The case as a producer would write it."""
    given = case["input"]
    kind = given["tipo"]
    id_doc = {"TipoDTE": kind, **{tag: value for tag, value in given["id_doc"].items() if tag != "Folio"}}
    head: dict[str, Any] = {"IdDoc": id_doc, "Totales": given.get("totales") or {}}
    if kind in EXPORTS:
        _exported(case, head, bench)
    elif id_doc.get("IndTraslado") != 5 and kind != 39:
        head["Receptor"] = RECEIVER
    if kind in (33, 34):
        id_doc["FmaPago"] = 1
    if kind == 46:
        for line in given["detalle"]:
            line.setdefault("CodImpAdic", ["49"])  # the set says nothing of retention, its totals keep nothing
    if kind == 52:
        head["Transporte"] = TRANSPORT
        for line in given["detalle"]:
            line.setdefault("UnmdItem", "UN")
    return {
        "Encabezado": head,
        "Detalle": given["detalle"],
        "DscRcgGlobal": given["descuentos_globales"],
        "Referencia": [*(_reference(each, bench) for each in given["referencias"]), *_waybill(case)],
    }


def _reference(reference: dict[str, Any], bench: Bench) -> dict[str, Any]:
    """A reference with the folio that its case was given."""
    if "CasoRef" not in reference:
        return reference
    _, folio = bench.cases[reference["CasoRef"]]
    rest = {tag: value for tag, value in reference.items() if tag != "CasoRef"}
    return {**rest, "FolioRef": folio, "FchRef": TODAY.isoformat()}


def _said(case: dict[str, Any]) -> dict[str, str]:
    """Instructions of the form `WHAT: value`."""
    pairs = (text.partition(":") for text in case["input"].get("instrucciones") or () if ":" in text)
    return {name.replace("(**)", "").strip(): value.strip() for name, _, value in pairs}


def _waybill(case: dict[str, Any]) -> list[dict[str, Any]]:
    if "MIC" not in _said(case).get("REFERENCIA", ""):
        return []
    return [{"TpoDocRef": 810, "FolioRef": "MIC-1", "FchRef": TODAY.isoformat()}]


def _exported(case: dict[str, Any], head: dict[str, Any], bench: Bench) -> None:
    """The header of an export: as instructed, or that of the invoice which a note changes."""
    said = _said(case)
    if "VIA DE TRANSPORTE" not in said:
        head.update({tag: value for tag, value in bench.exported.items() if tag != "IdDoc"})
        return
    country = _code("countries", said["PAIS RECEPTOR Y PAIS DESTINO"])
    head["IdDoc"].update(FmaPago=1, FmaPagExp=_code("payment_forms", said["FORMA DE PAGO EXPORTACION"]))
    packages = int(said["TOTAL BULTOS"])
    head["Transporte"] = {
        "Aduana": {
            "CodModVenta": _code("sale_modalities", said["MODALIDAD DE VENTA"]),
            "CodClauVenta": _code("sale_clauses", said["CLAUSULA DE VENTA DE EXPORTACION"]),
            "TotClauVenta": said["TOTAL CLAUSULA DE VENTA"],
            "CodViaTransp": _code("transport_modes", said["VIA DE TRANSPORTE"]),
            "CodPtoEmbarque": _code("ports", said["PUERTO DE EMBARQUE"]),
            "CodPtoDesemb": _code("ports", said["PUERTO DE DESEMBARQUE"]),
            "CodUnidMedTara": _code("units", said["UNIDAD DE MEDIDA DE TARA"]),
            "PesoBruto": 1200,
            "CodUnidPesoBruto": _code("units", said["UNIDAD PESO BRUTO"]),
            "PesoNeto": 1100,
            "CodUnidPesoNeto": _code("units", said["UNIDAD PESO NETO"]),
            "TotBultos": packages,
            "TipoBultos": [
                {"CodTpoBultos": _code("packages", said["TIPO DE BULTO"]), "CantBultos": packages, "Marcas": "LOTE 1"}
            ],
            "MntFlete": said["FLETE"],
            "MntSeguro": said["SEGURO"],
            "CodPaisRecep": country,
            "CodPaisDestin": country,
        }
    }
    head["Receptor"] = {**FOREIGN, "Extranjero": {"NumId": "AU-1234", "Nacionalidad": country}}
    head["OtraMoneda"] = {"TpoMoneda": "PESO CL", "TpoCambio": RATE}
    bench.exported = head


def _code(name: Name, wanted: str) -> str:
    """The code of what the instructions name."""
    return next(code for code, meaning in table(name).codes.items() if _plain(str(meaning)).startswith(_plain(wanted)))


def _plain(text: str) -> str:
    """Capitals without accents."""
    parts = unicodedata.normalize("NFD", text.upper())
    return "".join(part for part in parts if not unicodedata.combining(part))


def note_on_boleta(case: dict[str, Any], bench: Bench, code: int, percent: int = 100) -> dict[str, Any]:
    """The note that the set asks for on a boleta: its gross lines, or a part of each."""
    kind, folio = bench.cases[case["id"]]
    lines = case["input"]["detalle"]
    if percent < 100:
        lines = [{**line, "DescuentoPct": 100 - percent} for line in lines]
    reference = {"TpoDocRef": kind, "FolioRef": folio, "FchRef": TODAY.isoformat(), "CodRef": code}
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": 61, "MntBruto": 1}, "Receptor": {**RECEIVER, "RUTRecep": "66666666-6"}},
        "Detalle": lines,
        "Referencia": [reference],
    }
