"""From the SII's answers to verdicts: what decides, what doesn't, and what is asked about."""

import datetime as dt
import uuid
from collections.abc import Sequence

import pytest

from domain.answers.document import DocumentStatus, Meaning
from domain.answers.envelope import DocumentFinding, EnvelopeStatus, FindingError, TypeCounters
from domain.answers.result_mail import Reason
from tasks.mail_verdicts import Mailed
from tasks.verdict import NOT_YET_TOLD, Ask, Outcome
from tasks.verdict import verdict_of as decided
from workers.database.verdicts import Rider


def riders(*kinds: int, state: str = "enveloped") -> list[Rider]:
    return [
        Rider(uuid.uuid4(), kind, folio, "66666666-6", dt.date(2026, 11, 24), 1000, state, "sig")
        for folio, kind in enumerate(kinds, start=1)
    ]


def processed(
    *counters: tuple[int | None, int, int, int], findings: tuple[DocumentFinding, ...] = ()
) -> EnvelopeStatus:
    """Counters as (type, accepted, rejected, repaired)."""
    told = tuple(TypeCounters(kind, None, good, bad, mended) for kind, good, bad, mended in counters)
    return EnvelopeStatus("processed", "EPR", "Envio Procesado", told, findings)


def verdict_of(about: list[Rider], status: EnvelopeStatus, ask: Ask, *, another: bool = False) -> Outcome:
    return decided(about, status, ask, another=another)


class Asked:
    """Answers about documents by folio; remembers who was asked about."""

    def __init__(self, **answers: Meaning) -> None:
        self._answers = {int(folio[1:]): meaning for folio, meaning in answers.items()}
        self.folios: list[int] = []

    def __call__(self, about: Sequence[Rider]) -> dict[Rider, DocumentStatus]:
        self.folios += [rider.folio for rider in about]
        return {rider: DocumentStatus(self._answers[rider.folio], "XXX", "said") for rider in about}


def states(outcome: Outcome, about: list[Rider]) -> list[str | None]:
    given = {verdict.document_id: verdict.state for verdict in outcome.verdicts}
    return [given.get(rider.id) for rider in about]


def test_counters_that_accept_all_decide_without_a_question() -> None:
    mine, ask = riders(33, 33, 61), Asked()
    outcome = verdict_of(mine, processed((33, 2, 0, 0), (61, 1, 0, 0)), ask)
    assert states(outcome, mine) == ["accepted"] * 3
    assert outcome.complete
    assert not outcome.refused_whole
    assert ask.folios == []


def test_a_counter_without_its_type_stands_for_the_only_type() -> None:
    mine = riders(33, 33)
    assert states(verdict_of(mine, processed((None, 2, 0, 0)), Asked()), mine) == ["accepted"] * 2


def test_a_type_that_the_counters_leave_out_is_asked_about() -> None:
    mine, ask = riders(33, 61), Asked(f2="accepted")
    outcome = verdict_of(mine, processed((33, 1, 0, 0)), ask)
    assert states(outcome, mine) == ["accepted", "accepted"]
    assert ask.folios == [2]


def test_absent_documents_are_rejected_when_as_many_are_absent_as_were_rejected() -> None:
    mine = riders(33, 33, 33)
    outcome = verdict_of(mine, processed((33, 1, 2, 0)), Asked(f1="accepted", f2="absent", f3="absent"))
    assert states(outcome, mine) == ["accepted", "rejected", "rejected"]
    assert outcome.complete
    assert outcome.verdicts[1].said["reasons"] == NOT_YET_TOLD


def test_absent_documents_are_left_open_while_the_numbers_disagree() -> None:
    mine = riders(33, 33, 33)
    outcome = verdict_of(mine, processed((33, 2, 1, 0)), Asked(f1="accepted", f2="absent", f3="absent"))
    assert states(outcome, mine) == ["accepted", None, None]
    assert not outcome.complete


def test_a_rejection_for_a_repeated_folio_is_no_verdict_when_the_sii_holds_the_document() -> None:
    mine = riders(33)
    assert states(verdict_of(mine, processed((33, 0, 1, 0)), Asked(f1="accepted")), mine) == ["accepted"]


def test_other_data_under_a_folio_are_a_conflict() -> None:
    mine = riders(33, 33)
    outcome = verdict_of(mine, processed((33, 1, 1, 0)), Asked(f1="accepted", f2="mismatch"))
    assert states(outcome, mine) == ["accepted", "conflict"]


@pytest.mark.parametrize("meaning", ["unknown", "token"])
def test_an_unclear_answer_never_becomes_a_verdict(meaning: Meaning) -> None:
    mine = riders(33, 33)
    outcome = verdict_of(mine, processed((33, 1, 1, 0)), Asked(f1="accepted", f2=meaning))
    assert states(outcome, mine) == ["accepted", None]
    assert not outcome.complete


def test_repairs_of_all_are_told_and_of_some_wait_for_their_names() -> None:
    mine = riders(33, 33)
    assert states(verdict_of(mine, processed((33, 0, 0, 2)), Asked()), mine) == ["accepted_with_repairs"] * 2
    some = verdict_of(mine, processed((33, 1, 0, 1)), Asked(f1="accepted", f2="accepted"))
    assert states(some, mine) == ["accepted", "accepted"]


def test_findings_name_the_rejected_and_the_counters_free_the_rest() -> None:
    mine = riders(39, 39, 39)
    reason = FindingError("TED-3-640", "monto", "", None)
    found = DocumentFinding(39, 2, "RCH", "Dte Rechazado", (reason,))
    mended = DocumentFinding(39, 3, "RLV", "Reparo", ())
    ask = Asked()
    outcome = verdict_of(mine, processed((39, 1, 1, 1), findings=(found, mended)), ask)
    assert states(outcome, mine) == ["accepted", "rejected", "accepted_with_repairs"]
    assert outcome.verdicts[1].said["reasons"] == [{"code": "TED-3-640", "text": "monto", "detail": ""}]
    assert ask.folios == []


def test_a_refused_envelope_sends_its_documents_back_only_when_none_is_held() -> None:
    mine = riders(33, 33)
    refused = EnvelopeStatus("refused", "RCT", "Caratula")
    gone = verdict_of(mine, refused, Asked(f1="absent", f2="not_authorised"))
    assert gone.refused_whole
    assert not gone.verdicts
    held = verdict_of(mine, refused, Asked(f1="accepted", f2="absent"))
    assert not held.refused_whole
    assert states(held, mine) == ["accepted", None]
    unclear = verdict_of(mine, refused, Asked(f1="absent", f2="unknown"))
    assert not unclear.refused_whole
    assert not unclear.complete


def test_what_is_decided_is_not_decided_again() -> None:
    mine = [*riders(33, state="rejected"), *riders(33)]
    outcome = verdict_of(mine, processed((33, 1, 1, 0)), Asked(f1="accepted"))
    assert states(outcome, mine) == [None, "accepted"]
    assert outcome.complete


def test_what_an_upload_rejected_whole_is_open_while_another_may_have_brought_it() -> None:
    mine = riders(33, 33)
    outcome = verdict_of(mine, processed((33, 0, 2, 0)), Asked(f1="absent", f2="absent"), another=True)
    assert states(outcome, mine) == [None, None]
    assert set(outcome.standing) == set(mine)
    alone = verdict_of(mine, processed((33, 0, 2, 0)), Asked(f1="absent", f2="absent"))
    assert states(alone, mine) == ["rejected", "rejected"]
    assert not alone.standing


def test_an_upload_of_which_something_was_accepted_is_the_one_that_counted() -> None:
    mine = riders(33, 33)
    outcome = verdict_of(mine, processed((33, 1, 1, 0)), Asked(f1="accepted", f2="absent"), another=True)
    assert states(outcome, mine) == ["accepted", "rejected"]


def test_documents_that_another_upload_brought_are_accepted_and_others_conflicts() -> None:
    mine = riders(33, 33, 33)
    ask = Asked(f1="accepted", f2="mismatch", f3="absent")
    outcome = verdict_of(mine, processed((33, 0, 3, 0)), ask, another=True)
    assert states(outcome, mine) == ["accepted", "conflict", None]
    assert [rider.folio for rider in outcome.standing] == [3]


def test_a_repeated_folio_is_open_until_the_sii_holds_the_document() -> None:
    mine = riders(39, 39)
    reason = FindingError("DTE-3-101", "repetido", "", None)
    findings = tuple(DocumentFinding(39, folio, "RCH", "Dte Rechazado", (reason,)) for folio in (1, 2))
    status = processed((39, 0, 2, 0), findings=findings)
    outcome = verdict_of(mine, status, Asked(f1="absent", f2="absent"))
    assert states(outcome, mine) == [None, None]
    assert set(outcome.standing) == set(mine)
    held = verdict_of(mine, status, Asked(f1="accepted", f2="mismatch"))
    assert states(held, mine) == ["accepted", "conflict"]


def test_an_unanswered_question_is_no_standing() -> None:
    mine = riders(33, 33)
    outcome = verdict_of(mine, processed((33, 0, 2, 0)), Asked(f1="absent", f2="unknown"), another=True)
    assert not outcome.standing


@pytest.mark.parametrize(("state", "another"), [("RPT", False), ("RFR", True), ("RCH", True)])
def test_a_refusal_isn_t_conclusive_while_another_upload_may_be_there(state: str, another: bool) -> None:
    mine = riders(33, 33)
    refused = EnvelopeStatus("refused", state, "rechazado")
    outcome = verdict_of(mine, refused, Asked(f1="absent", f2="absent"), another=another)
    assert not outcome.refused_whole
    assert set(outcome.standing) == set(mine)


def test_a_conflict_counts_among_the_rejected() -> None:
    mine = riders(33, 33)
    outcome = verdict_of(mine, processed((33, 0, 2, 0)), Asked(f1="mismatch", f2="absent"))
    assert states(outcome, mine) == ["conflict", "rejected"]
    assert outcome.complete


@pytest.mark.parametrize("state", ["RSC", "RCT"])
def test_a_refusal_for_what_stands_in_the_file_holds_for_every_upload_of_it(state: str) -> None:
    mine = riders(33, 33)
    refused = EnvelopeStatus("refused", state, "rechazado")
    assert verdict_of(mine, refused, Asked(f1="absent", f2="absent"), another=True).refused_whole


NOTES = (TypeCounters(61, 2, 1, 1, 0),)


def test_the_mail_counts_what_the_answer_left_out_and_the_documents_are_asked_about() -> None:
    mine, ask = riders(33, 61, 61), Asked(f2="accepted", f3="absent")
    status = processed((33, 1, 0, 0))
    assert states(verdict_of(mine, status, ask), mine) == ["accepted", "accepted", None], "nobody counts the absent one"
    outcome = decided(mine, status, ask, another=False, mailed=Mailed(NOTES, {}))
    assert states(outcome, mine) == ["accepted", "accepted", "rejected"]


@pytest.mark.parametrize("meaning", ["accepted", "unknown", "mismatch"])
def test_a_mail_rejects_nothing_that_is_not_absent(meaning: Meaning) -> None:
    mine = riders(33, 33)
    mailed = Mailed((), {(33, 1): (Reason("HED-3-861", "Actividad"),)})
    outcome = decided(mine, processed((33, 0, 2, 0)), Asked(f1=meaning, f2="unknown"), another=True, mailed=mailed)
    assert "rejected" not in states(outcome, mine)


def test_a_mail_ends_the_standing_of_absent_documents_rejected_for_other_reasons_than_repetition() -> None:
    mine = riders(33, 33)
    mailed = Mailed(
        (), {(33, 1): (Reason("HED-3-861", "Actividad"),), (33, 2): (Reason("DTE-3-101", "Ya fue recibido"),)}
    )
    outcome = decided(mine, processed((33, 0, 2, 0)), Asked(f1="absent", f2="absent"), another=True, mailed=mailed)
    assert states(outcome, mine) == ["rejected", None]
    assert outcome.verdicts[0].said["reasons"] == [{"code": "HED-3-861", "text": "Actividad"}]
    assert set(outcome.standing) == {mine[1]}, "its folio came before: another upload may have brought it"
