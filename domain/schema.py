"""The SII's schemas as judges of what is about to leave and of what comes from others.

DTE, EnvioDTE and whatever else the installed distribution `cl-sii` carries are judged by the official files inside it,
found by path and without importing it; what no distribution under a free licence carries, by the files of this house in
`schemas/`. Profile 2026 of the format is `schemas/DTE_2026.xsd` and `schemas/EnvioBOLETA_2026.xsd` of this house laid
over the files before (unverified: the SII's own files of 2026 weren't available). Schemas are compiled once per
process, when they are first needed. Nothing is fetched from anywhere.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from lxml import etree

from domain.format.table import Profile
from domain.problems import Problem, shown

MOST_PROBLEMS = 20
"""Problems told of one document; what follows the first is often its echo."""

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_SII = "{http://www.sii.cl/SiiDte}"
_BOLETA_TYPE = re.compile(rb"<TipoDTE>\s*(?:39|41)\s*</TipoDTE>")
_NAMESPACE = re.compile(r"\{[^}]*\}")
_CODES = (
    ("SCHEMAV_CVC_ELT", "SCHEMA-ROOT"),
    ("SCHEMAV_ELEMENT_CONTENT", "SCHEMA-CONTENT"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_3", "SCHEMA-ATTRIBUTE"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_4", "SCHEMA-ATTRIBUTE"),
    ("SCHEMAV_CVC_AU", "SCHEMA-ATTRIBUTE"),
    ("SCHEMAV_CVC_IDC", "SCHEMA-IDENTITY"),
    ("SCHEMAV_CVC", "SCHEMA-VALUE"),
)
_lock = Lock()  # a compiled schema keeps the log of its last judgement


def official_folder() -> Path:
    """The folder with the SII's schemas in the installed `cl_sii`. Raises FileNotFoundError when it is not there."""
    spec = find_spec("cl_sii")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "data" / "ref" / "factura_electronica" / "schemas-xml"
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the SII's schemas are missing: install cl-sii beside FMgo")


def own_folder() -> Path:
    """The folder with the schemas of this house."""
    return Path(__file__).parent / "schemas"


def _parser(encoding: str | None = None) -> etree.XMLParser:
    return etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


@cache
def official_schema() -> etree.XMLSchema:
    """EnvioDTE_v10 with DTE_v10: judges an EnvioDTE, or a DTE alone."""
    return etree.XMLSchema(etree.parse(official_folder() / "EnvioDTE_v10.xsd", _parser()))


def official_schema_2026(name: str = "EnvioDTE_v10.xsd") -> etree.XMLSchema:
    """The same with what the format of 2026 adds: an unverified overlay of this house on the files in circulation.

    `name` is the schema of what holds documents: EnvioDTE_v10 or AEC_v10.
    """
    return _schema_2026(name)


@cache
def _schema_2026(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(_with_documents(etree.parse(official_folder() / name, _parser()).getroot()))


_LEAD_TO_DOCUMENTS = ("DTECedido_v10.xsd", "DTE_v10.xsd")
"""Files through which a schema includes that of documents."""


def _with_documents(root: etree._Element) -> etree._Element:
    """A schema with the documents of 2026 in it instead of a way to those before; other parts are found by path."""
    for included in root.findall(f"{_XSD}include"):
        named = str(included.get("schemaLocation"))
        if named not in _LEAD_TO_DOCUMENTS:
            included.set("schemaLocation", (official_folder() / named).as_uri())
            continue
        inner = (
            _documents_2026() if named == "DTE_v10.xsd" else etree.parse(official_folder() / named, _parser()).getroot()
        )
        root.remove(included)
        for part in list(_with_documents(inner)):
            if part.tag == f"{_XSD}include":
                root.insert(0, part)
            elif part.tag != f"{_XSD}import":
                root.append(part)
    for imported in root.iterfind(f"{_XSD}import"):
        named = str(imported.get("schemaLocation"))
        if "://" not in named:
            imported.set("schemaLocation", (official_folder() / named).as_uri())
    return root


def _documents_2026() -> etree._Element:
    """DTE_v10 with the additions laid over it."""
    documents = etree.parse(official_folder() / "DTE_v10.xsd", _parser()).getroot()
    added = etree.parse(own_folder() / "DTE_2026.xsd", _parser()).getroot()
    place = documents.find(f".//{_XSD}element[@name='Documento']")
    if place is None:
        raise ValueError("DTE_v10.xsd has no Documento")
    for group in added.iterfind(f"{_XSD}group"):
        anchor = _declared(place, str(group.get("name")).split("."))
        for element in reversed(group.findall(f"{_XSD}sequence/{_XSD}element")):
            anchor.addnext(element)
    _declared(place, ["Encabezado", "Totales", "ImptoReten", "MontoImp"]).set("type", "SiiDte:ValorType")
    _take_services_abroad(documents)
    documents.extend(added.findall(f"{_XSD}simpleType"))
    return documents


def _take_services_abroad(documents: etree._Element) -> None:
    """Let exports say IndServicio 6, services that are rendered and used abroad."""
    exports = documents.find(f".//{_XSD}element[@name='Exportaciones']")
    if exports is None:
        raise ValueError("DTE_v10.xsd has no Exportaciones")
    codes = _declared(exports, ["Encabezado", "IdDoc", "IndServicio"]).find(f".//{_XSD}restriction")
    if codes is not None:
        etree.SubElement(codes, f"{_XSD}enumeration", value="6")


@cache
def tags_of_2026() -> frozenset[str]:
    """The elements that only the format of 2026 has."""
    files = ("DTE_2026.xsd", "EnvioBOLETA_2026.xsd")
    added = [etree.parse(own_folder() / name, _parser()).getroot() for name in files]
    return frozenset(str(each.get("name")) for root in added for each in root.iter(f"{_XSD}element"))


def _declared(place: etree._Element, way: list[str]) -> etree._Element:
    """The declaration that a way of names leads to from the declaration of an element."""
    for name in way:
        found = place.find(f"{_XSD}complexType/{_XSD}sequence/{_XSD}element[@name='{name}']")
        if found is None:
            raise ValueError(f"DTE_v10.xsd has no {'/'.join(way)}")
        place = found
    return place


def _schema_of(profile: Profile) -> etree.XMLSchema:
    return official_schema() if profile == "2019" else official_schema_2026()


def _boletas_of(profile: Profile) -> etree.XMLSchema:
    return boleta_schema() if profile == "2019" else boleta_schema_2026()


@cache
def boleta_schema() -> etree.XMLSchema:
    """EnvioBOLETA_v11 of this house: judges an EnvioBOLETA, or the DTE of a boleta alone."""
    return own_schema("EnvioBOLETA_v11.xsd")


@cache
def boleta_schema_2026() -> etree.XMLSchema:
    """The same with tickets, typed references and what Formato Boletas 4.2 adds, which is unverified."""
    root = own_root("EnvioBOLETA_v11.xsd")
    lay_over(root, "EnvioBOLETA_received.xsd")
    lay_boletas_of_2026_over(root)
    return etree.XMLSchema(root)


def lay_boletas_of_2026_over(root: etree._Element) -> None:
    """Add to EnvioBOLETA_v11 of this house what the format of 2025-09 adds to boletas."""
    lay_over(root, "EnvioBOLETA_2026.xsd")
    element_of_type(root, "Totales", "TotalPeriodo").set("type", "MontoConSigno")
    vat = element_of_type(root, "Totales", "IVA")
    vat.set("type", "Monto")
    for own_type in vat.findall(f"{_XSD}simpleType"):
        vat.remove(own_type)


def lay_over(root: etree._Element, name: str) -> None:
    """Add to a schema of this house the elements and types of another file of it.

    A group of that file names a complex type and, after the dot, the element that its elements follow there.
    """
    added = etree.parse(own_folder() / name, _parser()).getroot()
    for group in added.iterfind(f"{_XSD}group"):
        kind, _, followed = str(group.get("name")).partition(".")
        anchor = element_of_type(root, kind, followed)
        for element in reversed(group.findall(f"{_XSD}sequence/{_XSD}element")):
            anchor.addnext(element)
    root.extend(added.findall(f"{_XSD}simpleType"))


def element_of_type(root: etree._Element, kind: str, name: str) -> etree._Element:
    """The declaration of an element in a complex type of a schema of this house."""
    found = root.find(f"{_XSD}complexType[@name='{kind}']//{_XSD}element[@name='{name}']")
    if found is None:
        raise ValueError(f"the schema has no {kind}/{name}")
    return found


@cache
def simplified_book_schema() -> etree.XMLSchema:
    """LibroCVS_v10: the simplified book of purchases and sales, which isn't signed.

    It is the official LibroCV_v10 but for four places, which are changed here (SII, LibroCVS_v10.xsd).
    """
    book = etree.parse(official_folder() / "LibroCV_v10.xsd", _parser()).getroot()
    for reference in book.iterfind(f".//{_XSD}element[@ref='ds:Signature']"):
        reference.set("minOccurs", "0")
    for rate in book.iterfind(f".//{_XSD}element[@name='OtrosImp']//{_XSD}element[@name='TasaImp']"):
        rate.attrib.pop("minOccurs", None)
    for kind, code in (("ImptoType", "271"), ("DoctoType", "48")):
        for value in book.iterfind(f"{_XSD}simpleType[@name='{kind}']//{_XSD}enumeration[@value='{code}']"):
            value.getparent().remove(value)  # type: ignore[union-attr]
    for imported in book.iterfind(f"{_XSD}import"):
        imported.set("schemaLocation", (official_folder() / str(imported.get("schemaLocation"))).as_uri())
    return etree.XMLSchema(book)


@cache
def schema_file(name: str) -> etree.XMLSchema:
    """The official schema in the file of that name, or this house's where the official one cannot be had."""
    if (own_folder() / name).is_file():
        return own_schema(name)
    return etree.XMLSchema(etree.parse(official_folder() / name, _parser()))


@cache
def own_schema(name: str) -> etree.XMLSchema:
    """A schema of this house."""
    return etree.XMLSchema(own_root(name))


def own_root(name: str) -> etree._Element:
    """A schema of this house as a tree. What it imports or includes of the SII's lies where only this module knows."""
    root = etree.parse(own_folder() / name, _parser()).getroot()
    for part in root.iterfind("*"):
        if part.tag in (f"{_XSD}import", f"{_XSD}include"):
            named = part.get("schemaLocation", "")
            own = own_folder() / named
            part.set("schemaLocation", (own if own.is_file() else official_folder() / named).as_uri())
    return root


def validate_dte(xml: bytes, profile: Profile = "2019") -> tuple[Problem, ...]:
    """What the schema finds wrong in one DTE that stands alone; nothing when it is valid.

    Without a prolog it is read as ISO-8859-1, as documents are stored. A boleta (39, 41) is judged by the schema of
    boletas, which the SII publishes for envelopes only.
    Codes: SCHEMA-XML, SCHEMA-DTD, SCHEMA-ROOT, SCHEMA-CONTENT, SCHEMA-VALUE, SCHEMA-ATTRIBUTE, SCHEMA-IDENTITY.
    """
    boleta = _BOLETA_TYPE.search(xml) is not None
    return _judged(xml, _boletas_of(profile) if boleta else _schema_of(profile), "DTE")


def validate_envelope(xml: bytes, profile: Profile = "2019") -> tuple[Problem, ...]:
    """What the schema finds wrong in an EnvioDTE or EnvioBOLETA; codes as in `validate_dte`."""
    if b"<EnvioBOLETA" in xml[:1000]:
        return _judged(xml, _boletas_of(profile), "EnvioBOLETA")
    return _judged(xml, _schema_of(profile), "EnvioDTE")


def _judged(xml: bytes, schema: etree.XMLSchema, root_name: str) -> tuple[Problem, ...]:
    if b"<!DOCTYPE" in xml:
        return (Problem("SCHEMA-DTD", "", "The document has a document type definition; none is accepted."),)
    try:
        root = etree.fromstring(xml, _parser(None if xml.startswith(b"<?xml") else "ISO-8859-1"))
    except (etree.XMLSyntaxError, ValueError) as fault:
        return (Problem("SCHEMA-XML", "", f"The document is not well-formed XML: {shown(str(fault))}."),)
    if root.getroottree().docinfo.doctype:
        return (Problem("SCHEMA-DTD", "", "The document has a document type definition; none is accepted."),)
    if root.tag != f"{_SII}{root_name}":
        return (Problem("SCHEMA-ROOT", "", f"The root is {shown(root.tag)}, not {root_name} of the SII."),)
    return judge(root, schema)


def judge(root: etree._Element, schema: etree.XMLSchema) -> tuple[Problem, ...]:
    """What that schema finds wrong in a tree; nothing when it is valid."""
    with _lock:
        if schema.validate(root):
            return ()
        return tuple(_problems(schema, root))


def _problems(schema: etree.XMLSchema, root: etree._Element) -> Iterator[Problem]:
    for entry in list(schema.error_log)[:MOST_PROBLEMS]:
        code = next((code for prefix, code in _CODES if entry.type_name.startswith(prefix)), "SCHEMA-CONTENT")
        yield Problem(code, _path(root, entry.path), _NAMESPACE.sub("", entry.message))


def _path(root: etree._Element, xpath: str | None) -> str:
    """The place as tag names from the document's own element down, e.g. `Documento/Encabezado/IdDoc/Folio`."""
    try:
        found = root.xpath(xpath or ".")
    except etree.XPathError:  # a path through elements with a prefix of their own
        return ""
    if not isinstance(found, list) or not found or not etree.iselement(found[0]):
        return ""
    element = found[0]
    tags = [element.tag, *(each.tag for each in element.iterancestors())][:-1]
    return "/".join(_NAMESPACE.sub("", str(tag)) for tag in reversed(tags))
