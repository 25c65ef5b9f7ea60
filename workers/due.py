"""What is due now, as bells would tell it: for the sweep, which rings for it, and for who hears no bells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workers.database import (
    claim_watches,
    claims,
    envelopes,
    mail_sources,
    refused,
    result_mails,
    results,
    sealing,
    wanted_mails,
)
from workers.database.engine import ledger
from workers.pace import standing
from workers.settings import settings


@dataclass(frozen=True, slots=True)
class Due:
    """A phase (and lane) with work, and for how many threads it may be enough."""

    phase: str
    lane: str | None = None
    times: int = 1


def due_now(wanted: Callable[[Due], bool] = lambda _: True) -> Iterator[Due]:
    """Phases and lanes that have due work, of those that are wanted; the ledger isn't asked about others."""
    yield from _documents(wanted)
    if any(wanted(Due(phase)) for phase in ("fmgo.submit", "fmgo.track", "fmgo.publish", "fmgo.mail", "fmgo.claims")):
        yield from filter(wanted, _at_the_sii())


def _documents(wanted: Callable[[Due], bool]) -> Iterator[Due]:
    with ledger().transaction() as tx:
        documents = claims.due_work(tx)
        lost_copies = sealing.any_unevidenced(tx)
    found = {Due("fmgo.dispatch" if evidenced else "fmgo.issue", lane) for lane, _, evidenced in documents}
    if lost_copies:
        found.add(Due("fmgo.dispatch", "bulk"))
    # Tills first, and what is to be issued before what is to be sent.
    yield from sorted(filter(wanted, found), key=lambda due: (due.lane != "interactive", due.phase != "fmgo.issue"))


def _at_the_sii() -> Iterator[Due]:
    environment = settings().sii_environment
    with ledger().transaction() as tx:
        states = envelopes.due_states(tx)
        untold = results.any_untold(tx) or refused.any_untold(tx)
        mails = (
            mail_sources.any_due(tx, environment)
            or result_mails.any_ready(tx, environment)
            or wanted_mails.any_due(tx, environment)
        )
        watched = claim_watches.any_due(tx, environment)
    if states & {"sealed", "uncertain"}:
        yield Due("fmgo.submit", times=4)
    if states & {"sent", "refused"}:
        yield Due("fmgo.track", times=2)
    if untold:
        yield Due("fmgo.publish")
    if mails:
        yield Due("fmgo.mail")
    if watched and "soap" in standing("claims").usable:
        yield Due("fmgo.claims")
