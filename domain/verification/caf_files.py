"""CAF files: whether the SII signed them, whether their two keys are a pair, whether their folios can still be used."""

import re
from datetime import date

from domain.caf import check_caf, environment_of, frma_problem
from domain.caf_file import LARGEST_FILE, Authorisation, CafError, decoded, read_authorisation, read_caf
from domain.problems import Problem
from domain.verification.kinds import KINDS
from domain.verification.reading import Unreadable, fields, first, read
from domain.verification.stamps import frma_valid
from domain.verification.trust import Trust
from domain.verification.verdict import Verdict

CAF_ROOT = "AUTORIZACION"
"""The root element of a CAF file."""
_KEY_CODES = frozenset({"CAF-WITHOUT-KEY", "CAF-PRIVATE-KEY", "CAF-KEY-MISMATCH"})
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^>]{0,200}>\s*)?(?:<!--[^>]{0,500}-->\s*)?<AUTORIZACION")
_NAMED = re.compile(r"(?:<|&lt;)(?:AUTORIZACION|CAF)\b")
_OTHER = re.compile(r"(?:<|&lt;)(?:\w+:)?(?:DTE|Documento|Envio\w+|TED)\b")
_VALUES = ("RE", "RS", "TD", "D", "H", "FA", "IDK")


def looks_like_caf(data: bytes) -> bool:
    """Whether the file begins as the SII's CAF files do."""
    return _BEGINS.match(data) is not None


def holds_caf(data: bytes) -> bool:
    """Whether what can't be read otherwise is, or holds, a CAF: in another encoding, or with something around it."""
    try:
        text = decoded(data)
    except CafError:  # too large for a CAF, or a torn one
        return len(data) <= LARGEST_FILE and CAF_ROOT.encode() in data.replace(b"\0", b"")
    return _NAMED.search(text) is not None and _OTHER.search(text) is None


def verify_caf(data: bytes, *, trust: Trust, today: date) -> Verdict:
    """The verdict on a CAF file.

    Codes: those of `domain.caf_file`, CAF-FRMA-INVALID, CAF-FRMA-UNVERIFIABLE, CAF-EXPIRED, CAF-FUTURE; a file whose
    private key was cut out is told of with a warning.
    """
    try:
        caf = read_authorisation(data)
    except CafError as fault:
        return _broken(data, fault)
    genuine = frma_valid(caf, trust)
    problems = [*_standing_against(caf, today), *frma_problem(caf, genuine=genuine)]
    facts, found = _keys(data)
    problems.extend(found)
    values = {
        "RE": caf.issuer,
        "RS": caf.razon_social,
        "TD": str(caf.document_type),
        "D": str(caf.first),
        "H": str(caf.last),
        "FA": caf.authorised_on.isoformat(),
        "IDK": str(caf.idk),
    }
    return Verdict(
        "caf",
        CAF_ROOT,
        {"frma_valid": genuine, **facts},
        tuple(problems),
        KINDS[CAF_ROOT].needed,
        values=values,
    )


def _broken(data: bytes, fault: CafError) -> Verdict:
    """The verdict on a file that is no sound CAF, with what it says all the same."""
    try:
        root = read(data).root
    except Unreadable:
        return Verdict("caf", CAF_ROOT, {"frma_valid": False}, fault.problems, KINDS[CAF_ROOT].needed)
    authorised = first(root, "CAF", "DA")
    said = {**fields(authorised), **fields(first(authorised, "RNG"))}
    facts, more = _keys(data)
    problems = dict.fromkeys((*fault.problems, *more))
    values = {name: said.get(name) for name in _VALUES}
    return Verdict(
        "caf", CAF_ROOT, {"frma_valid": False, **facts}, tuple(problems), KINDS[CAF_ROOT].needed, values=values
    )


def _keys(data: bytes) -> tuple[dict[str, bool | None], list[Problem]]:
    try:
        read_caf(data)
    except CafError as fault:
        codes = {each.code for each in fault.problems} & _KEY_CODES
        if "CAF-WITHOUT-KEY" in codes:
            sentence = "The file has no private key: it shows who may use the folios but cannot stamp."
            return {"has_private_key": False}, [Problem("CAF-WITHOUT-KEY", "RSASK", sentence, "warning")]
        readable = "CAF-PRIVATE-KEY" not in codes
        pair = False if "CAF-KEY-MISMATCH" in codes else None
        return {"has_private_key": True, "private_key_readable": readable, "key_pair_matches": pair}, list(
            fault.problems
        )
    return {"has_private_key": True, "private_key_readable": True, "key_pair_matches": True}, []


def _standing_against(caf: Authorisation, today: date) -> list[Problem]:
    """What stands against loading the CAF for its own issuer and environment; FRMA is judged by other keys."""
    environment = environment_of(caf.idk) or ""
    found = check_caf(caf, issuer=caf.issuer, environment=environment, today=today, keys={})
    return [each for each in found if not each.code.startswith("CAF-FRMA")]
