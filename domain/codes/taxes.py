"""Additional taxes and withheld VAT that a line can carry (CodImpAdic) and a document sums up (ImptoReten).

Rates are per cent, each with the day since which it holds. Sources: SII, Formato DTE 2.5, table of additional taxes;
DL 825, articles 3, 37 and 42 (rates of article 42: Ley 20.780, since 2014-10-01); Ley 18.502; Ley sobre Impuesto a la
Renta, article 74 N° 5; the SII's resolutions on change of subject for each product.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.money import Number

Basis = Literal["net", "slaughter", "retail", "stated"]
"""What a tax is computed on: the lines' net amount, MntBaseFaena, PrcConsFinal, or nothing: the issuer states it."""

Rates = tuple[tuple[date, Number], ...]
"""Rates, per cent, with the day since which each holds, newest first."""

_ALWAYS = date(2003, 10, 1)
_REFORM = date(2014, 10, 1)


@dataclass(frozen=True, slots=True)
class AdditionalTax:
    """A tax that is added to the total (kind A of the SII's table)."""

    code: str
    name: str
    basis: Basis
    rates: Rates = ()

    def rate(self, on: date) -> Number | None:
        """The rate of a day; None where the issuer states the amount."""
        return _rate(self.rates, on)


@dataclass(frozen=True, slots=True)
class WithheldTax:
    """VAT that the buyer keeps (kind R); without rates it keeps all of it."""

    code: str
    name: str
    rates: Rates = ()

    @property
    def total(self) -> bool:
        """Whether the whole VAT of a line is kept."""
        return not self.rates

    def rate(self, on: date) -> Number | None:
        """The rate of a day; None where the whole VAT is kept."""
        return _rate(self.rates, on)


def _rate(rates: Rates, on: date) -> Number | None:
    for since, rate in rates:
        if on >= since:
            return rate
    return rates[-1][1] if rates else None


def _steady(rate: Number | str) -> Rates:
    return ((_ALWAYS, Decimal(rate) if isinstance(rate, str) else rate),)


def _reformed(now: Number | str, before: Number) -> Rates:
    return ((_REFORM, Decimal(now) if isinstance(now, str) else now), (_ALWAYS, before))


ADDED_TAXES: dict[str, AdditionalTax] = {
    tax.code: tax
    for tax in (
        AdditionalTax("14", "IVA de margen de comercialización", "stated"),
        AdditionalTax("17", "IVA anticipado faenamiento carne", "slaughter", _steady(5)),
        AdditionalTax("18", "IVA anticipado carne", "net", _steady(5)),
        AdditionalTax("19", "IVA anticipado harina", "net", _steady(12)),
        AdditionalTax("23", "Impuesto adicional art. 37 letras a, b, c", "net", _steady(15)),
        AdditionalTax("24", "ILA licores, piscos, whisky", "net", _reformed("31.5", 27)),
        AdditionalTax("25", "ILA vinos", "net", _reformed("20.5", 15)),
        AdditionalTax("26", "ILA cervezas y bebidas alcohólicas", "net", _reformed("20.5", 15)),
        AdditionalTax("27", "Bebidas analcohólicas y minerales", "net", _reformed(10, 13)),
        AdditionalTax("271", "Bebidas analcohólicas con alto contenido de azúcares", "net", ((_REFORM, 18),)),
        AdditionalTax("28", "Impuesto específico diésel", "stated"),
        AdditionalTax("35", "Impuesto específico gasolina", "stated"),
        AdditionalTax("44", "Impuesto adicional art. 37 letras e, h, i, l", "net", _steady(15)),
        AdditionalTax("45", "Impuesto adicional art. 37 letra j", "net", _steady(50)),
        AdditionalTax("50", "IVA de margen de comercialización de instrumentos de prepago", "stated"),
        AdditionalTax("51", "Impuesto gas natural comprimido", "stated"),
        AdditionalTax("52", "Impuesto gas licuado de petróleo", "stated"),
        AdditionalTax("53", "Impuesto retenido suplementeros", "retail", _steady("0.5")),
    )
}
"""Kind A, by code; 53 is charged to the buyer too."""

MARGIN_TAXES = frozenset({"14", "50"})
"""Taxes on a margin: MntMargenCom sums their MntMargComer."""

FUEL_TAXES = frozenset({"28", "35", "51", "52"})
"""Specific taxes on fuels, whose variable component may make them negative."""

WITHHELD_TAXES: dict[str, WithheldTax] = {
    tax.code: tax
    for tax in (
        WithheldTax("15", "IVA retenido total"),
        WithheldTax("30", "IVA retenido legumbres", _steady(10)),
        WithheldTax("31", "IVA retenido silvestres"),
        WithheldTax("32", "IVA retenido ganado", _steady(8)),
        WithheldTax("33", "IVA retenido madera", _steady(8)),
        WithheldTax("34", "IVA retenido trigo", _steady(4)),
        WithheldTax("36", "IVA retenido arroz", _steady(10)),
        WithheldTax("37", "IVA retenido hidrobiológicas", _steady(10)),
        WithheldTax("38", "IVA retenido chatarra"),
        WithheldTax("39", "IVA retenido PPA"),
        WithheldTax("41", "IVA retenido construcción"),
        WithheldTax("46", "IVA retenido oro"),
        WithheldTax("47", "IVA retenido cartones"),
        WithheldTax("48", "IVA retenido frambuesas y pasas", _steady(14)),
        WithheldTax("49", "Factura de compra sin retención", _steady(0)),
        WithheldTax("301", "IVA retenido legumbres, retención total"),
        WithheldTax("321", "IVA retenido ganado, retención total"),
        WithheldTax("331", "IVA retenido madera, retención total"),
        WithheldTax("341", "IVA retenido trigo, retención total"),
        WithheldTax("361", "IVA retenido arroz, retención total"),
        WithheldTax("371", "IVA retenido hidrobiológicas, retención total"),
        WithheldTax("481", "IVA retenido frambuesas, retención total"),
    )
}
"""Kind R, by code: only in facturas de compra and their notes (SII, Formato DTE 2.5)."""

OBSOLETE_CODES = frozenset({"16", "40", "54", "55"})
"""Codes that DTE_v10.xsd knows and that have no meaning any more."""

TAX_CODES = frozenset(ADDED_TAXES) | frozenset(WITHHELD_TAXES) | OBSOLETE_CODES
"""Every code that DTE_v10.xsd knows."""
