"""From the SII's answers to verdicts, document by document.

Counters decide a type only when they leave no doubt; otherwise each document is asked about. Rules: EPR means
processed, not accepted; a document that the SII holds is accepted; an absent one (FAU) is rejected only when as many
are absent as the counters reject; reasons that were not given are `not yet told`. That a folio came before (DTE-3-100,
DTE-3-101) is no verdict on the document: an earlier upload may have brought it, so the SII is asked, until it holds it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from domain.answers.document import DocumentStatus
from domain.answers.envelope import DocumentFinding, EnvelopeStatus, TypeCounters
from workers.database.verdicts import Rider, Verdict

HELD: Final = frozenset({"accepted", "modified", "annulled"})
NOT_HELD: Final = frozenset({"absent", "not_authorised", "folio_annulled", "company_not_authorised"})
FOUND: Final = {"DOK": "accepted", "RPR": "accepted_with_repairs", "RLV": "accepted_with_repairs", "RCH": "rejected"}
REPEATED: Final = frozenset({"DTE-3-100", "DTE-3-101"})
NOT_YET_TOLD: Final = "not yet told"

Ask = Callable[[Sequence[Rider]], dict[Rider, DocumentStatus]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer decides: `complete` when no document is left open, `refused_whole` when none was received."""

    verdicts: list[Verdict]
    complete: bool
    refused_whole: bool
    counters: list[dict[str, Any]]


def verdict_of(riders: Sequence[Rider], status: EnvelopeStatus, ask: Ask) -> Outcome:
    """Decide what can be decided; `ask` is asked about documents where the envelope's answer leaves doubt."""
    open_riders = [rider for rider in riders if rider.state == "enveloped"]
    counters = [asdict(counter) for counter in status.counters]
    if status.phase == "refused":
        answers = ask(open_riders)
        held = [
            _held(rider, answers[rider], status, repaired=False) for rider in open_riders if _is_held(answers[rider])
        ]
        absent = sum(answer.meaning in NOT_HELD for answer in answers.values())
        nobody = absent == len(open_riders) and len(open_riders) == len(riders)
        return Outcome(held, complete=len(held) == len(open_riders), refused_whole=nobody, counters=counters)
    verdicts, doubtful = _by_envelope(open_riders, status)
    if doubtful:
        answers = ask(doubtful)
        verdicts += _by_document(riders, answers, status)
    return Outcome(verdicts, complete=len(verdicts) == len(open_riders), refused_whole=False, counters=counters)


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
    riders: Sequence[Rider], answers: dict[Rider, DocumentStatus], status: EnvelopeStatus
) -> list[Verdict]:
    rejected, repaired = Counter[int](), Counter[int]()
    for counter in status.counters:
        rejected[counter.document_type or 0] += counter.rejected
        repaired[counter.document_type or 0] += counter.repaired
    repeats = {
        (f.document_type or r.document_type, f.folio) for f in status.findings if _is_repeated(f) for r in riders
    }
    repeated = {rider for rider in riders if (rider.document_type, rider.folio) in repeats}
    verdicts: list[Verdict] = []
    for document_type in sorted({rider.document_type for rider in answers}):
        asked = {rider: answer for rider, answer in answers.items() if rider.document_type == document_type}
        counted = document_type if document_type in rejected else 0
        held = [rider for rider, answer in asked.items() if _is_held(answer)]
        absent = [r for r, answer in asked.items() if answer.meaning in NOT_HELD and r not in repeated]
        gone = [r for r in riders if r.document_type == document_type and (r.state == "rejected" or r in repeated)]
        all_repaired = repaired[counted] > 0 and repaired[counted] == len(held)
        verdicts += [_held(rider, asked[rider], status, repaired=all_repaired) for rider in held]
        if absent and len(absent) + len(gone) == rejected[counted]:
            verdicts += [_absent(rider, asked[rider], status) for rider in absent]
        verdicts += [
            Verdict(rider.id, "conflict", {"envelope": status.state, "document": answer.code, "text": answer.gloss})
            for rider, answer in asked.items()
            if answer.meaning == "mismatch"
        ]
    return verdicts


def _is_repeated(finding: DocumentFinding) -> bool:
    return finding.state == "RCH" and any(error.code in REPEATED for error in finding.errors)


def _is_held(answer: DocumentStatus) -> bool:
    return answer.meaning in HELD


def _held(rider: Rider, answer: DocumentStatus, status: EnvelopeStatus, *, repaired: bool) -> Verdict:
    state = "accepted_with_repairs" if repaired else "accepted"
    said: dict[str, Any] = {"envelope": status.state, "document": answer.code, "text": answer.gloss}
    if repaired:
        said["reasons"] = NOT_YET_TOLD
    return Verdict(rider.id, state, said)


def _absent(rider: Rider, answer: DocumentStatus, status: EnvelopeStatus) -> Verdict:
    said = {"envelope": status.state, "document": answer.code, "text": answer.gloss, "reasons": NOT_YET_TOLD}
    return Verdict(rider.id, "rejected", said)
