"""What notes change, and what all of them together have taken off a document or added to it.

A note counts while it stands, for what other notes have left of it: a debit note that annuls a credit note gives back
what that one took off. A liquidación below zero annuls the one that it names, as a note annuls others. Of a note on
several documents only what is certain counts against one of them: all of it if it names no others, else what the
others could not have borne. So nothing is refused without proof. Source: SII, Formato DTE 2.5, zone F (Referencia);
SII, FAQ 001.003.7335 (2025-06-30).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.codes.document_types import CREDIT_NOTES, NOTES, SETTLEMENT
from domain.document import Document, changed_documents, folio_referred, type_referred
from domain.money import Number

ANNULS, CORRECTS_TEXT, CORRECTS_AMOUNTS = 1, 2, 3
"""CodRef."""

Key = tuple[int, int]
"""Type and folio of a document; all here are of one issuer."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A document that a note changes, and how (`code` is CodRef)."""

    document_type: int
    folio: int
    code: int

    @property
    def key(self) -> Key:
        """Type and folio."""
        return self.document_type, self.folio


@dataclass(frozen=True, slots=True)
class StandingNote:
    """A note that was issued and that the SII hasn't rejected; `total` is its MntTotal."""

    document_type: int
    folio: int
    total: Number
    changes: tuple[Changed, ...]

    @property
    def key(self) -> Key:
        """Type and folio."""
        return self.document_type, self.folio


@dataclass(frozen=True, slots=True)
class Taken:
    """What notes that stand have done to a document."""

    credited: Number = 0
    debited: Number = 0
    annulled: bool = False


def changes_of(document: Document) -> tuple[Changed, ...]:
    """What a note changes of its own issuer, each document once, in the order of its references."""
    found: dict[Key, Changed] = {}
    if document.type in NOTES | {SETTLEMENT}:
        for _, reference in changed_documents(document):
            kind, folio = type_referred(reference), folio_referred(reference)
            if kind and folio and not reference.get("RUTOtr"):
                found.setdefault((kind, folio), Changed(kind, folio, int(reference.get("CodRef") or ANNULS)))
    return tuple(found.values())


def taken(
    document: Key, notes: Sequence[StandingNote], totals: Mapping[Key, Number], among: Collection[Key] = ()
) -> Taken:
    """What `notes` have done to a document.

    `totals` has the documents that the notes change, as far as they are known. `among` are the documents that somebody
    looks at together: a note on several that names only these counts wholly, against the first of them that it names.
    Of a debit note that undid a credit note, what can't be undone again counts as taken: the credit note would take
    more off than is left where it took it.
    """
    standing = _Notes(notes, totals, frozenset(among) | {document})
    found = standing.taken(document, frozenset())
    debit = standing.debit_note(document)
    ceiling = None if debit is None else standing.ceiling(debit)
    if debit is None or ceiling is None:
        return found
    return replace(found, credited=max(found.credited, debit.total + found.debited - ceiling))


class _Notes:
    """Notes by what they change."""

    def __init__(self, notes: Sequence[StandingNote], totals: Mapping[Key, Number], among: frozenset[Key]) -> None:
        self._totals = totals
        self._among = among
        self._by_key = {note.key: note for note in notes}
        self._on: dict[Key, list[tuple[StandingNote, int]]] = {}
        for note in notes:
            for changed in note.changes:
                self._on.setdefault(changed.key, []).append((note, changed.code))

    def taken(self, document: Key, path: frozenset[Key]) -> Taken:
        """What notes have done to a document; `path` are those on the way to it, so that no circle has an end."""
        credited: Number = 0
        debited: Number = 0
        annulled = False
        for note, code in self._on.get(document, ()):
            if code == CORRECTS_TEXT or note.key in path:
                continue
            left, stands = self._left(note, path | {document})
            share = self._share(note, document, left)
            if note.document_type in CREDIT_NOTES:
                credited += share
            else:
                debited += share
            annulled |= code == ANNULS and stands
        return Taken(credited, debited, annulled)

    def debit_note(self, document: Key) -> StandingNote | None:
        """The debit note with that type and folio, if there is one."""
        note = self._by_key.get(document)
        return None if note is None or note.document_type in CREDIT_NOTES | {SETTLEMENT} else note

    def ceiling(self, debit: StandingNote) -> Number | None:
        """How much of a debit note may be undone for what it undid itself; None where nothing limits it."""
        limits = []
        for undone in (self._by_key.get(changed.key) for changed in debit.changes if changed.code != CORRECTS_TEXT):
            origins = [changed.key for changed in undone.changes if changed.code != CORRECTS_TEXT] if undone else []
            if undone is None or len(origins) != 1 or origins[0] not in self._totals:
                continue
            there = self.taken(origins[0], frozenset())
            spare = max(0, self.taken(undone.key, frozenset()).debited - undone.total)
            limits.append(max(0, self._totals[origins[0]] + there.debited - there.credited) + spare)
        return min(limits) if limits else None

    def _left(self, note: StandingNote, path: frozenset[Key]) -> tuple[Number, bool]:
        """What other notes leave of a note, and whether none annuls it."""
        on_it = self.taken(note.key, path)
        if on_it.annulled:
            return 0, False
        against = on_it.debited if note.document_type in CREDIT_NOTES else on_it.credited
        return max(0, note.total - against), True

    def _share(self, note: StandingNote, document: Key, amount: Number) -> Number:
        """How much of a note certainly is this document's."""
        keys = [changed.key for changed in note.changes if changed.code != CORRECTS_TEXT]
        if self._among.issuperset(keys):
            return amount if document == keys[0] else 0
        borne: Number = 0
        for key in keys:
            if key != document:
                if key not in self._totals:
                    return 0
                added = (other.total for other, _ in self._on.get(key, ()) if other.document_type not in CREDIT_NOTES)
                borne += self._totals[key] + sum(added)
        return max(0, amount - borne)
