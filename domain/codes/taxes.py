"""Additional and specific taxes that a line can carry (CodImpAdic) and a document sums up (ImptoReten).

Rates are per cent. Sources: SII, Formato DTE 2.5, table of additional taxes; DL 825, articles 37 and 42; Ley 18.502.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from domain.money import Number

Basis = Literal["net", "slaughter", "retail", "stated"]
"""What a tax is computed on: the lines' net amount, MntBaseFaena, PrcConsFinal, or nothing: the issuer states it."""


@dataclass(frozen=True, slots=True)
class AdditionalTax:
    """A tax that is added to the total (kind A of the SII's table)."""

    code: str
    name: str
    basis: Basis
    rate: Number | None


def _taxes(*rows: tuple[str, str, Basis, Number | None]) -> dict[str, AdditionalTax]:
    return {row[0]: AdditionalTax(*row) for row in rows}


ADDED_TAXES: dict[str, AdditionalTax] = _taxes(
    ("14", "IVA de margen de comercialización", "stated", None),
    ("17", "IVA anticipado faenamiento carne", "slaughter", 5),
    ("18", "IVA anticipado carne", "net", 5),
    ("19", "IVA anticipado harina", "net", 12),
    ("23", "Impuesto adicional art. 37 letras a, b, c", "net", 15),
    ("24", "ILA licores, piscos, whisky", "net", Decimal("31.5")),
    ("25", "ILA vinos", "net", Decimal("20.5")),
    ("26", "ILA cervezas y bebidas alcohólicas", "net", Decimal("20.5")),
    ("27", "Bebidas analcohólicas y minerales", "net", 10),
    ("271", "Bebidas analcohólicas con alto contenido de azúcares", "net", 18),
    ("28", "Impuesto específico diésel", "stated", None),
    ("35", "Impuesto específico gasolina", "stated", None),
    ("44", "Impuesto adicional art. 37 letras e, h, i, l", "net", 15),
    ("45", "Impuesto adicional art. 37 letra j", "net", 50),
    ("50", "IVA de margen de comercialización de instrumentos de prepago", "stated", None),
    ("51", "Impuesto gas natural comprimido", "stated", None),
    ("52", "Impuesto gas licuado de petróleo", "stated", None),
    ("53", "Impuesto retenido suplementeros", "retail", Decimal("0.5")),
)
"""Kind A, by code; 53 is charged to the buyer too."""

MARGIN_TAXES = frozenset({"14", "50"})
"""Taxes on a margin: MntMargenCom sums their MntMargComer."""

WITHHELD_TAXES = frozenset(
    "15 30 31 32 33 34 36 37 38 39 41 46 47 48 49 301 321 331 341 361 371 481".split(),  # noqa: SIM905
)
"""Kind R: VAT that the buyer keeps; only in facturas de compra and their notes (SII, Formato DTE 2.5)."""

TAX_CODES = frozenset(ADDED_TAXES) | WITHHELD_TAXES | {"16", "40", "54", "55"}
"""Every code that DTE_v10.xsd knows; the last four have no meaning any more."""
