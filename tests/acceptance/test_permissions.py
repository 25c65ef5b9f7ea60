"""Who may send: tokens that die in everybody's hands at once, and a person who isn't allowed to."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

SHOPS = 3


@pytest.fixture
def refused_at_the_gateway(works: Works) -> Iterator[None]:
    """Who may not send is told so at the upload, and not first at the examination."""
    works.sii.switch({"missing_permission": "gateway"})
    yield
    works.sii.switch({"missing_permission": "examination"})


def person_of(works: Works, company: Company) -> str:
    return str(works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", company.rut))


def tokens(works: Works, person: str) -> Counter[str]:
    """How many tokens a person has got by each channel."""
    answer = works.window.get("/tokens")
    answer.raise_for_status()
    return Counter(token["channel"] for token in answer.json() if token["person"] == person)


def shops_of_one_person(works: Works) -> tuple[str, list[Company]]:
    """Companies for all of which the same person signs and sends."""
    companies = [works.company((33, 39)) for _ in range(SHOPS)]
    person = person_of(works, companies[-1])
    acts = [{"person": person, "company": company.rut, "can": ["send", "query", "sign"]} for company in companies]
    works.sii.register({"permissions": acts})
    works.change("DELETE FROM issuer_grants WHERE issuer = ANY (%s)", [company.rut for company in companies])
    name = works.scalar("SELECT name FROM persons WHERE rut = %s", person)
    works.enrolment.operator.add_person(person, name, [(company.rut, ENVIRONMENT) for company in companies])
    return person, companies


def test_a_token_that_dies_in_many_hands_at_once_is_renewed_once(works: Works) -> None:
    person, companies = shops_of_one_person(works)
    mine = ", ".join(f"'{company.rut}'" for company in companies)
    sending = ("envelopes", f"OLD.state = 'sealed' AND NEW.state = 'sending' AND NEW.issuer IN ({mine})")
    with gates(works.sandbox.database_url, sending) as (gate,):
        for company in companies:
            works.producer.enqueue_many([invoice(company, "sale"), boleta(company, "sale-at-the-till")])
        wait_until(
            lambda: len(gate.holders()) == 2 * SHOPS, lambda: f"{len(gate.holders())} of {2 * SHOPS} are about to send"
        )
        assert tokens(works, person) == {"soap": 1, "rest": 1}
        answer = works.window.post("/tokens/expire", json={"person": person})
        assert answer.json() == {"expired": 2}
    for company in companies:
        works.await_states(company, {"accepted": 2})
        check_books(works, company)
        assert len(works.uploads(company)) == 2
        for operation in ("DTEUpload", "envio"):
            assert [request["stored"] for request in works.requests(company, operation)] == [False, True]
        assert {outcome for outcome, _, _ in works.attempts(company)} == {"not_received", "received"}
    assert tokens(works, person) == {"soap": 2, "rest": 2}
    logins = works.sii.invariants()["logins"]
    assert (logins[f"{person} soap"], logins[f"{person} rest"]) == (2, 2)


@pytest.mark.parametrize(
    ("channel", "document_type", "operations"),
    [
        ("soap", 33, ("DTEUpload", "getEstUp", "getEstDteAv")),
        ("rest", 39, ("envio", "estado_envio", "estado_documento")),
    ],
)
def test_a_token_that_dies_at_any_question_is_renewed_and_the_question_asked_again(
    works: Works, channel: str, document_type: int, operations: tuple[str, ...]
) -> None:
    company = works.company((document_type,))
    # The answer to the upload is kept back until nobody recognises it, so that single documents are asked about too.
    make = invoice if document_type == 33 else boleta
    for operation in operations:
        works.fault("F-TOK-1", company, operation)
    works.producer.enqueue(make(company, "sale"))
    works.await_states(company, {"accepted": 1})
    works.fault("F-LOST-1", company, operations[0])
    works.producer.enqueue(make(company, "lost"))
    works.await_envelope(company, "uncertain")
    works.clock.advance(dt.timedelta(seconds=901))
    works.await_states(company, {"accepted": 2})
    check_books(works, company)
    assert tokens(works, person_of(works, company)) == {channel: 4}
    assert len(works.uploads(company)) == 2


@pytest.mark.usefixtures("refused_at_the_gateway")
def test_a_person_without_permission_sends_nothing_and_the_documents_wait(works: Works) -> None:
    company = works.company()
    person = person_of(works, company)
    works.window.post("/permissions/revoke", json={"person": person, "company": company.rut, "can": ["send"]})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(3)])
    refused = works.await_envelope(company, "refused")
    assert works.states(company) == {"signed": 3}
    held = works.rows("SELECT held, verdict FROM documents WHERE issuer = %s", company.rut)
    assert [cause for cause, _ in held] == ["envelope-refused:upload-1"] * 3
    assert {said["status"] for _, said in held} == {"1"}
    assert all(said["detail"] for _, said in held)
    assert works.rows("SELECT sii_state, attempts, due_at FROM envelopes WHERE id = %s", refused) == [
        ("upload-1", 1, None)
    ]
    reason = "SELECT detail->>'detail' FROM envelope_events WHERE envelope = %s AND to_state = 'refused'"
    assert "permission" in works.scalar(reason, refused)
    assert works.attempts(company) == [("not_received", "1", None)]
    assert works.uploads(company) == []
    told = works.producer.result((company.rut, ENVIRONMENT, "sale-0"))
    assert told is not None
    assert (told.state, told.held, told.folio is None) == ("signed", "envelope-refused:upload-1", False)
    works.sii.register({"permissions": [{"person": person, "company": company.rut, "can": ["send"]}]})
    assert works.enrolment.operator.release_envelope(refused) == 3
    works.await_states(company, {"accepted": 3})
    check_books(works, company)
    assert len(works.uploads(company)) == 1


def test_a_permission_that_lacks_may_show_only_after_a_receipt(works: Works) -> None:
    """STATUS 0, then RFR: a receipt is no acceptance, the documents are kept, and go once the permission is there."""
    company = works.company()
    person = person_of(works, company)
    works.window.post("/permissions/revoke", json={"person": person, "company": company.rut, "can": ["send"]})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    refused = works.await_envelope(company, "refused")
    assert works.rows("SELECT sii_state FROM envelopes WHERE id = %s", refused) == [("RFR",)]
    assert works.attempts(company)[0][:2] == ("received", "0")
    assert works.states(company) == {"signed": 2}
    works.sii.register({"permissions": [{"person": person, "company": company.rut, "can": ["send"]}]})
    assert works.enrolment.operator.release_envelope(refused) == 2
    works.await_states(company, {"accepted": 2})
    check_books(works, company)
    assert len(works.uploads(company)) == 2


@pytest.mark.usefixtures("refused_at_the_gateway")
def test_a_person_who_may_not_send_boletas_leads_to_pauses_and_not_to_logins(works: Works) -> None:
    company = works.company((39,))
    person = person_of(works, company)
    works.window.post("/permissions/revoke", json={"person": person, "company": company.rut, "can": ["send"]})
    works.producer.enqueue(boleta(company, "sale"))
    alert = "SELECT e.alert FROM envelopes e WHERE e.issuer = %s"
    wait_until(lambda: works.scalar(alert, company.rut) == "token-not-taken", "nobody is told")
    for _ in range(12):
        before = len(works.attempts(company))
        works.clock.advance(dt.timedelta(minutes=30))
        wait_until(
            lambda before=before: len(works.attempts(company)) > before or works.clock.time_to_next(),  # type: ignore[misc]
            "nobody tries or waits",
        )
    assert tokens(works, person)["rest"] <= 9, "six hours, and no login more than the life of tokens asks for"
    assert len(works.attempts(company)) <= 14
    assert works.states(company) == {"enveloped": 1}
    assert works.uploads(company) == []
    works.sii.register({"permissions": [{"person": person, "company": company.rut, "can": ["send"]}]})
    works.await_states(company, {"accepted": 1})
    check_books(works, company)
    assert works.rows("SELECT alert, problem FROM sii_sessions WHERE person = %s AND channel = 'rest'", person) == [
        (None, None)
    ]
    assert works.scalar(alert, company.rut) is None
