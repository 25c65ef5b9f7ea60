"""`fmgo doctor --sii`: what a company can send, why not, and what the SII answers."""

from typing import Any

from tests.acceptance.commands import Said, fmgo
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.works import Works


def lines(said: Said, about: str) -> list[dict[str, Any]]:
    return [one for one in said.objects if one["about"] == about]


def test_a_company_that_lacks_nothing_can_send_each_of_its_types(works: Works) -> None:
    company = works.company((33, 39))
    works.producer.enqueue_many([invoice(company, "sale"), boleta(company, "boleta")])
    works.await_states(company, {"accepted": 2})
    person = works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", company.rut)
    logins = len(works.rows("SELECT 1 FROM audit_log WHERE action = 'sii.login' AND subject = %s", person))
    said = fmgo(works.sandbox.environment, "doctor", "--sii", company.rut, "--json")
    assert said.code == 0, said
    rows = lines(said, "sending")
    assert [(row["document_type"], row["channel"], row["sends"]) for row in rows] == [
        (33, "soap", True),
        (39, "rest", True),
    ]
    for row in rows:
        assert row["sender"] == person
        assert row["left"] == 399
        assert row["login_at"] is not None
        assert row["uploaded_at"] is not None
    assert "certificate" not in rows[0]
    asked = fmgo(works.sandbox.environment, "doctor", "--sii", company.rut, "--ask", "--json")
    assert asked.code == 0, asked
    told = lines(asked, "asked")
    assert [(one["channel"], one["login"], one["well"]) for one in told] == [
        ("soap", "token given", True),
        ("rest", "token given", True),
    ]
    assert all(one["said"].startswith("EPR") for one in told)
    after = works.rows("SELECT 1 FROM audit_log WHERE action = 'sii.login' AND subject = %s", person)
    assert len(after) == logins + 2
    shown = fmgo(works.sandbox.environment, "doctor", "--sii", company.rut)
    assert shown.code == 0
    assert f"{company.rut}@certification" in shown.out


def test_what_keeps_a_company_from_sending_is_said_for_each_type(works: Works) -> None:
    company = works.company((33, 39), folios=5)
    works.change(
        "UPDATE folio_counters SET next = last + 1 WHERE issuer = %s AND document_type = 33",
        company.rut,
    )
    works.change("UPDATE issuers SET resolution_date = '2190-01-01' WHERE rut = %s", company.rut)
    said = fmgo(works.sandbox.environment, "doctor", "--sii", company.rut, "--json")
    assert said.code == 1
    invoices, boletas = lines(said, "sending")
    assert not invoices["sends"]
    assert not boletas["sends"]
    assert ["`fmgo issuer set-resolution`" in sentence for sentence in invoices["why_not"]] == [True, False]
    assert "`fmgo caf add`" in invoices["why_not"][1]
    assert len(boletas["why_not"]) == 1
    works.change("UPDATE issuers SET sending_stopped_at = now() WHERE rut = %s", company.rut)
    shown = fmgo(works.sandbox.environment, "doctor", "--sii", company.rut)
    assert "`fmgo resume --sending`" in shown.out


def test_a_person_who_lost_the_permission_is_seen_by_asking(works: Works) -> None:
    company = works.company()
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    person = works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", company.rut)
    works.window.post("/permissions/revoke", json={"person": person, "company": company.rut}).raise_for_status()
    said = fmgo(works.sandbox.environment, "doctor", "--sii", company.rut, "--ask", "--json")
    assert said.code == 1
    (told,) = lines(said, "asked")
    assert (told["login"], told["well"]) == ("token given", False)
    assert told["said"].startswith("106")


def test_a_company_that_is_not_there_is_told_so(works: Works) -> None:
    said = fmgo(works.sandbox.environment, "doctor", "--sii", "76900101-8", "--json")
    assert (said.code, said.objects[0]["error"]["code"]) == (1, "ISSUER-UNKNOWN")
    assert fmgo(works.sandbox.environment, "doctor", "76900101-8").code == 2
