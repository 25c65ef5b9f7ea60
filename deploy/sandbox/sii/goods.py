"""What a document says of its receiver and of goods that move: addresses, motive, and who drives what, when, where to.

A guía (52) issued since 2026-11-01 says who drives which vehicle, where to and when it leaves, or declares that the
datum isn't known; only profile 2026 of the format can carry all of it. What moves nothing (meal vouchers: a sale
without kind of dispatch and without transport) isn't asked. What the SII answers where the data lack isn't published:
the switch `guide_rule` chooses. Sources: SII, Formato DTE 2.5, zones Receptor and Transporte; SII, Resoluciones
Exentas 154 of 2025 and 52 of 2026.
"""

from collections.abc import Iterator
from datetime import date

from deploy.sandbox.sii.editions import NEWER_SINCE, edition_at
from deploy.sandbox.sii.reading import Element, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding
from deploy.sandbox.sii.switches import Switches

_GUIDE = 52
_WITH_ADDRESS = frozenset({33, 34, 43, 46, 52, 110})
_SALE, _INTERNAL = "1", "5"
_OUT_OF_THE_COUNTRY = frozenset({"8", "9"})
_MAY_BE_UNKNOWN = ("Patente", "RUTTrans", "Chofer/RUTChofer", "Chofer/NombreChofer")
_ALWAYS = ("DirDest", "CmnaDest", "FchSalida", "HraSalida")
_CUSTOMS = ("CodPtoEmbarque", "PesoBruto", "CodUnidPesoBruto", "TotBultos", "TipoBultos")


def goods_findings(body: Element, document_type: int, received_on: date, switches: Switches) -> list[Finding]:
    """The findings about receiver and transport of a document's body."""
    found = [*_address(body, document_type)]
    if document_type == _GUIDE:
        found += _motive(body)
        knows = edition_at(switches, received_on).documents == "2026"
        if knows and _issued_on(body) >= NEWER_SINCE.isoformat() and _moves_something(body):
            found += _transport(body, "HED-3-999" if switches.guide_rule == "reject" else "HED-2-999")
    return found


def _issued_on(body: Element) -> str:
    return text_of(body, "Encabezado/IdDoc/FchEmis")


def _moves_something(body: Element) -> bool:
    motive, dispatch = (text_of(body, f"Encabezado/IdDoc/{tag}") for tag in ("IndTraslado", "TipoDespacho"))
    return motive != _SALE or bool(dispatch) or find(body, "Encabezado/Transporte") is not None


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
    if motive == _INTERNAL and not _leads_elsewhere(body):
        yield Finding("HED-2-999", "Traslado Interno sin Destino")
    if motive in _OUT_OF_THE_COUNTRY:
        aduana = find(body, "Encabezado/Transporte/Aduana")
        for tag in _CUSTOMS:
            if aduana is None or find(aduana, tag) is None:
                yield Finding("HED-2-804", f"Falta {tag}")


def _leads_elsewhere(body: Element) -> bool:
    """Whether a guía to oneself names another place than the one it starts from."""
    place = [text_of(body, f"Encabezado/Transporte/{tag}") for tag in ("DirDest", "CmnaDest")]
    own = [text_of(body, f"Encabezado/Emisor/{tag}") for tag in ("DirOrigen", "CmnaOrigen")]
    receiver = [text_of(body, f"Encabezado/Receptor/{tag}") for tag in ("DirRecep", "CmnaRecep")]
    return all(place) or own != receiver


def _transport(body: Element, code: str) -> Iterator[Finding]:
    declared = any("desconoce" in text_of(line, "DscItem").casefold() for line in find_all(body, "Detalle"))
    transport = find(body, "Encabezado/Transporte")
    for path in (*(() if declared else _MAY_BE_UNKNOWN), *_ALWAYS):
        if transport is None or not text_of(transport, path):
            yield Finding(code, f"Guia sin {path.rpartition('/')[2]} de Transporte")
