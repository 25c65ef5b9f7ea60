"""Taking jobs back: cancelled before the folio, withdrawn with it; never of what may have left, whoever comes first."""

import threading
from typing import Any

import pytest

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import annulment, boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, unknown_company
from workers.evidence import Record, read_evidence
from workers.folio_desk import FolioDesk
from workers.producer import NotTakenBack, TakenBack

WHY = "the receiver is another one"


def stop(works: Works, company: Company, what: Any = "sending", *, stopped: bool = True) -> None:
    works.enrolment.operator.turn(what, company.rut, "certification", stop=stopped, reason="a test")


def signed(works: Works, company: Company, *keys: str) -> None:
    """Sell, and return when all are signed and evidenced; the company's sending is stopped."""
    stop(works, company)
    works.producer.enqueue_many([invoice(company, key) for key in keys])
    ready = "SELECT count(*) FROM documents WHERE issuer = %s AND state = 'signed' AND evidenced_at IS NOT NULL"
    wait_until(lambda: works.scalar(ready, company.rut) == len(keys), "the documents weren't signed")


def key(company: Company, name: str) -> tuple[str, str, str]:
    return company.rut, "certification", name


def voids(works: Works, company: Company) -> list[tuple[int, str]]:
    return works.rows(
        "SELECT first, reason FROM folio_voids WHERE issuer = %s AND last = first ORDER BY 1", company.rut
    )


def steps(works: Works, company: Company, name: str) -> list[str]:
    rows = works.rows(
        "SELECT to_state FROM document_events e JOIN documents d ON d.id = e.document_id"
        " WHERE d.issuer = %s AND d.key = %s ORDER BY e.id",
        company.rut,
        name,
    )
    return [state for (state,) in rows]


def second_copies(works: Works, kind: str, company: Company) -> list[Record]:
    found = read_evidence(works.settings.evidence_dir)
    return [one for one in found if one.kind == kind and one.header["issuer"] == company.rut]


def refused(works: Works, company: Company, name: str, reason: str | None = WHY, **more: Any) -> str:
    with pytest.raises(NotTakenBack) as error:
        works.producer.cancel(key(company, name), reason, **more)
    return error.value.problems[0].code


def test_a_job_that_waits_for_its_issuer_is_cancelled_and_told(works: Works) -> None:
    company = unknown_company()
    works.producer.enqueue_many([invoice(company, "sale"), invoice(company, "other")])
    works.await_states(company, {"waiting": 2})
    taken = works.producer.cancel(key(company, "sale"))
    assert (taken.outcome, taken.state) == ("cancelled", "cancelled")
    wait_until(lambda: works.told(taken.document_id).get("state") == "cancelled", "it wasn't told")
    assert works.producer.wait(key(company, "sale"), until="sent").state == "cancelled"
    assert works.producer.cancel(key(company, "sale")).outcome == "known"
    works.enrolment.enrol(company, (33,), folios=10)
    works.await_states(company, {"cancelled": 1, "accepted": 1})
    assert steps(works, company, "sale") == ["received", "waiting", "cancelled"]
    check_books(works, company)


def test_a_job_that_isnt_issued_yet_is_cancelled_and_its_key_serves_a_corrected_one(works: Works) -> None:
    company = works.company()
    stop(works, company, "issuing")
    works.producer.enqueue(invoice(company, "sale", price=1000))
    works.producer.cancel(key(company, "sale"))
    assert works.producer.enqueue(invoice(company, "sale", price=1000)).state == "cancelled"
    assert works.producer.enqueue(invoice(company, "sale", price=2000)).outcome == "recorded"
    stop(works, company, "issuing", stopped=False)
    works.await_states(company, {"cancelled": 1, "accepted": 1})
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut) == 2
    check_books(works, company)


def test_a_signed_document_is_withdrawn_and_resume_doesnt_send_it(works: Works) -> None:
    company = works.company()
    signed(works, company, "wrong", "right")
    assert refused(works, company, "wrong", None) == "DOCUMENT-REASON"
    taken = works.producer.cancel(key(company, "wrong"), WHY)
    assert (taken.outcome, taken.state) == ("withdrawn", "withdrawn")
    told = wait_until(lambda: told_as(works, taken, "withdrawn"), "it wasn't told")
    assert "xml" not in told
    result = works.producer.result(key(company, "wrong"))
    assert result is not None
    assert (result.state, result.xml, result.body["withdrawn_for"], result.issued) == ("withdrawn", None, WHY, False)
    stop(works, company, stopped=False)
    works.await_states(company, {"withdrawn": 1, "accepted": 1})
    folio = works.scalar("SELECT folio FROM documents WHERE id = %s", taken.document_id)
    assert voids(works, company) == [(folio, WHY)]
    assert (33, folio) not in works.taken(company)
    (record,) = second_copies(works, "void", company)
    assert (record.header["folio"], record.header["reason"], record.data) == (folio, WHY, b"")
    assert record.header["id"] == str(taken.document_id)
    # The corrected job takes the key and a folio of its own.
    corrected = works.producer.enqueue(invoice(company, "wrong", price=1_234))
    assert (corrected.outcome, corrected.document_id != taken.document_id) == ("recorded", True)
    works.await_states(company, {"withdrawn": 1, "accepted": 2})
    assert works.scalar("SELECT folio FROM documents WHERE id = %s", corrected.document_id) != folio
    (shown,) = FolioDesk(works.ledger, company.rut, "certification", actor="test").ranges(33)
    assert (shown["next"], shown["used"], shown["void"]) == (4, 2, 1)
    check_books(works, company)


def told_as(works: Works, taken: TakenBack, state: str) -> dict[str, str]:
    told = works.told(taken.document_id)
    return told if told.get("state") == state else {}


def test_a_withdrawal_is_told_only_when_the_second_copy_knows_it(works: Works) -> None:
    company = works.company()
    signed(works, company, "sale")
    with gates(works.sandbox.database_url, ("withdrawals", "OLD.evidenced_at IS NULL")) as (gate,):
        taken = works.producer.cancel(key(company, "sale"), WHY)
        gate.await_somebody()
        assert works.told(taken.document_id).get("state") in (None, "signed")
        known = works.producer.result(taken.document_id)
        assert known is not None
        assert known.state == "signed"
    wait_until(lambda: told_as(works, taken, "withdrawn"), "it wasn't told")
    assert second_copies(works, "void", company)


def test_of_a_sealed_envelope_that_never_left_one_is_withdrawn_and_the_others_go_in_a_new_one(works: Works) -> None:
    company = works.company()
    with gates(
        works.sandbox.database_url,
        ("envelopes", f"OLD.state = 'sealed' AND NEW.state = 'sending' AND NEW.issuer = '{company.rut}'"),
    ) as (gate,):
        works.producer.enqueue_many([invoice(company, name) for name in ("a", "wrong", "b")])
        gate.await_somebody()
        assert refused(works, company, "wrong", timeout=0) == "DOCUMENT-BUSY", "a worker has it in its hands"
        stop(works, company)
        gate.turn_back()
    works.await_envelope(company, "sealed")
    free = "SELECT count(*) FROM envelopes WHERE issuer = %s AND lease_owner IS NOT NULL"
    wait_until(lambda: works.scalar(free, company.rut) == 0, "the envelope wasn't given back")
    works.producer.cancel(key(company, "wrong"), WHY)
    stop(works, company, stopped=False)
    works.await_states(company, {"accepted": 2, "withdrawn": 1})
    assert [state for _, state, _ in works.envelopes(company)] == ["refused", "processed"]
    assert steps(works, company, "wrong")[-3:] == ["enveloped", "signed", "withdrawn"]
    assert len(works.requests(company, "DTEUpload")) == 1
    check_books(works, company)


def test_what_was_sent_or_is_in_doubt_stays(works: Works) -> None:
    company, doubtful = works.company(), works.company()
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    assert refused(works, company, "sale") == "DOCUMENT-TOO-LATE"
    works.fault("F-LOST-1", doubtful, "DTEUpload")
    works.producer.enqueue(invoice(doubtful, "sale"))
    works.await_envelope(doubtful, "uncertain")
    assert refused(works, doubtful, "sale") == "DOCUMENT-TOO-LATE"
    assert refused(works, doubtful, "no such sale") == "DOCUMENT-UNKNOWN"
    works.await_states(doubtful, {"accepted": 1})
    check_books(works, doubtful)


def test_a_document_in_the_hands_of_dispatch_is_withdrawn_before_or_never(works: Works) -> None:
    """Dispatch stands with the documents locked in its envelope: who comes then waits, and it is judged anew."""
    company = works.company()
    signed(works, company, "sale")
    came: list[str] = []

    def withdraw() -> None:
        came.append(refused(works, company, "sale", timeout=0))

    with gates(
        works.sandbox.database_url,
        ("documents", f"OLD.state = 'signed' AND NEW.state = 'enveloped' AND NEW.issuer = '{company.rut}'"),
    ) as (gate,):
        stop(works, company, stopped=False)
        gate.await_somebody()
        thread = threading.Thread(target=withdraw)
        thread.start()
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%fmgo_cancel%'"
        wait_until(lambda: works.scalar(blocked.replace("%", "%%")) == 1, "nobody waits for the document")
    thread.join(120)
    assert came
    assert came[0] in ("DOCUMENT-BUSY", "DOCUMENT-TOO-LATE")
    works.await_states(company, {"accepted": 1})
    assert voids(works, company) == []
    check_books(works, company)


def test_a_job_in_the_hands_of_issuing_is_withdrawn_after_and_no_folio_is_lost(works: Works) -> None:
    company = works.company()
    stop(works, company)
    with gates(
        works.sandbox.database_url,
        ("documents", f"OLD.state = 'received' AND NEW.state = 'numbered' AND NEW.issuer = '{company.rut}'"),
    ) as (gate,):
        works.producer.enqueue(invoice(company, "sale"))
        gate.await_somebody()
        came: list[TakenBack] = []
        thread = threading.Thread(
            target=lambda: came.append(works.producer.cancel(key(company, "sale"), WHY, timeout=120))
        )
        thread.start()
    thread.join(120)
    assert [taken.state for taken in came] == ["withdrawn"]
    assert voids(works, company) == [(1, WHY)]
    stop(works, company, stopped=False)
    assert works.requests(company, "DTEUpload") == []
    check_books(works, company)


def test_a_note_on_a_withdrawn_document_is_never_sent(works: Works) -> None:
    company = works.company((33, 61))
    signed(works, company, "sale")
    folio, on = works.rows("SELECT folio, issued_on FROM documents WHERE issuer = %s", company.rut)[0]
    works.producer.enqueue(annulment(company, "note", folio, on.isoformat()))
    held = "SELECT held FROM documents WHERE issuer = %s AND key = 'note' AND state = 'signed'"
    wait_until(lambda: works.scalar(held, company.rut) == "reference", "the note doesn't wait for its document")
    works.producer.cancel(key(company, "sale"), WHY)
    assert works.scalar(held, company.rut) == "reference-rejected"
    works.producer.cancel(key(company, "note"), "what it annuls was withdrawn")
    later = works.producer.enqueue(annulment(company, "later", folio, on.isoformat()))
    assert works.producer.wait(later, until="decided").state == "invalid"
    stop(works, company, stopped=False)
    works.await_states(company, {"withdrawn": 2, "invalid": 1})
    check_books(works, company)


def test_a_note_that_was_withdrawn_takes_nothing_off_any_more(works: Works) -> None:
    company = works.company((33, 61))
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    folio, on = works.rows("SELECT folio, issued_on FROM documents WHERE issuer = %s", company.rut)[0]
    stop(works, company)
    works.producer.enqueue(annulment(company, "first", folio, on.isoformat()))
    wait_until(lambda: works.states(company)["signed"] == 1, "the note wasn't signed")
    works.producer.cancel(key(company, "first"), WHY, timeout=60)
    stop(works, company, stopped=False)
    works.producer.enqueue(annulment(company, "second", folio, on.isoformat()))
    works.await_states(company, {"accepted": 2, "withdrawn": 1})
    check_books(works, company)


def test_a_boleta_is_withdrawn_like_any_other(works: Works) -> None:
    company = works.company((39,))
    stop(works, company)
    works.producer.enqueue(boleta(company, "sale"))
    wait_until(lambda: works.states(company)["signed"] == 1, "the boleta wasn't signed")
    works.producer.cancel(key(company, "sale"), WHY, timeout=60)
    stop(works, company, stopped=False)
    works.await_states(company, {"withdrawn": 1})
    assert works.requests(company, "envio") == []
    check_books(works, company)
