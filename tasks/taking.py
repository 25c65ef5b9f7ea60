"""Taking an envelope that is due, and giving it back; both hold even where the ledger goes away in between.

A living process keeps what it has claimed, for ever if need be. So the number of a claim (its fence) is known before
the claim is made: if the ledger's answer is lost, or giving back fails, the process owes it and does it when it can.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from workers.activity import activity
from workers.database import envelopes
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope, Step, claim_envelope, next_fence
from workers.database.sealing import Channel
from workers.process import Process, surely
from workers.settings import settings

AFTER_A_FAULT_SECONDS: Final = 60.0
"""An envelope on which a phase failed is tried again after this long (business time)."""


def take(states: Sequence[str], me: Process, channels: Collection[Channel]) -> ClaimedEnvelope | None:
    """Claim the envelope in one of the states and channels that comes first, None when none is due."""
    activity().step()
    with ledger().statements() as tx:
        fence = next_fence(tx)
    try:
        with ledger().transaction() as tx:
            return claim_envelope(tx, states, settings().sii_environment, me.lease(), fence, channels)
    except SQLAlchemyError:
        surely(lambda tx: envelopes.give_back(tx, fence, me.id))
        raise


def give_back(envelope: ClaimedEnvelope, me: Process, after_seconds: float, silence: str | None = None) -> None:
    """Give an envelope back as it was, due again after some seconds; one that is being sent ends in doubt.

    `silence`: the service that it is put off for; it is due at once when that answers again.
    """

    def back(tx: Connection) -> None:
        same = Step(envelope.state, envelope.state, after_seconds, alert=envelope.alert, silence=silence)
        if not envelopes.step(tx, envelope.id, envelope.fence, me.id, same):
            lost = Step("sending", "uncertain", settings().resend_after_seconds, detail={"reason": "the sender failed"})
            envelopes.step(tx, envelope.id, envelope.fence, me.id, lost)

    surely(back)
