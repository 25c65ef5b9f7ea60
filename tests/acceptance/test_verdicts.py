"""What the SII says of envelopes and documents, and how a shop and an operator go on after it."""

import datetime as dt
from typing import Any

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.works import Works

WRONG = dt.date(2013, 1, 1)


def digests(works: Works, company: Company) -> dict[Any, bytes]:
    """The stored bytes of a company's documents, as sums."""
    return dict(
        works.rows(
            "SELECT f.document_id, f.sha256 FROM document_files f JOIN documents d ON d.id = f.document_id"
            " WHERE d.issuer = %s AND f.kind = 'dte'",
            company.rut,
        )
    )


@pytest.mark.parametrize("make", [invoice, boleta])
def test_rejected_sales_of_half_an_envelope_are_replaced_once(works: Works, make: Any) -> None:
    company = works.company((33, 39))
    works.fault("F-HALF", company)
    works.producer.enqueue_many([make(company, f"sale-{n}") for n in range(6)])
    works.await_states(company, {"accepted": 3, "rejected": 3})
    check_books(works, company)
    states = dict(works.rows("SELECT key, state FROM documents WHERE issuer = %s", company.rut))
    rejected = sorted(key for key, state in states.items() if state == "rejected")
    accepted = sorted(key for key, state in states.items() if state == "accepted")
    again = [make(company, f"{key}-again", replaces=key) for key in rejected]
    twice = make(company, "twice", replaces=rejected[0])
    wrong = make(company, "wrong", replaces=accepted[0])
    works.producer.enqueue_many([*again, twice, wrong])
    works.await_states(company, {"accepted": 6, "rejected": 3, "invalid": 2})
    check_books(works, company)
    replaced = works.rows(
        "SELECT o.key, count(*) FROM documents d JOIN documents o ON o.id = d.replaces"
        " WHERE d.issuer = %s AND d.state = 'accepted' GROUP BY 1 ORDER BY 1",
        company.rut,
    )
    assert replaced == [(key, 1) for key in rejected]
    result = works.producer.wait((company.rut, ENVIRONMENT, "wrong"), until="decided")
    assert [problem.code for problem in result.problems] == ["JOB-REPLACES-NOT-REJECTED"]


def test_documents_of_a_refused_caratula_go_again_with_the_same_bytes(works: Works) -> None:
    company = works.company(believed_resolution=WRONG)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(3)])
    refused = works.await_envelope(company, "refused")
    assert works.states(company) == {"signed": 3}
    held = works.rows("SELECT DISTINCT held FROM documents WHERE issuer = %s", company.rut)
    assert held == [("envelope-refused:RCT",)]
    before = digests(works, company)
    operator = works.enrolment.operator
    operator.set_resolution(company.rut, ENVIRONMENT, company.resolution_number, company.resolution_date)
    assert works.states(company) == {"signed": 3}, "nothing goes before it is released"
    assert operator.release_envelope(refused) == 3
    works.await_states(company, {"accepted": 3})
    check_books(works, company)
    assert digests(works, company) == before
    assert [(number == refused, state) for number, state, _ in works.envelopes(company)] == [
        (True, "refused"),
        (False, "processed"),
    ]
    assert operator.release_envelope(refused) == 0, "what is accepted isn't released again"


def test_an_upload_refused_for_its_form_gives_its_documents_back(works: Works) -> None:
    company = works.company()
    works.fault("F-STATUS-7", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale"))
    refused = works.await_envelope(company, "refused")
    assert works.states(company) == {"signed": 1}
    assert works.enrolment.operator.release_envelope(refused) == 1
    works.await_states(company, {"accepted": 1})
    check_books(works, company)


def test_an_envelope_processed_without_counters_is_asked_about_until_it_says_more(works: Works) -> None:
    company = works.company()
    works.fault("F-EPR-0", company, args={"times": 2})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 2})
    check_books(works, company)
