"""Signed seeds that the manual doesn't describe, but that clients in use send and are let in with.

Nobody published what the real service checks of a getToken document; programs with years of use depart from the manual:
no ``item``, an ``item`` with an ID that the Reference names (and a digest of the whole document all the same), C14N as
the Transform, a line break after the Signature that isn't part of the digest, and RSA with SHA-256 under the name of
rsa-sha1. Each passes while the switch ``seed_signature`` is ``lenient`` (the default), and the ledger notes it. What no
program in use does is refused as ever: another structure, other names of algorithms, two transforms, a KeyValue of
another key. ``strict`` demands the manual's form.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.reading import DSIG, Element, children, find, local, text_of
from deploy.sandbox.sii.signatures import C14N, ENVELOPED, BadSignatureError, Signature, open_signature

_OF_A_SEED = frozenset({ENVELOPED, C14N})


@dataclass(frozen=True, slots=True)
class LooseSeed:
    """A signed seed whose form is one that is let in: its seed, what its Reference signs, how it departs.

    `named` is the element that the Reference names, `root` the whole document.
    """

    seed: str
    root: Element
    named: Element
    uri: str
    departures: tuple[str, ...]


def read_seed(root: Element, element: Element) -> LooseSeed:
    """The seed of a getToken document in a form that is let in; an empty one when there is none.

    `element` is its Signature. Raises BadSignatureError when the Reference names something else than what holds the
    seed.
    """
    item = find(root, "item")
    holder = root if item is None else item
    seed = text_of(holder, "Semilla")
    reference = find(element, "SignedInfo/Reference")
    uri = "" if reference is None else str(reference.get("URI", ""))
    departures = [] if item is not None else ["getToken without item"]
    named = root
    if uri:
        named = holder
        departures.append(f"Reference to {uri}")
        if not uri.startswith("#") or holder.get("ID") != uri[1:]:
            raise BadSignatureError("Reference no apunta a la semilla")
    if local(root) != "getToken" or [local(c) for c in children(root)][1:] != ["Signature"]:
        raise BadSignatureError("getToken sin su estructura")
    return LooseSeed(seed, root, named, uri, tuple(departures))


def loosely_signed(found: LooseSeed, element: Element, certificates: Certificates) -> tuple[Signature, list[str]]:
    """The signature of a getToken document, and how the document departs from the manual's form.

    Raises BadSignatureError. Whether KeyValue is the certificate's key stands in the answer.
    """
    signature = open_signature(element, found.uri, _OF_A_SEED, certificates)
    departures = list(found.departures)
    info = children(element)[0]
    transform = find(info, "Reference/Transforms/Transform")
    if transform is not None and transform.get("Algorithm") == C14N:
        departures.append("C14N as the Transform")
    stated = text_of(info, "Reference/DigestValue")
    digest = next((how for how, value in _digests(found) if value == stated), None)
    if digest is None:
        raise BadSignatureError("resumen no corresponde")
    departures.extend([digest] if digest else [])
    key = rsa.RSAPublicNumbers(signature.certificate.exponent, signature.certificate.modulus).public_key()
    form = canonical(info)
    if not _verifies(key, signature.value, form, hashes.SHA1()):  # noqa: S303 - the SII's
        if not _verifies(key, signature.value, form, hashes.SHA256()):
            raise BadSignatureError("firma no verifica")
        departures.append("RSA-SHA256 under the name of rsa-sha1")
    return signature, departures


def canonical(element: Element) -> bytes:
    """Inclusive C14N of an element in its context: written with all its namespaces, read again, canonicalised."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=False)


def _digests(found: LooseSeed) -> Iterator[tuple[str, str]]:
    """The digests that are let in, each with how it departs; the first is the one by the book."""
    yield "", _digest(found.named, keep_tails=True)
    yield "digest without the text after the Signature", _digest(found.named, keep_tails=False)
    if found.named is not found.root:
        yield "digest of the whole document", _digest(found.root, keep_tails=False)


def _digest(signed: Element, *, keep_tails: bool) -> str:
    """The digest of an element without the Signature inside, with or without the text that follows it."""
    copy = etree.fromstring(etree.tostring(signed, with_tail=False))
    for inner in list(copy.iter(f"{{{DSIG}}}Signature")):
        _cut_out(inner, keep_tail=keep_tails)
    return base64.b64encode(hashlib.sha1(canonical(copy), usedforsecurity=False).digest()).decode("ascii")


def _cut_out(element: Element, *, keep_tail: bool) -> None:
    """Take an element out of its tree; the enveloped transform leaves the text that follows it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if keep_tail and element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif keep_tail and element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _verifies(key: rsa.RSAPublicKey, value: str, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        key.verify(base64.b64decode(value, validate=True), data, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
