"""From the SII's answers to verdicts, document by document.

Counters decide a type only when they leave no doubt; otherwise each document is asked about. Rules: EPR means
processed, not accepted; a document that the SII holds is accepted; an absent one (FAU) is rejected only when as many
are absent as the counters reject; reasons that were not given are `not yet told`. Other bytes under the folio (DNK) are
a conflict. That a folio came before (DTE-3-100, DTE-3-101) is no verdict on the document: an earlier upload may have
brought it. So, while another upload of the same bytes may be at the SII, an upload of which nothing was accepted
decides nothing by absence: the documents are open until the SII holds them, holds others, or a person looks.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from domain.answers.document import DocumentStatus
from domain.answers.envelope import DocumentFinding, EnvelopeStatus, TypeCounters
from domain.answers.table.reasons import REASONS, REPEATED
from tasks.mail_verdicts import NOTHING_MAILED, Mailed
from workers.database.verdicts import Rider, Verdict

HELD: Final = frozenset({"accepted", "modified", "annulled"})
NOT_HELD: Final = frozenset({"absent", "not_authorised", "folio_annulled", "company_not_authorised"})
FOUND: Final = {"DOK": "accepted", "RPR": "accepted_with_repairs", "RLV": "accepted_with_repairs", "RCH": "rejected"}
CAME_BEFORE: Final = frozenset(row.answer for row in REASONS if row.meaning == REPEATED)
REPEATED_ENVELOPE: Final = "RPT"
OF_ITS_BYTES: Final = frozenset({"RSC", "RCT"})
"""Refusals for what stands in the file: any other upload of the same bytes is refused as well."""
NOT_YET_TOLD: Final = "not yet told"

Ask = Callable[[Sequence[Rider]], dict[Rider, DocumentStatus]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer decides.

    `complete`: no document is left open. `refused_whole`: none was received, by this or any other upload. `standing`:
    what is left open, with the SII's words, when all of it was rejected, repeated or refused here and is absent, while
    another upload may have brought it; empty otherwise.
    """

    verdicts: list[Verdict]
    complete: bool
    refused_whole: bool
    standing: dict[Rider, DocumentStatus]
    counters: list[dict[str, Any]]


def verdict_of(
    riders: Sequence[Rider],
    status: EnvelopeStatus,
    ask: Ask,
    *,
    another: bool,
    mailed: Mailed = NOTHING_MAILED,
) -> Outcome:
    """Decide what can be decided; `ask` is asked about documents where the envelope's answer leaves doubt.

    `another`: another upload of the same bytes may be at the SII, and its track id isn't known. `mailed`: what the
    SII's mails say of this upload. By themselves they decide nothing: they count absent documents of types that the
    answer left out, and an absent document that they call rejected, not for its folio having come before, is rejected.
    """
    open_riders = [rider for rider in riders if rider.state == "enveloped"]
    if status.phase == "refused":
        return _refused(riders, open_riders, status, ask, another=another)
    doubted = another and status.accepted + status.repaired == 0
    verdicts, asked = _by_envelope(open_riders, status)
    standing: dict[Rider, DocumentStatus] = {}
    if asked:
        answers = ask(asked)
        counted = replace(status, counters=(*status.counters, *mailed.counters))
        found = _by_document(riders, answers, counted, by_absence=not doubted)
        left = set(asked) - _decided(asked, found)
        by_mail = _by_mail({rider: answers[rider] for rider in left}, mailed, status)
        found += by_mail
        left -= _decided(asked, by_mail)
        repeated = _repeated(riders, status)
        if all(answers[rider].meaning in NOT_HELD and (doubted or rider in repeated) for rider in left):
            standing = {rider: answers[rider] for rider in left}
        verdicts += found
    complete = len(verdicts) == len(open_riders)
    return Outcome(verdicts, complete, refused_whole=False, standing=standing, counters=_counters(status))


def _by_mail(answers: dict[Rider, DocumentStatus], mailed: Mailed, status: EnvelopeStatus) -> list[Verdict]:
    """Rejections of absent documents that the mail gives other reasons for than that the folio came before."""
    verdicts = []
    for rider, answer in answers.items():
        reasons = mailed.rejections.get((rider.document_type, rider.folio), ())
        if answer.meaning in NOT_HELD and reasons and not any(reason.code in CAME_BEFORE for reason in reasons):
            told = [asdict(reason) for reason in reasons]
            said = {"envelope": status.state, **document_said(answer), "reasons": told}
            verdicts.append(Verdict(rider.id, "rejected", said))
    return verdicts


def _refused(
    riders: Sequence[Rider], open_riders: Sequence[Rider], status: EnvelopeStatus, ask: Ask, *, another: bool
) -> Outcome:
    """A refused upload received nothing; the documents may be held by another one all the same."""
    answers = ask(open_riders)
    verdicts = [_held(rider, answer, status, repaired=False) for rider, answer in answers.items() if _is_held(answer)]
    verdicts += _conflicts(answers, status)
    left = set(open_riders) - _decided(open_riders, verdicts)
    absent = all(answers[rider].meaning in NOT_HELD for rider in left)
    conclusive = status.state in OF_ITS_BYTES or not (another or status.state == REPEATED_ENVELOPE)
    return Outcome(
        verdicts,
        complete=not left,
        refused_whole=absent and conclusive and len(left) == len(riders) and bool(left),
        standing={rider: answers[rider] for rider in left} if absent and not conclusive else {},
        counters=_counters(status),
    )


def _decided(riders: Sequence[Rider], verdicts: Sequence[Verdict]) -> set[Rider]:
    ids = {verdict.document_id for verdict in verdicts}
    return {rider for rider in riders if rider.id in ids}


def _counters(status: EnvelopeStatus) -> list[dict[str, Any]]:
    return [asdict(counter) for counter in status.counters]


def _by_envelope(riders: Sequence[Rider], status: EnvelopeStatus) -> tuple[list[Verdict], list[Rider]]:
    """Verdicts that the envelope's own answer leaves no doubt about, and the documents to be asked about."""
    found = {(f.document_type, f.folio): f for f in status.findings if f.state in FOUND and f.folio is not None}
    counts = {counter.document_type: counter for counter in status.counters}
    sizes = Counter(rider.document_type for rider in riders)
    if len(sizes) == 1 and list(counts) == [None]:
        counts = {riders[0].document_type: counts[None]}
    verdicts, doubtful = [], []
    for rider in riders:
        finding = found.get((rider.document_type, rider.folio)) or found.get((None, rider.folio))
        counter = counts.get(rider.document_type)
        told = [f for f in status.findings if f.document_type in (rider.document_type, None)]
        if finding is not None and _is_repeated(finding):
            doubtful.append(rider)
        elif finding is not None:
            verdicts.append(_found(rider, finding, status))
        elif counter is not None and _leaves_no_doubt(counter, sizes[rider.document_type], told):
            state = "accepted_with_repairs" if counter.repaired == sizes[rider.document_type] else "accepted"
            verdicts.append(Verdict(rider.id, state, {"envelope": status.state}))
        else:
            doubtful.append(rider)
    return verdicts, doubtful


def _leaves_no_doubt(counter: TypeCounters, size: int, told: Sequence[DocumentFinding]) -> bool:
    """Whether every document of the type without a finding of its own ended the same way."""
    if counter.accepted + counter.repaired + counter.rejected != size:
        return False
    if size in (counter.accepted, counter.repaired):
        return True
    named = [finding for finding in told if finding.folio is not None and finding.state in FOUND]
    return len(named) == counter.rejected + counter.repaired and counter.rejected + counter.repaired > 0


def _found(rider: Rider, finding: DocumentFinding, status: EnvelopeStatus) -> Verdict:
    reasons = [{"code": error.code, "text": error.text, "detail": error.detail} for error in finding.errors]
    said = {"envelope": status.state, "document": finding.state, "text": finding.text, "reasons": reasons}
    return Verdict(rider.id, FOUND[finding.state], said)


def _by_document(
    riders: Sequence[Rider], answers: dict[Rider, DocumentStatus], status: EnvelopeStatus, *, by_absence: bool
) -> list[Verdict]:
    """Verdicts by what the SII says of each document; `by_absence`: absent ones may be rejected."""
    rejected, repaired = Counter[int](), Counter[int]()
    for counter in status.counters:
        rejected[counter.document_type or 0] += counter.rejected
        repaired[counter.document_type or 0] += counter.repaired
    repeated = _repeated(riders, status)
    verdicts = _conflicts(answers, status)
    elsewhere = _decided(riders, verdicts) | repeated | {r for r in riders if r.state in ("rejected", "conflict")}
    for document_type in sorted({rider.document_type for rider in answers}):
        asked = {rider: answer for rider, answer in answers.items() if rider.document_type == document_type}
        counted = document_type if document_type in rejected else 0
        held = [rider for rider, answer in asked.items() if _is_held(answer)]
        absent = [r for r, answer in asked.items() if answer.meaning in NOT_HELD and r not in repeated]
        gone = [r for r in elsewhere if r.document_type == document_type]
        all_repaired = repaired[counted] > 0 and repaired[counted] == len(held)
        verdicts += [_held(rider, asked[rider], status, repaired=all_repaired) for rider in held]
        if by_absence and absent and len(absent) + len(gone) == rejected[counted]:
            verdicts += [_absent(rider, asked[rider], status) for rider in absent]
    return verdicts


def _repeated(riders: Sequence[Rider], status: EnvelopeStatus) -> set[Rider]:
    """Documents of which the answer says that their folio came before."""
    repeats = {
        (f.document_type or r.document_type, f.folio) for f in status.findings if _is_repeated(f) for r in riders
    }
    return {rider for rider in riders if (rider.document_type, rider.folio) in repeats}


def _is_repeated(finding: DocumentFinding) -> bool:
    return finding.state == "RCH" and any(error.code in CAME_BEFORE for error in finding.errors)


def _is_held(answer: DocumentStatus) -> bool:
    return answer.meaning in HELD


def document_said(answer: DocumentStatus) -> dict[str, Any]:
    """What a question about a document brought, for the record: verbatim, and whether the signature was compared."""
    return {
        "document": answer.code,
        "text": answer.gloss,
        "compared": "signature" if answer.by_signature else "data",
    }


def _held(rider: Rider, answer: DocumentStatus, status: EnvelopeStatus, *, repaired: bool) -> Verdict:
    said = {"envelope": status.state, **document_said(answer)}
    if repaired:
        said["reasons"] = NOT_YET_TOLD
    return Verdict(rider.id, "accepted_with_repairs" if repaired else "accepted", said)


def _absent(rider: Rider, answer: DocumentStatus, status: EnvelopeStatus) -> Verdict:
    said = {"envelope": status.state, **document_said(answer), "reasons": NOT_YET_TOLD}
    return Verdict(rider.id, "rejected", said)


def _conflicts(answers: dict[Rider, DocumentStatus], status: EnvelopeStatus) -> list[Verdict]:
    return [
        Verdict(rider.id, "conflict", {"envelope": status.state, **document_said(answer)})
        for rider, answer in answers.items()
        if answer.meaning == "mismatch"
    ]
