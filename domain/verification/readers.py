"""The two questions that a file is asked: would the SII take these bytes, and is what was sent genuine and whole.

They differ. A document that a portal cut out of its envelope is as genuine as before, and the SII takes it only in one;
sums that don't add up are the issuer's own, and the SII remarks on them. The verdict is one: it rejects what neither
reader should rely on.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from domain.verification.kinds import KINDS
from domain.verification.verdict import NAMESPACE, Verdict
from domain.verification.whole_file import REMARK

_OF_FORM: Final = ("schema_valid", "totals_consistent")
"""Facts that say nothing of who wrote a file and whether it was changed."""
_CODES_OF_FORM: Final = ("SCHEMA-", "SUM-")
_REFUSED: Final = frozenset({NAMESPACE, "XML-OTHER-ENCODING", "SIG-SCOPE", "SUM-PERIOD"})
"""Warnings about what the SII refuses all the same (DTE-3-505, HED-3-265, the schema)."""
_UNSIGNED: Final = frozenset({"unknown", "resultado"})


class Reading(NamedTuple):
    """One reader's answer."""

    holds: bool | None
    """None when it can't be told."""
    because: tuple[str, ...] = ()
    """Codes of the problems, or names of the facts, that decide."""


class Readings(NamedTuple):
    """Both readers' answers."""

    sii: Reading
    """Whether the SII would take these bytes, as far as it has said what it takes; a document inside an envelope."""
    receiver: Reading
    """Whether it is genuine and whole: signatures, stamps and CAFs hold and belong together."""

    def as_dict(self) -> dict[str, bool | None]:
        """The answers as members of a JSON object."""
        return {"sii_takes": self.sii.holds, "authentic": self.receiver.holds}


def readings(verdict: Verdict) -> Readings:
    """What each of the two readers may make of a verdict."""
    return Readings(_sii(verdict), _receiver(verdict))


def _sii(verdict: Verdict) -> Reading:
    if verdict.kind == "unknown" or not KINDS[str(verdict.root)].sent:
        return Reading(None)
    if errors := _codes(verdict, "error"):
        return Reading(holds=False, because=errors)
    told = _codes(verdict, "warning")
    if refused := tuple(code for code in told if code in _REFUSED):
        return Reading(holds=False, because=refused)
    if REMARK in told:
        return Reading(None, (REMARK,))
    if (verdict.values or {}).get("profile") == "2026":
        return Reading(None, ("profile",))
    return Reading(holds=True, because=tuple(code for code in told if code.startswith("SUM-")))


def _receiver(verdict: Verdict) -> Reading:
    if verdict.kind in _UNSIGNED:
        return Reading(None)
    against = tuple(code for code in _codes(verdict, "error") if not code.startswith(_CODES_OF_FORM))
    against = against or tuple(_open(verdict))
    return Reading(holds=not against, because=against)


def _open(verdict: Verdict) -> Iterator[str]:
    for name in verdict.needed:
        if name not in _OF_FORM and verdict.facts.get(name) is not True:
            yield name


def _codes(verdict: Verdict, level: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.code for each in verdict.problems if each.level == level))
