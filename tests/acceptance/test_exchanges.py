"""The record of what was exchanged with the SII: every login, upload and question, in order, and no secret in it."""

import re
from typing import Any

from tests.acceptance.sales import boleta, invoice
from tests.acceptance.test_lost_answers import RESEND
from tests.acceptance.works import Works
from workers.database import overview


def story(works: Works, envelope: Any) -> list[dict[str, Any]]:
    with works.ledger.transaction() as tx:
        found = overview.envelope(tx, envelope)
    assert found is not None
    return list(found["story"])


def test_an_envelope_s_story_has_every_exchange_in_order(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale"))
    envelope = works.await_envelope(company, "uncertain")
    works.clock.advance(RESEND)
    works.await_states(company, {"accepted": 1})
    lines = story(works, envelope)
    told = [line["what"].split(" of ")[0] for line in lines]
    (stored,) = works.uploads(company)
    wanted = [
        " -> sealed",
        "CrSeed",
        "GetTokenFromSeed",
        "sealed -> sending",
        "attempt 1 begins",
        "DTEUpload",
        "attempt 1: unknown",
        "sending -> uncertain",
        "uncertain -> sending",
        "attempt 2 begins",
        "DTEUpload",
        "attempt 2: duplicate",
        "sending -> sent",
        "QueryEstUp",
        "sent -> processed",
    ]
    assert [what for what in told if what in wanted][: len(wanted)] == wanted
    uploads = [line for line in lines if line["what"] == "DTEUpload"]
    assert [bool(line["detail"]) for line in uploads] == [True, False], "why the first brought no answer is kept"
    assert str(stored["track_id"]) in uploads[1]["answer"]
    requests = works.requests(company, "DTEUpload")
    assert [line["request_sha256"] for line in uploads] == [request["body_sha256"] for request in requests]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_no_token_is_in_the_record(works: Works) -> None:
    company = works.company((33, 39))
    works.producer.enqueue_many([invoice(company, "sale"), boleta(company, "at-the-till")])
    works.await_states(company, {"accepted": 2})
    person = works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", company.rut)
    logins = works.rows(
        "SELECT operation, convert_from(answer, 'LATIN1') FROM sii_exchanges WHERE person = %s ORDER BY id", person
    )
    assert {operation for operation, _ in logins} == {
        "CrSeed",
        "GetTokenFromSeed",
        "boleta.electronica.semilla",
        "boleta.electronica.token",
    }
    assert all("***" in answer for operation, answer in logins if "oken" in operation)
    every = works.rows("SELECT convert_from(answer, 'LATIN1') FROM sii_exchanges WHERE answer IS NOT NULL")
    assert not [answer for (answer,) in every if re.search(r"TOKEN\s*(?:>|&gt;)\s*\w", answer, re.IGNORECASE)]
