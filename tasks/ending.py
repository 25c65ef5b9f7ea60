"""How a doubt ends: from what the SII says of an envelope's documents to verdicts, notes and an alert.

If the SII holds any of them, it holds the envelope: those are accepted, and what is absent beside them in two rounds,
half an hour apart, was rejected. Absence of the whole is proven only by two such rounds, after the SII's window for
repeated files, with a later envelope of that channel processed meanwhile; then identical bytes go once more. Other
bytes under a folio are a conflict. A doubt that stands after two days of answers has a named alert.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.answers.document import DocumentStatus
from domain.answers.table import alerts
from tasks.verdict import HELD, NOT_HELD, NOT_YET_TOLD, Outcome, document_said
from workers.database.envelopes import ClaimedEnvelope
from workers.database.verdicts import Rider, Verdict

BETWEEN_ROUNDS: Final = timedelta(minutes=30)
ROUNDS: Final = 2
ROUNDS_KEPT: Final = 6
UNTIL_A_PERSON: Final = timedelta(days=2)
NEVER_BY_THIS: Final = "the folios may have come with an earlier upload whose answer was lost"

Answers = dict[Rider, DocumentStatus]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a round of questions leads to: verdicts, what is noted of the doubt, and an alert."""

    verdicts: list[Verdict]
    doubt: dict[str, Any]
    complete: bool
    alert: str | None = None


def ending_of(
    envelope: ClaimedEnvelope, riders: list[Rider], answers: Answers, *, later: bool, window: timedelta
) -> Ending:
    """What the answers about an envelope in doubt decide, and what is to be noted of them.

    `later`: a later envelope of its channel was processed; `window`: how long the SII recognises a repeated file.
    """
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
    if len(decided) + len(absent) < len(answers) or not _window_is_over(envelope, window):
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


def standing_ends(
    envelope: ClaimedEnvelope, outcome: Outcome, riders: list[Rider], said: dict[str, Any]
) -> list[Verdict]:
    """End what stands: documents that this upload rejected, absent, while another upload may have brought them.

    Beside documents that the SII holds, it has processed the other upload too: after half an hour they are rejected.
    Otherwise they are `conflict` after two days of such answers, for a person to look. `said` takes note of the rounds.
    """
    if not outcome.standing:
        return []
    first = datetime.fromisoformat(envelope.verdict.get("standing_since", envelope.at.isoformat()))
    said["standing_since"] = first.isoformat()
    stood = envelope.at - first
    held = {"accepted", "accepted_with_repairs"}
    arrived = any(verdict.state in held for verdict in outcome.verdicts) or any(r.state in held for r in riders)
    if stood < (BETWEEN_ROUNDS if arrived else UNTIL_A_PERSON):
        return []
    state, more = ("rejected", {"reasons": NOT_YET_TOLD}) if arrived else ("conflict", {"why": NEVER_BY_THIS})
    return [
        Verdict(rider.id, state, {"envelope": said["state"], **document_said(answer), **more})
        for rider, answer in outcome.standing.items()
    ]


def _verdict(state: str, rider: Rider, answer: DocumentStatus, **more: Any) -> Verdict:
    return Verdict(rider.id, state, {**document_said(answer), **more})


def _window_is_over(envelope: ClaimedEnvelope, window: timedelta) -> bool:
    """Whether the SII's window for repeated files has passed since the last attempt: only then does absence count."""
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
