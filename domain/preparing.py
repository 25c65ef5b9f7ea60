"""From a job's `document` to one that can be issued: read, completed, calculated and judged, all problems told at once.

It promises that what comes out is right but for its folio and signature, and that nothing which the official schema or
a rule refuses comes out at all, so that no folio is spent on it. The world comes in as arguments: who issues, what day
it is, what the ledger knows of the documents that a note changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from domain.calculation.totals import calculate as calculate_totals
from domain.changes import ANNULS, CORRECTS_AMOUNTS, changes_of
from domain.codes.document_types import (
    BOLETA_TYPES,
    DOCUMENT_TYPES,
    EXPORTS,
    INVOICE,
    NOTES,
    SETTLEMENT,
    TAX_DOCUMENTS,
)
from domain.completion import NOBODY, Referenced, complete
from domain.completion import IssuerData as IssuerData
from domain.completion import ReferencedDocument as ReferencedDocument
from domain.document import Document, annuls_settlement
from domain.format.kinds import Unreadable, Whole
from domain.format.reading import Report, add_missing, read_group
from domain.format.table import Profile, profile_on
from domain.format.types import every_tag, format_of, places_of
from domain.money import Number, figure
from domain.problems import InvalidDocument, Problem, shown
from domain.rules import View, judge

_TYPE_PATH = "document.Encabezado.IdDoc.TipoDTE"
_TYPE = Whole(1, 999)
_TAX_FOLIO = Whole(1, 9_999_999_999)
_CODE = Whole(ANNULS, CORRECTS_AMOUNTS)


@dataclass(frozen=True, slots=True)
class StampFields:
    """What the stamp repeats of a document; texts are neither cut nor escaped."""

    issuer: str
    document_type: int
    issued_on: date
    receiver: str
    receiver_name: str
    total_text: str
    first_item: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may be issued; amounts are whole pesos (in exports another currency's), `receiver` is a RUT.

    `changes` is the type and folio of the document that a note changes, None for others and for notes on several.
    """

    document_type: int
    document: Document
    issued_on: date
    receiver: str
    total: Number
    net: int | None
    exempt: Number | None
    vat: int | None
    warnings: tuple[Problem, ...]
    changes: tuple[int, int] | None

    def render(self, folio: int) -> str:
        """The inner text of `<Documento>` from `<Encabezado>` to the stamp: escaped, in order, final.

        Line feeds stand only between tags and keep lines under some 3,900 characters; they are part of what is signed.
        """
        return self.document.render(folio)

    @property
    def profile(self) -> Profile:
        """The edition of the format that the document follows."""
        return self.document.profile

    @property
    def stamp(self) -> StampFields:
        """What the stamp repeats."""
        lines = self.document.items("Detalle")
        return StampFields(
            issuer=self.document.emisor.get("RUTEmisor", ""),
            document_type=self.document_type,
            issued_on=self.issued_on,
            receiver=self.receiver,
            receiver_name=self.document.receptor.get("RznSocRecep", NOBODY),
            total_text=figure(self.total),
            first_item=lines[0][1]["NmbItem"],
        )


def prepare(
    raw_document: Mapping[str, Any],
    *,
    issuer: IssuerData | None,
    today: date,
    referenced: Referenced,
    profile: Profile | None = None,
    uf: Number | None = None,
) -> Prepared:
    """Make a document ready to be issued.

    `raw_document` is the job's `document`: official tags with JSON's kinds of values. Without `issuer` (nobody knows
    it) everything else is still checked. `today` is Chile's. `profile` is the edition of the format to follow, by
    default that of the document's day; `uf` is the value of the UF in pesos that limits of that day go by (that of
    `domain.codes.uf.fixing_day`): without it they aren't asked about. Raises InvalidDocument with every problem.
    """
    report = Report()
    document_type = type_of(raw_document, report)
    edition = profile or profile_of(raw_document, today)
    document = read_document(raw_document, INVOICE if document_type is None else document_type, edition, report)
    if document_type is None:
        raise InvalidDocument(sure_problems(report))
    complete(document, issuer=issuer, today=today, referenced=referenced, report=report)
    findings = calculate_totals(document, document.id_doc.get("FchEmis") or today)
    if not findings.complete:
        _leave_open(document)
    _missing(document, issuer, report)
    judge(View(document, findings, issuer=issuer, today=today, referenced=referenced, uf=uf), report)
    if report.errors:
        raise InvalidDocument(report.told())
    return _prepared(document, report.told())


def references_of(raw_document: object) -> tuple[tuple[int, int], ...]:
    """Type and folio of the tax documents of the same issuer that a note changes, as far as they can be read.

    Of a liquidación they are those that it annuls if its total is below zero. Never raises; whatever isn't a usable
    reference is passed over.
    """
    return tuple(dict.fromkeys(key for key, _ in _changes(raw_document)))


def repeated_by(raw_document: object) -> tuple[tuple[int, int], ...]:
    """Those of `references_of` of which the note repeats what only their bytes say: not boletas, nor exports."""
    plain = BOLETA_TYPES | EXPORTS
    return tuple(dict.fromkeys(key for key, _ in _changes(raw_document) if key[0] not in plain))


def stated_day(raw_document: Mapping[str, Any]) -> date | None:
    """FchEmis as a document states it, None when it states no day. Never raises."""
    value: Any = raw_document
    for step in ("Encabezado", "IdDoc", "FchEmis"):
        value = value.get(step) if isinstance(value, Mapping) else None
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def profile_of(raw_document: Mapping[str, Any], today: date) -> Profile:
    """The edition of the format of a document by its own day, `today` where it states none."""
    return profile_on(stated_day(raw_document) or today)


def _changes(raw_document: object) -> Iterator[tuple[tuple[int, int], int | None]]:
    """Type and folio of what a note changes, with the code that says how (None: none of the three)."""
    document_type = type_of(raw_document, Report()) if isinstance(raw_document, Mapping) else None
    if not isinstance(raw_document, Mapping) or document_type not in NOTES | {SETTLEMENT}:
        return
    written = raw_document.get("Referencia")
    for reference in written if isinstance(written, (list, tuple)) else (written,):
        if not isinstance(reference, Mapping) or reference.get("RUTOtr"):
            continue
        kind, folio = _whole(_TYPE, reference.get("TpoDocRef")), _whole(_TAX_FOLIO, reference.get("FolioRef"))
        if document_type == SETTLEMENT:
            if folio is not None and annuls_settlement(kind, reference.get("CodRef")):
                yield (SETTLEMENT, folio), ANNULS
            continue
        if reference.get("CodRef") in (None, ""):
            continue
        if kind in TAX_DOCUMENTS and folio is not None:
            yield (kind, folio), _whole(_CODE, reference.get("CodRef"))


def _whole(kind: Whole, written: object) -> int | None:
    try:
        read = kind.read(written)
    except Unreadable:
        return None
    return read if isinstance(read, int) else None


def sure_problems(report: Report) -> Iterator[Problem]:
    """Of a document whose type isn't known, and which was read by another's table, the problems that it has anyhow."""
    sure = [problem for problem in report.told() if _is_sure(problem)]
    if not any(problem.level == "error" for problem in sure):
        sure.append(Problem("DOC-TYPE", _TYPE_PATH, f"State TipoDTE: {_able()}."))
    yield from sure


def _is_sure(problem: Problem) -> bool:
    """Whether a problem is one in a document of any type."""
    if problem.code == "FMT-UNKNOWN":
        name = problem.path.rpartition(".")[2]
        return name not in every_tag() or problem.path.count(".") == 1
    return problem.code == "DOC-TYPE" or not (problem.path == _TYPE_PATH or problem.code in _OF_THE_TABLE)


_OF_THE_TABLE = (
    "FMT-PROFILE",
    "FMT-FORBIDDEN",
    "FMT-LEFT-OUT",
    "FMT-CUT",
    "FMT-CHOICE",
    "FMT-LENGTH",
    "FMT-MANY",
)
"""Codes that say nothing about a document whose type, and so whose table, isn't known."""


def type_of(raw_document: object, report: Report) -> int | None:
    """The type of a document as it was written, if it is one that FMgo issues; reports it if not."""
    header = raw_document.get("Encabezado") if isinstance(raw_document, Mapping) else None
    id_doc = header.get("IdDoc") if isinstance(header, Mapping) else None
    written = id_doc.get("TipoDTE") if isinstance(id_doc, Mapping) else None
    issued = [kind.code for kind in DOCUMENT_TYPES.values() if kind.issued]
    able = _able()
    if written is None or written == "":
        if _stands_elsewhere(raw_document):
            return None
        report.add("DOC-TYPE", _TYPE_PATH, f"State TipoDTE: {able}.")
        return None
    try:
        code = _TYPE.read(written)
    except Unreadable:
        code = None
    if code in issued:
        return int(str(code))
    known = DOCUMENT_TYPES.get(code) if isinstance(code, int) else None
    what = f"{known.code}, {known.name}, isn't one of them yet" if known else f"the SII has no type {shown(written)}"
    report.add("DOC-TYPE", _TYPE_PATH, f"Change TipoDTE: {what}; {able}.")
    return None


@cache
def _able() -> str:
    return f"FMgo issues {', '.join(str(kind.code) for kind in DOCUMENT_TYPES.values() if kind.issued)}"


def _stands_elsewhere(raw_document: object, deepest: int = 5) -> bool:
    """Whether TipoDTE stands under names that aren't the format's: these are told, and the type isn't missing."""
    if not isinstance(raw_document, Mapping) or not deepest:
        return False
    return any(
        (str(name)[:20].casefold() in ("tipodte", "tipo_dte") and each and type(each) in (int, str))
        or _stands_elsewhere(each, deepest - 1)
        for name, each in raw_document.items()
    )


def read_document(raw_document: object, document_type: int, profile: Profile, report: Report) -> Document:
    """A document as it was written, read by its type's table; rooms that every document has are made."""
    if not isinstance(raw_document, Mapping):
        report.add("FMT-KIND", "document", f"Write the document as an object, not {shown(raw_document)}.")
        raw_document = {}
    report.places = places_of(document_type, profile)
    values = read_group(format_of(document_type, profile), raw_document, "document", report)
    header = values["Encabezado"] = values.get("Encabezado") or {}
    for tag in ("IdDoc", "Emisor", "Receptor", "Totales"):
        header[tag] = header.get(tag) or {}
    return Document(document_type, values, profile)


_COMPUTED = {"Totales": frozenset({"MntExe", "MntTotal"}), "OtraMoneda": frozenset({"MntTotOtrMnda"})}
"""Mandatory tags that the calculation fills in."""


def _leave_open(document: Document) -> None:
    """Mark what couldn't be computed, so that nobody asks for it."""
    header = (format_of(document.type, document.profile).rows or {})["Encabezado"].rows or {}
    for zone, tags in _COMPUTED.items():
        if (group := document.header.get(zone)) is not None:
            for tag in tags & set(header[zone].required):
                group.setdefault(tag, None)
    for _, line in document.items("Detalle"):
        line.setdefault("MontoItem", None)


def _missing(document: Document, issuer: IssuerData | None, report: Report) -> None:
    """Report mandatory tags that aren't there; what an unknown issuer would have given isn't asked for."""
    if issuer is not None:
        add_missing(format_of(document.type, document.profile), document.values, "document", report)
        return
    asked = Report()
    asked.misplaced = report.misplaced
    add_missing(format_of(document.type, document.profile), document.values, "document", asked)
    for problem in asked.problems:
        if not problem.path.startswith("document.Encabezado.Emisor."):
            report.add(problem.code, problem.path, problem.message)


def _prepared(document: Document, warnings: tuple[Problem, ...]) -> Prepared:
    totals = document.totals
    changes = changes_of(document)
    return Prepared(
        document_type=document.type,
        document=document,
        issued_on=document.id_doc["FchEmis"],
        receiver=document.receptor["RUTRecep"],
        total=totals["MntTotal"],
        net=totals.get("MntNeto"),
        exempt=totals.get("MntExe"),
        vat=totals.get("IVA"),
        warnings=warnings,
        changes=changes[0].key if len(changes) == 1 else None,
    )
