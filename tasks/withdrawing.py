"""The second copy of withdrawals: documents that a person or producer took back with their folios, and why.

What is told stays true after a restore: the evidence holds a withdrawn document's bytes, and must hold, too, that they
are void. A record of its own says so; it has no bytes.
"""

from workers.database import withdrawals
from workers.database.engine import ledger
from workers.database.withdrawals import Void
from workers.evidence import Record, evidence_of_this_process
from workers.process import Process
from workers.settings import settings


def evidence_withdrawals(me: Process) -> None:
    """Write withdrawals into the second copy, so that they may be told."""
    with ledger().transaction() as tx:
        voids = withdrawals.unevidenced(tx)
        if voids:
            evidence_of_this_process(settings().evidence_dir, me.id).append([_record(void) for void in voids])
            withdrawals.mark_evidenced(tx, [void.document_id for void in voids])


def _record(void: Void) -> Record:
    header = {
        "id": str(void.document_id),
        "issuer": void.issuer,
        "environment": void.environment,
        "key": void.key,
        "type": void.document_type,
        "folio": void.folio,
        "reason": void.reason,
        "at": void.at.isoformat(),
    }
    return Record("void", header, b"")
