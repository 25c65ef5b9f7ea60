"""Classes of lines and what global discounts and surcharges do to them.

IndExe sorts lines: taxable (absent; exempt in documents that are exempt as a whole), exempt (1), not billable (2, and 6
with the sign turned), bottle deposits (3), no amount at all (4, 5). Global lines act on one class each, in their order,
on what the ones before left. What they take off the taxable class is spread over the lines' tax codes, and its parts
add up to it to the peso, because a document repeats by code what it states as a whole. Source: SII, Formato DTE 2.5,
field IndExe and zone D.
"""

from dataclasses import dataclass, field

from domain.calculation.findings import Findings
from domain.format.reading import Values
from domain.money import Number, rounded, share

Codes = tuple[str, ...]
"""The tax codes of a line, sorted."""

TAXABLE, EXEMPT, NOT_BILLABLE, DEPOSIT = "taxable", "exempt", "not billable", "deposit"

_CLASS_OF = {None: TAXABLE, 1: EXEMPT, 2: NOT_BILLABLE, 6: NOT_BILLABLE, 3: DEPOSIT}
_GLOBAL_CLASS = {None: TAXABLE, 1: EXEMPT, 2: NOT_BILLABLE}
_GLOBAL_TAGS = ("TpoMov", "TpoValor", "ValorDR")
_NEGATIVE = 6
_HALF = 5_000
"""Of ten thousand parts of a peso."""


@dataclass(slots=True)
class Classes:
    """Totals by class, in the document's currency, and those of taxable lines by the tax codes that they carry.

    `exempt` says that lines are exempt without saying so.
    """

    exempt: bool = False
    decimals: int = 0
    totals: dict[str, Number] = field(
        default_factory=lambda: {TAXABLE: 0, EXEMPT: 0, NOT_BILLABLE: 0, DEPOSIT: 0},
    )
    parts: dict[Codes, Number] = field(default_factory=dict)
    """The taxable class by the codes of its lines, in order of appearance: its values add up to the class."""
    codes: list[str] = field(default_factory=list)
    """Every tax code of the lines, in order of appearance; a line that isn't taxable gives it a base of 0."""
    counts: dict[str, int] = field(default_factory=dict)
    """Lines of each class."""
    changes: dict[int, Number] = field(default_factory=dict)
    """What each global line takes off (below 0) or adds, by its place."""
    not_billable: bool = False

    @property
    def tax_covers_all(self) -> bool:
        """Whether every taxable line with an amount carries a tax code."""
        return not self.parts.get(())

    def base(self, code: str) -> int:
        """The net base of a tax, in pesos: what is left of the lines that carry its code."""
        return int(sum(amount for codes, amount in self.parts.items() if code in codes))


def classify(classes: Classes, lines: list[tuple[int, Values]], findings: Findings) -> None:
    """Sort calculated lines into their classes."""
    totals = classes.totals
    usual = EXEMPT if classes.exempt else TAXABLE
    for index, line in lines:
        kind = line.get("IndExe")
        name = usual if kind is None else _CLASS_OF.get(kind)
        if name is None:
            continue
        amount = line["MontoItem"]
        totals[name] += -amount if kind == _NEGATIVE else amount
        classes.counts[name] = classes.counts.get(name, 0) + 1
        classes.not_billable |= name is NOT_BILLABLE
        codes = line.get("CodImpAdic") or ()
        findings.complete &= None not in codes
        if codes and name is not TAXABLE:
            findings.add("DTE-TAX-02", f"document.Detalle[{index}].CodImpAdic")
        classes.codes += [code for code in codes if code not in classes.codes]
        if name is TAXABLE:
            part = tuple(sorted(code for code in codes if code is not None))
            classes.parts[part] = classes.parts.get(part, 0) + amount


def apply_globals(classes: Classes, globals_: list[tuple[int, Values]], findings: Findings) -> None:
    """Let global discounts and surcharges act on their classes and, for the taxable one, on the bases of taxes."""
    for index, line in globals_:
        if any(line.get(tag) is None for tag in _GLOBAL_TAGS) or line.get("IndExeDR", 0) is None:
            findings.complete = False
            continue
        kind = line.get("IndExeDR")
        name = EXEMPT if kind is None and classes.exempt else _GLOBAL_CLASS[kind]
        sign = -1 if line["TpoMov"] == "D" else 1
        value: Number = line["ValorDR"]
        before = classes.totals[name]
        percent = line["TpoValor"] == "%"
        change = sign * (
            share(before, value, classes.decimals) if percent else rounded(value, min(classes.decimals, 2))
        )
        classes.totals[name] = before + change
        classes.changes[index] = change
        path = f"document.DscRcgGlobal[{index}].ValorDR"
        if percent and not change:
            rule = "DTE-GLO-04" if classes.counts.get(name) else "DTE-GLO-03"
            findings.add(rule, path, kind=name, base=before, stated=value)
        if classes.totals[name] < 0 <= before:
            findings.add("DTE-GLO-01", path, change=-change, kind=name, base=before)
        if name is TAXABLE and classes.codes:
            if not percent and (len(classes.codes) > 1 or not classes.tax_covers_all):
                findings.add("DTE-GLO-02", path)
            else:
                _spread(classes, sign * value if percent else None)


def _spread(classes: Classes, percent: Number | None) -> None:
    """Give the parts of the taxable class what a global line leaves of them, so that they add up to the class.

    Each code's part is the same per cent less (or more), rounded; lines without a code take what rounding leaves over.
    Where all lines have a code, or these lines are too few, the parts are cut down to whole pesos, and those that lost
    most by it get one more until nothing is left over.
    """
    left, parts = int(classes.totals[TAXABLE]), classes.parts
    if percent is None:
        for codes in filter(None, parts):
            parts[codes] = left
        return
    shares = {codes: divmod(int(amount) * int((100 + percent) * 100), 10_000) for codes, amount in parts.items()}
    nearest = {codes: whole + (rest >= _HALF) for codes, (whole, rest) in shares.items()}
    remainder = left - sum(amount for codes, amount in nearest.items() if codes)
    if parts.get(()) and remainder >= 0:
        parts.update(nearest)
        parts[()] = remainder
        return
    over = left - sum(whole for whole, _ in shares.values())
    more = sorted(shares, key=lambda codes: -shares[codes][1])[: max(over, 0)]
    for codes, (whole, _) in shares.items():
        parts[codes] = whole + (codes in more)
