"""What the SII's frequent questions ask beyond any schema, at its edges: terms, months, who annuls what, to whom."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.unit.domain.samples import (
    ISSUER,
    KNOWN,
    RECEIVER,
    Raw,
    World,
    boleta,
    codes_of,
    credit_note,
    debit_note,
    exempt_boleta,
    export_note,
    guide,
    guide_2026,
    invoice,
    line,
    opposite,
    prepared,
    settlement,
    spoilt,
)


def test_a_document_is_annulled_in_its_own_tax_period_and_the_next() -> None:
    """The ledger's day counts where the ledger knows it; boletas, exports and corrected amounts have no term."""
    raw = credit_note()
    assert codes_of(raw, today=date(2026, 12, 31)) == []
    assert codes_of(raw, today=date(2027, 1, 1)) == ["DTE-REF-23"]
    assert codes_of(spoilt(raw, Referencia__0__CodRef=3), today=date(2027, 1, 1)) == []
    assert codes_of(debit_note(1, 30, 61), today=date(2027, 1, 1)) == ["DTE-REF-23"]
    elsewhere = spoilt(credit_note(1, 99), Referencia__0__FchRef="2026-09-30")
    assert codes_of(elsewhere) == ["DTE-REF-15", "DTE-REF-23"]
    assert codes_of(spoilt(elsewhere, Referencia__0__FchRef="2026-10-01")) == ["DTE-REF-15"]
    assert "DTE-REF-23" not in codes_of(spoilt(elsewhere, Referencia__0__TpoDocRef=39))
    assert codes_of(export_note(), today=date(2027, 1, 1)) == []


def test_facturas_for_guias_are_dated_in_their_month_and_issued_until_the_tenth_of_the_next() -> None:
    def billed(issued: str, *guides: str, kind: int = 52) -> Raw:
        references = [{"TpoDocRef": kind, "FolioRef": folio, "FchRef": day} for folio, day in enumerate(guides, 1)]
        return spoilt(invoice(), Encabezado__IdDoc__FchEmis=issued, Referencia=references)

    tenth, eleventh = date(2026, 11, 10), date(2026, 11, 11)
    assert codes_of(billed("2026-10-31", "2026-10-01", "2026-10-31"), today=tenth) == []
    assert codes_of(billed("2026-10-31", "2026-10-01"), today=eleventh) == ["DTE-DAT-08"]
    assert codes_of(billed("2026-10-31", "2026-10-27", kind=50), today=tenth) == []
    assert codes_of(billed("2026-11-05", "2026-10-27", "2026-11-02"), today=date(2026, 11, 5)) == ["DTE-DAT-07"]
    assert codes_of(billed("2026-10-31", "2026-09-30"), today=date(2026, 11, 2)) == ["DTE-DAT-03", "DTE-DAT-07"]
    assert codes_of(billed("2026-10-31", "2026-10-27", kind=801), today=tenth) == ["DTE-DAT-02"]
    assert codes_of(billed("2026-12-31", "2026-12-01"), today=date(2027, 1, 10)) == []
    assert codes_of(billed("2026-11-03", "2026-11-02")) == [], "of this month, within the term"


def test_a_liquidacion_is_annulled_by_its_opposite_once() -> None:
    assert prepared(opposite()).changes == (43, 70)
    assert codes_of(opposite(), known={(43, 70): replace(KNOWN[43, 70], annulled=True)}) == ["DTE-REF-18"]
    assert codes_of(opposite(), known={(43, 70): replace(KNOWN[43, 70], state="rejected")}) == ["DTE-REF-14"]
    assert codes_of(opposite(), known={(43, 70): replace(KNOWN[43, 70], receiver="60803000-K")}) == ["DTE-REF-11"]
    assert codes_of(spoilt(opposite(), Referencia__0__FolioRef=71)) == ["DTE-REF-15"]
    for code in (1, "1"):
        assert codes_of(spoilt(opposite(), Referencia__0__CodRef=code)) == []
    informs = spoilt(opposite(), Referencia__0__CodRef=3, Detalle__1__MontoItem=-1)
    assert (codes_of(informs), prepared(informs).changes) == ([], None)
    above_zero = spoilt(settlement(), Referencia=opposite()["Referencia"])
    assert (codes_of(above_zero), prepared(above_zero).changes) == ([], None)


def test_houses_that_change_money_document_what_they_bill_nothing_of() -> None:
    """Bought money is IndExe 6, sold money IndExe 2; net and exempt stay 0, a commission is billed as usual."""
    bought = {"NmbItem": "Compra de 1000 USD a 930", "QtyItem": 1000, "PrcItem": 930, "IndExe": 6}
    sold = {**bought, "NmbItem": "Venta de 1000 USD a 950", "PrcItem": 950, "IndExe": 2}
    newer = World(profile="2026")
    for sample in (exempt_boleta, boleta):
        ready = prepared(spoilt(sample(), Detalle=[bought]), world=newer)
        totals = ready.document.totals
        assert (totals["MntTotal"], totals["MontoNF"], totals["TotalPeriodo"]) == (0, -930_000, -930_000)
        assert [warning.code for warning in ready.warnings] == ["DTE-TOT-14"]
    factura = prepared(spoilt(invoice(), Detalle=[bought, sold]))
    assert (factura.total, factura.document.totals["MontoNF"]) == (0, 20_000)
    assert [warning.code for warning in factura.warnings] == ["DTE-TOT-14"]
    assert codes_of(spoilt(invoice(), Detalle=[bought, line(PrcItem=5000)])) == []
    assert "DTE-TOT-07" in codes_of(spoilt(exempt_boleta(), Detalle=[bought])), "2019 can't carry it"
    assert codes_of(spoilt(invoice(), Detalle=[line(IndExe=1), bought])) == ["DTE-TOT-09"]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("Ventas del 23-11-2026 durante corte de suministro", ["BOL-UF-03"]),
        ("Ventas por apagón", ["BOL-UF-03"]),
        ("VENTAS SIN LUZ, RESUMEN", ["BOL-UF-03"]),
        ("Resumen de boletas, interrupción del suministro eléctrico", ["BOL-UF-03"]),
        ("Generador para cortes de luz", ["BOL-UF-01"]),
        ("Ventas del día", ["BOL-UF-01"]),
    ],
)
def test_the_one_boleta_after_a_power_cut_says_so(name: str, codes: list[str]) -> None:
    sold = {"NmbItem": name, "QtyItem": 1, "PrcItem": 6_000_000}
    assert codes_of(spoilt(boleta(), Detalle=[sold]), world=World(uf=Decimal(39_643))) == codes
    named = spoilt(boleta(), Detalle=[sold], Encabezado__Receptor={"RUTRecep": RECEIVER, "RznSocRecep": "Ana"})
    assert codes_of(named, world=World(uf=Decimal(39_643))) == []


def test_a_guia_to_oneself_says_where_to_in_either_edition() -> None:
    """Another address of the receiver says it in 2019; since 2026-11-01 the place of destination has its own tags."""
    own = {"RUTRecep": ISSUER.rut, "RznSocRecep": "Yo", "GiroRecep": "x", "CmnaRecep": "Lampa"}
    to_itself = {**own, "DirRecep": ISSUER.dir_origen}
    nowhere = spoilt(guide_2026(5), Encabezado__Receptor=to_itself, Encabezado__Transporte__DirDest=None)
    assert codes_of(nowhere, world=World(profile="2026")) == ["GUI-TRA-09"]
    told = spoilt(nowhere, Encabezado__Receptor={**own, "DirRecep": "Bodega 2"})
    assert codes_of(told, world=World(profile="2026")) == ["GUI-TRP-05"]
    older = spoilt(guide(5), Encabezado__Receptor=to_itself, Encabezado__Transporte__DirDest=None)
    assert codes_of(older) == ["GUI-TRA-09"]
    assert codes_of(spoilt(older, Encabezado__Receptor={**own, "DirRecep": "Bodega 2"})) == ["GUI-TRP-04"]


def test_one_note_over_many_boletas_is_taken_with_a_warning_and_others_are_shown_the_way() -> None:
    many = {"TpoDocRef": 39, "FolioRef": 0, "FchRef": "2026-11-23", "IndGlobal": 1, "CodRef": 3}
    raw = spoilt(credit_note(), Encabezado__Receptor__RUTRecep="76900101-8", Referencia=[many])
    assert codes_of(raw) == ["DTE-REF-25"]
    assert prepared(raw).changes is None
    assert "DTE-REF-07" in codes_of(spoilt(raw, Referencia__0__CodRef=1))
    assert "DTE-REF-07" in codes_of(spoilt(raw, Referencia__0__TpoDocRef=33))
    assert "DTE-REF-07" in codes_of(spoilt(raw, Referencia__0__FolioRef=20))
