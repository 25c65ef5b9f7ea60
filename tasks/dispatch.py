"""`fmgo.dispatch`: signed documents of a company travel together, in an envelope with the Carátula of today.

An envelope is built and stored in one transaction with the step of its documents, evidenced, and only then due to be
sent. A company has a few open envelopes per channel and lane at most; what is signed meanwhile shares the next one.
"""

import hashlib
import uuid
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import structlog
from sqlalchemy import Connection

from domain.codes.document_types import DOCUMENT_TYPES
from domain.envelope import Caratula, build_envelope, channel_of
from domain.signature import RsaSigner
from tasks.base import phase, tools
from workers.activity import activity
from workers.bells import ring
from workers.database import readiness, sealing
from workers.database.audit import audit
from workers.database.engine import business_time, ledger
from workers.database.issuers import SealedCertificate, resolution_of, signers_of
from workers.database.sealing import Group, Load, NewEnvelope, Passenger
from workers.evidence import EvidenceAwayError, Record, evidence_of_this_process
from workers.pace import standing
from workers.process import Process, this_process
from workers.queues import worker_kind
from workers.settings import settings
from workers.vault.sealing import Sealed, VaultError

log: Final = structlog.get_logger(__name__)

HELD_AT_ONCE: Final = 1000
REST_TYPES: Final = tuple(code for code in sorted(DOCUMENT_TYPES) if channel_of(code) == "rest")


@phase("fmgo.dispatch")
def dispatch(lane: str) -> None:
    """Seal what is due in a lane, company by company; nothing while the second copies can't be written."""
    try:
        evidence_of_this_process(settings().evidence_dir, this_process(worker_kind()).id).check()
        _dispatch(lane)
    except EvidenceAwayError:  # told once by the evidence itself; what was sealed is evidenced by the next bell
        return


def _dispatch(lane: str) -> None:
    me = this_process(worker_kind())
    sealed = 0
    uploads = standing("upload")  # what can't leave now stays in the order of its urgency
    with ledger().statements() as tx:
        copies_are_missing = sealing.any_unevidenced(tx)
        held = readiness.hold_obstructed(tx, lane, HELD_AT_ONCE)
        groups = sealing.groups_due(tx, settings().sii_environment, lane, REST_TYPES, uploads.usable)
    if held:
        log.warning("dispatch.held", documents=held, lane=lane)
        ring("fmgo.publish")
    if copies_are_missing:
        evidence_again(me)
    for group in groups:
        try:
            while seal_one(group, me, trial=group.channel in uploads.trial):
                sealed += 1
        except VaultError:  # a person must act for this company; the others go on
            log.exception("dispatch.key_away", issuer=group.issuer, environment=group.environment)
    if sealed:
        ring("fmgo.submit", times=sealed)


def seal_one(group: Group, me: Process, *, trial: bool = False) -> bool:
    """Seal one envelope of a group; False when nothing is due or enough are open.

    On `trial`, when the channel's uploads brought no answers, one is sealed in all, for whoever sees how they are.
    """
    activity().step()
    size = settings().boleta_envelope_documents if group.channel == "rest" else settings().envelope_documents
    load = Load(size, settings().uploads_in_flight, settings().envelope_linger_seconds)
    with ledger().transaction() as tx:
        if trial and sealing.any_ready(tx, group.environment, group.channel):
            return False
        if not sealing.may_seal(tx, group, REST_TYPES, load):
            return False
        certificate = _sender(tx, group, me)
        if certificate is None:  # the documents are held from the next bell on
            return False
        riders = fitting(_unexpired(tx, sealing.passengers(tx, group, REST_TYPES, size)), settings().envelope_bytes)
        riders.sort(key=lambda rider: (rider.document_type, rider.folio))
        if not riders:
            return False
        envelope = _built(tx, group, certificate, riders)
        moved = sealing.seal(tx, envelope, [rider.id for rider in riders], me.id)
        if moved != len(riders):
            msg = "some documents of a new envelope were no longer signed"
            raise RuntimeError(msg)
        detail = {"documents": moved, "person": certificate.person}
        audit(tx, f"worker:{me.id}", "envelope.seal", str(envelope.id), detail)
    _evidence(envelope, me)
    log.info("envelope.sealed", envelope=str(envelope.id), issuer=group.issuer, channel=group.channel, documents=moved)
    return True


def _sender(tx: Connection, group: Group, me: Process) -> SealedCertificate | None:
    """Whose certificate seals, None when there is none in force. One that is another person's is retired at once.

    The SII refuses an envelope whose RutEnvia isn't the person of its signature (ENV-3-6, CRT-3-11).
    """
    company = (group.issuer, group.environment)
    certificate = signers_of(tx, [company]).get(company)
    if certificate is None:
        return None
    owner = _signer(certificate).rut
    if owner == certificate.person:
        return certificate
    log.error("dispatch.certificate_of_another", certificate=certificate.id, person=certificate.person, owner=owner)
    if readiness.retire_certificate(tx, certificate.id):
        detail = {"certificate": certificate.id, "owner": owner, "reason": "it is another person's"}
        audit(tx, f"worker:{me.id}", "certificate.retire", certificate.person, detail)
    return None


def _signer(certificate: SealedCertificate) -> RsaSigner:
    return tools().keys.signer(
        certificate.id, certificate.certificate_der, Sealed(certificate.key_id, certificate.private_key_sealed)
    )


def _unexpired(tx: Connection, riders: list[Passenger]) -> list[Passenger]:
    """Those that were signed while their folios were in force; the others are held for a person."""
    expired = [rider.id for rider in riders if rider.expired]
    if expired:
        readiness.hold_expired(tx, expired)
        log.warning("dispatch.caf_expired", documents=len(expired))
    return [rider for rider in riders if not rider.expired]


def _built(tx: Connection, group: Group, certificate: SealedCertificate, riders: Sequence[Passenger]) -> NewEnvelope:
    """The envelope of these documents, signed, with the resolution as it stands now."""
    resolution = resolution_of(tx, group.issuer, group.environment)
    data = build_envelope(
        [rider.dte for rider in riders],
        [rider.document_type for rider in riders],
        caratula=Caratula(
            issuer=group.issuer,
            sender=certificate.person,
            resolution_date=resolution.date,
            resolution_number=resolution.number,
        ),
        signer=_signer(certificate),
        at=business_time(tx),
    )
    number = uuid.uuid4()
    return NewEnvelope(
        id=number,
        group=group,
        sender=certificate.person,
        certificate=certificate.id,
        resolution_number=resolution.number,
        resolution_date=resolution.date,
        filename=f"{'EnvioBOLETA' if group.channel == 'rest' else 'EnvioDTE'}-{number.hex}.xml",
        data=data,
        sha256=hashlib.sha256(data).digest(),
        send_by=min(rider.send_by for rider in riders),
        half=riders[0].half,
    )


def fitting(riders: Sequence[Passenger], limit: int) -> list[Passenger]:
    """As many of the first riders as fit into so many bytes of documents; at least one."""
    sizes = accumulate(len(rider.dte) for rider in riders)
    return [rider for n, (rider, size) in enumerate(zip(riders, sizes, strict=True)) if n == 0 or size <= limit]


def evidence_again(me: Process) -> None:
    """Evidence envelopes whose process died right after sealing them."""
    with ledger().transaction() as tx:
        for number, data in sealing.unevidenced(tx, 10):
            _append(number, {}, data, me)
            sealing.mark_evidenced(tx, number)


def _evidence(envelope: NewEnvelope, me: Process) -> None:
    group = envelope.group
    facts = {"issuer": group.issuer, "environment": group.environment, "channel": group.channel}
    _append(envelope.id, facts, envelope.data, me)
    with ledger().transaction() as tx:
        sealing.mark_evidenced(tx, envelope.id)


def _append(number: uuid.UUID, facts: dict[str, str], data: bytes, me: Process) -> None:
    evidence_of_this_process(settings().evidence_dir, me.id).append(
        [Record("envelope", {"id": str(number), **facts}, data)]
    )
