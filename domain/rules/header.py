"""Rules of the header: who, when and how it is paid.

Sources: SII, Formato DTE 2.5, zone A; SII, Formato Boletas 4.2; codes of the SII's answers where they are known.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from domain.calculation.findings import Finding
from domain.codes.document_types import DISPATCH_GUIDE, EXEMPT_INVOICE, EXPORT_INVOICE, INVOICE, NOTES, SETTLEMENT
from domain.completion import ON_CREDIT
from domain.document import type_referred
from domain.rules.rule import EVERY, IN_PESOS, NOT_BOLETAS, Rule, View
from domain.rut import ANONYMOUS, FOREIGNER

DAYS_TO_SEND = 3
"""Days after FchEmis from which the SII remarks on the delay (reparo DTE-1-650)."""

LAST_DAY_FOR_GUIDES = 10
"""Day of the month after the deliveries until which they may be billed."""

NOTES_ONLY = 4
"""TpoTranVenta that the schema has for notas de crédito."""

_GUIDES = (DISPATCH_GUIDE, 50)
"""Guías, electronic and on paper."""
_SALES = (1, 9)
"""IndTraslado of guías that are sales; other goods may well go to oneself."""
_ID_DOC = "document.Encabezado.IdDoc"
_RECEIVER = "document.Encabezado.Receptor.RUTRecep"
_FORMAT = "SII, Formato DTE 2.5"


def _other_issuer(view: View) -> Iterator[Finding]:
    stated = view.document.emisor.get("RUTEmisor")
    if view.issuer is not None and stated not in (None, view.issuer.rut):
        yield "document.Encabezado.Emisor.RUTEmisor", {"stated": stated, "issuer": view.issuer.rut}


def _sold_to_oneself(view: View) -> Iterator[Finding]:
    if view.type == DISPATCH_GUIDE and view.id_doc.get("IndTraslado") not in _SALES:
        return
    if view.receiver is not None and view.receiver == view.document.emisor.get("RUTEmisor") and not view.on_boleta:
        yield _RECEIVER, {}


def _foreigner(view: View) -> Iterator[Finding]:
    if view.receiver == FOREIGNER and not view.id_doc.get("TipoFactEsp") and FOREIGNER not in view.changed_receivers:
        yield _RECEIVER, {}


def _anonymous(view: View) -> Iterator[Finding]:
    if view.receiver == ANONYMOUS and not view.on_boleta:
        yield _RECEIVER, {}


def _future(view: View) -> Iterator[Finding]:
    if view.issued_on > view.today:
        yield f"{_ID_DOC}.FchEmis", {"day": view.issued_on, "today": view.today}


def _late(view: View) -> Iterator[Finding]:
    if view.issued_on < view.today - timedelta(days=DAYS_TO_SEND) and not _bills_guides_of_its_month(view):
        yield f"{_ID_DOC}.FchEmis", {"day": view.issued_on}


def _earlier_month(view: View) -> Iterator[Finding]:
    recent = view.today - timedelta(days=DAYS_TO_SEND) <= view.issued_on <= view.today
    if recent and view.issued_on.month != view.today.month and not _bills_guides_of_its_month(view):
        yield f"{_ID_DOC}.FchEmis", {"day": view.issued_on}


def _guides_billed(view: View) -> list[date]:
    """The days of the guías that a factura is for, as its references state them."""
    if view.type not in (INVOICE, EXEMPT_INVOICE):
        return []
    named = [reference for _, reference in view.references if type_referred(reference) in _GUIDES]
    return [reference["FchRef"] for reference in named if reference.get("FchRef") is not None]


def _bills_guides_of_its_month(view: View) -> bool:
    days = _guides_billed(view)
    return bool(days) and all(_month(day) == _month(view.issued_on) for day in days)


def _month(day: date) -> date:
    return day.replace(day=1)


def _last_day_to_bill(view: View) -> date:
    """The 10th of the month after that of the document."""
    return (_month(view.issued_on) + timedelta(days=31)).replace(day=LAST_DAY_FOR_GUIDES)


def _other_month_than_its_guides(view: View) -> Iterator[Finding]:
    for day in _guides_billed(view):
        if _month(day) < _month(view.issued_on):
            yield f"{_ID_DOC}.FchEmis", {"day": day, "issued": view.issued_on}
            break


def _guides_billed_late(view: View) -> Iterator[Finding]:
    last = _last_day_to_bill(view)
    if view.today > last and _bills_guides_of_its_month(view):
        yield f"{_ID_DOC}.FchEmis", {"month": f"{view.issued_on:%Y-%m}", "last": last}


def _before(tag: str, other: str) -> Callable[[View], Iterator[Finding]]:
    """Finds a header day `tag` that lies before the day `other`."""

    def found(view: View) -> Iterator[Finding]:
        day, limit = view.id_doc.get(tag), view.id_doc.get(other)
        if day is not None and limit is not None and day < limit:
            yield f"{_ID_DOC}.{tag}", {"day": day, "limit": limit}

    return found


def _paid_later(view: View) -> Iterator[Finding]:
    day = view.id_doc.get("FchCancel")
    if day is not None and day > view.issued_on:
        yield f"{_ID_DOC}.FchCancel", {"day": day, "issued": view.issued_on}


def _payments(view: View) -> Iterator[Finding]:
    payments = view.id_doc.get("MntPagos")
    if payments and view.totals and not any(payment is None or payment.get("MntPago") is None for payment in payments):
        paid = sum(payment["MntPago"] for payment in payments)
        if paid != view.totals["MntTotal"]:
            yield f"{_ID_DOC}.MntPagos", {"stated": paid, "computed": view.totals["MntTotal"]}


def _paid_and_due(view: View) -> Iterator[Finding]:
    paid, due = view.id_doc.get("MntCancel"), view.id_doc.get("SaldoInsol")
    if paid is not None and due is not None and view.totals and paid + due != view.totals["MntTotal"]:
        yield f"{_ID_DOC}.MntCancel", {"stated": paid + due, "computed": view.totals["MntTotal"]}


def _credit_without_end(view: View) -> Iterator[Finding]:
    if view.id_doc.get("FmaPago") == ON_CREDIT and "FchVenc" not in view.id_doc:
        yield f"{_ID_DOC}.FchVenc", {}


def _kind_of_sale_of_notes(view: View) -> Iterator[Finding]:
    if view.id_doc.get("TpoTranVenta") == NOTES_ONLY:
        yield f"{_ID_DOC}.TpoTranVenta", {}


RULES: tuple[Rule, ...] = (
    Rule(
        "DTE-RUT-01",
        "document.Encabezado.Emisor.RUTEmisor",
        "Take RUTEmisor out or correct it: it says {stated}, the job is of {issuer}.",
        _other_issuer,
        f"{_FORMAT}, field RUTEmisor: that of the CAF and of the Carátula",
        EVERY,
    ),
    Rule(
        "DTE-RUT-02",
        _RECEIVER,
        "Check the receiver: it is the issuer itself.",
        _sold_to_oneself,
        "DL 825, article 2; practice",
        IN_PESOS,
        "warning",
    ),
    Rule(
        "DTE-RUT-03",
        _RECEIVER,
        "Check the receiver: 55555555-5 is for exports and tourists.",
        _foreigner,
        f"{_FORMAT}, field RUTRecep",
        IN_PESOS,
        "warning",
    ),
    Rule(
        "DTE-RUT-04",
        _RECEIVER,
        "Check the receiver: 66666666-6 is for boletas and notes on them.",
        _anonymous,
        "SII, Formato Boletas 4.2, field RUTRecep",
        IN_PESOS,
        "warning",
    ),
    Rule(
        "DTE-DAT-01",
        f"{_ID_DOC}.FchEmis",
        "State a day that has come: {day} is after {today}.",
        _future,
        f"{_FORMAT}, field FchEmis",
        EVERY,
    ),
    Rule(
        "DTE-DAT-02",
        f"{_ID_DOC}.FchEmis",
        "Send sooner: {day} is more than three days ago, and the SII remarks on it.",
        _late,
        "SII reparo DTE-1-650",
        EVERY,
        "warning",
    ),
    Rule(
        "DTE-DAT-03",
        f"{_ID_DOC}.FchEmis",
        "Check the day: {day} lies in an earlier month, whose VAT may be declared already.",
        _earlier_month,
        "DL 825, articles 55 and 64",
        EVERY,
        "warning",
    ),
    Rule(
        "DTE-DAT-04",
        f"{_ID_DOC}.FchVenc",
        "Check the due date: {day} is before the day of issue, {limit}.",
        _before("FchVenc", "FchEmis"),
        f"{_FORMAT}, field FchVenc",
        EVERY,
        "warning",
    ),
    Rule(
        "DTE-DAT-05",
        f"{_ID_DOC}.FchCancel",
        "Take FchCancel out: it is for payments made before the day of issue; {day} comes after {issued}.",
        _paid_later,
        f"{_FORMAT}, field FchCancel",
        NOT_BOLETAS,
    ),
    Rule(
        "DTE-DAT-06",
        f"{_ID_DOC}.PeriodoHasta",
        "Correct the period: it ends on {day}, before it begins on {limit}.",
        _before("PeriodoHasta", "PeriodoDesde"),
        f"{_FORMAT}, fields PeriodoDesde and PeriodoHasta",
        EVERY,
    ),
    Rule(
        "DTE-DAT-07",
        f"{_ID_DOC}.FchEmis",
        "Date it in the month of its guías: {day} lies in an earlier tax period than {issued}; until the 10th of the "
        "next month it may be issued with a day of that one.",
        _other_month_than_its_guides,
        "SII, FAQ 001.003.4136 (2025-05-28) and 001.003.6609 (2025-06-25)",
        frozenset({INVOICE, EXEMPT_INVOICE}),
        "warning",
    ),
    Rule(
        "DTE-DAT-08",
        f"{_ID_DOC}.FchEmis",
        "Mind the tax return of {month}: guías of that month were to be billed until {last}.",
        _guides_billed_late,
        "SII, FAQ 001.003.4136 (2025-05-28) and 001.430.0296 (2025-05-14)",
        frozenset({INVOICE, EXEMPT_INVOICE}),
        "warning",
    ),
    Rule(
        "DTE-SAL-01",
        f"{_ID_DOC}.TpoTranVenta",
        "Check TpoTranVenta: 1 is a sale of the giro, 2 of a fixed asset, 3 of real estate; 4 is for notas de crédito.",
        _kind_of_sale_of_notes,
        f"{_FORMAT}, field TpoTranVenta; SII, FAQ 001.003.6973 (2025-06-27)",
        IN_PESOS - NOTES,
        "warning",
    ),
    Rule(
        "DTE-PAY-01",
        f"{_ID_DOC}.MntPagos",
        "Check the payments: they sum to {stated}, the total is {computed}.",
        _payments,
        f"{_FORMAT}, group MntPagos",
        IN_PESOS,
        "warning",
    ),
    Rule(
        "DTE-PAY-02",
        f"{_ID_DOC}.MntCancel",
        "Check MntCancel and SaldoInsol: they sum to {stated}, the total is {computed}.",
        _paid_and_due,
        f"{_FORMAT}, fields MntCancel and SaldoInsol",
        IN_PESOS,
        "warning",
    ),
    Rule(
        "DTE-PAY-03",
        f"{_ID_DOC}.FchVenc",
        "State FchVenc, or FmaPago 1 if it was paid: on credit (2, assumed where none is stated) there is a due date.",
        _credit_without_end,
        f"{_FORMAT}, fields FmaPago and FchVenc; Ley 21.131",
        frozenset({INVOICE, EXEMPT_INVOICE, SETTLEMENT, EXPORT_INVOICE}),
        "warning",
    ),
)
