"""Money and rounding: whole pesos as `int`, foreign amounts and rates as exact `Decimal`, halves away from zero.

Amounts are rounded where the format names a step and nowhere else (SII, Formato DTE 2.5; domain/calculation says which
steps). Python's own `round` and the default of `decimal` go to the even neighbour, which the SII calls a wrong VAT.
"""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

Number = int | Decimal
"""An exact figure: quantities, prices and rates as the document states them."""

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
"""Wide enough for the product of any two figures of the format (18 digits each) and a rate, so nothing is lost."""

LARGEST = 10**18 - 1
"""The largest amount that a document can carry: 18 digits (SII, SiiTypes_v10.xsd, MontoType)."""

LARGEST_FOREIGN = Decimal("99999999999999.9999")
"""The same in another currency (SII, DTE_v10.xsd, MntTotal of Exportaciones)."""

_FIGURE = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)
_LIKE_THOUSANDS = re.compile(r"(-?[0-9]+)\.([0-9]{3})", re.ASCII)

_ONE = Decimal(1)
_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(5))
_HUNDRED = Decimal(100)

VAT_RATES: tuple[tuple[date, int], ...] = ((date(2003, 10, 1), 19), (date(1998, 10, 1), 18))
"""Since when which VAT, in per cent, newest first (DL 825, article 14; Leyes 19.888 and 20.102)."""


class AmbiguousFigure(ValueError):  # noqa: N818  (a finding about a text)
    """A text that spells one figure in Chile and another elsewhere; the sentence, without its stop, says what to do."""


def read_figure(text: str) -> Decimal:
    """The figure that a text spells: digits with a decimal point at most, no exponent, no thousands separator.

    In Chile the point separates thousands: `12.990` is what a shoe costs there, and 12.99 to a machine. So a point with
    exactly three digits behind it is never guessed at, and raises AmbiguousFigure; what is no figure raises ValueError.
    Numbers of JSON are no texts: they mean what they say (SII, Formato DTE 2.5, section 2.2).
    """
    if not _FIGURE.fullmatch(text):
        raise ValueError(text)
    if (like := _LIKE_THOUSANDS.fullmatch(text)) is not None:
        thousands = int(f"{like[1]}{like[2]}")
        raise AmbiguousFigure(
            f"Write {thousands} or {unmistakable(text)}, or a JSON number instead of the text {text}: "
            "in Chile the point separates thousands, so three digits behind it are ambiguous"
        )
    return Decimal(text)


def unmistakable(text: str) -> str:
    """A figure in digits as a text that `read_figure` takes: where its decimals are three, a zero goes or comes."""
    if not _LIKE_THOUSANDS.fullmatch(text):
        return text
    shorter = text.rstrip("0").rstrip(".")
    return shorter if shorter != text else f"{text}0"


def exact_number(text: str, longest: int = 40) -> float | str:
    """A JSON number with a fraction or an exponent: a float where that is exact, else a text of the same figure.

    More than `longest` characters are kept as the text they are, which a document then refuses.
    """
    number = float(text)
    try:
        exact = len(text) <= longest and Decimal(repr(number)) == Decimal(text)
    except ArithmeticError:  # an exponent beyond all measure
        exact = False
    return number if exact else unmistakable(text)


def vat_rate(on: date) -> int:
    """The VAT rate of a day, in per cent."""
    for since, rate in VAT_RATES:
        if on >= since:
            return rate
    return VAT_RATES[-1][1]


def rounded(amount: Number, decimals: int) -> Number:
    """An amount with at most so many decimals, halves away from zero; whole ones as int."""
    if isinstance(amount, int):
        return amount
    kept = EXACT.quantize(amount, _STEPS[decimals])
    return int(kept) if kept == kept.to_integral_value() else kept.normalize(EXACT)


def product(quantity: Number, price: Number, decimals: int = 0) -> Number:
    """Quantity times price, in whole pesos or with so many decimals of another currency."""
    if isinstance(quantity, int) and isinstance(price, int):
        return quantity * price
    return rounded(EXACT.multiply(Decimal(quantity), Decimal(price)), decimals)


def share(amount: Number, rate: Number, decimals: int = 0) -> Number:
    """So many per cent of an amount, in whole pesos or with so many decimals of another currency."""
    if not decimals and isinstance(rate, int) and isinstance(amount, int):
        whole = abs(amount) * rate
        nearest = (whole + 50) // 100
        return nearest if amount >= 0 else -nearest
    return rounded(EXACT.divide(EXACT.multiply(Decimal(amount), Decimal(rate)), _HUNDRED), decimals)


def whole_share(amount: int, rate: Number) -> int:
    """So many per cent of an amount of pesos, in whole pesos."""
    return int(share(amount, rate))


def net_of(gross: int, rate: Number) -> int:
    """The net amount within a gross one, in whole pesos: gross ÷ (1 + rate)."""
    whole = EXACT.multiply(Decimal(gross), _HUNDRED)
    return int(EXACT.quantize(EXACT.divide(whole, EXACT.add(_HUNDRED, Decimal(rate))), _ONE))


def figure(number: Number) -> str:
    """A figure as the documents write it: no exponent, no needless zeros (SII, Formato DTE 2.5, section 2.2)."""
    if isinstance(number, int):
        return str(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
