"""Taking in documents that were issued elsewhere, from files of any number of them.

Each document gets one answer: `imported`, `known` (it is in the ledger already, whoever issued it), `conflict` (its
folio is another document's in the ledger) or `refused` with every reason. A document that is refused keeps none of its
file's others out. The same files again change nothing.
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal

from sqlalchemy import Connection

from domain.caf import environment_of
from domain.elsewhere import IssuedElsewhere, NotImportable, documents_in, read_document
from domain.problems import DomainError, Problem
from domain.verification import Trust
from workers.caf_checks import unknown_company
from workers.database import folio_accounts as accounts
from workers.database import imported
from workers.database.audit import audit
from workers.database.engine import Ledger, business_time
from workers.database.imported import Holder, NewDocument
from workers.database.references import NoteChanges, hold, write_changes

CHUNK: Final = 200
"""Documents that are kept in one transaction."""

Outcome = Literal["imported", "known", "conflict", "refused"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("imported", "known", "conflict", "refused")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one document of a file; `number` counts from 1, 0 is the file as a whole."""

    file: str
    number: int
    outcome: Outcome
    issuer: str | None = None
    document_type: int | None = None
    folio: int | None = None
    document_id: uuid.UUID | None = None
    verified: bool | None = None
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The answer as members of a JSON object."""
        return {
            "file": self.file,
            "number": self.number,
            "outcome": self.outcome,
            "issuer": self.issuer,
            "type": self.document_type,
            "folio": self.folio,
            "id": self.document_id,
            "verified": self.verified,
            "problems": [problem.as_dict() for problem in self.problems],
        }


class Importer:
    """Takes documents into one of a ledger's environments. `actor` is who the audit rows name."""

    def __init__(self, ledger: Ledger, environment: str, *, trust: Trust, actor: str, unverified: bool = False) -> None:
        """Take the ledger and whom to believe; with `unverified` documents are taken as they stand."""
        self._ledger = ledger
        self._environment = environment
        self._trust = trust
        self._actor = actor
        self._unverified = unverified

    def take(self, file: str, data: bytes) -> list[Answer]:
        """Import every document of a file; an answer each, in their order. One for a file that is none, number 0."""
        try:
            found = documents_in(data)
        except DomainError as fault:
            return [Answer(file, 0, "refused", problems=tuple(fault.problems))]
        answers: dict[int, Answer] = {}
        read: list[tuple[int, IssuedElsewhere]] = []
        with self._ledger.transaction() as tx:
            at = business_time(tx)
        for number, xml in enumerate(found, 1):
            try:
                document = read_document(xml, trust=self._trust, at=at, unverified=self._unverified)
                self._of_this_world(document)
            except DomainError as fault:
                answers[number] = Answer(file, number, "refused", problems=tuple(fault.problems))
            else:
                read.append((number, document))
        for issuer in sorted({document.issuer for _, document in read}):
            mine = [(number, document) for number, document in read if document.issuer == issuer]
            for start in range(0, len(mine), CHUNK):
                chunk = mine[start : start + CHUNK]
                answers |= self._ledger.repeated(partial(self._keep, file=file, issuer=issuer, chunk=chunk))
        return [answers[number] for number in sorted(answers)]

    def _of_this_world(self, document: IssuedElsewhere) -> None:
        world = None if document.idk is None else environment_of(document.idk)
        if world not in (None, self._environment):
            sentence = f"Its folio was authorised for {world}, not {self._environment}: state --environment {world}."
            raise NotImportable([Problem("IMPORT-OTHER-ENVIRONMENT", "TED/DD/CAF/DA/IDK", sentence)])

    def _keep(
        self, tx: Connection, *, file: str, issuer: str, chunk: Sequence[tuple[int, IssuedElsewhere]]
    ) -> dict[int, Answer]:
        company = (issuer, self._environment)
        if not accounts.hold_company(tx, *company):
            problem = unknown_company(company)
            return {number: _answer(file, number, one, "refused", problem=problem) for number, one in chunk}
        first: dict[tuple[int, int], NewDocument] = {}
        for number, one in chunk:
            name = f"{file}#{number}"[-200:]
            first.setdefault((one.document_type, one.folio), NewDocument(one, hashlib.sha256(one.xml).digest(), name))
        hold(tx, {(*company, *changed.key) for new in first.values() for changed in new.document.changes})
        counters = accounts.hold_counters(tx, {(*company, document_type) for document_type, _ in first})
        kept = imported.keep(tx, *company, list(first.values()))
        write_changes(
            tx, (NoteChanges(kept[key], company, new.document.changes) for key, new in first.items() if key in kept)
        )
        accounts.settle(tx, counters)
        if kept:
            facts = {"file": file[-200:], "documents": len(kept), "unverified": self._unverified}
            audit(tx, self._actor, "document.import", f"{issuer}@{self._environment}", facts)
        bearers = imported.holders(tx, *company, list(first))
        return {number: self._judge(file, number, one, kept, bearers) for number, one in chunk}

    @staticmethod
    def _judge(
        file: str,
        number: int,
        one: IssuedElsewhere,
        kept: dict[tuple[int, int], uuid.UUID],
        bearers: dict[tuple[int, int], Holder],
    ) -> Answer:
        key = (one.document_type, one.folio)
        bearer = bearers.get(key)
        if bearer is None:
            raise AssertionError
        same = one.signature_value and one.signature_value == bearer.signature_value
        if not (same or hashlib.sha256(one.xml).digest() == bearer.body_hash):
            whose = "imported before" if bearer.state == "imported" else f"FMgo's own, and {bearer.state}"
            sentence = f"Folio {one.folio} of type {one.document_type} is another document's here ({whose})."
            problem = Problem("IMPORT-CONFLICT", "Encabezado/IdDoc/Folio", sentence)
            return _answer(file, number, one, "conflict", bearer.document_id, problem=problem)
        outcome: Outcome = "imported" if key in kept else "known"
        kept.pop(key, None)  # the same document again in the file is known
        return _answer(file, number, one, outcome, bearer.document_id)


def _answer(
    file: str,
    number: int,
    one: IssuedElsewhere,
    outcome: Outcome,
    document_id: uuid.UUID | None = None,
    *,
    problem: Problem | None = None,
) -> Answer:
    problems: Iterable[Problem] = one.problems if problem is None else (problem, *one.problems)
    answer = Answer(file, number, outcome, one.issuer, one.document_type, one.folio, document_id, one.verified)
    return replace(answer, problems=tuple(problems))
