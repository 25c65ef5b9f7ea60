"""A token that dies while many envelopes are due is renewed once for each person and channel."""

from collections import Counter

from deploy.sandbox.enrol import ENVIRONMENT
from tests.acceptance.books import check_books
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.works import Works

SHOPS = 5


def tokens(works: Works, person: str) -> Counter[str]:
    """How many tokens a person has got by each channel."""
    answer = works.window.get("/tokens")
    answer.raise_for_status()
    return Counter(token["channel"] for token in answer.json() if token["person"] == person)


def test_an_expired_token_leads_to_one_new_login_for_each_channel(works: Works) -> None:
    companies = [works.company((33, 39)) for _ in range(SHOPS)]
    person = works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", companies[-1].rut)
    acts = [{"person": person, "company": company.rut, "can": ["send", "query", "sign"]} for company in companies]
    works.sii.register({"permissions": acts})
    works.change("DELETE FROM issuer_grants WHERE issuer = ANY (%s)", [company.rut for company in companies])
    name = works.scalar("SELECT name FROM persons WHERE rut = %s", person)
    works.enrolment.operator.add_person(person, name, [(company.rut, ENVIRONMENT) for company in companies])
    works.producer.enqueue_many([invoice(companies[0], "first"), boleta(companies[0], "first-boleta")])
    works.await_states(companies[0], {"accepted": 2})
    assert tokens(works, person) == {"soap": 1, "rest": 1}
    works.window.post("/tokens/expire", json={"person": person}).raise_for_status()
    works.producer.enqueue_many(
        make(company, f"{lane}-{make.__name__}", lane=lane)
        for company in companies
        for lane in ("bulk", "interactive")
        for make in (invoice, boleta)
    )
    for company in companies:
        works.await_states(company, {"accepted": 6 if company is companies[0] else 4})
    assert tokens(works, person) == {"soap": 2, "rest": 2}
    logins = "SELECT detail->>'channel', count(*) FROM audit_log WHERE action = 'sii.login' AND subject = %s GROUP BY 1"
    assert dict(works.rows(logins, person)) == {"soap": 2, "rest": 2}
    for company in companies:
        check_books(works, company)
        assert "uncertain" not in {state for _, state, _ in works.envelopes(company)}


def test_a_token_that_dies_between_upload_and_question_is_renewed_and_the_question_asked_again(works: Works) -> None:
    company = works.company()
    works.fault("F-TOK-1", company, "getEstUp", times=2)
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    check_books(works, company)
    person = works.scalar("SELECT sender FROM envelopes WHERE issuer = %s", company.rut)
    assert tokens(works, person) == {"soap": 3}
    assert len(works.uploads(company)) == 1
