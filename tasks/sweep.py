"""`fmgo.sweep`: finds whatever is due and was not rung for, so that everything in Redis may vanish.

Rung every few seconds by every worker; a lease row lets one through. It makes the months ahead, frees what dead
processes held, wakes documents whose cause of waiting was mended, and rings for what is due.
"""

from typing import Final

import redis
import structlog
from sqlalchemy.exc import IntegrityError, ProgrammingError

from tasks.base import phase
from workers.bells import not_rung, ring
from workers.database import claims, envelopes, pace, processes, readiness, waiting
from workers.database.engine import ledger
from workers.due import due_now
from workers.inbox import orphaned_lists, return_lists
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
    """Free what dead processes held: documents, envelopes, bodies taken from the list.

    Who is dead is said by those who watch (`workers.process`), which the sweep is too seldom and too irregular for.
    """
    with ledger().transaction() as tx:
        pace.forget_the_dead(tx)
    with ledger().transaction() as tx:
        documents = claims.release_dead(tx, quarantine_after=settings().quarantine_after_deaths)
        sent = envelopes.release_dead(
            tx, grace_seconds=settings().upload_grace_seconds, recheck_seconds=settings().resend_after_seconds
        )
        forgotten = claims.release_forgotten(tx)
    if forgotten:
        log.warning("sweep.forgotten", documents=forgotten)
    if documents or sent:
        log.warning("sweep.freed", documents=documents, envelopes=sent)
    try:
        holders = orphaned_lists()
        with ledger().transaction() as tx:
            gone = processes.stopped(tx, holders)
        returned = return_lists(gone)
    except (redis.RedisError, OSError) as error:
        not_rung(error)
        return
    if returned:
        log.warning("sweep.returned", bodies=returned, workers=gone)


def ring_what_is_due() -> None:
    """Ring every phase and lane that has due work."""
    for due in due_now():
        ring(due.phase, due.lane, due.times)
