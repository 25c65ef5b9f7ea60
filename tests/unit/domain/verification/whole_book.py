"""A book of purchases and sales with every element that its official schema declares, made from the schema itself."""

from lxml import etree

from domain.schema import official_folder

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_SII = "http://www.sii.cl/SiiDte"
_VALUES = {
    "xs:date": "2026-11-24",
    "xs:gYearMonth": "2026-11",
    "xs:dateTime": "2026-11-24T10:00:00",
    "xs:string": "x",
    "SiiDte:RUTType": "76900101-8",
}
"""Values of a kind; whatever else there is takes a 1."""


def whole_book() -> bytes:
    """The book, unsigned: its signature is the last thing that it lacks."""
    schema = etree.parse(official_folder() / "LibroCV_v10.xsd").getroot()
    declared = schema.find(f"{_XSD}element[@name='LibroCompraVenta']")
    assert declared is not None
    root = etree.Element(f"{{{_SII}}}LibroCompraVenta", nsmap={None: _SII})
    root.set("version", "1.0")
    _fill(root, declared, schema)
    root[0].set("ID", "A")
    return etree.tostring(root, encoding="ISO-8859-1")


def _fill(parent: etree._Element, declared: etree._Element, schema: etree._Element) -> None:
    sequence = declared.find(f"{_XSD}complexType/{_XSD}sequence")
    assert sequence is not None
    for child in sequence.findall(f"{_XSD}element"):
        name = child.get("name")
        if name is None:
            continue  # the signature, which is another schema's
        element = etree.SubElement(parent, f"{{{_SII}}}{name}")
        if child.find(f"{_XSD}complexType") is not None:
            _fill(element, child, schema)
        else:
            element.text = _value(child, schema)


def _value(declared: etree._Element, schema: etree._Element) -> str:
    kind = declared.get("type")
    named = None if kind is None else schema.find(f"{_XSD}simpleType[@name='{kind.rpartition(':')[2]}']")
    if kind is not None and named is None:
        return _VALUES.get(kind, "1")
    place = declared if named is None else named
    first = next(place.iter(f"{_XSD}enumeration"), None)
    if first is not None:
        return str(first.get("value"))
    base = str(next(place.iter(f"{_XSD}restriction")).get("base"))
    return _VALUES.get(kind or "", _VALUES.get(base, "1"))
