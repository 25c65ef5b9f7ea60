"""What a producer leaves out is filled in, and what it states stays."""

from dataclasses import replace
from datetime import date

import pytest

from domain.preparing import prepare
from domain.problems import InvalidDocument
from tests.unit.domain.samples import (
    ISSUER,
    KNOWN,
    TODAY,
    boleta,
    codes_of,
    credit_note,
    debit_note,
    invoice,
    line,
    prepared,
    problems_of,
    spoilt,
)


def test_factura_gets_issuer_day_numbers_and_nothing_else() -> None:
    ready = prepared(invoice())
    assert ready.warnings == ()
    assert ready.document.emisor == {
        "RUTEmisor": "76900101-8",
        "RznSoc": "Comercial Ñandú SpA",
        "GiroEmis": "Venta al por menor",
        "Telefono": ["+56 2 2345 6789"],
        "CorreoEmisor": "ventas@nandu.example",
        "Acteco": [479100],
        "CdgSIISucur": 78525666,
        "DirOrigen": "Calle Uno 123",
        "CmnaOrigen": "Santiago",
        "CiudadOrigen": "Santiago",
    }
    assert ready.document.id_doc == {"TipoDTE": 33, "FchEmis": TODAY, "FmaPago": 1}
    assert (ready.issued_on, ready.receiver, ready.total, ready.net, ready.vat, ready.exempt, ready.changes) == (
        TODAY,
        "77777777-7",
        11900,
        10000,
        1900,
        None,
        None,
    )


def test_boleta_gets_its_own_tag_names_and_the_anonymous_receiver() -> None:
    ready = prepared(boleta())
    assert set(ready.document.emisor) == {
        "RUTEmisor",
        "RznSocEmisor",
        "GiroEmisor",
        "CdgSIISucur",
        "DirOrigen",
        "CmnaOrigen",
        "CiudadOrigen",
    }
    assert ready.document.id_doc["IndServicio"] == 3
    assert ready.receiver == "66666666-6"
    assert ready.stamp.receiver_name == "Cliente"


def test_stated_address_is_not_mixed_with_the_registered_one() -> None:
    raw = spoilt(invoice(), Encabezado__Emisor={"DirOrigen": "Otra 1", "CmnaOrigen": "Arica"})
    emisor = prepared(raw).document.emisor
    assert (emisor["DirOrigen"], emisor["CmnaOrigen"]) == ("Otra 1", "Arica")
    assert "CdgSIISucur" not in emisor
    assert "CiudadOrigen" not in emisor


@pytest.mark.parametrize(("due", "told"), [(None, ["DTE-PAY-03"]), ("2026-12-24", [])])
def test_payment_is_stated_as_the_sii_would_assume_it_and_told_once(due: str | None, told: list[str]) -> None:
    ready = prepared(spoilt(invoice(), Encabezado__IdDoc__FmaPago=None, Encabezado__IdDoc__FchVenc=due))
    assert ready.document.id_doc["FmaPago"] == 2
    assert [warning.code for warning in ready.warnings] == told


def test_stated_folio_and_numbers_are_replaced_and_told() -> None:
    raw = spoilt(invoice(), Encabezado__IdDoc__Folio=77, Detalle=[line(NroLinDet=5), line(NroLinDet=2)])
    ready = prepared(raw)
    assert [item["NroLinDet"] for _, item in ready.document.items("Detalle")] == [1, 2]
    assert [warning.code for warning in ready.warnings] == ["COM-FOLIO", "COM-NUMBER"]
    assert "<Folio>3</Folio>" in ready.render(3)


def test_unknown_issuer_is_nobody_s_fault_but_everything_else_is_checked() -> None:
    prepare(invoice(), issuer=None, today=TODAY, referenced={})
    with pytest.raises(InvalidDocument) as refused:
        prepare(spoilt(invoice(), Detalle__0__NmbItem=None), issuer=None, today=TODAY, referenced={})
    assert [problem.code for problem in refused.value.problems] == ["FMT-REQUIRED"]


def test_issuer_s_own_texts_are_cleaned_and_cut() -> None:
    issuer = replace(ISSUER, giro="x" * 90, razon_social="“Ñandú”")
    ready = prepare(invoice(), issuer=issuer, today=TODAY, referenced={})
    assert ready.document.emisor["GiroEmis"] == "x" * 80
    assert ready.document.emisor["RznSoc"] == '"Ñandú"'
    assert [warning.code for warning in ready.warnings] == ["FMT-CUT"]


def test_issuer_s_text_that_cannot_be_written_is_left_out_unless_it_must_stand() -> None:
    ready = prepare(invoice(), issuer=replace(ISSUER, telefono="5" * 21), today=TODAY, referenced={})
    assert "Telefono" not in ready.document.emisor
    assert [(warning.code, warning.level) for warning in ready.warnings] == [("FMT-LENGTH", "warning")]
    with pytest.raises(InvalidDocument) as refused:
        prepare(invoice(), issuer=replace(ISSUER, razon_social="ООО"), today=TODAY, referenced={})
    assert {problem.path for problem in refused.value.problems} == {"document.Encabezado.Emisor.RznSoc"}


@pytest.mark.parametrize("folio", [20, 21], ids=["known", "not known"])
def test_note_on_a_boleta_of_nobody_goes_to_the_issuer_unless_the_buyer_is_stated(folio: int) -> None:
    ready = prepared(spoilt(credit_note(3, folio, 39), Encabezado__Receptor=None))
    assert (ready.receiver, ready.document.receptor["RznSocRecep"]) == (ISSUER.rut, ISSUER.razon_social)
    assert ready.changes == (39, folio)
    assert "DTE-REF-21" in {warning.code for warning in ready.warnings}
    named = prepared(credit_note(3, folio, 39))
    assert named.receiver == "77777777-7"
    assert "DTE-REF-21" not in {warning.code for warning in named.warnings}


def test_note_to_somebody_without_a_rut_keeps_the_name() -> None:
    ready = prepared(spoilt(credit_note(3, 20, 39), Encabezado__Receptor={"RznSocRecep": "Ana Díaz"}))
    assert (ready.receiver, ready.document.receptor["RznSocRecep"]) == ("66666666-6", "Ana Díaz")
    assert [warning.code for warning in ready.warnings] == ["DTE-REF-21"]


def test_note_to_nobody_has_a_name_and_is_told() -> None:
    ready = prepared(spoilt(credit_note(3, 20, 39), Encabezado__Receptor={"RUTRecep": "66666666-6"}))
    assert ready.document.receptor["RznSocRecep"] == "Cliente"
    assert [warning.code for warning in ready.warnings] == ["DTE-REF-21"]


def test_note_on_a_boleta_of_somebody_goes_to_somebody() -> None:
    known = {(39, 20): replace(KNOWN[39, 20], receiver="77777777-7")}
    raw = spoilt(credit_note(3, 20, 39), Encabezado__Receptor={"RznSocRecep": "Ana"})
    assert prepared(raw, known=known).receiver == "77777777-7"


def test_annulled_boleta_is_repeated_in_gross_prices() -> None:
    raw = spoilt(credit_note(1, 20, 39), Encabezado__Receptor=None, Detalle=boleta()["Detalle"])
    assert codes_of(raw) == ["DTE-REF-10", "DTE-REF-21"]
    assert codes_of(spoilt(raw, Encabezado__IdDoc__MntBruto=1)) == ["DTE-REF-21"]


@pytest.mark.parametrize(("stated", "written"), [(None, 2), (1, 1)])
def test_note_repeats_the_kind_of_sale_of_what_it_changes(stated: int | None, written: int) -> None:
    ready = prepared(spoilt(credit_note(1, 16), Encabezado__IdDoc__TpoTranVenta=stated))
    assert ready.document.id_doc["TpoTranVenta"] == written
    assert f"<TpoTranVenta>{written}</TpoTranVenta>" in ready.render(7)
    assert [warning.code for warning in ready.warnings] == ["DTE-REF-22"] * (stated == 1)


def test_note_on_what_states_no_kind_of_sale_states_none() -> None:
    known = {(33, 10): replace(KNOWN[33, 10], sale_kind=0)}
    assert "TpoTranVenta" not in prepared(credit_note(1, 10), known=known).document.id_doc
    other = spoilt(credit_note(1, 10), Encabezado__IdDoc__TpoTranVenta=2)
    assert codes_of(other, known=known) == ["DTE-REF-22"]
    assert codes_of(other) == [], "nobody knows what the document says"


def test_note_repeats_the_principal_of_what_it_changes() -> None:
    known = {(33, 10): replace(KNOWN[33, 10], principal="96933606-5")}
    assert prepared(credit_note(3, 10), known=known).document.header["RUTMandante"] == "96933606-5"
    assert prepared(debit_note(3, 10), known=known).document.header["RUTMandante"] == "96933606-5"


def test_note_on_an_exempt_document_is_exempt_and_told() -> None:
    ready = prepared(credit_note(1, 5, 34))
    assert (ready.exempt, ready.net, ready.total) == (10000, None, 10000)
    assert [warning.code for warning in ready.warnings] == ["COM-EXEMPT"]


def test_certification_set_needs_only_its_case() -> None:
    references = [{"TpoDocRef": "SET", "RazonRef": "CASO 414175-1"}, {"TpoDocRef": "SET", "RazonRef": "otro"}]
    written = [item for _, item in prepared(spoilt(invoice(), Referencia=references)).document.items("Referencia")]
    assert [(item["FolioRef"], item["FchRef"]) for item in written] == [("414175", TODAY), ("0", TODAY)]
    ready = prepared(spoilt(boleta(), Referencia=[{"TpoDocRef": "SET", "RazonRef": "CASO-1"}]))
    assert ready.document.items("Referencia")[0][1] == {"NroLinRef": 1, "CodRef": "SET", "RazonRef": "CASO-1"}
    assert ready.warnings == ()


def test_reference_of_a_boleta_is_kept_in_the_tags_of_every_schema() -> None:
    ready = prepared(spoilt(boleta(), Referencia=[{"TpoDocRef": 801, "FolioRef": "OC-1", "RazonRef": "Pedido"}]))
    written = ready.document.items("Referencia")[0][1]
    assert (written["CodRef"], written["RazonRef"]) == ("801", "OC-1 Pedido")
    assert [warning.code for warning in ready.warnings] == ["COM-REFERENCE"]


def test_folio_of_a_reference_loses_its_zeros_and_its_day_is_found() -> None:
    raw = spoilt(credit_note(), Referencia__0__FolioRef="00010", Referencia__0__FchRef=None)
    written = prepared(raw).document.items("Referencia")[0][1]
    assert (written["FolioRef"], written["FchRef"]) == ("10", date(2026, 11, 20))


def test_subtotals_of_a_boleta_get_their_order() -> None:
    ready = prepared(spoilt(boleta(), SubTotInfo=[{"GlosaSTI": "Bebidas", "ValSubtotSTI": 1190}]))
    assert ready.document.items("SubTotInfo")[0][1]["OrdenSTI"] == 1


def test_note_on_several_documents_changes_none_in_particular() -> None:
    second = {"TpoDocRef": 33, "FolioRef": 12, "FchRef": "2026-05-24", "CodRef": 3}
    raw = spoilt(credit_note(3), Referencia=[*credit_note(3)["Referencia"], second])
    assert prepared(raw).changes is None


def test_other_company_s_document_is_not_looked_up() -> None:
    raw = spoilt(credit_note(), Referencia__0__RUTOtr="60803000-K", Detalle__0__PrcItem=1)
    assert [(problem.code, problem.level) for problem in problems_of(raw)] == [("DTE-REF-15", "warning")]


def test_document_as_json_has_only_json_s_kinds() -> None:
    plain = prepared(spoilt(invoice(), Detalle__0__PrcItem="1.5")).document.as_json()
    assert plain["Detalle"][0]["PrcItem"] == "1.5"
    assert plain["Encabezado"]["IdDoc"]["FchEmis"] == "2026-11-24"
