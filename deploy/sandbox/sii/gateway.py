"""What the gateway looks at in the bytes of a file before it takes it: superficially, and with odd preferences.

Long lines, the prolog, the opening tag of the root with its attributes in one order, and whether it is XML at all
(answers recorded in 2026: CHR-00002, SCH-00001, LPX-00007).
"""

import re

from deploy.sandbox.sii.light import Glance, glance
from deploy.sandbox.sii.reading import Element, NotXmlError, children, find_all, read, text_of
from deploy.sandbox.sii.switches import Switches

INVALID_SCHEMA_NAME = "SCH-00001: Invalid Schema Name"
_PROLOG = re.compile(rb"^\s*<\?xml([^>]*)\?>")
_ROOT = re.compile(rb"<([A-Za-z][\w.-]*)((?:\s[^>]*)?)>")
_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ROOTS = {
    b"EnvioDTE": b"EnvioDTE_v10.xsd",
    b"EnvioBOLETA": b"EnvioBOLETA_v11.xsd",
    b"LibroCompraVenta": b"LibroCV_v10.xsd",
    b"LibroGuia": b"LibroGuia_v10.xsd",
    b"LibroBoleta": b"LibroBOLETA_v10.xsd",
    b"ConsumoFolios": b"ConsumoFolio_v10.xsd",
}
# Programs in use call themselves compatible with something; browsers, scripts and libraries are sent away.
_AGENTS = {
    "compatible": re.compile(r"Mozilla/\d\.\d \( ?compatible; .*\)"),
    "prog": re.compile(r"Mozilla/\d\.\d \( ?compatible; PROG 1\.0; .*\)"),
}
_ATTRIBUTES = [b"xmlns", b"xmlns:xsi", b"xsi:schemaLocation", b"version"]


class ObjectionError(Exception):
    """The gateway refuses the file: its text."""


def is_let_in(agent: str, switches: Switches) -> bool:
    """Whether a User-Agent is one that uploads and the hosts of boletas answer."""
    return _AGENTS[switches.user_agent].fullmatch(agent) is not None


def check_bytes(data: bytes, roots: frozenset[str], max_line: int, *, ordered: bool) -> Element:
    """Look at a file as the gateway does and parse it; raises ObjectionError.

    `roots` are the root elements taken, `max_line` the longest line in bytes, `ordered` whether the root's attributes
    must stand in their usual order.
    """
    if max(map(len, data.split(b"\n"))) > max_line:
        raise ObjectionError(f"CHR-00002: Line too long ({max_line})")
    prolog = _PROLOG.match(data)
    if prolog is None or b"standalone" in prolog.group(1):
        raise ObjectionError(INVALID_SCHEMA_NAME)
    root = _ROOT.search(data, prolog.end())
    if root is None or root.group(1) not in _ROOTS or root.group(1).decode() not in roots:
        raise ObjectionError(INVALID_SCHEMA_NAME)
    _check_attributes(root.group(1), root.group(2), ordered=ordered)
    if not re.search(rb"""encoding\s*=\s*["']ISO-8859-1["']""", prolog.group(1), re.IGNORECASE):
        raise ObjectionError("Documento no cumple con el esquema: encoding")
    try:
        return read(data)
    except NotXmlError as error:
        raise ObjectionError(f"LPX-00007: unexpected end-of-file encountered: {error}") from error


def open_file(data: bytes, roots: frozenset[str], switches: Switches) -> Element | Glance:
    """A file's contents after the gateway's look, thorough or light; raises ObjectionError."""
    if switches.checks == "light":
        seen = glance(data)
        if seen.root not in roots:
            raise ObjectionError(INVALID_SCHEMA_NAME)
        return seen
    return check_bytes(data, roots, switches.max_line_bytes, ordered=switches.attribute_order)


def document_types(contents: Element | Glance) -> list[int]:
    """The types of an envelope's documents in order, 0 for one that can't be read."""
    if isinstance(contents, Glance):
        return contents.types
    found = []
    for envelope in children(contents)[:1]:
        for dte in find_all(envelope, "DTE"):
            body = children(dte)[:1]
            text = text_of(body[0], "Encabezado/IdDoc/TipoDTE") if body else ""
            found.append(int(text) if text.isascii() and text.isdigit() else 0)
    return found


def _check_attributes(name: bytes, text: bytes, *, ordered: bool) -> None:
    attributes = {m.group(1): m.group(2) or m.group(3) for m in _ATTRIBUTE.finditer(text)}
    location = (attributes.get(b"xsi:schemaLocation") or b"").split()
    if location != [b"http://www.sii.cl/SiiDte", _ROOTS[name]]:
        raise ObjectionError(INVALID_SCHEMA_NAME)
    if ordered and list(attributes) != _ATTRIBUTES:
        raise ObjectionError(INVALID_SCHEMA_NAME)
