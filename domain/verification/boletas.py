"""The schema by which boletas of others are judged: the SII's variant of 2020, which is wider than what FMgo sends.

What this house sends stays inside both variants in circulation (`domain.schema.boleta_schema`). A boleta that was
received may refer to a document by type and folio, carry a ticket, have no line, a percentage of nought, a subtotal
without order, and subtotals of up to a thousand lines.
"""

from functools import cache

from lxml import etree

from domain.schema import official_folder, own_folder
from domain.verification.reading import parser

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WIDER = (
    ("Boleta", "Detalle", "minOccurs", "0"),
    ("Subtotal", "OrdenSTI", "minOccurs", "0"),
    ("Subtotal", "LineasDeta", "maxOccurs", "1000"),
)


@cache
def received_schema() -> etree.XMLSchema:
    """Judges an EnvioBOLETA of others, or the DTE of such a boleta alone."""
    root = etree.parse(own_folder() / "EnvioBOLETA_v11.xsd", parser()).getroot()
    added = etree.parse(own_folder() / "EnvioBOLETA_received.xsd", parser()).getroot()
    for group in added.iterfind(f"{_XSD}group"):
        kind, _, name = str(group.get("name")).partition(".")
        anchor = _element(root, kind, name)
        for element in reversed(group.findall(f"{_XSD}sequence/{_XSD}element")):
            anchor.addnext(element)
    root.extend(added.findall(f"{_XSD}simpleType"))
    for kind, name, attribute, value in _WIDER:
        _element(root, kind, name).set(attribute, value)
    for lines in _element(root, "Subtotal", "LineasDeta").iter(f"{_XSD}maxInclusive"):
        lines.set("value", "1000")
    for least in root.iterfind(f"{_XSD}simpleType[@name='Porcentaje']/{_XSD}restriction/{_XSD}minInclusive"):
        least.set("value", "0")
    for imported in root.iterfind(f"{_XSD}import"):
        imported.set("schemaLocation", (official_folder() / str(imported.get("schemaLocation"))).as_uri())
    return etree.XMLSchema(root)


def _element(root: etree._Element, kind: str, name: str) -> etree._Element:
    found = root.find(f"{_XSD}complexType[@name='{kind}']//{_XSD}element[@name='{name}']")
    if found is None:
        raise ValueError(f"EnvioBOLETA_v11.xsd has no {kind}/{name}")
    return found
