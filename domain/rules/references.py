"""Rules of references: what a note changes, and what other documents a document names (practice: see notes).

Sources: SII, Formato DTE 2.5, zone F (Referencia); codes of the SII's answers (REF-…).
"""

from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.changes import ANNULS, CORRECTS_AMOUNTS, CORRECTS_TEXT
from domain.codes.document_types import (
    ANNULLED_BY_DEBIT,
    BOLETA_TYPES,
    CHANGEABLE,
    CREDIT_NOTE,
    CREDIT_NOTES,
    EXPORTS,
    NOTES,
    OTHER_REFERENCES,
    SETTLEMENT,
    TAX_DOCUMENTS,
)
from domain.document import folio_referred, type_referred
from domain.money import Number, figure
from domain.rules.rule import NOT_BOLETAS, Change, Rule, View
from domain.rut import ANONYMOUS

FOLIO_DIGITS = 10
MONTHS_TO_DEDUCT = 6
"""Months after a sale in which a note may lower its VAT (DL 825, article 70)."""
DEAD = frozenset({"rejected", "invalid", "cancelled", "withdrawn"})
"""States of documents that were never issued, or not for the SII."""

_REFERENCE = "document.Referencia[]"
_TAXES = "document.Encabezado.Totales.ImptoReten"
_FORMAT = "SII, Formato DTE 2.5"
_CHANGING = NOTES | {SETTLEMENT}
"""Types that change other documents: notes, and the liquidación below zero that annuls another."""


def _changes_nothing(view: View) -> Iterator[Finding]:
    stated = any(
        item.get("TpoDocRef", "") is None or type_referred(item) in TAX_DOCUMENTS for _, item in view.references
    )
    if not view.changes and not stated and None not in (view.document.values.get("Referencia") or ()):
        yield "document.Referencia", {}


def _without_code(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        if "CodRef" not in reference and type_referred(reference) in TAX_DOCUMENTS:
            yield f"document.Referencia[{index}].CodRef", {}


def _not_creditable(view: View) -> Iterator[Finding]:
    for change in view.changes:
        if change.type not in CHANGEABLE[view.type]:
            yield f"{change.path}.TpoDocRef", {"type": change.type, "note": view.type}


def _more_than_one(view: View) -> Iterator[Finding]:
    if len(view.changes) > 1 and any(change.code != CORRECTS_AMOUNTS for change in view.changes):
        yield f"{view.changes[1].path}.CodRef", {"count": len(view.changes)}


def _unknown_type(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        kind = type_referred(reference)
        if kind is not None and kind not in TAX_DOCUMENTS and kind not in OTHER_REFERENCES:
            yield f"document.Referencia[{index}].TpoDocRef", {"type": kind}


def _folio(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        written = reference.get("FolioRef")
        if written is None or type_referred(reference) not in TAX_DOCUMENTS:
            continue
        folio = folio_referred(reference)
        if folio is None or len(written) > FOLIO_DIGITS or (not folio and "IndGlobal" not in reference):
            yield f"document.Referencia[{index}].FolioRef", {}


def _other_taxpayer(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        other = reference.get("RUTOtr")
        own = other == view.document.emisor.get("RUTEmisor")
        if other and (own or type_referred(reference) not in TAX_DOCUMENTS):
            yield f"document.Referencia[{index}].RUTOtr", {}


def _later(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        day = reference.get("FchRef")
        if day is not None and day > view.issued_on:
            yield f"document.Referencia[{index}].FchRef", {"day": day, "issued": view.issued_on}


def _other_amounts(view: View) -> Iterator[Finding]:
    for change in view.changes:
        known = change.known
        if known is None or change.code != ANNULS or not view.totals:
            continue
        totals = view.totals
        pairs: tuple[tuple[str, Number | None], ...] = (
            ("MntTotal", known.total),
            ("MntNeto", known.net),
            ("MntExe", known.exempt),
            ("IVA", known.vat),
        )
        if change.type in BOLETA_TYPES and known.net is None and known.vat is None:
            pairs = pairs[:1]  # a boleta may state its total alone
        for tag, amount in pairs:
            if totals.get(tag, 0) != (amount or 0):
                figures = {"tag": tag, "stated": figure(totals.get(tag, 0)), "computed": figure(amount or 0)}
                yield f"document.Encabezado.Totales.{tag}", figures
                break


def _other_receiver(view: View) -> Iterator[Finding]:
    for change in view.changes:
        known = change.known
        if known is None or view.receiver in (None, known.receiver):
            continue
        usual = (ANONYMOUS, view.document.emisor.get("RUTEmisor"))
        of_boleta = change.type in BOLETA_TYPES and (view.receiver in usual or known.receiver == ANONYMOUS)
        if not of_boleta:
            figures = {"stated": view.receiver, "known": known.receiver}
            yield "document.Encabezado.Receptor.RUTRecep", figures


def _text_with_amounts(view: View) -> Iterator[Finding]:
    if any(change.code == CORRECTS_TEXT for change in view.changes) and view.totals.get("MntTotal"):
        yield "document.Encabezado.Totales.MntTotal", {"total": figure(view.totals["MntTotal"])}


def _more_than_there_was(view: View) -> Iterator[Finding]:
    """All notes on a document together take off no more than it and the notes that add to it come to."""
    changes = [change for change in view.changes if change.code != CORRECTS_TEXT]
    left = [_left(change) for change in changes if change.known is not None and not change.known.annulled]
    if not left or len(left) != len(changes) or not view.totals or _annuls_otherwise(view):
        return
    total: Number = view.totals["MntTotal"]
    if total > sum(left):
        yield "document.Encabezado.Totales.MntTotal", {"total": figure(total), "left": figure(sum(left))}


def _annuls_otherwise(view: View) -> bool:
    """Whether a note that annuls has another total than what it annuls, which is a fault of its own."""
    return any(
        change.code == ANNULS and change.known is not None and change.known.total != view.totals["MntTotal"]
        for change in view.changes
    )


def _left(change: Change) -> Number:
    """What notes may still take off a known document."""
    known = change.known
    return 0 if known is None else known.total + known.debited - known.credited


def _annulled(view: View) -> Iterator[Finding]:
    for change in view.changes:
        if change.known is not None and change.known.annulled:
            yield f"{change.path}.FolioRef", {"type": change.type, "folio": change.folio}


def _annuls_what_it_can_not(view: View) -> Iterator[Finding]:
    for change in view.changes:
        if change.code == ANNULS and change.type in CHANGEABLE[view.type] - ANNULLED_BY_DEBIT[view.type]:
            yield f"{change.path}.CodRef", {"type": change.type}


def _dead(view: View) -> Iterator[Finding]:
    for change in view.changes:
        if change.known is not None and change.known.state in DEAD:
            yield f"{change.path}.FolioRef", {"type": change.type, "folio": change.folio, "state": change.known.state}


def _not_known(view: View) -> Iterator[Finding]:
    for change in view.changes:
        if change.known is None and change.folio:
            yield f"{change.path}.FolioRef", {"type": change.type, "folio": change.folio}


def _other_day(view: View) -> Iterator[Finding]:
    for change in view.changes:
        day = change.reference.get("FchRef")
        if change.known is not None and day is not None and day != change.known.issued_on:
            yield f"{change.path}.FchRef", {"stated": day, "known": change.known.issued_on}


def _too_late_to_deduct(view: View) -> Iterator[Finding]:
    if view.id_doc.get("IndNoRebaja") or not view.totals.get("IVA"):
        return
    for change in view.changes:
        day = change.reference.get("FchRef")
        if day is None:
            continue
        months = 12 * (view.issued_on.year - day.year) + view.issued_on.month - day.month
        if (months, view.issued_on.day) > (MONTHS_TO_DEDUCT, day.day):
            yield "document.Encabezado.IdDoc.IndNoRebaja", {"day": day}


def _other_taxes(view: View) -> Iterator[Finding]:
    for change in view.changes:
        known = change.known
        if known is None or known.taxes is None or change.code != ANNULS or not view.totals:
            continue
        stated = {tax["TipoImp"]: tax["MontoImp"] for tax in view.totals.get("ImptoReten") or ()}
        for code in sorted(stated.keys() | known.taxes.keys(), key=int):
            written, computed = stated.get(code, 0), known.taxes.get(code, 0)
            if written != computed:
                yield _TAXES, {"code": code, "stated": written, "computed": computed}
                break


RULES: tuple[Rule, ...] = (
    Rule(
        "DTE-REF-01",
        "document.Referencia",
        "State in Referencia which document the note changes (TpoDocRef, FolioRef, FchRef, CodRef).",
        _changes_nothing,
        f"{_FORMAT}, zone F: mandatory in notes; SII REF-3-415",
        NOTES,
    ),
    Rule(
        "DTE-REF-02",
        f"{_REFERENCE}.CodRef",
        "State CodRef: 1 annuls the document, 2 corrects its text, 3 its amounts.",
        _without_code,
        "SII REF-3-758",
        NOTES,
    ),
    Rule(
        "DTE-REF-03",
        f"{_REFERENCE}.TpoDocRef",
        "Refer to another document: a note of type {note} can't change one of type {type}.",
        _not_creditable,
        f"{_FORMAT}, field TpoDocRef; SII REF-3-415",
        NOTES,
    ),
    Rule(
        "DTE-REF-04",
        f"{_REFERENCE}.CodRef",
        "Make one note for each document: with CodRef 1 or 2 it changes exactly one, not {count}.",
        _more_than_one,
        f"{_FORMAT}, field CodRef",
        _CHANGING,
    ),
    Rule(
        "DTE-REF-05",
        f"{_REFERENCE}.TpoDocRef",
        "Correct TpoDocRef: the SII has no document of type {type}.",
        _unknown_type,
        f"{_FORMAT}, table of TpoDocRef",
        NOT_BOLETAS,
    ),
    Rule(
        "DTE-REF-06",
        f"{_REFERENCE}.FolioRef",
        "State the folio of the tax document: digits only, up to ten; 0 only with IndGlobal.",
        _folio,
        f"{_FORMAT}, field FolioRef",
        NOT_BOLETAS,
    ),
    Rule(
        "DTE-REF-08",
        f"{_REFERENCE}.RUTOtr",
        "Take RUTOtr out: it is for tax documents that another company issued.",
        _other_taxpayer,
        f"{_FORMAT}, field RUTOtr",
        NOTES,
    ),
    Rule(
        "DTE-REF-09",
        f"{_REFERENCE}.FchRef",
        "Check FchRef: {day} is after this document's {issued}.",
        _later,
        f"{_FORMAT}, field FchRef",
        NOT_BOLETAS,
        "warning",
    ),
    Rule(
        "DTE-REF-10",
        "document.Encabezado.Totales.MntTotal",
        "Repeat the document that is annulled: its {tag} is {computed}, the note's {stated}; for a part use CodRef 3; "
        "for prices with VAT state MntBruto 1.",
        _other_amounts,
        "SII REF-2-780",
        NOTES,
    ),
    Rule(
        "DTE-REF-11",
        "document.Encabezado.Receptor.RUTRecep",
        "State the receiver of the document that is changed, {known}, not {stated}.",
        _other_receiver,
        "SII REF-3-751",
        _CHANGING,
    ),
    Rule(
        "DTE-REF-12",
        "document.Encabezado.Totales.MntTotal",
        "Take the amounts out: a note that corrects text (CodRef 2) totals 0, not {total}.",
        _text_with_amounts,
        "SII REF-2-781",
        NOTES,
    ),
    Rule(
        "DTE-REF-13",
        "document.Encabezado.Totales.MntTotal",
        "Lower the amounts: {total} is more than the {left} that is left of what the note changes.",
        _more_than_there_was,
        f"{_FORMAT}, field CodRef",
        CREDIT_NOTES,
    ),
    Rule(
        "DTE-REF-14",
        f"{_REFERENCE}.FolioRef",
        "Refer to a document that stands: {type} {folio} is {state}.",
        _dead,
        "SII REF-3-750",
        _CHANGING,
    ),
    Rule(
        "DTE-REF-15",
        f"{_REFERENCE}.FolioRef",
        "Check {type} {folio} yourself: FMgo didn't issue it, so receiver and amounts aren't proven.",
        _not_known,
        "SII REF-3-750, REF-3-751, REF-2-780",
        _CHANGING,
        "warning",
    ),
    Rule(
        "DTE-REF-16",
        f"{_REFERENCE}.FchRef",
        "Check FchRef: it says {stated}, the document is of {known}.",
        _other_day,
        f"{_FORMAT}, field FchRef",
        _CHANGING,
        "warning",
    ),
    Rule(
        "DTE-REF-17",
        "document.Encabezado.IdDoc.IndNoRebaja",
        "State IndNoRebaja 1 if the law's six months since {day} have passed for this note.",
        _too_late_to_deduct,
        "DL 825, article 70",
        frozenset({CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-REF-18",
        f"{_REFERENCE}.FolioRef",
        "Refer to a document that stands: {type} {folio} is annulled already.",
        _annulled,
        f"{_FORMAT}, field CodRef",
        _CHANGING,
    ),
    Rule(
        "DTE-REF-19",
        f"{_REFERENCE}.CodRef",
        "Annul it with a credit note: a debit note (CodRef 1) annuls credit notes only, no document of type {type}.",
        _annuls_what_it_can_not,
        f"{_FORMAT}, field CodRef",
        frozenset(ANNULLED_BY_DEBIT),
    ),
    Rule(
        "DTE-REF-20",
        _TAXES,
        "Repeat the taxes of the document that is annulled: its tax {code} is {computed}, the note's {stated}.",
        _other_taxes,
        f"{_FORMAT}, field CodRef; SII REF-2-780",
        NOTES - EXPORTS,
    ),
)
