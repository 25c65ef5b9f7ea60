"""Whether a document adds up: lines, global discounts, VAT and the master formula, from what the document says.

    MntTotal = MntNeto + MntExe + IVA + Σ additional taxes − Σ retentions + GrntDep − CredEC − Σ commissions

Where all taxable lines bear VAT that is kept whole, what is kept is the VAT, to the peso (SII HED-2-302); where one
additional tax is on all of them, it is its rate on MntNeto. A boleta's additional taxes stand in its subtotals only,
and a negative tax on fuel says 1 and its amount in words (SII, preguntas frecuentes 001.380.7672 and 001.003.8044).

It is a check of sums, independent of the calculation that issues: rates of additional taxes are taken as stated. One
peso is left for the total, for VAT and for each step that rounds, because issuers round at different places (SII,
Formato DTE 2.5, fields 107 to 128: VAT of gross lines; the SII's repair DET-2-200).
"""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from domain.problems import Problem, shown
from domain.verification.reading import children, fields, first

Number = int | Decimal

EXEMPT_TYPES = frozenset({34, 41, 110, 111, 112})
"""Types that are exempt as a whole: a line needs no mark."""
EXPORT_TYPES = frozenset({110, 111, 112})
BOLETA_TYPES = frozenset({39, 41})
NOTE_TYPES = frozenset({56, 61})
USUAL_RATE = 19
"""VAT per cent since October 2003, for boletas, which don't state it, and whoever leaves it out (DL 825, art. 14)."""
RETENTIONS = frozenset(
    map(str, (15, *range(30, 35), *range(36, 40), 41, *range(46, 50), 301, 321, 331, 341, 361, 371, 481))
)
"""Codes of VAT withheld, which the total is less by (SII, Formato DTE 2.5, table of taxes)."""
WHOLE_RETENTIONS = frozenset(map(str, (15, 31, 38, 39, 41, 46, 47, 301, 321, 331, 341, 361, 371, 481)))
"""Those of them that keep all of a line's VAT."""
_OWN_BASES = frozenset({"14", "17", "28", "35", "50", "51", "52", "53"})
"""Codes of taxes that aren't a rate on the lines' net."""
_FUELS = frozenset({"28", "35", "51", "52"})
_LESS = re.compile(
    r"impuesto espec[ií]fico .*negativo de \$?([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)\.?$", re.IGNORECASE | re.ASCII
)
_COMMISSIONS = ("ValComNeto", "ValComExe", "ValComIVA")
_CHANGES = frozenset({"DescuentoMonto", "DescuentoPct", "RecargoMonto", "RecargoPct"})
_MOST_DIGITS = 30
_NET_LINES = "2"


class _NotANumber(ValueError):  # noqa: N818  (a finding about a text)
    """A text where an amount belongs."""


class Amounts(NamedTuple):
    """The parts of a document that take part in its sums."""

    document_type: int
    header: Mapping[str, str]
    """Values of IdDoc."""
    totals: Mapping[str, str]
    taxes: list[dict[str, str]]
    commissions: Mapping[str, str]
    lines: list[dict[str, str]]
    globals: list[dict[str, str]]
    subtotals: tuple[Mapping[str, str], ...] = ()


def amounts_of(
    header: Mapping[str, str],
    block: etree._Element | None,
    totals: Mapping[str, str],
    lines: list[dict[str, str]],
    global_lines: list[dict[str, str]],
) -> Amounts:
    """The amounts of a document: values of IdDoc, the block of Totales and its values, of its lines and discounts."""
    taxes, commissions = [], {}
    subtotals: tuple[Mapping[str, str], ...] = ()
    kind = header.get("TipoDTE", "")
    number = int(kind) if kind.isdecimal() and len(kind) <= 3 else 0  # noqa: PLR2004  (three digits)
    if block is not None and number in BOLETA_TYPES:
        subtotals = tuple(map(fields, children(next(block.iterancestors("{*}Documento"), None), "SubTotInfo")))
    if block is not None and ("ImptoReten" in totals or "Comisiones" in totals):
        taxes = [fields(each) for each in children(block, "ImptoReten")]
        commissions = fields(first(block, "Comisiones"))
    return Amounts(number, header, totals, taxes, commissions, lines, global_lines, subtotals)


def sum_problems(amounts: Amounts, path: str) -> tuple[Problem, ...]:
    """Where the document does not add up: SUM-NUMBER, SUM-LINE, SUM-TOTAL, SUM-VAT, SUM-NET, SUM-EXEMPT, SUM-PERIOD.

    SUM-KEPT is VAT that is kept whole, SUM-TAX an additional tax on all lines.

    SUM-PESO is a warning: a total that is one peso off.
    """
    try:
        stated = _stated(amounts)
        found = [each for part in _PARTS for each in part(amounts, stated)]
    except _NotANumber as fault:
        return (Problem("SUM-NUMBER", path, f"{shown(str(fault))} is no amount."),)
    return tuple(
        Problem(code, f"{path}/{where}", sentence, "warning" if code == "SUM-PESO" else "error")
        for code, where, sentence in found
    )


class _Stated(NamedTuple):
    """Amounts that several sums take, as the document states them."""

    net: Number
    exempt: Number
    vat: Number
    total: Number
    lines: list[Number]
    """MontoItem of each line."""


_Found = Iterator[tuple[str, str, str]]


def _stated(amounts: Amounts) -> _Stated:
    totals = amounts.totals
    return _Stated(
        _of(totals, "MntNeto"),
        _of(totals, "MntExe"),
        _of(totals, "IVA"),
        _of(totals, "MntTotal"),
        [_of(line, "MontoItem") for line in amounts.lines],
    )


@lru_cache(maxsize=4096)
def _number(text: str) -> Number:
    """The number that a short text writes, without an exponent."""
    if len(text) > _MOST_DIGITS:
        raise _NotANumber(text)
    if text.isdecimal():
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _NotANumber(text) from None
    if not number.is_finite() or "e" in text.lower():
        raise _NotANumber(text)
    return int(number) if number == number.to_integral_value() else number


def _of(values: Mapping[str, str], name: str) -> Number:
    text = values.get(name)
    return _number(text) if text else 0


def _rounded(number: Number) -> int:
    return number if isinstance(number, int) else int(number.quantize(Decimal(1), ROUND_HALF_UP))


def _percent(base: Number, rate: Number) -> Number:
    if isinstance(base, int) and isinstance(rate, int):
        product = base * rate
        return (product + 50) // 100 if product >= 0 else -((50 - product) // 100)
    return _rounded(Decimal(base) * Decimal(rate) / 100)


def _apart(one: Number, other: Number, most: Number) -> bool:
    """Whether two amounts differ by more than `most`."""
    return not -most <= one - other <= most


def _lines(amounts: Amounts, stated: _Stated) -> _Found:
    for at, (line, amount) in enumerate(zip(amounts.lines, stated.lines, strict=True)):
        price, quantity = line.get("PrcItem"), line.get("QtyItem")
        if not price:
            continue
        whole = _number(price) * _number(quantity) if quantity else _number(price)
        if whole == amount and _CHANGES.isdisjoint(line):
            continue
        if amount == 0 and (amounts.document_type == 52 or line.get("IndExe") in ("4", "5")):  # noqa: PLR2004
            continue
        less = _of(line, "DescuentoMonto") if "DescuentoMonto" in line else _percent(whole, _of(line, "DescuentoPct"))
        more = _of(line, "RecargoMonto") if "RecargoMonto" in line else _percent(whole - less, _of(line, "RecargoPct"))
        if _apart(whole - less + more, amount, 1):
            yield "SUM-LINE", f"Detalle[{at}]/MontoItem", f"{amount} is not {whole} - {less} + {more}."


def _taxes(amounts: Amounts) -> Number:
    """What taxes add to the total; retentions take away."""
    total: Number = 0
    for tax in amounts.taxes:
        taken = amounts.document_type == 46 or tax.get("TipoImp", "").strip() in RETENTIONS  # noqa: PLR2004
        amount = _of(tax, "MontoImp")
        if amount == 1 and tax.get("TipoImp", "").strip() in _FUELS:
            amount = -_in_words(amounts, tax["TipoImp"].strip()) or amount
        total += -amount if taken else amount
    return total


def _in_words(amounts: Amounts, code: str) -> int:
    """What the lines of a fuel say that its negative tax takes off; 0 where they say nothing."""
    found = (_LESS.search(" ".join(line.get("DscItem", "").split())) for line in _carrying(amounts, code))
    return sum(int(each[1].replace(".", "")) for each in found if each)


def _carrying(amounts: Amounts, code: str) -> Iterator[Mapping[str, str]]:
    return (line for line in amounts.lines if line.get("CodImpAdic", "").strip() == code)


def _within_price(amounts: Amounts) -> Number:
    """Additional taxes of a boleta, which its totals have no tag for."""
    return sum(_rounded(_of(each, "SubTotAdicSTI")) for each in amounts.subtotals)


def _of_all_lines(amounts: Amounts, stated: _Stated) -> _Found:
    """Taxes that are on every taxable line: they are known from the totals alone."""
    if not amounts.taxes:  # nearly always so
        return
    taxable = [
        line.get("CodImpAdic", "").strip()
        for line, amount in zip(amounts.lines, stated.lines, strict=True)
        if amount and not line.get("IndExe", "").strip()
    ]
    codes = {tax.get("TipoImp", "").strip() for tax in amounts.taxes}
    if not taxable or not codes.issuperset(taxable) or amounts.header.get("MntBruto") == "1":
        return
    if codes <= WHOLE_RETENTIONS:
        kept = sum(_of(tax, "MontoImp") for tax in amounts.taxes)
        if kept != stated.vat:
            yield "SUM-KEPT", "Totales/ImptoReten", f"{kept} is kept of all lines' VAT, which is {stated.vat}."
    elif len(codes) == 1 == len(amounts.taxes) and not codes & (_OWN_BASES | RETENTIONS):
        (tax,) = amounts.taxes
        amount, expected = _of(tax, "MontoImp"), _percent(stated.net, _of(tax, "TasaImp"))
        if expected and amount != expected:
            code = "SUM-TAX" if _apart(amount, expected, 1) else "SUM-PESO"
            yield code, "Totales/ImptoReten", f"{amount} is not {tax['TasaImp']} % of {stated.net}."


def _master(amounts: Amounts, stated: _Stated) -> _Found:
    totals = amounts.totals
    if amounts.document_type in BOLETA_TYPES and not (totals.get("MntNeto") or totals.get("MntExe")):
        return  # only the amount charged is stated, which the lines are compared with
    total = stated.net + stated.exempt + stated.vat + _taxes(amounts) + _within_price(amounts)
    total += _of(totals, "GrntDep") - _of(totals, "CredEC")
    for name in _COMMISSIONS if amounts.commissions else ():
        total -= _of(amounts.commissions, name)
    free = amounts.document_type in EXPORT_TYPES and stated.total == 0 and amounts.header.get("FmaPagExp") == "21"
    if total != stated.total and not free:
        code = "SUM-TOTAL" if _apart(total, stated.total, 1) else "SUM-PESO"
        yield code, "Totales/MntTotal", f"{stated.total} is not {total}, which its parts add up to."


def _value_added(amounts: Amounts, stated: _Stated) -> _Found:
    net, vat = stated.net, stated.vat
    rate = _of(amounts.totals, "TasaIVA") if amounts.totals.get("TasaIVA") else USUAL_RATE
    if amounts.document_type in EXEMPT_TYPES:
        if vat:
            yield "SUM-VAT", "Totales/IVA", f"Documents of type {amounts.document_type} have no VAT."
        return
    if (net or vat) and _apart(vat, _percent(net, rate), 1):
        yield "SUM-VAT", "Totales/IVA", f"{vat} is not {rate} % of {net}."


def _classes(amounts: Amounts, stated: _Stated) -> _Found:
    taxable, exempt, left = _class_totals(amounts, stated)
    if _unvalued(amounts, stated):
        return
    net, without, vat = stated.net, stated.exempt, stated.vat
    boleta = amounts.document_type in BOLETA_TYPES
    if not net and not vat and taxable and (without or boleta):
        # A note on an exempt document may leave its lines unmarked; a boleta may state nothing but the total.
        if amounts.document_type in NOTE_TYPES | EXEMPT_TYPES:
            taxable, exempt = 0, taxable + exempt
        elif boleta:
            net = stated.total - without - _within_price(amounts)
    inside = _within_price(amounts)
    gross = amounts.header.get("MntBruto") == "1" or (boleta and amounts.header.get("IndMntNeto") != _NET_LINES)
    if _apart(net + vat + inside if gross else net, taxable, left + 1 if gross else left):
        yield "SUM-NET", "Totales/MntNeto", f"Taxable lines come to {taxable}, the totals say {net} and VAT {vat}."
    if _apart(without, exempt, left):
        yield "SUM-EXEMPT", "Totales/MntExe", f"Exempt lines come to {exempt}, the totals say {without}."


def _unvalued(amounts: Amounts, stated: _Stated) -> bool:
    """A document that may state lines without stating amounts: a delivery that is no sale, a text that is corrected."""
    if stated.net or stated.exempt or stated.total:
        return False
    free = amounts.document_type in EXPORT_TYPES and amounts.header.get("FmaPagExp") == "21"
    return free or amounts.document_type == 52  # noqa: PLR2004


def _class_totals(amounts: Amounts, stated: _Stated) -> tuple[Number, Number, Number]:
    """Taxable and exempt lines after global discounts, and how far rounding may have carried them."""
    whole = amounts.document_type in EXEMPT_TYPES
    unmarked = "1" if whole else ""
    sums: dict[str, Number] = {"": 0, "1": 0}
    for line, amount in zip(amounts.lines, stated.lines, strict=True):
        kind = line.get("IndExe", "").strip() or unmarked
        if kind in sums:
            sums[kind] += amount
    for change in amounts.globals:
        kind = unmarked if not change.get("IndExeDR") else change["IndExeDR"].strip()
        if kind not in sums:
            continue
        value = _of(change, "ValorDR")
        if change.get("TpoValor") == "%":
            part: Number = Decimal(sums[kind]) * Decimal(value) / 100
            value = part if amounts.document_type in EXPORT_TYPES else _rounded(part)
        sums[kind] += value if change.get("TpoMov") == "R" else -value
    left: Number = len(amounts.globals)
    if amounts.document_type in EXPORT_TYPES:
        left = Decimal("0.05") * (1 + len(amounts.globals) + len(amounts.lines))
    return sums[""], sums["1"], left


def _period(amounts: Amounts, stated: _Stated) -> _Found:
    totals = amounts.totals
    for name in ("MontoPeriodo", "TotalPeriodo"):
        if totals.get(name) and _of(totals, name) != stated.total + _of(totals, "MontoNF"):
            yield "SUM-PERIOD", f"Totales/{name}", "The amount of the period is not MntTotal and MontoNF together."


_PARTS = (_lines, _master, _value_added, _of_all_lines, _classes, _period)


def totals_as_written(totals: Mapping[str, str]) -> dict[str, str]:
    """The plain values of Totales, letter by letter."""
    return {name: text.strip() for name, text in totals.items() if name not in ("ImptoReten", "Comisiones")}
