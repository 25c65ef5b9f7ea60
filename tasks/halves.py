"""After a refusal for the schema: halves are tried by themselves until the culprit stands alone.

No document of the envelope was received then, whatever else is in it, so the good ones are sent again without the bad
one: same bytes, in halves, each of which may be refused and halved in turn. Every document was asked about before (the
SII may hold it by another upload). A document that is refused alone is held `schema-refused` for a person. What is
tried has an end: where halves and quarters are refused and none is taken, the fault is in all of them, or in FMgo.
"""

from typing import Final

import structlog

from domain.answers.table import alerts
from tasks.access import sessions, signer_of
from tasks.asking import Asking
from tasks.submit import SCHEMA
from tasks.verdict import NOT_HELD
from workers.bells import ring
from workers.database import envelopes, halves, verdicts
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step
from workers.database.halves import Tried
from workers.database.verdicts import Rider
from workers.process import Process
from workers.settings import settings

log: Final = structlog.get_logger(__name__)

SCHEMA_REFUSALS: Final = frozenset({"RSC", SCHEMA})
QUARTERS: Final = 2
"""So deep it is tried in any case; deeper only when the SII has taken one of the parts."""
CULPRITS_FOUND: Final = 4
"""So many culprits of an envelope are looked for; each takes two halves for every halving."""
QUESTIONS: Final = 10


def halve(envelope: ClaimedEnvelope, me: Process) -> None:
    """Take the next step with the documents of an envelope that was refused for its schema."""
    with ledger().transaction() as tx:
        suspects = verdicts.sent_back(tx, envelope.id)
        tried = halves.tried(tx, envelope.id)
    asked = "state" in envelope.verdict  # a refusal that was asked for; the gateway's own comes without questions
    if not asked and not _absent(envelope, me, suspects):
        return
    in_vain = tried.depth >= QUARTERS and not tried.processed
    if in_vain and tried.made > tried.refused:  # what becomes of the other parts says where the fault is
        _again(envelope, me, _pause(envelope))
        return
    alert = None
    with ledger().transaction() as tx:
        if suspects and (in_vain or tried.made >= _most(tried)):
            alert = alerts.REFUSED_THROUGHOUT
        elif len(suspects) == 1:
            halves.put_aside(tx, suspects[0].id)
        elif suspects:
            middle = (len(suspects) + 1) // 2
            for part in (suspects[:middle], suspects[middle:]):
                halves.try_half(tx, envelope.id, tried, [rider.id for rider in part], me.id)
        done = Step("refused", "refused", None, alert=alert)
        if not envelopes.step(tx, envelope.id, envelope.fence, me.id, done):
            msg = f"envelope {envelope.id} is no longer this process's"
            raise RuntimeError(msg)
    log.info("envelope.halved", envelope=str(envelope.id), documents=len(suspects), made=tried.made, alert=alert)
    ring("fmgo.dispatch", envelope.lane)
    ring("fmgo.publish")


def _most(tried: Tried) -> int:
    """How many parts of an envelope are tried at most."""
    return 2 * CULPRITS_FOUND * max(1, (tried.documents - 1).bit_length())


def _pause(envelope: ClaimedEnvelope) -> float:
    """Seconds until the next look: longer each time, to half an hour."""
    return min(settings().poll_max_seconds, settings().poll_first_seconds_soap * 2.0 ** min(envelope.polls, QUESTIONS))


def _again(envelope: ClaimedEnvelope, me: Process, pause: float | None, alert: str | None = None) -> None:
    again = Step("refused", "refused", pause, polled=True, alert=alert)
    with ledger().transaction() as tx:
        envelopes.step(tx, envelope.id, envelope.fence, me.id, again)


def _absent(envelope: ClaimedEnvelope, me: Process, suspects: list[Rider]) -> bool:
    """Whether the SII holds none of the documents; if that isn't known it is asked again, not for ever."""
    answers = Asking(envelope, sessions(me), signer_of(envelope)).each(suspects)
    if all(answer.meaning in NOT_HELD for answer in answers.values()):
        return True
    held = any(answer.meaning != "unknown" and answer.meaning not in NOT_HELD for answer in answers.values())
    if not held and envelope.polls < QUESTIONS:
        _again(envelope, me, _pause(envelope))
    else:
        _again(envelope, me, None, alerts.REFUSED_AND_HELD)
    return False
