"""Rules with several faces: each face is found, with the tag that it speaks of."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.completion import ReferencedDocument
from domain.preparing import prepare, references_of
from tests.unit.domain.samples import (
    ISSUER,
    KNOWN,
    RECEIVER,
    SAMPLES,
    TODAY,
    Raw,
    World,
    boleta,
    codes_of,
    credit_note,
    debit_note,
    exempt_boleta,
    export_invoice,
    export_note,
    guide,
    guide_2026,
    invoice,
    line,
    prepared,
    problems_of,
    purchase,
    settlement,
    spoilt,
)

NEWER = World(profile="2026")
_CUSTOMS = "Encabezado__Transporte__Aduana__"
_RECEPTOR = "Encabezado__Receptor__"


def _places(raw: Raw, world: World = World()) -> list[tuple[str, str]]:  # noqa: B008  (frozen)
    return [(problem.code, problem.path.removeprefix("document.")) for problem in problems_of(raw, world=world)]


def test_exported_goods_say_who_takes_them_out() -> None:
    raw = spoilt(guide(8), Encabezado__Transporte__Aduana=export_invoice()["Encabezado"]["Transporte"]["Aduana"])
    assert _places(raw) == [("GUI-TRA-04", "Encabezado.Emisor.GuiaExport.CdgTraslado")]


def test_guide_of_nothing_known_names_every_datum_of_customs() -> None:
    assert codes_of(spoilt(guide(8), Encabezado__Emisor__GuiaExport={"CdgTraslado": 1})) == ["GUI-TRA-04"] * 6


def test_departure_lies_between_issue_and_arrival() -> None:
    early = spoilt(guide_2026(), Encabezado__Transporte__FchSalida="2026-11-23")
    assert _places(early, NEWER) == [("GUI-TRP-02", "Encabezado.Transporte.FchSalida")]


def test_internal_transfer_fills_in_the_company_as_receiver() -> None:
    ready = prepared(spoilt(guide(5), Encabezado__Receptor=None, Detalle__0__PrcItem=None))
    assert (ready.receiver, ready.total) == (ISSUER.rut, 0)
    assert ready.document.receptor["DirRecep"] == ISSUER.dir_origen
    assert prepared(spoilt(guide(5), Encabezado__Receptor=None, Encabezado__IdDoc__TipoDespacho=None)).warnings == ()


def test_guide_without_issuer_is_judged_all_the_same() -> None:
    with pytest.raises(Exception, match="RUTRecep"):
        prepare(spoilt(guide(5), Encabezado__Receptor=None), issuer=None, today=TODAY, referenced={})


def test_tourist_s_factura_names_what_is_missing() -> None:
    raw = spoilt(invoice(), Encabezado__IdDoc__TipoFactEsp=1)
    assert _places(raw, NEWER) == [
        ("TUR-FAC-01", "Encabezado.Receptor.RUTRecep"),
        ("TUR-FAC-01", "Encabezado.Receptor.RznSocRecep"),
        ("TUR-FAC-01", "Encabezado.Receptor.Extranjero.NumId"),
        ("TUR-FAC-01", "Encabezado.Receptor.Extranjero.TipoDocID"),
        ("TUR-FAC-01", "Encabezado.Emisor.CmnaOrigen"),
    ]


@pytest.mark.parametrize("make", [boleta, exempt_boleta])
def test_large_boleta_names_its_buyer(make: Any) -> None:
    world = World(uf=Decimal("39000.55"))
    raw = spoilt(make(), Detalle=[{"NmbItem": "Televisor de 85 pulgadas", "QtyItem": 1, "PrcItem": 5_265_075}])
    assert _places(raw, world) == [("BOL-UF-01", "Encabezado.Receptor.RUTRecep")]
    assert codes_of(raw) == [], "without the UF's value nothing is asked"
    named = spoilt(raw, **{f"{_RECEPTOR}RUTRecep": RECEIVER})
    assert _places(named, world) == [("BOL-UF-01", "Encabezado.Receptor.RznSocRecep")]
    assert codes_of(spoilt(named, **{f"{_RECEPTOR}RznSocRecep": "Ana Díaz"}), world=world) == []


def test_services_abroad_need_no_customs_but_their_paper() -> None:
    hotel = spoilt(
        export_invoice(),
        Encabezado__IdDoc={"TipoDTE": 110, "IndServicio": 4},
        Encabezado__Transporte=None,
        Referencia=[{"TpoDocRef": 813, "FolioRef": "E12345", "FchRef": "2026-11-20"}],
    )
    assert codes_of(hotel) == []
    assert codes_of(spoilt(hotel, Referencia=None)) == ["EXP-REF-01"]


def test_packages_without_container_show_their_marks() -> None:
    raw = spoilt(export_invoice(), **{f"{_CUSTOMS}TipoBultos__0__Marcas": None})
    assert _places(raw) == [("EXP-ADU-02", "Encabezado.Transporte.Aduana.TipoBultos[0].Marcas")]


def test_unknown_form_of_payment_is_told() -> None:
    assert codes_of(spoilt(export_invoice(), Encabezado__IdDoc__FmaPagExp=99)) == ["EXP-ADU-03"]


def test_amounts_of_exports_have_their_own_bounds() -> None:
    most = {"NmbItem": "Satélite", "QtyItem": 100, "PrcItem": "999999999999.999999"}
    assert prepared(spoilt(export_invoice(), Detalle=[most])).total == Decimal("99999999999999.9999")
    assert codes_of(spoilt(export_invoice(), Detalle=[most, most])) == ["DTE-TOT-04"]
    assert codes_of(spoilt(export_invoice(), Detalle=[{**most, "QtyItem": 101}])) == ["DTE-LIN-08"]


def test_what_cannot_be_computed_is_not_asked_for() -> None:
    broken = spoilt(export_invoice(), Detalle__0__PrcItem="mil", Encabezado__OtraMoneda={"TpoMoneda": "PESO CL"})
    assert codes_of(broken) == ["FMT-NUMBER"]
    assert codes_of(spoilt(SAMPLES[34](), Detalle__0__PrcItem="mil")) == ["FMT-NUMBER"]


def test_stated_export_totals_are_compared() -> None:
    raw = spoilt(export_invoice(), Encabezado__Totales={"TpoMoneda": "EURO", "MntExe": 1234, "MntTotal": 1235})
    assert codes_of(raw) == ["DTE-TOT-03", "DTE-TOT-06"]
    cent = spoilt(export_invoice(), Detalle__0__MontoItem="1234.51")
    assert codes_of(cent) == ["DTE-LIN-02"]


def test_exports_have_lines_of_one_kind() -> None:
    assert codes_of(spoilt(export_invoice(), Detalle=[line(IndExe=2)])) == ["DTE-LIN-07"]


def test_tax_codes_belong_to_their_kind_of_document() -> None:
    assert codes_of(purchase("27")) == ["COM-RET-01", "DTE-TAX-01"]
    assert codes_of(spoilt(invoice(), Detalle__0__CodImpAdic="15")) == ["DTE-TAX-01"]
    assert codes_of(spoilt(credit_note(3, 40, 46), Detalle=[line(CodImpAdic="27")])) == ["DTE-TAX-01"]
    assert codes_of(spoilt(credit_note(3, 10, 33), Detalle=[line(CodImpAdic="15")])) == ["DTE-TAX-01"]
    assert codes_of(spoilt(debit_note(1, 30, 61), Detalle=[line(CodImpAdic="15")])) == ["DTE-REF-10"]


def test_two_partial_codes_leave_the_rest_to_the_seller() -> None:
    lines = [line(CodImpAdic="34"), line(CodImpAdic="15"), line(IndExe=1)]
    totals = prepared(spoilt(purchase(), Detalle=lines)).document.totals
    assert [(tax["TipoImp"], tax["MontoImp"]) for tax in totals["ImptoReten"]] == [("34", 40), ("15", 190)]
    assert (totals["IVANoRet"], totals["MntTotal"]) == (380 - 230, 3000 + 380 - 230)


def test_settlement_knows_what_it_settles() -> None:
    assert codes_of(spoilt(settlement(), Detalle__0__TpoDocLiq="HES")) == ["LIQ-DET-01"]


class TestNotes:
    """What notes may change, by how much."""

    @pytest.mark.parametrize(
        ("note", "code"),
        [
            (credit_note(3, 50, 110), "DTE-REF-03"),
            (credit_note(3, 7, 52), "DTE-REF-03"),
            (debit_note(3, 20, 39), "DTE-REF-03"),
            (export_note(112, 3, 33, 10), "DTE-REF-03"),
            (export_note(111, 1, 110, 50), "DTE-REF-19"),
            (debit_note(1, 10, 33), "DTE-REF-19"),
        ],
    )
    def test_a_note_changes_what_its_kind_may(self, note: Raw, code: str) -> None:
        assert code in codes_of(note)

    def test_partial_notes_together_take_off_no_more_than_there_was(self) -> None:
        facts = KNOWN[33, 10]
        half = spoilt(credit_note(3), Detalle__0__QtyItem=5)
        for taken, added, codes in (
            (0, 0, []),
            (5950, 0, []),
            (5951, 0, ["DTE-REF-13"]),
            (5951, 1, []),
            (11900, 0, ["DTE-REF-13"]),
        ):
            known = {(33, 10): replace(facts, credited=taken, debited=added)}
            assert codes_of(half, known=known) == codes, (taken, added)

    def test_annulling_what_was_taken_off_in_part_would_take_off_too_much(self) -> None:
        known = {(33, 10): replace(KNOWN[33, 10], credited=1)}
        assert codes_of(credit_note(1), known=known) == ["DTE-REF-13"]

    def test_debit_notes_have_no_ceiling(self) -> None:
        assert codes_of(spoilt(debit_note(3), Detalle__0__QtyItem=1000)) == []

    def test_amounts_of_exports_are_compared_with_their_decimals(self) -> None:
        assert codes_of(export_note()) == []
        assert codes_of(spoilt(export_note(), Detalle__0__PrcItem="12.3451")) == ["DTE-REF-10"]

    def test_ledger_s_decimals_are_pesos_all_the_same(self) -> None:
        facts = replace(KNOWN[33, 10], total=Decimal("11900.0000"))
        assert codes_of(credit_note(1), known={(33, 10): facts}) == []
        wrong = problems_of(spoilt(credit_note(1), Detalle__0__PrcItem=1), known={(33, 10): facts})
        assert [(problem.code, "11900," in problem.message) for problem in wrong] == [("DTE-REF-10", True)]

    def test_references_of_every_kind_of_note_are_read(self) -> None:
        assert references_of(debit_note(1, 30, 61)) == ((61, 30),)
        assert references_of(export_note()) == ((110, 50),)
        assert references_of(SAMPLES[52]()) == ()

    def test_note_on_a_tourist_s_factura_goes_to_the_tourist(self) -> None:
        facts = ReferencedDocument(33, 10, "accepted", "55555555-5", 11900, 10000, None, 1900, TODAY)
        note = spoilt(credit_note(1), Encabezado__Receptor__RUTRecep="55555555-5", Referencia__0__FchRef=None)
        assert codes_of(note, known={(33, 10): facts}) == []


@pytest.mark.parametrize("document_type", SAMPLES)
def test_every_type_is_judged_without_an_issuer(document_type: int) -> None:
    ready = prepare(
        spoilt(SAMPLES[document_type](), Encabezado__Emisor__RUTEmisor="76900101-8"),
        issuer=None,
        today=TODAY,
        referenced=KNOWN,
        profile="2019",
    )
    assert ready.document_type == document_type


def test_a_boleta_of_others_that_states_its_total_alone_is_annulled_by_its_total() -> None:
    raw = spoilt(credit_note(1, 20, 39), Encabezado__Receptor=None)
    alone = {(39, 20): replace(KNOWN[39, 20], net=None, vat=None)}
    assert codes_of(raw, known=alone) == codes_of(raw)
    assert "DTE-REF-10" not in codes_of(raw, known=alone)
    other = {(39, 20): replace(KNOWN[39, 20], net=None, vat=None, total=11901)}
    assert "DTE-REF-10" in codes_of(raw, known=other)
    assert "DTE-REF-10" in codes_of(raw, known={(39, 20): replace(KNOWN[39, 20], net=None)})


def test_guides_go_to_oneself_unless_they_are_sales() -> None:
    own = {"Encabezado__Receptor__RUTRecep": "76900101-8"}
    assert codes_of(spoilt(guide(1), **own)) == ["DTE-RUT-02"]
    assert codes_of(spoilt(guide(6), **own)) == []


def test_notes_to_tourists_are_held_to_what_facturas_to_them_are() -> None:
    note = spoilt(credit_note(3), Encabezado__IdDoc={"TipoDTE": 61, "TipoFactEsp": 1})
    assert "TUR-FAC-01" in codes_of(note, world=World(profile="2026"))


def test_communes_are_known_however_they_are_written() -> None:
    for name in ("COQUIMBO", "coihueco", "Ñiquén", "Niquen", "O'Higgins", "San Pedro de Atacama", "Santiago  Centro"):
        assert codes_of(spoilt(invoice(), Encabezado__Receptor__CmnaRecep=name)) == [], name
    abroad = spoilt(export_invoice(), Encabezado__Receptor__CmnaRecep="Manhattan")
    assert "DTE-CMN-01" not in codes_of(abroad)


def test_additions_to_boletas_that_no_schema_has_are_left_out_and_told() -> None:
    raw = spoilt(boleta(), Encabezado__IdDoc__MedioPago="EF", Encabezado__RutProvSW="76900101-8")
    assert codes_of(raw) == ["FMT-LEFT-OUT", "FMT-LEFT-OUT"]
