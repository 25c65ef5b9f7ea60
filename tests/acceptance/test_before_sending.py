"""Before an envelope is sealed: what isn't right holds the documents with its name, and is found again when mended."""

import datetime as dt

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

SALES = 3
OF_COMPANY = "WHERE person IN (SELECT person FROM issuer_grants WHERE issuer = %s)"
BREAK_AND_MEND = {
    "certificate": (
        f"UPDATE certificates SET not_after = fmgo_now() {OF_COMPANY}",
        f"UPDATE certificates SET not_after = fmgo_now() + interval '1 year' {OF_COMPANY}",
    ),
    "resolution": (
        "UPDATE issuers SET resolution_date = resolution_date + interval '100 years' WHERE rut = %s",
        "UPDATE issuers SET resolution_date = resolution_date - interval '100 years' WHERE rut = %s",
    ),
}


def held(works: Works, company: Company) -> set[str | None]:
    return {cause for (cause,) in works.rows("SELECT DISTINCT held FROM documents WHERE issuer = %s", company.rut)}


def signed_and_stopped(works: Works, company: Company) -> None:
    """Sales of a company that are signed and may not leave yet."""
    works.change("UPDATE issuers SET sending_stopped_at = now() WHERE rut = %s", company.rut)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(SALES - 1)])
    works.producer.enqueue(boleta(company, "boleta"))
    wait_until(lambda: works.states(company)["signed"] == SALES, "the sales weren't signed")


def let_go(works: Works, company: Company) -> None:
    works.change("UPDATE issuers SET sending_stopped_at = NULL WHERE rut = %s", company.rut)


@pytest.mark.parametrize("cause", BREAK_AND_MEND)
def test_what_keeps_a_company_from_sending_holds_its_documents_until_it_is_mended(works: Works, cause: str) -> None:
    spoil, mend = BREAK_AND_MEND[cause]
    company, other = works.company((33, 39)), works.company()
    signed_and_stopped(works, company)
    works.change(spoil, company.rut)
    let_go(works, company)
    wait_until(lambda: held(works, company) == {cause}, lambda: f"held for {held(works, company)}")
    assert works.states(company) == {"signed": SALES}
    assert works.envelopes(company) == []
    due = works.scalar("SELECT count(*) FROM documents WHERE issuer = %s AND due_at IS NOT NULL", company.rut)
    assert due == 0, "what is held is not taken again and again"
    told = works.producer.result((company.rut, ENVIRONMENT, "boleta"))
    assert told is not None
    assert (told.state, told.held) == ("signed", cause)
    versions = works.rows("SELECT version FROM documents WHERE issuer = %s", company.rut)
    works.producer.enqueue(invoice(other, "sale"))
    works.await_states(other, {"accepted": 1})  # nobody else notices, and time has passed
    assert works.rows("SELECT version FROM documents WHERE issuer = %s", company.rut) == versions
    works.change(mend, company.rut)
    works.await_states(company, {"accepted": SALES})
    assert held(works, company) == {None}
    check_books(works, company)


def test_documents_for_an_environment_that_nobody_talks_to_are_held(works: Works) -> None:
    company = works.company()
    works.change("UPDATE issuers SET sending_stopped_at = now() WHERE rut = %s", company.rut)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(SALES)])
    wait_until(lambda: works.states(company)["signed"] == SALES, "the sales weren't signed")
    works.change(
        'INSERT INTO issuers SELECT (jsonb_populate_record(i, \'{"environment": "production"}\')).* FROM issuers i'
        " WHERE rut = %s",
        company.rut,
    )
    works.change("UPDATE documents SET environment = 'production' WHERE issuer = %s", company.rut)
    let_go(works, company)
    wait_until(lambda: held(works, company) == {"environment"}, lambda: f"held for {held(works, company)}")
    assert works.envelopes(company) == []
    works.change("UPDATE documents SET environment = 'certification' WHERE issuer = %s", company.rut)
    works.await_states(company, {"accepted": SALES})


def test_a_document_signed_after_the_end_of_its_folios_does_not_leave(works: Works) -> None:
    company = works.company()
    works.change("UPDATE issuers SET sending_stopped_at = now() WHERE rut = %s", company.rut)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(SALES)])
    wait_until(lambda: works.states(company)["signed"] == SALES, "the sales weren't signed")
    day = works.scalar("SELECT (signed_at AT TIME ZONE 'America/Santiago')::date FROM documents LIMIT 1")
    works.change("UPDATE cafs SET expires_on = %s WHERE issuer = %s", day - dt.timedelta(days=1), company.rut)
    works.change(
        "UPDATE documents SET signed_at = signed_at - interval '2 days' WHERE issuer = %s AND folio = 2", company.rut
    )
    let_go(works, company)
    works.await_states(company, {"accepted": 1, "signed": SALES - 1})
    rows = works.rows("SELECT folio, held FROM documents WHERE issuer = %s ORDER BY folio", company.rut)
    assert rows == [(1, "caf-expired"), (2, None), (3, "caf-expired")]
    assert [upload["documents"] for upload in works.uploads(company)] == [1]


def test_a_certificate_that_is_another_person_s_seals_nothing(works: Works) -> None:
    company, other = works.company((33, 39)), works.company()
    signed_and_stopped(works, company)
    mine, stranger = (
        works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", one.rut) for one in (company, other)
    )
    works.change("UPDATE issuer_grants SET person = %s WHERE issuer = %s", stranger, company.rut)
    works.change("UPDATE certificates SET retired_at = fmgo_now() WHERE person = %s", stranger)
    works.change("UPDATE certificates SET person = %s WHERE person = %s", stranger, mine)
    let_go(works, company)
    wait_until(lambda: held(works, company) == {"certificate"}, lambda: f"held for {held(works, company)}")
    assert works.envelopes(company) == []
    audited = works.rows("SELECT detail->>'owner' FROM audit_log WHERE action = 'certificate.retire'")
    assert audited == [(mine,)]
    works.change(
        "UPDATE certificates SET person = %s, retired_at = NULL WHERE person = %s AND id = ("
        " SELECT max(id) FROM certificates WHERE person = %s AND id IN ("
        " SELECT (detail->>'certificate')::bigint FROM audit_log WHERE action = 'certificate.retire'))",
        mine,
        stranger,
        stranger,
    )
    works.change("UPDATE issuer_grants SET person = %s WHERE issuer = %s", mine, company.rut)
    works.await_states(company, {"accepted": SALES})
    check_books(works, company)
