"""Figures as texts: what can be read in two ways is never guessed at, and nothing of FMgo's own can be."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.format.kinds import Figure, Unreadable, Whole
from domain.format.table import TypeRow
from domain.format.types import TABLES, format_of
from domain.job import parse_job
from domain.money import AmbiguousFigure, exact_number, read_figure, unmistakable
from tests.unit.domain.samples import SAMPLES, boleta, codes_of, invoice, line, prepared, problems_of, spoilt
from workers.handed_in import body_of

_DIGITS = st.text("0123456789", min_size=1, max_size=9)


@given(sign=st.sampled_from(["", "-"]), whole=_DIGITS, rest=st.text("0123456789", min_size=3, max_size=3))
def test_three_digits_behind_a_point_are_refused(sign: str, whole: str, rest: str) -> None:
    with pytest.raises(AmbiguousFigure) as refused:
        read_figure(f"{sign}{whole}.{rest}")
    assert f"Write {int(f'{sign}{whole}{rest}')} or " in str(refused.value)


@given(whole=_DIGITS, rest=st.text("0123456789", min_size=1, max_size=9).filter(lambda text: len(text) != 3))
def test_other_decimals_are_read_exactly(whole: str, rest: str) -> None:
    assert read_figure(f"{whole}.{rest}") == Decimal(f"{whole}.{rest}")


@pytest.mark.parametrize(
    "text",
    ["1.234,5", "1,5", "12,990", "1 000", "1\u00a0000", "1'000", "1_000", "1.234.567", "1e3", "1E3", "１２", "٣", "NaN",
     "Infinity", "+5", ".5", "5.", "$1000", "1000 CLP", "0x10", "½", "10%"],
)  # fmt: skip
def test_what_is_no_figure_is_refused(text: str) -> None:
    assert codes_of(spoilt(invoice(), Detalle__0__PrcItem=text)) == ["FMT-NUMBER"]


def _leaves(row: TypeRow) -> list[TypeRow]:
    return [leaf for child in (row.rows or {}).values() for leaf in _leaves(child)] if row.rows else [row]


@pytest.mark.parametrize("document_type", sorted(SAMPLES))
def test_no_figure_of_any_type_is_read_with_a_point_of_thousands(document_type: int) -> None:
    figures = [leaf for leaf in _leaves(format_of(document_type, "2026")) if isinstance(leaf.kind, Figure | Whole)]
    assert len(figures) > 10
    for leaf in figures:
        assert leaf.kind is not None
        with pytest.raises(Unreadable) as refused:
            leaf.kind.read("1.000")
        assert refused.value.faults[0][0] == "FMT-NUMBER", leaf.tag


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("Detalle__0__PrcItem", "document.Detalle[0].PrcItem"),
        ("Detalle__0__QtyItem", "document.Detalle[0].QtyItem"),
        ("Detalle__0__DescuentoPct", "document.Detalle[0].DescuentoPct"),
        ("Detalle__0__DescuentoMonto", "document.Detalle[0].DescuentoMonto"),
        ("Detalle__0__MontoItem", "document.Detalle[0].MontoItem"),
        ("Encabezado__IdDoc__MntCancel", "document.Encabezado.IdDoc.MntCancel"),
        ("Encabezado__Totales__MntTotal", "document.Encabezado.Totales.MntTotal"),
        ("Encabezado__Totales__SaldoAnterior", "document.Encabezado.Totales.SaldoAnterior"),
    ],
)
def test_point_of_thousands_is_refused_wherever_money_stands(change: str, path: str) -> None:
    for text in ("12.990", "10.000", " 1.000 ", "-1.500" if change.endswith("SaldoAnterior") else "1.500"):
        (problem,) = problems_of(spoilt(invoice(), **{change: text}))
        assert (problem.code, problem.path) == ("FMT-NUMBER", path)
        assert text.strip().replace(".", "") in problem.message


def test_numbers_of_json_stay_as_they_are() -> None:
    job = {"version": 1, "idempotency_key": "k", "issuer": "76900101-8"}
    body = json.dumps({**job, "document": boleta()}).replace('"PrcItem": 1190', '"PrcItem": 12.990').encode()
    assert prepared(parse_job(body).document).document.items("Detalle")[0][1]["PrcItem"] == Decimal("12.99")


@given(number=st.decimals(0, 10**12 - 1, places=3))
def test_python_s_decimals_are_numbers_too(number: Decimal) -> None:
    job = {"version": 1, "idempotency_key": "k", "issuer": "76900101-8", "document": {"PrcItem": number}}
    written = parse_job(body_of(job)).document["PrcItem"]
    assert read_figure(written) == number


@given(text=st.from_regex(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,8}", fullmatch=True))
def test_exact_numbers_of_json_are_read_as_they_were_written(text: str) -> None:
    read: Any = exact_number(text)
    assert (Decimal(repr(read)) if isinstance(read, float) else read_figure(read)) == Decimal(text)


@given(number=st.decimals(-(10**15), 10**15, places=3))
def test_what_fmgo_writes_is_read_back(number: Decimal) -> None:
    assert read_figure(unmistakable(format(number, "f"))) == number


def test_document_as_json_is_read_back() -> None:
    raw = spoilt(boleta(), Detalle=[line(QtyItem=0.125, PrcItem="12.3450")])
    assert prepared(prepared(raw).document.as_json()).document.items("Detalle")[0][1]["PrcItem"] == Decimal("12.345")


def test_every_table_is_looked_at() -> None:
    assert set(TABLES) == {"dte", "liquidacion", "exportaciones", "boleta"}
