"""How grave it is that a document does not add up.

The SII doesn't refuse a document for its arithmetic: it remarks on it, and a note corrects it (SII, Formato DTE 2.5,
section 2.2). So sums are a warning. Two things are none: an amount that is no number, and VAT at another rate than the
document states, which rounding doesn't explain and which somebody would take as credit.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from domain.problems import Problem
from domain.verification.sums import USUAL_RATE, Amounts

_GRAVE = frozenset({"SUM-NUMBER"})
_TAX = "SUM-VAT"
_PARTS_OF_A_HUNDRED = 200
"""Half a percentage point: VAT that is further off is of another rate."""


def weighed(found: Iterable[Problem], amounts: Amounts) -> tuple[Problem, ...]:
    """What was found of the sums, as warnings but for what is more than arithmetic."""
    return tuple(
        each if each.code in _GRAVE or (each.code == _TAX and _other_rate(amounts)) else replace(each, level="warning")
        for each in found
    )


def _other_rate(amounts: Amounts) -> bool:
    """Whether VAT is too far from its rate for rounding each line, and for half a percentage point."""
    try:
        net, stated, rate = (Decimal(amounts.totals.get(name) or 0) for name in ("MntNeto", "IVA", "TasaIVA"))
    except InvalidOperation:  # told by its own code
        return False
    apart = abs(stated - net * (rate or USUAL_RATE) / 100)
    steps = 1 + len(amounts.lines) + len(amounts.globals)
    return apart > steps and apart * _PARTS_OF_A_HUNDRED > abs(net)
