"""Rules of export documents (110, 111, 112): currency, customs, what services need instead of goods.

Sources: SII, Formato DTE 2.5, zones Aduana, Totales and OtraMoneda; codes of the SII's answers (HED-…); Servicio
Nacional de Aduanas, Compendio de Normas Aduaneras, Anexo 51.
"""

from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.codes.document_types import EXPORT_INVOICE, EXPORTS
from domain.codes.tables import CONTAINERS, Name, table
from domain.document import PESOS, type_referred
from domain.rules.rule import Calculated, Rule, View
from domain.rut import FOREIGNER

QUALIFIED, HOTEL, OVERLAND, ABROAD = 3, 4, 5, 6
"""IndServicio of exports: services that customs qualified, hotels, international transport by land, and (profile 2026)
services that are rendered and used wholly abroad."""
PREPAID = 32
"""FmaPagExp of what was paid before it was shipped."""

_INVOICE = frozenset({EXPORT_INVOICE})
_FORMAT = "SII, Formato DTE 2.5"
_HEADER = "document.Encabezado"
_CUSTOMS = f"{_HEADER}.Transporte.Aduana"
_PAPERS = {QUALIFIED: 812, HOTEL: 813, OVERLAND: 811}
_OF_GOODS = ("CodModVenta", "CodClauVenta", "TotClauVenta", "CodViaTransp", "TotBultos", "CodPaisRecep")
_CODES: tuple[tuple[str, Name], ...] = (
    ("CodModVenta", "sale_modalities"),
    ("CodClauVenta", "sale_clauses"),
    ("CodViaTransp", "transport_modes"),
    ("CodPtoEmbarque", "ports"),
    ("CodPtoDesemb", "ports"),
    ("CodUnidMedTara", "units"),
    ("CodUnidPesoBruto", "units"),
    ("CodUnidPesoNeto", "units"),
    ("CodPaisRecep", "countries"),
    ("CodPaisDestin", "countries"),
)


def _receiver(view: View) -> Iterator[Finding]:
    if view.receiver not in (None, FOREIGNER):
        yield f"{_HEADER}.Receptor.RUTRecep", {"stated": view.receiver}


def _without_pesos(view: View) -> Iterator[Finding]:
    if "OtraMoneda" not in view.document.header:
        yield f"{_HEADER}.OtraMoneda", {}


def _not_in_pesos(view: View) -> Iterator[Finding]:
    other = view.document.header.get("OtraMoneda") or {}
    if other.get("TpoMoneda", PESOS) not in (None, PESOS):
        yield f"{_HEADER}.OtraMoneda.TpoMoneda", {"stated": other["TpoMoneda"]}


def _is_service(view: View) -> bool:
    return view.id_doc.get("IndServicio", 0) in (*_PAPERS, ABROAD, None)  # None: what was stated can't be read


def _without_customs(view: View) -> Iterator[Finding]:
    if _is_service(view):
        return
    for tag in _OF_GOODS:
        if tag not in view.customs:
            yield f"{_CUSTOMS}.{tag}", {"tag": tag}


def _without_form_of_payment(view: View) -> Iterator[Finding]:
    if not _is_service(view) and "FmaPagExp" not in view.id_doc:
        yield f"{_HEADER}.IdDoc.FmaPagExp", {}


def _prepaid_when(view: View) -> Iterator[Finding]:
    if view.id_doc.get("FmaPagExp") == PREPAID and "FchCancel" not in view.id_doc:
        yield f"{_HEADER}.IdDoc.FchCancel", {}


def _terms_in_words(view: View) -> Iterator[Finding]:
    if view.id_doc.get("TermPagoCdg") and "TermPagoGlosa" not in view.id_doc:
        yield f"{_HEADER}.IdDoc.TermPagoGlosa", {}


def _packages(view: View) -> Iterator[Finding]:
    for index, package in enumerate(view.customs.get("TipoBultos") or ()):
        if package is None:
            continue
        sealed = package.get("CodTpoBultos") in CONTAINERS
        for tag in ("IdContainer", "Sello", "EmisorSello") if sealed else ("Marcas",):
            if tag not in package:
                yield f"{_CUSTOMS}.TipoBultos[{index}].{tag}", {"tag": tag}


def _unknown_codes(view: View) -> Iterator[Finding]:
    for tag, name in _CODES:
        code = view.customs.get(tag)
        if code is not None and code not in table(name):
            yield f"{_CUSTOMS}.{tag}", {"tag": tag, "code": code, "table": table(name).name}
    form = view.id_doc.get("FmaPagExp")
    if form is not None and form not in table("payment_forms"):
        figures = {"tag": "FmaPagExp", "code": form, "table": table("payment_forms").name}
        yield f"{_HEADER}.IdDoc.FmaPagExp", figures


def _charged_twice(view: View) -> Iterator[Finding]:
    surcharges = {line.get("ValorDR") for _, line in view.document.items("DscRcgGlobal") if line.get("TpoMov") == "R"}
    for tag in ("MntFlete", "MntSeguro"):
        amount = view.customs.get(tag)
        if amount is not None and surcharges and amount not in surcharges:
            yield f"{_CUSTOMS}.{tag}", {"tag": tag, "amount": amount}


def _foreigner_unknown(view: View) -> Iterator[Finding]:
    foreign = view.document.receptor.get("Extranjero") or {}
    for tag in ("NumId", "Nacionalidad"):
        if tag not in foreign:
            yield f"{_HEADER}.Receptor.Extranjero.{tag}", {"tag": tag}


def _papers(view: View) -> Iterator[Finding]:
    wanted = _PAPERS.get(view.id_doc.get("IndServicio") or 0)
    found = sum(type_referred(reference) == wanted for _, reference in view.references)
    if wanted is not None and (not found or (wanted == _PAPERS[OVERLAND] and found > 1)):
        yield "document.Referencia", {"type": wanted, "name": table("references").codes[str(wanted)]}


def _several_exits(view: View) -> Iterator[Finding]:
    named = [index for index, reference in view.references if type_referred(reference) == 807]  # noqa: PLR2004  (DUS)
    for index in named[1:]:
        yield f"document.Referencia[{index}].TpoDocRef", {}


RULES: tuple[Rule, ...] = (
    Rule(
        "EXP-RUT-01",
        f"{_HEADER}.Receptor.RUTRecep",
        "State 55555555-5, not {stated}: an export document's receiver is abroad.",
        _receiver,
        f"{_FORMAT}, field RUTRecep",
        EXPORTS,
    ),
    Rule(
        "EXP-CUR-01",
        f"{_HEADER}.OtraMoneda",
        "State OtraMoneda with TpoMoneda PESO CL and TpoCambio: the SII wants the amounts in pesos too.",
        _without_pesos,
        "SII HED-3-834",
        EXPORTS,
    ),
    Rule(
        "EXP-CUR-02",
        f"{_HEADER}.OtraMoneda.TpoCambio",
        "State TpoCambio, the Banco Central's rate of the day: the amounts in pesos are computed with it.",
        Calculated("EXP-CUR-02"),
        f"{_FORMAT}, zone OtraMoneda",
        EXPORTS,
    ),
    Rule(
        "EXP-CUR-03",
        f"{_HEADER}.OtraMoneda",
        "Correct {tag}: it says {stated}, the total at the stated rate gives {computed}.",
        Calculated("EXP-CUR-03"),
        f"{_FORMAT}, zone OtraMoneda; SII HED-1-803",
        EXPORTS,
    ),
    Rule(
        "EXP-CUR-04",
        f"{_HEADER}.OtraMoneda.TpoMoneda",
        "Check the other currency: the SII expects PESO CL, not {stated}.",
        _not_in_pesos,
        "SII HED-3-834",
        EXPORTS,
        "warning",
    ),
    Rule(
        "EXP-CUR-05",
        "document.DscRcgGlobal[].ValorDROtrMnda",
        "Correct ValorDROtrMnda: it says {stated}, the amount at the stated rate gives {computed}.",
        Calculated("EXP-CUR-05"),
        f"{_FORMAT}, field ValorDROtrMnda",
        EXPORTS,
    ),
    Rule(
        "EXP-ADU-01",
        _CUSTOMS,
        "State {tag}: goods that leave the country go with their customs data (services state IndServicio 3 to 6).",
        _without_customs,
        f"{_FORMAT}, zone Aduana",
        _INVOICE,
    ),
    Rule(
        "EXP-ADU-02",
        f"{_CUSTOMS}.TipoBultos",
        "State {tag}: containers have a number and a seal with its issuer, other packages their marks.",
        _packages,
        "SII HED-2-804",
        EXPORTS,
    ),
    Rule(
        "EXP-ADU-03",
        _CUSTOMS,
        "Check {tag}: {code} isn't in the table “{table}”.",
        _unknown_codes,
        "Servicio Nacional de Aduanas, Compendio de Normas Aduaneras, Anexo 51",
        EXPORTS,
        "warning",
    ),
    Rule(
        "EXP-ADU-04",
        f"{_CUSTOMS}.MntFlete",
        "Check {tag}: {amount} isn't among the global surcharges; what is charged stands in both places.",
        _charged_twice,
        f"{_FORMAT}, fields MntFlete and MntSeguro",
        EXPORTS,
        "warning",
    ),
    Rule(
        "EXP-PAY-01",
        f"{_HEADER}.IdDoc.FmaPagExp",
        "State FmaPagExp: customs want to know how exported goods are paid.",
        _without_form_of_payment,
        f"{_FORMAT}, field FmaPagExp",
        _INVOICE,
    ),
    Rule(
        "EXP-PAY-02",
        f"{_HEADER}.IdDoc.FchCancel",
        "State FchCancel, the day of payment: FmaPagExp 32 says that it was paid in advance.",
        _prepaid_when,
        f"{_FORMAT}, field FchCancel",
        _INVOICE,
    ),
    Rule(
        "EXP-PAY-03",
        f"{_HEADER}.IdDoc.TermPagoGlosa",
        "State TermPagoGlosa: exports say in words what TermPagoCdg means.",
        _terms_in_words,
        f"{_FORMAT}, field TermPagoGlosa",
        EXPORTS,
    ),
    Rule(
        "EXP-EXT-01",
        f"{_HEADER}.Receptor.Extranjero",
        "State {tag} in Extranjero: it says who the receiver is, since all share one RUT.",
        _foreigner_unknown,
        f"{_FORMAT}, group Extranjero",
        EXPORTS,
        "warning",
    ),
    Rule(
        "EXP-REF-01",
        "document.Referencia",
        "Refer to the paper that goes with this service: {type}, {name}.",
        _papers,
        f"{_FORMAT}, zone Referencia, codes 811, 812 and 813",
        _INVOICE,
        "warning",
    ),
    Rule(
        "EXP-REF-02",
        "document.Referencia[].TpoDocRef",
        "Name one DUS (807), not several.",
        _several_exits,
        f"{_FORMAT}, zone Referencia",
        EXPORTS,
    ),
)
"""Every rule that only exports have."""
