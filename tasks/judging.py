"""Judging a claimed chunk: which documents are valid, which must wait for something, which end with their problems.

Everything that the rules must know of the world (issuer, signer, referenced documents, the document that is replaced)
is read for the whole chunk in one short transaction; the rules themselves are `domain`'s.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import structlog

from domain.codes.document_types import DOCUMENT_TYPES
from domain.completion import IssuerData
from domain.job import Job, parse_job
from domain.preparing import Prepared, prepare, references_of
from domain.problems import DomainError, Problem
from domain.states import REPLACEABLE
from workers.clock import santiago
from workers.database import documents, issuers
from workers.database.claims import Claim, ClaimedDocument
from workers.database.documents import KnownReference, Name, Reference, Refusal, Replaceable
from workers.database.engine import ledger
from workers.database.folios import open_series
from workers.database.issuers import Company, SealedCertificate
from workers.settings import settings

ISSUED_TYPES: Final = frozenset(code for code, kind in DOCUMENT_TYPES.items() if kind.issued)

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to become of a claimed document: `prepared` and `signer`, or a `refusal`."""

    claimed: ClaimedDocument
    prepared: Prepared | None = None
    signer: SealedCertificate | None = None
    refusal: Refusal | None = None
    replaces: uuid.UUID | None = None
    depends_on: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What the rules must know, read for one chunk."""

    issuers: Mapping[tuple[str, str, str | None], IssuerData]
    signers: Mapping[Company, SealedCertificate]
    references: Mapping[Reference, KnownReference]
    replaced: Mapping[Name, Replaceable]
    series: set[tuple[str, str, int]]


def judge(claim: Claim) -> list[Judgement]:
    """Judge every document of a claim; never raises for what one document holds."""
    jobs: dict[uuid.UUID, Job] = {}
    judgements = []
    for claimed in claim.documents:
        try:
            jobs[claimed.id] = parse_job(claimed.body)
        except DomainError as error:  # recorded by another version, which took it for a job
            held = None if claimed.folio is None else "internal"
            judgements.append(Judgement(claimed, refusal=Refusal(claimed.id, _dicts(list(error.problems)), held)))
    readable = [claimed for claimed in claim.documents if claimed.id in jobs]
    world = _look(readable, jobs)
    today = santiago(claim.at).date()
    judgements += [_judge_one(claimed, jobs[claimed.id], world, claimed.issued_on or today) for claimed in readable]
    return _one_replacement_each(judgements)


def _one_replacement_each(judgements: list[Judgement]) -> list[Judgement]:
    """Of several documents of a chunk that replace the same one, the first stands."""
    seen: set[uuid.UUID] = set()
    kept = []
    for judgement in judgements:
        if judgement.replaces in seen:
            problem = Problem("JOB-REPLACES-TAKEN", "replaces", "Another job of this moment replaces that document.")
            kept.append(Judgement(judgement.claimed, refusal=Refusal(judgement.claimed.id, [problem.as_dict()])))
            continue
        if judgement.replaces is not None:
            seen.add(judgement.replaces)
        kept.append(judgement)
    return kept


def _look(readable: Sequence[ClaimedDocument], jobs: Mapping[uuid.UUID, Job]) -> World:
    companies = {(claimed.issuer, claimed.environment) for claimed in readable}
    references: set[Reference] = set()
    replaced = set()
    series = set()
    for claimed in readable:
        job = jobs[claimed.id]
        series |= {(claimed.issuer, claimed.environment, number) for number in _stated_type(job.document)}
        for document_type, folio in references_of(job.document):
            references.add((claimed.issuer, claimed.environment, document_type, folio))
        if job.replaces is not None:
            replaced.add((claimed.issuer, claimed.environment, job.replaces))
    with ledger().statements() as tx:
        return World(
            issuers=issuers.issuer_data(tx, companies),
            signers=issuers.signers_of(tx, companies),
            references=documents.referenced(tx, references),
            replaced=documents.replaceable(tx, replaced),
            series=open_series(tx, sorted(series)),
        )


def _judge_one(claimed: ClaimedDocument, job: Job, world: World, today: date) -> Judgement:
    company = (claimed.issuer, claimed.environment)
    known = _known(claimed, job, world)
    problems = _job_problems(claimed, job, world)
    prepared = None
    try:
        prepared = prepare(
            job.document,
            issuer=world.issuers.get((*company, claimed.branch)) or world.issuers.get((*company, None)),
            today=today,
            referenced={(r[2], r[3]): reference.facts for r, reference in known.items()},
            profile=settings().format_profile,
        )
    except DomainError as error:
        problems += error.problems
    except Exception as error:
        log.exception("issue.internal", document=str(claimed.id))
        return Judgement(claimed, refusal=_internal(claimed, error))
    origin = known.get((*company, *prepared.changes)) if prepared and prepared.changes else None
    refusal = _refusal(claimed, job, problems, _missing(claimed, job, world), origin)
    if refusal is not None:
        return Judgement(claimed, refusal=refusal)
    return Judgement(
        claimed,
        prepared,
        world.signers[company],
        replaces=world.replaced[*company, job.replaces].document_id if job.replaces else None,
        depends_on=origin.document_id if origin else None,
    )


def _refusal(
    claimed: ClaimedDocument,
    job: Job,
    problems: list[Problem],
    missing: list[tuple[str, Problem]],
    origin: KnownReference | None,
) -> Refusal | None:
    """What stands against signing, all of it in one answer; None when nothing does."""
    document_type = next(iter(_stated_type(job.document)), None)
    lacks = [problem for _, problem in missing]
    if claimed.folio is not None:
        # It was valid when it got its folio; that the world has changed since is for a person to look at.
        lacks = [problem for cause, problem in missing if cause == "certificate"]
        return Refusal(claimed.id, _dicts(problems + lacks), "internal", document_type) if problems or lacks else None
    if problems:
        return Refusal(claimed.id, _dicts(problems + lacks), None, document_type)
    if missing:
        return Refusal(claimed.id, _dicts(lacks), missing[0][0], document_type)
    if origin is not None and origin.facts.state == "numbered":
        return Refusal(claimed.id, [_UNSIGNED.as_dict()], "reference", document_type, origin.document_id)
    return None


_UNSIGNED: Final = Problem(
    "REFERENCE-UNSIGNED",
    "document.Referencia",
    "The document that this note changes is being signed; the note goes on by itself then.",
    "warning",
)


def _known(claimed: ClaimedDocument, job: Job, world: World) -> dict[Reference, KnownReference]:
    keys = ((claimed.issuer, claimed.environment, *pair) for pair in references_of(job.document))
    return {key: world.references[key] for key in keys if key in world.references}


def _missing(claimed: ClaimedDocument, job: Job, world: World) -> list[tuple[str, Problem]]:
    """What the issuer lacks, each with the name of its cause."""
    company = (claimed.issuer, claimed.environment)
    where = f"in the {claimed.environment} environment"
    missing = []
    if (*company, None) not in world.issuers:
        missing.append(
            (
                "issuer",
                Problem(
                    "ISSUER-UNKNOWN",
                    "issuer",
                    f"Issuer {claimed.issuer} isn't enrolled {where}: add it (`fmgo issuer add`); the document goes"
                    " on by itself then.",
                ),
            )
        )
    if company not in world.signers:
        missing.append(
            (
                "certificate",
                Problem(
                    "ISSUER-WITHOUT-CERTIFICATE",
                    "issuer",
                    f"Nobody with a valid certificate may sign and send for {claimed.issuer} {where}: add one"
                    " (`fmgo certificate add`); the document goes on by itself then.",
                ),
            )
        )
    missing += [
        (
            "folio",
            Problem(
                "ISSUER-WITHOUT-FOLIOS",
                "document.Encabezado.IdDoc.Folio",
                f"{claimed.issuer} has no folio of type {number} left {where}: load a CAF (`fmgo caf add`); the"
                " document goes on by itself then.",
            ),
        )
        for number in _stated_type(job.document)
        if number in ISSUED_TYPES and (*company, number) not in world.series
    ]
    return missing


def _job_problems(claimed: ClaimedDocument, job: Job, world: World) -> list[Problem]:
    """What is wrong with the job around its document; nothing is asked again once it has a folio."""
    if claimed.folio is not None:
        return []
    problems = []
    company = (claimed.issuer, claimed.environment)
    if job.branch is not None and (*company, None) in world.issuers and (*company, job.branch) not in world.issuers:
        problems.append(
            Problem(
                "JOB-BRANCH-UNKNOWN",
                "branch",
                f"Add branch {job.branch} (`fmgo branch add`), or name one that the issuer has.",
            )
        )
    if job.replaces is not None:
        found = world.replaced.get((*company, job.replaces))
        problems += _replacement_problem(found)
    return problems


def _replacement_problem(found: Replaceable | None) -> list[Problem]:
    if found is None:
        code, sentence = "UNKNOWN", "No document of this issuer has that key or id; name the rejected document."
    elif found.state not in REPLACEABLE:
        code, sentence = "NOT-REJECTED", f"Only a rejected document can be replaced, and that one is `{found.state}`."
    elif found.taken:
        code, sentence = "TAKEN", "Another document replaces that one already; a sale is replaced once."
    else:
        return []
    return [Problem(f"JOB-REPLACES-{code}", "replaces", sentence)]


def _internal(claimed: ClaimedDocument, error: Exception) -> Refusal:
    problem = Problem(
        "FMGO-INTERNAL",
        "",
        f"FMgo failed on this document ({type(error).__name__}); it was put aside, a person must look.",
    )
    return Refusal(claimed.id, [problem.as_dict()], "internal")


def _stated_type(document: Mapping[str, Any]) -> list[int]:
    """The document's type as stated, if it is one at all."""
    value: Any = document
    for step in ("Encabezado", "IdDoc", "TipoDTE"):
        value = value.get(step) if isinstance(value, Mapping) else None
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return [int(text)] if text.isascii() and text.isdigit() and len(text) <= 3 else []  # noqa: PLR2004 - three digits


def _dicts(problems: list[Problem]) -> list[dict[str, str]]:
    return [problem.as_dict() for problem in problems]
