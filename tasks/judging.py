"""Judging a claimed chunk: which documents are valid, which must wait for something, which end with their problems.

Everything that the rules must know of the world (issuer, signer, referenced documents, the document that is replaced)
is read for the whole chunk in one short transaction; the rules themselves are `domain`'s.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import structlog

from domain.changes import Key
from domain.codes.document_types import BOLETA, DOCUMENT_TYPES, EXEMPT_BOLETA
from domain.codes.uf import fixing_day
from domain.completion import IssuerData
from domain.job import Job, parse_job
from domain.preparing import Prepared, prepare, references_of, repeated_by, stated_day
from domain.problems import DomainError, Problem
from domain.states import REPLACEABLE
from workers.clock import santiago
from workers.database import documents, issuers, uf
from workers.database.claims import Claim, ClaimedDocument
from workers.database.documents import Name, Refusal, Replaceable
from workers.database.engine import ledger
from workers.database.folios import open_series
from workers.database.issuers import Company, SealedCertificate
from workers.database.references import KnownReference, Reference, ReferenceBook, references
from workers.settings import settings

ISSUED_TYPES: Final = frozenset(code for code, kind in DOCUMENT_TYPES.items() if kind.issued)
BOLETAS: Final = frozenset({BOLETA, EXEMPT_BOLETA})
UF_MATTERS_FROM: Final = 4_000_000
"""Pesos below which no boleta reaches 135 UF: one UF has been worth more than 30,000 pesos since 2021."""

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to become of a claimed document: `prepared` and `signer`, or a `refusal`.

    `changed` are the documents that a note changes, `touches` they and what they change themselves, `known` those of
    them that the ledger knows, as it was judged by.
    """

    claimed: ClaimedDocument
    prepared: Prepared | None = None
    signer: SealedCertificate | None = None
    refusal: Refusal | None = None
    replaces: uuid.UUID | None = None
    depends_on: uuid.UUID | None = None
    changed: tuple[Key, ...] = ()
    touches: frozenset[Reference] = frozenset()
    known: Mapping[Key, KnownReference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """What the rules must know, read for one chunk."""

    issuers: Mapping[tuple[str, str, str | None], IssuerData]
    signers: Mapping[Company, SealedCertificate]
    references: ReferenceBook
    replaced: Mapping[Name, Replaceable]
    series: set[tuple[str, str, int]]
    uf: Mapping[date, Decimal]


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
    today = santiago(claim.at).date()
    world = _look(readable, jobs, today)
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


def _look(readable: Sequence[ClaimedDocument], jobs: Mapping[uuid.UUID, Job], today: date) -> World:
    companies = {(claimed.issuer, claimed.environment) for claimed in readable}
    changed = set()
    repeated = set()
    replaced = set()
    series = set()
    days = set()
    for claimed in readable:
        job = jobs[claimed.id]
        for number in _stated_type(job.document):
            series.add((claimed.issuer, claimed.environment, number))
            if number in BOLETAS:
                days.add(fixing_day(stated_day(job.document) or today))
        changed |= {(claimed.issuer, claimed.environment, *key) for key in references_of(job.document)}
        repeated |= {(claimed.issuer, claimed.environment, *key) for key in repeated_by(job.document)}
        if job.replaces is not None:
            replaced.add((claimed.issuer, claimed.environment, job.replaces))
    with ledger().statements() as tx:
        return World(
            issuers=issuers.issuer_data(tx, companies),
            signers=issuers.signers_of(tx, companies),
            references=references(tx, changed, repeated),
            replaced=documents.replaceable(tx, replaced),
            series=open_series(tx, sorted(series)),
            uf=uf.values(tx, days),
        )


def _judge_one(claimed: ClaimedDocument, job: Job, world: World, today: date) -> Judgement:
    company = (claimed.issuer, claimed.environment)
    changed = references_of(job.document)
    known = world.references.known(company, changed, settled=claimed.folio is not None)
    value = None if claimed.folio is not None else world.uf.get(fixing_day(stated_day(job.document) or today))
    problems = _job_problems(claimed, job, world)
    prepared = None
    try:
        prepared = prepare(
            job.document,
            issuer=world.issuers.get((*company, claimed.branch)) or world.issuers.get((*company, None)),
            today=today,
            referenced={key: reference.facts for key, reference in known.items()},
            profile=settings().format_profile,
            uf=value,
        )
    except DomainError as error:
        problems += error.problems
    except Exception as error:
        log.exception("issue.internal", document=str(claimed.id))
        return Judgement(claimed, refusal=_internal(claimed, error))
    origin = known.get(prepared.changes) if prepared and prepared.changes else None
    refusal = _refusal(claimed, job, problems, _missing(claimed, job, world), origin)
    if refusal is not None:
        return Judgement(claimed, refusal=refusal)
    return Judgement(
        claimed,
        None if prepared is None else _with_doubt(prepared, value),
        world.signers[company],
        replaces=world.replaced[*company, job.replaces].document_id if job.replaces else None,
        depends_on=origin.document_id if origin else None,
        changed=changed,
        touches=world.references.to_hold(company, changed),
        known=known,
    )


def _with_doubt(prepared: Prepared, value: Decimal | None) -> Prepared:
    """The same with a warning where a limit in UF could not be asked about."""
    if value is not None or prepared.document_type not in BOLETAS or prepared.total < UF_MATTERS_FROM:
        return prepared
    problem = Problem(
        "UF-UNKNOWN",
        "document.Encabezado.Totales.MntTotal",
        f"Check yourself whether this is more than 135 UF, when the buyer must be named: FMgo has no UF of"
        f" {fixing_day(prepared.issued_on).isoformat()}, which fixes the limit of a whole year (`fmgo uf import`).",
        "warning",
    )
    return replace(prepared, warnings=(*prepared.warnings, problem))


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
    elif found.taken:
        code, sentence = "TAKEN", "Another document replaces that one already; a sale is replaced once."
    elif found.state not in REPLACEABLE:
        code, sentence = "NOT-REJECTED", f"Only a rejected document can be replaced, and that one is `{found.state}`."
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
