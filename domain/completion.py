"""What FMgo adds to a document that a producer may leave out: who issues, what day, numbers of lines, safe defaults.

Only what follows from the format or from the issuer's registration is filled in. Where a default has a meaning of its
own, the producer is told (warnings COM-…). Sources: SII, Formato DTE 2.5; SII, Formato Boletas 4.2; instructions of the
SII's certification sets for references of type SET.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from domain.codes.document_types import BOLETA_TYPES, CREDIT_NOTE, EXEMPT_TYPES, INVOICE, TAX_DOCUMENTS, TEST_SET
from domain.document import Document
from domain.format.reading import Report, Values, read_group
from domain.format.types import format_of
from domain.problems import Problem
from domain.rut import ANONYMOUS

ON_CREDIT = 2
"""FmaPago that the SII assumes where it is absent (SII, Formato DTE 2.5, field FmaPago)."""
SALES_AND_SERVICES = 3
"""IndServicio of an ordinary boleta (SII, Formato Boletas 4.2)."""
NOBODY = "Cliente"
"""RznSocRecep of the anonymous consumer in a note, which can't go without a name."""

_ADDRESS = ("DirOrigen", "CmnaOrigen", "CiudadOrigen", "Sucursal", "CdgSIISucur")
_SET_NUMBER = re.compile(r"CASO\s+([0-9]{1,10})-", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class IssuerData:
    """What is registered of the company that issues, and of the branch where it does.

    `acteco` are the codes of its activities at the SII; `cdg_sii_sucur` is the SII's number of the branch.
    """

    rut: str
    environment: str
    razon_social: str
    giro: str
    acteco: tuple[int, ...]
    dir_origen: str
    cmna_origen: str
    ciudad_origen: str | None = None
    telefono: str | None = None
    correo: str | None = None
    sucursal: str | None = None
    cdg_sii_sucur: str | None = None


@dataclass(frozen=True, slots=True)
class ReferencedDocument:
    """What the ledger knows of a document that a note changes; amounts in pesos, None where there is none."""

    document_type: int
    folio: int
    state: str
    receiver: str
    total: int
    net: int | None
    exempt: int | None
    vat: int | None
    issued_on: date


Referenced = Mapping[tuple[int, int], ReferencedDocument]
"""Documents of the same issuer by type and folio."""


def complete(
    document: Document,
    *,
    issuer: IssuerData | None,
    today: date,
    referenced: Referenced,
    report: Report,
) -> None:
    """Fill in what the producer may leave out; what is there stays, and so does what couldn't be read."""
    _complete_header(document, today, report)
    _complete_issuer(document, issuer, report)
    _number(document, "Detalle", "NroLinDet", report)
    _number(document, "DscRcgGlobal", "NroLinDR", report)
    _number(document, "SubTotInfo", "NroSTI", report)
    _number(document, "Comisiones", "NroLinCom", report)
    _number(document, "Referencia", "NroLinRef", report)
    if document.family == "boleta":
        _complete_boleta(document, report)
    else:
        _complete_references(document, referenced)
    if document.type == CREDIT_NOTE:
        _complete_credit_note(document, referenced, report)


def changed_documents(document: Document) -> list[tuple[int, Values]]:
    """The references of a note that name the tax documents it changes: those with a CodRef."""
    return [
        (index, reference)
        for index, reference in document.items("Referencia")
        if reference.get("CodRef") is not None and type_referred(reference) in TAX_DOCUMENTS
    ]


def type_referred(reference: Values) -> int | None:
    """TpoDocRef as a number, None when it is a commercial code of letters."""
    written = reference.get("TpoDocRef") or ""
    return int(written) if _DIGITS.fullmatch(written) else None


def folio_referred(reference: Values) -> int | None:
    """FolioRef as a number, None when it isn't one."""
    written = reference.get("FolioRef") or ""
    return int(written) if _DIGITS.fullmatch(written) else None


def _complete_header(document: Document, today: date, report: Report) -> None:
    id_doc = document.id_doc
    id_doc["TipoDTE"] = document.type
    if id_doc.pop("Folio", None):
        path = "document.Encabezado.IdDoc.Folio"
        report.add(
            "COM-FOLIO", path, "The stated folio isn't used: FMgo takes the next one of the issuer's.", "warning"
        )
    id_doc.setdefault("FchEmis", today)
    if document.family == "boleta":
        id_doc.setdefault("IndServicio", SALES_AND_SERVICES)
    elif document.type == INVOICE and "FmaPago" not in id_doc:
        id_doc["FmaPago"] = ON_CREDIT
        path = "document.Encabezado.IdDoc.FmaPago"
        sentence = "Stated as 2, on credit, which is what the SII assumes when it is missing; state 1 if it was paid."
        report.add("COM-PAYMENT", path, sentence, "warning")


def _complete_issuer(document: Document, issuer: IssuerData | None, report: Report) -> None:
    if issuer is None:
        return
    known, problems = _registered(issuer, document.type)
    for problem in problems:
        report.add(problem.code, problem.path, problem.message, problem.level)
    stated = document.emisor
    elsewhere = stated.get("DirOrigen", known.get("DirOrigen")) != known.get("DirOrigen")
    for tag, value in known.items():
        if tag not in stated and not (elsewhere and tag in _ADDRESS):
            stated[tag] = value


@lru_cache(maxsize=512)
def _registered(issuer: IssuerData, document_type: int) -> tuple[Values, tuple[Problem, ...]]:
    """The issuer's own tags of a type, cleaned once; callers don't change them.

    What can't be written is left out with a warning unless the type can't go without it.
    """
    tags: dict[str, Any] = {
        "RUTEmisor": issuer.rut,
        "RznSoc": issuer.razon_social,
        "GiroEmis": issuer.giro,
        "Telefono": issuer.telefono,
        "CorreoEmisor": issuer.correo,
        "Acteco": issuer.acteco[:4],
        "Sucursal": issuer.sucursal,
        "CdgSIISucur": issuer.cdg_sii_sucur,
        "DirOrigen": issuer.dir_origen,
        "CmnaOrigen": issuer.cmna_origen,
        "CiudadOrigen": issuer.ciudad_origen,
    }
    header = (format_of(document_type).rows or {})["Encabezado"]
    row = (header.rows or {})["Emisor"]
    usable = {row.renamed.get(tag, tag): value for tag, value in tags.items() if tag not in row.left_out and value}
    path = "document.Encabezado.Emisor"
    report = Report()
    values = read_group(row, usable, path, report)
    needed = {f"{path}.{tag}" for tag in row.required}
    problems = tuple(
        problem if problem.path.partition("[")[0] in needed else replace(problem, level="warning")
        for problem in report.told()
    )
    kept = {tag: value for tag, value in values.items() if tag in row.required or value not in (None, [None])}
    return kept, problems


def _number(document: Document, zone: str, tag: str, report: Report) -> None:
    """Number the lines of a zone from 1, in the order in which they came."""
    for number, line in enumerate(document.values.get(zone) or (), 1):
        if line is None:
            continue
        if line.get(tag, number) not in (number, None):
            path = f"document.{zone}[{number - 1}].{tag}"
            report.add("COM-NUMBER", path, f"Numbered {number} instead: lines are numbered from 1.", "warning")
        line[tag] = number


def _complete_boleta(document: Document, report: Report) -> None:
    document.receptor.setdefault("RUTRecep", ANONYMOUS)
    for _, subtotal in document.items("SubTotInfo"):
        subtotal.setdefault("OrdenSTI", subtotal["NroSTI"])
    for index, reference in document.items("Referencia"):
        code, folio = reference.pop("TpoDocRef", None), reference.pop("FolioRef", None)
        if code is None and folio is None:
            continue
        if code is not None and "CodRef" not in reference:
            reference["CodRef"], code = code, None
        if left := " ".join(text for text in (code, folio) if text):
            reference["RazonRef"] = f"{left} {reference.get('RazonRef') or ''}"[:90].strip()
            path = f"document.Referencia[{index}]"
            sentence = (
                "TpoDocRef and FolioRef were written in CodRef and RazonRef: not every schema of boletas has them."
            )
            report.add("COM-REFERENCE", path, sentence, "warning")


def _complete_references(document: Document, referenced: Referenced) -> None:
    issued_on = document.id_doc["FchEmis"]
    for _, reference in document.items("Referencia"):
        kind = type_referred(reference)
        if kind is not None:
            reference["TpoDocRef"] = str(kind)
        if kind in TAX_DOCUMENTS and (folio := folio_referred(reference)) is not None:
            reference["FolioRef"] = str(folio)
            if "RUTOtr" not in reference and (known := referenced.get((kind, folio))):
                reference.setdefault("FchRef", known.issued_on)
        elif reference.get("TpoDocRef") == TEST_SET:
            number = _SET_NUMBER.search(reference.get("RazonRef") or "")
            reference.setdefault("FolioRef", number[1] if number else "0")
            reference.setdefault("FchRef", issued_on)


def _complete_credit_note(document: Document, referenced: Referenced, report: Report) -> None:
    changed = changed_documents(document)
    kinds = {type_referred(reference) for _, reference in changed}
    if not kinds:
        return
    if kinds <= BOLETA_TYPES:
        known = referenced.get((type_referred(changed[0][1]) or 0, folio_referred(changed[0][1]) or 0))
        document.receptor.setdefault("RUTRecep", known.receiver if known else ANONYMOUS)
        if document.receptor["RUTRecep"] == ANONYMOUS:
            document.receptor.setdefault("RznSocRecep", NOBODY)
    if kinds <= EXEMPT_TYPES:
        _exempt(document, "Detalle", "IndExe", report)
        _exempt(document, "DscRcgGlobal", "IndExeDR", report)


def _exempt(document: Document, zone: str, tag: str, report: Report) -> None:
    """Lines of a note on an exempt document are exempt, said or not."""
    for index, line in document.items(zone):
        if tag not in line:
            line[tag] = 1
            path = f"document.{zone}[{index}].{tag}"
            report.add("COM-EXEMPT", path, "Stated as exempt: the document that the note changes is.", "warning")
