"""`fmgo.track`: the SII is asked what became of an upload, until every document has its verdict.

A processed envelope whose documents are all accepted is decided by its counters; otherwise each document is asked
about. Absence (FAU) is a rejection only when the number of absent documents equals the number rejected. An envelope may
have several track ids; the best of what they say holds. Unknown codes are kept and asked about again; they never become
a verdict. What stays without one has a named alert, and is asked about every half hour.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog

from domain.answers.document import DocumentStatus
from domain.answers.envelope import EnvelopeStatus
from domain.answers.reading import named_track_id
from domain.answers.result_mail import ResultMail
from domain.answers.table import alerts, must_do
from tasks import afterwards
from tasks.access import sessions, signer_of
from tasks.asking import Asking, pause_of, silence_in
from tasks.base import phase, tools
from tasks.ending import UNTIL_A_PERSON, standing_ends
from tasks.halves import SCHEMA_REFUSALS, halve
from tasks.mail_verdicts import mailed_of
from tasks.submit import surely_recognised
from tasks.taking import AFTER_A_FAULT_SECONDS, give_back, take
from tasks.verdict import REPEATED_ENVELOPE, verdict_of
from workers.bells import ring
from workers.database import attempts, envelopes, result_mails, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.database.verdicts import Rider
from workers.exchanges import about_envelope
from workers.pace import NotNowError, admitted, service_of, standing
from workers.process import Process, this_process
from workers.queues import worker_kind
from workers.sessions import NoSessionError, Token
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

ENVELOPES_A_BELL: Final = 10


@phase("fmgo.track")
def track() -> None:
    """Ask about envelopes that are due, one after the other."""
    me = this_process(worker_kind())
    for _ in range(ENVELOPES_A_BELL):
        envelope = take(["sent", "refused"], me, standing("query").usable)
        if envelope is None:
            return
        try:
            with about_envelope(envelope.id, me.id):
                if envelope.state == "refused":
                    halve(envelope, me)
                else:
                    track_one(envelope, me)
        except (NoSessionError, NotNowError) as error:
            give_back(envelope, me, error.after_seconds, error.service)
        except Exception:
            give_back(envelope, me, AFTER_A_FAULT_SECONDS)
            raise
    ring("fmgo.track")


def track_one(envelope: ClaimedEnvelope, me: Process) -> None:
    """Ask about one envelope and act on the answer."""
    access = sessions(me)
    token = access.token(envelope.sender, envelope.environment, envelope.channel, signer_of(envelope))
    track_id, status = best_of_uploads(envelope, token, me.id)
    if status.phase == "token":
        access.refuse(envelope.sender, envelope.environment, envelope.channel, token)
        if token.doubted:  # a fresh one: more slowly each time
            _poll_again(envelope, me, status)
        else:
            give_back(envelope, me, 0)
        return
    if status.state:
        access.taken(envelope.sender, envelope.environment, envelope.channel, token)
    if status.phase in ("processed", "refused"):
        decide(envelope, me, track_id, status)
    else:
        _poll_again(envelope, me, status)


def best_of_uploads(envelope: ClaimedEnvelope, token: Token, worker: int) -> tuple[str, EnvelopeStatus]:
    """The track id that says most and what it says: others than the envelope's own are asked about where it's bad.

    Accepted documents count before an upload in process, that one before rejected ones, and these before a refusal.
    """
    own = envelope.track_id
    if own is None:
        msg = f"envelope {envelope.id} is `sent` without a track id"
        raise RuntimeError(msg)
    best = own, _ask(envelope, token, worker, own)
    if _worth(best[1]) == _ACCEPTED:
        return best
    with ledger().transaction() as tx:
        others = [number for number in attempts.track_ids(tx, envelope.id) if number != own]
    for number in others:
        status = _ask(envelope, token, worker, number)
        if status.phase == "token" or _worth(status) > _worth(best[1]):
            best = number, status
    return best


def _ask(envelope: ClaimedEnvelope, token: Token, worker: int, track_id: str) -> EnvelopeStatus:
    with admitted(envelope.channel, "query", worker, lane=envelope.lane) as admission:
        status = tools().sii.envelope_status(envelope.channel, token.value, envelope.issuer, track_id)
        admission.learn(
            answered=bool(status.state) or status.phase == "token", words=status.gloss, retry_after=status.retry_after
        )
        return status


_ACCEPTED: Final = 3


def _worth(status: EnvelopeStatus) -> int:
    if status.phase == "processed":
        return _ACCEPTED if status.accepted + status.repaired else 1
    return 0 if status.phase == "refused" else 2


def decide(envelope: ClaimedEnvelope, me: Process, track_id: str, status: EnvelopeStatus) -> None:
    """Give the documents their verdicts; what isn't known yet is asked about again."""
    with ledger().transaction() as tx:
        riders = verdicts.riders(tx, envelope.id)
        another = attempts.another_upload_is_possible(tx, envelope.id, surely_recognised())
        mails = [ResultMail.from_dict(said) for said in result_mails.said_of(tx, envelope.id, track_id)]
    asking = Asking(envelope, sessions(me), signer_of(envelope))
    answers: dict[Rider, DocumentStatus] = {}

    def ask(doubtful: Sequence[Rider]) -> dict[Rider, DocumentStatus]:
        found = asking.each(doubtful)
        answers.update(found)
        return found

    outcome = verdict_of(riders, status, ask, another=another, mailed=mailed_of(mails, status.counters))
    said: dict[str, Any] = {"state": status.state, "gloss": status.gloss, "counters": outcome.counters}
    if status.state == REPEATED_ENVELOPE:
        first = first_upload(status, answers.values())
        if first is not None and first not in (track_id, envelope.verdict.get("first_track_id")):
            said["first_track_id"] = track_id = first
    ends = standing_ends(envelope, outcome, riders, said)
    with ledger().transaction() as tx:
        verdicts.decide(tx, envelope.id, [*outcome.verdicts, *ends], me.id)
        if outcome.refused_whole:
            halved = 0.0 if status.state in SCHEMA_REFUSALS else None
            said["person"] = must_do("QueryEstUp", status.state)
            what = Step("sent", "refused", halved, track_id=track_id, sii_state=status.state, verdict=said)
            if envelopes.step(tx, envelope.id, envelope.fence, me.id, what):
                verdicts.send_back(tx, envelope.id, f"envelope-refused:{status.state}", said, me.id)
        elif outcome.complete or ends:
            what = Step("sent", "processed", None, track_id=track_id, sii_state=status.state, verdict=said)
            envelopes.step(tx, envelope.id, envelope.fence, me.id, what)
        else:
            alert = alerts.REJECTED_IN_DOUBT if outcome.standing else _alert(envelope, status)
            again = Step(
                "sent",
                "sent",
                pause_of(_pause(envelope), envelope.channel, answers.values()),
                polled=True,
                track_id=said.get("first_track_id"),
                sii_state=status.state,
                verdict=said,
                alert=alert,
                silence=silence_in(envelope.channel, answers.values()),
            )
            envelopes.step(tx, envelope.id, envelope.fence, me.id, again)
        afterwards.begin(tx, envelope.id)
    log.info(
        "envelope.verdict",
        envelope=str(envelope.id),
        state=status.state,
        verdicts=len(outcome.verdicts) + len(ends),
        complete=outcome.complete,
        refused=outcome.refused_whole,
    )
    ring("fmgo.publish")
    if outcome.refused_whole and status.state in SCHEMA_REFUSALS:
        ring("fmgo.track")
    if mails:
        ring("fmgo.mail")
    for lane in ("interactive", "bulk"):
        ring("fmgo.dispatch", lane)


def first_upload(status: EnvelopeStatus, answers: Iterable[DocumentStatus]) -> str | None:
    """Track id of the upload that came first, of an envelope that was repeated: as the SII's words or documents say."""
    told = {answer.track_id for answer in answers if answer.track_id is not None}
    return named_track_id(status.gloss) or min(told, key=int, default=None)


def _alert(envelope: ClaimedEnvelope, status: EnvelopeStatus) -> str | None:
    """What a person should look at: an answer that waiting doesn't mend, or two days without a verdict."""
    if status.phase == "token":
        return alerts.TOKEN_NOT_TAKEN
    if status.alert:
        return f"sii-{status.state}"
    waited = envelope.sent_at is not None and envelope.at - envelope.sent_at >= UNTIL_A_PERSON
    return alerts.NO_VERDICT if waited else None


def _pause(envelope: ClaimedEnvelope) -> float:
    """Seconds until the next question: longer each time, to half an hour."""
    first = settings().poll_first_seconds_rest if envelope.channel == "rest" else settings().poll_first_seconds_soap
    return min(settings().poll_max_seconds, first * 1.5 ** min(envelope.polls, 20))


def _poll_again(envelope: ClaimedEnvelope, me: Process, status: EnvelopeStatus) -> None:
    with ledger().transaction() as tx:
        alert = _alert(envelope, status)
        silent = None if status.state else service_of(envelope.channel, "query")
        pause = _pause(envelope) if status.state else min(_pause(envelope), settings().sii_longest_pause_seconds)
        again = Step("sent", "sent", pause, sii_state=status.state, polled=True, alert=alert, silence=silent)
        envelopes.step(tx, envelope.id, envelope.fence, me.id, again)
