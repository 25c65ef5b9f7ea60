"""`fmgo.sweep`: finds whatever is due and was not rung for, so that everything in Redis may vanish.

Rung every few seconds by every worker; a lease row lets one through. It makes the months ahead, buries processes
without a beat and frees what they held, wakes documents whose cause of waiting was mended, and rings for what is due.
"""

from typing import Final

import redis
import structlog
from sqlalchemy.exc import IntegrityError, ProgrammingError

from tasks.base import phase
from workers.bells import ring
from workers.database import (
    claim_watches,
    claims,
    envelopes,
    mail_sources,
    pace,
    processes,
    readiness,
    refused,
    result_mails,
    results,
    sealing,
    waiting,
    wanted_mails,
)
from workers.database.engine import ledger
from workers.inbox import orphaned_lists, return_lists
from workers.pace import standing
from workers.process import this_process
from workers.queues import worker_kind
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

WAKE_CHUNK: Final = 500


@phase("fmgo.sweep")
def sweep() -> None:
    """Sweep once, unless another process does."""
    me = this_process(worker_kind()).id
    with ledger().transaction() as tx:
        mine = processes.take_lease(tx, "sweep", me, settings().sweep_seconds * 0.9)
    if mine:
        sweep_once()


def sweep_once() -> None:
    """Everything a sweep does, in order."""
    make_months()
    free_the_dead()
    with ledger().transaction() as tx:
        woken = waiting.wake_waiting(tx, WAKE_CHUNK) + readiness.wake_obstructed(tx, WAKE_CHUNK)
    if woken:
        log.info("sweep.woken", documents=woken)
    ring_what_is_due()


def make_months() -> None:
    """Make the months ahead; that it fails (rows in a default partition) keeps nobody from the rest of the sweep."""
    try:
        with ledger().transaction() as tx:
            processes.make_partitions(tx)
    except (ProgrammingError, IntegrityError):
        log.exception("sweep.no_months_ahead")


def free_the_dead() -> None:
    """Bury processes without a beat and free what they held: documents, envelopes, bodies taken from the list."""
    with ledger().transaction() as tx:
        dead = processes.bury(tx, settings().dead_after_seconds)
    if dead:
        with ledger().transaction() as tx:
            pace.forget_the_dead(tx)
        log.warning("sweep.dead_processes", workers=dead)
    with ledger().transaction() as tx:
        documents = claims.release_dead(tx, quarantine_after=settings().quarantine_after_deaths)
        sent = envelopes.release_dead(
            tx, grace_seconds=settings().upload_grace_seconds, recheck_seconds=settings().resend_after_seconds
        )
    if documents or sent:
        log.warning("sweep.freed", documents=documents, envelopes=sent)
    try:
        holders = orphaned_lists()
        with ledger().transaction() as tx:
            gone = processes.stopped(tx, holders)
        returned = return_lists(gone)
    except redis.RedisError as error:
        log.warning("sweep.redis_away", error=type(error).__name__)
        return
    if returned:
        log.warning("sweep.returned", bodies=returned, workers=gone)


def ring_what_is_due() -> None:
    """Ring every phase and lane that has due work."""
    with ledger().transaction() as tx:
        documents = claims.due_work(tx)
        states = envelopes.due_states(tx)
        untold = results.any_untold(tx) or refused.any_untold(tx)
        lost_copies = sealing.any_unevidenced(tx)
        environment = settings().sii_environment
        mails = (
            mail_sources.any_due(tx, environment)
            or result_mails.any_ready(tx, environment)
            or wanted_mails.any_due(tx, environment)
        )
        watched = claim_watches.any_due(tx, environment)
    for lane, _, evidenced in documents:
        ring("fmgo.dispatch" if evidenced else "fmgo.issue", lane)
    if lost_copies:
        ring("fmgo.dispatch", "bulk")
    if states & {"sealed", "uncertain"}:
        ring("fmgo.submit", times=4)
    if states & {"sent", "refused"}:
        ring("fmgo.track", times=2)
    if untold:
        ring("fmgo.publish")
    if mails:
        ring("fmgo.mail")
    if watched and "soap" in standing("claims").usable:
        ring("fmgo.claims")
