"""Kinds that many tags share, named as SiiTypes_v10.xsd names them or for what they hold."""

from datetime import date

from domain.codes.tables import table
from domain.codes.taxes import TAX_CODES
from domain.format.kinds import Choice, Day, Figure, Rut, Text, Whole, choice
from domain.money import LARGEST

RUT = Rut()
DATE = Day(date(2003, 4, 1), date(2050, 12, 31))
"""Formato DTE 2.5 begins later than the schema does (2000-01-01)."""
REFERENCE_DATE = Day(date(2002, 8, 1), date(2050, 12, 31))
ANY_DATE = Day(date(2000, 1, 1), date(2050, 12, 31))

PESOS = Whole(0, LARGEST)
"""MontoType."""
SOME_PESOS = Whole(0, LARGEST)
"""MntImpType: the schema wants 1 or more; a stated 0 is read and left out."""
SIGNED_PESOS = Whole(-LARGEST, LARGEST)
"""ValorType."""

QUANTITY = Figure(12, 6, zero=True)
"""Dec12_6Type: the schema wants more than 0; a stated 0 is read, and calculation decides."""
MEASURE = Figure(12, 6)
"""Dec12_6Type where nothing is computed from it."""
PERCENT = Figure(3, 2, zero=True)
"""PctType; a stated 0 is left out."""
RATE = Figure(3, 2)
"""PctType where nothing is computed from it."""
SHARE = Figure(3, 2, zero=True, most=100)
"""PctType up to 100."""
AMOUNT_2 = Figure(16, 2)
AMOUNT_4 = Figure(14, 4)
FACTOR_4 = Figure(6, 4)
WEIGHT = Figure(8, 2)

SIGN = choice("%", "$")
ONE = choice(1)
TAX_CODE: Choice = choice(*sorted(TAX_CODES))

CURRENCY = Choice(
    {name: name for name in table("currencies").codes},
    {
        **{each["iso"]: name for name, each in table("currencies").codes.items() if "iso" in each},
        **{str(each["customs"]): name for name, each in table("currencies").codes.items() if "customs" in each},
        **dict.fromkeys(("DOLAR", "DÓLAR", "DÓLAR USA", "DOLAR US", "DOLLAR", "US DOLLAR", "US$"), "DOLAR USA"),
        **dict.fromkeys(("PESO CHILENO", "PESOS", "PESO CHILE", "$"), "PESO CL"),
        **dict.fromkeys(("EUROS", "€"), "EURO"),
    },
)
"""TipMonType: names, not ISO codes."""

FOREIGN_AMOUNT = Figure(14, 4, zero=True)
"""Amounts of export documents: a currency's units with up to four decimals."""
FOREIGN_TOTAL = Figure(18, 4, zero=True)
"""Amounts of export documents in the other currency, which the schema doesn't bound."""

COMUNA = Text(20, cut=True)
CITY = Text(20, cut=True)
ADDRESS = Text(70, cut=True)
NAME = Text(100, cut=True)

FOLIO = Whole(0, 9_999_999_999)
"""A producer may write 0 where a folio will stand."""


def digits(count: int) -> Whole:
    """A whole number of at most so many digits, from 1."""
    return Whole(1, 10**count - 1)
