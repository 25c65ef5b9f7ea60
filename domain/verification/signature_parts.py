"""A signature of the field taken apart: its certificate and declared key, what it names, what its algorithms may be.

One reference, the fixed algorithms, at most one transform, nothing else inside; one certificate, whose key alone counts
(SII, xmldsignature_v10.xsd; W3C, XML Signature). Where a signature holds is asked elsewhere.
"""

import binascii
import copy
import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from domain.problems import Problem, shown
from domain.signature import C14N, ENVELOPED, SIGNATURE_NAMESPACE, SII_NAMESPACE
from domain.verification.certificates import Holder, holder_of
from domain.verification.reading import local_name, parser, text_of
from domain.verification.trust import rsa_verifies

DS = f"{{{SIGNATURE_NAMESPACE}}}"
SIGNATURE = f"{DS}Signature"
SIGNED_INFO, VALUE, KEY_INFO = f"{DS}SignedInfo", f"{DS}SignatureValue", f"{DS}KeyInfo"
RSA_SHA1, SHA1 = f"{SIGNATURE_NAMESPACE}rsa-sha1", f"{SIGNATURE_NAMESPACE}sha1"
_REFERENCE, _DIGEST_VALUE = f"{DS}Reference", f"{DS}DigestValue"
_TRANSFORMS, _TRANSFORM = f"{DS}Transforms", f"{DS}Transform"
_CANONICALIZATION, _METHOD, _DIGEST_METHOD = (
    f"{DS}CanonicalizationMethod",
    f"{DS}SignatureMethod",
    f"{DS}DigestMethod",
)
_KEY_VALUE, _DATA = f"{DS}KeyValue", f"{DS}X509Data"
_MODULUS, _EXPONENT, _CERTIFICATE = f"{DS}Modulus", f"{DS}Exponent", f"{DS}X509Certificate"
_TAKEN = frozenset({C14N, ENVELOPED})
"""Transforms that leave a detached element as it is."""
_LARGEST_NUMBER = 4096
"""Characters of the longest base64 of a number that is read."""


class Finding(NamedTuple):
    """What was found of one signature."""

    path: str
    valid: bool
    scope: str | None = None
    """Where it verified; None when nowhere."""
    holder: Holder | None = None
    """Its certificate, when that can be read."""
    key_value: tuple[int, int] | None = None
    """Modulus and exponent as KeyValue declares them."""
    digest: str = ""
    problems: tuple[Problem, ...] = ()


class Broken(Exception):  # noqa: N818  (a finding about a signature)
    """Why a signature doesn't hold."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Parts(NamedTuple):
    """A signature taken apart."""

    signed_info: etree._Element
    transform: str | None
    """The algorithm of its one transform."""
    digest: bytes
    value: bytes


def canonical(element: etree._Element) -> bytes:
    """Inclusive C14N 1.0 of an element where it stands.

    Its text with all namespaces in scope is parsed anew: canonicalising a part of a larger tree is where lxml errs.
    Raises Broken (SIG-CANONICAL) for what has no canonical form, e.g. a namespace that is no absolute address.
    """
    try:
        alone = etree.fromstring(etree.tostring(element, with_tail=False, encoding="utf-8"), parser("utf-8"))
        return etree.tostring(alone, method="c14n", with_comments=False)
    except (etree.C14NError, etree.XMLSyntaxError):
        raise Broken("SIG-CANONICAL", "What was signed has no canonical form.") from None


def as_of_w3c(signature: etree._Element) -> etree._Element:
    """A signature that is declared in the SII's own namespace, as a copy in that of W3C; any other as it is."""
    if signature.tag == SIGNATURE:
        return signature
    standard = copy.deepcopy(signature)
    for each in standard.iter(f"{{{SII_NAMESPACE}}}*"):
        each.tag = f"{DS}{local_name(each)}"
    return standard


def keys_of(parts: list[etree._Element]) -> tuple[Holder | None, tuple[int, int] | None]:
    """The certificate and the declared key of a signature; of several certificates nobody knows which is meant."""
    info = next((part for part in reversed(parts) if part.tag == KEY_INFO), None)
    if info is None:
        return None, None
    certificates: list[str] = []
    declared: dict[str, str] = {}
    for part in info:
        if part.tag == _KEY_VALUE:
            for key in part:
                declared = {str(each.tag): text_of(each) for each in key}
        elif part.tag == _DATA:
            certificates.extend(text_of(each) for each in part if each.tag == _CERTIFICATE)
    holder = holder_of(certificates[0]) if len(certificates) == 1 else None
    if _MODULUS not in declared or _EXPONENT not in declared:
        return holder, None
    return holder, (_number(declared[_MODULUS][:_LARGEST_NUMBER]), _number(declared[_EXPONENT][:_LARGEST_NUMBER]))


@lru_cache(maxsize=512)
def _number(text: str) -> int:
    try:
        return int.from_bytes(binascii.a2b_base64(text), "big")
    except ValueError:
        return 0


def _only(parent: etree._Element, tag: str) -> etree._Element:
    found = parent.findall(tag)
    if len(found) != 1:
        raise Broken("SIG-STRUCTURE", f"The signature has {len(found)} {tag[len(DS) :]} where one belongs.")
    return found[0]


def reference_of(signature: etree._Element) -> str | None:
    """What the one reference of a signature names; None when it names nothing, or there isn't one."""
    found = signature.findall(f"{SIGNED_INFO}/{_REFERENCE}")
    return found[0].get("URI") if len(found) == 1 else None


def taken_apart(signature: etree._Element, uri: str, holder: Holder | None) -> Parts:
    """The parts of a signature whose reference must be `uri`. Raises Broken with what is wrong in it."""
    if len(signature) != 3:  # noqa: PLR2004  (SignedInfo, SignatureValue, KeyInfo)
        raise Broken("SIG-STRUCTURE", "The signature has other parts than SignedInfo, SignatureValue and KeyInfo.")
    info, value = _only(signature, SIGNED_INFO), _only(signature, VALUE)
    _only(signature, KEY_INFO)
    reference = _only(info, _REFERENCE)
    transform = _algorithms(info, reference)
    stated = reference.get("URI")
    if stated != uri or (uri and len(uri) == 1):
        raise Broken("SIG-REFERENCE", f"The signature is {_meant(stated)}, not {_meant(uri)} before it.")
    if holder is None:
        raise Broken("SIG-CERTIFICATE", "The signature has no readable RSA certificate, so nobody is known to sign.")
    try:
        digest = binascii.a2b_base64(text_of(_only(reference, _DIGEST_VALUE)))
        return Parts(info, transform, digest, binascii.a2b_base64(text_of(value)))
    except ValueError:
        raise Broken("SIG-STRUCTURE", "The digest or the value of the signature is no base64.") from None


def _meant(uri: str | None) -> str:
    if uri is None:
        return "for nothing that it names"
    return f"for {shown(uri)}" if uri else 'over the whole file (URI="")'


def _algorithms(info: etree._Element, reference: etree._Element) -> str | None:
    """The transform of a reference. Raises Broken unless every algorithm is one that the SII takes."""
    stated = (
        _only(info, _CANONICALIZATION).get("Algorithm"),
        _only(info, _METHOD).get("Algorithm"),
        _only(reference, _DIGEST_METHOD).get("Algorithm"),
    )
    if stated != (C14N, RSA_SHA1, SHA1):
        raise Broken("SIG-ALGORITHM", "The SII takes C14N 1.0, RSA with SHA-1 and SHA-1; the signature names others.")
    transforms = reference.find(_TRANSFORMS)
    if transforms is None:
        return None
    algorithms = [each.get("Algorithm") for each in transforms]
    if len(algorithms) > 1 or not _TAKEN.issuperset(algorithms) or transforms.find(_TRANSFORM) is None:
        raise Broken("SIG-ALGORITHM", "The signature transforms what it signs in a way that the SII does not take.")
    return algorithms[0]


def demand_enveloped(parts: Parts) -> None:
    """A signature over the whole file must say that it leaves itself out. Raises Broken."""
    if parts.transform != ENVELOPED:
        raise Broken("SIG-REFERENCE", "The signature is over the whole file and doesn't say that it leaves itself out.")


def demand_alone(identifier: str, ids: Callable[[str], int]) -> None:
    """No other element may bear the ID that is signed. Raises Broken."""
    if ids(identifier) != 1:
        raise Broken("SIG-DUPLICATE-ID", f"The ID {shown(identifier)} is not alone in the file.")


def digest_of(data: bytes) -> bytes:
    """SHA-1."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


def demand_digest(digest: bytes, parts: Parts) -> None:
    """What is signed must be what was signed. Raises Broken."""
    if digest != parts.digest:
        raise Broken("SIG-DIGEST", "The content was changed after it was signed, or the digest is of something else.")


def demand_value(signed_info: bytes, parts: Parts, holder: Holder | None) -> None:
    """The certificate's key must have signed SignedInfo, which is canonical. Raises Broken."""
    if holder is None or not rsa_verifies(holder.key, parts.value, signed_info):
        raise Broken("SIG-VALUE", "The signature was not made with the key of its certificate.")
