"""Rules that only boletas have. Source: SII, Formato Boletas 4.2."""

from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.rules.rule import BOLETAS, Rule, View
from domain.rut import ANONYMOUS

PERIODIC, PERIODIC_AT_HOME, SHOW = 1, 2, 4
"""IndServicio of boletas; 1 and 2 are the other way round in facturas."""
TICKET = "01"
NAMED_FROM = 135
"""UF above which a boleta names its buyer (Ley 21.713; SII, Resolución Exenta 44 of 2025)."""

_FORMAT = "SII, Formato Boletas 4.2"


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


def _nobody_above_the_limit(view: View) -> Iterator[Finding]:
    if view.uf is None or not view.totals or view.totals["MntTotal"] <= view.uf * NAMED_FROM:
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
        "State 02, the value of the service: tickets (01) need InfoTicket, which this version doesn't write.",
        _ticket,
        f"{_FORMAT}, group InfoTicket",
        BOLETAS,
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
        "BOL-UF-01",
        "document.Encabezado.Receptor.RUTRecep",
        "State the buyer's own {tag}: a boleta of more than 135 UF names who buys.",
        _nobody_above_the_limit,
        "Ley 21.713; SII, Resolución Exenta 44 of 2025; Formato Boletas 4.2, field RUTRecep",
        BOLETAS,
    ),
)
