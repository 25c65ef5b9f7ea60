"""How fast and when the SII is asked: rate, open requests and breaker of each service, shared by all workers.

`admitted` lets a request through or raises `NotNowError`, and then the work is put back. Tills come first: bulk may
use only a part of the burst and of the open requests. A service that brings no answer several times in a row is closed,
and all of a host are when one asks to wait (Retry-After); when the pause is over one request probes it, and a harmless
one goes ahead of an upload. When it answers again, what waited because of its silence is due at once. Limits: the SII
publishes none; it controls rates by address and asks to honour Retry-After (API of boletas).
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from workers.activity import activity
from workers.database import pace, silence
from workers.database.engine import ledger
from workers.database.pace import Ask, Learnt, Limits, Pauses
from workers.database.sealing import Channel
from workers.process import surely
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

Request = Literal["login", "upload", "query", "mail", "claims"]

HOSTS: Final[dict[Channel, str]] = {"soap": "dte", "rest": "boleta"}
APART: Final[dict[Request, str]] = {"mail": "dte.correo", "claims": "reclamo.query"}
"""Services with breakers of their own: the verdicts don't wait for them."""
TOGETHER: Final = (
    frozenset({"dte.login", "dte.upload", "dte.query", APART["mail"]}),
    frozenset({"boleta.login", "boleta.query"}),
)
"""Services of one host."""
CHANNELS: Final[frozenset[Channel]] = frozenset(HOSTS)
BULK_SHARE: Final = 0.75
"""Part of the burst and of the open requests that bulk may use, so that a till finds room."""
BURST_REQUESTS: Final = 20
OPEN_CLAIMS: Final = 2
"""Questions about claims that may be open at a time: nobody waits for them."""
SOON_SECONDS: Final = 1.0
FAULT_CHARACTERS: Final = 200


class NotNowError(Exception):
    """A service isn't to be asked now. Put the work back; nothing was tried and nothing is used up."""

    code: Final = "SII-NOT-NOW"
    retry_helps: Final = True

    def __init__(self, service: str, reason: str, after_seconds: float) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.reason = reason
        self.after_seconds = after_seconds


def service_of(channel: Channel, request: Request) -> str:
    """Name of the service that takes such requests, e.g. ``dte.upload`` or ``boleta.query``."""
    return APART.get(request) or f"{HOSTS[channel]}.{request}"


def beside(service: str) -> list[str]:
    """The other services of a service's host, which asks to wait for all: boletas' files have a host of their own."""
    return next((sorted(host - {service}) for host in TOGETHER if service in host), [])


@dataclass(slots=True)
class Admission:
    """A request that was let through; whoever makes it says what it showed, else nothing was learnt."""

    service: str
    probe: bool
    learnt: Learnt | None = field(default=None)

    def learn(self, *, answered: bool, words: str, retry_after: float | None = None) -> None:
        """Say whether the service itself answered, whatever it said; `retry_after` seconds when it asks to wait."""
        asked = retry_after is not None
        fault = None if answered and not asked else words[:FAULT_CHARACTERS] or "it asked to wait"
        self.learnt = Learnt(fault, retry_after)


@contextmanager
def admitted(
    channel: Channel, request: Request, worker: int, *, lane: str = "bulk", requests: int = 1
) -> Iterator[Admission]:
    """Make a request (or so many, one after the other) while the block runs; raises NotNowError."""
    activity().step()
    ask = Ask(settings().sii_environment, service_of(channel, request), worker, uuid.uuid4().hex)
    try:
        with ledger().statements() as tx:
            probe = pace.enter(tx, ask, limits(request, lane), requests)
    except SQLAlchemyError:
        surely(lambda tx: pace.withdraw(tx, ask))
        raise
    if probe is None:
        raise _not_now(ask)
    admission = Admission(ask.service, probe)
    try:
        yield admission
    finally:
        surely(lambda tx: _leave(tx, ask, admission.learnt))


def limits(request: Request, lane: str) -> Limits:
    """What a request of a lane may find."""
    chosen = settings()
    uploads = request == "upload"
    if request == "claims":
        each = 60 / chosen.sii_claims_per_minute
        return Limits(each, each * BURST_REQUESTS, OPEN_CLAIMS)
    each = 60 / (chosen.sii_uploads_per_minute if uploads else chosen.sii_queries_per_minute)
    open_requests = chosen.sii_open_uploads if uploads else chosen.sii_open_queries
    share = BULK_SHARE if lane == "bulk" else 1.0
    return Limits(each, each * BURST_REQUESTS * share, max(1, int(open_requests * share)))


@dataclass(frozen=True, slots=True)
class Standing:
    """Channels by how a kind of request stands: `open`, or on `trial`: closed, and one request may see how it is."""

    open: frozenset[Channel]
    trial: frozenset[Channel]

    @property
    def usable(self) -> frozenset[Channel]:
        """Channels in which something may be asked."""
        return self.open | self.trial


def standing(request: Request) -> Standing:
    """How both channels stand for a kind of request.

    While the login is closed nothing is asked, for its host is away; when its pause is over whoever needs a token tries
    it, and who has one isn't held up.
    """
    with ledger().statements() as tx:
        shut = pace.closed(tx, settings().sii_environment)
    opened: set[Channel] = set()
    trial: set[Channel] = set()
    for channel in CHANNELS:
        login, own = (shut.get(service_of(channel, kind)) for kind in ("login", request))
        if (login is not None and login.seconds > 0) or (own is not None and own.seconds > 0):
            continue
        (opened if own is None else trial).add(channel)
    return Standing(frozenset(opened), frozenset(trial))


def _not_now(ask: Ask) -> NotNowError:
    with ledger().statements() as tx:
        shut = pace.closed(tx, ask.environment).get(ask.service)
    if shut is None:
        return NotNowError(ask.service, "enough requests are open or were made lately", SOON_SECONDS)
    return NotNowError(ask.service, shut.reason, max(SOON_SECONDS, shut.seconds))


def _leave(tx: Connection, ask: Ask, learnt: Learnt | None) -> None:
    if learnt is None:
        pace.withdraw(tx, ask)
        return
    chosen = settings()
    pauses = Pauses(chosen.sii_faults, chosen.sii_pause_seconds, chosen.sii_longest_pause_seconds)
    turn = pace.leave(tx, ask, learnt, pauses)
    if learnt.retry_after is not None:
        pace.wait(tx, ask.environment, beside(ask.service), learnt.retry_after, learnt.fault)
    if turn.closed_until is not None and turn.closed_until != turn.was_closed_until:
        until = turn.closed_until.isoformat(timespec="seconds")
        log.warning("sii.closed", service=ask.service, until=until, reason=learnt.fault)
    elif turn.closed_until is None and turn.was_closed_until is not None:
        log.warning("sii.open_again", service=ask.service)
    if turn.answers_again:
        woken = silence.wake(tx, ask.environment, ask.service, _hear(ask.service), chosen.resend_after_seconds)
        if woken:
            log.info("sii.answers_again", service=ask.service, woken=woken)


def _hear(service: str) -> list[str]:
    """The services that most likely answer, too, when this one does: those of its host that have no breaker apart."""
    apart = set(APART.values())
    return [] if service in apart else [one for one in beside(service) if one not in apart]
