"""How a doubt about an upload ends: by what the SII holds, by what it doesn't twice, or before a person."""

import datetime as dt
import uuid
from typing import Any

import pytest

from domain.answers.document import DocumentStatus, Meaning
from domain.answers.table.alerts import IN_DOUBT
from tasks.ending import ROUNDS_KEPT, Ending, ending_of
from workers.database.envelopes import ClaimedEnvelope
from workers.database.verdicts import Rider

START = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
WINDOW = dt.timedelta(seconds=901)
HALF_AN_HOUR = dt.timedelta(minutes=30)


def envelope(after: dt.timedelta = WINDOW, doubt: dict[str, Any] | None = None) -> ClaimedEnvelope:
    """An envelope in doubt, claimed so long after its last attempt began."""
    return ClaimedEnvelope(
        id=uuid.UUID(int=1),
        issuer="76900101-8",
        environment="certification",
        channel="soap",
        lane="bulk",
        state="uncertain",
        sender="15111222-6",
        certificate=1,
        filename="EnvioDTE-1.xml",
        data=b"",
        track_id=None,
        attempts=1,
        polls=0,
        last_attempt_at=START,
        sent_at=None,
        verdict=doubt or {},
        alert=None,
        fence=1,
        at=START + after,
        doubt_since=START,
        doubts=1,
        sending_stopped=False,
    )


def round_of(
    *meanings: Meaning,
    after: dt.timedelta = WINDOW,
    doubt: dict[str, Any] | None = None,
    later: bool = False,
    decided: str | None = None,
) -> Ending:
    """One round in which the SII says these things of the open documents; `decided`: one more, in that state."""
    riders = [_rider(folio, "enveloped") for folio in range(1, len(meanings) + 1)]
    answers = {
        rider: DocumentStatus(meaning, meaning.upper(), "said", by_signature=True)
        for rider, meaning in zip(riders, meanings, strict=True)
    }
    if decided is not None:
        riders.append(_rider(99, decided))
    recognised = dt.timedelta(seconds=900)
    return ending_of(envelope(after, doubt), riders, answers, later=later, window=recognised)


def _rider(folio: int, state: str) -> Rider:
    return Rider(uuid.UUID(int=folio), 33, folio, "66666666-6", dt.date(2026, 11, 24), 1000, state, "c2ln")


def given(ending: Ending) -> list[str]:
    return [verdict.state for verdict in ending.verdicts]


def absent_since(*after: dt.timedelta, name: str = "absent_at") -> dict[str, Any]:
    return {name: [(START + moment).isoformat() for moment in after]}


def test_held_documents_end_the_doubt_and_the_proof_is_noted() -> None:
    ending = round_of("accepted", "modified", "annulled", after=dt.timedelta(minutes=5))
    assert (given(ending), ending.complete) == (["accepted"] * 3, True)
    assert {verdict.said["compared"] for verdict in ending.verdicts} == {"signature"}


def test_other_bytes_under_a_folio_are_a_conflict_in_a_doubt_too() -> None:
    ending = round_of("mismatch", "accepted")
    assert (sorted(given(ending)), ending.complete) == (["accepted", "conflict"], True)


def test_a_conflict_beside_absent_documents_leaves_these_to_the_proof_of_absence() -> None:
    first = round_of("mismatch", "absent")
    assert (given(first), first.complete) == (["conflict"], False)
    second = round_of("absent", after=WINDOW + HALF_AN_HOUR, doubt=first.doubt, later=True, decided="conflict")
    assert second.doubt["send_once_more"]
    assert not second.complete


@pytest.mark.parametrize("missing", ["absent", "not_authorised", "folio_annulled", "company_not_authorised"])
def test_what_is_absent_beside_held_documents_is_rejected_after_two_rounds(missing: Meaning) -> None:
    first = round_of("accepted", missing)
    assert (given(first), first.complete) == (["accepted"], False)
    soon = round_of(missing, after=WINDOW + dt.timedelta(minutes=5), doubt=first.doubt, decided="accepted")
    assert (given(soon), soon.complete) == ([], False)
    second = round_of(missing, after=WINDOW + HALF_AN_HOUR, doubt=soon.doubt, decided="accepted")
    assert (given(second), second.complete) == (["rejected"], True)
    assert second.verdicts[0].said["reasons"] == "not yet told"
    assert "send_once_more" not in second.doubt


def test_what_comes_in_between_is_accepted() -> None:
    first = round_of("accepted", "absent")
    second = round_of("accepted", after=WINDOW + HALF_AN_HOUR, doubt=first.doubt, decided="accepted")
    assert (given(second), second.complete) == (["accepted"], True)


def test_absence_counts_only_after_the_window() -> None:
    ending = round_of("absent", "absent", after=dt.timedelta(seconds=899))
    assert (given(ending), ending.doubt) == ([], {})


@pytest.mark.parametrize("meaning", ["unknown", "token"])
def test_a_round_with_a_document_unanswered_proves_nothing(meaning: Meaning) -> None:
    before = absent_since(WINDOW)
    ending = round_of("absent", meaning, after=WINDOW + HALF_AN_HOUR, doubt=before, later=True)
    assert (given(ending), ending.doubt, ending.complete) == ([], before, False)


def test_absence_is_proven_by_two_rounds_half_an_hour_apart_and_a_later_envelope() -> None:
    first = round_of("absent", "absent", later=True)
    assert "send_once_more" not in first.doubt
    soon = round_of("absent", "absent", after=WINDOW + dt.timedelta(minutes=29), doubt=first.doubt, later=True)
    assert "send_once_more" not in soon.doubt
    alone = round_of("absent", "absent", after=WINDOW + HALF_AN_HOUR, doubt=soon.doubt)
    assert "send_once_more" not in alone.doubt
    proven = round_of("absent", "absent", after=WINDOW + 2 * HALF_AN_HOUR, doubt=alone.doubt, later=True)
    assert proven.doubt["send_once_more"]
    assert not proven.verdicts


def test_a_doubt_that_stands_for_two_days_has_an_alert_and_no_verdict() -> None:
    long_ago = absent_since(WINDOW, WINDOW + HALF_AN_HOUR)
    quiet = round_of("absent", after=dt.timedelta(days=1), doubt=long_ago)
    assert quiet.alert is None
    ending = round_of("absent", after=dt.timedelta(days=2, hours=1), doubt=long_ago)
    assert (ending.alert, given(ending), ending.complete) == (IN_DOUBT, [], False)


def test_bytes_sent_once_more_in_vain_have_an_alert_at_once() -> None:
    assert round_of("absent", doubt={"sent_again": True}).alert == IN_DOUBT


def test_the_rounds_that_are_noted_don_t_grow_without_end() -> None:
    doubt: dict[str, Any] = {}
    for n in range(50):
        doubt = round_of("absent", after=WINDOW + n * HALF_AN_HOUR, doubt=doubt).doubt
    assert len(doubt["absent_at"]) == ROUNDS_KEPT
    assert doubt["absent_at"][0] == (START + WINDOW).isoformat()
