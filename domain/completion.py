"""What FMgo adds to a document that a producer may leave out: who issues, what day, numbers of lines, safe defaults.

Only what follows from the format or from the issuer's registration is filled in. Where a default has a meaning of its
own, the producer is told (warnings COM-…). Sources: SII, Formato DTE 2.5; SII, Formato Boletas 4.2; instructions of the
SII's certification sets for references of type SET.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from domain.changes import CORRECTS_TEXT
from domain.codes.document_types import (
    BOLETA_TYPES,
    CREDIT_NOTE,
    DEBIT_NOTE,
    DISPATCH_GUIDE,
    EXEMPT_INVOICE,
    EXEMPT_TYPES,
    INVOICE,
    SETTLEMENT,
    TAX_DOCUMENTS,
    TEST_SET,
)
from domain.document import Document, changed_documents, folio_referred, type_referred
from domain.format.reading import Report, Values, read_group
from domain.format.table import Profile
from domain.format.types import format_of
from domain.money import Number
from domain.problems import Problem
from domain.rut import ANONYMOUS, FOREIGNER

ON_CREDIT = 2
"""FmaPago that the SII assumes where it is absent (SII, Formato DTE 2.5, field FmaPago)."""
SALES_AND_SERVICES = 3
"""IndServicio of an ordinary boleta (SII, Formato Boletas 4.2)."""
INTERNAL_TRANSFER = 5
"""IndTraslado between places of the same company, which is its own receiver (SII, Formato DTE 2.5)."""
NOBODY = "Cliente"
"""RznSocRecep of the anonymous consumer in a note, which can't go without a name."""

_PAID = (INVOICE, EXEMPT_INVOICE, SETTLEMENT)
"""Types that say how they are paid (SII, Formato DTE 2.5, field FmaPago)."""
_OWN = {
    "RUTRecep": "rut",
    "RznSocRecep": "razon_social",
    "GiroRecep": "giro",
    "DirRecep": "dir_origen",
    "CmnaRecep": "cmna_origen",
}
"""What a company that sends goods to itself states as receiver."""
_ADDRESS = ("DirOrigen", "CmnaOrigen", "CiudadOrigen", "Sucursal", "CdgSIISucur")
_SET_NUMBER = re.compile(r"CASO\s+([0-9]{1,10})-", re.ASCII | re.IGNORECASE)


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
    """What the ledger knows of a document that a note changes; amounts in its currency, None where there is none.

    `credited` and `debited` are the totals of the notes on it that stand; `annulled` says that one of them annuls it.
    """

    document_type: int
    folio: int
    state: str
    receiver: str
    total: Number
    net: int | None
    exempt: Number | None
    vat: int | None
    issued_on: date
    credited: Number = 0
    debited: Number = 0
    annulled: bool = False
    taxes: Mapping[str, int] | None = None
    """MontoImp of its ImptoReten by code; None when that isn't known, as of boletas, which don't state it."""
    sale_kind: int | None = None
    """Its TpoTranVenta, 0 where it states none (that means 1, of the giro); None when that isn't known."""
    principal: str | None = None
    """Its RUTMandante; None where it has none or isn't known."""

    @property
    def without_vat(self) -> bool:
        """Whether all of it is exempt."""
        return bool(self.exempt) and not self.net and not self.vat


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
    lines = _number(document, "Detalle", "NroLinDet", report)
    _number(document, "DscRcgGlobal", "NroLinDR", report)
    _number(document, "SubTotInfo", "NroSTI", report)
    _number(document, "Comisiones", "NroLinCom", report)
    _number(document, "Referencia", "NroLinRef", report)
    _follow_lines(document, lines, report)
    _name_agents(document)
    if document.family == "boleta":
        _complete_boleta(document, report)
    else:
        _complete_references(document, referenced)
    if document.exempt:
        for _, line in document.items("DscRcgGlobal"):
            line.setdefault("IndExeDR", 1)
    if document.family == "exportaciones":
        document.receptor.setdefault("RUTRecep", FOREIGNER)
    elif document.type == DISPATCH_GUIDE:
        _complete_guide(document, issuer)
    elif document.type in (CREDIT_NOTE, DEBIT_NOTE):
        _complete_note(document, issuer, referenced, report)


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
    elif document.type in _PAID and "FmaPago" not in id_doc:
        id_doc["FmaPago"] = ON_CREDIT  # DTE-PAY-03 tells it unless a due date says the same


def _complete_issuer(document: Document, issuer: IssuerData | None, report: Report) -> None:
    if issuer is None:
        return
    known, problems = _registered(issuer, document.type, document.profile)
    stated = document.emisor
    for problem in problems:
        if problem.path.rpartition(".")[2].partition("[")[0] not in stated:
            report.add(problem.code, problem.path, problem.message, problem.level)
    elsewhere = stated.get("DirOrigen", known.get("DirOrigen")) != known.get("DirOrigen")
    for tag, value in known.items():
        if tag not in stated and not (elsewhere and tag in _ADDRESS):
            stated[tag] = value


@lru_cache(maxsize=512)
def _registered(issuer: IssuerData, document_type: int, profile: Profile) -> tuple[Values, tuple[Problem, ...]]:
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
    header = (format_of(document_type, profile).rows or {})["Encabezado"]
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


def _number(document: Document, zone: str, tag: str, report: Report) -> dict[int, int | None]:
    """Number the lines of a zone from 1, in the order in which they came.

    Gives the number of each by the one that it came with, None where several came with the same.
    """
    found: dict[int, int | None] = {}
    for number, line in enumerate(document.values.get(zone) or (), 1):
        if line is None:
            continue
        stated = line.get(tag, number)
        if stated not in (number, None):
            path = f"document.{zone}[{number - 1}].{tag}"
            report.add("COM-NUMBER", path, f"Numbered {number} instead: lines are numbered from 1.", "warning")
        line[tag] = number
        came_with = number if stated is None else stated
        found[came_with] = None if came_with in found else number
    return found


def _follow_lines(document: Document, lines: Mapping[int, int | None], report: Report) -> None:
    """Let subtotals name lines by the numbers that these have now."""
    for index, subtotal in document.items("SubTotInfo"):
        for place, named in enumerate(subtotal.get("LineasDeta") or ()):
            if named is None:
                continue
            path = f"document.SubTotInfo[{index}].LineasDeta[{place}]"
            number = lines.get(named)
            if number is None:
                why = "several lines have that number" if named in lines else "no line has that number"
                report.add("COM-LINES", path, f"Correct LineasDeta {named}: {why}.")
            elif number != named:
                subtotal["LineasDeta"][place] = number
                report.add("COM-NUMBER", path, f"Line {named} is {number} now, as it was numbered.", "warning")


def _name_agents(document: Document) -> None:
    """IndAgente has one value only, so whoever states Retenedor means it (SII, Formato DTE 2.5, field IndAgente)."""
    for _, line in document.items("Detalle"):
        if line.get("Retenedor"):
            line["Retenedor"].setdefault("IndAgente", "R")


def _complete_boleta(document: Document, report: Report) -> None:
    document.receptor.setdefault("RUTRecep", ANONYMOUS)
    for _, subtotal in document.items("SubTotInfo"):
        subtotal.setdefault("OrdenSTI", subtotal["NroSTI"])
    for index, reference in document.items("Referencia"):
        if document.profile != "2019":
            _complete_set(reference)
            continue
        code, folio = reference.pop("TpoDocRef", None), reference.pop("FolioRef", None)
        if code is None and folio is None:
            continue
        if code is not None and "CodRef" not in reference:
            reference["CodRef"], code = code, None
        if left := " ".join(text for text in (code, folio) if text):
            reference["RazonRef"] = f"{left} {reference.get('RazonRef') or ''}"[:90].strip()
            path = f"document.Referencia[{index}]"
            sentence = (
                "TpoDocRef and FolioRef were written in CodRef and RazonRef: this edition of the format lacks them."
            )
            report.add("COM-REFERENCE", path, sentence, "warning")


def _complete_set(reference: Values) -> None:
    """Boletas of a certification set say so in CodRef, which has room for letters (instructions of the sets)."""
    if reference.get("TpoDocRef") == TEST_SET and "CodRef" not in reference:
        reference["CodRef"] = reference.pop("TpoDocRef")


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


def _complete_guide(document: Document, issuer: IssuerData | None) -> None:
    if document.id_doc.get("IndTraslado") != INTERNAL_TRANSFER or issuer is None:
        return
    if document.receptor.get("RUTRecep", issuer.rut) == issuer.rut:
        _complete_own(document, issuer)


def _complete_own(document: Document, issuer: IssuerData) -> None:
    """The issuer as its own receiver."""
    receptor = document.receptor
    row = ((format_of(document.type, document.profile).rows or {})["Encabezado"].rows or {})["Receptor"]
    own = read_group(row, {tag: getattr(issuer, name) for tag, name in _OWN.items()}, "", Report())
    for tag, value in own.items():
        receptor.setdefault(tag, value)


def _complete_note(document: Document, issuer: IssuerData | None, referenced: Referenced, report: Report) -> None:
    changed = changed_documents(document)
    kinds = {type_referred(reference) for _, reference in changed}
    if not kinds:
        return
    keys = [(type_referred(reference) or 0, folio_referred(reference) or 0) for _, reference in changed]
    known = [referenced.get(key) for key in keys]
    if kinds <= BOLETA_TYPES:
        _complete_buyer(document, issuer, known[0])
    _repeat(document, known)
    if all(reference.get("CodRef") == CORRECTS_TEXT for _, reference in changed):
        _only_words(document, report)
    if kinds <= EXEMPT_TYPES or all(facts is not None and facts.without_vat for facts in known):
        _exempt(document, "Detalle", "IndExe", report)
        _exempt(document, "DscRcgGlobal", "IndExeDR", report)


def _complete_buyer(document: Document, issuer: IssuerData | None, boleta: ReferencedDocument | None) -> None:
    """A note on a boleta goes to who bought; where nobody says who that was, to the issuer (SII, FAQ 001.380.6571)."""
    receptor = document.receptor
    if "RUTRecep" not in receptor:
        if boleta is not None and boleta.receiver != ANONYMOUS:
            receptor["RUTRecep"] = boleta.receiver
        elif "RznSocRecep" in receptor or issuer is None:  # somebody whose RUT isn't known
            receptor["RUTRecep"] = ANONYMOUS
        else:
            receptor["RUTRecep"] = issuer.rut
            _complete_own(document, issuer)
    if receptor["RUTRecep"] == ANONYMOUS:
        receptor.setdefault("RznSocRecep", NOBODY)


def _repeat(document: Document, known: Sequence[ReferencedDocument | None]) -> None:
    """A note repeats of what it changes the kind of sale, which is a line of the tax return, and the principal."""
    if not all(known):
        return
    sale_kinds = {facts.sale_kind for facts in known if facts is not None}
    principals = {facts.principal for facts in known if facts is not None}
    if len(sale_kinds) == 1 and document.type == CREDIT_NOTE and (kind := sale_kinds.pop()):
        document.id_doc.setdefault("TpoTranVenta", kind)
    if len(principals) == 1 and (principal := principals.pop()):
        document.header.setdefault("RUTMandante", principal)


def _only_words(document: Document, report: Report) -> None:
    """Lines of a note that corrects text have no quantity: the SII objects to one without a price (DET-1-200)."""
    for index, line in document.items("Detalle"):
        if "PrcItem" in line and line["PrcItem"] != 0:
            continue
        line.pop("PrcItem", None)
        if line.get("QtyItem") is not None:
            del line["QtyItem"]
            path = f"document.Detalle[{index}].QtyItem"
            sentence = "QtyItem was left out: a note that corrects text (CodRef 2) has words, no quantity and no price."
            report.add("COM-TEXT", path, sentence, "warning")


def _exempt(document: Document, zone: str, tag: str, report: Report) -> None:
    """Lines of a note on an exempt document are exempt, said or not."""
    for index, line in document.items(zone):
        if tag not in line:
            line[tag] = 1
            path = f"document.{zone}[{index}].{tag}"
            report.add("COM-EXEMPT", path, "Stated as exempt: the document that the note changes is.", "warning")
