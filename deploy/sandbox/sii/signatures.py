"""Signatures in the SII's cut-down form of XML-DSig, verified by xmlsec.

The element that is signed is taken by its position, never by a search for its ID; there is one Reference, the
algorithms are the fixed ones, KeyInfo holds KeyValue and then one certificate, and both hold the same key
(xmldsignature_v10.xsd; SII, Autenticación automática). xmlsec does the canonical forms and the arithmetic.

A Reference to an ID has one Transform or none: C14N, as in the SII's example, or enveloped-signature, as programs in
use have written for years and are accepted with. All three give one digest, for the Signature stands outside of what
it signs. The schema leaves the URI of the Transform open and allows no second one.
"""

import base64
import binascii
from dataclasses import dataclass

import xmlsec

from deploy.sandbox.sii.certificates import Certificate, Certificates
from deploy.sandbox.sii.reading import DSIG, Element, children, find, local, text_of

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RSA_SHA1 = DSIG + "rsa-sha1"
_SHA1 = DSIG + "sha1"
ENVELOPED = DSIG + "enveloped-signature"
NO_TRANSFORM = ""
OF_AN_ID = frozenset({C14N, ENVELOPED, NO_TRANSFORM})
"""Transforms that a Reference to an ID may have."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature whose structure is right, not yet verified."""

    element: Element
    certificate: Certificate
    value: str
    key_matches: bool


class BadSignatureError(Exception):
    """The signature doesn't have the form, doesn't verify, or isn't of that element."""


def open_signature(element: Element, uri: str, transforms: frozenset[str], certificates: Certificates) -> Signature:
    """Check the structure of a Signature element whose only Reference must be `uri`; raises BadSignatureError.

    `transforms` are the algorithms of which its one Transform must have one; with NO_TRANSFORM there may be none.
    """
    if [local(c) for c in children(element)] != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        raise BadSignatureError("Signature no contiene SignedInfo, SignatureValue, KeyInfo")
    if any(not str(e.tag).startswith(f"{{{DSIG}}}") for e in element.iter() if isinstance(e.tag, str)):
        raise BadSignatureError("elemento ajeno dentro de Signature")
    if any(e.prefix is not None for e in element.iter() if isinstance(e.tag, str)):
        raise BadSignatureError("Signature con prefijo")
    _check_signed_info(children(element)[0], uri, transforms)
    info = children(element)[2]
    if [local(c) for c in children(info)] != ["KeyValue", "X509Data"]:
        raise BadSignatureError("KeyInfo no contiene KeyValue y X509Data en ese orden")
    if [local(c) for c in children(children(info)[1])] != ["X509Certificate"]:
        raise BadSignatureError("X509Data no contiene un X509Certificate")
    certificate = certificates.read(text_of(info, "X509Data/X509Certificate"))
    if certificate is None:
        raise BadSignatureError("certificado ilegible")
    modulus = _number(text_of(info, "KeyValue/RSAKeyValue/Modulus"))
    exponent = _number(text_of(info, "KeyValue/RSAKeyValue/Exponent"))
    matches = (modulus, exponent) == (certificate.modulus, certificate.exponent)
    value = "".join(text_of(element, "SignatureValue").split())
    return Signature(element, certificate, value, matches)


def verify(signature: Signature, signed: Element | None = None) -> bool:
    """Let xmlsec verify the signature where it stands; `signed` is the element that its URI must lead to."""
    context = xmlsec.SignatureContext()
    context.key = signature.certificate.key
    if signed is not None:
        context.register_id(signed, "ID")
    try:
        context.verify(signature.element)
    except xmlsec.Error:
        return False
    return True


def sign_check(parent: Element, signed_name: str, certificates: Certificates) -> Signature:
    """Check that `parent` is one `signed_name` and its Signature, and nothing else; raises BadSignatureError."""
    found = sign_checks(parent, signed_name, certificates)
    if len(found) != 1:
        raise BadSignatureError(f"{local(parent)} contiene {len(found)} Signature")
    return found[0]


def sign_checks(parent: Element, signed_name: str, certificates: Certificates) -> list[Signature]:
    """Check that `parent` is one `signed_name` and its Signatures, one or more; raises BadSignatureError."""
    names = [local(c) for c in children(parent)]
    if names[:1] != [signed_name] or set(names[1:]) != {"Signature"}:
        raise BadSignatureError(f"{local(parent)} no contiene {signed_name} y Signature")
    signed, *elements = children(parent)
    return [_sign_check(signed, element, certificates) for element in elements]


def _sign_check(signed: Element, element: Element, certificates: Certificates) -> Signature:
    identifier = signed.get("ID", "")
    signature = open_signature(element, f"#{identifier}", OF_AN_ID, certificates)
    if not identifier or not signature.key_matches:
        raise BadSignatureError("KeyValue no corresponde al certificado")
    if not verify(signature, signed):
        raise BadSignatureError("firma no verifica")
    return signature


def _check_signed_info(info: Element, uri: str, transforms: frozenset[str]) -> None:
    if [local(c) for c in children(info)] != ["CanonicalizationMethod", "SignatureMethod", "Reference"]:
        raise BadSignatureError("SignedInfo sin su estructura")
    method, algorithm, reference = children(info)
    if (method.get("Algorithm"), algorithm.get("Algorithm")) != (C14N, _RSA_SHA1):
        raise BadSignatureError("algoritmo de firma no permitido")
    if reference.get("URI") != uri:
        raise BadSignatureError("Reference no apunta al elemento firmado")
    names = [local(c) for c in children(reference)]
    if names not in (["Transforms", "DigestMethod", "DigestValue"], ["DigestMethod", "DigestValue"]):
        raise BadSignatureError("Reference sin su estructura")
    digest = find(reference, "DigestMethod")
    if digest is None or digest.get("Algorithm") != _SHA1:
        raise BadSignatureError("algoritmo de resumen no permitido")
    written = find(reference, "Transforms")
    found = [NO_TRANSFORM] if written is None else [str(t.get("Algorithm")) for t in children(written)]
    if len(found) != 1 or found[0] not in transforms:
        raise BadSignatureError("transformación no permitida")


def _number(text: str) -> int | None:
    try:
        return int.from_bytes(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        return None
