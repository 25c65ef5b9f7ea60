"""What the SII refuses, whole envelopes and single documents, and how sales go on from there."""

import datetime as dt
import hashlib
import uuid
from typing import Any

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import annulment, boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works
from workers.outcome import Result

WRONG = dt.date(2013, 1, 1)


def stored(works: Works, company: Company) -> dict[int, bytes]:
    """The bytes of a company's documents by folio, as the ledger has them."""
    rows = works.rows(
        "SELECT d.folio, f.bytes, f.sha256 FROM documents d JOIN document_files f ON f.document_id = d.id"
        " WHERE d.issuer = %s AND f.kind = 'dte'",
        company.rut,
    )
    for _, data, digest in rows:
        assert hashlib.sha256(bytes(data)).digest() == bytes(digest)
    return {folio: bytes(data) for folio, data, _ in rows}


def received(works: Works, upload: dict[str, Any]) -> bytes:
    """A file as the SII got it."""
    answer = works.window.get(f"/uploads/{upload['track_id']}/file")
    answer.raise_for_status()
    return answer.content


def decided(works: Works, company: Company, key: str) -> Result:
    """The last result of a job."""
    return works.producer.wait((company.rut, ENVIRONMENT, key), until="decided", timeout=90)


def codes(result: Result) -> list[str]:
    return [problem.code for problem in result.problems]


def await_held(works: Works, company: Company, key: str, cause: str) -> Result:
    """The result of an issued document that is held for a cause; time isn't moved."""

    def look() -> Result | None:
        result = works.producer.result((company.rut, ENVIRONMENT, key))
        return result if result is not None and result.issued and result.held == cause else None

    found = wait_until(look, lambda: f"{key} held {cause}: {works.producer.result((company.rut, ENVIRONMENT, key))}")
    assert found is not None
    return found


def half_rejected(works: Works, document_type: int, sale: Any) -> tuple[Company, list[int]]:
    """A company with four sales in one envelope of which the SII rejected two; their folios."""
    company = works.company((document_type,))
    works.fault("F-HALF", company)
    works.producer.enqueue_many([sale(company, f"sale-{n}") for n in range(4)])
    works.await_states(company, {"accepted": 2, "rejected": 2})
    rows = works.rows("SELECT folio FROM documents WHERE issuer = %s AND state = 'rejected'", company.rut)
    assert len(works.uploads(company)) == 1
    return company, sorted(folio for (folio,) in rows)


@pytest.mark.parametrize(("document_type", "sale"), [(33, invoice), (39, boleta)])
def test_a_refused_caratula_holds_its_documents_until_it_is_mended_and_released(
    works: Works, document_type: int, sale: Any
) -> None:
    company = works.company((document_type,), believed_resolution=WRONG)
    works.producer.enqueue_many([sale(company, f"sale-{n}") for n in range(3)])
    refused = works.await_envelope(company, "refused")
    assert works.states(company) == {"signed": 3}
    held = works.rows("SELECT DISTINCT held, envelope, due_at FROM documents WHERE issuer = %s", company.rut)
    assert held == [("envelope-refused:RCT", None, None)]
    assert works.scalar("SELECT sii_state FROM envelopes WHERE id = %s", refused) == "RCT"
    told = works.producer.result((company.rut, ENVIRONMENT, "sale-0"))
    assert told is not None
    assert (told.state, told.held, told.verdict["state"]) == ("signed", "envelope-refused:RCT", "RCT")
    before = stored(works, company)
    assert sorted(before) == [1, 2, 3]
    works.producer.enqueue(sale(company, "another"))  # what comes meanwhile meets the same refusal, and frees nothing
    second = wait_until(
        lambda: [number for number, state, _ in works.envelopes(company) if state == "refused"][1:],
        "the second envelope wasn't refused",
    )[0]
    operator = works.enrolment.operator
    operator.set_resolution(company.rut, ENVIRONMENT, company.resolution_number, company.resolution_date)
    assert works.states(company) == {"signed": 4}, "nothing goes before it is released"
    assert operator.release_envelope(refused) == 3
    works.await_states(company, {"accepted": 3, "signed": 1})
    assert operator.release_envelope(second) == 1
    assert operator.release_envelope(refused) == 0
    works.await_states(company, {"accepted": 4})
    check_books(works, company)
    first, _, again, _ = works.uploads(company)
    assert first["verdict"] == "RCT"
    assert again["sha256"] != first["sha256"]
    for folio, data in before.items():
        assert data in received(works, first)
        assert data in received(works, again)
        assert stored(works, company)[folio] == data
    assert [state for _, state, _ in works.envelopes(company)] == ["refused", "refused", "processed", "processed"]


def test_rejected_invoices_are_told_at_once_and_their_reasons_not_yet(works: Works) -> None:
    company, rejected = half_rejected(works, 33, invoice)
    check_books(works, company)
    for n in range(4):
        result = decided(works, company, f"sale-{n}")
        assert result.accepted == (result.folio not in rejected)
        assert result.verdict["envelope"] == "EPR"
        if result.folio in rejected:
            assert (result.state, result.verdict["document"]) == ("rejected", "FAU")
            assert result.verdict["reasons"] == "not yet told"


def test_rejected_boletas_are_told_with_their_reasons(works: Works) -> None:
    company, rejected = half_rejected(works, 39, boleta)
    check_books(works, company)
    results = [decided(works, company, f"sale-{n}") for n in range(4)]
    refused = [result for result in results if result.state == "rejected"]
    assert sorted(result.folio or 0 for result in refused) == rejected
    for result in refused:
        assert [reason["code"] for reason in result.verdict["reasons"]] == ["HED-3-861"]
        assert all(reason["text"] for reason in result.verdict["reasons"])


@pytest.mark.parametrize(("document_type", "sale"), [(33, invoice), (39, boleta)])
def test_a_rejected_sale_is_replaced_under_a_new_folio_once(works: Works, document_type: int, sale: Any) -> None:
    company, rejected = half_rejected(works, document_type, sale)
    by_folio = {result.folio: result for result in (decided(works, company, f"sale-{n}") for n in range(4))}
    by_key, by_id = (by_folio[folio] for folio in rejected)
    works.producer.enqueue(sale(company, "again-by-key", replaces=by_key.key))
    works.producer.enqueue(sale(company, "again-by-id", replaces=str(by_id.id)))
    for key, original in (("again-by-key", by_key), ("again-by-id", by_id)):
        result = decided(works, company, key)
        assert result.accepted
        assert (result.folio or 0) > 4
        assert works.scalar("SELECT replaces FROM documents WHERE id = %s", result.id) == original.id
        assert result.body["replaces"] == str(original.id)
    spent = works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut)
    (good, *_) = (result for result in by_folio.values() if result.accepted)
    for key, replaces, code in (
        ("taken", by_key.key, "JOB-REPLACES-TAKEN"),
        ("taken-by-id", str(by_key.id), "JOB-REPLACES-TAKEN"),
        ("not-rejected", good.key, "JOB-REPLACES-NOT-REJECTED"),
        ("not-there", "nobody", "JOB-REPLACES-UNKNOWN"),
        ("nobody-s", str(uuid.uuid4()), "JOB-REPLACES-UNKNOWN"),
    ):
        works.producer.enqueue(sale(company, key, replaces=replaces))
        assert codes(decided(works, company, key)) == [code]
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut) == spent
    works.await_states(company, {"accepted": 4, "rejected": 2, "invalid": 5})
    check_books(works, company)


def test_of_many_replacements_at_once_one_stands(works: Works) -> None:
    company, rejected = half_rejected(works, 33, invoice)
    key = works.scalar("SELECT key FROM documents WHERE issuer = %s AND folio = %s", company.rut, rejected[0])
    jobs = [invoice(company, f"again-{n}", replaces=key, lane=("bulk", "interactive")[n % 2]) for n in range(6)]
    for job in jobs:
        works.producer.enqueue(job)
    works.await_states(company, {"accepted": 3, "rejected": 2, "invalid": 5})
    assert [codes(result) for result in (decided(works, company, job["idempotency_key"]) for job in jobs)].count(
        ["JOB-REPLACES-TAKEN"]
    ) == 5
    check_books(works, company)
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut) == 6


def test_a_replacement_that_is_rejected_too_may_be_replaced(works: Works) -> None:
    company, rejected = half_rejected(works, 33, invoice)
    works.fault("F-HALF", company)
    keys = [
        works.scalar("SELECT key FROM documents WHERE issuer = %s AND folio = %s", company.rut, n) for n in rejected
    ]
    works.producer.enqueue_many([invoice(company, f"again-{key}", replaces=key) for key in keys])
    works.await_states(company, {"accepted": 3, "rejected": 3})
    (again,) = (key for key in keys if decided(works, company, f"again-{key}").state == "rejected")
    works.producer.enqueue(invoice(company, "third", replaces=f"again-{again}"))
    assert decided(works, company, "third").accepted
    # The first one's sale is made now, if by a replacement's replacement: nobody may make it again.
    for key in (again, f"again-{again}"):
        works.producer.enqueue(invoice(company, f"{key}-yet-again", replaces=key))
        assert codes(decided(works, company, f"{key}-yet-again")) == ["JOB-REPLACES-TAKEN"]
    check_books(works, company)


def test_a_note_is_issued_at_once_and_goes_when_the_invoice_is_accepted(works: Works) -> None:
    company = works.company((33, 61))
    works.fault("F-STUCK-1", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale", lane="interactive"))
    sold = works.producer.wait((company.rut, ENVIRONMENT, "sale"), until="issued")
    (upload,) = wait_until(lambda: works.uploads(company), "the invoice wasn't sent")
    works.producer.enqueue(annulment(company, "note", sold.folio or 0, str(sold.body["issued_on"]), lane="interactive"))
    note = await_held(works, company, "note", "reference")
    assert (note.folio, note.document_type, note.state) == (1, 61, "signed")
    assert works.scalar("SELECT depends_on FROM documents WHERE id = %s", note.id) == sold.id
    assert works.states(company) == {"enveloped": 1, "signed": 1}
    assert len(works.envelopes(company)) == 1
    works.window.post(f"/uploads/{upload['track_id']}/freeze", json={"frozen": False}).raise_for_status()
    works.await_states(company, {"accepted": 2})
    check_books(works, company)
    assert [upload["documents"] for upload in works.uploads(company)] == [1, 1]
    result = decided(works, company, "note")
    assert (result.held, result.xml) == (None, note.xml)
    assert result.version > note.version


def test_a_note_on_a_rejected_invoice_stays_here(works: Works) -> None:
    company = works.company((33, 61))
    works.fault("F-HALF", company)
    sending = ("envelopes", f"OLD.state = 'sealed' AND NEW.state = 'sending' AND NEW.issuer = '{company.rut}'")
    with gates(works.sandbox.database_url, sending) as (gate,):
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
        gate.await_somebody()
        day = works.scalar("SELECT issued_on FROM documents WHERE issuer = %s LIMIT 1", company.rut).isoformat()
        works.producer.enqueue_many([annulment(company, f"note-{folio}", folio, day) for folio in (1, 2)])
        for folio in (1, 2):
            await_held(works, company, f"note-{folio}", "reference")
    works.await_states(company, {"accepted": 2, "rejected": 1, "signed": 1})
    (rejected,) = [
        folio
        for (folio,) in works.rows(
            "SELECT folio FROM documents WHERE issuer = %s AND state = 'rejected' AND document_type = 33", company.rut
        )
    ]
    held = await_held(works, company, f"note-{rejected}", "reference-rejected")
    assert decided(works, company, f"note-{3 - rejected}").accepted
    check_books(works, company)
    told = wait_until(
        lambda: works.redis.hget(f"fmgo:result:{held.id}", "version") == str(held.version).encode(),
        "the producer wasn't told that the note stays",
    )
    assert told
    # One that comes later is told so at once, and spends no folio.
    works.producer.enqueue(annulment(company, "late", rejected, day))
    late = decided(works, company, "late")
    assert late.state == "invalid"
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s AND document_type = 61", company.rut) == 3
