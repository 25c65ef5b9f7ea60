"""Senders that stop in the middle (a frozen machine, a page of swap) and wake when others have gone on."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.test_lost_answers import PAST_THE_WINDOW, RESEND, doubt, steps
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works


@contextmanager
def paused(works: Works) -> Iterator[int]:
    """Stop the sender with all its threads, let another one take its place, and wake it at the end of the block.

    Gives its number in the ledger, by then declared dead: once awake it ends, and its keeper begins another.
    """
    sleeper = works.crew["threads"]
    number = works.scalar("SELECT max(id) FROM workers WHERE kind = 'threads' AND stopped_at IS NULL")
    said = sleeper.log.stat().st_size
    os.killpg(sleeper.pid, signal.SIGSTOP)
    try:
        works.start("threads")
        wait_until(
            lambda: works.scalar("SELECT stopped_at FROM workers WHERE id = %s", number), "nobody buried the sleeper"
        )
        yield number
    finally:
        os.killpg(sleeper.pid, signal.SIGCONT)
    try:
        wait_until(
            lambda: b"it begins anew" in sleeper.log.read_bytes()[said:],
            "a process that was declared dead goes on",
        )
    finally:
        os.killpg(sleeper.pid, signal.SIGKILL)


def test_a_sender_that_wakes_after_900_seconds_sends_nothing(works: Works) -> None:
    company = works.company()
    person = works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", company.rut)
    works.sii.fault({"fault": "F-SLOW", "when": {"person": person, "operation": "getToken"}, "args": {"seconds": 8}})
    works.producer.enqueue(invoice(company, "sale"))
    wait_until(lambda: works.scalar("SELECT lease_owner FROM sii_sessions WHERE person = %s", person), "nobody logs in")
    with paused(works):
        works.clock.advance(PAST_THE_WINDOW)
        works.await_states(company, {"accepted": 1})
    check_books(works, company)
    assert len(works.requests(company, "DTEUpload")) == 1
    assert [outcome for outcome, _, _ in works.attempts(company)] == ["received"]


def test_the_late_answer_of_a_beaten_sender_changes_nothing(works: Works) -> None:
    company = works.company()
    works.fault("F-SLOW", company, "DTEUpload", args={"seconds": 12})
    works.producer.enqueue(invoice(company, "sale"))
    wait_until(lambda: works.uploads(company), "nothing was uploaded")
    with paused(works) as sleeper:
        works.await_envelope(company, "uncertain")
        works.clock.advance(RESEND * 2)
        works.await_states(company, {"accepted": 1})
    check_books(works, company)
    (stored,) = works.uploads(company)
    first, second = works.attempts(company)
    assert first[0] in {None, "received", "unknown"}
    assert second == ("duplicate", "99", str(stored["track_id"]))
    sent_by = works.rows(
        "SELECT v.worker FROM envelope_events v JOIN envelopes e ON e.id = v.envelope"
        " WHERE e.issuer = %s AND v.to_state = 'sent'",
        company.rut,
    )
    assert len(sent_by) == 1
    assert sent_by != [(sleeper,)]


def test_a_sender_of_boletas_that_dies_between_answer_and_commit_leaves_the_documents_to_be_asked_about(
    works: Works,
) -> None:
    company = works.company((39,))
    answered = ("envelopes", f"OLD.state = 'sending' AND NEW.state = 'sent' AND NEW.issuer = '{company.rut}'")
    with gates(works.sandbox.database_url, answered) as (gate,):
        works.producer.enqueue(boleta(company, "sale"))
        gate.await_somebody()
        works.kill("threads")
        gate.turn_back()
    works.start("threads")
    works.await_states(company, {"accepted": 1})
    check_books(works, company)
    assert len(works.requests(company, "envio")) == 1
    assert works.attempts(company) == [(None, None, None)]
    assert steps(works, company) == ["sealed", "sending", "uncertain", "processed"]


def test_of_two_track_ids_the_one_that_brought_the_documents_decides(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    works.fault("F-STUCK-1", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale"))
    envelope = works.await_envelope(company, "uncertain")
    (first,) = works.uploads(company)
    works.clock.advance(PAST_THE_WINDOW)
    wait_until(lambda: doubt(works, company).get("absent_at"), "the documents weren't asked about")
    works.resend(envelope)
    standing = "SELECT alert FROM envelopes WHERE id = %s AND state = 'sent' AND alert IS NOT NULL"
    assert wait_until(lambda: works.scalar(standing, envelope), "the second upload's answer wasn't read")
    (_, second) = works.uploads(company)
    # The first answer comes at last, by way of a process that was beaten: it is kept with its attempt.
    works.change(
        "UPDATE envelope_attempts SET outcome = 'received', track_id = %s WHERE envelope = %s AND number = 1",
        str(first["track_id"]),
        envelope,
    )
    works.window.post(f"/uploads/{first['track_id']}/freeze", json={"frozen": False}).raise_for_status()
    works.await_states(company, {"accepted": 1})
    check_books(works, company)
    assert works.scalar("SELECT track_id FROM envelopes WHERE id = %s", envelope) == str(first["track_id"])
    assert [(upload["counters"]["33"]["rechazados"]) for upload in (first, second)][1:] == [1]
    assert works.scalar("SELECT verdict->>'envelope' FROM documents WHERE issuer = %s", company.rut) == "EPR"
