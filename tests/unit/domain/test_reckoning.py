"""A document's figures can be had before it may be issued, and only what spoils them is told."""

import random
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.problems import InvalidDocument
from domain.reckoning import reckon
from tests.unit.domain.samples import SAMPLES, TODAY, Raw, credit_note, export_invoice, invoice, prepared, spoilt


@pytest.mark.parametrize("document_type", SAMPLES)
def test_figures_are_those_that_are_issued(document_type: int) -> None:
    raw = SAMPLES[document_type]()
    reckoning = reckon(raw, today=TODAY)
    document = prepared(raw).document
    assert reckoning.problems == ()
    assert reckoning.totals == document.totals
    assert list(reckoning.amounts) == [line["MontoItem"] for _, line in document.items("Detalle")]


def test_neither_parties_nor_references_are_asked_for() -> None:
    raw = {"Encabezado": {"IdDoc": {"TipoDTE": 33}}, "Detalle": [{"NmbItem": "日", "QtyItem": 1, "PrcItem": 1350}]}
    assert reckon(raw, today=TODAY).totals["MntTotal"] == 1607
    assert reckon(spoilt(credit_note(2), Referencia=None), today=TODAY).problems == ()


@pytest.mark.parametrize(
    ("change", "value", "code"),
    [
        ("Detalle__0__PrcItem", "mil", "FMT-NUMBER"),
        ("Detalle__0__Precio", 1000, "FMT-UNKNOWN"),
        ("Detalle__0__MontoItem", 5, "DTE-LIN-01"),
        ("Detalle", None, "FMT-REQUIRED"),
        ("Detalle", ["x"], "FMT-KIND"),
        ("Encabezado__Totales__MntTotal", 5, "DTE-TOT-03"),
        ("Encabezado__Totales__Total", 5, "FMT-UNKNOWN"),
        ("Encabezado__IdDoc__MntBruto", 2, "FMT-CHOICE"),
        ("Encabezado__IdDoc__Bruto", 1, "FMT-UNKNOWN"),
        ("DscRcgGlobal", [{"TpoMov": "X", "TpoValor": "%", "ValorDR": 1}], "FMT-CHOICE"),
        ("DescuentoGlobal", [{}, 1], "FMT-UNKNOWN"),
        ("Detalle__0__IndExe", 5, "DTE-LIN-07"),
        ("Encabezado__IdDoc__TipoDTE", 40, "DOC-TYPE"),
    ],
)
def test_what_spoils_the_figures_is_told(change: str, value: object, code: str) -> None:
    reckoning = reckon(spoilt(invoice(), **{change: value}), today=TODAY)
    assert [problem.code for problem in reckoning.problems] == [code]
    assert reckoning.totals == {}


def test_corrected_peso_is_a_warning() -> None:
    reckoning = reckon(spoilt(invoice(), Encabezado__Totales__IVA=1901), today=TODAY)
    assert [problem.code for problem in reckoning.warnings] == ["DTE-TOT-02"]
    assert reckoning.totals["IVA"] == 1900


def test_pesos_are_told_beside_a_foreign_total() -> None:
    assert reckon(export_invoice(), today=TODAY).other_currency["MntTotOtrMnda"] == 1175701


JUNK: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _places(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, item in items for place in ((*way, step), *_places(item, (*way, step)))]


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 10**6), junk=JUNK)
def test_nothing_that_is_written_makes_it_fail(kind: int, seed: int, junk: Any) -> None:
    raw: Raw = deepcopy(SAMPLES[kind]())
    *way, last = random.Random(seed).choice(_places(raw))
    place: Any = raw
    for step in way:
        place = place[step]
    place[last] = junk
    reckon(raw, today=TODAY)
    with suppress(InvalidDocument):
        prepared(raw)
