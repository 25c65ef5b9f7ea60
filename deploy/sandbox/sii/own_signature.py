"""The signature of a book of boletas, which its schema puts into the SII's own namespace (LibroBOLETA_v10.xsd).

xmlsec knows only the W3C's. Structure and certificate are read from a copy in that namespace; what is signed is
SignedInfo where it stands, in its own. Whether the real service wants the one or the other isn't published.
"""

import base64
import hashlib

from lxml import etree

from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.keys import PublicKey
from deploy.sandbox.sii.reading import DSIG, SII_DTE, Element, children, local, namespace, text_of
from deploy.sandbox.sii.signatures import OF_AN_ID, BadSignatureError, Signature, open_signature


def is_own(root: Element) -> bool:
    """Whether a file's last element, its Signature, stands in the SII's namespace."""
    return namespace(children(root)[-1]) == SII_DTE


def with_own_signature(root: Element) -> Element:
    """A copy of a file whose Signature stands in the SII's namespace, whichever it stood in."""
    copy = etree.fromstring(etree.tostring(root))
    for each in copy.iter(f"{{{DSIG}}}*"):
        each.tag = f"{{{SII_DTE}}}{local(each)}"
    return copy


def own_sign_check(root: Element, signed_name: str, certificates: Certificates) -> Signature:
    """Check that `root` is one `signed_name` and its Signature, both of the SII's; raises BadSignatureError."""
    if [local(child) for child in children(root)] != [signed_name, "Signature"]:
        raise BadSignatureError(f"{local(root)} no contiene {signed_name} y Signature")
    signed, element = children(root)
    signature = open_signature(_as_w3c(element), f"#{signed.get('ID', '')}", OF_AN_ID, certificates)
    if not signature.key_matches:
        raise BadSignatureError("KeyValue no corresponde al certificado")
    digest = base64.b64encode(hashlib.sha1(_canonical(signed), usedforsecurity=False).digest()).decode("ascii")
    key = PublicKey(signature.certificate.modulus, signature.certificate.exponent)
    if text_of(element, "SignedInfo/Reference/DigestValue") != digest or not key.verify_base64(
        _canonical(children(element)[0]), signature.value
    ):
        raise BadSignatureError("firma no verifica")
    return signature


def _as_w3c(element: Element) -> Element:
    """A copy of a Signature in the W3C's namespace, without prefixes."""
    text = etree.tostring(element, with_tail=False)
    return etree.fromstring(text.replace(f'xmlns="{SII_DTE}"'.encode(), f'xmlns="{DSIG}"'.encode(), 1))


def _canonical(element: Element) -> bytes:
    """Inclusive C14N 1.0 of an element where it stands: lxml errs on a part of a tree, so it is parsed again alone."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=False)
