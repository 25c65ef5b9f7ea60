"""Editions of the schemas: what came after the files in circulation, laid over them.

Profile 2026 of the format is what ``DTE_2026.xsd`` lists, laid over the DTE in circulation: the elements of a group
follow the element that the group's name leads to; exports may be of services used abroad (IndServicio 6). Boletas of
the newer schema (2025) are what ``boletas_2025.xsd`` lists. The SII's own files weren't available; a file that has the
newer elements already (of a folder given at the start) is left as it is.
"""

from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lxml import etree

from deploy.sandbox.sii.reading import Element
from deploy.sandbox.sii.switches import Switches

NEWER_SINCE = date(2026, 11, 1)
"""Documents follow profile 2026 from this day on, as far as their issuers do (SII, Resolución Exenta 52 of 2026)."""

_XS = "{http://www.w3.org/2001/XMLSchema}"
_BOLETAS = Path(__file__).with_name("boletas_2025.xsd")
_NEW, _NEW_BOLETA, _OUR_LINE = "FchSalida", "MedioPago", "Linea"
_SIGNED = ("Encabezado", "Totales", "ImptoReten", "MontoImp")  # may be below 0 since 2026
_EXPORT_SERVICE = ("Encabezado", "IdDoc", "IndServicio")
_ABROAD = "6"
_WIDENED = "Widened"


class NoSuchPlaceError(Exception):
    """A schema hasn't the element that something is laid over."""


@dataclass(frozen=True, slots=True)
class Edition:
    """Which schemas judge a file: of documents (2019 or 2026) and of boletas (2020 or 2025)."""

    documents: str = "2019"
    boletas: str = "2020"


def edition_at(switches: Switches, day: date) -> Edition:
    """The schemas that judge what is received on a day."""
    documents = switches.format_profile
    if documents == "date":
        documents = "2026" if day >= NEWER_SINCE else "2019"
    return Edition(documents, switches.boleta_format if documents == "2026" else "2020")


def lay_documents_over(document: etree._ElementTree, added: Element) -> None:
    """Make the DTE in circulation that of 2026; `added` lists what it has more. Raises NoSuchPlaceError."""
    if document.find(f".//{_XS}element[@name='{_NEW}']") is not None:
        return
    start = document.find(f".//{_XS}element[@name='Documento']")
    for group in added.findall(f"{_XS}group"):
        place = _led_to(start, str(group.get("name")).split("."))
        for element in reversed(group.findall(f"{_XS}sequence/{_XS}element")):
            place.addnext(element)
    _led_to(start, list(_SIGNED)).set("type", "SiiDte:ValorType")
    exports = document.find(f".//{_XS}element[@name='Exportaciones']")
    service = _led_to(exports, list(_EXPORT_SERVICE)).find(f"{_XS}simpleType/{_XS}restriction")
    if service is not None:
        etree.SubElement(service, f"{_XS}enumeration", value=_ABROAD)
    document.getroot().extend(added.findall(f"{_XS}simpleType"))


def lay_boletas_over(document: etree._ElementTree) -> None:
    """Make the boletas in circulation those of 2025; a file that has them, or other types than ours, stays."""
    root = document.getroot()
    types = {str(one.get("name")): one for one in root.findall(f"{_XS}complexType")}
    if _OUR_LINE not in types or root.find(f".//{_XS}element[@name='{_NEW_BOLETA}']") is not None:
        return
    for group in etree.parse(str(_BOLETAS)).getroot().findall(f"{_XS}group"):
        kind, _, follows = str(group.get("name")).partition(".")
        for element in reversed(group.findall(f"{_XS}sequence/{_XS}element")):
            if kind == _WIDENED:
                place = _declared(types["Totales"], str(element.get("name")))
                place.addnext(deepcopy(element))
                types["Totales"][0].remove(place)
            else:
                _declared(types[kind], follows).addnext(deepcopy(element))


def _declared(within: Element, name: str) -> Element:
    found = within.find(f".//{_XS}element[@name='{name}']")
    if found is None:
        raise NoSuchPlaceError(f"no {name} in the schema of boletas")
    return found


def _led_to(place: Element | None, names: list[str]) -> Element:
    """The declaration that a way of element names leads to."""
    for name in names:
        place = None if place is None else place.find(f"{_XS}complexType/{_XS}sequence/{_XS}element[@name='{name}']")
    if place is None:
        raise NoSuchPlaceError(f"no {'/'.join(names)} in DTE_v10.xsd")
    return place
