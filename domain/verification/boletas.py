"""The schema by which boletas of others are judged: the SII's variant of 2020, which is wider than what FMgo sends.

What this house sends stays inside both variants in circulation (`domain.schema.boleta_schema`). A boleta that was
received may refer to a document by type and folio, carry a ticket, have no line, a percentage of nought, a subtotal
without order, and subtotals of up to a thousand lines.
"""

from functools import cache

from lxml import etree

from domain.format.table import Profile
from domain.schema import element_of_type, lay_boletas_of_2026_over, lay_over, own_root

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WIDER = (
    ("Boleta", "Detalle", "minOccurs", "0"),
    ("Subtotal", "OrdenSTI", "minOccurs", "0"),
    ("Subtotal", "LineasDeta", "maxOccurs", "1000"),
)


@cache
def received_schema(profile: Profile = "2019") -> etree.XMLSchema:
    """Judges an EnvioBOLETA of others, or the DTE of such a boleta alone, by an edition of the format."""
    root = own_root("EnvioBOLETA_v11.xsd")
    lay_over(root, "EnvioBOLETA_received.xsd")
    if profile == "2026":
        lay_boletas_of_2026_over(root)
    for kind, name, attribute, value in _WIDER:
        element_of_type(root, kind, name).set(attribute, value)
    for lines in element_of_type(root, "Subtotal", "LineasDeta").iter(f"{_XSD}maxInclusive"):
        lines.set("value", "1000")
    for least in root.iterfind(f"{_XSD}simpleType[@name='Porcentaje']/{_XSD}restriction/{_XSD}minInclusive"):
        least.set("value", "0")
    return etree.XMLSchema(root)
