"""What a rule is, and what it sees.

A rule has a stable id, the path of the field that it speaks of, a sentence that says what to do, the predicate that
finds where it is broken, and its source. Sentences are templates: a predicate gives the figures.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from domain.calculation.findings import Finding, Findings
from domain.codes.document_types import BOLETA_TYPES
from domain.completion import (
    IssuerData,
    Referenced,
    ReferencedDocument,
    changed_documents,
    folio_referred,
    type_referred,
)
from domain.document import Document
from domain.format.reading import Values
from domain.problems import Level


@dataclass(frozen=True, slots=True)
class Change:
    """A document that a note changes: where the reference stands, what it says and what the ledger knows of it."""

    index: int
    reference: Values
    type: int
    folio: int | None
    known: ReferencedDocument | None

    @property
    def code(self) -> int:
        """CodRef: 1 annuls, 2 corrects text, 3 corrects amounts."""
        code: int = self.reference["CodRef"]
        return code

    @property
    def path(self) -> str:
        """The reference's path."""
        return f"document.Referencia[{self.index}]"


class View:
    """A completed and calculated document with everything that rules ask about."""

    __slots__ = (
        "changes",
        "document",
        "findings",
        "id_doc",
        "issued_on",
        "issuer",
        "lines",
        "receiver",
        "references",
        "today",
        "totals",
        "type",
    )

    def __init__(
        self,
        document: Document,
        findings: Findings,
        *,
        issuer: IssuerData | None,
        today: date,
        referenced: Referenced,
    ) -> None:
        self.document = document
        self.findings = findings
        self.issuer = issuer
        self.today = today
        self.type = document.type
        self.id_doc = document.id_doc
        self.issued_on: date = self.id_doc.get("FchEmis") or today
        self.receiver: str | None = document.receptor.get("RUTRecep")
        self.totals = document.totals if findings.complete else {}
        self.lines = document.items("Detalle")
        self.references = document.items("Referencia")
        self.changes: tuple[Change, ...] = ()
        if self.references and document.family == "dte":
            self.changes = tuple(
                _change(index, reference, referenced) for index, reference in changed_documents(document)
            )

    @property
    def on_boleta(self) -> bool:
        """Whether this is a note on boletas only, whose buyers are mostly nobody in particular."""
        return bool(self.changes) and all(change.type in BOLETA_TYPES for change in self.changes)


def _change(index: int, reference: Values, referenced: Referenced) -> Change:
    kind, folio = type_referred(reference) or 0, folio_referred(reference)
    known = None if folio is None or reference.get("RUTOtr") else referenced.get((kind, folio))
    return Change(index, reference, kind, folio, known)


Predicate = Callable[[View], Iterable[Finding]]
"""Finds where a rule is broken; nothing found, nothing broken."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `types` are those that it speaks of."""

    id: str
    path: str
    sentence: str
    predicate: Predicate
    source: str
    types: frozenset[int]
    level: Level = "error"


def calculated(rule_id: str) -> Predicate:
    """The predicate of a rule that the calculation itself finds broken."""

    def found(view: View) -> Iterable[Finding]:
        return view.findings.by_rule.get(rule_id, ())

    return found
