"""Uploads whose answer was lost: each ends by proof, with one set of bytes, stored and accepted once.

What the SII got is read from its own ledger: how many requests, with which bytes, and which of them it stored.
"""

import datetime as dt
from typing import Any

import pytest

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books, nothing_is_leased, the_history_is_legal
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

SALES = 3
RESEND = dt.timedelta(seconds=61)
PAST_THE_WINDOW = dt.timedelta(seconds=901)
HALF_AN_HOUR = dt.timedelta(minutes=30, seconds=1)

CHANNELS = pytest.mark.parametrize(
    ("operation", "document_type", "sale"), [("DTEUpload", 33, invoice), ("envio", 39, boleta)]
)


def sell(works: Works, company: Company, sale: Any = invoice, *, prefix: str = "sale") -> None:
    works.producer.enqueue_many([sale(company, f"{prefix}-{n}") for n in range(SALES)])


def steps(works: Works, company: Company) -> list[str]:
    """States that the company's envelopes went through, in order."""
    rows = works.rows(
        "SELECT v.to_state FROM envelope_events v JOIN envelopes e ON e.id = v.envelope WHERE e.issuer = %s"
        " ORDER BY v.id",
        company.rut,
    )
    return [state for (state,) in rows]


def doubt(works: Works, company: Company) -> dict[str, Any]:
    """What FMgo has noted about the doubt of the company's first envelope."""
    noted = works.scalar("SELECT verdict FROM envelopes WHERE issuer = %s ORDER BY sealed_at LIMIT 1", company.rut)
    return dict(noted or {})


def one_set_of_bytes(works: Works, company: Company, operation: str, times: int) -> None:
    """So many uploads came, all the same from the first byte to the last, and one of them was stored."""
    requests = works.requests(company, operation)
    assert len(requests) == times
    assert len({request["body_sha256"] for request in requests}) == 1
    assert [request["stored"] for request in requests].count(True) == 1
    assert len(works.uploads(company)) == 1


def all_accepted_once(works: Works, company: Company, sales: int = SALES) -> None:
    works.await_states(company, {"accepted": sales})
    check_books(works, company)
    assert sum(works.taken(company).values()) == sales


def test_a_lost_answer_is_asked_for_with_identical_bytes_and_its_track_id_adopted(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    sell(works, company)
    works.await_envelope(company, "uncertain")
    assert works.states(company) == {"enveloped": SALES}
    assert [outcome for outcome, _, _ in works.attempts(company)] == ["unknown"]
    works.clock.advance(RESEND)
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "DTEUpload", 2)
    (stored,) = works.uploads(company)
    track_id = str(stored["track_id"])
    assert works.attempts(company) == [("unknown", "", None), ("duplicate", "99", track_id)]
    assert [(state, track) for _, state, track in works.envelopes(company)] == [("processed", track_id)]
    assert steps(works, company) == ["sealed", "sending", "uncertain", "sending", "sent", "processed"]


@pytest.mark.parametrize(
    "mishaps",
    [
        pytest.param([{"fault": "F-LOST-4"}], id="cut in the track id"),
        pytest.param([{"fault": "F-LOST-5"}], id="an empty 200"),
        pytest.param([{"fault": "F-CUT-XML", "args": {"bytes": 0}}], id="not one byte of the body"),
        pytest.param([{"fault": "F-LOST-5"}, {"fault": "F-500-LIT"}], id="Error 500 while the SII has the file"),
        pytest.param([{"fault": "F-LOST-5"}, {"fault": "F-HTTP-503"}], id="503 while the SII has the file"),
        pytest.param([{"fault": "F-LOST-5"}, {"fault": "F-UNK"}], id="a status that nobody knows"),
        pytest.param([{"fault": "F-LOST-1"}, {"fault": "F-STATUS-1"}], id="refused when asked again"),
    ],
)
def test_an_answer_that_can_t_be_read_is_no_answer(works: Works, mishaps: list[dict[str, Any]]) -> None:
    company = works.company()
    for n, mishap in enumerate(mishaps, start=1):
        when = {"company": company.rut, "operation": "DTEUpload", "nth": n}
        works.sii.fault({**mishap, "when": when})
    sell(works, company)
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "DTEUpload", len(mishaps) + 1)
    (stored,) = works.uploads(company)
    attempts = works.attempts(company)
    assert attempts[-1] == ("duplicate", "99", str(stored["track_id"]))
    assert [track_id for _, _, track_id in attempts[:-1]] == [None] * len(mishaps)


def test_a_duplicate_without_its_track_id_leads_to_the_documents(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    sell(works, company)
    works.await_envelope(company, "uncertain")
    works.fault("F-STATUS-99", company, "DTEUpload", times=-1)
    works.clock.advance(RESEND)
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "DTEUpload", 2)
    assert works.attempts(company) == [("unknown", "", None), ("duplicate", "99", None)]
    proofs = works.requests(company, "getEstDteAv")
    assert len(proofs) >= SALES
    assert works.requests(company, "getEstDte") == []
    compared = works.rows("SELECT DISTINCT verdict->>'compared' FROM documents WHERE issuer = %s", company.rut)
    assert compared == [("signature",)]


def test_where_the_proof_by_signature_is_away_the_data_are_compared(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    sell(works, company)
    works.await_envelope(company, "uncertain")
    works.fault("F-STATUS-99", company, "DTEUpload", times=-1)
    works.fault("F-HTTP-503", company, "getEstDteAv", times=-1)
    works.clock.advance(RESEND)
    all_accepted_once(works, company)
    compared = works.rows("SELECT DISTINCT verdict->>'compared' FROM documents WHERE issuer = %s", company.rut)
    assert compared == [("data",)]


@CHANNELS
def test_what_the_sii_holds_in_part_ends_accepted_and_rejected(
    works: Works, operation: str, document_type: int, sale: Any
) -> None:
    company = works.company((document_type,))
    works.fault("F-LOST-1", company, operation)
    works.fault("F-HALF", company, operation)
    works.producer.enqueue_many([sale(company, f"sale-{n}") for n in range(4)])
    works.await_envelope(company, "uncertain")
    works.kill("threads")
    works.clock.advance(PAST_THE_WINDOW)
    works.start("threads")
    wait_until(lambda: works.states(company)["accepted"] == 2, lambda: f"half accepted: {works.states(company)}")
    assert works.states(company) == {"accepted": 2, "enveloped": 2}
    works.await_states(company, {"accepted": 2, "rejected": 2})
    check_books(works, company)
    one_set_of_bytes(works, company, operation, 1)
    assert steps(works, company) == ["sealed", "sending", "uncertain", "processed"]
    said = works.rows(
        "SELECT DISTINCT verdict->>'document', verdict->>'reasons' FROM documents"
        " WHERE issuer = %s AND state = 'rejected'",
        company.rut,
    )
    assert said == [("FAU", "not yet told")]


def test_status_5_after_a_lost_status_0_ends_as_a_duplicate(works: Works) -> None:
    company = works.company()
    for n, fault in enumerate(("F-LOST-1", "F-STATUS-5"), start=1):
        works.sii.fault({"fault": fault, "when": {"company": company.rut, "operation": "DTEUpload", "nth": n}})
    sell(works, company)
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "DTEUpload", 3)
    (stored,) = works.uploads(company)
    track_id = str(stored["track_id"])
    assert works.attempts(company) == [
        ("unknown", "", None),
        ("not_received", "5", None),
        ("duplicate", "99", track_id),
    ]
    assert steps(works, company)[1:-1] == ["sending", "uncertain", "sending", "uncertain", "sending", "sent"]


def test_a_boleta_s_lost_answer_is_ended_by_asking_about_the_documents(works: Works) -> None:
    company = works.company((39,))
    works.fault("F-LOST-1", company, "envio")
    sell(works, company, boleta)
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "envio", 1)
    assert {request["identity"] for request in works.requests(company, "estado_documento")} == {
        f"{company.rut} 39 {folio}" for folio in range(1, SALES + 1)
    }
    assert [outcome for outcome, _, _ in works.attempts(company)] == ["unknown"]
    assert steps(works, company) == ["sealed", "sending", "uncertain", "processed"]


@CHANNELS
def test_a_doubt_older_than_the_window_is_asked_about_before_anything_is_sent(
    works: Works, operation: str, document_type: int, sale: Any
) -> None:
    company = works.company((document_type,))
    works.fault("F-LOST-1", company, operation)
    sell(works, company, sale)
    works.await_envelope(company, "uncertain")
    works.kill("threads")  # whoever could have asked in time is away
    works.clock.advance(PAST_THE_WINDOW)
    works.start("threads")
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, operation, 1)
    assert steps(works, company) == ["sealed", "sending", "uncertain", "processed"]


def test_documents_still_in_process_are_not_taken_for_lost(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    works.fault("F-STUCK-1", company, "DTEUpload")
    sell(works, company)
    works.await_envelope(company, "uncertain")
    works.clock.advance(PAST_THE_WINDOW)
    wait_until(lambda: doubt(works, company).get("absent_at"), "the documents weren't asked about")
    assert works.states(company) == {"enveloped": SALES}
    (stored,) = works.uploads(company)
    works.window.post(f"/uploads/{stored['track_id']}/freeze", json={"frozen": False}).raise_for_status()
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "DTEUpload", 1)


@pytest.mark.parametrize(
    ("mishap", "said", "outcome"),
    [
        ("F-9", "9", "not_received"),
        ("F-STATUS-3", "3", "not_received"),
        ("F-STATUS-5", "5", "not_received"),
        ("F-HTTP-503", "", "unknown"),
    ],
)
def test_what_was_not_received_is_sent_again_and_stored_once(
    works: Works, mishap: str, said: str, outcome: str
) -> None:
    company = works.company()
    works.fault(mishap, company, "DTEUpload")
    sell(works, company)
    all_accepted_once(works, company)
    one_set_of_bytes(works, company, "DTEUpload", 2)
    (stored,) = works.uploads(company)
    assert works.attempts(company) == [(outcome, said, None), ("received", "0", str(stored["track_id"]))]
    back = "uncertain" if outcome == "unknown" else "sealed"
    assert steps(works, company) == ["sealed", "sending", back, "sending", "sent", "processed"]


@CHANNELS
def test_absence_is_proven_by_two_rounds_and_a_later_envelope_then_the_same_bytes_go_once_more(
    works: Works, operation: str, document_type: int, sale: Any
) -> None:
    company = works.company((document_type,))
    works.fault("F-HTTP-503", company, operation)
    sell(works, company, sale)
    lost = works.await_envelope(company, "uncertain")
    works.clock.advance(PAST_THE_WINDOW)
    for rounds in (1, 2, 3):
        wait_until(
            lambda wanted=rounds: len(doubt(works, company).get("absent_at", ())) >= wanted,  # type: ignore[misc]
            lambda: f"another round of questions: {doubt(works, company)}",
        )
        assert "send_once_more" not in doubt(works, company), "no later envelope was processed"
        works.clock.advance(HALF_AN_HOUR)
    assert len(works.requests(company, operation)) == 1
    sell(works, company, sale, prefix="later")
    all_accepted_once(works, company, 2 * SALES)
    requests = works.requests(company, operation)
    assert [request["stored"] for request in requests] == [False, True, True]
    first, later, again = (request["body_sha256"] for request in requests)
    assert (again == first, later == first) == (True, False)
    mine = works.rows("SELECT outcome, track_id FROM envelope_attempts WHERE envelope = %s ORDER BY number", lost)
    assert mine == [("unknown", None), ("received", str(works.uploads(company)[-1]["track_id"]))]
    assert works.scalar("SELECT state FROM envelopes WHERE id = %s", lost) == "processed"


def second_upload_beside_a_first_in_process(
    works: Works, operation: str, document_type: int, sale: Any
) -> tuple[Company, dict[str, Any]]:
    """A company whose lost upload is still in process at the SII while a second one was told of its folios."""
    company = works.company((document_type,))
    works.fault("F-LOST-1", company, operation)
    works.fault("F-STUCK-1", company, operation)
    sell(works, company, sale)
    works.await_envelope(company, "uncertain")
    (first,) = works.uploads(company)
    works.clock.advance(PAST_THE_WINDOW)
    for rounds in (1, 2):
        wait_until(
            lambda wanted=rounds: len(doubt(works, company).get("absent_at", ())) >= wanted,  # type: ignore[misc]
            lambda: f"another round of questions: {doubt(works, company)}",
        )
        works.clock.advance(HALF_AN_HOUR)
    sell(works, company, sale, prefix="later")
    # The proof of absence was wrong: the first upload is still in process, and the second one is told of its folios.
    works.await_states(company, {"accepted": SALES, "enveloped": SALES})
    works.clock.advance(HALF_AN_HOUR)
    again = wait_until(lambda: works.uploads(company)[2:], "the bytes didn't go once more")
    assert again[0]["sha256"] == first["sha256"]
    assert again[0]["counters"][str(document_type)]["rechazados"] == SALES
    standing = "SELECT count(*) FROM envelopes WHERE issuer = %s AND state = 'sent' AND alert = 'rejected-in-doubt'"
    wait_until(lambda: works.scalar(standing, company.rut), "the second upload's answer wasn't read")
    assert works.states(company) == {"accepted": SALES, "enveloped": SALES}
    return company, first


@CHANNELS
def test_a_repeated_folio_is_no_verdict_the_first_upload_s_is(
    works: Works, operation: str, document_type: int, sale: Any
) -> None:
    company, first = second_upload_beside_a_first_in_process(works, operation, document_type, sale)
    works.window.post(f"/uploads/{first['track_id']}/freeze", json={"frozen": False}).raise_for_status()
    all_accepted_once(works, company, 2 * SALES)
    assert works.scalar("SELECT count(*) FROM envelopes WHERE issuer = %s AND alert IS NOT NULL", company.rut) == 0


@CHANNELS
def test_what_no_upload_decides_is_a_person_s_after_two_days_and_never_rejected(
    works: Works, operation: str, document_type: int, sale: Any
) -> None:
    company, _ = second_upload_beside_a_first_in_process(works, operation, document_type, sale)
    works.clock.advance(dt.timedelta(days=2))
    works.await_states(company, {"accepted": SALES, "conflict": SALES})
    the_history_is_legal(works, company)
    nothing_is_leased(works, company)
    why = works.rows(
        "SELECT DISTINCT verdict->>'why', verdict->>'document' FROM documents WHERE issuer = %s AND state = 'conflict'",
        company.rut,
    )
    assert [(bool(said), code) for said, code in why] == [(True, "FAU")]
    assert {state for _, state, _ in works.envelopes(company)} == {"processed"}
    assert len(works.requests(company, operation)) == 3


def test_a_repeated_envelope_is_followed_to_the_upload_that_came_first(works: Works) -> None:
    company = works.company()
    works.sii.switch({"document_av_form": "extended"})
    works.fault("F-LOST-1", company, "DTEUpload")
    for operation in ("getEstDteAv", "getEstDte"):
        works.fault("F-UNK", company, operation, times=-1, id=f"{operation}-{company.rut}")
    sell(works, company)
    envelope = works.await_envelope(company, "uncertain")
    (first,) = works.uploads(company)
    works.clock.advance(PAST_THE_WINDOW)
    works.resend(envelope)
    _, second = wait_until(lambda: works.uploads(company)[1:] and works.uploads(company), "nothing was sent")
    works.window.post(f"/uploads/{second['track_id']}/force", json={"state": "RPT"}).raise_for_status()
    for operation in ("getEstDteAv", "getEstDte"):
        works.window.delete(f"/faults/{operation}-{company.rut}").raise_for_status()
    all_accepted_once(works, company)
    works.sii.switch({"document_av_form": "random"})
    assert works.envelopes(company) == [(envelope, "processed", str(first["track_id"]))]
    assert works.attempts(company)[-1] == ("received", "0", str(second["track_id"]))


def test_other_bytes_under_the_folio_are_a_conflict_in_a_doubt(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    sell(works, company)
    works.await_envelope(company, "uncertain")
    works.kill("threads")
    # As if the SII held another document of the same data under folio 2: only the signature tells.
    works.change(
        "UPDATE documents SET signature_value = reverse(signature_value) WHERE issuer = %s AND folio = 2", company.rut
    )
    works.clock.advance(PAST_THE_WINDOW)
    works.start("threads")
    works.await_states(company, {"accepted": SALES - 1, "conflict": 1})
    said = "SELECT folio, verdict->>'document', verdict->>'compared' FROM documents WHERE issuer = %s AND state = %s"
    assert works.rows(said, company.rut, "conflict") == [(2, "DNK", "signature")]
    one_set_of_bytes(works, company, "DTEUpload", 1)
    nothing_is_leased(works, company)
