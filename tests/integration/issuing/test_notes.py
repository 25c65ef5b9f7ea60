"""Notes on one document together never exceed it, whoever issues them and when."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.issuing.conftest import Office, invoice, note


@pytest.fixture
def sale(office: Office) -> int:
    """The folio of an invoice of 10,000 net, 11,900 in all."""
    office.load(33, 56, 61)
    office.record(invoice())
    office.issue()
    return 1


def test_partial_notes_are_taken_until_nothing_is_left(office: Office, sale: int) -> None:
    for price, expected in (
        (4_000, "signed"),
        (5_000, "signed"),
        (2_000, "invalid"),
        (1_000, "signed"),
        (1, "invalid"),
    ):
        (number,) = office.record(note(sale, price))
        office.issue()
        assert office.states([number]) == [expected], price
        assert ("DTE-REF-13" in office.codes(number)) == (expected == "invalid")


def test_two_notes_of_one_chunk_are_judged_one_after_the_other(office: Office, sale: int) -> None:
    numbers = [number for price in (6_000, 6_000, 4_000, 1_000) for number in office.record(note(sale, price))]
    office.issue()
    assert office.states(numbers) == ["signed", "invalid", "signed", "invalid"]
    folios = office.rows("SELECT folio FROM documents WHERE document_type = 61 AND folio IS NOT NULL ORDER BY folio")
    assert folios == [(1,), (2,)]


def test_chunks_at_once_never_take_off_more_than_there_was(office: Office, sale: int) -> None:
    numbers = office.record(*(note(sale, 3_000) for _ in range(12)))
    together = threading.Barrier(4)

    def work() -> None:
        together.wait(30)
        office.issue(3)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result(120)
    office.issue()
    assert sorted(office.states(numbers)) == ["invalid"] * 9 + ["signed"] * 3


def test_what_is_annulled_is_changed_no_more(office: Office, sale: int) -> None:
    (annuls,), (refused,) = office.record(note(sale, 10_000, code=1)), office.record(note(sale, 1_000))
    office.issue()
    assert office.states([annuls, refused]) == ["signed", "invalid"]
    assert "DTE-REF-18" in office.codes(refused)


def test_a_debit_note_that_annuls_a_credit_note_gives_back_what_it_took(office: Office, sale: int) -> None:
    office.record(note(sale, 10_000))
    office.issue()
    (undone,) = office.record(note(1, 10_000, kind=56, on=61, code=1))
    office.issue()
    (again,) = office.record(note(sale, 10_000, code=1))
    office.issue()
    assert office.states([undone, again]) == ["signed", "signed"], office.codes(again)


def test_an_undoing_is_not_undone_where_another_note_took_the_room(office: Office, sale: int) -> None:
    for document in (note(sale, 10_000), note(1, 10_000, kind=56, on=61, code=1)):
        office.record(document)
        office.issue()
    (again,), (undone,) = office.record(note(sale, 10_000)), office.record(note(1, 10_000, on=56, code=1))
    office.issue()
    assert office.states([again, undone]) == ["signed", "invalid"]
    assert "DTE-REF-13" in office.codes(undone)


def test_a_rejected_note_takes_nothing_off(office: Office, sale: int) -> None:
    (first,) = office.record(note(sale, 10_000))
    office.issue()
    office.rows("UPDATE documents SET state = 'rejected' WHERE id = :id RETURNING id", id=first)
    (second,) = office.record(note(sale, 10_000, code=1))
    office.issue()
    assert office.states([second]) == ["signed"]


def test_a_debit_note_makes_room_for_a_credit_note(office: Office, sale: int) -> None:
    office.record(note(sale, 2_000, kind=56))
    office.issue()
    numbers = office.record(note(sale, 12_000), note(sale, 1))
    office.issue()
    assert sorted(office.states(numbers)) == ["invalid", "signed"]


def test_a_note_on_two_documents_counts_as_far_as_it_is_certain(office: Office, sale: int) -> None:
    office.record(invoice())
    office.issue()
    both = note(sale, 12_000)
    both["Referencia"].append({**both["Referencia"][0], "FolioRef": 2})
    (number,) = office.record(both)
    office.issue()
    assert office.states([number]) == ["signed"]
    office.record(note(2, 1_000, kind=56))
    office.issue()
    # 14,280 of 23,800 are gone; at least 1,190 of them from the first: the other one bears 13,090.
    for folio, price, expected in ((1, 9_001, "invalid"), (1, 9_000, "signed")):
        (number,) = office.record(note(folio, price))
        office.issue()
        assert office.states([number]) == [expected]


def test_a_numbered_note_that_is_taken_up_isn_t_held_against_itself(office: Office, sale: int) -> None:
    (first,) = office.record(note(sale, 10_000, code=1))
    office.issue()
    with pytest.MonkeyPatch.context() as broken:
        (second,) = office.record(invoice())
        broken.setattr(office.phase, "sign", lambda *_: [])
        office.issue()
    assert office.states([first, second]) == ["signed", "numbered"]
    office.rows(
        "UPDATE documents SET state = 'numbered', signature_value = NULL, evidenced_at = NULL, due_at = fmgo_now(),"
        " lease_owner = NULL WHERE id = :id RETURNING id",
        id=first,
    )
    from tasks.judging import judge  # noqa: PLC0415  (only here)
    from workers.database.claims import Lease, claim_documents  # noqa: PLC0415
    from workers.process import this_process  # noqa: PLC0415

    me = this_process("bulk")
    with office.ledger.transaction() as tx:
        claim = claim_documents(tx, lane="bulk", state="numbered", size=9, lease=Lease(me.id, me.epoch, 60))
    assert claim is not None
    (judgement,) = [one for one in judge(claim) if one.claimed.id == first]
    assert judgement.refusal is None
    assert judgement.prepared is not None


def test_what_a_note_changes_is_written_with_its_folio(office: Office, sale: int) -> None:
    (number,) = office.record(note(sale, 1_000))
    office.issue()
    assert office.rows("SELECT note, document_type, folio, code FROM note_changes") == [(number, 33, 1, 3)]


def with_tax(document: dict[str, Any], code: int) -> dict[str, Any]:
    """The same goods with an additional tax: wine is 25, beer is 26, both at 20.5 %."""
    document["Detalle"][0]["CodImpAdic"] = code
    return document


@pytest.mark.parametrize(("code", "state"), [(25, "signed"), (26, "invalid")])
def test_what_annuls_repeats_the_taxes(office: Office, code: int, state: str) -> None:
    office.load(33, 61)
    office.record(with_tax(invoice(), 25))
    office.issue()
    (corrects,) = office.record(with_tax(note(1, 1), 26))
    office.issue()
    assert office.states([corrects]) == ["signed"], "only what annuls repeats them"
    office.rows("UPDATE documents SET state = 'rejected' WHERE id = :id RETURNING id", id=corrects)
    (annuls,) = office.record(with_tax(note(1, 10_000, code=1), code))
    office.issue()
    assert office.states([annuls]) == [state]
    assert office.codes(annuls).count("DTE-REF-20") == (state == "invalid")


def test_a_boleta_states_no_taxes_so_none_are_held_against_its_note(office: Office) -> None:
    office.load(39, 61)
    office.record({"Encabezado": {"IdDoc": {"TipoDTE": 39}}, "Detalle": [{"NmbItem": "Vino", "PrcItem": 13_950}]})
    office.issue()
    annuls = with_tax(note(1, 10_000, on=39, code=1), 25)
    annuls["Encabezado"]["Receptor"] = {"RUTRecep": "66666666-6"}
    (number,) = office.record(annuls)
    office.issue()
    assert "DTE-REF-20" not in office.codes(number)
