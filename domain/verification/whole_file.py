"""Signatures over a whole file (URI="", enveloped): a signed seed, and what some programs make of answers and books.

Such a signature covers everything but itself, so there is nothing to wrap: no element is looked for, and the file is
digested without the signature where it stands. The SII describes it for seeds alone (SII, Autenticación automática).
"""

import base64
import copy
from typing import Final

from lxml import etree

from domain.problems import Problem
from domain.verification.signature_parts import (
    Broken,
    Finding,
    as_of_w3c,
    canonical,
    demand_digest,
    demand_enveloped,
    demand_value,
    digest_of,
    keys_of,
    reference_of,
    taken_apart,
)
from domain.verification.signatures import IN_PLACE

REMARK: Final = "SIG-WHOLE-FILE"
"""The warning about such a signature where the SII describes another."""


def covers_all(signature: etree._Element) -> bool:
    """Whether a signature says that it is over the whole file."""
    return reference_of(as_of_w3c(signature)) == ""


def verify_whole(root: etree._Element, signature: etree._Element, *, path: str) -> Finding:
    """What is found of a signature, directly inside `root`, over the whole file without itself.

    Codes: SIG-STRUCTURE, SIG-ALGORITHM, SIG-REFERENCE, SIG-CERTIFICATE, SIG-CANONICAL, SIG-DIGEST, SIG-VALUE.
    """
    standard = as_of_w3c(signature)
    holder, key_value = keys_of(list(standard))
    try:
        parts = taken_apart(standard, "", holder)
        demand_enveloped(parts)
        demand_digest(digest_of(canonical(_without(root, root.index(signature)))), parts)
        demand_value(canonical(signature[standard.index(parts.signed_info)]), parts, holder)
    except Broken as fault:
        problem = Problem(fault.code, path, str(fault))
        return Finding(path, valid=False, holder=holder, key_value=key_value, problems=(problem,))
    digest = base64.b64encode(parts.digest).decode("ascii")
    return Finding(path, valid=True, scope=IN_PLACE, holder=holder, key_value=key_value, digest=digest)


def undescribed(finding: Finding) -> Finding:
    """The same with the warning that the SII describes no such signature of this kind of file."""
    if not finding.valid:
        return finding
    sentence = (
        'The signature is over the whole file (URI="") and holds: nothing in it was changed. The SII describes no such '
        "signature of this kind of file, so it isn't known whether it would take it."
    )
    return finding._replace(problems=(*finding.problems, Problem(REMARK, finding.path, sentence, "warning")))


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
