"""Every tag is known or refused, every value is of its kind or refused, and the answer says where and what to do."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.format.reading import MOST_PROBLEMS
from domain.preparing import prepare, references_of, repeated_by
from domain.problems import InvalidDocument
from tests.unit.domain.samples import (
    ISSUER,
    TODAY,
    boleta,
    codes_of,
    credit_note,
    invoice,
    line,
    prepared,
    problems_of,
    spoilt,
)

LINE = "Detalle__0__"
ENORMOUS = 10**5000


def _named(value: object) -> str:
    return "enormous" if value == ENORMOUS else ascii(value)[:30]


@pytest.mark.parametrize(
    ("change", "value", "code", "path"),
    [
        (f"{LINE}NmbItm", "x", "FMT-UNKNOWN", "document.Detalle[0].NmbItm"),
        ("Detale", [], None, ""),
        ("Detale", [1], "FMT-UNKNOWN", "document.Detale"),
        ("Encabezado__IdDoc__IndTraslado", 1, "FMT-FORBIDDEN", "document.Encabezado.IdDoc.IndTraslado"),
        (f"{LINE}PrcItem", "1.000,50", "FMT-NUMBER", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", "1e3", "FMT-NUMBER", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", float("nan"), "FMT-NUMBER", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", float("inf"), "FMT-NUMBER", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", -1, "FMT-RANGE", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", 10**12, "FMT-RANGE", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", ENORMOUS, "FMT-RANGE", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", 0.1 + 0.2, "FMT-DECIMALS", "document.Detalle[0].PrcItem"),
        (f"{LINE}PrcItem", True, "FMT-KIND", "document.Detalle[0].PrcItem"),
        (f"{LINE}IndExe", False, None, ""),
        (f"{LINE}PrcItem", [1], "FMT-KIND", "document.Detalle[0].PrcItem"),
        (f"{LINE}MontoItem", 10000.5, "FMT-DECIMALS", "document.Detalle[0].MontoItem"),
        (f"{LINE}IndExe", 9, "FMT-CHOICE", "document.Detalle[0].IndExe"),
        (f"{LINE}IndExe", ENORMOUS, "FMT-CHOICE", "document.Detalle[0].IndExe"),
        (f"{LINE}UnmdItem", "metros", "FMT-LENGTH", "document.Detalle[0].UnmdItem"),
        (f"{LINE}UnmdItem", ENORMOUS, "FMT-LENGTH", "document.Detalle[0].UnmdItem"),
        (f"{LINE}NmbItem", {"a": 1}, "FMT-KIND", "document.Detalle[0].NmbItem"),
        (f"{LINE}NmbItem", "   ", "FMT-REQUIRED", "document.Detalle[0].NmbItem"),
        (f"{LINE}NmbItem", "a\x00", "TXT-NUL", "document.Detalle[0].NmbItem"),
        (f"{LINE}NmbItem", "\udc80", "TXT-SURROGATE", "document.Detalle[0].NmbItem"),
        (f"{LINE}NmbItem", "日", "TXT-CHARACTER", "document.Detalle[0].NmbItem"),
        (f"{LINE}CdgItem", [{"TpoCodigo": "INT1"}], "FMT-REQUIRED", "document.Detalle[0].CdgItem[0].VlrCodigo"),
        (f"{LINE}CdgItem", ["x"], "FMT-KIND", "document.Detalle[0].CdgItem[0]"),
        ("Encabezado__IdDoc__FchEmis", "24-11-2026", "FMT-DATE", "document.Encabezado.IdDoc.FchEmis"),
        ("Encabezado__IdDoc__FchEmis", "2026-02-30", "FMT-DATE", "document.Encabezado.IdDoc.FchEmis"),
        ("Encabezado__IdDoc__FchEmis", "2003-03-31", "FMT-RANGE", "document.Encabezado.IdDoc.FchEmis"),
        ("Encabezado__IdDoc__FchVenc", 20261124, "FMT-DATE", "document.Encabezado.IdDoc.FchVenc"),
        ("Encabezado__Receptor__RUTRecep", "77777777-8", "FMT-RUT", "document.Encabezado.Receptor.RUTRecep"),
        ("Encabezado__Receptor__RUTRecep", 77777777, "FMT-KIND", "document.Encabezado.Receptor.RUTRecep"),
        ("Encabezado__Receptor__GiroRecep", None, "FMT-REQUIRED", "document.Encabezado.Receptor.GiroRecep"),
        ("Detalle", None, "FMT-REQUIRED", "document.Detalle"),
        ("Detalle", [line()] * 61, "FMT-MANY", "document.Detalle"),
        ("Detalle", [3], "FMT-KIND", "document.Detalle[0]"),
        ("Encabezado__Transporte", "camión", "FMT-KIND", "document.Encabezado.Transporte"),
        (
            "Referencia",
            [{"TpoDocRef": 52, "FolioRef": 1, "FchRef": "2026-11-20"}] * 41,
            "FMT-MANY",
            "document.Referencia",
        ),
    ],
    ids=_named,
)
def test_fault_is_told_alone_with_code_and_path(change: str, value: Any, code: str | None, path: str) -> None:
    problems = problems_of(spoilt(invoice(), **{change: value}))
    assert [(problem.code, problem.path) for problem in problems] == ([(code, path)] if code else [])


def test_all_faults_of_a_document_are_told_at_once() -> None:
    raw = spoilt(
        invoice(),
        Encabezado__Receptor__RUTRecep="1-2",
        Encabezado__Totales__MntTotal=5,
        Detalle__0__NmbItem="\x00",
        Referencia=[{"TpoDocRef": 899}],
    )
    assert codes_of(raw) == ["DTE-REF-05", "DTE-TOT-03", "FMT-REQUIRED", "FMT-REQUIRED", "FMT-RUT", "TXT-NUL"]


def test_unreadable_figure_leaves_totals_unjudged() -> None:
    raw = spoilt(invoice(), Detalle__0__PrcItem="mil", Encabezado__Totales__MntTotal=5)
    assert codes_of(raw) == ["FMT-NUMBER"]


@pytest.mark.parametrize("kind", [None, "", 40, 999, "33x", [33], {}, True, ENORMOUS], ids=_named)
def test_type_that_is_not_issued_has_one_code_beside_the_other_problems(kind: Any) -> None:
    raw = spoilt(invoice(), Encabezado__Receptor__RUTRecep="77777777-8", Encabezado__Otro=1)
    raw["Encabezado"]["IdDoc"]["TipoDTE"] = kind
    assert codes_of(raw) == ["DOC-TYPE", "FMT-RUT", "FMT-UNKNOWN"]


@pytest.mark.parametrize("raw", [None, 5, [], "x", {}, {"Encabezado": 3}, {"Encabezado": {"IdDoc": []}}])
def test_what_is_no_document_is_told_so(raw: Any) -> None:
    assert "DOC-TYPE" in codes_of(raw)
    assert references_of(raw) == ()


def test_free_text_is_cut_with_a_warning_and_codes_are_not() -> None:
    ready = prepared(spoilt(invoice(), Detalle__0__NmbItem="x" * 90))
    assert [(warning.code, warning.level) for warning in ready.warnings] == [("FMT-CUT", "warning")]
    assert ready.stamp.first_item == "x" * 80
    assert codes_of(spoilt(invoice(), Encabezado__Receptor__CdgIntRecep="x" * 21)) == ["FMT-LENGTH"]


def test_cut_text_has_no_blank_at_its_end() -> None:
    ready = prepared(spoilt(invoice(), Detalle__0__NmbItem="x" * 79 + " y"))
    assert ready.stamp.first_item == "x" * 79


def test_long_text_of_entities_still_fits_a_line() -> None:
    text = prepared(spoilt(invoice(), Detalle__0__DscItem="&" * 1000)).render(1)
    assert max(map(len, text.split("\n"))) < 3900


def test_many_faults_are_counted_after_a_number() -> None:
    raw = spoilt(invoice(), Detalle=[line(a=1, b=2, c=3, d=4) for _ in range(60)])
    problems = problems_of(raw)
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1].code == "FMT-MORE"


def test_warnings_hide_no_error() -> None:
    raw = spoilt(boleta(), Detalle=[line(NmbItem="x" * 81) for _ in range(200)], Encabezado__Totales__MntTotal=1)
    problems = problems_of(raw)
    assert [problem.code for problem in problems if problem.level == "error"] == ["DTE-TOT-03"]
    assert [problem.code for problem in problems].count("FMT-CUT") == MOST_PROBLEMS
    assert problems[-1].level == "warning"


def test_one_object_stands_for_a_list_of_one_and_numbers_for_texts() -> None:
    raw = spoilt(
        invoice(),
        Detalle=line(CdgItem={"TpoCodigo": "INT1", "VlrCodigo": 77}, QtyItem="2", IndExe=None),
        Referencia={"TpoDocRef": 801, "FolioRef": 4510083633, "FchRef": "2026-11-20"},
    )
    document = prepared(raw).document
    assert document.items("Detalle")[0][1]["CdgItem"] == [{"TpoCodigo": "INT1", "VlrCodigo": "77"}]
    assert document.items("Referencia")[0][1]["FolioRef"] == "4510083633"


def test_empty_values_count_as_not_stated() -> None:
    raw = spoilt(
        invoice(), Encabezado__Receptor__Contacto="", Referencia=[], Encabezado__Transporte={}, DscRcgGlobal=None
    )
    raw["Detalle"][0] |= {"DscItem": None, "CdgItem": [{"TpoCodigo": "A", "VlrCodigo": "B"}, None, ""]}
    assert codes_of(raw) == ["FMT-KIND", "FMT-KIND"]
    raw["Detalle"][0]["CdgItem"] = []
    assert codes_of(raw) == []


def test_boleta_takes_the_other_family_s_names_and_leaves_its_extras_out() -> None:
    raw = spoilt(boleta(), Encabezado__Emisor={"RznSoc": "Otra SpA", "GiroEmis": "Kiosco", "Acteco": 479100})
    ready = prepared(raw)
    assert ready.document.emisor["RznSocEmisor"] == "Otra SpA"
    assert ready.document.emisor["GiroEmisor"] == "Kiosco"
    assert [warning.code for warning in ready.warnings] == ["FMT-LEFT-OUT"]
    raw["Encabezado"]["Emisor"]["RznSocEmisor"] = "Otra SpA"
    assert codes_of(raw) == ["FMT-LEFT-OUT", "FMT-UNKNOWN"]


@pytest.mark.parametrize(
    ("code", "kind", "repeated"),
    [(1, 33, ((33, 10),)), ("1", "33", ((33, 10),)), (3, 33, ((33, 10),)), ("", 33, ()), (1, 39, ()), (1, 110, ())],
)
def test_of_what_a_note_changes_those_are_read_whose_bytes_say_more(code: Any, kind: Any, repeated: Any) -> None:
    raw = spoilt(credit_note(), Referencia__0__CodRef=code, Referencia__0__TpoDocRef=kind)
    assert repeated_by(raw) == repeated


@pytest.mark.parametrize(
    "raw", [credit_note(), spoilt(credit_note(), Referencia__0__FolioRef="10", Referencia__0__TpoDocRef="33")]
)
def test_references_of_a_note_are_found_without_reading_the_rest(raw: Any) -> None:
    assert references_of(raw) == ((33, 10),)
    assert references_of(spoilt(raw, Referencia=raw["Referencia"][0])) == ((33, 10),)


@pytest.mark.parametrize(
    "reference",
    [
        None,
        3,
        "x",
        {"CodRef": 1},
        {"TpoDocRef": "SET", "FolioRef": 1, "CodRef": 1},
        {"TpoDocRef": 33, "FolioRef": "A", "CodRef": 1},
        {"TpoDocRef": 33, "FolioRef": 1, "CodRef": 1, "RUTOtr": "77777777-7"},
        {"TpoDocRef": 33, "FolioRef": 1},
    ],
)
def test_references_that_cannot_be_used_are_passed_over(reference: Any) -> None:
    assert references_of(spoilt(credit_note(), Referencia=[reference])) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800") | st.just("\x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PLACES = (
    "Encabezado", "Encabezado__IdDoc", "Encabezado__IdDoc__FchEmis", "Encabezado__IdDoc__MntBruto",
    "Encabezado__Emisor", "Encabezado__Receptor", "Encabezado__Receptor__RUTRecep", "Encabezado__Totales",
    "Encabezado__Totales__ImptoReten",
    "Encabezado__Totales__MntTotal", "Encabezado__Totales__Comisiones", "Encabezado__IdDoc__MntPagos", "Detalle",
    "Detalle__0", "Detalle__0__PrcItem", "Detalle__0__QtyItem", "Detalle__0__MontoItem", "Detalle__0__CodImpAdic",
    "Detalle__0__Retenedor", "Detalle__0__DescuentoPct", "Detalle__0__IndExe", "Detalle__0__NmbItem", "DscRcgGlobal",
    "Referencia", "Referencia__0", "Comisiones", "SubTotInfo",
)  # fmt: skip


@settings(deadline=None)
@given(base=st.sampled_from([invoice(), credit_note(), boleta()]), place=st.sampled_from(PLACES), value=JSON)
def test_no_content_makes_preparing_fail_otherwise(base: Any, place: str, value: Any) -> None:
    raw = base if place == "Referencia__0" and "Referencia" not in base else spoilt(base, **{place: value})
    references_of(raw)
    try:
        prepare(raw, issuer=ISSUER, today=TODAY, referenced={}).render(1).encode("iso-8859-1")
    except InvalidDocument as refused:
        for problem in refused.problems:
            text = f"{problem.code}{problem.path}{problem.message}"
            assert "\x00" not in text
            text.encode("utf-8")
            assert len(problem.message) < 600
