"""What the ledger knows of the documents that notes change, and the order in which notes on one of them get folios.

Facts are read for a whole chunk before anything is decided. Whoever then gives folios to notes takes `hold` on what
they change and reads the facts again: in the meantime another process may have given a folio to another note on the
same document, and both together might take off more than there was.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from domain.changes import Changed, Key, StandingNote, taken
from domain.completion import ReferencedDocument
from domain.issued import Stated, stated_in
from domain.money import Number, rounded
from workers.database.engine import run

Reference = tuple[str, str, int, int]
"""Issuer, environment, type and folio."""
Company = tuple[str, str]

_AMOUNT_DECIMALS = 4
_NOTHING = Stated()


@dataclass(frozen=True, slots=True)
class KnownReference:
    """A document of the ledger that a note may change."""

    document_id: uuid.UUID
    facts: ReferencedDocument


@dataclass(frozen=True, slots=True)
class ReferenceBook:
    """Documents that notes of a chunk change, with the notes that stand on them."""

    documents: Mapping[Reference, KnownReference]
    notes: Mapping[Company, Sequence[StandingNote]]
    totals: Mapping[Company, Mapping[Key, Number]]

    def known(self, company: Company, keys: Collection[Key], *, settled: bool = False) -> dict[Key, KnownReference]:
        """Those of one note's documents that the ledger knows, with what other notes have done to them.

        `settled` is for a note that has its folio already: what was taken off is not held against it again.
        """
        found = {}
        for key in keys:
            document = self.documents.get((*company, *key))
            if document is None:
                continue
            on_it = taken(key, self.notes.get(company, ()), self.totals.get(company, {}), keys)
            facts = replace(
                document.facts,
                credited=0 if settled else on_it.credited,
                debited=on_it.debited,
                annulled=on_it.annulled and not settled,
            )
            found[key] = replace(document, facts=facts)
        return found

    def to_hold(self, company: Company, keys: Collection[Key]) -> frozenset[Reference]:
        """What a note on these documents touches: they, what they change if they are notes themselves, and so on."""
        changes = {note.key: note.changes for note in self.notes.get(company, ())}
        touched: set[Key] = set()
        left = list(keys)
        while left:
            key = left.pop()
            if key not in touched:
                touched.add(key)
                left += [changed.key for changed in changes.get(key, ())]
        return frozenset((*company, *key) for key in touched)


def hold(tx: Connection, references: Iterable[Reference]) -> None:
    """Be the only one who gives folios to notes on these documents until the transaction ends.

    Documents are held by name, in sorted order, whether the ledger knows them or not.
    """
    names = sorted({"note on {} {} {} {}".format(*reference) for reference in references})
    if names:
        run(
            tx,
            """
            SELECT pg_advisory_xact_lock(hashtextextended(name, 43))
            FROM (SELECT name FROM unnest(CAST(:names AS text[])) AS n (name) ORDER BY name COLLATE "C") AS sorted
            """,
            names=names,
        )


DOCUMENTS = """
    SELECT d.id, d.issuer, d.environment, d.document_type, d.folio, d.state, d.receiver, d.total, d.net, d.exempt,
           d.vat, d.issued_on
    FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]), CAST(:types AS smallint[]),
                CAST(:folios AS bigint[])) AS k (issuer, environment, document_type, folio)
    JOIN documents d ON d.issuer = k.issuer AND d.environment = k.environment
         AND d.document_type = k.document_type AND d.folio = k.folio
"""

# `roots`: what these documents themselves change, if they are notes, and so on. `reached`: they all, the notes on them,
# the notes on those, and so on. `beside`: debit notes on what else those notes change, which make room there.
NOTES = """
    WITH RECURSIVE roots (issuer, environment, document_type, folio) AS (
        SELECT issuer, environment, CAST(document_type AS smallint), folio
        FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]), CAST(:types AS smallint[]),
                    CAST(:folios AS bigint[])) AS k (issuer, environment, document_type, folio)
        UNION
        SELECT c.issuer::text, c.environment::text, c.document_type, c.folio
        FROM roots r
        JOIN documents n ON n.issuer = r.issuer AND n.environment = r.environment
             AND n.document_type = r.document_type AND n.folio = r.folio
        JOIN note_changes c ON c.note = n.id
    ), reached (issuer, environment, document_type, folio) AS (
        SELECT * FROM roots
        UNION
        SELECT n.issuer::text, n.environment::text, n.document_type, n.folio
        FROM reached r
        JOIN note_changes c ON c.issuer = r.issuer AND c.environment = r.environment
             AND c.document_type = r.document_type AND c.folio = r.folio
        JOIN documents n ON n.id = c.note AND n.state NOT IN ('rejected', 'conflict', 'withdrawn')
    ), standing (note) AS (
        SELECT DISTINCT c.note FROM reached r
        JOIN note_changes c ON c.issuer = r.issuer AND c.environment = r.environment
             AND c.document_type = r.document_type AND c.folio = r.folio
    ), beside (note) AS (
        SELECT DISTINCT o.note FROM standing s
        JOIN note_changes c ON c.note = s.note
        JOIN note_changes o ON o.issuer = c.issuer AND o.environment = c.environment
             AND o.document_type = c.document_type AND o.folio = c.folio
        JOIN documents n ON n.id = o.note AND n.document_type IN (56, 111)
    )
    SELECT n.issuer, n.environment, n.document_type, n.folio, n.total,
           c.document_type AS changed_type, c.folio AS changed_folio, c.code, o.total AS changed_total
    FROM (SELECT note FROM standing UNION SELECT note FROM beside) AS found
    JOIN documents n ON n.id = found.note AND n.state NOT IN ('rejected', 'conflict', 'withdrawn')
    JOIN note_changes c ON c.note = n.id
    LEFT JOIN documents o ON o.issuer = c.issuer AND o.environment = c.environment
         AND o.document_type = c.document_type AND o.folio = c.folio
    ORDER BY n.issuer, n.environment, n.document_type, n.folio, c.position
"""


# What a document states of its taxes and of the kind of sale is in its bytes only; they are read for the few that notes
# change.
BYTES = """
    SELECT d.id, f.bytes
    FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]), CAST(:types AS smallint[]),
                CAST(:folios AS bigint[])) AS k (issuer, environment, document_type, folio)
    JOIN documents d ON d.issuer = k.issuer AND d.environment = k.environment
         AND d.document_type = k.document_type AND d.folio = k.folio
    JOIN document_files f ON f.document_id = d.id AND f.received_at = d.received_at AND f.kind = 'dte'
"""


def references(tx: Connection, wanted: Iterable[Reference], repeated: Iterable[Reference] = ()) -> ReferenceBook:
    """What the ledger knows of these documents; of those that are `repeated`, also what only their bytes state."""
    keys = sorted(set(wanted))
    if not keys:
        return ReferenceBook({}, {}, {})
    values = _columns(keys)
    stated = _stated(tx, sorted(set(repeated)))
    known = {
        (row.issuer, row.environment, row.document_type, row.folio): KnownReference(
            row.id,
            ReferencedDocument(
                document_type=row.document_type,
                folio=row.folio,
                state=row.state,
                receiver=row.receiver,
                total=_amount(row.total),
                net=row.net,
                exempt=None if row.exempt is None else _amount(row.exempt),
                vat=row.vat,
                issued_on=row.issued_on,
                taxes=stated.get(row.id, _NOTHING).taxes,
                sale_kind=stated.get(row.id, _NOTHING).sale_kind,
                principal=stated.get(row.id, _NOTHING).principal,
            ),
        )
        for row in run(tx, DOCUMENTS, **values)
    }
    changes: dict[tuple[Company, Key, Number], list[Changed]] = {}
    totals: dict[Company, dict[Key, Number]] = {}
    for row in run(tx, NOTES, **values):
        company = (row.issuer, row.environment)
        note = (company, (row.document_type, row.folio), _amount(row.total))
        changes.setdefault(note, []).append(Changed(row.changed_type, row.changed_folio, row.code))
        if row.changed_total is not None:
            totals.setdefault(company, {})[row.changed_type, row.changed_folio] = _amount(row.changed_total)
    notes: dict[Company, list[StandingNote]] = {}
    for (company, (document_type, folio), total), changed in changes.items():
        notes.setdefault(company, []).append(StandingNote(document_type, folio, total, tuple(changed)))
    return ReferenceBook(known, notes, totals)


def _stated(tx: Connection, keys: Sequence[Reference]) -> dict[uuid.UUID, Stated]:
    return {row.id: stated_in(bytes(row.bytes)) for row in run(tx, BYTES, **_columns(keys))} if keys else {}


def _columns(keys: Sequence[Reference]) -> dict[str, list[str] | list[int]]:
    return {
        "issuers": [key[0] for key in keys],
        "environments": [key[1] for key in keys],
        "types": [key[2] for key in keys],
        "folios": [key[3] for key in keys],
    }


@dataclass(frozen=True, slots=True)
class NoteChanges:
    """What a note with its folio changes."""

    note: uuid.UUID
    company: Company
    changes: Sequence[Changed]


def write_changes(tx: Connection, written: Iterable[NoteChanges]) -> None:
    """Write down what notes change, in the transaction that gives them their folios."""
    rows = [(one.note, place, *one.company, changed) for one in written for place, changed in enumerate(one.changes)]
    if not rows:
        return
    run(
        tx,
        """
        INSERT INTO note_changes (note, position, issuer, environment, document_type, folio, code)
        SELECT * FROM unnest(CAST(:notes AS uuid[]), CAST(:places AS smallint[]), CAST(:issuers AS text[]),
                             CAST(:environments AS text[]), CAST(:types AS smallint[]), CAST(:folios AS bigint[]),
                             CAST(:codes AS smallint[]))
        """,
        notes=[row[0] for row in rows],
        places=[row[1] for row in rows],
        issuers=[row[2] for row in rows],
        environments=[row[3] for row in rows],
        types=[row[4].document_type for row in rows],
        folios=[row[4].folio for row in rows],
        codes=[row[4].code for row in rows],
    )


def _amount(value: Number) -> Number:
    """An amount of the ledger; whole ones as int."""
    return rounded(value, _AMOUNT_DECIMALS)
