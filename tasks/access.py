"""A process's way into the SII: its tokens, and the signer whose certificate sealed an envelope."""

from domain.signature import RsaSigner
from tasks.base import tools
from workers.database.engine import ledger
from workers.database.envelopes import ClaimedEnvelope
from workers.database.issuers import certificate
from workers.process import Process
from workers.sessions import Sessions
from workers.vault.sealing import Sealed


def sessions(me: Process) -> Sessions:
    """This process's way to tokens."""
    mine = tools()
    return Sessions(ledger(), mine.vault, mine.tokens, mine.sii, me.id)


def signer_of(envelope: ClaimedEnvelope) -> RsaSigner:
    """The signer whose certificate sealed the envelope (it logs in, too)."""
    with ledger().transaction() as tx:
        sealed = certificate(tx, envelope.certificate)
    return tools().keys.signer(sealed.id, sealed.certificate_der, Sealed(sealed.key_id, sealed.private_key_sealed))
