"""What a result mail changes of verdicts, state by state."""

import uuid
from typing import Any

import pytest

from domain.answers.envelope import TypeCounters
from domain.answers.result_mail import MEANINGS, Reason, ResultMail, Review
from tasks.mail_verdicts import NOTHING_MAILED, mailed_of, telling_of
from workers.database.result_mails import Decided

NOT_YET = {"document": "FAU", "reasons": "not yet told"}
WHY = Reason("HED-3-861", "Actividad no registrada")


def review(state: str, folio: int = 1, reason: Reason = WHY, document_type: int = 33) -> Review:
    return Review(document_type, folio, state, "palabras", MEANINGS.get(state, "unknown"), (reason,))


def mail(*reviews: Review, errors: tuple[Reason, ...] = (), counters: tuple[TypeCounters, ...] = ()) -> ResultMail:
    return ResultMail("76900101-8", "76900102-6", "77", "", "EPR", "", counters, errors, reviews)


def document(state: str, verdict: dict[str, Any] | None = None, document_type: int = 33) -> Decided:
    return Decided(uuid.uuid4(), document_type, 1, state, {"document": "DOK"} if verdict is None else verdict)


def counted(repaired: int, document_type: int | None = 33) -> list[dict[str, Any]]:
    return [{"document_type": document_type, "accepted": 1, "rejected": 0, "repaired": repaired}]


@pytest.mark.parametrize("state", ["rejected", "conflict", "signed"])
def test_a_rejection_is_explained_and_stays_what_it_is(state: str) -> None:
    telling = telling_of(mail(review("RCH")), [document(state, NOT_YET)], [])
    (told,) = telling.explained
    assert (told.state, told.verdict["document"]) == (state, "FAU")
    assert told.verdict["reasons"] == [{"code": WHY.code, "text": WHY.text}]
    assert (telling.repaired, telling.contradictions) == ([], [])


@pytest.mark.parametrize("state", ["RPR", "RLV"])
def test_repairs_are_explained(state: str) -> None:
    telling = telling_of(mail(review(state)), [document("accepted_with_repairs", NOT_YET)], counted(1))
    assert telling.explained[0].verdict["reasons"][0]["code"] == WHY.code


@pytest.mark.parametrize("counters", [counted(1), counted(1, None), counted(3, 34), []])
def test_an_accepted_document_has_repairs_where_the_counters_do_not_deny_it(counters: list[dict[str, Any]]) -> None:
    telling = telling_of(mail(review("RPR")), [document("accepted")], counters)
    (told,) = telling.repaired
    assert told.state == "accepted_with_repairs"
    assert told.verdict == {"document": "DOK", "reasons": [{"code": WHY.code, "text": WHY.text}]}


@pytest.mark.parametrize(
    ("state", "said", "counters"),
    [
        ("accepted", "RPR", counted(0)),
        ("accepted", "RPR", counted(0, None)),
        ("accepted", "RCH", []),
        ("accepted_with_repairs", "RCH", counted(1)),
        ("rejected", "RPR", []),
        ("enveloped", "RCH", []),
    ],
)
def test_a_mail_that_contradicts_the_services_changes_nothing(
    state: str, said: str, counters: list[dict[str, Any]]
) -> None:
    telling = telling_of(mail(review(said)), [document(state)], counters)
    assert (telling.explained, telling.repaired) == ([], [])
    assert "33/1" in telling.contradictions[0]


def test_a_mail_that_contradicts_itself_changes_nothing() -> None:
    telling = telling_of(mail(review("RCH"), review("RPR")), [document("rejected", NOT_YET)], [])
    assert telling.explained == []
    assert telling.contradictions


@pytest.mark.parametrize("state", ["accepted", "rejected", "accepted_with_repairs", "conflict"])
def test_unknown_states_are_shown_and_decide_nothing(state: str) -> None:
    telling = telling_of(mail(review("QQX")), [document(state)], [])
    (told,) = telling.explained
    assert told.state == state
    assert told.verdict["remarks"][0]["state"] == "QQX"
    assert "reasons" not in told.verdict


def test_what_is_known_already_is_no_news() -> None:
    (told,) = telling_of(mail(review("RCH")), [document("rejected", NOT_YET)], []).explained
    assert telling_of(mail(review("RCH")), [told], []).explained == []


def test_a_refused_envelope_explains_every_document_of_it() -> None:
    error = Reason("ENV-3-6", "Sin permiso")
    held = [document("signed", NOT_YET), document("signed", NOT_YET)]
    telling = telling_of(mail(errors=(error,)), held, [])
    assert [one.verdict["reasons"][0]["code"] for one in telling.explained] == ["ENV-3-6"] * 2
    assert telling_of(mail(errors=(error,)), [document("accepted")], []).explained == []


def test_counters_come_from_the_mail_only_where_the_answer_lacks_them() -> None:
    notes, invoices = TypeCounters(61, 2, 1, 1, 0), TypeCounters(33, 2, 2, 0, 0)
    told = [mail(counters=(notes, TypeCounters(33, 9, 0, 9, 0)))]
    assert mailed_of(told, [invoices]).counters == (notes,)
    assert mailed_of(told, [TypeCounters(None, 2, 2, 0, 0)]).counters == ()
    assert mailed_of([], [invoices]) == NOTHING_MAILED


def test_rejections_are_those_of_the_latest_mail() -> None:
    mails = [mail(review("RCH", 1), review("RCH", 2)), mail(review("RPR", 2), review("QQX", 3))]
    assert mailed_of(mails, []).rejections == {(33, 1): (WHY,)}
