"""Rules that only boletas have. Source: SII, Formato Boletas 4.2."""

import re
from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.rules.rule import BOLETAS, Calculated, Rule, View
from domain.rut import ANONYMOUS
from domain.text import without_accents

PERIODIC, PERIODIC_AT_HOME, SHOW = 1, 2, 4
"""IndServicio of boletas; 1 and 2 are the other way round in facturas."""
TICKET = "01"
NAMED_FROM = 135
"""UF above which a boleta names its buyer (Ley 21.713; SII, Resolución Exenta 44 of 2025)."""

_FORMAT = "SII, Formato Boletas 4.2"
_LIMIT = "Ley 21.713; SII, Resolución Exenta 44 of 2025"
_POWER_CUT = re.compile(
    r"\b(?:cortes?|interrupcion) (?:del? (?:la )?|en el )?(?:suministro|energia|luz|electric)"
    r"|\bsin (?:suministro|energia|luz|electricidad)\b|\bapagon\b"
)
_SALES_OF = re.compile(r"\b(?:ventas|boletas)\b")
"""How a boleta says that it sums up the sales of a power cut: no tag is meant for it. Both words, or it is one sale of
something for power cuts."""


def _no_address(view: View) -> Iterator[Finding]:
    periodic = view.id_doc.get("IndServicio") in (PERIODIC, PERIODIC_AT_HOME)
    if periodic and "DirRecep" not in view.document.receptor:
        yield "document.Encabezado.Receptor.DirRecep", {}


def _no_due_date(view: View) -> Iterator[Finding]:
    if view.id_doc.get("IndServicio") == PERIODIC_AT_HOME and "FchVenc" not in view.id_doc:
        yield "document.Encabezado.IdDoc.FchVenc", {}


def _no_period(view: View) -> Iterator[Finding]:
    if view.id_doc.get("IndServicio") in (PERIODIC, PERIODIC_AT_HOME):
        for tag in ("PeriodoDesde", "PeriodoHasta"):
            if tag not in view.id_doc:
                yield f"document.Encabezado.IdDoc.{tag}", {"tag": tag}


def _no_kind_of_show(view: View) -> Iterator[Finding]:
    if view.id_doc.get("IndServicio") == SHOW:
        for index, line in view.lines:
            if "ItemEspectaculo" not in line:
                yield f"document.Detalle[{index}].ItemEspectaculo", {}


def _ticket(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        if line.get("ItemEspectaculo") == TICKET:
            yield f"document.Detalle[{index}].ItemEspectaculo", {}


def _ticket_of_nothing(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        if line.get("ItemEspectaculo") == TICKET and "InfoTicket" not in line:
            yield f"document.Detalle[{index}].InfoTicket", {}


def _periodic_to_nobody(view: View) -> Iterator[Finding]:
    periodic = view.id_doc.get("IndServicio") in (PERIODIC, PERIODIC_AT_HOME)
    if periodic and view.receiver == ANONYMOUS and "CdgIntRecep" not in view.document.receptor:
        yield "document.Encabezado.Receptor.RUTRecep", {}


def _above_the_limit(view: View) -> bool:
    """Whether the boleta is above the limit, which is one for the whole year: view.uf is that of 31 December before."""
    return view.uf is not None and bool(view.totals) and view.totals["MntTotal"] > view.uf * NAMED_FROM


def _sums_up(view: View) -> bool:
    """Whether the boleta says that it is the one for all sales of a power cut."""
    texts = [line.get(tag) for _, line in view.lines for tag in ("NmbItem", "DscItem")]
    texts += [reference.get("RazonRef") for _, reference in view.references]
    plain = [without_accents(text) for text in texts if text]
    return any(_POWER_CUT.search(text) and _SALES_OF.search(text) for text in plain)


def _summary_above_the_limit(view: View) -> Iterator[Finding]:
    if view.receiver == ANONYMOUS and _above_the_limit(view) and _sums_up(view):
        yield "document.Detalle", {}


def _unpaid_above_the_limit(view: View) -> Iterator[Finding]:
    if not _above_the_limit(view) or _sums_up(view):
        return
    if "MedioPago" not in view.id_doc:
        yield "document.Encabezado.IdDoc.MedioPago", {"what": "MedioPago"}
    if not {"CorreoRecep", "TelefonoRecep"} & view.document.receptor.keys():
        yield (
            "document.Encabezado.Receptor.CorreoRecep",
            {"what": "CorreoRecep or TelefonoRecep"},
        )


def _nobody_above_the_limit(view: View) -> Iterator[Finding]:
    if not _above_the_limit(view) or _sums_up(view):
        return
    receptor = view.document.receptor
    if view.receiver == ANONYMOUS:
        yield "document.Encabezado.Receptor.RUTRecep", {"tag": "RUTRecep"}
    elif "RznSocRecep" not in receptor:
        yield "document.Encabezado.Receptor.RznSocRecep", {"tag": "RznSocRecep"}


RULES: tuple[Rule, ...] = (
    Rule(
        "BOL-SRV-01",
        "document.Encabezado.Receptor.DirRecep",
        "State DirRecep: periodic services (IndServicio 1 and 2) name the address.",
        _no_address,
        f"{_FORMAT}, field DirRecep",
        BOLETAS,
    ),
    Rule(
        "BOL-SRV-02",
        "document.Encabezado.IdDoc.FchVenc",
        "State FchVenc: periodic services at home (IndServicio 2) name the due date.",
        _no_due_date,
        f"{_FORMAT}, field FchVenc",
        BOLETAS,
    ),
    Rule(
        "BOL-SRV-03",
        "document.Detalle[].ItemEspectaculo",
        "State ItemEspectaculo: lines of a show for others (IndServicio 4) say what they are.",
        _no_kind_of_show,
        f"{_FORMAT}, field ItemEspectaculo",
        BOLETAS,
    ),
    Rule(
        "BOL-SRV-04",
        "document.Detalle[].ItemEspectaculo",
        "State 02, the value of the service, or issue in profile 2026: tickets (01) need InfoTicket, which this one "
        "lacks.",
        _ticket,
        f"{_FORMAT}, group InfoTicket",
        BOLETAS,
        profiles=("2019",),
    ),
    Rule(
        "BOL-SRV-05",
        "document.Encabezado.IdDoc.PeriodoDesde",
        "State {tag}: periodic services (IndServicio 1 and 2) name the period that is charged.",
        _no_period,
        f"{_FORMAT}, fields PeriodoDesde and PeriodoHasta",
        BOLETAS,
        "warning",
    ),
    Rule(
        "BOL-SRV-06",
        "document.Detalle[].InfoTicket",
        "State InfoTicket: a ticket (ItemEspectaculo 01) says its number and kind and the event, with day and place.",
        _ticket_of_nothing,
        f"{_FORMAT}, group InfoTicket; SII, FAQ 001.380.6215 (2025-05-26)",
        BOLETAS,
        "warning",
        profiles=("2026",),
    ),
    Rule(
        "BOL-SRV-07",
        "document.Encabezado.Receptor.RUTRecep",
        "State the customer, RUTRecep and RznSocRecep, or at least CdgIntRecep: boletas of periodic services are "
        "nominative.",
        _periodic_to_nobody,
        "SII, FAQ 001.380.6566 (2025-04-25)",
        BOLETAS,
        "warning",
    ),
    Rule(
        "BOL-UF-01",
        "document.Encabezado.Receptor.RUTRecep",
        "State the buyer's own {tag}: a boleta of more than 135 UF names who buys (the one boleta for all sales of a "
        "power cut says so in NmbItem, “ventas durante corte de suministro”).",
        _nobody_above_the_limit,
        f"{_LIMIT}; Formato Boletas 4.2, field RUTRecep",
        BOLETAS,
    ),
    Rule(
        "BOL-UF-02",
        "document.Encabezado.IdDoc.MedioPago",
        "State {what}: a boleta of more than 135 UF says how it was paid and how the buyer is reached.",
        _unpaid_above_the_limit,
        f"{_LIMIT}; Formato Boletas 4.2, fields MedioPago, CorreoRecep and TelefonoRecep",
        BOLETAS,
        "warning",
        profiles=("2026",),
    ),
    Rule(
        "BOL-UF-03",
        "document.Detalle",
        "Check that no sale of the power cut was above 135 UF by itself: such a sale has a boleta of its own, as has "
        "whoever asked for one.",
        _summary_above_the_limit,
        f"SII, FAQ 001.380.7837 (2024-12-10); {_LIMIT}",
        BOLETAS,
        "warning",
    ),
    Rule(
        "BOL-ADI-01",
        "document.SubTotInfo",
        "Lower SubTotAdicSTI: additional taxes of {stated} are more than the taxable lines, {computed}.",
        Calculated("BOL-ADI-01"),
        f"{_FORMAT}, field SubTotAdicSTI; DL 825, article 37; SII, pregunta frecuente 001.380.7672",
        BOLETAS,
    ),
)
