"""`fmgo.submit`: sealed envelopes go to the SII; lost answers are asked for until they end.

Before the first byte the attempt is a row and the envelope is `sending`; after it, whatever comes is kept. An answer
that was lost makes the envelope `uncertain`, never `sealed`: identical bytes are sent again while the SII still
recognises them (`STATUS 99` gives the lost track id back); later, and for boletas always first, the SII is asked about
the documents. An envelope in doubt is never rebuilt, and a refusal of a later attempt never ends the doubt.
"""

import time
from datetime import timedelta
from typing import Final

import structlog

from domain.answers.table import alerts, must_do
from domain.answers.upload import UploadAnswer
from tasks.access import sessions, signer_of
from tasks.base import Tools, phase, tools
from tasks.doubt import ask_about
from tasks.taking import AFTER_A_FAULT_SECONDS, give_back, take
from workers.bells import ring
from workers.database import attempts, envelopes, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.exchanges import about_envelope
from workers.pace import SOON_SECONDS, Admission, NotNowError, admitted, service_of, standing
from workers.process import Process, this_process
from workers.queues import worker_kind
from workers.sessions import NoSessionError, Sessions, Token
from workers.settings import settings
from workers.sii import Deadline, Parcel

log: Final = structlog.get_logger(__name__)

ENVELOPES_A_BELL: Final = 10
LATER_SECONDS: Final = 60.0
TRIES_IN_THE_WINDOW: Final = 3
"""So often the same bytes go while the SII recognises them: then the documents are asked about."""
SCHEMA: Final = "upload-7"
"""What the gateway says of a file that isn't as the schema wants it: its halves are tried."""
AFTER_REFUSALS: Final = (0.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
"""Seconds after which an envelope goes again whose token was refused: at once with a new one, then ever later, since
it may be this company's permission, while the person's other companies send well."""
MORE_SLOWLY: Final = 4
"""The third time comes after so many times the pause before the second: at 60 s and at 300 s."""


@phase("fmgo.submit")
def submit() -> None:
    """Take envelopes that are due, one after the other."""
    me = this_process(worker_kind())
    for _ in range(ENVELOPES_A_BELL):
        envelope = take(["sealed", "uncertain"], me, standing("upload").usable)
        if envelope is None:
            return
        submit_one(envelope, me)
    ring("fmgo.submit")


def submit_one(envelope: ClaimedEnvelope, me: Process) -> None:
    """Send an envelope, or end its doubt."""
    with about_envelope(envelope.id, me.id):
        _submit(envelope, me)


def _submit(envelope: ClaimedEnvelope, me: Process) -> None:
    try:
        if envelope.state == "uncertain" and adopt_known_track_id(envelope, me):
            return
        if envelope.state == "uncertain" and not may_send_again(envelope):
            ask_about(envelope, me, sessions(me), signer_of(envelope))
            return
        send(envelope, me, sessions(me))
    except (NoSessionError, NotNowError) as error:
        log.info("submit.not_now", envelope=str(envelope.id), reason=error.reason)
        # What is ready to go stays due: a closed channel's envelopes aren't taken, and then the most urgent goes first.
        ready = envelope.state == "sealed" and isinstance(error, NotNowError)
        give_back(envelope, me, SOON_SECONDS if ready else error.after_seconds, error.service)
    except Exception:
        give_back(envelope, me, AFTER_A_FAULT_SECONDS)
        raise


def adopt_known_track_id(envelope: ClaimedEnvelope, me: Process) -> bool:
    """End the doubt by a track id that came late and was kept with its attempt."""
    with ledger().transaction() as tx:
        track_id = attempts.known_track_id(tx, envelope.id)
        if track_id is None:
            return False
        found = Step("uncertain", "sent", 0.0, track_id=track_id, detail={"late_track_id": track_id})
        adopted = envelopes.step(tx, envelope.id, envelope.fence, me.id, found)
    ring("fmgo.publish")
    return adopted


def may_send_again(envelope: ClaimedEnvelope) -> bool:
    """Whether identical bytes are surely recognised: by SOAP, and within the window of the first try in doubt.

    Nothing goes where a person stopped sending: then only questions are left.

    Nobody knows whether a later try makes the window longer, least of all one that the SII may not have seen. Boletas
    are asked about first: nobody knows whether their service recognises a repeated file at all.
    """
    if envelope.sending_stopped:
        return False
    if envelope.verdict.get("send_once_more"):
        return True
    if envelope.channel != "soap" or envelope.doubt_since is None or envelope.verdict.get("ask_first"):
        return False
    if envelope.doubts >= TRIES_IN_THE_WINDOW:
        return False
    return envelope.at - envelope.doubt_since < timedelta(seconds=surely_recognised())


def surely_recognised() -> float:
    """Seconds after the beginning of an attempt in which DTEUpload surely recognises its bytes."""
    return settings().dedupe_window_seconds - settings().upload_deadline_seconds


def send(envelope: ClaimedEnvelope, me: Process, access: Sessions) -> None:
    """One attempt, when the service may be asked now."""
    token = access.token(envelope.sender, envelope.environment, envelope.channel, signer_of(envelope))
    with admitted(envelope.channel, "upload", me.id, lane=envelope.lane) as admission:
        if admission.probe:
            knock(envelope, admission)
        answer = attempt(envelope, me, access, token)
        if answer is not None:
            # With a receipt the SII says when to ask for the verdict; that is no word about further uploads.
            wait = None if answer.track_id is not None else answer.retry_after
            admission.learn(answered=answer.by_the_service, words=answer.detail, retry_after=wait)


def knock(envelope: ClaimedEnvelope, admission: Admission) -> None:
    """Ask something harmless of a service that brought no answers, before a file goes; raises NotNowError."""
    silence = tools().sii.silence(envelope.channel)
    if silence is not None:
        admission.learn(answered=False, words=silence.words, retry_after=silence.retry_after)
        raise NotNowError(admission.service, silence.words, silence.retry_after or LATER_SECONDS)


def attempt(envelope: ClaimedEnvelope, me: Process, access: Sessions, token: Token) -> UploadAnswer | None:
    """Evidence first, then the bytes, then what came of it; None when the envelope was no longer ours."""
    sending = Step(
        envelope.state,
        "sending",
        settings().lease_seconds,
        keep_lease=True,
        attempted=True,
        verdict={"sent_again": True} if envelope.verdict.get("send_once_more") else None,
        alert=envelope.alert,
    )
    mine = tools()
    began = time.monotonic()
    with ledger().transaction() as tx:
        doubtful = attempts.has_doubtful_attempt(tx, envelope.id)
        if not envelopes.step(tx, envelope.id, envelope.fence, me.id, sending):
            return None
        number = attempts.open_attempt(
            tx, envelope, me.id, mine.sii.upload_address(envelope.channel), settings().upload_deadline_seconds
        )
    with about_envelope(envelope.id, me.id, envelope.attempts + 1):
        answer = _upload(envelope, token, mine, began)
    if answer.outcome == "not_received" and answer.retry == "token":
        # Before the envelope is free again, or whoever takes it next would send with the dead token.
        access.refuse(envelope.sender, envelope.environment, envelope.channel, token)
    elif answer.status or answer.track_id:
        access.taken(envelope.sender, envelope.environment, envelope.channel, token)
    with ledger().transaction() as tx:
        attempts.close_attempt(
            tx,
            number,
            outcome=answer.outcome,
            http_status=answer.http_status,
            sii_status=answer.status,
            track_id=answer.track_id,
            detail=answer.detail,
            answer=answer.body,
        )
        moved = envelopes.step(tx, envelope.id, envelope.fence, me.id, _after(envelope, answer, doubtful=doubtful))
        if moved and answer.outcome == "not_received" and answer.retry == "never" and not doubtful:
            said = {"status": answer.status, "detail": answer.detail, "person": must_do("DTEUpload", answer.status)}
            verdicts.send_back(tx, envelope.id, f"envelope-refused:upload-{answer.status}", said, me.id)
        if not moved and answer.track_id is not None:
            attempts.adopt_late_track_id(tx, envelope.id, answer.track_id)
    if answer.track_id is not None:
        ring("fmgo.publish")
    log.info(
        "envelope.attempt",
        envelope=str(envelope.id),
        outcome=answer.outcome,
        status=answer.status,
        track_id=answer.track_id,
    )
    return answer


def _upload(envelope: ClaimedEnvelope, token: Token, mine: Tools, began: float) -> UploadAnswer:
    """Send within the attempt's own deadline: a process that was paused since it opened the attempt doesn't send."""
    return mine.sii.upload(
        envelope.channel,
        token.value,
        Parcel(envelope.sender, envelope.issuer, envelope.filename, envelope.data),
        Deadline(settings().upload_deadline_seconds, began),
    )


def _after(envelope: ClaimedEnvelope, answer: UploadAnswer, *, doubtful: bool) -> Step:
    """The step that an answer leads to."""
    first_poll = (
        settings().poll_first_seconds_rest if envelope.channel == "rest" else settings().poll_first_seconds_soap
    )
    detail = {"outcome": answer.outcome, "status": answer.status, "detail": answer.detail}
    if answer.track_id is not None:
        return Step("sending", "sent", first_poll, track_id=answer.track_id, detail=detail)
    if answer.outcome == "duplicate":
        # Another upload would be told the same, without a track id again: the documents are asked about.
        ask = {"ask_first": True}
        return Step("sending", "uncertain", settings().resend_after_seconds, verdict=ask, detail=detail)
    if answer.outcome == "unknown" or doubtful:
        pause = settings().resend_after_seconds * (MORE_SLOWLY if envelope.doubts else 1)
        silent = None if answer.by_the_service else service_of(envelope.channel, "upload")
        return Step("sending", "uncertain", pause, detail=detail, alert=envelope.alert, silence=silent)
    if answer.retry == "never":
        state = f"upload-{answer.status}"
        return Step("sending", "refused", 0.0 if state == SCHEMA else None, sii_state=state, detail=detail)
    if answer.retry == "token":
        pause = AFTER_REFUSALS[min(envelope.attempts, len(AFTER_REFUSALS) - 1)]
        alert = alerts.TOKEN_NOT_TAKEN if envelope.attempts else None
        return Step("sending", "sealed", pause, detail=detail, alert=alert)
    return Step("sending", "sealed", answer.retry_after or LATER_SECONDS, detail=detail)
