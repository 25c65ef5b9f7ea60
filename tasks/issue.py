"""`fmgo.issue`: recorded jobs become issued documents: validated, calculated, numbered, stamped, signed, evidenced.

A chunk is the unit of claim, transaction and idempotence. Folios and documents move in one transaction; bytes are made
once and stored with the step to `signed`; only when the evidence file has them too may they leave. What a dead process
left behind is taken up where it stopped: numbered documents are signed under the folio they have, signed ones are
evidenced.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from domain.changes import changes_of
from domain.deadlines import send_by
from domain.issuing import issue
from domain.preparing import Prepared
from domain.problems import DomainError, Problem
from tasks.base import CHUNKS_A_BELL, phase, tools
from tasks.judging import Judgement, judge
from tasks.notes import in_turn
from tasks.publish import tell
from workers.activity import activity
from workers.bells import ring
from workers.clock import santiago
from workers.database import documents, folios
from workers.database.claims import Claim, ClaimedDocument, claim_documents, give_back, give_back_all, left_behind
from workers.database.documents import Numbering, Refusal, SignedBytes
from workers.database.engine import ledger
from workers.database.folios import FolioRequest
from workers.database.issuers import SealedCaf, SealedCertificate, cafs
from workers.database.references import NoteChanges, write_changes
from workers.evidence import EvidenceAwayError, Record, evidence_of_this_process
from workers.process import Process, surely, this_process
from workers.queues import worker_kind
from workers.settings import settings
from workers.vault.sealing import Sealed, VaultError

log: Final = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS: Final = 2.0
KEY_AWAY_SECONDS: Final = 60.0
"""Documents whose key doesn't open keep their folio and are tried again after this long; the others go on."""
CHUNKS_A_RING: Final = 5
"""Chunks after which the next phases are rung for, besides at the end: their own chunks are larger than these."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A document with its folio, to be signed."""

    claimed: ClaimedDocument
    prepared: Prepared
    signer: SealedCertificate
    folio: int
    caf: int


@phase("fmgo.issue")
def issue_due(lane: str) -> None:
    """Issue what is due in a lane; nothing while its second copies can't be written: that would only spend folios."""
    try:
        evidence_of_this_process(settings().evidence_dir, this_process(worker_kind()).id).check()
        _issue_due(lane)
    except EvidenceAwayError:  # told once by the evidence itself; what was claimed is given back, and due again
        return


def _issue_due(lane: str) -> None:
    size = settings().interactive_chunk if lane == "interactive" else settings().chunk_documents
    chunks = 0
    while chunks < CHUNKS_A_BELL and issue_chunk(lane, "received", size):
        chunks += 1
        if chunks % CHUNKS_A_RING == 0:
            ring_onwards(lane)
    if take_up(lane, size) or chunks % CHUNKS_A_RING:
        ring_onwards(lane)
    if chunks == CHUNKS_A_BELL:
        ring("fmgo.issue", lane)


def ring_onwards(lane: str) -> None:
    """Ring the phases that come after this one; interactive results were told already."""
    ring("fmgo.dispatch", lane)
    if lane == "bulk":
        ring("fmgo.publish")


def take_up(lane: str, size: int) -> bool:
    """Take up what dead processes left behind (new documents went first: somebody waits); whether there was any."""
    with ledger().statements() as tx:
        left = left_behind(tx, lane)
    for state in left:
        while issue_chunk(lane, state, size):
            pass
    return bool(left)


def issue_chunk(lane: str, state: str, size: int) -> int:
    """Claim one chunk and take it as far as it goes; returns how many documents were claimed."""
    activity().step()
    me = this_process(worker_kind())
    try:
        claim = ledger().repeated_statement(
            lambda tx: claim_documents(tx, lane=lane, state=state, size=size, lease=me.lease())
        )
    except SQLAlchemyError:  # the claim may have been made: this process does one thing at a time, so it holds no other
        surely(lambda tx: give_back_all(tx, me.id))
        raise
    if claim is None:
        return 0
    try:
        if state == "signed":
            evidence_again(claim, me)
        else:
            ready = number(claim, judge(claim), me)
            signed = sign(claim, ready, me)
            evidence(claim, signed, me)
            if len(signed) < len(ready):
                surely(lambda tx: give_back(tx, claim.fence, after_seconds=KEY_AWAY_SECONDS))
    except BaseException:
        surely(lambda tx: give_back(tx, claim.fence, after_seconds=RETRY_AFTER_SECONDS))
        raise
    if lane == "interactive":
        tell([one.id for one in claim.documents])
    return len(claim.documents)


def number(claim: Claim, judgements: Sequence[Judgement], me: Process) -> list[Ready]:
    """Give folios to what is valid and end or delay the rest, in one transaction; returns what is to be signed."""
    kept = [_kept(judgement) for judgement in judgements if judgement.prepared and judgement.claimed.folio]
    return kept + ledger().repeated(lambda tx: _number(tx, claim, judgements, me))


def _number(tx: Connection, claim: Claim, judgements: Sequence[Judgement], me: Process) -> list[Ready]:
    refusals = [judgement.refusal for judgement in judgements if judgement.refusal is not None]
    fresh, overtaken = in_turn(tx, [one for one in judgements if one.prepared and not one.claimed.folio])
    documents.judge_again(tx, [judgement.claimed.id for judgement in overtaken], claim.fence, me.id)
    grants = {
        grant.document_id: grant
        for grant in folios.give_folios(tx, [_request(judgement) for judgement in fresh], santiago(claim.at).date())
    }
    granted = [judgement for judgement in fresh if judgement.claimed.id in grants]
    numberings = [_numbering(judgement, grants[judgement.claimed.id]) for judgement in granted]
    if len(documents.number(tx, numberings, claim.fence, me.id)) != len(grants):
        msg = "some claimed documents were no longer ours: the claim was lost"
        raise RuntimeError(msg)
    write_changes(tx, [_note_changes(judgement) for judgement in granted])
    waiting = [_without_folio(judgement) for judgement in fresh if judgement.claimed.id not in grants]
    waiting += [refusal for refusal in refusals if refusal.held and refusal.held != "internal"]
    documents.let_wait(tx, waiting, claim.fence, me.id)
    documents.end_invalid(tx, [refusal for refusal in refusals if not refusal.held], claim.fence, me.id)
    documents.quarantine(tx, [refusal for refusal in refusals if refusal.held == "internal"], claim.fence, me.id)
    return [_ready(judgement, grants[judgement.claimed.id]) for judgement in granted]


def sign(claim: Claim, ready: Sequence[Ready], me: Process) -> list[tuple[Ready, SignedBytes]]:
    """Stamp and sign, and store the bytes with the step to `signed`."""
    if not ready:
        return []
    ranges = ranges_of({one.caf for one in ready})
    made: list[tuple[Ready, SignedBytes]] = []
    broken: list[Refusal] = []
    for one in ready:
        try:
            made.append((one, _sign_one(one, ranges[one.caf], claim.at)))
        except DomainError as error:
            broken.append(Refusal(one.claimed.id, [problem.as_dict() for problem in error.problems], "internal"))
            log.exception("issue.unsignable", document=str(one.claimed.id), codes=[p.code for p in error.problems])
        except VaultError:
            tools().cafs.pop(one.caf, None)  # whoever mends it may write its row anew
            log.exception("issue.key_away", document=str(one.claimed.id), issuer=one.claimed.issuer)
    uses = Counter(one.signer.person for one, _ in made)
    moved = ledger().repeated_statement(
        lambda tx: documents.sign(tx, [signed for _, signed in made], claim.fence, me.id, uses)
    )
    if broken:
        ledger().repeated_statement(lambda tx: documents.quarantine(tx, broken, claim.fence, me.id))
    return [(one, signed) for one, signed in made if one.claimed.id in moved]


def ranges_of(numbers: set[int]) -> dict[int, SealedCaf]:
    """CAFs by their numbers; a process keeps those whose key opened: their rows don't change."""
    kept = tools().cafs
    missing = numbers - kept.keys()
    if missing:
        with ledger().statements() as tx:
            kept.update(cafs(tx, missing))
    return {number: kept[number] for number in numbers}


def evidence(claim: Claim, signed: Sequence[tuple[Ready, SignedBytes]], me: Process) -> None:
    """Make the second copy durable, then let the documents leave."""
    if not signed:
        return
    evidence_of_this_process(settings().evidence_dir, me.id).append(
        [_record(one.claimed, one.prepared.document_type, one.folio, bytes_.dte) for one, bytes_ in signed]
    )
    ids = [one.claimed.id for one, _ in signed]
    ledger().repeated(lambda tx: documents.mark_evidenced(tx, ids, claim.fence, me.id))


def evidence_again(claim: Claim, me: Process) -> None:
    """Evidence documents whose process died between signing and evidencing; their stored bytes are copied."""
    with ledger().statements() as tx:
        files = documents.stored_bytes(tx, [one.id for one in claim.documents])
    evidence_of_this_process(settings().evidence_dir, me.id).append(
        [_record(one, one.document_type, one.folio, files[one.id]["dte"]) for one in claim.documents]
    )
    ids = [one.id for one in claim.documents]
    ledger().repeated(lambda tx: documents.mark_evidenced(tx, ids, claim.fence, me.id))


def _record(claimed: ClaimedDocument, document_type: int | None, folio: int | None, dte: bytes) -> Record:
    """A document's second copy, with what finds it again."""
    header = {
        "id": str(claimed.id),
        "issuer": claimed.issuer,
        "environment": claimed.environment,
        "key": claimed.key,
        "type": document_type,
        "folio": folio,
        "received_at": claimed.received_at.isoformat(),
    }
    return Record("dte", header, dte)


def _sign_one(one: Ready, range_: SealedCaf, at: datetime) -> SignedBytes:
    keys = tools().keys
    made = issue(
        one.prepared,
        folio=one.folio,
        caf=keys.stamping_caf(range_.id, range_.caf_xml, Sealed(range_.key_id, range_.private_key_sealed)),
        signer=keys.signer(
            one.signer.id, one.signer.certificate_der, Sealed(one.signer.key_id, one.signer.private_key_sealed)
        ),
        at=at,
    )
    return SignedBytes(
        document_id=one.claimed.id,
        received_at=one.claimed.received_at,
        dte=made.xml,
        dte_sha256=hashlib.sha256(made.xml).digest(),
        ted=made.ted,
        ted_sha256=hashlib.sha256(made.ted).digest(),
        signature_value=made.signature_value,
        send_by=send_by(one.prepared.document, at, settings().send_by),
    )


def _kept(judgement: Judgement) -> Ready:
    claimed = judgement.claimed
    if judgement.prepared is None or judgement.signer is None or claimed.folio is None or claimed.caf is None:
        msg = f"document {claimed.id} has a folio and can't be signed"
        raise RuntimeError(msg)
    return Ready(claimed, judgement.prepared, judgement.signer, claimed.folio, claimed.caf)


def _ready(judgement: Judgement, grant: folios.FolioGrant) -> Ready:
    if judgement.prepared is None or judgement.signer is None:
        raise AssertionError
    return Ready(judgement.claimed, judgement.prepared, judgement.signer, grant.folio, grant.caf)


def _request(judgement: Judgement) -> FolioRequest:
    claimed, prepared = judgement.claimed, judgement.prepared
    if prepared is None:
        raise AssertionError
    return FolioRequest(
        claimed.id, claimed.issuer, claimed.environment, prepared.document_type, prepared.issued_on, claimed.lane
    )


def _numbering(judgement: Judgement, grant: folios.FolioGrant) -> Numbering:
    prepared = judgement.prepared
    if prepared is None:
        raise AssertionError
    return Numbering(
        document_id=judgement.claimed.id,
        document_type=prepared.document_type,
        folio=grant.folio,
        caf=grant.caf,
        issued_on=prepared.issued_on,
        receiver=prepared.receiver,
        total=prepared.total,
        net=prepared.net,
        exempt=prepared.exempt,
        vat=prepared.vat,
        warnings=[problem.as_dict() for problem in prepared.warnings],
        replaces=judgement.replaces,
        depends_on=judgement.depends_on,
    )


def _note_changes(judgement: Judgement) -> NoteChanges:
    claimed, prepared = judgement.claimed, judgement.prepared
    if prepared is None:
        raise AssertionError
    return NoteChanges(claimed.id, (claimed.issuer, claimed.environment), changes_of(prepared.document))


def _without_folio(judgement: Judgement) -> Refusal:
    prepared = judgement.prepared
    if prepared is None:
        raise AssertionError
    problem = no_folios(prepared.document_type, prepared.issued_on)
    return Refusal(judgement.claimed.id, [problem.as_dict()], "folio", prepared.document_type)


def no_folios(document_type: int, issued_on: date) -> Problem:
    """The problem of a document for which there is no folio to be had."""
    return Problem(
        "ISSUER-WITHOUT-FOLIOS",
        "document.Encabezado.IdDoc.Folio",
        f"There is no usable folio for type {document_type} on {issued_on.isoformat()}: load a new CAF"
        " (`fmgo caf add`); the document goes on by itself then.",
    )
