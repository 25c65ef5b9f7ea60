"""`fmgo.claims`: what receivers say of accepted documents is asked for while they may say it, and told.

For eight days (corridos) from the SII's reception, to the end of the eighth in Chile, a receiver may accept a factura,
claim it, or acknowledge its goods; silence is acceptance then (Ley 19.983, art. 3). Each document is asked about at
growing intervals and once after the last moment: only an answer about events given then makes it `deemed_accepted`.
Companies take turns, a few documents a time; a registry that is away uses nothing up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from domain.answers.claims import ClaimEvent, ClaimsAnswer, claim_state
from domain.signature import RsaSigner
from tasks.access import sessions
from tasks.base import CHUNKS_A_BELL, phase, tools
from workers.bells import ring
from workers.database import claim_watches
from workers.database.claim_watches import Watched
from workers.database.engine import ledger
from workers.database.issuers import signers_of
from workers.exchanges import about_document
from workers.pace import Admission, NotNowError, admitted, service_of
from workers.process import Process, this_process
from workers.queues import worker_kind
from workers.sessions import NoSessionError, Sessions, Token
from workers.settings import settings
from workers.vault.sealing import Sealed

log: Final = structlog.get_logger(__name__)

AFTER_THE_LAST_MOMENT: Final = timedelta(hours=1)
"""The last question comes so long after it: our clock and the SII's differ, and events take a while to show."""
GIVEN_UP_AFTER: Final = timedelta(days=30)
"""A registry without an answer about a document so long after its days is asked no more; nothing is said of it."""
SILENT_SECONDS: Final = 900.0
WITHOUT_CERTIFICATE_SECONDS: Final = 3600.0
SILENT_IN_A_ROW: Final = 3


@phase("fmgo.claims")
def claims() -> None:
    """Ask about documents that are due, a company's few at a time."""
    me = this_process(worker_kind())
    for _ in range(CHUNKS_A_BELL):
        with ledger().transaction() as tx:
            watched = claim_watches.take(
                tx, settings().sii_environment, settings().claims_batch, settings().lease_seconds
            )
        if not watched:
            return
        if not ask_about(watched, me):
            return
    ring("fmgo.claims")


def ask_about(watched: list[Watched], me: Process) -> bool:
    """Ask about a company's documents; False when the registry isn't to be asked now. What is left is put back."""
    company = watched[0].issuer, watched[0].environment
    with ledger().statements() as tx:
        sealed = signers_of(tx, [company]).get(company)
    if sealed is None:
        _postpone(watched, WITHOUT_CERTIFICATE_SECONDS)
        log.warning("claims.no_certificate", issuer=company[0])
        return True
    signer = tools().keys.signer(sealed.id, sealed.certificate_der, Sealed(sealed.key_id, sealed.private_key_sealed))
    visit = Visit(sealed.person, company[1], signer, sessions(me), list(watched))
    pause = SILENT_SECONDS
    silence: str | None = service_of("soap", "claims")
    try:
        visit.ask_all()
    except (NoSessionError, NotNowError) as error:
        log.info("claims.not_now", reason=error.reason)
        pause, silence = error.after_seconds, error.service
    finally:
        _postpone(visit.left, pause, silence)
        if visit.told:
            ring("fmgo.publish")
    return not visit.left


@dataclass(slots=True)
class Visit:
    """Questions about documents of one company, with one token; `left` are those without an answer yet."""

    person: str
    environment: str
    signer: RsaSigner
    access: Sessions
    left: list[Watched]
    told: int = 0

    def ask_all(self) -> None:
        """Ask about one after the other until several in a row bring no answer.

        Raises NoSessionError when there is no token to be had, and NotNowError when the registry isn't to be asked.
        """
        token = self._token()
        with admitted("soap", "claims", self.access.worker, requests=len(self.left)) as admission:
            silent = 0
            while self.left and silent < SILENT_IN_A_ROW:
                answer = self._ask(token, admission)
                if answer.meaning == "token":
                    self.access.refuse(self.person, self.environment, "soap", token)
                    token = self._token()
                    answer = self._ask(token, admission)
                self._check(answer, token, admission)
                silent = 0 if answer.code else silent + 1
                if answer.code:
                    self.told += keep(self.left.pop(0), answer)

    def _check(self, answer: ClaimsAnswer, token: Token, admission: Admission) -> None:
        if answer.meaning == "token":
            self.access.refuse(self.person, self.environment, "soap", token)
            raise NoSessionError("a fresh token was refused by the registry of claims", after_seconds=60)
        if answer.retry_after is not None:
            raise NotNowError(admission.service, answer.gloss, answer.retry_after)
        if answer.code:
            self.access.taken(self.person, self.environment, "soap", token)

    def _token(self) -> Token:
        return self.access.token(self.person, self.environment, "soap", self.signer)

    def _ask(self, token: Token, admission: Admission) -> ClaimsAnswer:
        watched = self.left[0]
        with about_document(watched.document_type, watched.folio):
            answer = tools().sii.claim_events(token.value, watched.issuer, watched.document_type, watched.folio)
        admission.learn(answered=bool(answer.code), words=answer.gloss, retry_after=answer.retry_after)
        return answer


def keep(watched: Watched, answer: ClaimsAnswer) -> bool:
    """Keep an answer, tell what is new of the document, and say when it is asked about next."""
    over = watched.at >= watched.until + AFTER_THE_LAST_MOMENT
    with ledger().transaction() as tx:
        claim, told = None, False
        if answer.is_about_events:
            events = claim_watches.keep_events(tx, watched.document_id, answer.events)
            claim = _claim(events, over=over)
            told = claim is not None and claim_watches.tell(tx, watched.document_id, claim)
        claim_watches.answered(tx, watched.document_id, answer.code, answer.gloss, _next(watched, answer, over=over))
    if told or not answer.is_about_events:
        log.info(
            "claims.told" if told else "claims.no_events",
            document=str(watched.document_id),
            code=answer.code,
            said=answer.gloss,
            claim=claim["state"] if told and claim else None,
        )
    return told


def _claim(events: list[ClaimEvent], *, over: bool) -> dict[str, Any] | None:
    """What the result says; None while there is nothing to say."""
    state = claim_state(events, over=over)
    if state is None and not events:
        return None
    said = []
    for event in events:
        moment = event.moment
        at = event.at if moment is None else moment.isoformat()
        said.append({"code": event.code, "text": event.text, "by": event.by, "at": at})
    return {"state": state, "events": said}


def _next(watched: Watched, answer: ClaimsAnswer, *, over: bool) -> datetime | None:
    """When the document is asked about again, None when no more."""
    if answer.meaning == "not_registered" or (over and answer.is_about_events):
        return None
    step = timedelta(seconds=settings().claims_first_seconds * 2 ** min(watched.asked, 10))
    if over:
        after = watched.at + min(step, timedelta(days=1))
        return None if after - watched.until > GIVEN_UP_AFTER else after
    return watched.at + step if watched.at + step < watched.until else watched.until + AFTER_THE_LAST_MOMENT


def _postpone(watched: list[Watched], seconds: float, silence: str | None = None) -> None:
    if watched:
        with ledger().transaction() as tx:
            claim_watches.postpone(tx, [one.document_id for one in watched], seconds, silence)
