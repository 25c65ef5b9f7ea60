"""Rules of practice for notes: to whom a note on a boleta goes, what may be annulled until when and by what.

No schema holds them; the SII answers them in its frequent questions (FAQ), with the day of the answer's last change.
What the SII is only known to remark on, or not known to look at, is a warning.
"""

from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.changes import ANNULS, CORRECTS_AMOUNTS
from domain.codes.document_types import (
    BOLETA_TYPES,
    CREDIT_NOTE,
    DEBIT_NOTE,
    NOTES,
    SETTLEMENT,
)
from domain.document import folio_referred, type_referred
from domain.format.reading import Values
from domain.money import Number, figure
from domain.rules.rule import Rule, View
from domain.rut import ANONYMOUS

PERIODS_TO_ANNUL = 1
"""Tax periods (months) after its own in which a document may be annulled by a note."""
OF_THE_GIRO = 1
"""TpoTranVenta of a document that states none."""

_ANNULLED_IN_TERM = frozenset({33, 34, 46, 56, 61, 30, 32, 45, 55, 60})
"""What the SII's term of annulment is about: facturas, facturas de compra and notes, electronic and on paper."""
_TOTALS = "document.Encabezado.Totales"
_RECEIVER = "document.Encabezado.Receptor.RUTRecep"


def over_many_boletas(view: View, reference: Values) -> bool:
    """Whether a reference says that a nota de crédito corrects the amounts of more boletas than it can name."""
    return (
        view.type == CREDIT_NOTE
        and bool(reference.get("IndGlobal"))
        and type_referred(reference) in BOLETA_TYPES
        and reference.get("CodRef") == CORRECTS_AMOUNTS
    )


def _global(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        misplaced = view.type in NOTES and not over_many_boletas(view, reference)
        if reference.get("IndGlobal") and (misplaced or folio_referred(reference) != 0):
            yield f"document.Referencia[{index}].IndGlobal", {}


def _one_for_many(view: View) -> Iterator[Finding]:
    for index, reference in view.references:
        if over_many_boletas(view, reference):
            yield f"document.Referencia[{index}].IndGlobal", {}


def _to_nobody(view: View) -> Iterator[Finding]:
    named = view.receiver not in (None, ANONYMOUS, view.document.emisor.get("RUTEmisor"))
    if view.on_boleta and not named and not any(over_many_boletas(view, each) for _, each in view.references):
        yield _RECEIVER, {"stated": view.receiver}


def _other_kind_of_sale(view: View) -> Iterator[Finding]:
    stated = view.id_doc.get("TpoTranVenta")
    for change in view.changes:
        kind = None if change.known is None else change.known.sale_kind
        if stated is not None and kind is not None and stated != (kind or OF_THE_GIRO):
            yield "document.Encabezado.IdDoc.TpoTranVenta", {"stated": stated, "known": kind or OF_THE_GIRO}
            break


def _after_the_term(view: View) -> Iterator[Finding]:
    if view.id_doc.get("IndNoRebaja"):
        return
    for change in view.changes:
        day = change.known.issued_on if change.known is not None else change.reference.get("FchRef")
        if day is None or change.code != ANNULS or change.type not in _ANNULLED_IN_TERM:
            continue
        periods = 12 * (view.issued_on.year - day.year) + view.issued_on.month - day.month
        if periods > PERIODS_TO_ANNUL:
            yield f"{change.path}.CodRef", {"day": day}


def _annuls_settlement(view: View) -> Iterator[Finding]:
    for change in view.changes:
        if change.code == ANNULS and change.type == SETTLEMENT:
            yield f"{change.path}.CodRef", {}


def _not_the_opposite(view: View) -> Iterator[Finding]:
    for change in view.changes:
        known = change.known
        if known is None or not view.totals:
            continue
        pairs: tuple[tuple[str, Number | None], ...] = (
            ("MntTotal", known.total),
            ("MntNeto", known.net),
            ("MntExe", known.exempt),
            ("IVA", known.vat),
        )
        for tag, amount in pairs:
            stated, opposite = view.totals.get(tag, 0), -(amount or 0)
            if stated != opposite:
                yield f"{_TOTALS}.{tag}", {"tag": tag, "stated": figure(stated), "computed": figure(opposite)}
                break


RULES: tuple[Rule, ...] = (
    Rule(
        "DTE-REF-07",
        "document.Referencia[].IndGlobal",
        "Name each document in a reference of its own, up to 40: IndGlobal goes with FolioRef 0, and in notes only "
        "where a nota de crédito corrects the amounts of boletas (CodRef 3).",
        _global,
        "SII, Formato DTE 2.5, field IndGlobal; SII, FAQ 001.380.7865 (2025-05-26)",
        frozenset({33, 34, 43, 46, 52, 56, 61, 110, 111, 112}),
    ),
    Rule(
        "DTE-REF-21",
        _RECEIVER,
        "State the buyer in the place of {stated}: a note on a boleta names who bought; only where that can't be found "
        "out does it go to the issuer itself.",
        _to_nobody,
        "SII, FAQ 001.380.6571 (2025-05-26)",
        frozenset({CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-REF-22",
        "document.Encabezado.IdDoc.TpoTranVenta",
        "Check TpoTranVenta: the note says {stated}, what it changes {known}; each has another line of the tax return.",
        _other_kind_of_sale,
        "SII, FAQ 001.003.6973 (2025-06-27) and 001.130.5825 (2025-06-09)",
        frozenset({CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-REF-23",
        "document.Referencia[].CodRef",
        "Ask the SII for the VAT by petition (form 2117); a nota de crédito then states IndNoRebaja 1: a document of "
        "{day} may be annulled in its own tax period and the next.",
        _after_the_term,
        "SII, FAQ 001.003.7335 (2025-06-30) and 001.003.2167 (2025-05-28)",
        frozenset({CREDIT_NOTE, DEBIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-REF-24",
        "document.Referencia[].CodRef",
        "Annul the liquidación by another one (43) with the same amounts below zero that refers to it, not by a note.",
        _annuls_settlement,
        "SII, FAQ 001.003.7335 (2025-06-30)",
        frozenset({CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "DTE-REF-25",
        "document.Referencia[].IndGlobal",
        "Watch the verdict: it isn't proven that one note may correct many boletas; up to 40 can be named one by one.",
        _one_for_many,
        "SII, FAQ 001.380.7865 (2025-05-26); SII, Formato DTE 2.5, field IndGlobal",
        frozenset({CREDIT_NOTE}),
        "warning",
    ),
    Rule(
        "LIQ-REF-01",
        _TOTALS,
        "Repeat the liquidación that is annulled with its amounts below zero: its {tag} asks for {computed}, this one "
        "says {stated}; if it isn't to be annulled, state CodRef 3.",
        _not_the_opposite,
        "SII, FAQ 001.003.7335 (2025-06-30)",
        frozenset({SETTLEMENT}),
    ),
)
"""Rules of practice for notes, and for the liquidación that annuls another."""
