"""What becomes of sales later: goods come back, prices were wrong, a customer moved, a note itself was a mistake.

Each `Later` waits for a document of the demo to be issued and says which note (56, 61, 111, 112), or which factura of a
guía, follows from it. Sources: SII, Formato DTE 2.5, zone F: CodRef 1 annuls, 2 corrects text, 3 corrects amounts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from deploy.sandbox.trades import Document
from domain.codes.document_types import BOLETA, BOLETA_TYPES

ANNULS, CORRECTS_TEXT, CORRECTS_AMOUNTS = 1, 2, 3
_GIRO: Final = {"GiroRecep": "Particular", "DirRecep": "Sin dirección", "CmnaRecep": "Temuco"}
_KEPT: Final = ("Receptor", "Transporte", "OtraMoneda")


@dataclass(frozen=True, slots=True)
class Issued:
    """A document that has its folio: what a note on it must say, and what the producer wrote."""

    document_type: int
    folio: int
    issued_on: str
    written: Document


@dataclass(frozen=True, slots=True)
class Later:
    """What the company of a sale does once the document of job `after` is issued; its own job bears `key`."""

    after: str
    key: str
    company: str
    said: str
    document: Callable[[Issued], Document]


def annul(note: int, why: str) -> Callable[[Issued], Document]:
    """A note that annuls: every line again, so that every amount is the same."""

    def made(issued: Issued) -> Document:
        again: Document = {
            zone: issued.written[zone] for zone in ("DscRcgGlobal", "Comisiones") if zone in issued.written
        }
        detail = [
            {tag: value for tag, value in line.items() if tag != "TpoDocLiq"} for line in issued.written["Detalle"]
        ]
        return {**_note(note, issued, ANNULS, why), "Detalle": detail, **again}

    return made


def correct_text(note: int, why: str) -> Callable[[Issued], Document]:
    """A note that only says what should have been written; it has no amounts."""

    def made(issued: Issued) -> Document:
        return {**_note(note, issued, CORRECTS_TEXT, why), "Detalle": [{"NmbItem": why, "MontoItem": 0}]}

    return made


def correct_amounts(
    note: int, why: str, *, quantity: int = 1, price: int | str | None = None
) -> Callable[..., Document]:
    """A note that takes something off or adds it: so many of the first line's goods, or at another price."""

    def made(issued: Issued) -> Document:
        first = issued.written["Detalle"][0]
        line = {tag: first[tag] for tag in ("NmbItem", "UnmdItem", "CodImpAdic") if tag in first}
        line |= {"QtyItem": quantity} | ({"NmbItem": why, "PrcItem": price} if price is not None else {})
        for tag in ("PrcItem", "DescuentoPct") if price is None else ():
            if tag in first:
                line[tag] = first[tag]
        return {**_note(note, issued, CORRECTS_AMOUNTS, why), "Detalle": [line]}

    return made


def invoice_of_guide(issued: Issued) -> Document:
    """The factura of goods that went with a guía: the same lines, and which guía it was."""
    header = {"IdDoc": {"TipoDTE": 33, "FmaPago": 2}, "Receptor": issued.written["Encabezado"]["Receptor"]}
    detail = [{tag: value for tag, value in line.items() if tag != "DscItem"} for line in issued.written["Detalle"]]
    reference = {"TpoDocRef": issued.document_type, "FolioRef": issued.folio, "FchRef": issued.issued_on}
    return {"Encabezado": header, "Detalle": detail, "Referencia": [reference]}


def _note(note: int, issued: Issued, code: int, why: str) -> Document:
    written = issued.written["Encabezado"]
    header: dict[str, Any] = {"IdDoc": {"TipoDTE": note}} | {tag: written[tag] for tag in _KEPT if tag in written}
    if "TpoMoneda" in written.get("Totales", {}):
        header["Totales"] = written["Totales"]
    if issued.document_type in BOLETA_TYPES:
        header["Receptor"] = {**written.get("Receptor", {}), **_GIRO}
    if issued.document_type == BOLETA or written["IdDoc"].get("MntBruto"):  # the original gross lines are repeated
        header["IdDoc"]["MntBruto"] = 1
    reference = {
        "TpoDocRef": issued.document_type,
        "FolioRef": issued.folio,
        "FchRef": issued.issued_on,
        "CodRef": code,
        "RazonRef": why[:90],
    }
    return {"Encabezado": header, "Referencia": [reference]}
