"""What a result mail changes: it explains verdicts that the SII's services gave, and never gives a bad one itself.

A rejected document gets the reasons of its rejection, one with repairs those of its repairs. An accepted one becomes
`accepted_with_repairs` when the mail says so and the counters don't deny it; types that the counters left out (61 was,
in 2026) are the mail's to tell. A mail that calls rejected what the services hold, or the other way round, contradicts
them: they hold. States and codes nobody published are shown verbatim and change nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from domain.answers.envelope import TypeCounters
from domain.answers.result_mail import Reason, ResultMail, Review
from workers.database.result_mails import Decided

EXPLAINED: Final[Mapping[str, str]] = {
    "rejected": "rejected",
    "conflict": "rejected",
    "signed": "rejected",
    "accepted_with_repairs": "repaired",
}
"""State of a document and what a mail must call it to explain it."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What follows from a mail: verdicts with more words, documents that have repairs, and contradictions."""

    explained: list[Decided] = field(default_factory=list)
    repaired: list[Decided] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mailed:
    """What mails say of an upload: counters of types that the SII's answer left out, and why what is rejected."""

    counters: tuple[TypeCounters, ...]
    rejections: Mapping[tuple[int, int], tuple[Reason, ...]]


NOTHING_MAILED: Final = Mailed((), {})


def telling_of(mail: ResultMail, documents: Sequence[Decided], counters: Iterable[Mapping[str, Any]]) -> Telling:
    """What a mail about an upload changes of its documents; `counters` are those of the SII's own answer."""
    telling = Telling()
    reviews: dict[tuple[int, int], list[Review]] = {}
    for review in mail.reviews:
        reviews.setdefault((review.document_type, review.folio), []).append(review)
    repairs = {counter.get("document_type"): int(counter.get("repaired") or 0) for counter in counters}
    for document in documents:
        told = reviews.get((document.document_type, document.folio), [])
        if told:
            _tell(telling, document, told, repairs)
        elif document.state == "signed" and mail.errors:
            _explain(telling, document, mail.errors, ())
    return telling


def mailed_of(said: Iterable[ResultMail], known: Iterable[TypeCounters]) -> Mailed:
    """What the mails of an upload say before its verdict; `known` are the counters of the SII's own answer.

    Counters are taken of types that the answer left out; one that names no type is of the only one, so that nothing is
    missing. The latest mail holds.
    """
    mails = list(said)
    types = {counter.document_type for counter in known}
    told = {counter.document_type: counter for mail in mails for counter in mail.counters}
    reviews = {(review.document_type, review.folio): review for mail in mails for review in mail.reviews}
    return Mailed(
        () if None in types else tuple(counter for name, counter in told.items() if name not in types),
        {name: review.reasons for name, review in reviews.items() if review.meaning == "rejected"},
    )


def _tell(telling: Telling, document: Decided, told: Sequence[Review], repairs: Mapping[int | None, int]) -> None:
    meanings = {review.meaning for review in told} - {"unknown"}
    remarks = tuple(review for review in told if review.meaning == "unknown")
    reasons = _reasons(review for review in told if review.meaning != "unknown")
    expected = EXPLAINED.get(document.state)
    if meanings == {"repaired"} and document.state == "accepted":
        counted = repairs.get(document.document_type, repairs.get(None))
        if counted == 0:
            telling.contradictions.append(f"{_name(document)} has repairs, and the SII counts none")
        else:
            telling.repaired.append(replace(_with(document, reasons, remarks), state="accepted_with_repairs"))
    elif meanings and meanings != {expected}:
        words = ", ".join(sorted({review.state for review in told if review.meaning != "unknown"}))
        telling.contradictions.append(f"{_name(document)} is {document.state}, and the mail says {words}")
    elif meanings or remarks:
        _explain(telling, document, reasons, remarks)


def _explain(telling: Telling, document: Decided, reasons: Sequence[Reason], remarks: Sequence[Review]) -> None:
    explained = _with(document, reasons, remarks)
    if explained.verdict != document.verdict:
        telling.explained.append(explained)


def _with(document: Decided, reasons: Sequence[Reason], remarks: Sequence[Review]) -> Decided:
    verdict = dict(document.verdict)
    if reasons:
        verdict["reasons"] = [asdict(reason) for reason in reasons]
    if remarks:
        verdict["remarks"] = [
            {"state": one.state, "text": one.text, "reasons": [asdict(reason) for reason in one.reasons]}
            for one in remarks
        ]
    return replace(document, verdict=verdict)


def _reasons(reviews: Iterable[Review]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for review in reviews for reason in review.reasons))


def _name(document: Decided) -> str:
    return f"{document.document_type}/{document.folio}"
