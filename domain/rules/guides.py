"""Rules of guías de despacho (52), and what profile 2026 asks of documents that go with goods.

Since 2026-11-01 a guía says who drives what vehicle, when it leaves and where it goes, or declares in a line's DscItem
that it isn't known who drives what ("se desconoce"). Only profile 2026 can carry all of it. A guía of a sale without
TipoDespacho and Transporte, say of a day's meal vouchers, moves nothing and isn't asked. Sources: SII, Formato DTE 2.5,
zone Transporte; SII, Resoluciones Exentas 154 of 2025 and 52 of 2026; SII, FAQ 001.130.1211 (2025-06-10).
"""

from collections.abc import Iterator

from domain.calculation.findings import Finding
from domain.codes.document_types import DISPATCH_GUIDE, EXEMPT_INVOICE, INVOICE, PURCHASE_INVOICE
from domain.document import type_referred
from domain.format.table import NEWER_SINCE
from domain.rules.rule import Rule, View

SALE, INTERNAL, EXPORT_TRANSFER, EXPORT_SALE = 1, 5, 8, 9
"""IndTraslado."""
NOT_SOLD, DEDUCTS = 4, 5
"""IndExe of lines that aren't part of the sale, and that reduce an earlier guía."""
AUTHORISED = 4
"""CdgTraslado of a taxpayer whom the SII authorised."""
UNKNOWN = "desconoce"
"""What a declaration that a datum isn't known says."""
DEPARTURE = "salida"
"""What a line says that tells, in profile 2019, when the goods leave."""

_GUIDE = frozenset({DISPATCH_GUIDE})
_FORMAT = "SII, Formato DTE 2.5"
_DECREE = "SII, Resolución Exenta 154 of 2025, in force since 2026-11-01"
_HEADER = "document.Encabezado"
_TRANSPORT = f"{_HEADER}.Transporte"
_CUSTOMS_DATA = ("CodPtoEmbarque", "CodUnidMedTara", "PesoBruto", "CodUnidPesoBruto", "TotBultos", "TipoBultos")
_MAY_BE_UNKNOWN = ("Patente", "RUTTrans", "Chofer")
_PLACES = ("DirDest", "CmnaDest")
_DEPARTURE = ("FchSalida", "HraSalida")


def _motive(view: View) -> int | None:
    motive: int | None = view.id_doc.get("IndTraslado")
    return motive


def _no_kind_of_dispatch(view: View) -> Iterator[Finding]:
    if "TipoDespacho" not in view.id_doc and _motive(view) != INTERNAL:
        yield f"{_HEADER}.IdDoc.TipoDespacho", {}


def _to_somebody_else(view: View) -> Iterator[Finding]:
    issuer = view.document.emisor.get("RUTEmisor")
    if _motive(view) == INTERNAL and issuer and view.receiver not in (None, issuer):
        yield f"{_HEADER}.Receptor.RUTRecep", {"issuer": issuer}


def _sale_without_price(view: View) -> Iterator[Finding]:
    if _motive(view) not in (SALE, EXPORT_SALE) or not view.totals:
        return
    for index, line in view.lines:
        if not line.get("MontoItem") and line.get("IndExe") not in (NOT_SOLD, DEDUCTS) and "PrcItem" not in line:
            yield f"document.Detalle[{index}].PrcItem", {}


def _without_customs_data(view: View) -> Iterator[Finding]:
    if _motive(view) not in (EXPORT_TRANSFER, EXPORT_SALE):
        return
    for tag in _CUSTOMS_DATA:
        if tag not in view.customs:
            yield f"{_TRANSPORT}.Aduana.{tag}", {"tag": tag}
    if "CdgTraslado" not in (view.document.emisor.get("GuiaExport") or {}):
        yield f"{_HEADER}.Emisor.GuiaExport.CdgTraslado", {"tag": "CdgTraslado"}


def _without_authorisation(view: View) -> Iterator[Finding]:
    exported = view.document.emisor.get("GuiaExport") or {}
    if exported.get("CdgTraslado") == AUTHORISED:
        for tag in ("FolioAut", "FchAut"):
            if tag not in exported:
                yield f"{_HEADER}.Emisor.GuiaExport.{tag}", {"tag": tag}


def _without_foreign_price(view: View) -> Iterator[Finding]:
    if _motive(view) == EXPORT_SALE:
        for index, line in view.lines:
            if "MontoItemOtrMnda" not in (line.get("OtrMnda") or {}):
                yield f"document.Detalle[{index}].OtrMnda", {}


def _deducts_from_nothing(view: View) -> Iterator[Finding]:
    if any(type_referred(reference) in (DISPATCH_GUIDE, 50) for _, reference in view.references):
        return
    for index, line in view.lines:
        if line.get("IndExe") == DEDUCTS:
            yield f"document.Detalle[{index}].IndExe", {}


def _without_measure(view: View) -> Iterator[Finding]:
    for index, line in view.lines:
        for tag in ("QtyItem", "UnmdItem"):
            if tag not in line:
                yield f"document.Detalle[{index}].{tag}", {"tag": tag}


def _several_customs_documents(view: View) -> Iterator[Finding]:
    named = [index for index, reference in view.references if type_referred(reference) in (807, 810)]
    for index in named[1:]:
        yield f"document.Referencia[{index}].TpoDocRef", {}


def _declares_unknown(view: View) -> bool:
    return any(UNKNOWN in (line.get("DscItem") or "").casefold() for _, line in view.lines)


def _moves_goods(view: View) -> bool:
    """Whether goods travel with the guía: a sale that says nothing of it may only document what was delivered."""
    return _motive(view) != SALE or "TipoDespacho" in view.id_doc or bool(view.transport)


def _wanting(view: View, tags: tuple[str, ...]) -> list[str]:
    return [tag for tag in tags if tag not in view.transport]


def _without_carrier(view: View) -> Iterator[Finding]:
    if _moves_goods(view) and not _declares_unknown(view):
        for tag in _wanting(view, _MAY_BE_UNKNOWN):
            yield f"{_TRANSPORT}.{tag}", {"tag": tag}


def _without_way(view: View) -> Iterator[Finding]:
    if _moves_goods(view):
        places = () if any(_to_oneself_nowhere(view)) else _PLACES
        for tag in _wanting(view, (*places, *_DEPARTURE)):
            yield f"{_TRANSPORT}.{tag}", {"tag": tag}


def _untold_in_the_older_edition(view: View) -> Iterator[Finding]:
    if view.issued_on < NEWER_SINCE or not _moves_goods(view):
        return
    carrier = () if _declares_unknown(view) else _MAY_BE_UNKNOWN
    wanting = _wanting(view, (*carrier, *(() if any(_to_oneself_nowhere(view)) else _PLACES)))
    if not any(DEPARTURE in (line.get("DscItem") or "").casefold() for _, line in view.lines):
        wanting += ["FchSalida and HraSalida"]
    if wanting:
        yield _TRANSPORT, {"tags": ", ".join(wanting)}


def _to_oneself_nowhere(view: View) -> Iterator[Finding]:
    emisor, receptor = view.document.emisor, view.document.receptor
    own = emisor.get("RUTEmisor")
    elsewhere = receptor.get("DirRecep") not in (None, emisor.get("DirOrigen"))
    if own is not None and view.receiver == own and "DirDest" not in view.transport and not elsewhere:
        yield f"{_TRANSPORT}.DirDest", {}


def _goes_with_goods(view: View) -> Iterator[Finding]:
    """A factura without guía whose goods move is what travels with them."""
    if "TipoDespacho" in view.id_doc and not any(
        type_referred(reference) in (DISPATCH_GUIDE, 50) for _, reference in view.references
    ):
        yield from _without_carrier(view)
        yield from _without_way(view)


def _leaves_too_early(view: View) -> Iterator[Finding]:
    leaves, arrives = view.transport.get("FchSalida"), view.transport.get("FchLlegada")
    if leaves is not None and leaves < view.issued_on:
        yield f"{_TRANSPORT}.FchSalida", {"tag": "FchSalida", "day": leaves, "limit": view.issued_on}
    if leaves is not None and arrives is not None and arrives < leaves:
        yield f"{_TRANSPORT}.FchLlegada", {"tag": "FchLlegada", "day": arrives, "limit": leaves}


RULES: tuple[Rule, ...] = (
    Rule(
        "GUI-TRA-01",
        f"{_HEADER}.IdDoc.TipoDespacho",
        "State TipoDespacho, who carries the goods and where to, if goods move: a guía of a sale without it is taken "
        "for one of goods that don't, and isn't asked for its transport.",
        _no_kind_of_dispatch,
        f"{_FORMAT}, field TipoDespacho",
        _GUIDE,
        "warning",
    ),
    Rule(
        "GUI-TRA-02",
        f"{_HEADER}.Receptor.RUTRecep",
        "State the issuer, {issuer}, as receiver: goods stay with it (IndTraslado 5).",
        _to_somebody_else,
        f"{_FORMAT}, field IndTraslado",
        _GUIDE,
    ),
    Rule(
        "GUI-TRA-03",
        "document.Detalle[].PrcItem",
        "State PrcItem, or IndExe 4 for what isn't sold, a gift: a guía of a sale (IndTraslado 1 and 9) has prices.",
        _sale_without_price,
        f"{_FORMAT}, fields IndTraslado and PrcItem",
        _GUIDE,
    ),
    Rule(
        "GUI-TRA-04",
        f"{_TRANSPORT}.Aduana",
        "State {tag}: goods that leave the country (IndTraslado 8 and 9) go with their customs data.",
        _without_customs_data,
        f"{_FORMAT}, zones GuiaExport and Aduana",
        _GUIDE,
    ),
    Rule(
        "GUI-TRA-05",
        "document.Detalle[].OtrMnda",
        "State OtrMnda with PrcOtrMon, Moneda and MontoItemOtrMnda: an export sale has its own currency.",
        _without_foreign_price,
        f"{_FORMAT}, group OtrMnda",
        _GUIDE,
    ),
    Rule(
        "GUI-TRA-06",
        "document.Detalle[].IndExe",
        "Refer to the earlier guía (TpoDocRef 52) that the line with IndExe 5 reduces.",
        _deducts_from_nothing,
        f"{_FORMAT}, field IndExe",
        _GUIDE,
    ),
    Rule(
        "GUI-TRA-07",
        f"{_HEADER}.Emisor.GuiaExport",
        "State {tag}: CdgTraslado 4 rests on a resolution.",
        _without_authorisation,
        f"{_FORMAT}, group GuiaExport",
        _GUIDE,
    ),
    Rule(
        "GUI-TRA-08",
        "document.Detalle[].QtyItem",
        "State {tag}: a guía says how much of what goes.",
        _without_measure,
        f"{_FORMAT}, fields QtyItem and UnmdItem",
        _GUIDE,
        "warning",
    ),
    Rule(
        "GUI-REF-01",
        "document.Referencia[].TpoDocRef",
        "Name one customs document (DUS or MIC) in a guía, not several.",
        _several_customs_documents,
        f"{_FORMAT}, zone Referencia",
        _GUIDE,
    ),
    Rule(
        "GUI-TRP-01",
        _TRANSPORT,
        "State {tag}: since 2026-11-01 goods travel with it, or with a DscItem that declares what isn't known "
        "(“se desconoce”).",
        _without_carrier,
        _DECREE,
        _GUIDE,
        profiles=("2026",),
    ),
    Rule(
        "GUI-TRP-02",
        f"{_TRANSPORT}.FchSalida",
        "Correct {tag}: {day} comes before {limit}.",
        _leaves_too_early,
        f"{_FORMAT}, fields FchSalida and FchLlegada",
        _GUIDE,
        profiles=("2026",),
    ),
    Rule(
        "GUI-TRP-03",
        _TRANSPORT,
        "State {tag} if this document travels with the goods: since 2026-11-01 they go with it.",
        _goes_with_goods,
        _DECREE,
        frozenset({INVOICE, EXEMPT_INVOICE, PURCHASE_INVOICE}),
        "warning",
        profiles=("2026",),
    ),
    Rule(
        "GUI-TRP-04",
        _TRANSPORT,
        "Issue in profile 2026, or state what is wanting, day and hour in a line's DscItem (“salida …”): since "
        "2026-11-01 goods travel with {tags}.",
        _untold_in_the_older_edition,
        _DECREE,
        _GUIDE,
        "warning",
        profiles=("2019",),
    ),
    Rule(
        "GUI-TRP-05",
        _TRANSPORT,
        "State {tag}: since 2026-11-01 goods travel with it, and it can't be declared unknown: give what is planned.",
        _without_way,
        _DECREE,
        _GUIDE,
        profiles=("2026",),
    ),
    Rule(
        "GUI-TRA-09",
        f"{_TRANSPORT}.DirDest",
        "State DirDest and CmnaDest, where the goods go: a guía to oneself without branch, store or other place is a "
        "grave fault.",
        _to_oneself_nowhere,
        "SII, FAQ 001.430.0296 (2025-05-14)",
        _GUIDE,
    ),
)
