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
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from lxml import etree

from domain.problems import Problem
from domain.signature import C14N, ENVELOPED, SIGNATURE_NAMESPACE, SII_NAMESPACE
from domain.verification.certificates import Holder
from domain.verification.reading import local_name, named_children, parser, text_of
from domain.verification.signature_parts import (
    KEY_INFO,
    RSA_SHA1,
    SHA1,
    SIGNATURE,
    SIGNED_INFO,
    VALUE,
    Broken,
    Finding,
    Parts,
    as_of_w3c,
    canonical,
    demand_alone,
    demand_digest,
    demand_value,
    digest_of,
    keys_of,
    taken_apart,
)
from domain.verification.trust import rsa_verifies

IN_PLACE = "in_place"
ALONE = "alone_sii_ns"
ALONE_BARE = "alone_no_ns"

_DECLARED = f' xmlns="{SII_NAMESPACE}"'.encode()
_DECLARATIONS = re.compile(r"""\s(?:xmlns(?::[\w.-]+)?|xsi:[\w.-]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_SCOPED = ((ALONE, _DECLARED), (ALONE_BARE, b""))
_PARTS = [SIGNED_INFO, VALUE, KEY_INFO]
_INFO_OPEN = f'<SignedInfo xmlns="{SIGNATURE_NAMESPACE}"'.encode()
_EMPTY_TAG = re.compile(rb'<(\w+)((?: \w+="[^"<>]*")+)/>')
_EMPTY = r"(?:/>|></\w+>)"
_LEFT_ALONE = f"(?:{re.escape(C14N)}|{re.escape(ENVELOPED)})"
"""Transforms that leave a detached element as it is."""
_USUAL_INFO = re.compile(
    (
        rf'<SignedInfo xmlns="{re.escape(SIGNATURE_NAMESPACE)}"(?: xmlns:xsi="[^"<>]*")?'
        rf'(>\s*<CanonicalizationMethod Algorithm="{re.escape(C14N)}"{_EMPTY}'
        rf'\s*<SignatureMethod Algorithm="{re.escape(RSA_SHA1)}"{_EMPTY}\s*<Reference URI="#)([\w.-]+)'
        rf'(">\s*(?:<Transforms>\s*<Transform Algorithm="{_LEFT_ALONE}"{_EMPTY}\s*</Transforms>\s*)?'
        rf'<DigestMethod Algorithm="{re.escape(SHA1)}"{_EMPTY}\s*<DigestValue>)([A-Za-z0-9+/]{{27}}=)'
        r"(</DigestValue>\s*</Reference>\s*</SignedInfo>)"
    ).encode()
)
"""SignedInfo as nearly everybody writes it: what stands before the ID, the ID, what stands before the digest, the
digest, the rest."""
_LARGEST_INFO = 4096
_ODD_ATTRIBUTE = re.compile(rb"""=(?:'|"(?!(?:(?<= version=")|(?<= algoritmo="))[\w.]*">))""")
"""Any attribute but those that the format writes inside a document, each alone in its tag; declarations of namespaces
are odd too. Text that looks like one is taken for one."""


def verify_signature(
    content: etree._Element, signature: etree._Element, *, ids: Callable[[str], int], inner: bool, path: str
) -> Finding:
    """What is found of the signature over `content`, the element before it.

    `ids` says how often an ID occurs in the file. `inner` is what is verified alone first; otherwise only in place.
    Codes: SIG-STRUCTURE, SIG-ALGORITHM, SIG-REFERENCE, SIG-DUPLICATE-ID, SIG-CERTIFICATE, SIG-CANONICAL, SIG-DIGEST,
    SIG-VALUE; warning SIG-SCOPE.
    """
    children = list(signature)
    holder, key_value = keys_of(children)
    identifier = content.get("ID", "")
    if inner and holder is not None and [each.tag for each in children] == _PARTS and ids(identifier) == 1:
        usual = _usual(content, identifier, children[0], text_of(children[1]), holder)
        if usual is not None:
            scope, digest = usual
            return Finding(path, valid=True, scope=scope, holder=holder, key_value=key_value, digest=digest)
    try:
        parts = taken_apart(signature, f"#{identifier}", holder)
        demand_alone(identifier, ids)
        scope = _scope(content, signature, parts, holder, inner=inner)
    except Broken as fault:
        problem = Problem(fault.code, path, str(fault))
        return Finding(path, valid=False, holder=holder, key_value=key_value, problems=(problem,))
    digest = base64.b64encode(parts.digest).decode("ascii")
    return Finding(path, valid=True, scope=scope, holder=holder, key_value=key_value, digest=digest)


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
    standard = as_of_w3c(signature)
    holder, key_value = keys_of(list(standard))
    try:
        parts = taken_apart(standard, f"#{content.get('ID', '')}", holder)
        demand_alone(content.get("ID", ""), ids)
        demand_digest(digest_of(canonical(content)), parts)
        demand_value(canonical(signature[standard.index(parts.signed_info)]), parts, holder)
    except Broken as fault:
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
    if not contents and not str(parent.tag).startswith("{"):
        # cut out of its file: what was declared around it may have come to stand on the element inside
        contents = [child for child in parent if child.tag in {f"{{{SII_NAMESPACE}}}{name}" for name in names}]
    return contents, signatures


def lost_signature(parent: etree._Element, path: str) -> Problem | None:
    """SIG-NAMESPACE when what looks like a signature inside `parent` lacks the namespace that makes it one."""
    if not any(local_name(child) == "Signature" for child in parent):
        return None
    sentence = (
        f"Its Signature stands outside the namespace {SIGNATURE_NAMESPACE}, which belongs to what was signed: the file "
        "was written anew by somebody. Ask for it as it was sent."
    )
    return Problem("SIG-NAMESPACE", path, sentence)


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
    scope = next((scope for scope, head in heads if digest_of(head + rest) == digest), None)
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


def _scope(
    content: etree._Element, signature: etree._Element, parts: Parts, holder: Holder | None, *, inner: bool
) -> str:
    """Where the signature verifies. Raises Broken with the reason of the place where it came furthest."""
    matched = False
    for scope, digest, signed_info in _places(content, signature, parts, inner=inner):
        if digest != parts.digest:
            continue
        matched = True
        if holder is not None and rsa_verifies(holder.key, parts.value, signed_info()):
            return scope
    if matched:
        raise Broken("SIG-VALUE", "The signature was not made with the key of its certificate.")
    raise Broken("SIG-DIGEST", "The content was changed after it was signed, or the digest is of something else.")


def _places(
    content: etree._Element, signature: etree._Element, parts: Parts, *, inner: bool
) -> Iterator[tuple[str, bytes, Callable[[], bytes]]]:
    """The forms to try, the likeliest first: where, the digest there, and the canonical SignedInfo there."""
    parent = content.getparent()
    if inner and parent is not None:
        yield from _written_anew(parent, parent.index(content), parent.index(signature))
    yield IN_PLACE, digest_of(canonical(content)), lambda: canonical(parts.signed_info)


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
        info = tree[signature_at].find(SIGNED_INFO)
        if info is not None:
            yield scope, digest_of(canonical(tree[content_at])), lambda info=info: canonical(info)  # type: ignore[misc]
