"""Signed seeds that the manual doesn't describe, but that clients in use send and are let in with.

Nobody published what the real service checks of a getToken document. By default the manual's form is demanded; with the
switch ``seed_signature`` at ``lenient`` it is enough that the seed stands somewhere, that the digest is that of the
document without its Signature (or of the element that the Reference names), and that the certificate's key signed
SignedInfo, with SHA-1 or SHA-256 whatever it declares. For diagnosing: a login that only works so is a risk.
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.reading import Element, find, local, text_of
from deploy.sandbox.sii.signatures import BadSignatureError, Signature


def loosely_signed(root: Element, element: Element, certificates: Certificates) -> Signature:
    """The signature of a getToken document in any form that proves the holder's key; raises BadSignatureError."""
    info = find(element, "SignedInfo")
    certificate = certificates.read(text_of(element, "KeyInfo/X509Data/X509Certificate"))
    if info is None or certificate is None:
        raise BadSignatureError("sin SignedInfo o sin certificado legible")
    value = "".join(text_of(element, "SignatureValue").split())
    if text_of(info, "Reference/DigestValue") not in _digests(root, element, info):
        raise BadSignatureError("resumen no corresponde")
    key = rsa.RSAPublicNumbers(certificate.exponent, certificate.modulus).public_key()
    algorithms = hashes.SHA1(), hashes.SHA256()  # noqa: S303 - the SII's
    if not any(_verifies(key, value, canonical(info), algorithm) for algorithm in algorithms):
        raise BadSignatureError("firma no verifica")
    return Signature(element, certificate, value, key_matches=True)


def seed_of(root: Element) -> str:
    """The seed, wherever it stands."""
    return next((("".join(e.itertext())).strip() for e in root.iter() if local(e) == "Semilla"), "")


def canonical(element: Element) -> bytes:
    """Inclusive C14N of an element in its context: written with all its namespaces, read again, canonicalised."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=False)


def _digests(root: Element, signature: Element, info: Element) -> set[str]:
    """The digests that a Reference may hold: of the whole document unsigned, or of the element it names."""
    copy = etree.fromstring(etree.tostring(root))
    for inner in [e for e in copy.iter() if e.tag == signature.tag]:
        parent = inner.getparent()
        if parent is not None:
            parent.remove(inner)
    reference = find(info, "Reference")
    name = "" if reference is None else str(reference.get("URI", "")).removeprefix("#")
    signed = [copy, *(e for e in copy.iter() if name and e.get("ID") == name)]
    texts = [canonical(e) for e in signed]
    return {base64.b64encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode() for text in texts}


def _verifies(key: rsa.RSAPublicKey, value: str, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        key.verify(base64.b64decode(value, validate=True), data, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
