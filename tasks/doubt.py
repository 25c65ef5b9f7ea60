"""Ending the doubt about an upload whose answer was lost, by asking about its documents.

Each round asks about every open document and follows from the answers alone (`tasks.ending`). A doubt that stands for
days is asked about four times a day, and a person may have the bytes sent again (`fmgo envelope resend`).
"""

from datetime import timedelta
from typing import Final

import structlog

from domain.answers.document import DocumentStatus
from domain.signature import RsaSigner
from tasks import afterwards
from tasks.asking import Asking, pause_of, silence_in
from tasks.ending import BETWEEN_ROUNDS, Ending, ending_of
from workers.bells import ring
from workers.database import attempts, envelopes, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.process import Process
from workers.sessions import Sessions
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

SLOWLY: Final = timedelta(hours=6)


def ask_about(envelope: ClaimedEnvelope, me: Process, access: Sessions, signer: RsaSigner) -> None:
    """One round of questions about an envelope in doubt, and the step that follows from the answers."""
    with ledger().transaction() as tx:
        riders = verdicts.riders(tx, envelope.id)
        later = attempts.later_processed(tx, envelope.id)
    window = timedelta(seconds=settings().dedupe_window_seconds)
    answers = Asking(envelope, access, signer).each([rider for rider in riders if rider.state == "enveloped"])
    ending = ending_of(envelope, riders, answers, later=later, window=window)
    with ledger().transaction() as tx:
        verdicts.decide(tx, envelope.id, ending.verdicts, me.id)
        envelopes.step(tx, envelope.id, envelope.fence, me.id, _step(envelope, ending, list(answers.values())))
        afterwards.begin(tx, envelope.id)
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


def _step(envelope: ClaimedEnvelope, ending: Ending, answers: list[DocumentStatus]) -> Step:
    if ending.complete:
        detail = {"reason": "the documents were asked about", "verdicts": len(ending.verdicts)}
        return Step("uncertain", "processed", None, verdict=ending.doubt, detail=detail)
    if ending.doubt.get("send_once_more") and not envelope.sending_stopped:
        return Step("uncertain", "uncertain", 0.0, verdict=ending.doubt, alert=ending.alert)
    slow = ending.alert is not None and envelope.verdict.get("sent_again") is None
    pause = SLOWLY.total_seconds() if slow else min(settings().poll_max_seconds, BETWEEN_ROUNDS.total_seconds())
    silent = silence_in(envelope.channel, answers)
    pause = pause_of(pause, envelope.channel, answers)
    return Step("uncertain", "uncertain", pause, verdict=ending.doubt, alert=ending.alert, silence=silent)
