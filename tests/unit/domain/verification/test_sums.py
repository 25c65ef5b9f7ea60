"""Sums: what adds up by the official rules is never refused, what does not is told where."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from domain.verification.sums import Amounts, sum_problems


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if not isinstance(value, dict | list)}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _cases(shared: Path) -> Iterator[tuple[str, Amounts]]:
    """The calculation cases of the corpus, as documents with the totals that were derived from the official rules."""
    for file in sorted((shared / "corpus" / "calc").glob("*.json")):
        case = json.loads(file.read_text(encoding="utf-8"))
        asked, derived = case["input"], case.get("derived") or {}
        if not derived.get("Totales"):
            continue
        amounts = derived.get("MontoItem") or []
        lines = [_texts(line) for line in asked["detalle"]]
        for line, amount in zip(lines, amounts, strict=False):
            line["MontoItem"] = str(amount)
        totals = derived["Totales"]
        yield (
            file.stem,
            Amounts(
                int(asked["tipo"]),
                {"TipoDTE": str(asked["tipo"]), **_texts(asked.get("id_doc") or {})},
                _texts(totals),
                [_texts(each) for each in _listed(totals.get("ImptoReten"))],
                _texts(totals.get("Comisiones") or {}),
                lines,
                [_texts(each) for each in asked.get("descuentos_globales") or []],
            ),
        )


@pytest.mark.needs_shared
def test_cases_of_the_corpus_add_up(shared: Path) -> None:
    wrong = {name: found for name, amounts in _cases(shared) if (found := sum_problems(amounts, ""))}
    assert wrong == {}
    assert len(list(_cases(shared))) >= 60


def _invoice(**changes: Any) -> Amounts:
    plain = Amounts(
        33,
        {"TipoDTE": "33"},
        {"MntNeto": "2000", "MntExe": "500", "TasaIVA": "19", "IVA": "380", "MntTotal": "2880"},
        [],
        {},
        [
            {"QtyItem": "2", "PrcItem": "1000", "MontoItem": "2000"},
            {"PrcItem": "500", "MontoItem": "500", "IndExe": "1"},
        ],
        [],
    )
    return plain._replace(**changes)


def _totals(**changes: str) -> dict[str, str]:
    return {**_invoice().totals, **changes}


@pytest.mark.parametrize(
    ("amounts", "codes"),
    [
        (_invoice(), []),
        (_invoice(totals=_totals(MntTotal="2881")), ["SUM-PESO"]),
        (_invoice(totals=_totals(MntTotal="2882")), ["SUM-TOTAL"]),
        (_invoice(totals=_totals(IVA="381", MntTotal="2881")), []),
        (_invoice(totals=_totals(IVA="320", MntTotal="2820")), ["SUM-VAT"]),
        (_invoice(totals=_totals(MntExe="700", MntTotal="3080")), ["SUM-EXEMPT"]),
        (_invoice(totals=_totals(MntNeto="3000", IVA="570", MntTotal="4070")), ["SUM-NET"]),
        (_invoice(totals=_totals(MontoPeriodo="2880")), []),
        (_invoice(totals=_totals(MontoNF="100", MontoPeriodo="2880")), ["SUM-PERIOD"]),
        (_invoice(totals=_totals(MntTotal="x")), ["SUM-NUMBER"]),
        (_invoice(totals=_totals(MntTotal="1e3")), ["SUM-NUMBER"]),
        (_invoice(totals=_totals(MntTotal="9" * 40)), ["SUM-NUMBER"]),
        (_invoice(totals=_totals(MntTotal="NaN")), ["SUM-NUMBER"]),
        (_invoice(totals=_totals(GrntDep="100", CredEC="50", MntTotal="2930")), []),
        (_invoice(taxes=[{"TipoImp": "24", "MontoImp": "100"}], totals=_totals(MntTotal="2980")), []),
        (_invoice(taxes=[{"TipoImp": "15", "MontoImp": "100"}], totals=_totals(MntTotal="2780")), []),
        (_invoice(commissions={"ValComNeto": "100", "ValComIVA": "19"}, totals=_totals(MntTotal="2761")), []),
        (_invoice(document_type=34), ["SUM-VAT", "SUM-NET", "SUM-EXEMPT"]),
    ],
)
def test_where_it_does_not_add_up_is_told(amounts: Amounts, codes: list[str]) -> None:
    assert [each.code for each in sum_problems(amounts, "DTE")] == codes


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ({"QtyItem": "3", "PrcItem": "33.333", "MontoItem": "100"}, True),
        ({"QtyItem": "3", "PrcItem": "33.333", "MontoItem": "102"}, False),
        ({"QtyItem": "2", "PrcItem": "100", "DescuentoPct": "10", "MontoItem": "180"}, True),
        ({"QtyItem": "2", "PrcItem": "100", "DescuentoPct": "10", "DescuentoMonto": "20", "MontoItem": "180"}, True),
        ({"QtyItem": "2", "PrcItem": "100", "RecargoPct": "12.5", "MontoItem": "225"}, True),
        ({"QtyItem": "2", "PrcItem": "100", "RecargoMonto": "25", "MontoItem": "200"}, False),
        ({"QtyItem": "2", "PrcItem": "100", "IndExe": "4", "MontoItem": "0"}, True),
        ({"QtyItem": "2", "PrcItem": "100", "MontoItem": "0"}, False),
        ({"MontoItem": "77"}, True),
    ],
)
def test_lines_are_price_times_quantity_less_and_more(line: dict[str, str], *, holds: bool) -> None:
    found = {each.code for each in sum_problems(_invoice(lines=[line]), "DTE")}
    assert ("SUM-LINE" not in found) is holds


def test_global_discounts_are_taken_in_their_order() -> None:
    changes = [
        {"TpoMov": "D", "TpoValor": "%", "ValorDR": "10"},
        {"TpoMov": "R", "TpoValor": "$", "ValorDR": "100"},
        {"TpoMov": "D", "TpoValor": "$", "ValorDR": "50", "IndExeDR": "1"},
        {"TpoMov": "D", "TpoValor": "$", "ValorDR": "50", "IndExeDR": "2"},
    ]
    totals = _totals(MntNeto="1900", IVA="361", MntExe="450", MntTotal="2711")
    assert sum_problems(_invoice(globals=changes, totals=totals), "") == ()


def test_deliveries_and_unpaid_exports_may_state_no_amounts() -> None:
    line = [{"QtyItem": "2", "PrcItem": "1000", "MontoItem": "2000"}]
    assert sum_problems(_invoice(document_type=52, totals={"MntTotal": "0"}, lines=line), "") == ()
    unpaid = {"TipoDTE": "110", "FmaPagExp": "21"}
    nothing = {"MntExe": "0", "MntTotal": "0"}
    assert sum_problems(_invoice(document_type=110, header=unpaid, totals=nothing, lines=line), "") == ()


@pytest.mark.parametrize(
    ("header", "totals", "holds"),
    [
        ({}, {"MntTotal": "2000"}, True),
        ({}, {"MntTotal": "2100"}, False),
        ({}, {"MntNeto": "1681", "IVA": "319", "MntTotal": "2000"}, True),
        ({"IndMntNeto": "2"}, {"MntNeto": "2000", "IVA": "380", "MntTotal": "2380"}, True),
        ({}, {"MntNeto": "2000", "IVA": "380", "MntTotal": "2380"}, False),
    ],
)
def test_lines_of_boletas_carry_vat(header: dict[str, str], totals: dict[str, str], *, holds: bool) -> None:
    line = [{"QtyItem": "2", "PrcItem": "1000", "MontoItem": "2000"}]
    found = sum_problems(_invoice(document_type=39, header=header, totals=totals, lines=line), "")
    assert (found == ()) is holds


def test_a_note_on_an_exempt_document_may_leave_its_lines_unmarked() -> None:
    line = [{"MontoItem": "500"}]
    assert sum_problems(_invoice(document_type=61, totals={"MntExe": "500", "MntTotal": "500"}, lines=line), "") == ()


_KEPT = _invoice(
    document_type=46,
    header={"TipoDTE": "46"},
    totals={"MntNeto": "913", "TasaIVA": "19", "IVA": "173", "MntTotal": "913"},
    taxes=[{"TipoImp": "15", "TasaImp": "19", "MontoImp": "173"}],
    lines=[{"QtyItem": "1", "PrcItem": "1015", "MontoItem": "1015", "CodImpAdic": "15"}],
    globals=[{"TpoMov": "D", "TpoValor": "%", "ValorDR": "10"}],
)
_WINE = _KEPT._replace(
    document_type=33,
    header={"TipoDTE": "33"},
    totals={**_KEPT.totals, "MntTotal": "1273"},
    taxes=[{"TipoImp": "25", "TasaImp": "20.5", "MontoImp": "187"}],
    lines=[{**_KEPT.lines[0], "CodImpAdic": "25"}],
)
_DIESEL = _invoice(
    totals={"MntNeto": "78000", "TasaIVA": "19", "IVA": "14820", "MntTotal": "91620"},
    taxes=[{"TipoImp": "28", "MontoImp": "1"}],
    lines=[
        {
            "QtyItem": "100",
            "PrcItem": "780",
            "MontoItem": "78000",
            "CodImpAdic": "28",
            "DscItem": "Patente ABCD12. Impuesto específico diesel negativo de 1.200",
        }
    ],
)
_RING = _invoice(
    document_type=39,
    header={"TipoDTE": "39"},
    totals={"MntNeto": "100000", "IVA": "19000", "MntTotal": "134000"},
    lines=[{"QtyItem": "1", "PrcItem": "134000", "MontoItem": "134000"}],
    subtotals=({"SubTotAdicSTI": "15000"},),
)


@pytest.mark.parametrize(
    ("amounts", "codes"),
    [
        (_KEPT, []),
        (
            _KEPT._replace(taxes=[{**_KEPT.taxes[0], "MontoImp": "174"}], totals={**_KEPT.totals, "MntTotal": "912"}),
            ["SUM-KEPT"],
        ),
        (
            _KEPT._replace(
                document_type=61,
                taxes=[{**_KEPT.taxes[0], "MontoImp": "172"}],
                totals={**_KEPT.totals, "MntTotal": "914"},
            ),
            ["SUM-KEPT"],
        ),
        (
            _KEPT._replace(
                lines=[*_KEPT.lines, {"MontoItem": "0"}, {"QtyItem": "1", "PrcItem": "10", "MontoItem": "10"}],
                totals={"MntNeto": "923", "TasaIVA": "19", "IVA": "175", "MntTotal": "925"},
            ),
            [],
        ),
        (_WINE, []),
        (
            _WINE._replace(taxes=[{**_WINE.taxes[0], "MontoImp": "188"}], totals={**_WINE.totals, "MntTotal": "1274"}),
            ["SUM-PESO"],
        ),
        (
            _WINE._replace(taxes=[{**_WINE.taxes[0], "MontoImp": "208"}], totals={**_WINE.totals, "MntTotal": "1294"}),
            ["SUM-TAX"],
        ),
        (_DIESEL, []),
        (_DIESEL._replace(totals={**_DIESEL.totals, "MntTotal": "92821"}), ["SUM-TOTAL"]),
        (_DIESEL._replace(taxes=[{"TipoImp": "28", "MontoImp": "-1200"}]), []),
        (_RING, []),
        (_RING._replace(subtotals=()), ["SUM-TOTAL", "SUM-NET"]),
    ],
)
def test_what_is_kept_and_taxed_adds_up(amounts: Amounts, codes: list[str]) -> None:
    assert [each.code for each in sum_problems(amounts, "DTE")] == codes
