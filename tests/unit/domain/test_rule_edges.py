"""Rules at their edges: the last that is still allowed, the first that is not, and what only looks like a fault."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.unit.domain.samples import (
    ISSUER,
    KNOWN,
    Raw,
    World,
    codes_of,
    credit_note,
    guide,
    invoice,
    line,
    purchase,
    spoilt,
)

NEWER = World(profile="2026")
_ORDER = {"TpoDocRef": 801, "FolioRef": "1234-56-SE26", "FchRef": "2026-11-20"}


@pytest.mark.parametrize("name", ["VARIOS", " varios. ", "Mercadería", "MERCADERÍAS.", "Según orden", "servicio"])
def test_names_that_say_nothing_are_told_however_they_are_written(name: str) -> None:
    assert codes_of(spoilt(invoice(), Detalle__0__NmbItem=name)) == ["DTE-LIN-09"]


def test_names_that_only_begin_so_are_not() -> None:
    assert codes_of(spoilt(invoice(), Detalle__0__NmbItem="Varios tornillos")) == []


def test_lines_of_a_sold_guide_have_prices_unless_they_are_no_sale() -> None:
    def with_line(**tags: Any) -> Raw:
        return spoilt(
            guide(),
            Detalle=[line(UnmdItem="UN", DscItem="Salida 15:30"), {"NmbItem": "Tornillo", "UnmdItem": "UN", **tags}],
        )

    assert codes_of(with_line(QtyItem=1)) == ["GUI-TRA-03"]
    for stated in ({"MontoItem": 500}, {"IndExe": 4}, {"PrcItem": 500, "DescuentoPct": 100}):
        assert "GUI-TRA-03" not in codes_of(with_line(QtyItem=1, **stated)), stated


@pytest.mark.parametrize("kind", [52, 50])
def test_invoice_of_goods_that_a_guide_brought_says_nothing_of_transport(kind: int) -> None:
    moving = spoilt(invoice(), Encabezado__IdDoc__TipoDespacho=2)
    assert "GUI-TRP-03" in codes_of(moving, world=NEWER)
    brought = spoilt(moving, Referencia=[{"TpoDocRef": kind, "FolioRef": 7, "FchRef": "2026-11-20"}])
    assert "GUI-TRP-03" not in codes_of(brought, world=NEWER)
    ordered = spoilt(moving, Referencia=[_ORDER])
    assert "GUI-TRP-03" in codes_of(ordered, world=NEWER)


def test_note_that_names_a_document_without_saying_why_is_asked_why_only() -> None:
    raw = credit_note()
    del raw["Referencia"][0]["CodRef"]
    assert codes_of(raw) == ["DTE-REF-02"]


@pytest.mark.parametrize("folio", ["0", "12345678901", "A-7"])
def test_folio_of_a_tax_document_is_a_number_wherever_it_stands(folio: str) -> None:
    reference = {"TpoDocRef": 33, "FolioRef": folio, "FchRef": "2026-11-20"}
    assert codes_of(spoilt(invoice(), Referencia=[_ORDER, reference])) == ["DTE-REF-06"]
    assert codes_of(spoilt(invoice(), Referencia=[_ORDER, {**reference, "FolioRef": "1234567890"}])) == []


def test_another_taxpayer_is_not_oneself() -> None:
    other, own = credit_note(3), credit_note(3)
    other["Referencia"][0]["RUTOtr"], own["Referencia"][0]["RUTOtr"] = "76192083-9", ISSUER.rut
    assert "DTE-REF-08" not in codes_of(other)
    assert "DTE-REF-08" in codes_of(own)


def test_document_of_another_company_is_not_the_one_with_that_folio_here() -> None:
    own, other = credit_note(3), credit_note(3)
    other["Referencia"][0]["RUTOtr"] = "76192083-9"
    assert codes_of(own) == []
    assert codes_of(other) == ["DTE-REF-15"]


def test_only_notes_on_boletas_may_go_to_nobody() -> None:
    nobody = {"Encabezado__Receptor__RUTRecep": "66666666-6"}
    assert "DTE-REF-11" in codes_of(spoilt(credit_note(3), **nobody))
    on_boleta = spoilt(credit_note(3, 20, 39), Encabezado__IdDoc__MntBruto=1)
    assert codes_of(spoilt(on_boleta, **nobody)) == ["DTE-REF-21"]
    assert codes_of(on_boleta) == [], "a boleta of nobody is somebody's once it is known whose"
    named = {(39, 20): replace(KNOWN[39, 20], receiver="60803000-K")}
    assert codes_of(on_boleta, known=named) == ["DTE-REF-11"]


def test_six_months_to_deduct_are_counted_over_the_turn_of_the_year() -> None:
    raw = credit_note(3, 99)
    raw["Referencia"][0]["FchRef"] = "2025-12-25"
    assert codes_of(raw, today=date(2026, 6, 25)) == ["DTE-REF-15"]
    assert codes_of(raw, today=date(2026, 6, 26)) == ["DTE-REF-15", "DTE-REF-17"]
    told = spoilt(raw, Encabezado__IdDoc__IndNoRebaja=1)
    assert codes_of(told, today=date(2026, 6, 26)) == ["DTE-REF-15"]


def test_day_in_an_earlier_month_is_told_to_the_last_day_of_sending() -> None:
    raw = spoilt(invoice(), Encabezado__IdDoc__FchEmis="2026-10-30")
    assert codes_of(raw, today=date(2026, 11, 2)) == ["DTE-DAT-03"]
    assert codes_of(raw, today=date(2026, 10, 30)) == []


def test_exempt_lines_of_a_purchase_keep_nothing() -> None:
    taxed = line(CodImpAdic=["15"])
    assert codes_of(spoilt(purchase(), Detalle=[taxed, line(IndExe=1)])) == []
    assert codes_of(spoilt(purchase(), Detalle=[taxed, line()])) == ["COM-RET-01"]
