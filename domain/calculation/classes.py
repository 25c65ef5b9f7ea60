"""Classes of lines and what global discounts and surcharges do to them.

IndExe sorts lines: taxable (absent; exempt in documents that are exempt as a whole), exempt (1), not billable (2, and 6
with the sign turned), bottle deposits (3), no amount at all (4, 5). Global lines act on one class each, in their order,
on what the ones before left. Source: SII, Formato DTE 2.5, field IndExe and zone D.
"""

from dataclasses import dataclass, field

from domain.calculation.findings import Findings
from domain.format.reading import Values
from domain.money import Number, rounded, share

TAXABLE, EXEMPT, NOT_BILLABLE, DEPOSIT = "taxable", "exempt", "not billable", "deposit"

_CLASS_OF = {None: TAXABLE, 1: EXEMPT, 2: NOT_BILLABLE, 6: NOT_BILLABLE, 3: DEPOSIT}
_GLOBAL_CLASS = {None: TAXABLE, 1: EXEMPT, 2: NOT_BILLABLE}
_GLOBAL_TAGS = ("TpoMov", "TpoValor", "ValorDR")
_NEGATIVE = 6


@dataclass(slots=True)
class Classes:
    """Totals by class, in the document's currency, and the net base of every tax by its code, in order of appearance.

    `exempt` says that lines are exempt without saying so.
    """

    exempt: bool = False
    decimals: int = 0
    totals: dict[str, Number] = field(
        default_factory=lambda: {TAXABLE: 0, EXEMPT: 0, NOT_BILLABLE: 0, DEPOSIT: 0},
    )
    bases: dict[str, Number] = field(default_factory=dict)
    not_billable: bool = False
    tax_covers_all: bool = True
    """Whether every taxable line carries a tax code; then a discount in pesos is that of the one code."""


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
        classes.not_billable |= name is NOT_BILLABLE
        codes = line.get("CodImpAdic")
        if codes:
            if name is not TAXABLE:
                findings.add("DTE-TAX-02", f"document.Detalle[{index}].CodImpAdic")
            findings.complete &= None not in codes
            for code in codes:
                classes.bases[code] = classes.bases.get(code, 0) + amount
        elif name is TAXABLE and amount:
            classes.tax_covers_all = False


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
        path = f"document.DscRcgGlobal[{index}].ValorDR"
        if classes.totals[name] < 0 <= before:
            findings.add("DTE-GLO-01", path, change=-change, kind=name, base=before)
        if name is TAXABLE and classes.bases:
            _spread(classes, sign * value if percent else None, change, path, findings)


def _spread(classes: Classes, percent: Number | None, change: Number, path: str, findings: Findings) -> None:
    """Take a global line's part out of the bases of taxes: by the same per cent, or whole if one code has all lines."""
    if percent is not None:
        for code, base in classes.bases.items():
            classes.bases[code] = share(base, 100 + percent)
    elif len(classes.bases) == 1 and classes.tax_covers_all:
        code = next(iter(classes.bases))
        classes.bases[code] += change
    else:
        findings.add("DTE-GLO-02", path)
