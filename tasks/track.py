"""`fmgo.track`: the SII is asked what became of an upload, until every document has its verdict.

A processed envelope whose documents are all accepted is decided by its counters; otherwise each document is asked
about. Absence (FAU) is a rejection only when the number of absent documents equals the number rejected. Unknown codes
are kept and asked about again; they never become a verdict.
"""

from functools import partial
from typing import Final

import structlog

from domain.answers.envelope import EnvelopeStatus
from tasks.asking import ask_each
from tasks.base import phase, tools
from tasks.submit import sessions, signer_of
from tasks.taking import AFTER_A_FAULT_SECONDS, give_back, take
from tasks.verdict import verdict_of
from workers.bells import ring
from workers.database import envelopes, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.pace import NotNowError, admitted, standing
from workers.process import Process, this_process
from workers.queues import worker_kind
from workers.sessions import NoSessionError
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

ENVELOPES_A_BELL: Final = 10


@phase("fmgo.track")
def track() -> None:
    """Ask about envelopes that are due, one after the other."""
    me = this_process(worker_kind())
    for _ in range(ENVELOPES_A_BELL):
        envelope = take(["sent"], me, standing("query").usable)
        if envelope is None:
            return
        try:
            track_one(envelope, me)
        except (NoSessionError, NotNowError) as error:
            give_back(envelope, me, error.after_seconds)
        except Exception:
            give_back(envelope, me, AFTER_A_FAULT_SECONDS)
            raise
    ring("fmgo.track")


def track_one(envelope: ClaimedEnvelope, me: Process) -> None:
    """Ask about one envelope and act on the answer."""
    access = sessions(me)
    token = access.token(envelope.sender, envelope.environment, envelope.channel, signer_of(envelope))
    if envelope.track_id is None:
        msg = f"envelope {envelope.id} is `sent` without a track id"
        raise RuntimeError(msg)
    with admitted(envelope.channel, "query", me.id, lane=envelope.lane) as admission:
        status = tools().sii.envelope_status(envelope.channel, token.value, envelope.issuer, envelope.track_id)
        admission.learn(answered=bool(status.state), words=status.gloss, retry_after=status.retry_after)
    if status.phase == "token":
        access.refuse(envelope.sender, envelope.environment, envelope.channel, token)
        give_back(envelope, me, 0)
    elif status.phase in ("processed", "refused"):
        decide(envelope, me, status)
    else:
        _poll_again(envelope, me, status)


def decide(envelope: ClaimedEnvelope, me: Process, status: EnvelopeStatus) -> None:
    """Give the documents their verdicts; what isn't known yet is asked about again."""
    with ledger().transaction() as tx:
        riders = verdicts.riders(tx, envelope.id)
    ask = partial(ask_each, envelope, access=sessions(me), signer=signer_of(envelope))
    outcome = verdict_of(riders, status, ask)
    said = {"state": status.state, "gloss": status.gloss, "counters": outcome.counters}
    with ledger().transaction() as tx:
        verdicts.decide(tx, envelope.id, outcome.verdicts, me.id)
        if outcome.refused_whole:
            what = Step("sent", "refused", None, sii_state=status.state, verdict=said)
            if envelopes.step(tx, envelope.id, envelope.fence, me.id, what):
                verdicts.send_back(tx, envelope.id, f"envelope-refused:{status.state}", said, me.id)
        elif outcome.complete:
            what = Step("sent", "processed", None, sii_state=status.state, verdict=said)
            envelopes.step(tx, envelope.id, envelope.fence, me.id, what)
        else:
            what = Step("sent", "sent", _pause(envelope), polled=True, sii_state=status.state, verdict=said)
            envelopes.step(tx, envelope.id, envelope.fence, me.id, what)
    log.info(
        "envelope.verdict",
        envelope=str(envelope.id),
        state=status.state,
        verdicts=len(outcome.verdicts),
        complete=outcome.complete,
        refused=outcome.refused_whole,
    )
    ring("fmgo.publish")
    for lane in ("interactive", "bulk"):
        ring("fmgo.dispatch", lane)


def _pause(envelope: ClaimedEnvelope) -> float:
    """Seconds until the next question: longer each time, to half an hour."""
    first = settings().poll_first_seconds_rest if envelope.channel == "rest" else settings().poll_first_seconds_soap
    return min(settings().poll_max_seconds, first * 1.5 ** min(envelope.polls, 20))


def _poll_again(envelope: ClaimedEnvelope, me: Process, status: EnvelopeStatus) -> None:
    with ledger().transaction() as tx:
        again = Step("sent", "sent", _pause(envelope), sii_state=status.state, polled=True)
        envelopes.step(tx, envelope.id, envelope.fence, me.id, again)
