"""Details of the arithmetic that whole examples don't show: each figure, each default, each edge of a leeway."""

from decimal import Decimal
from typing import Any

import pytest

from domain.money import LARGEST
from tests.unit.domain.samples import (
    Raw,
    codes_of,
    credit_note,
    exempt_invoice,
    export_invoice,
    guide,
    invoice,
    line,
    prepared,
    problems_of,
    purchase,
    settlement,
    spoilt,
)

_TOTALS = "Encabezado__Totales__"
_DISCOUNT = {"TpoMov": "D", "TpoValor": "$", "ValorDR": 100}


def _lines(raw: Raw) -> list[dict[str, Any]]:
    return [line for _, line in prepared(raw).document.items("Detalle")]


def _totals(raw: Raw) -> dict[str, Any]:
    return prepared(raw).document.totals


def _told(raw: Raw) -> list[tuple[str, str, str]]:
    return [(each.code, each.path.removeprefix("document."), each.message) for each in problems_of(raw)]


# Lines


def test_discount_and_surcharge_are_written_with_their_amounts() -> None:
    (written,) = _lines(spoilt(invoice(), Detalle__0__DescuentoPct=10, Detalle__0__RecargoPct=5))
    assert (written["DescuentoMonto"], written["RecargoMonto"], written["MontoItem"]) == (1000, 450, 9450)
    assert (written["DescuentoPct"], written["RecargoPct"]) == (10, 5)


def test_discount_in_pesos_beside_no_percentage_leaves_the_percentage_out() -> None:
    (written,) = _lines(spoilt(invoice(), Detalle__0__DescuentoPct=0, Detalle__0__DescuentoMonto=100))
    assert (written["DescuentoMonto"], written["MontoItem"]) == (100, 9900)
    assert "DescuentoPct" not in written


def test_discount_of_nothing_leaves_both_tags_out() -> None:
    (written,) = _lines(spoilt(invoice(), Detalle__0__DescuentoMonto=0, Detalle__0__RecargoMonto=0))
    assert not {"DescuentoMonto", "RecargoMonto"} & written.keys()


def test_price_without_quantity_is_that_of_one() -> None:
    (written,) = _lines(spoilt(invoice(), Detalle=[{"NmbItem": "Asesoría legal", "PrcItem": 5000}]))
    assert (written["QtyItem"], written["MontoItem"]) == (1, 5000)
    raw = export_invoice()
    del raw["Detalle"][0]["QtyItem"]
    (written,) = _lines(raw)
    assert (written["QtyItem"], written["MontoItem"]) == (1, Decimal("12.345"))


def test_amount_without_price_stands_with_its_decimals() -> None:
    raw = spoilt(export_invoice(), Detalle=[{"NmbItem": "Copper wire", "UnmdItem": "KN", "MontoItem": 10.1234}])
    assert _lines(raw)[0]["MontoItem"] == Decimal("10.1234")


@pytest.mark.parametrize("tag", ["DescuentoPct", "DescuentoMonto", "RecargoPct", "RecargoMonto"])
def test_discount_or_surcharge_without_price_or_amount_is_refused_where_it_stands(tag: str) -> None:
    raw = spoilt(invoice(), Detalle=[line(), {"NmbItem": "Asesoría legal", tag: 10}])
    assert [(code, path) for code, path, _ in _told(raw)] == [("DTE-LIN-04", f"Detalle[1].{tag}")]


@pytest.mark.parametrize(
    ("stated", "code"), [(9998, "DTE-LIN-01"), (9999, "DTE-LIN-02"), (10001, "DTE-LIN-02"), (10002, "DTE-LIN-01")]
)
def test_one_peso_is_corrected_either_way_and_two_are_not(stated: int, code: str) -> None:
    assert codes_of(spoilt(invoice(), Detalle__0__MontoItem=stated)) == [code]


@pytest.mark.parametrize(
    ("stated", "code"),
    [(1234.48, "DTE-LIN-01"), (1234.49, "DTE-LIN-02"), (1234.51, "DTE-LIN-02"), (1234.52, "DTE-LIN-01")],
)
def test_one_cent_is_corrected_in_another_currency(stated: float, code: str) -> None:
    assert codes_of(spoilt(export_invoice(), Detalle__0__MontoItem=stated)) == [code]


def test_lines_that_are_not_sold_come_to_nothing() -> None:
    raw = spoilt(guide(), Detalle=[line(IndExe=4, UnmdItem="UN"), line(UnmdItem="UN", QtyItem=2)])
    assert [written["MontoItem"] for written in _lines(raw)] == [0, 2000]
    assert _totals(raw)["MntNeto"] == 2000


def test_what_a_settlement_states_as_taken_off_is_taken_off() -> None:
    sold = {"TpoDocLiq": "39", "NmbItem": "Boletas del período", "MontoItem": 100000}
    taken = {"TpoDocLiq": "61", "NmbItem": "Notas", "QtyItem": 2, "PrcItem": 1000, "MontoItem": -2000}
    assert _totals(spoilt(settlement(), Detalle=[sold, taken]))["MntNeto"] == 98000
    nothing = spoilt(settlement(), Detalle=[sold, {**taken, "MontoItem": 0}])
    assert [message for code, _, message in _told(nothing) if code == "DTE-LIN-01"] == [
        "Correct the line: MontoItem says 0, price × quantity − discount + surcharge gives 2000."
    ]


def test_surcharge_that_is_not_its_percentage_is_told_on_its_line() -> None:
    raw = spoilt(invoice(), Detalle=[line(), line(RecargoPct=10, RecargoMonto=101)])
    assert _told(raw) == [
        (
            "DTE-LIN-06",
            "Detalle[1].RecargoMonto",
            "State RecargoMonto alone or RecargoPct alone: RecargoMonto says 101, 10 % gives 100.",
        )
    ]


# Classes and global lines


def test_what_is_not_billable_is_told_wherever_it_stands() -> None:
    raw = spoilt(invoice(), Detalle=[line(IndExe=2), line()])
    assert (_totals(raw)["MontoNF"], _totals(raw)["MontoPeriodo"]) == (1000, 2190)


def test_lines_of_one_tax_add_up() -> None:
    raw = spoilt(invoice(), Detalle=[line(CodImpAdic=["27"]), line(CodImpAdic=["27"], PrcItem=500)])
    assert _totals(raw)["ImptoReten"] == [{"TipoImp": "27", "TasaImp": 10, "MontoImp": 150}]


def test_discount_in_pesos_is_that_of_the_one_tax_even_beside_exempt_lines() -> None:
    raw = spoilt(invoice(), Detalle=[line(CodImpAdic=["27"]), line(IndExe=1)], DscRcgGlobal=[_DISCOUNT])
    totals = _totals(raw)
    assert (totals["MntNeto"], totals["MntExe"], totals["IVA"]) == (900, 1000, 171)
    assert totals["ImptoReten"] == [{"TipoImp": "27", "TasaImp": 10, "MontoImp": 90}]


def test_global_lines_of_an_exempt_document_act_on_what_is_exempt() -> None:
    assert _totals(spoilt(exempt_invoice(), DscRcgGlobal=[_DISCOUNT]))["MntExe"] == 9900


def test_discount_on_a_class_without_lines_is_refused() -> None:
    raw = spoilt(invoice(), DscRcgGlobal=[{**_DISCOUNT, "IndExeDR": 1}])
    assert [message for code, _, message in _told(raw) if code == "DTE-GLO-01"] == [
        "Lower the global discount: 100 is more than the 0 of exempt lines."
    ]


# Totals


def test_total_below_nothing_is_refused_with_its_figure() -> None:
    raw = spoilt(invoice(), Detalle=[line(IndExe=1), line(PrcItem=1)], DscRcgGlobal=[{**_DISCOUNT, "IndExeDR": 1}])
    below = spoilt(raw, DscRcgGlobal__0__ValorDR=2000)
    assert "DTE-TOT-04" not in codes_of(raw)
    assert [(path, message) for code, path, message in _told(below) if code == "DTE-TOT-04"] == [
        ("Encabezado.Totales.MntTotal", "Correct the lines: the total would be -999.")
    ]
    abroad = spoilt(export_invoice(), DscRcgGlobal=[{**_DISCOUNT, "ValorDR": 1235}])
    assert [(path, message) for code, path, message in _told(abroad) if code == "DTE-TOT-04"] == [
        ("Encabezado.Totales.MntTotal", "Correct the lines: the total would be -0.5.")
    ]


def test_largest_total_is_one_of_eighteen_digits() -> None:
    raw = spoilt(exempt_invoice(), Detalle=[{"NmbItem": "Terreno", "MontoItem": LARGEST}])
    assert _totals(raw)["MntTotal"] == LARGEST


def test_export_total_of_too_many_digits_is_refused() -> None:
    raw = spoilt(export_invoice(), Detalle=[line(UnmdItem="KN", PrcItem=99999999999.0, QtyItem=999)] * 2)
    assert [message for code, _, message in _told(raw) if code == "DTE-TOT-04"] == [
        "Correct the lines: the total would be more than 14 digits."
    ]


@pytest.mark.parametrize(("tag", "code"), [("MntExe", "DTE-TOT-06"), ("MntTotal", "DTE-TOT-03")])
def test_stated_totals_of_an_export_must_agree(tag: str, code: str) -> None:
    raw = spoilt(export_invoice(), **{f"{_TOTALS}{tag}": 1234.4})
    assert _told(raw) == [(code, f"Encabezado.Totales.{tag}", _sentence(code, tag))]


def _sentence(code: str, tag: str) -> str:
    what = "MntTotal or the lines" if code == "DTE-TOT-03" else tag
    return f"Correct {what}: it says 1234.4, the lines give 1234.5."


def test_one_peso_less_beside_a_foreign_total_is_refused() -> None:
    other = "Encabezado__OtraMoneda__MntTotOtrMnda"
    assert codes_of(spoilt(export_invoice(), **{other: 1175701})) == []
    assert codes_of(spoilt(export_invoice(), **{other: 1175700})) == ["EXP-CUR-03"]


def test_another_currency_than_pesos_has_four_decimals() -> None:
    raw = spoilt(export_invoice(), Encabezado__OtraMoneda={"TpoMoneda": "EURO", "TpoCambio": 0.9123})
    assert prepared(raw).document.header["OtraMoneda"]["MntTotOtrMnda"] == Decimal("1126.2344"), "1126.23435, halves up"


def test_rate_of_nothing_and_right_totals_raise_nothing_and_hide_nothing() -> None:
    assert codes_of(spoilt(invoice(), **{f"{_TOTALS}TasaIVA": 0})) == []
    stated = {"MntNeto": 10000, "TasaIVA": 19, "IVA": 1900, "MntTotal": 11902}
    assert codes_of(spoilt(invoice(), Encabezado__Totales=stated)) == ["DTE-TOT-03"]


def test_period_is_told_when_it_was_stated() -> None:
    assert _totals(spoilt(invoice(), **{f"{_TOTALS}MontoPeriodo": 11900}))["MontoPeriodo"] == 11900
    assert codes_of(spoilt(invoice(), **{f"{_TOTALS}MontoPeriodo": 11901})) == ["DTE-TOT-06"]


def test_construction_credit_needs_vat() -> None:
    raw = spoilt(invoice(), Detalle__0__IndExe=1, **{f"{_TOTALS}CredEC": 1})
    assert [message for code, _, message in _told(raw) if code == "DTE-TOT-08"] == [
        "Lower CredEC: 1 is more than the VAT, 0."
    ]


# Commissions and taxes


def test_stated_vat_of_a_commission_stands() -> None:
    totals = _totals(spoilt(settlement(), Comisiones__0__ValComIVA=951))
    assert totals["Comisiones"] == {"ValComNeto": 5000, "ValComExe": 0, "ValComIVA": 951}
    assert _totals(settlement())["Comisiones"]["ValComIVA"] == 950


def test_stated_sums_of_commissions_must_agree() -> None:
    right = spoilt(settlement(), **{f"{_TOTALS}Comisiones": {"ValComNeto": 5000, "ValComIVA": 950}})
    assert codes_of(right) == []
    wrong = spoilt(settlement(), **{f"{_TOTALS}Comisiones": {"ValComNeto": 4999, "ValComIVA": 950}})
    assert _told(wrong) == [
        (
            "DTE-TOT-06",
            "Encabezado.Totales.Comisiones.ValComNeto",
            "Correct ValComNeto: it says 4999, the lines give 5000.",
        )
    ]


def test_sums_of_taxes_and_commissions_hide_no_wrong_total() -> None:
    taxed = spoilt(invoice(), Detalle__0__CodImpAdic=["27"])
    taxes = [{"TipoImp": "27", "TasaImp": 10, "MontoImp": 1000}]
    assert codes_of(spoilt(taxed, Encabezado__Totales={"ImptoReten": taxes, "MntTotal": 12899})) == ["DTE-TOT-03"]


@pytest.mark.parametrize("kind", [55, 60])
def test_notes_on_paper_notes_may_withhold(kind: int) -> None:
    raw = spoilt(credit_note(3, 7, kind), Detalle__0__CodImpAdic=["15"])
    assert "DTE-TAX-01" not in codes_of(raw)
    raw["Referencia"][0]["TpoDocRef"] = 30
    assert "DTE-TAX-01" in codes_of(raw)


def test_tax_that_has_no_place_is_told_on_its_line() -> None:
    raw = spoilt(invoice(), Detalle=[line(), line(CodImpAdic=["15"])])
    assert [(code, path) for code, path, _ in _told(raw)] == [("DTE-TAX-01", "Detalle[1].CodImpAdic")]


def test_rate_of_a_stated_tax_is_written_only_where_it_was_stated() -> None:
    raw = spoilt(invoice(), Detalle__0__CodImpAdic=["28"])
    bare = spoilt(raw, **{f"{_TOTALS}ImptoReten": [{"TipoImp": "28", "MontoImp": 321}]})
    assert _totals(bare)["ImptoReten"] == [{"TipoImp": "28", "MontoImp": 321}]
    rated = spoilt(raw, **{f"{_TOTALS}ImptoReten": [{"TipoImp": "28", "TasaImp": 1.5, "MontoImp": 321}]})
    assert _totals(rated)["ImptoReten"] == [{"TipoImp": "28", "TasaImp": Decimal("1.5"), "MontoImp": 321}]


def test_margins_of_several_lines_add_up() -> None:
    agent = {"IndAgente": "R", "MntBaseFaena": None, "MntMargComer": 300}
    agent.pop("MntBaseFaena")
    lines = [line(CodImpAdic=["14"], Retenedor=agent), line(CodImpAdic=["50"], Retenedor={**agent, "MntMargComer": 40})]
    taxes = [{"TipoImp": code, "MontoImp": 57} for code in ("14", "50")]
    totals = _totals(spoilt(invoice(), Detalle=lines, **{f"{_TOTALS}ImptoReten": taxes}))
    assert totals["MntMargenCom"] == 340


def test_vat_that_is_kept_whole_is_all_of_it() -> None:
    raw = spoilt(purchase(), Detalle=[line(CodImpAdic=["15"], PrcItem=13), line(CodImpAdic=["15"], PrcItem=13)])
    totals = _totals(raw)
    assert (totals["IVA"], totals["MntTotal"]) == (5, 26)
    assert [tax["MontoImp"] for tax in totals["ImptoReten"]] == [5]
    assert "IVANoRet" not in totals


def test_lines_that_are_not_taxable_are_told_apart_from_deposits() -> None:
    for kind in (1, 2, 6):
        assert "DTE-TOT-09" in codes_of(spoilt(invoice(), Detalle=[line(IndExe=1), line(IndExe=kind, PrcItem=10)]))
    assert "DTE-TOT-09" not in codes_of(spoilt(invoice(), Detalle=[line(IndExe=1), line(IndExe=3)]))
