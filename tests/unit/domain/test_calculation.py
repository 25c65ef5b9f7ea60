"""The arithmetic gives the figures that were published or accepted elsewhere."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.codes.taxes import ADDED_TAXES
from domain.money import figure, net_of
from tests.unit.domain.samples import (
    boleta,
    codes_of,
    credit_note,
    export_invoice,
    invoice,
    line,
    prepared,
    settlement,
    spoilt,
)
from tests.unit.domain.worked_examples import EXAMPLES, Example


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {tag: figure(item) if tag == "TasaImp" else _plain(item) for tag, item in value.items()}
    return value


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_worked_example(example: Example) -> None:
    document = prepared(example.raw).document
    totals = {tag: _plain(value) for tag, value in document.totals.items() if tag != "TasaIVA"}
    assert totals == example.totals
    assert [item["MontoItem"] for _, item in document.items("Detalle")] == example.lines


@settings(deadline=None)
@given(quantity=st.decimals("0.000001", 999, places=6), price=st.decimals("0.000001", 10**6, places=6))
def test_lines_round_halves_away_from_zero(quantity: Decimal, price: Decimal) -> None:
    document = prepared(spoilt(boleta(), Detalle=[line(QtyItem=str(quantity), PrcItem=str(price))])).document
    exact = quantity * price
    amount = document.items("Detalle")[0][1]["MontoItem"]
    assert amount - Decimal("0.5") <= exact < amount + Decimal("0.5")


@settings(deadline=None)
@given(total=st.integers(1, 10**12 - 1))
def test_gross_total_stays_and_net_is_the_nearest(total: int) -> None:
    document = prepared(spoilt(boleta(), Detalle=[line(PrcItem=total)])).document
    assert document.totals["MntTotal"] == total
    assert document.totals["MntNeto"] + document.totals.get("IVA", 0) == total
    assert abs(Decimal(total) / Decimal("1.19") - document.totals["MntNeto"]) <= Decimal("0.5")


def test_float_counts_as_what_it_prints() -> None:
    document = prepared(spoilt(invoice(), Detalle=[line(QtyItem=0.1, PrcItem=5)])).document
    assert document.items("Detalle")[0][1]["MontoItem"] == 1, "0.1 × 5 is exactly a half"


def test_zero_price_leaves_price_out_and_amount_zero() -> None:
    document = prepared(spoilt(invoice(), Detalle=[line(), line(PrcItem=0, QtyItem=0)])).document
    assert document.items("Detalle")[1][1] == {"NmbItem": "Cable de cobre", "NroLinDet": 2, "MontoItem": 0}


def test_quantity_is_written_where_a_price_is() -> None:
    document = prepared(spoilt(invoice(), Detalle=[{"NmbItem": "Asesoría legal", "PrcItem": 5000}])).document
    assert document.items("Detalle")[0][1]["QtyItem"] == 1


def test_discount_that_rounds_to_nothing_is_not_written() -> None:
    item = prepared(spoilt(invoice(), Detalle=[line(PrcItem=10, DescuentoPct="0.01")])).document.items("Detalle")[0][1]
    assert "DescuentoPct" not in item
    assert "DescuentoMonto" not in item


def test_stated_totals_that_agree_raise_nothing() -> None:
    stated = {"MntNeto": 10000, "MntExe": 0, "TasaIVA": 19, "IVA": 1900, "MntTotal": 11900, "VlrPagar": 11900}
    document = prepared(spoilt(invoice(), Encabezado__Totales=stated)).document
    assert document.totals == {"MntNeto": 10000, "TasaIVA": 19, "IVA": 1900, "MntTotal": 11900, "VlrPagar": 11900}


def test_corrected_peso_is_what_is_written() -> None:
    ready = prepared(spoilt(invoice(), Encabezado__Totales={"MntNeto": 9999, "IVA": 1900}))
    assert (ready.net, ready.vat, [warning.code for warning in ready.warnings]) == (10000, 1900, ["DTE-TOT-02"])


def test_figures_of_a_refused_total_are_both_told() -> None:
    raw = spoilt(credit_note(), Encabezado__Totales__MntTotal=11899)
    assert codes_of(raw) == ["DTE-TOT-03"]


def test_fuel_tax_is_the_issuer_s_and_margin_has_its_base() -> None:
    taxes = [{"TipoImp": "28", "MontoImp": 700}, {"TipoImp": "14", "TasaImp": 19, "MontoImp": 95}]
    lines = [
        line(CodImpAdic="28"),
        line(CodImpAdic="14", Retenedor={"IndAgente": "R", "MntMargComer": 500}),
        line(CodImpAdic="17", Retenedor={"IndAgente": "R", "MntBaseFaena": 2010}),
        line(CodImpAdic="53", QtyItem=3, Retenedor={"IndAgente": "R", "PrcConsFinal": 700}),
    ]
    totals = prepared(spoilt(invoice(), Detalle=lines, Encabezado__Totales__ImptoReten=taxes)).document.totals
    assert {tax["TipoImp"]: tax["MontoImp"] for tax in totals["ImptoReten"]} == {
        "28": 700,
        "14": 95,
        "17": 101,
        "53": 11,
    }
    assert (totals["MntBase"], totals["MntMargenCom"]) == (2010, 500)
    assert totals["MntTotal"] == 6000 + 1140 + 700 + 95 + 101 + 11


def test_retail_prices_are_rounded_once_with_their_rate() -> None:
    """0.5 × 499 at 0.5 % is 1.2475, twice that 2.495: two pesos; rounding each price first would give three."""
    lines = [line(CodImpAdic="53", QtyItem="0.5", Retenedor={"IndAgente": "R", "PrcConsFinal": 499})] * 2
    totals = prepared(spoilt(invoice(), Detalle=lines)).document.totals
    assert [tax["MontoImp"] for tax in totals["ImptoReten"]] == [2]


def test_net_of_halves_goes_up() -> None:
    assert [net_of(total, 19) for total in (0, 1, 3, 119)] == [0, 1, 3, 100]


def test_half_a_peso_that_is_taken_off_goes_down() -> None:
    taken_off = {"TpoDocLiq": "33", "NmbItem": "Resta", "QtyItem": "0.5", "PrcItem": 3, "MontoItem": -2}
    document = prepared(spoilt(settlement(), Detalle=[taken_off])).document
    assert document.items("Detalle")[0][1]["MontoItem"] == -2


def test_pesos_beside_a_foreign_total_are_whole() -> None:
    line_ = {"NmbItem": "Copper wire", "QtyItem": 1, "PrcItem": "160677.62"}
    other = prepared(spoilt(export_invoice(), Detalle=[line_])).document.header["OtraMoneda"]
    assert (other["MntExeOtrMnda"], other["MntTotOtrMnda"]) == (153024545, 153024545)


def test_unpaid_exports_come_to_nothing_in_pesos_too() -> None:
    raw = spoilt(export_invoice(), Encabezado__IdDoc__FmaPagExp=21)
    other = prepared(raw).document.header["OtraMoneda"]
    assert (other["MntExeOtrMnda"], other["MntTotOtrMnda"]) == (0, 0)


def test_exports_in_pesos_have_no_decimals() -> None:
    raw = spoilt(export_invoice(), Encabezado__Totales__TpoMoneda="PESO CL", Encabezado__OtraMoneda__TpoCambio=1)
    assert prepared(raw).total == 1235


def test_rates_are_those_of_the_day() -> None:
    assert [ADDED_TAXES["27"].rate(day) for day in (date(2014, 9, 30), date(2014, 10, 1))] == [13, 10]
    assert ADDED_TAXES["28"].rate(date(2026, 1, 1)) is None


def test_settled_taxes_are_as_stated() -> None:
    taxes = [{"TipoImp": "27", "TasaImp": 10, "MontoImp": -100}, {"TipoImp": "24", "MontoImp": 0}]
    totals = prepared(spoilt(settlement(), Encabezado__Totales__ImptoReten=taxes)).document.totals
    assert [tax["MontoImp"] for tax in totals["ImptoReten"]] == [-100]
    assert totals["MntTotal"] == 133050 - 100
