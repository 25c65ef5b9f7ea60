"""Reading XML from strangers: no DTD, no entities, no network, no huge nodes."""

from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml's only name for the type of an element

SII_DTE = "http://www.sii.cl/SiiDte"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class NotXmlError(Exception):
    """The bytes are not well-formed XML that anybody should read."""


def read(data: bytes, encoding: str | None = None) -> Element:
    """Parse bytes to the root element; `encoding` overrides what the prolog says. Raises NotXmlError."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False, encoding=encoding
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXmlError(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXmlError("a document type declaration is not allowed")
    return root


def local(element: Element) -> str:
    """The name of an element without its namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: Element) -> str:
    """The namespace of an element, empty when it has none."""
    tag = element.tag
    return tag.rpartition("}")[0].lstrip("{") if isinstance(tag, str) else ""


def children(element: Element) -> list[Element]:
    """The child elements, without comments and instructions."""
    return list(element.iterchildren("*"))


def text_of(element: Element, path: str, default: str = "") -> str:
    """The stripped text at a path of local names below `element`, whatever their namespace."""
    found = find(element, path)
    if found is None:
        return default
    return "".join(found.itertext()).strip() if len(found) else (found.text or "").strip()


def find(element: Element, path: str) -> Element | None:
    """The first element at a path of local names below `element`, whatever their namespace."""
    found: Element | None = element
    for name in path.split("/"):
        if found is None:
            return None
        found = next(found.iterchildren("{*}" + name), None)
    return found


def find_all(element: Element, name: str) -> list[Element]:
    """The child elements of that local name."""
    return list(element.iterchildren("{*}" + name))
