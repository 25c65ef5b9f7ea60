"""Watches of claims: whose turn it is, and that what is taken isn't taken twice."""

from workers.database import claim_watches
from workers.database.engine import Ledger, run

WATCHES = """
    INSERT INTO documents (id, issuer, environment, key, body_hash, lane, document_type)
    SELECT fmgo_document_id('certification', i.rut, 1, n::text), i.rut, 'certification', n::text, sha256(''), 'bulk', 33
    FROM (VALUES ('76900101-8', 50), ('76900102-6', 2)) AS i (rut, sales), generate_series(1, i.sales) n;
    INSERT INTO claim_watches (document_id, environment, issuer, since, until, due_at)
    SELECT id, environment, issuer, fmgo_now(), fmgo_now() + interval '8 days', fmgo_now() - interval '1 hour'
    FROM documents
"""


def test_each_company_gets_its_turn_and_nothing_is_taken_twice(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for statement in WATCHES.split(";"):
            run(tx, statement)
    taken = []
    while True:
        with ledger.transaction() as tx:
            batch = claim_watches.take(tx, "certification", 20, 600)
        if not batch:
            break
        assert len({one.issuer for one in batch}) == 1
        assert len(batch) <= 20
        taken.append(batch)
    assert sorted(len(batch) for batch in taken) == [2, 10, 20, 20]
    ids = [one.document_id for batch in taken for one in batch]
    assert len(set(ids)) == len(ids) == 52
    with ledger.transaction() as tx:
        claim_watches.postpone(tx, ids[:3], 0)
        claim_watches.answered(tx, ids[3], "16", "", None)
    with ledger.transaction() as tx:
        assert claim_watches.any_due(tx, "certification")
        assert not claim_watches.any_due(tx, "production")
        assert {one.document_id for one in claim_watches.take(tx, "certification", 20, 600)} <= set(ids[:3])


def test_a_claim_is_told_once(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for statement in WATCHES.split(";"):
            run(tx, statement)
        number = run(tx, "SELECT id FROM documents LIMIT 1").scalar_one()
        assert claim_watches.tell(tx, number, {"state": "claimed", "events": []})
        assert not claim_watches.tell(tx, number, {"events": [], "state": "claimed"})
        assert run(tx, "SELECT version FROM documents WHERE id = :id", id=number).scalar_one() == 1
