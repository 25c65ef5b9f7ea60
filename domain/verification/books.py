"""Books: whether the summary of a book is what its details come to, type by type.

A book sums its documents by type: purchases and sales (LibroCompraVenta), guías (LibroGuia), boletas by kind of service
(LibroBoleta); a report of folios (ConsumoFolios) has no details and must add up in itself. Details may be left out of a
type that a book gives in sum only (boletas, a partial sending), so a type without details isn't compared, nor is a
figure that no detail of the type states. Annulled documents have no amounts; the count of documents may include them.
Sources: SII, Formato de Información Electrónica de Compras y Ventas, zones 2 to 4; SII, schemas of the books; the
summaries that the official test sets ask for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lxml import etree

from domain.problems import Problem, shown
from domain.verification.reading import children, fields, first

Detail = Mapping[str, str]

SALE = "1"
"""TpoOper and TpoTraslado of a guía that is a sale."""
ROUNDING = 1
"""Pesos that net and VAT of a summary may be away from the total, for each service or type."""
_MOST_DIGITS = 18

_PURCHASES_AND_SALES = {
    "TotMntExe": "MntExe",
    "TotMntNeto": "MntNeto",
    "TotMntIVA": "MntIVA",
    "TotMntActivoFijo": "MntActivoFijo",
    "TotMntIVAActivoFijo": "MntIVAActivoFijo",
    "TotIVAUsoComun": "IVAUsoComun",
    "TotIVAFueraPlazo": "IVAFueraPlazo",
    "TotIVAPropio": "IVAPropio",
    "TotIVATerceros": "IVATerceros",
    "TotLey18211": "Ley18211",
    "TotImpSinCredito": "MntSinCred",
    "TotIVARetTotal": "IVARetTotal",
    "TotIVARetParcial": "IVARetParcial",
    "TotCredEC": "CredEC",
    "TotDepEnvase": "DepEnvase",
    "TotMntTotal": "MntTotal",
    "TotIVANoRetenido": "IVANoRetenido",
    "TotMntNoFact": "MntNoFact",
    "TotMntPeriodo": "MntPeriodo",
    "TotPsjNac": "PsjNac",
    "TotPsjInt": "PsjInt",
    "TotTabPuros": "TabPuros",
    "TotTabCigarrillos": "TabCigarrillos",
    "TotTabElaborado": "TabElaborado",
    "TotImpVehiculo": "ImpVehiculo",
}
"""Sums of a type in LibroCompraVenta and the figure of a detail that each is of."""
_CODED = (
    ("TotIVANoRec", "CodIVANoRec", "TotMntIVANoRec", "IVANoRec", "MntIVANoRec"),
    ("TotOtrosImp", "CodImp", "TotMntImp", "OtrosImp", "MntImp"),
)
"""Sums by code: the group of the summary, its code and amount, the group of the detail and its amount."""
_OF_BOLETAS = {
    "TotMntExe": "MntExe",
    "TotMntTotal": "MntTotal",
    "TotMntNoFact": "MntNoFact",
    "TotMntPeriodo": "MntPeriodo",
    "TotSaldoAnt": "SaldoAnt",
    "TotVlrPagar": "VlrPagar",
    "TotTicket": "TotTicketBoleta",
}
"""The same of a service in LibroBoleta."""

_Found = Iterator[tuple[str, str, str]]


class _NotANumber(ValueError):  # noqa: N818  (a finding about a text)
    """A text where a figure belongs."""


def book_problems(root_name: str, content: etree._Element) -> tuple[Problem, ...] | None:
    """Where a book's summary is not what its details come to; None for what is no book.

    Codes: BOOK-COUNT, BOOK-SUM, BOOK-NUMBER.
    """
    check = _CHECKS.get(root_name)
    if check is None:
        return None
    try:
        return tuple(Problem(code, path, sentence) for code, path, sentence in check(content))
    except _NotANumber as fault:
        return (Problem("BOOK-NUMBER", "", f"{shown(str(fault))} is no figure of a book."),)


def _number(values: Mapping[str, str], tag: str) -> int:
    text = values.get(tag, "").strip()
    if not text:
        return 0
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > _MOST_DIGITS:
        raise _NotANumber(text)
    return int(text)


def _sum(details: Iterable[Detail], tag: str) -> int | None:
    """The sum of a figure; None when no detail states it."""
    stated = [detail for detail in details if tag in detail]
    return sum(_number(detail, tag) for detail in stated) if stated else None


def _compare(summary: Mapping[str, str], pairs: Mapping[str, str], details: Sequence[Detail], path: str) -> _Found:
    for tag, of_detail in pairs.items():
        found = _sum(details, of_detail)
        if found is not None and _number(summary, tag) != found:
            yield "BOOK-SUM", f"{path}/{tag}", f"{shown(summary.get(tag, 'nothing'))} is not {found}, the details' sum."


def _count(summary: Mapping[str, str], tag: str, most: int, annulled: int, path: str) -> _Found:
    """The count of documents, with or without those that were annulled."""
    if _number(summary, tag) not in (most, most - annulled):
        yield "BOOK-COUNT", f"{path}/{tag}", f"{shown(summary.get(tag, 'nothing'))} is not {most}, the details' count."


def _by(details: Sequence[etree._Element], *tags: str) -> dict[tuple[str, ...], list[etree._Element]]:
    found: dict[tuple[str, ...], list[etree._Element]] = {}
    for detail in details:
        values = fields(detail)
        found.setdefault(tuple(values.get(tag, "").strip() for tag in tags), []).append(detail)
    return found


def _purchases_and_sales(content: etree._Element) -> _Found:
    """LibroCompraVenta: a segment is summed by ResumenSegmento, a whole book by ResumenPeriodo."""
    details = _by(children(content, "Detalle"), "TpoDoc")
    partial = first(content, "ResumenSegmento")
    name = "ResumenPeriodo" if partial is None else "ResumenSegmento"
    totals = children(first(content, name), "TotalesPeriodo" if partial is None else "TotalesSegmento")
    summed = _by(totals, "TpoDoc")
    for kind in details:
        if kind not in summed and totals:
            yield "BOOK-SUM", name, f"The summary leaves out documents of type {shown(kind[0])}."
    for kind, blocks in summed.items():
        if not (listed := details.get(kind)):
            continue
        path = f"{name}[{shown(kind[0])}]"
        standing = [each for each in listed if "Anulado" not in fields(each)]
        summary = _added([fields(each) for each in blocks])
        yield from _count(summary, "TotDoc", len(listed), len(listed) - len(standing), path)
        yield from _compare(summary, _PURCHASES_AND_SALES, [fields(each) for each in standing], path)
        for group, code, amount, of_detail, part in _CODED:
            stated = _coded(blocks, group, code, amount)
            found = _coded(standing, of_detail, code, part)
            for each in found if stated or found else ():
                if stated.get(each, 0) != found[each]:
                    sentence = f"{stated.get(each, 0)} of code {shown(each)} is not {found[each]}, the details' sum."
                    yield "BOOK-SUM", f"{path}/{group}", sentence


def _added(blocks: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Several summaries of one type as one: a book may part a type by tax."""
    if len(blocks) == 1:
        return dict(blocks[0])
    tags = {"TotDoc", *_PURCHASES_AND_SALES} & {tag for block in blocks for tag in block}
    return {tag: str(sum(_number(block, tag) for block in blocks)) for tag in tags}


def _coded(blocks: Iterable[etree._Element], group: str, code: str, amount: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for block in blocks:
        for each in children(block, group):
            values = fields(each)
            found[values.get(code, "").strip()] += _number(values, amount)
    return found


def _guides(content: etree._Element) -> _Found:
    """LibroGuia: sales, other transfers by their motive, and folios that were annulled before (1) or after (2)."""
    listed = [fields(each) for each in children(content, "Detalle")]
    partial = first(content, "ResumenSegmento")
    path = "ResumenPeriodo" if partial is None else "ResumenSegmento"
    block = first(content, path)
    if not listed or block is None:
        return
    summary = fields(block)
    standing = [each for each in listed if not each.get("Anulado", "").strip()]
    sales = [each for each in standing if each.get("TpoOper", "").strip() == SALE]
    for tag, sign in (("TotFolAnulado", "1"), ("TotGuiaAnulada", "2")):
        yield from _count(summary, tag, sum(each.get("Anulado", "").strip() == sign for each in listed), 0, path)
    yield from _count(summary, "TotGuiaVenta", len(sales), 0, path)
    yield from _compare(summary, {"TotMntGuiaVta": "MntTotal"}, sales, path)
    yield from _compare(summary, {"TotMntModificado": "MntModificado"}, standing, path)
    moved: dict[str, list[Detail]] = {}
    for each in standing:
        motive = each.get("TpoOper", "").strip()
        if motive not in ("", SALE):
            moved.setdefault(motive, []).append(each)
    stated = {fields(each).get("TpoTraslado", "").strip(): fields(each) for each in children(block, "TotTraslado")}
    for motive in sorted(moved.keys() | stated.keys()):
        place, of_motive = f"{path}/TotTraslado[{shown(motive)}]", moved.get(motive, [])
        yield from _count(stated.get(motive, {}), "CantGuia", len(of_motive), 0, place)
        if "MntGuia" in stated.get(motive, {}):
            yield from _compare(stated[motive], {"MntGuia": "MntTotal"}, of_motive, place)


def _boletas(content: etree._Element) -> _Found:
    """LibroBoleta: by type and kind of service; net, VAT and exempt amounts come to the total."""
    details = _by(children(content, "Detalle"), "TpoDoc")
    partial = first(content, "ResumenSegmento")
    name = "ResumenPeriodo" if partial is None else "ResumenSegmento"
    told: set[str] = set()
    for total in children(first(content, name), "TotalesPeriodo" if partial is None else "TotalesSegmento"):
        values = fields(total)
        kind = values.get("TpoDoc", "").strip()
        path = f"{name}[{shown(kind)}]"
        if kind in told:
            yield "BOOK-SUM", path, "The summary gives this type twice."
            continue
        told.add(kind)
        listed = details.get((kind,), [])
        services = children(total, "TotalesServicio")
        for service in services:
            yield from _parts(
                fields(service), ("TotMntNeto", "TotMntIVA", "TotMntExe"), "TotMntTotal", f"{path}/TotalesServicio"
            )
        if not listed:
            continue
        standing = [each for each in listed if "Anulado" not in fields(each)]
        yield from _count(values, "TotAnulado", len(listed) - len(standing), 0, path)
        by_service = _by(standing, "TpoServ")
        for service in services:
            summary = fields(service)
            of_service = by_service.pop((summary.get("TpoServ", "").strip(),), [])
            place = f"{path}/TotalesServicio[{shown(summary.get('TpoServ', ''))}]"
            yield from _count(summary, "TotDoc", len(of_service), 0, place)
            yield from _compare(summary, _OF_BOLETAS, [fields(each) for each in of_service], place)


def _parts(summary: Mapping[str, str], parts: Sequence[str], total: str, path: str) -> _Found:
    """Whether parts come to a total, where the summary states them."""
    if not any(part in summary for part in parts[:2]):
        return
    found = sum(_number(summary, part) for part in parts)
    if abs(found - _number(summary, total)) > ROUNDING:
        yield "BOOK-SUM", f"{path}/{total}", f"{shown(summary.get(total, 'nothing'))} is not {found}, its parts."


def _folios(content: etree._Element) -> _Found:
    """ConsumoFolios: folios used are those issued and annulled, ranges hold as many, amounts add up."""
    for each in children(content, "Resumen"):
        values = fields(each)
        path = f"Resumen[{shown(values.get('TipoDocumento', ''))}]"
        issued, annulled = _number(values, "FoliosEmitidos"), _number(values, "FoliosAnulados")
        used = _number(values, "FoliosUtilizados")
        if used != issued + annulled:
            yield "BOOK-COUNT", f"{path}/FoliosUtilizados", f"{used} is not {issued} issued and {annulled} annulled."
        for name, allowed in (("RangoUtilizados", (issued, used)), ("RangoAnulados", (annulled,))):
            ranges = [fields(one) for one in children(each, name)]
            held = sum(_number(one, "Final") - _number(one, "Inicial") + 1 for one in ranges)
            if ranges and held not in allowed:
                yield "BOOK-COUNT", f"{path}/{name}", f"The ranges hold {held} folios, not {allowed[-1]}."
        yield from _parts(values, ("MntNeto", "MntIva", "MntExento"), "MntTotal", path)


_CHECKS = {
    "LibroCompraVenta": _purchases_and_sales,
    "LibroGuia": _guides,
    "LibroBoleta": _boletas,
    "ConsumoFolios": _folios,
}
