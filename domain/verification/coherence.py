"""Whether a stamp and its CAF belong to the document that carries them.

Issuer, type, folio, date, receiver, amount and first item of DD are those of the document; the folio is in the CAF's
range; the CAF is of that issuer and type, not later than the document and, where folios expire, not expired when the
document was signed (SII, Formato DTE 2.5, zone TED; rejections TED-3-640, CAF-3-517, TED-1-646).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from domain.caf import expires_on
from domain.caf_file import Authorisation
from domain.problems import Problem, shown
from domain.rut import is_valid
from domain.stamp import NAME_LENGTH
from domain.verification.stamps import Stamp, day

LONGEST_RUT = 12
"""Characters of a RUT with dots."""
_EXPORTS = frozenset({"110", "111", "112"})
_SAME = (("RE", "RUTEmisor"), ("TD", "TipoDTE"), ("F", "Folio"), ("FE", "FchEmis"), ("RR", "RUTRecep"))
_last_day = lru_cache(maxsize=512)(expires_on)
_QUOTES = re.compile(r"[\"'\s]+")
_UNSEEN = re.compile(r"[\"'\s?]+")
"""What doesn't count when a stamped name is held against the document's: a question mark stands for what was lost."""


def stamp_incoherences(stamp: Stamp, document: Mapping[str, str], path: str) -> Iterator[Problem]:
    """What does not fit between stamp and document, whose values come by their tags.

    `document` has RUTEmisor, TipoDTE, Folio, FchEmis, RUTRecep, MntTotal, NmbItem, TmstFirma, as far as it says them.
    Codes: TED-OTHER-DOCUMENT, TED-AMOUNT, TED-ITEM, and those of `caf_incoherences` and `rut_problems`.
    """
    values = stamp.values
    for tag, name in _SAME:
        if values.get(tag) != document.get(name):
            stated, own = shown(values.get(tag, "nothing")), shown(document.get(name, "nothing"))
            yield Problem("TED-OTHER-DOCUMENT", f"{path}/DD/{tag}", f"The stamp says {stated}, {name} is {own}.")
    if not _same_amount(values.get("MNT"), document.get("MntTotal"), exact=document.get("TipoDTE") not in _EXPORTS):
        stated, own = shown(values.get("MNT", "nothing")), shown(document.get("MntTotal", "nothing"))
        yield Problem("TED-AMOUNT", f"{path}/DD/MNT", f"The stamp says {stated}, MntTotal is {own}.")
    if "NmbItem" in document and not _same_item(values.get("IT1", ""), document["NmbItem"]):
        stated, own = shown(values.get("IT1", "")), shown(document["NmbItem"])
        yield Problem("TED-ITEM", f"{path}/DD/IT1", f"The stamp says {stated}, the first line is {own}.")
    if stamp.caf is not None:
        yield from caf_incoherences(stamp.caf, values, document.get("TmstFirma"), path)


def caf_incoherences(
    caf: Authorisation, values: Mapping[str, str], signed_at: str | None, path: str
) -> Iterator[Problem]:
    """What does not fit between a stamp's values and its CAF; `signed_at` is when the document says it was signed.

    The CAF must be in force on the last day that stamp and document name.

    Codes: CAF-OTHER-DOCUMENT, CAF-FOLIO, CAF-LATER-THAN-DOCUMENT, CAF-EXPIRED.
    """
    issuer, document_type, folio = values.get("RE", ""), values.get("TD", ""), values.get("F", "")
    if caf.issuer != issuer or str(caf.document_type) != document_type:
        sentence = (
            f"The CAF is for type {caf.document_type} of {caf.issuer}, not {shown(document_type)} of {shown(issuer)}."
        )
        yield Problem("CAF-OTHER-DOCUMENT", f"{path}/DD/CAF", sentence)
    if not (folio.isdecimal() and len(folio) <= 10 and caf.first <= int(folio) <= caf.last):  # noqa: PLR2004
        sentence = f"Folio {shown(folio)} is outside the CAF's range {caf.first} to {caf.last}."
        yield Problem("CAF-FOLIO", f"{path}/DD/F", sentence)
    issued_on = day(values.get("FE"))
    if issued_on is not None and issued_on < caf.authorised_on:
        sentence = f"The document is of {issued_on}, its CAF of {caf.authorised_on}."
        yield Problem("CAF-LATER-THAN-DOCUMENT", f"{path}/DD/CAF/DA/FA", sentence)
    last_day = _last_day(caf.document_type, caf.authorised_on)
    if last_day is None:
        return
    signed_on = max(filter(None, (issued_on, day(values.get("TSTED")), day(signed_at))), default=None)
    if signed_on is not None and signed_on > last_day:
        sentence = f"The CAF expired after {last_day}, the document was signed on {signed_on}."
        yield Problem("CAF-EXPIRED", f"{path}/DD/CAF/DA/FA", sentence)


def is_rut(text: str) -> bool:
    """Whether a text is a RUT with its check digit; long ones are not looked at."""
    return len(text) <= LONGEST_RUT and is_valid(text)


def rut_problems(document: Mapping[str, str], names: tuple[str, ...], path: str) -> Iterator[Problem]:
    """RUT-INVALID for each of these fields whose RUT has a wrong check digit or shape."""
    for name in names:
        if name in document and not is_rut(document[name]):
            yield Problem("RUT-INVALID", f"{path}/{name}", f"{shown(document[name])} is no RUT.")


def _same_amount(stated: str | None, own: str | None, *, exact: bool) -> bool:
    if stated == own:
        return stated is not None
    try:
        difference = abs(Decimal(stated or "x") - Decimal(own or "x"))
    except InvalidOperation:
        return False
    return difference.is_finite() and (difference == 0 if exact else difference < 1)


def _same_item(stated: str, own: str) -> bool:
    """Whether IT1 is the name cut at forty characters; quotes and blanks may be left out, and accents taken off.

    The SII accepts stamps whose names are folded to ASCII, before or after they were cut.
    """
    if stated[:NAME_LENGTH].strip() == own[:NAME_LENGTH].strip():
        return True
    found = _bare(stated[:NAME_LENGTH])
    return found != "" and found in (
        _bare(own[:NAME_LENGTH]),
        _bare(_folded(own)[:NAME_LENGTH]),
        _bare(_QUOTES.sub(" ", own).strip()[:NAME_LENGTH]),
        _bare(own.replace('"', "").replace("'", "")[:NAME_LENGTH]),
    )


def _bare(text: str) -> str:
    return _UNSEEN.sub("", _folded(text))


def _folded(text: str) -> str:
    """A text in ASCII: letters without their accents, signs that have no letter left out."""
    return unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode("ascii")
