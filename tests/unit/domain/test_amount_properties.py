"""Amounts at random, against sums written here anew from the format's own words, in fractions."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.codes.taxes import ADDED_TAXES, WITHHELD_TAXES
from domain.verification.sums import Amounts, sum_problems
from tests.unit.domain.full_documents import full_document
from tests.unit.domain.samples import (
    SAMPLES,
    Raw,
    boleta,
    codes_of,
    credit_note,
    export_invoice,
    invoice,
    line,
    prepared,
    problems_of,
    purchase,
    spoilt,
)

WHOLE = sorted(code for code, tax in WITHHELD_TAXES.items() if tax.total)
PARTIAL = sorted(code for code, tax in WITHHELD_TAXES.items() if tax.rates and code != "49")
ADDED = sorted(code for code, tax in ADDED_TAXES.items() if tax.basis == "net")
PESOS = st.integers(1, 10**7)
PERCENT = st.decimals("0.01", 99, places=2)


def half_up(exact: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    sign = 1 if exact >= 0 else -1
    return sign * int(abs(exact) + Fraction(1, 2))


def _items(codes: list[str], prices: list[int]) -> list[Raw]:
    pairs = zip(prices, (codes * len(prices))[: len(prices)], strict=True)
    return [line(PrcItem=price, CodImpAdic=[code] if code else None) for price, code in pairs]


def _globals(percents: list[Decimal], movement: str = "D") -> list[Raw]:
    return [{"TpoMov": movement, "TpoValor": "%", "ValorDR": float(each)} for each in percents]


def _after(total: int, percents: list[Decimal], sign: int = -1) -> int:
    for each in percents:
        total += sign * half_up(total * Fraction(each) / 100)
    return total


def _checked(document: Any) -> list[str]:
    """What the verifier, which shares no arithmetic with what issues, finds of a document's sums."""
    totals = document.totals
    flat = {tag: str(value) for tag, value in totals.items() if not isinstance(value, list | dict)}
    taxes = [{tag: str(value) for tag, value in tax.items()} for tax in totals.get("ImptoReten") or ()]
    lines = [
        {tag: (value[-1] if isinstance(value, list) else str(value)) for tag, value in each.items() if value}
        for _, each in document.items("Detalle")
    ]
    changes = [{tag: str(value) for tag, value in each.items()} for _, each in document.items("DscRcgGlobal")]
    header = {"TipoDTE": str(document.type)}
    return [one.code for one in sum_problems(Amounts(document.type, header, flat, taxes, {}, lines, changes), "")]


@settings(deadline=None)
@given(
    prices=st.lists(PESOS, min_size=1, max_size=8),
    codes=st.lists(st.sampled_from(WHOLE), min_size=1, max_size=4, unique=True),
    percents=st.lists(PERCENT, max_size=3),
    movement=st.sampled_from("DR"),
    note=st.booleans(),
)
def test_vat_kept_whole_is_the_vat_to_the_peso(
    prices: list[int], codes: list[str], percents: list[Decimal], movement: str, *, note: bool
) -> None:
    raw = credit_note(3, 40, 46) if note else purchase()
    ready = prepared(spoilt(raw, Detalle=_items(codes, prices), DscRcgGlobal=_globals(percents, movement)), known={})
    net = _after(sum(prices), percents, -1 if movement == "D" else 1)
    assume(net)
    vat = half_up(Fraction(net) * 19 / 100)
    totals = ready.document.totals
    assert (totals["MntNeto"], totals["IVA"], totals["MntTotal"]) == (net, vat, net)
    assert sum(tax["MontoImp"] for tax in totals.get("ImptoReten", ())) == vat
    assert "IVANoRet" not in totals
    assert _checked(ready.document) == []


@settings(deadline=None)
@given(
    prices=st.lists(PESOS, min_size=1, max_size=8), code=st.sampled_from(ADDED), percents=st.lists(PERCENT, max_size=3)
)
def test_one_tax_on_all_lines_is_its_rate_on_the_net(prices: list[int], code: str, percents: list[Decimal]) -> None:
    ready = prepared(spoilt(invoice(), Detalle=_items([code], prices), DscRcgGlobal=_globals(percents)))
    net = _after(sum(prices), percents)
    assume(net)
    rate = Fraction(str(ADDED_TAXES[code].rate(ready.issued_on)))
    tax = half_up(net * rate / 100)
    totals = ready.document.totals
    assert totals["MntNeto"] == net
    assert sum(each["MontoImp"] for each in totals.get("ImptoReten", ())) == tax
    assert totals["MntTotal"] == net + half_up(Fraction(net) * 19 / 100) + tax
    assert _checked(ready.document) == []


@settings(deadline=None)
@given(
    prices=st.lists(st.integers(1, 5000), min_size=2, max_size=8),
    codes=st.lists(st.sampled_from(ADDED), min_size=2, max_size=4, unique=True),
    percent=PERCENT,
)
def test_taxes_of_several_codes_are_on_parts_that_add_up(prices: list[int], codes: list[str], percent: Decimal) -> None:
    ready = prepared(spoilt(invoice(), Detalle=_items(codes, prices), DscRcgGlobal=_globals([percent])))
    net = _after(sum(prices), [percent])
    taken = {code: sum(prices[index :: len(codes)]) for index, code in enumerate(codes)}
    stated = {each["TipoImp"]: each["MontoImp"] for each in ready.document.totals.get("ImptoReten", ())}
    assert ready.document.totals.get("MntNeto", 0) == net
    possible = {0}
    for code, before in taken.items():
        exact = before * (1 - Fraction(percent) / 100)
        rate = Fraction(str(ADDED_TAXES[code].rate(ready.issued_on)))
        parts = [part for part in (int(exact), int(exact) + 1) if half_up(part * rate / 100) == stated.get(code, 0)]
        assert parts, (code, exact, stated)
        possible = {total + part for total in possible for part in parts}
    assert net in possible


@settings(deadline=None)
@given(
    prices=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    codes=st.lists(st.sampled_from(WHOLE + PARTIAL), min_size=1, max_size=4, unique=True),
    percents=st.lists(PERCENT, max_size=2),
)
def test_no_more_vat_is_kept_than_there_is(prices: list[int], codes: list[str], percents: list[Decimal]) -> None:
    raw = spoilt(purchase(), Detalle=_items(codes, prices), DscRcgGlobal=_globals(percents))
    totals = prepared(raw).document.totals
    kept = sum(tax["MontoImp"] for tax in totals.get("ImptoReten", ()))
    assert kept + totals.get("IVANoRet", 0) == totals.get("IVA", 0)
    assert totals["MntTotal"] == totals.get("MntNeto", 0) + totals.get("IVANoRet", 0)


@settings(deadline=None)
@given(gross=st.integers(2, 10**9), share=st.fractions(0, 1))
def test_additional_tax_within_a_boleta_is_neither_net_nor_vat(gross: int, share: Fraction) -> None:
    added = int(gross * share * Fraction(1, 2))
    raw = spoilt(boleta(), Detalle=[line(PrcItem=gross)], SubTotInfo=[{"SubTotAdicSTI": added}] if added else [])
    totals = prepared(raw).document.totals
    net = half_up(Fraction(gross - added) * 100 / 119)
    assert (totals["MntTotal"], totals.get("MntNeto", 0)) == (gross, net)
    assert net + totals.get("IVA", 0) + added == gross


@settings(deadline=None)
@given(net=st.integers(1, 10**9), rate=st.decimals("0.0001", 9999, places=4))
def test_other_currency_is_the_pesos_divided(net: int, rate: Decimal) -> None:
    other = {"TpoMoneda": "DOLAR USA", "TpoCambio": f"{rate:.4f}"}
    raw = spoilt(invoice(), Detalle=[line(PrcItem=net)], Encabezado__OtraMoneda=other)
    document = prepared(raw).document
    for tag, named in (("MntNeto", "MntNetoOtrMnda"), ("IVA", "IVAOtrMnda"), ("MntTotal", "MntTotOtrMnda")):
        exact = Fraction(document.totals[tag]) / Fraction(rate) * 10_000
        assert Fraction(document.header["OtraMoneda"].get(named, 0)) * 10_000 == half_up(exact)


@settings(deadline=None)
@given(
    quantity=st.integers(1, 999),
    price=st.decimals("0.0001", 9999, places=4),
    kind=st.sampled_from(["DescuentoPct", "RecargoPct"]),
    rate=st.decimals("0.01", 99, places=2),
    form=st.sampled_from(["whole", "exact", "cents"]),
)
def test_export_line_is_taken_as_it_is_stated(
    quantity: int, price: Decimal, kind: str, rate: Decimal, form: str
) -> None:
    base = Fraction(quantity) * Fraction(price)
    sign = 1 if kind == "RecargoPct" else -1
    part = base * Fraction(rate) / 100
    if form == "whole":
        stated = base + sign * half_up(part)
    else:
        unit = 10_000 if form == "exact" else 100
        stated = Fraction(half_up((base + sign * Fraction(half_up(part * 10_000), 10_000)) * unit), unit)
    assume(stated > 0)
    amount = Decimal(stated.numerator) / Decimal(stated.denominator)
    item = {"NmbItem": "Copper wire", "QtyItem": quantity, "UnmdItem": "KN", "PrcItem": f"{price:.4f}"}
    raw = spoilt(export_invoice(), Detalle=[{**item, kind: f"{rate:.2f}", "MontoItem": f"{amount:.4f}"}])
    ready = prepared(raw)
    (_, written) = ready.document.items("Detalle")[0]
    assert written["MontoItem"] == amount
    assert ready.total == amount
    told = [warning.code for warning in ready.warnings]
    assert kind in written or "DTE-LIN-11" in told or "DTE-LIN-02" in told


@settings(deadline=None)
@given(numbers=st.lists(st.integers(1, 99), min_size=1, max_size=20, unique=True), data=st.data())
def test_subtotals_follow_their_lines(numbers: list[int], data: st.DataObject) -> None:
    named = data.draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=10))
    items = [line(NmbItem=f"Cosa {number}", NroLinDet=number) for number in numbers]
    raw = spoilt(invoice(), Detalle=items, SubTotInfo=[{"GlosaSTI": "Grupo", "LineasDeta": named}])
    document = prepared(raw).document
    names = {item["NroLinDet"]: item["NmbItem"] for _, item in document.items("Detalle")}
    (_, subtotal) = document.items("SubTotInfo")[0]
    assert [names[number] for number in subtotal["LineasDeta"]] == [f"Cosa {number}" for number in named]
    stranger = next(number for number in range(1, 100) if number not in numbers)
    raw["SubTotInfo"][0]["LineasDeta"] = [stranger]
    assert "COM-LINES" in codes_of(raw)


def _leaves(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield way
    for step, item in items:
        yield from _leaves(item, (*way, step))


def _path(way: tuple[str | int, ...]) -> str:
    return "document" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)


@pytest.mark.parametrize("document_type", sorted(SAMPLES))
def test_what_can_t_be_read_is_told_once(document_type: int) -> None:
    for raw in (SAMPLES[document_type](), full_document(document_type)):
        clean = {problem.path for problem in problems_of(raw) if problem.level == "error"}
        for way in _leaves(raw):
            if way[-1] == "TipoDTE":
                continue
            spoilt_ = spoilt(raw, **{"__".join(map(str, way)): {"no": "value"}})
            told = [one for one in problems_of(spoilt_) if one.level == "error" and one.path not in clean]
            of_it = [one for one in told if one.path == _path(way) or one.path.startswith(f"{_path(way)}.")]
            assert len(of_it) == 1, (way, told)
            missing = [one for one in told if one.code == "FMT-REQUIRED" or one.message.startswith("State ")]
            assert missing == [], (way, told)
