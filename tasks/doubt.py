"""Ending the doubt about an upload whose answer was lost, by asking about its documents.

If the SII holds any of them, it holds the envelope: those are accepted and the others are asked about again. Absence
is proven only by two rounds in which every document is absent, at least half an hour apart and after the SII's window
for repeated files, with a later envelope of that channel processed meanwhile; then identical bytes go once more.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from domain.signature import RsaSigner
from tasks.asking import ask_each
from tasks.verdict import HELD
from workers.bells import ring
from workers.database import attempts, envelopes, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.database.verdicts import Verdict
from workers.process import Process
from workers.sessions import Sessions
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

BETWEEN_ROUNDS: Final = timedelta(minutes=30)
ROUNDS: Final = 2


def ask_about(envelope: ClaimedEnvelope, me: Process, access: Sessions, signer: RsaSigner) -> None:
    """One round of questions about an envelope in doubt, and the step that follows from the answers."""
    with ledger().transaction() as tx:
        riders = verdicts.riders(tx, envelope.id)
        later = attempts.later_processed(tx, envelope.id)
    undecided = [rider for rider in riders if rider.state == "enveloped"]
    answers = ask_each(envelope, undecided, access, signer)
    held = [
        Verdict(rider.id, "accepted", {"document": answer.code, "text": answer.gloss})
        for rider, answer in answers.items()
        if answer.meaning in HELD
    ]
    absent = all(answer.meaning == "absent" for answer in answers.values()) and len(undecided) == len(riders)
    doubt = dict(envelope.verdict)
    if absent:
        doubt = _round(envelope, doubt, later=later)
    with ledger().transaction() as tx:
        verdicts.decide(tx, envelope.id, held, me.id)
        if len(held) == len(undecided):
            detail = {"reason": "the SII holds every document"}
            what = Step("uncertain", "processed", None, verdict=doubt, detail=detail)
        else:
            pause = 0.0 if doubt.get("send_once_more") else min(settings().poll_max_seconds, BETWEEN_ROUNDS.seconds)
            what = Step("uncertain", "uncertain", pause, verdict=doubt)
        envelopes.step(tx, envelope.id, envelope.fence, me.id, what)
    log.info("envelope.doubt", envelope=str(envelope.id), held=len(held), of=len(riders), absent=absent)
    if held:
        ring("fmgo.publish")


def _round(envelope: ClaimedEnvelope, doubt: dict[str, Any], *, later: bool) -> dict[str, Any]:
    """Note a round in which every document was absent; `send_once_more` when that proves absence."""
    window = timedelta(seconds=settings().dedupe_window_seconds)
    if envelope.last_attempt_at is not None and envelope.at - envelope.last_attempt_at < window:
        return doubt
    rounds = [datetime.fromisoformat(moment) for moment in doubt.get("absent_at", [])]
    if not rounds or envelope.at - rounds[-1] >= BETWEEN_ROUNDS:
        rounds.append(envelope.at)
    doubt["absent_at"] = [moment.isoformat() for moment in rounds]
    if len(rounds) >= ROUNDS and later:
        doubt["send_once_more"] = True
    return doubt
