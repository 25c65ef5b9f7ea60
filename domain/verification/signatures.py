"""XML signatures of the field, verified by position.

What is signed is the element that stands before the signature, never what a search for an ID would find: the reference
must name that element, and no other may bear its ID. One reference, the fixed algorithms, nothing else inside.

Where it verifies, in the words of the conformance corpus (SII, as found in documents that it accepted):

* `alone_sii_ns`: the parent taken out of its file, with the SII's namespace and no other in scope;
* `alone_no_ns`: taken out, without any namespace;
* `in_place`: where it stands, with every namespace of the file. The SII takes this for what is signed last (an
  envelope, a book, an answer); for a document inside an envelope it says DTE-3-505.
"""

import base64
import binascii
import copy
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from domain.problems import Problem, shown
from domain.signature import C14N, ENVELOPED, SIGNATURE_NAMESPACE, SII_NAMESPACE
from domain.verification.certificates import Holder, holder_of
from domain.verification.reading import local_name, named_children, parser, text_of
from domain.verification.trust import rsa_verifies

IN_PLACE = "in_place"
ALONE = "alone_sii_ns"
ALONE_BARE = "alone_no_ns"

_DS = f"{{{SIGNATURE_NAMESPACE}}}"
SIGNATURE = f"{_DS}Signature"
_SIGNED_INFO, _VALUE, _KEY_INFO = f"{_DS}SignedInfo", f"{_DS}SignatureValue", f"{_DS}KeyInfo"
_REFERENCE, _DIGEST_VALUE = f"{_DS}Reference", f"{_DS}DigestValue"
_TRANSFORMS, _TRANSFORM = f"{_DS}Transforms", f"{_DS}Transform"
_CANONICALIZATION, _METHOD, _DIGEST_METHOD = (
    f"{_DS}CanonicalizationMethod",
    f"{_DS}SignatureMethod",
    f"{_DS}DigestMethod",
)
_KEY_VALUE, _DATA = f"{_DS}KeyValue", f"{_DS}X509Data"
_MODULUS, _EXPONENT, _CERTIFICATE = f"{_DS}Modulus", f"{_DS}Exponent", f"{_DS}X509Certificate"
_RSA_SHA1, _SHA1 = f"{SIGNATURE_NAMESPACE}rsa-sha1", f"{SIGNATURE_NAMESPACE}sha1"
_TAKEN = frozenset({C14N, ENVELOPED})
"""Transforms that leave a detached element as it is."""
_DECLARED = f' xmlns="{SII_NAMESPACE}"'.encode()
_DECLARATIONS = re.compile(r"""\s(?:xmlns(?::[\w.-]+)?|xsi:[\w.-]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_SCOPED = ((ALONE, _DECLARED), (ALONE_BARE, b""))
_PARTS = [_SIGNED_INFO, _VALUE, _KEY_INFO]
_INFO_OPEN = f'<SignedInfo xmlns="{SIGNATURE_NAMESPACE}"'.encode()
_EMPTY_TAG = re.compile(rb'<(\w+)((?: \w+="[^"<>]*")+)/>')
_EMPTY = r"(?:/>|></\w+>)"
_USUAL_INFO = re.compile(
    (
        rf'<SignedInfo xmlns="{re.escape(SIGNATURE_NAMESPACE)}"(?: xmlns:xsi="[^"<>]*")?'
        rf'(>\s*<CanonicalizationMethod Algorithm="{re.escape(C14N)}"{_EMPTY}'
        rf'\s*<SignatureMethod Algorithm="{re.escape(_RSA_SHA1)}"{_EMPTY}\s*<Reference URI="#)([\w.-]+)'
        rf'(">\s*(?:<Transforms>\s*<Transform Algorithm="{re.escape(C14N)}"{_EMPTY}\s*</Transforms>\s*)?'
        rf'<DigestMethod Algorithm="{re.escape(_SHA1)}"{_EMPTY}\s*<DigestValue>)([A-Za-z0-9+/]{{27}}=)'
        r"(</DigestValue>\s*</Reference>\s*</SignedInfo>)"
    ).encode()
)
"""SignedInfo as nearly everybody writes it: what stands before the ID, the ID, what stands before the digest, the
digest, the rest."""
_LARGEST_INFO = 4096
_ODD_ATTRIBUTE = re.compile(rb"""=(?:'|"(?!(?:(?<= version=")|(?<= algoritmo="))[\w.]*">))""")
"""Any attribute but those that the format writes inside a document, each alone in its tag; declarations of namespaces
are odd too. Text that looks like one is taken for one."""
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


class _Broken(Exception):  # noqa: N818  (a finding about a signature)
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class _Parts(NamedTuple):
    """A signature taken apart."""

    signed_info: etree._Element
    digest: bytes
    value: bytes


def verify_signature(
    content: etree._Element, signature: etree._Element, *, ids: Callable[[str], int], inner: bool, path: str
) -> Finding:
    """What is found of the signature over `content`, the element before it.

    `ids` says how often an ID occurs in the file. `inner` is what is verified alone first; otherwise only in place.
    Codes: SIG-STRUCTURE, SIG-ALGORITHM, SIG-REFERENCE, SIG-DUPLICATE-ID, SIG-CERTIFICATE, SIG-CANONICAL, SIG-DIGEST,
    SIG-VALUE; warning SIG-SCOPE.
    """
    children = list(signature)
    holder, key_value = _keys(children)
    identifier = content.get("ID", "")
    if inner and holder is not None and [each.tag for each in children] == _PARTS and ids(identifier) == 1:
        usual = _usual(content, identifier, children[0], text_of(children[1]), holder)
        if usual is not None:
            scope, digest = usual
            return Finding(path, valid=True, scope=scope, holder=holder, key_value=key_value, digest=digest)
    try:
        parts = _taken_apart(signature, f"#{identifier}", holder)
        _demand_alone(identifier, ids)
        scope = _scope(content, signature, parts, holder, inner=inner)
    except _Broken as fault:
        problem = Problem(fault.code, path, str(fault))
        return Finding(path, valid=False, holder=holder, key_value=key_value, problems=(problem,))
    digest = base64.b64encode(parts.digest).decode("ascii")
    return Finding(path, valid=True, scope=scope, holder=holder, key_value=key_value, digest=digest)


def verify_enveloped(root: etree._Element, signature: etree._Element, *, path: str) -> Finding:
    """What is found of a signature over the whole document without itself (URI="", a signed seed)."""
    holder, key_value = _keys(list(signature))
    try:
        parts = _taken_apart(signature, "", holder)
        _demand_digest(_digest(canonical(_without(root, root.index(signature)))), parts)
        _demand_value(canonical(parts.signed_info), parts, holder)
    except _Broken as fault:
        problem = Problem(fault.code, path, str(fault))
        return Finding(path, valid=False, holder=holder, key_value=key_value, problems=(problem,))
    return Finding(path, valid=True, scope=IN_PLACE, holder=holder, key_value=key_value)


def _without(root: etree._Element, at: int) -> etree._Element:
    """A copy of the document without the element in that place; the text after it stays."""
    whole = copy.deepcopy(root)
    own = whole[at]
    before, text = own.getprevious(), own.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        whole.text = (whole.text or "") + text
    whole.remove(own)
    return whole


def own_signatures_of(root: etree._Element) -> list[etree._Element]:
    """The signatures directly inside a file that stand in the SII's own namespace."""
    return list(root.iterchildren(f"{{{SII_NAMESPACE}}}Signature"))


def verify_own_signature(
    content: etree._Element, signature: etree._Element, *, ids: Callable[[str], int], path: str
) -> Finding:
    """What is found of a signature in the SII's own namespace over `content`, the element before it; codes as above.

    LibroBOLETA_v10.xsd declares the signature of a book of boletas so. What is signed is SignedInfo where it stands, in
    that namespace; its parts mean the same as in W3C's.
    """
    standard = copy.deepcopy(signature)
    for each in standard.iter(f"{{{SII_NAMESPACE}}}*"):
        each.tag = f"{_DS}{local_name(each)}"
    holder, key_value = _keys(list(standard))
    try:
        parts = _taken_apart(standard, f"#{content.get('ID', '')}", holder)
        _demand_alone(content.get("ID", ""), ids)
        _demand_digest(_digest(canonical(content)), parts)
        _demand_value(canonical(signature[standard.index(parts.signed_info)]), parts, holder)
    except _Broken as fault:
        problem = Problem(fault.code, path, str(fault))
        return Finding(path, valid=False, holder=holder, key_value=key_value, problems=(problem,))
    digest = base64.b64encode(parts.digest).decode("ascii")
    return Finding(path, valid=True, scope=IN_PLACE, holder=holder, key_value=key_value, digest=digest)


def signatures_of(parent: etree._Element, names: frozenset[str]) -> tuple[list[etree._Element], list[etree._Element]]:
    """The elements directly inside `parent` that bear one of the names, and the signatures directly inside it."""
    contents, signatures = [], []
    for name, child in named_children(parent):
        if name in names:
            contents.append(child)
        elif child.tag == SIGNATURE:
            signatures.append(child)
    return contents, signatures


def canonical(element: etree._Element) -> bytes:
    """Inclusive C14N 1.0 of an element where it stands.

    Its text with all namespaces in scope is parsed anew: canonicalising a part of a larger tree is where lxml errs.
    Raises _Broken (SIG-CANONICAL) for what has no canonical form, e.g. a namespace that is no absolute address.
    """
    try:
        alone = etree.fromstring(etree.tostring(element, with_tail=False, encoding="utf-8"), parser("utf-8"))
        return etree.tostring(alone, method="c14n", with_comments=False)
    except (etree.C14NError, etree.XMLSyntaxError):
        raise _Broken("SIG-CANONICAL", "What was signed has no canonical form.") from None


def _keys(parts: list[etree._Element]) -> tuple[Holder | None, tuple[int, int] | None]:
    """The certificate and the declared key. One certificate only: of several nobody knows which is meant."""
    info = next((part for part in reversed(parts) if part.tag == _KEY_INFO), None)
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


def _usual(
    content: etree._Element, identifier: str, signed_info: etree._Element, value: str, holder: Holder
) -> tuple[str, str] | None:
    """Where a signature written as nearly all are verifies, and its digest; None sends it the long way.

    The text of an element as it is written is canonical already unless it holds what is looked for here. Nothing is
    refused on this way, and what is accepted has the same canonical text on the other.
    """
    written = etree.tostring(signed_info, with_tail=False, encoding="utf-8")
    info = _USUAL_INFO.fullmatch(written) if len(written) <= _LARGEST_INFO else None
    named = identifier.encode()
    if info is None or info[2] != named:
        return None
    text = etree.tostring(content, with_tail=False, encoding="utf-8")
    rest = text[text.index(b">") :]
    if b"/>" in rest or _ODD_ATTRIBUTE.search(rest) or (b"#" in rest and b"&#" in rest):
        return None
    digest, name = binascii.a2b_base64(info[4]), local_name(content).encode()
    heads = ((scope, b'<%b%b ID="%b"' % (name, declared, named)) for scope, declared in _SCOPED)
    scope = next((scope for scope, head in heads if _digest(head + rest) == digest), None)
    if scope is None:
        return None
    canonical_info = b"".join((_INFO_OPEN, _in_pairs(info[1]), named, _in_pairs(info[3]), *info.group(4, 5)))
    if not _verifies(holder, value, canonical_info):
        return None
    return scope, info[4].decode("ascii")


def _verifies(holder: Holder, value: str, signed_info: bytes) -> bool:
    try:
        return rsa_verifies(holder.key, binascii.a2b_base64(value), signed_info)
    except ValueError:
        return False


@lru_cache(maxsize=512)
def _in_pairs(markup: bytes) -> bytes:
    """The same with empty tags written as pairs, which is how C14N writes them."""
    return _EMPTY_TAG.sub(rb"<\1\2></\1>", markup)


@lru_cache(maxsize=512)
def _number(text: str) -> int:
    try:
        return int.from_bytes(binascii.a2b_base64(text), "big")
    except ValueError:
        return 0


def _only(parent: etree._Element, tag: str) -> etree._Element:
    found = parent.findall(tag)
    if len(found) != 1:
        raise _Broken("SIG-STRUCTURE", f"The signature has {len(found)} {tag[len(_DS) :]} where one belongs.")
    return found[0]


def _taken_apart(signature: etree._Element, uri: str, holder: Holder | None) -> _Parts:
    if len(signature) != 3:  # noqa: PLR2004  (SignedInfo, SignatureValue, KeyInfo)
        raise _Broken("SIG-STRUCTURE", "The signature has other parts than SignedInfo, SignatureValue and KeyInfo.")
    info, value = _only(signature, _SIGNED_INFO), _only(signature, _VALUE)
    _only(signature, _KEY_INFO)
    reference = _only(info, _REFERENCE)
    _demand_algorithms(info, reference)
    stated = reference.get("URI")
    if stated != uri or (uri and len(uri) == 1):
        raise _Broken(
            "SIG-REFERENCE", f"The signature is for {shown(stated or 'nothing')}, not for {shown(uri)} before it."
        )
    if holder is None:
        raise _Broken("SIG-CERTIFICATE", "The signature has no readable RSA certificate, so nobody is known to sign.")
    try:
        digest = binascii.a2b_base64(text_of(_only(reference, _DIGEST_VALUE)))
        return _Parts(info, digest, binascii.a2b_base64(text_of(value)))
    except ValueError:
        raise _Broken("SIG-STRUCTURE", "The digest or the value of the signature is no base64.") from None


def _demand_algorithms(info: etree._Element, reference: etree._Element) -> None:
    stated = (
        _only(info, _CANONICALIZATION).get("Algorithm"),
        _only(info, _METHOD).get("Algorithm"),
        _only(reference, _DIGEST_METHOD).get("Algorithm"),
    )
    if stated != (C14N, _RSA_SHA1, _SHA1):
        raise _Broken("SIG-ALGORITHM", "The SII takes C14N 1.0, RSA with SHA-1 and SHA-1; the signature names others.")
    transforms = reference.find(_TRANSFORMS)
    if transforms is None:
        return
    algorithms = [each.get("Algorithm") for each in transforms]
    if len(algorithms) > 1 or not _TAKEN.issuperset(algorithms) or transforms.find(_TRANSFORM) is None:
        raise _Broken("SIG-ALGORITHM", "The signature transforms what it signs in a way that the SII does not take.")


def _demand_alone(identifier: str, ids: Callable[[str], int]) -> None:
    if ids(identifier) != 1:
        raise _Broken("SIG-DUPLICATE-ID", f"The ID {shown(identifier)} is not alone in the file.")


def _digest(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _demand_digest(digest: bytes, parts: _Parts) -> None:
    if digest != parts.digest:
        raise _Broken("SIG-DIGEST", "The content was changed after it was signed, or the digest is of something else.")


def _demand_value(signed_info: bytes, parts: _Parts, holder: Holder | None) -> None:
    if holder is None or not rsa_verifies(holder.key, parts.value, signed_info):
        raise _Broken("SIG-VALUE", "The signature was not made with the key of its certificate.")


def _scope(
    content: etree._Element, signature: etree._Element, parts: _Parts, holder: Holder | None, *, inner: bool
) -> str:
    """Where the signature verifies. Raises _Broken with the reason of the place where it came furthest."""
    matched = False
    for scope, digest, signed_info in _places(content, signature, parts, inner=inner):
        if digest != parts.digest:
            continue
        matched = True
        if holder is not None and rsa_verifies(holder.key, parts.value, signed_info()):
            return scope
    if matched:
        raise _Broken("SIG-VALUE", "The signature was not made with the key of its certificate.")
    raise _Broken("SIG-DIGEST", "The content was changed after it was signed, or the digest is of something else.")


def _places(
    content: etree._Element, signature: etree._Element, parts: _Parts, *, inner: bool
) -> Iterator[tuple[str, bytes, Callable[[], bytes]]]:
    """The forms to try, the likeliest first: where, the digest there, and the canonical SignedInfo there."""
    parent = content.getparent()
    if inner and parent is not None:
        yield from _written_anew(parent, parent.index(content), parent.index(signature))
    yield IN_PLACE, _digest(canonical(content)), lambda: canonical(parts.signed_info)


def _written_anew(
    parent: etree._Element, content_at: int, signature_at: int
) -> Iterator[tuple[str, bytes, Callable[[], bytes]]]:
    """The parent as a document of its own, parsed anew: for what the short way does not see, e.g. prefixes."""
    text = etree.tostring(parent, encoding="unicode", with_tail=False)
    end = text.index(">")
    head, rest = _DECLARATIONS.sub("", text[:end]), text[end:]
    for scope, declaration in ((ALONE, _DECLARED.decode()), (ALONE_BARE, "")):
        name_ends = re.match(r"<[^\s/>]+", head)
        if name_ends is None:
            return
        alone = f"{head[: name_ends.end()]}{declaration}{head[name_ends.end() :]}{rest}"
        try:
            tree = etree.fromstring(alone.encode("utf-8"), parser("utf-8"))
        except etree.XMLSyntaxError:
            continue
        info = tree[signature_at].find(_SIGNED_INFO)
        if info is not None:
            yield scope, _digest(canonical(tree[content_at])), lambda info=info: canonical(info)  # type: ignore[misc]
