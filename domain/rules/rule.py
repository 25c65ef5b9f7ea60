"""What a rule is, and what it sees.

A rule has a stable id, the path of the field that it speaks of, a sentence that says what to do, the predicate that
finds where it is broken, and its source. Sentences are templates: a predicate gives the figures.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from domain.calculation.findings import Finding, Findings
from domain.changes import ANNULS
from domain.codes.document_types import BOLETA, BOLETA_TYPES, DOCUMENT_TYPES, EXEMPT_BOLETA, EXPORTS
from domain.completion import IssuerData, Referenced, ReferencedDocument
from domain.document import Document, changed_documents, folio_referred, type_referred
from domain.format.reading import Values
from domain.format.table import PROFILES, Profile
from domain.money import Number
from domain.problems import Level

EVERY = frozenset(DOCUMENT_TYPES)
"""All types."""
BOLETAS = frozenset({BOLETA, EXEMPT_BOLETA})
NOT_BOLETAS = EVERY - BOLETAS
IN_PESOS = NOT_BOLETAS - EXPORTS
"""What travels in an EnvioDTE and is in pesos."""


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
        code: int = self.reference.get("CodRef") or ANNULS  # a liquidación that annuls another needs no CodRef
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
        "uf",
    )

    def __init__(
        self,
        document: Document,
        findings: Findings,
        *,
        issuer: IssuerData | None,
        today: date,
        referenced: Referenced,
        uf: Number | None = None,
    ) -> None:
        self.document = document
        self.uf = uf
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
        if self.references and document.family != "boleta":
            self.changes = tuple(
                _change(index, reference, referenced) for index, reference in changed_documents(document)
            )

    @property
    def profile(self) -> Profile:
        """The edition of the format that the document follows."""
        return self.document.profile

    @property
    def transport(self) -> Values:
        """Encabezado/Transporte."""
        return self.document.header.get("Transporte") or {}

    @property
    def customs(self) -> Values:
        """Encabezado/Transporte/Aduana."""
        return self.transport.get("Aduana") or {}

    @property
    def changed_receivers(self) -> frozenset[str]:
        """The receivers of the documents that a note changes, as far as the ledger knows them."""
        return frozenset(change.known.receiver for change in self.changes if change.known is not None)

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
    """One rule; `types` are those that it speaks of, `profiles` the editions of the format that have it."""

    id: str
    path: str
    sentence: str
    predicate: Predicate
    source: str
    types: frozenset[int]
    level: Level = "error"
    profiles: tuple[Profile, ...] = PROFILES


@dataclass(frozen=True, slots=True)
class Calculated:
    """The predicate of a rule that the calculation itself finds broken."""

    rule_id: str

    def __call__(self, view: View) -> Iterable[Finding]:
        """What the calculation found."""
        return view.findings.by_rule.get(self.rule_id, ())


def found(
    rule_id: str, path: str, sentence: str, source: str, *, types: frozenset[int] = EVERY, level: Level = "error"
) -> Rule:
    """A rule that the calculation itself finds broken."""
    return Rule(rule_id, path, sentence, Calculated(rule_id), source, types, level)
