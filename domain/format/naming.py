"""Names that aren't tags, and what whoever wrote them most likely meant.

Tags are written as in the format, letter by letter: in a signed document nothing is guessed. But who writes
`encabezado`, `quantity` or `Receptor` beside Encabezado is told what to write instead.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from domain.problems import shown

Places = Mapping[str, tuple[str, ...]]
"""Paths of the groups that have a tag."""

_ENGLISH: Mapping[str, str] = {
    "header": "Encabezado",
    "head": "Encabezado",
    "lines": "Detalle",
    "items": "Detalle",
    "details": "Detalle",
    "detail": "Detalle",
    "detalles": "Detalle",
    "issuer": "Emisor",
    "sender": "Emisor",
    "seller": "Emisor",
    "receiver": "Receptor",
    "recipient": "Receptor",
    "customer": "Receptor",
    "buyer": "Receptor",
    "client": "Receptor",
    "cliente": "Receptor",
    "totals": "Totales",
    "references": "Referencia",
    "reference": "Referencia",
    "referencias": "Referencia",
    "discounts": "DscRcgGlobal",
    "descuentos": "DscRcgGlobal",
    "globaldiscounts": "DscRcgGlobal",
    "commissions": "Comisiones",
    "subtotals": "SubTotInfo",
    "transport": "Transporte",
    "customs": "Aduana",
    "type": "TipoDTE",
    "documenttype": "TipoDTE",
    "tipo": "TipoDTE",
    "date": "FchEmis",
    "issuedate": "FchEmis",
    "fecha": "FchEmis",
    "fechaemision": "FchEmis",
    "duedate": "FchVenc",
    "paymentform": "FmaPago",
    "formapago": "FmaPago",
    "name": "NmbItem",
    "nombre": "NmbItem",
    "description": "DscItem",
    "descripcion": "DscItem",
    "quantity": "QtyItem",
    "qty": "QtyItem",
    "cantidad": "QtyItem",
    "price": "PrcItem",
    "unitprice": "PrcItem",
    "precio": "PrcItem",
    "unit": "UnmdItem",
    "unidad": "UnmdItem",
    "amount": "MontoItem",
    "monto": "MontoItem",
    "discount": "DescuentoMonto",
    "descuento": "DescuentoMonto",
    "exempt": "IndExe",
    "exento": "IndExe",
    "total": "MntTotal",
    "net": "MntNeto",
    "neto": "MntNeto",
    "vat": "IVA",
    "tax": "IVA",
    "rut": "RUTRecep",
    "giro": "GiroRecep",
    "address": "DirRecep",
    "direccion": "DirRecep",
    "city": "CiudadRecep",
    "commune": "CmnaRecep",
    "comuna": "CmnaRecep",
    "folio": "FolioRef",
}
"""What other languages and programs call a tag, in small letters without signs between."""

_SIGNS = re.compile(r"[\s_.\-]+")


def meant_by(name: object, own: Mapping[str, object], places: Places, written: object) -> str:
    """What to do about a name that isn't among a group's `own` tags: a sentence without its verb in front."""
    called = str(name)[:60]
    if isinstance(written, Mapping) and _holds_document(written):
        return f"Take what is in {shown(name)} out of it: Encabezado, Detalle … stand right under document."
    plain = _SIGNS.sub("", called).casefold()
    tag = next((tag for tag in own if tag.casefold() == plain), None) or _ENGLISH.get(plain, "")
    if tag in own:
        return f"Rename {shown(name)}: tags are written as in the format. Did you mean {tag}?"
    if homes := places.get(called):
        return f"Move {called}: it belongs to {' or '.join(home or 'the document itself' for home in homes)}."
    near = get_close_matches(called, own, 1)
    hint = f"did you mean {near[0]}?" if near else "no tag of that name belongs here."
    return f"Take {shown(name)} out or correct its name: {hint}"


def _holds_document(written: Mapping[object, object]) -> bool:
    names = {str(name).casefold() for name in written}
    return "encabezado" in names or any(
        isinstance(each, Mapping) and "encabezado" in {str(name).casefold() for name in each}
        for each in written.values()
    )
