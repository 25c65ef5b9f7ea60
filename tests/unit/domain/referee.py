"""Other people's code as judge: xmlsec for signatures, lxml's canonicalisation of a text parsed anew."""

import base64
import re

import xmlsec
from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SII = "{http://www.sii.cl/SiiDte}"


def parsed(data: bytes) -> etree._Element:
    """The tree of a file, or of a document that was cut out of one and has no prolog."""
    encoding = None if data.startswith(b"<?xml") else "ISO-8859-1"
    return etree.fromstring(data, etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True))


def signature_holds(root: etree._Element, signature: etree._Element) -> bool:
    """Whether a signature verifies with its own certificate where it stands."""
    certificate = "".join(str(signature.findtext(f".//{DS}X509Certificate")).split())
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(base64.b64decode(certificate), xmlsec.constants.KeyDataFormatCertDer)
    for element in root.iter():
        if element.get("ID"):
            context.register_id(element, "ID")
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def own_signature(root: etree._Element) -> etree._Element:
    found = root.find(f"{DS}Signature")
    assert found is not None
    return found


def document_holds(xml: bytes) -> bool:
    """Whether a DTE that stands alone is signed well."""
    root = parsed(xml)
    return signature_holds(root, own_signature(root))


def envelope_holds(xml: bytes) -> bool:
    """Whether the envelope's signature verifies in place."""
    return document_holds(xml)


def documents_of(envelope: bytes) -> list[bytes]:
    """The documents of an envelope, cut out of it as text."""
    return re.findall(rb"<DTE .*?</DTE>", envelope, re.DOTALL)


def canonical(element: etree._Element) -> bytes:
    """Inclusive C14N 1.0 of an element where it stands: its text with all namespaces in scope, parsed anew."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=False)


def canonical_in_set(document: bytes) -> bytes:
    """What C14N makes of a document (ISO-8859-1) that stands in a SetDTE of an envelope."""
    root = parsed(
        b'<SetDTE xmlns="http://www.sii.cl/SiiDte" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        + document
        + b"</SetDTE>"
    )
    text = canonical(root)
    return text[text.index(b"<DTE") : -len(b"</SetDTE>")]
