"""Ending the doubt about an upload whose answer was lost, by asking about its documents.

If the SII holds any of them, it holds the envelope: those are accepted, and what is absent beside them in two rounds,
half an hour apart, was rejected. Absence of the whole is proven only by two such rounds, after the SII's window for
repeated files, with a later envelope of that channel processed meanwhile; then identical bytes go once more. Other
bytes under a folio are a conflict. A doubt that stands after two days of answers has a named alert and is asked about
four times a day: a person may have the bytes sent again (`fmgo envelope resend`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from domain.answers.document import DocumentStatus
from domain.answers.table import alerts
from domain.signature import RsaSigner
from tasks.asking import Asking
from tasks.verdict import HELD, NOT_HELD, NOT_YET_TOLD, document_said
from workers.bells import ring
from workers.database import attempts, envelopes, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.database.verdicts import Rider, Verdict
from workers.process import Process
from workers.sessions import Sessions
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

BETWEEN_ROUNDS: Final = timedelta(minutes=30)
ROUNDS: Final = 2
ROUNDS_KEPT: Final = 6
UNTIL_A_PERSON: Final = timedelta(days=2)
SLOWLY: Final = timedelta(hours=6)

Answers = dict[Rider, DocumentStatus]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a round of questions leads to: verdicts, what is noted of the doubt, and an alert."""

    verdicts: list[Verdict]
    doubt: dict[str, Any]
    complete: bool
    alert: str | None = None


def ask_about(envelope: ClaimedEnvelope, me: Process, access: Sessions, signer: RsaSigner) -> None:
    """One round of questions about an envelope in doubt, and the step that follows from the answers."""
    with ledger().transaction() as tx:
        riders = verdicts.riders(tx, envelope.id)
        later = attempts.later_processed(tx, envelope.id)
    answers = Asking(envelope, access, signer).each([rider for rider in riders if rider.state == "enveloped"])
    ending = ending_of(envelope, riders, answers, later=later)
    with ledger().transaction() as tx:
        verdicts.decide(tx, envelope.id, ending.verdicts, me.id)
        envelopes.step(tx, envelope.id, envelope.fence, me.id, _step(envelope, ending))
    log.info(
        "envelope.doubt",
        envelope=str(envelope.id),
        verdicts=len(ending.verdicts),
        of=len(riders),
        complete=ending.complete,
        alert=ending.alert,
    )
    if ending.verdicts:
        ring("fmgo.publish")


def ending_of(envelope: ClaimedEnvelope, riders: list[Rider], answers: Answers, *, later: bool) -> Ending:
    """What the answers about an envelope in doubt decide, and what is to be noted of them."""
    doubt = dict(envelope.verdict)
    decided = [_verdict("accepted", rider, answer) for rider, answer in answers.items() if answer.meaning in HELD]
    decided += [
        _verdict("conflict", rider, answer) for rider, answer in answers.items() if answer.meaning == "mismatch"
    ]
    absent = [rider for rider, answer in answers.items() if answer.meaning in NOT_HELD]
    arrived = any(verdict.state == "accepted" for verdict in decided) or any(
        rider.state in ("accepted", "accepted_with_repairs") for rider in riders
    )
    if len(decided) == len(answers):
        return Ending(decided, doubt, complete=True)
    if len(decided) + len(absent) < len(answers) or not _window_is_over(envelope):
        return Ending(decided, doubt, complete=False)
    if arrived:
        rounds = _noted(doubt, "rest_absent_at", envelope.at)
        if len(rounds) < ROUNDS:
            return Ending(decided, doubt, complete=False)
        decided += [_verdict("rejected", rider, answers[rider], reasons=NOT_YET_TOLD) for rider in absent]
        return Ending(decided, doubt, complete=True)
    rounds = _noted(doubt, "absent_at", envelope.at)
    if len(rounds) >= ROUNDS and later:
        doubt["send_once_more"] = True
    stands = rounds[-1] - rounds[0] >= UNTIL_A_PERSON or envelope.verdict.get("sent_again")
    return Ending(decided, doubt, complete=False, alert=alerts.IN_DOUBT if stands else None)


def _step(envelope: ClaimedEnvelope, ending: Ending) -> Step:
    if ending.complete:
        detail = {"reason": "the documents were asked about", "verdicts": len(ending.verdicts)}
        return Step("uncertain", "processed", None, verdict=ending.doubt, detail=detail)
    if ending.doubt.get("send_once_more"):
        return Step("uncertain", "uncertain", 0.0, verdict=ending.doubt, alert=ending.alert)
    slow = ending.alert is not None and envelope.verdict.get("sent_again") is None
    pause = SLOWLY.total_seconds() if slow else min(settings().poll_max_seconds, BETWEEN_ROUNDS.total_seconds())
    return Step("uncertain", "uncertain", pause, verdict=ending.doubt, alert=ending.alert)


def _verdict(state: str, rider: Rider, answer: DocumentStatus, **more: Any) -> Verdict:
    return Verdict(rider.id, state, {**document_said(answer), **more})


def _window_is_over(envelope: ClaimedEnvelope) -> bool:
    """Whether the SII's window for repeated files has passed since the last attempt: only then does absence count."""
    window = timedelta(seconds=settings().dedupe_window_seconds)
    return envelope.last_attempt_at is None or envelope.at - envelope.last_attempt_at >= window


def _noted(doubt: dict[str, Any], name: str, at: datetime) -> list[datetime]:
    """Note a round unless one was noted less than half an hour before; the first and the last ones are kept."""
    rounds = [datetime.fromisoformat(moment) for moment in doubt.get(name, [])]
    if not rounds or at - rounds[-1] >= BETWEEN_ROUNDS:
        rounds.append(at)
    if len(rounds) > ROUNDS_KEPT:
        rounds = [rounds[0], *rounds[1 - ROUNDS_KEPT :]]
    doubt[name] = [moment.isoformat() for moment in rounds]
    return rounds
