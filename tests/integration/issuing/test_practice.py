"""What the ledger knows of issued documents reaches the notes on them, and marks what a liquidación annuls."""

import copy
from typing import Any

import pytest

from tests.integration.issuing.conftest import RECEIVER, Office, invoice, note
from workers.database.documents import stored_bytes


def settlement(sign: int = 1, amount: int = 1_000_000) -> dict[str, Any]:
    """A liquidación of facturas with a commission of a tenth; `sign` -1 gives its opposite."""
    commission = {"TipoMovim": "C", "Glosa": "Comisión 10 %", "ValComNeto": sign * amount // 10, "ValComExe": 0}
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": 43, "FmaPago": 1}, "Receptor": RECEIVER},
        "Detalle": [{"TpoDocLiq": "33", "NmbItem": "Facturas 1 a 10", "MontoItem": sign * amount}],
        "Comisiones": [commission],
    }


def opposite(folio: int, **changes: Any) -> dict[str, Any]:
    """The liquidación that annuls one; its date comes from the ledger."""
    made = settlement(-1, **changes)
    made["Referencia"] = [{"TpoDocRef": 43, "FolioRef": folio, "RazonRef": "Anula liquidación"}]
    return made


@pytest.fixture
def settled(office: Office) -> Office:
    """An office that has issued one liquidación, folio 1."""
    office.load(43, 61)
    office.record(settlement())
    office.issue()
    return office


def xml_of(office: Office, number: Any) -> str:
    with office.ledger.transaction() as tx:
        return stored_bytes(tx, [number])[number]["dte"].decode("iso-8859-1")


def test_a_liquidacion_below_zero_annuls_another_once(settled: Office) -> None:
    (first,) = settled.record(opposite(1))
    settled.issue()
    (again,), (note_on_it,) = settled.record(opposite(1)), settled.record(note(1, 1_000, on=43))
    settled.issue()
    assert settled.states([first, again, note_on_it]) == ["signed", "invalid", "invalid"], settled.codes(first)
    assert ("DTE-REF-18" in settled.codes(again), "DTE-REF-18" in settled.codes(note_on_it)) == (True, True)
    changed = settled.rows("SELECT document_type, folio, code FROM note_changes WHERE note = :note", note=first)
    assert changed == [(43, 1, 1)]


def test_two_opposites_of_one_chunk_are_judged_one_after_the_other(settled: Office) -> None:
    numbers = settled.record(opposite(1), opposite(1))
    settled.issue()
    assert sorted(settled.states(numbers)) == ["invalid", "signed"]


def test_a_rejected_opposite_annuls_nothing(settled: Office) -> None:
    (first,) = settled.record(opposite(1))
    settled.issue()
    settled.rows("UPDATE documents SET state = 'rejected' WHERE id = :id RETURNING id", id=first)
    (second,) = settled.record(opposite(1))
    settled.issue()
    assert settled.states([second]) == ["signed"]


def test_an_opposite_of_other_amounts_is_refused_and_one_above_zero_annuls_nothing(settled: Office) -> None:
    above = settlement() | {"Referencia": opposite(1)["Referencia"]}
    above["Referencia"][0]["FchRef"] = "2026-11-20"
    other, free = settled.record(opposite(1, amount=900_000), above)
    settled.issue()
    assert settled.states([other, free]) == ["invalid", "signed"], settled.codes(free)
    assert "LIQ-REF-01" in settled.codes(other)
    assert settled.rows("SELECT count(*) FROM note_changes") == [(0,)]


@pytest.mark.parametrize("code", [1, 3])
def test_a_note_is_of_the_kind_of_sale_of_what_it_changes(office: Office, code: int) -> None:
    office.load(33, 61)
    sold = copy.deepcopy(invoice())
    sold["Encabezado"]["IdDoc"]["TpoTranVenta"] = 2
    office.record(sold)
    office.issue()
    (same,) = office.record(note(1, 10_000 if code == 1 else 1_000, code=code))
    office.issue()
    assert office.states([same]) == ["signed"], office.codes(same)
    assert "<TpoTranVenta>2</TpoTranVenta>" in xml_of(office, same)


def test_a_note_of_another_kind_of_sale_is_told(office: Office) -> None:
    office.load(33, 61)
    office.record(invoice())
    office.issue()
    other = note(1, 1_000)
    other["Encabezado"]["IdDoc"]["TpoTranVenta"] = 3
    plain, told = office.record(note(1, 1_000), other)
    office.issue()
    assert ("DTE-REF-22" in office.codes(told), "DTE-REF-22" in office.codes(plain)) == (True, False)
    assert "TpoTranVenta" not in xml_of(office, plain)


def test_a_note_on_a_boleta_of_nobody_names_the_buyer_or_the_issuer(office: Office) -> None:
    office.load(39, 61)
    office.record({"Encabezado": {"IdDoc": {"TipoDTE": 39}}, "Detalle": [{"NmbItem": "Taza", "MontoItem": 1190}]})
    office.issue()
    named = note(1, 500, on=39)
    nobody = copy.deepcopy(named)
    del nobody["Encabezado"]["Receptor"]
    to_buyer, to_issuer = office.record(named, nobody)
    office.issue()
    assert office.states([to_buyer, to_issuer]) == ["signed", "signed"], office.codes(to_buyer)
    assert "DTE-REF-21" not in office.codes(to_buyer)
    assert "DTE-REF-21" in office.codes(to_issuer)
    assert f"<RUTRecep>{RECEIVER['RUTRecep']}</RUTRecep>" in xml_of(office, to_buyer)
    assert xml_of(office, to_issuer).count("76900101-8") >= 2
