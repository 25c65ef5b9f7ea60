"""`fmgo.mail`: the SII's result mails are read, joined to their uploads, and asked for again where they don't come.

Each company's sources are looked into when they are due; nothing in them is changed. A mail is told to its documents
once they have their verdicts. Where reasons are missing for hours after a verdict, the SII is asked to send its mail
again, a few times, each time later; then a person is.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from domain.answers.result_mail import ResultMail
from domain.answers.table import alerts
from tasks.access import sessions
from tasks.base import phase, tools
from tasks.mail_verdicts import telling_of
from workers.bells import ring
from workers.database import mail_sources, result_mails, verdicts, wanted_mails
from workers.database.engine import ledger
from workers.database.issuers import certificate
from workers.database.mail_sources import Source
from workers.database.result_mails import Ready
from workers.database.verdicts import Verdict
from workers.database.wanted_mails import Wanted
from workers.exchanges import about_envelope
from workers.mail.errors import MailSourceError
from workers.mail.receiving import look
from workers.pace import NotNowError, admitted, service_of
from workers.process import Process, this_process
from workers.queues import worker_kind
from workers.sessions import NoSessionError
from workers.settings import settings
from workers.vault.sealing import Sealed

log: Final = structlog.get_logger(__name__)

SOURCES_A_BELL: Final = 20
MAILS_A_CHUNK: Final = 20
LONGEST_PAUSE_SECONDS: Final = 3600.0
SILENT_SECONDS: Final = 1800.0
"""Before the next question where the service had no answer; those don't count."""
MAIL: Final = service_of("soap", "mail")
GIVEN_UP_AFTER: Final = timedelta(days=14)


@phase("fmgo.mail")
def mail() -> None:
    """Look into sources, tell what has come, and ask for what hasn't."""
    me = this_process(worker_kind())
    tell_all(me)
    for _ in range(SOURCES_A_BELL):
        with ledger().transaction() as tx:
            source = mail_sources.take(tx, settings().sii_environment, settings().lease_seconds)
        if source is None:
            break
        if look_into(source):
            tell_all(me)
            ring("fmgo.track")
    ask_again(me)


def look_into(source: Source) -> int:
    """Read what is new in a source; how many mails were kept."""
    try:
        kept, more = look(ledger(), tools().vault, settings(), source)
        problem, pause = None, 0.0 if more else settings().mail_seconds
    except MailSourceError as error:
        kept, problem = 0, str(error)
        pause = min(LONGEST_PAUSE_SECONDS, settings().mail_seconds * 2 ** min(source.failures + 1, 12))
        log.warning("mail.source_fails", source=source.id, issuer=source.issuer, problem=problem)
    with ledger().transaction() as tx:
        mail_sources.done(tx, source.id, problem, pause)
    return kept


def tell_all(me: Process) -> None:
    """Tell every mail whose upload has its verdict."""
    told = 0
    while True:
        with ledger().transaction() as tx:
            ready = result_mails.ready(tx, settings().sii_environment, MAILS_A_CHUNK)
            for one in ready:
                tell(tx, one, me)
        told += len(ready)
        if len(ready) < MAILS_A_CHUNK:
            break
    if told:
        ring("fmgo.publish")


def tell(tx: Connection, one: Ready, me: Process) -> None:
    """Tell one mail to the documents of its upload."""
    said = ResultMail.from_dict(one.said)
    telling = telling_of(said, result_mails.decided(tx, one.envelope), one.counters)
    result_mails.explain(tx, telling.explained)
    repaired = [Verdict(document.id, document.state, document.verdict) for document in telling.repaired]
    verdicts.decide(tx, one.envelope, repaired, me.id)
    if said.errors:
        result_mails.explain_envelope(tx, one.envelope, [asdict(error) for error in said.errors])
    wanted_mails.end_if_told(tx, one.envelope, alerts.NO_REASONS)
    outcome: result_mails.Outcome = "contradicts" if telling.contradictions else "told"
    note = "; ".join(telling.contradictions[:20]) or None
    result_mails.settle(tx, one.id, one.envelope, outcome, note)
    facts = {"mail": one.id, "envelope": str(one.envelope), "track_id": said.track_id, "note": note}
    if telling.contradictions:
        log.warning("mail.contradicts", **facts)
    else:
        log.info("mail.told", explained=len(telling.explained), repaired=len(repaired), **facts)


def ask_again(me: Process) -> None:
    """Ask the SII for mails that didn't come."""
    while True:
        with ledger().transaction() as tx:
            wanted = wanted_mails.take(tx, settings().sii_environment, settings().lease_seconds)
            if wanted is None:
                return
            if not wanted.missing:
                wanted_mails.end_if_told(tx, wanted.envelope, alerts.NO_REASONS)
                continue
            enough = wanted.asked >= settings().mail_again_times or wanted.waited >= GIVEN_UP_AFTER
            if enough or not wanted.read:
                wanted_mails.end(tx, wanted.envelope, alerts.NO_REASONS)
                log.warning("mail.no_reasons", envelope=str(wanted.envelope), asked=wanted.asked, read=wanted.read)
                continue
        try:
            with about_envelope(wanted.envelope, me.id):
                ask_for(wanted, me)
        except (NoSessionError, NotNowError) as error:
            with ledger().transaction() as tx:
                wanted_mails.asked(tx, wanted.envelope, "", error.reason, error.after_seconds, silence=error.service)
            return


def ask_for(wanted: Wanted, me: Process) -> None:
    """Ask for one mail, and keep what the SII says."""
    with ledger().transaction() as tx:
        sealed = certificate(tx, wanted.certificate)
    signer = tools().keys.signer(sealed.id, sealed.certificate_der, Sealed(sealed.key_id, sealed.private_key_sealed))
    access = sessions(me)
    token = access.token(wanted.sender, wanted.environment, "soap", signer)
    with admitted("soap", "mail", me.id) as admission:
        answer = tools().sii.mail_again(token.value, wanted.issuer, wanted.track_id)
        admission.learn(answered=bool(answer.code), words=answer.gloss, retry_after=answer.retry_after)
    if answer.meaning == "token":
        access.refuse(wanted.sender, wanted.environment, "soap", token)
        raise NoSessionError("the token was refused", after_seconds=1)
    if answer.code:
        access.taken(wanted.sender, wanted.environment, "soap", token)
    log.info("mail.asked_again", envelope=str(wanted.envelope), code=answer.code, said=answer.gloss)
    if answer.meaning == "refused":
        with ledger().transaction() as tx:
            wanted_mails.asked(tx, wanted.envelope, answer.code, answer.gloss, None)
            wanted_mails.end(tx, wanted.envelope, alerts.NO_REASONS)
        return
    pause = settings().mail_again_seconds * 2 ** (wanted.asked + 1) if answer.code else SILENT_SECONDS
    with ledger().transaction() as tx:
        silent = None if answer.code else MAIL
        wanted_mails.asked(tx, wanted.envelope, answer.code, answer.gloss, pause, silence=silent)
