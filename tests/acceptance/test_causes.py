"""Documents that wait for something say for what, cost nobody anything, and go on by themselves once it is there."""

import datetime as dt

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import annulment, boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, unknown_company


def codes(works: Works, company: Company, state: str) -> set[tuple[str, str]]:
    """Cause and code of every problem of a company's documents in a state."""
    return set(
        works.rows(
            "SELECT held, problem->>'code' FROM documents, jsonb_array_elements(problems) AS problem"
            " WHERE issuer = %s AND state = %s",
            company.rut,
            state,
        )
    )


def load_caf(works: Works, company: Company, document_type: int, first: int, last: int) -> None:
    """What an operator does with a CAF that the SII has authorised today."""
    today = works.scalar("SELECT fmgo_now()::date")
    caf = {"company": company.rut, "type": document_type, "from": first, "to": last}
    (made,) = works.sii.register({"cafs": [{**caf, "date": (today - dt.timedelta(days=1)).isoformat()}]})
    works.enrolment.operator.add_caf(made.data, environment=ENVIRONMENT)


def test_what_is_left_without_folios_waits_and_goes_on_with_a_new_caf(works: Works) -> None:
    company = works.company((33, 39), folios=10)
    jobs = [invoice(company, f"sale-{n}") for n in range(25)] + [boleta(company, f"boleta-{n}") for n in range(3)]
    works.producer.enqueue_many(jobs)
    works.await_states(company, {"accepted": 13, "waiting": 15})
    assert codes(works, company, "waiting") == {("folio", "ISSUER-WITHOUT-FOLIOS")}
    load_caf(works, company, 33, 11, 20)
    works.await_states(company, {"accepted": 23, "waiting": 5})
    load_caf(works, company, 33, 21, 60)
    works.await_states(company, {"accepted": 28})
    check_books(works, company)
    given = works.rows("SELECT folio FROM documents WHERE issuer = %s AND document_type = 33 ORDER BY 1", company.rut)
    assert [folio for (folio,) in given] == list(range(1, 26))


def test_jobs_of_an_unknown_issuer_wait_until_it_is_enrolled(works: Works) -> None:
    company = unknown_company()
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(4)])
    works.await_states(company, {"waiting": 4})
    found = codes(works, company, "waiting")
    assert ("issuer", "ISSUER-UNKNOWN") in found
    assert ("issuer", "ISSUER-WITHOUT-CERTIFICATE") in found
    assert ("issuer", "ISSUER-WITHOUT-FOLIOS") in found
    works.enrolment.enrol(company, (33,), folios=10)
    works.await_states(company, {"accepted": 4})
    check_books(works, company)


def test_jobs_of_an_issuer_without_certificate_wait_for_one(works: Works) -> None:
    company = works.company()
    of_company = "WHERE person IN (SELECT person FROM issuer_grants WHERE issuer = %s)"
    works.change(f"UPDATE certificates SET retired_at = fmgo_now() {of_company}", company.rut)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(4)])
    works.await_states(company, {"waiting": 4})
    assert codes(works, company, "waiting") == {("certificate", "ISSUER-WITHOUT-CERTIFICATE")}
    assert works.scalar("SELECT next FROM folio_counters WHERE issuer = %s", company.rut) == 1
    works.change(f"UPDATE certificates SET retired_at = NULL {of_company}", company.rut)
    works.await_states(company, {"accepted": 4})
    check_books(works, company)


def test_an_invalid_job_of_an_unknown_issuer_is_told_everything_at_once(works: Works) -> None:
    company = unknown_company()
    receipt = works.producer.enqueue(invoice(company, "sale", price=-5))
    result = works.producer.wait(receipt, until="decided")
    assert result.state == "invalid"
    told = {problem.code for problem in result.problems}
    assert {"ISSUER-UNKNOWN", "ISSUER-WITHOUT-CERTIFICATE", "ISSUER-WITHOUT-FOLIOS"} < told


def test_a_note_is_issued_at_once_and_leaves_when_its_original_is_accepted(works: Works) -> None:
    company = works.company((33, 61))
    works.fault("F-STUCK-1", company)
    sale = works.producer.enqueue(invoice(company, "sale"))
    issued = works.producer.wait(sale, until="issued")
    assert issued.folio is not None
    note = works.producer.enqueue(annulment(company, "note", issued.folio, issued.body["issued_on"]))
    printable = works.producer.wait(note, until="issued")
    assert (printable.state, printable.held, printable.document_type) == ("signed", "reference", 61)
    wait_until(lambda: works.uploads(company), "the original wasn't sent")
    assert [one["documents"] for one in works.uploads(company)] == [1]
    works.unfreeze(company)
    works.await_states(company, {"accepted": 2})
    check_books(works, company)
    assert works.producer.wait(note, until="decided").held is None


def test_a_note_on_a_rejected_document_is_held(works: Works) -> None:
    company = works.company((33, 61))
    works.fault("F-HALF", company)
    works.fault("F-STUCK-1", company, times=1)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    folio, on = works.rows(
        "SELECT folio, issued_on FROM documents WHERE issuer = %s AND state = 'rejected'", company.rut
    )[0]
    note = works.producer.enqueue(annulment(company, "note", folio, on.isoformat()))
    result = works.producer.wait(note, until="issued")
    assert result.state in ("signed", "invalid")
    if result.state == "signed":
        assert result.held == "reference-rejected"
