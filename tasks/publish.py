"""`fmgo.publish`: results that changed are told to their producers, and messages that were no jobs are answered.

The ledger knows which version was told; Redis takes only a higher one. When Redis is away nothing is marked, and the
sweep rings again. That documents were sent is told an envelope at a time, and marked there: no document is written for
it. A withdrawal is told once the second copy knows it.
"""

import json
import uuid
from collections.abc import Sequence
from typing import Final

from tasks.base import CHUNKS_A_BELL, phase, tools
from tasks.withdrawing import evidence_withdrawals
from workers.activity import activity
from workers.bells import ring
from workers.cache.results import Result as Told
from workers.database import refused
from workers.database.engine import ledger
from workers.database.results import Result, changed, mark_sent_told, mark_told, of_envelope, sent_untold, untold
from workers.process import this_process
from workers.queues import worker_kind
from workers.refusals import answers_to

CHUNK: Final = 200
_SHORT: Final = (
    ("type", "document_type"),
    ("folio", "folio"),
    ("batch", "batch"),
    ("track_id", "track_id"),
    ("sent_at", "sent_at"),
)
"""Members of a result that stand beside it as fields of their own, when it has them."""


@phase("fmgo.publish")
def publish() -> None:
    """Tell what is due, chunk by chunk."""
    answer_refused()
    evidence_withdrawals(this_process(worker_kind()))
    for _ in range(CHUNKS_A_BELL):
        envelope = publish_sent()
        if publish_chunk() < CHUNK and not envelope:
            return
    ring("fmgo.publish")


def publish_chunk() -> int:
    """Tell one chunk; returns how many were told."""
    activity().step()
    with ledger().transaction() as tx:
        due = untold(tx, CHUNK)
        held = tools().results.publish_many([_told(result) for result in due])
        told = [result for result in due if str(result.id) in held]
        if told:
            mark_told(tx, told)
    return len(told)


def publish_sent() -> bool:
    """Tell that the documents of one envelope were sent; False when no envelope is left, or Redis is away."""
    activity().step()
    with ledger().transaction() as tx:
        envelope = sent_untold(tx)
        if envelope is None:
            return False
        riders = of_envelope(tx, envelope)
        held = tools().results.publish_many([_told(result) for result in riders])
        told = len(held) == len(riders)
        if told:
            mark_sent_told(tx, envelope)
    return told


def answer_refused() -> None:
    """Answer those whose messages were no jobs, under every name that they may look for."""
    with ledger().transaction() as tx:
        due = {message.id: answers_to(message) for message in refused.untold(tx, CHUNK)}
        held = tools().results.publish_many([answer for answers in due.values() for answer in answers])
        told = [number for number, answers in due.items() if all(answer.id in held for answer in answers)]
        if told:
            refused.mark_told(tx, told)


def tell(ids: Sequence[uuid.UUID]) -> None:
    """Tell these results at once: somebody stands at a till. What can't be told now is told by the sweep's bell."""
    with ledger().statements() as tx:
        due = changed(tx, ids)
        held = tools().results.publish_many([_told(result) for result in due])
        told = [result for result in due if str(result.id) in held]
        if told:
            mark_told(tx, told)


def _told(result: Result) -> Told:
    body = result.body
    fields = {name: str(body[name]) for name in ("state", "issuer", "environment", "idempotency_key")}
    for name, field in _SHORT:
        if name in body:
            fields[field] = str(body[name])
    fields["result"] = json.dumps(body, ensure_ascii=False)
    if result.xml is not None:
        fields["xml"] = result.xml.decode("iso-8859-1")
    if result.ted is not None:
        fields["ted"] = result.ted.decode("iso-8859-1")
    return Told(str(result.id), result.version, fields)
