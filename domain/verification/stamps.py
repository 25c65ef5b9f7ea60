"""Stamps (TED): the signature of the folio's key, and the CAF inside with the SII's signature on it.

Both sign a flat text: no blanks between tags, no namespaces, ISO-8859-1. Some programs sign quotes as they are, others
as entities, whatever they write; each form is tried (SII, Instructivo técnico; FRMT, FRMA). The key of the CAF inside
proves nothing by itself: anybody can make one. FRMA does.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from html import unescape
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from domain.caf_file import Authorisation, CafError, in_other_letters, read_authorisation
from domain.problems import Problem
from domain.verification.reading import fields, named_children, text_of
from domain.verification.trust import Trust, rsa_key, rsa_verifies

_LARGEST_STAMP = 16 * 1024
"""Bytes of the largest stamp that is judged; a barcode holds a thousand."""
_BLANKS = re.compile(rb">\s+<")
_TAG = re.compile(rb"<[^<>]*>")
_NAMESPACE = re.compile(rb"""\s+xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
_RAW = re.compile(r"<DD\b[^<>]*>.*?</DD\s*>", re.DOTALL)
_PLACE = b"<CAF/>"
"""Stands for the CAF while the names around it are spelt."""
_ORDER = ("RE", "TD", "F", "FE", "RR", "RSR", "MNT", "IT1", "CAF", "TSTED")


class Stamp(NamedTuple):
    """What was found of one stamp."""

    valid: bool
    """Whether FRMT verifies with the key inside the stamp's CAF."""
    caf_valid: bool | None
    """Whether FRMA verifies with a trusted key of that IDK; None when there is none."""
    values: dict[str, str]
    """The values of DD by their tags."""
    caf: Authorisation | None
    problems: tuple[Problem, ...] = ()


def judge_stamp(ted: etree._Element, *, trust: Trust, path: str, raw: Callable[[], str | None]) -> Stamp:
    """What is found of a stamp; `raw` gives its DD in the file's own letters, where it can be told apart.

    Codes: TED-STRUCTURE, TED-CAF, TED-SIGNATURE, CAF-FRMA-INVALID, CAF-FRMA-UNVERIFIABLE.
    """
    parts = dict(named_children(ted))
    dd, frmt = parts.get("DD"), parts.get("FRMT")
    if dd is None or frmt is None:
        problem = Problem("TED-STRUCTURE", path, "The stamp is not made of DD and FRMT.")
        return Stamp(valid=False, caf_valid=None, values=fields(dd), caf=None, problems=(problem,))
    values, flat = fields(dd), _flat(dd)
    problems = []
    if tuple(values) != _ORDER or len(dd) != len(_ORDER) or len(ted) != 2:  # noqa: PLR2004
        problems.append(Problem("TED-STRUCTURE", path, "The stamp has other parts than the format's, or in disorder."))
    if len(flat) > _LARGEST_STAMP:
        problems.append(Problem("TED-STRUCTURE", path, "The stamp is larger than any barcode."))
        return Stamp(valid=False, caf_valid=None, values=values, caf=None, problems=tuple(problems))
    authorised = _caf_inside(flat, trust)
    if isinstance(authorised, Problem):
        problems.append(Problem(authorised.code, f"{path}/DD/CAF", authorised.message))
        return Stamp(valid=False, caf_valid=None, values=values, caf=None, problems=tuple(problems))
    caf, key, genuine = authorised
    signed = not problems and _signed(flat, dd, raw, text_of(frmt), key)
    if not signed and not problems:
        problems.append(Problem("TED-SIGNATURE", f"{path}/FRMT", "The stamp was not made with the key of its CAF."))
    if not genuine:
        problems.extend(frma_problems(caf, trust, f"{path}/DD/CAF"))
    return Stamp(valid=signed, caf_valid=genuine, values=values, caf=caf, problems=tuple(problems))


def frma_problems(caf: Authorisation, trust: Trust, path: str) -> list[Problem]:
    """CAF-FRMA-INVALID or CAF-FRMA-UNVERIFIABLE, as `frma_valid` finds."""
    genuine = frma_valid(caf, trust)
    if genuine is None:
        sentence = f"No public key is known for IDK {caf.idk}: name one to trust to have the CAF judged."
        return [Problem("CAF-FRMA-UNVERIFIABLE", f"{path}/DA/IDK", sentence)]
    if not genuine:
        return [Problem("CAF-FRMA-INVALID", f"{path}/FRMA", "The SII's signature does not fit the CAF.")]
    return []


def frma_valid(caf: Authorisation, trust: Trust) -> bool | None:
    """Whether a trusted key of the CAF's IDK signed it; None when there is none."""
    keys = trust.caf_keys.get(caf.idk, ())
    if not keys:
        return None
    try:
        signature = caf.frma
    except ValueError:
        return False
    return any(rsa_verifies(key, signature, signed) for key in keys for signed in in_other_letters(caf.signed))


def raw_stamps(text: str) -> list[str]:
    """The DD of every stamp in the file's own letters, in order."""
    return _RAW.findall(text)


def _flat(dd: etree._Element) -> bytes:
    text = _kept(dd)
    if b" xmlns" in text:
        text = _TAG.sub(lambda tag: _NAMESPACE.sub(b"", tag[0]), text)
    return _BLANKS.sub(b"><", text)


def _kept(dd: etree._Element) -> bytes:
    """DD with the blanks between its tags."""
    text = etree.tostring(dd, with_tail=False, encoding="unicode")
    return b"<DD>" + text[text.index(">") + 1 :].encode("iso-8859-1", "xmlcharrefreplace")


_InStamp = tuple[Authorisation, rsa.RSAPublicKey, bool | None] | Problem


@lru_cache(maxsize=512)
def _caf_of(flat: bytes, trust: Trust) -> _InStamp:
    """The CAF of that text (flat, ISO-8859-1), its key, and whether it is genuine."""
    try:
        caf = read_authorisation(b"<AUTORIZACION>%b</AUTORIZACION>" % flat)
    except CafError as fault:
        return fault.problems[0]
    key = rsa_key(caf.modulus, caf.exponent)
    if key is None:
        return Problem("CAF-PUBLIC-KEY", "", "The key of the CAF is no RSA key of a usable size.")
    return caf, key, frma_valid(caf, trust)


def _caf_inside(flat: bytes, trust: Trust) -> _InStamp:
    begin, end = flat.find(b"<CAF"), flat.find(b"</CAF>")
    if begin < 0 or end < begin:
        return Problem("CAF-STRUCTURE", "", "The stamp has no CAF inside.")
    return _caf_of(flat[begin : end + len(b"</CAF>")], trust)


def _signed(flat: bytes, dd: etree._Element, raw: Callable[[], str | None], frmt: str, key: rsa.RSAPublicKey) -> bool:
    try:
        signature = binascii.a2b_base64(frmt)
    except ValueError:
        return False
    return any(rsa_verifies(key, signature, each) for each in _readings(flat, dd, raw))


def _readings(flat: bytes, dd: etree._Element, raw: Callable[[], str | None]) -> Iterator[bytes]:
    """Texts that may have been signed: all say the same, in other letters."""
    yield flat
    kept = _kept(dd)
    if b"> <" in kept or b"></" in flat:
        yield re.sub(rb"(</[^<>]+>|<(?:DD|CAF|DA|RNG|RSAPK)\b[^<>]*>)\s+(?=<)", rb"\1", kept)
    spelt = list(_spelt(flat))
    yield from spelt[1:]
    own = raw()
    if own is not None:
        letters = _BLANKS.sub(b"><", _TAG.sub(lambda tag: _NAMESPACE.sub(b"", tag[0]), own.encode("utf-8")))
        text = letters.decode("utf-8")
        if unescape(text) == unescape(flat.decode("iso-8859-1")):
            yield text.encode("iso-8859-1", "xmlcharrefreplace")
    for each in spelt:
        if not each.isascii():
            yield each.decode("iso-8859-1").encode("utf-8")


def _spelt(flat: bytes) -> Iterator[bytes]:
    """The text with its quotes in each school's letters; RS, which the SII wrote, may follow another than the names."""
    begin, end = flat.find(b"<CAF"), flat.find(b"</CAF>") + len(b"</CAF>")
    for caf in in_other_letters(flat[begin:end]):
        for names in in_other_letters(flat[:begin] + _PLACE + flat[end:]):
            yield names.replace(_PLACE, caf)


def day(text: str | None) -> date | None:
    """A date as the format writes it; None when it is none."""
    try:
        return date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None
