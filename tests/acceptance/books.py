"""The books: what must hold of a company's documents in the end, whatever went wrong on the way.

The simulated SII's ledger, FMgo's ledger and the evidence are compared, so that neither is believed alone.
"""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path

from deploy.sandbox.people import Company
from domain.states import DOCUMENT_TRANSITIONS, ENVELOPE_TRANSITIONS
from tests.acceptance.works import Works
from workers.evidence import read_evidence


def check_books(works: Works, company: Company) -> None:
    """Everything that must hold of a company's documents, whatever their verdicts."""
    invariants = works.sii.invariants()
    assert invariants["ok"], invariants["problems"]
    assert invariants["doubled"] == 0
    each_folio_is_explained(works, company)
    the_sii_holds_what_is_accepted(works, company)
    stored_bytes_are_what_the_sii_got(works, company)
    both_copies_are_the_same(works, company)
    the_history_is_legal(works, company)
    nothing_is_leased(works, company)


def each_folio_is_explained(works: Works, company: Company) -> None:
    """Every number that a counter has passed is one document's or void; both is only what was withdrawn with it."""
    given = Counter(
        works.rows("SELECT document_type, folio FROM documents WHERE issuer = %s AND folio IS NOT NULL", company.rut)
    )
    assert max(given.values(), default=1) == 1
    passed = {
        (document_type, folio)
        for document_type, first, following in works.rows(
            "SELECT c.document_type, c.first, f.next FROM cafs c JOIN folio_counters f ON f.caf = c.id"
            " WHERE c.issuer = %s",
            company.rut,
        )
        for folio in range(first, following)
    }
    voids = {
        (document_type, folio)
        for document_type, first, last in works.rows(
            "SELECT document_type, first, last FROM folio_voids WHERE issuer = %s", company.rut
        )
        for folio in range(first, last + 1)
    }
    assert passed <= set(given) | voids
    assert set(given) <= passed
    withdrawn = works.rows(
        "SELECT document_type, folio FROM documents WHERE issuer = %s AND state = 'withdrawn'", company.rut
    )
    assert voids & set(given) == set(withdrawn)


def the_sii_holds_what_is_accepted(works: Works, company: Company) -> None:
    """The SII accepted each document that FMgo calls accepted, once, and no other."""
    accepted = works.rows(
        "SELECT document_type, folio FROM documents WHERE issuer = %s AND state LIKE 'accepted%%'",
        company.rut,
    )
    assert works.taken(company) == Counter(accepted)


def stored_bytes_are_what_the_sii_got(works: Works, company: Company) -> None:
    """Each file that the SII stored is an envelope of the ledger, byte for byte, with its documents as stored."""
    envelopes = {
        bytes(digest).hex(): (number, bytes(data))
        for number, data, digest in works.rows("SELECT id, bytes, sha256 FROM envelopes WHERE issuer = %s", company.rut)
    }
    files = defaultdict(list)
    for envelope, data in works.rows(
        "SELECT e.envelope, f.bytes FROM envelope_documents e JOIN document_files f ON f.document_id = e.document_id"
        " JOIN documents d ON d.id = e.document_id WHERE d.issuer = %s AND f.kind = 'dte'",
        company.rut,
    ):
        files[envelope].append(bytes(data))
    for upload in works.uploads(company):
        answer = works.window.get(f"/uploads/{upload['track_id']}/file")
        answer.raise_for_status()
        number, data = envelopes[hashlib.sha256(answer.content).hexdigest()]
        assert answer.content == data
        assert files[number]
        assert all(dte in data for dte in files[number])


def both_copies_are_the_same(works: Works, company: Company) -> None:
    """Whatever has left FMgo is in the evidence, with the bytes of the ledger; no document has two sets of bytes."""
    kept: defaultdict[tuple[str, str], set[bytes]] = defaultdict(set)
    for record in read_evidence(Path(works.sandbox.environment["FMGO_EVIDENCE_DIR"])):
        kept[record.kind, record.header["id"]].add(record.data)
    for number, data in works.rows(
        "SELECT d.id, f.bytes FROM documents d JOIN document_files f ON f.document_id = d.id AND f.kind = 'dte'"
        " WHERE d.issuer = %s AND d.evidenced_at IS NOT NULL",
        company.rut,
    ):
        assert kept["dte", str(number)] == {bytes(data)}
    for number, data in works.rows("SELECT id, bytes FROM envelopes WHERE issuer = %s AND attempts > 0", company.rut):
        assert kept["envelope", str(number)] == {bytes(data)}


def the_history_is_legal(works: Works, company: Company) -> None:
    """Events lead from nothing to the present state without a gap, by legal steps only."""
    for table, key, owner, transitions in (
        ("document_events", "document_id", "documents", DOCUMENT_TRANSITIONS),
        ("envelope_events", "envelope", "envelopes", ENVELOPE_TRANSITIONS),
    ):
        steps = defaultdict(list)
        for number, before, after in works.rows(
            f"SELECT v.{key}, v.from_state, v.to_state FROM {table} v JOIN {owner} o ON o.id = v.{key}"
            " WHERE o.issuer = %s ORDER BY v.id",
            company.rut,
        ):
            steps[number].append((before, after))
        for number, state in works.rows(f"SELECT id, state FROM {owner} WHERE issuer = %s", company.rut):
            history = steps[number]
            assert [before for before, _ in history] == ["", *(after for _, after in history[:-1])], history
            assert history[-1][1] == state
            assert transitions.issuperset(history)


def nothing_is_leased(works: Works, company: Company) -> None:
    """No document or envelope is in anybody's hands, and no row lies where its month should have been."""
    for table in ("document_events", "document_files", "envelope_events", "envelope_attempts"):
        assert works.scalar(f"SELECT count(*) FROM {table}_default") == 0
    for table in ("documents", "envelopes"):
        query = f"SELECT count(*) FROM {table} WHERE issuer = %s AND lease_owner IS NOT NULL"
        assert works.scalar(query, company.rut) == 0
