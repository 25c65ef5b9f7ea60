"""What a document says of its receiver and of goods that move: addresses, motive, and who drives what, when, where to.

Since 2026-11-01 a guía (52) says who drives which vehicle, where to and when it leaves, or declares that the datum
isn't known; only profile 2026 of the format can carry all of it. What the SII answers where it doesn't isn't published:
the switch `guide_rule` chooses. Sources: SII, Formato DTE 2.5, zones Receptor and Transporte; SII, Resoluciones Exentas
154 of 2025 and 52 of 2026.
"""

from collections.abc import Iterator
from datetime import date

from deploy.sandbox.sii.reading import Element, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding
from deploy.sandbox.sii.switches import Switches

GUIDES_SAY_SINCE = date(2026, 11, 1)
_GUIDE = 52
_WITH_ADDRESS = frozenset({33, 34, 43, 46, 52, 110})
_INTERNAL = "5"
_OUT_OF_THE_COUNTRY = frozenset({"8", "9"})
_MAY_BE_UNKNOWN = ("Patente", "RUTTrans", "Chofer/RUTChofer", "Chofer/NombreChofer")
_ALWAYS = ("DirDest", "CmnaDest", "FchSalida", "HraSalida")
_CUSTOMS = ("CodPtoEmbarque", "PesoBruto", "CodUnidPesoBruto", "TotBultos", "TipoBultos")


def goods_findings(body: Element, document_type: int, received_on: date, switches: Switches) -> list[Finding]:
    """The findings about receiver and transport of a document's body."""
    found = [*_address(body, document_type)]
    if document_type == _GUIDE:
        found += _motive(body)
        if switches.format_profile == "2026" and received_on >= GUIDES_SAY_SINCE:
            found += _transport(body, "HED-3-999" if switches.guide_rule == "reject" else "HED-2-999")
    return found


def _address(body: Element, document_type: int) -> Iterator[Finding]:
    if document_type in _WITH_ADDRESS and not text_of(body, "Encabezado/Receptor/DirRecep"):
        yield Finding("HED-3-845", "Receptor sin Direccion")


def _motive(body: Element) -> Iterator[Finding]:
    motive = text_of(body, "Encabezado/IdDoc/IndTraslado")
    issuer, receiver = (text_of(body, f"Encabezado/{path}") for path in ("Emisor/RUTEmisor", "Receptor/RUTRecep"))
    if not motive:
        yield Finding("HED-3-999", "Guia sin Indicador de Traslado")
    if motive == _INTERNAL and issuer != receiver:
        yield Finding("HED-2-999", "Traslado Interno a Otro RUT")
    if motive in _OUT_OF_THE_COUNTRY:
        aduana = find(body, "Encabezado/Transporte/Aduana")
        for tag in _CUSTOMS:
            if aduana is None or find(aduana, tag) is None:
                yield Finding("HED-2-804", f"Falta {tag}")


def _transport(body: Element, code: str) -> Iterator[Finding]:
    declared = any("desconoce" in text_of(line, "DscItem").casefold() for line in find_all(body, "Detalle"))
    transport = find(body, "Encabezado/Transporte")
    for path in (*(() if declared else _MAY_BE_UNKNOWN), *_ALWAYS):
        if transport is None or not text_of(transport, path):
            yield Finding(code, f"Guia sin {path.rpartition('/')[2]} de Transporte")
