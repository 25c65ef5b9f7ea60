"""The ledger refuses what the state tables don't allow, and forgets nothing."""

import uuid

import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from domain.job import document_id
from domain.states import DOCUMENT_STATES, DOCUMENT_TRANSITIONS, ENVELOPE_STATES, ENVELOPE_TRANSITIONS
from tests.integration.ledger.conftest import ISSUER, enter, job, record
from workers.database import documents
from workers.database.claims import claim_documents
from workers.database.documents import Numbering, Refusal, SignedBytes
from workers.database.engine import Ledger, run
from workers.database.references import references


def steps(ledger: Ledger, table: str) -> set[tuple[str, str]]:
    with ledger.transaction() as tx:
        return {(row.from_state, row.to_state) for row in run(tx, f"SELECT from_state, to_state FROM {table}")}


def names(ledger: Ledger, table: str) -> set[str]:
    with ledger.transaction() as tx:
        return {row.state for row in run(tx, f"SELECT state FROM {table}")}


def test_the_tables_of_steps_are_the_same_in_python_and_in_the_ledger(ledger: Ledger) -> None:
    assert steps(ledger, "document_transitions") == DOCUMENT_TRANSITIONS
    assert steps(ledger, "envelope_transitions") == ENVELOPE_TRANSITIONS
    assert names(ledger, "document_states") == set(DOCUMENT_STATES)
    assert names(ledger, "envelope_states") == set(ENVELOPE_STATES)


@pytest.mark.parametrize(("before", "after"), [("accepted", "received"), ("", "accepted"), ("invalid", "numbered")])
def test_a_step_that_is_not_in_the_table_is_refused(ledger: Ledger, before: str, after: str) -> None:
    (receipt,) = record(ledger, job("a"))
    with pytest.raises(DBAPIError) as refused, ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO document_events (document_id, from_state, to_state) VALUES (:id, :before, :after)",
            id=receipt.document_id,
            before=before,
            after=after,
        )
    assert isinstance(refused.value.orig, errors.ForeignKeyViolation)


@pytest.mark.parametrize("table", ["document_events", "audit_log"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET at = now()"])
def test_history_is_append_only(ledger: Ledger, table: str, statement: str) -> None:
    record(ledger, job("a"))
    with ledger.transaction() as tx:
        run(tx, "INSERT INTO audit_log (actor, action, subject) VALUES ('test', 'test.test', 'test')")
    with pytest.raises(DBAPIError, match="append-only"), ledger.transaction() as tx:
        run(tx, statement.format(table))


def test_the_id_of_a_document_is_derived_alike_in_python_and_in_the_ledger(ledger: Ledger) -> None:
    key = "caja 3 · ñ 000123"
    (receipt,) = record(ledger, job(key))
    assert receipt.document_id == document_id(ISSUER, "certification", key, 1)


def test_a_late_update_with_an_old_fence_changes_nothing(ledger: Ledger) -> None:
    (receipt,) = record(ledger, job("a"))
    lease = enter(ledger)
    with ledger.transaction() as tx:
        first = claim_documents(tx, lane="bulk", state="received", size=10, lease=lease)
        assert first is not None
        run(tx, "UPDATE documents SET lease_owner = NULL, due_at = fmgo_now()")
    with ledger.transaction() as tx:
        second = claim_documents(tx, lane="bulk", state="received", size=10, lease=enter(ledger))
        assert second is not None
    assert receipt.document_id is not None
    refusal = [Refusal(receipt.document_id, [{"code": "X"}])]
    with ledger.transaction() as tx:
        assert documents.end_invalid(tx, refusal, first.fence, lease.worker) == set()
        assert run(tx, "SELECT state FROM documents").scalar_one() == "received"


def caf_of(ledger: Ledger) -> int:
    with ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,"
            " resolution_date) VALUES (:rut, 'certification', 'X', 'X', 'X', 'X', 0, '2014-08-22')",
            rut=ISSUER,
        )
        return int(
            run(
                tx,
                "INSERT INTO cafs (issuer, environment, document_type, first, last, authorised_on, idk, caf_xml,"
                " private_key_sealed, key_id) VALUES (:rut, 'certification', 39, 1, 10, '2026-11-01', 100, '', '', 'k')"
                " RETURNING id",
                rut=ISSUER,
            ).scalar_one()
        )


def test_a_document_has_one_set_of_bytes_for_ever(ledger: Ledger) -> None:
    (receipt,) = record(ledger, job("a"))
    number = receipt.document_id
    assert number is not None
    caf, lease = caf_of(ledger), enter(ledger)
    with ledger.transaction() as tx:
        claim = claim_documents(tx, lane="bulk", state="received", size=1, lease=lease)
        assert claim is not None
        day = claim.at.date()
        numbering = Numbering(number, 39, 1, caf, day, "66666666-6", 1000, 840, None, 160, [], None, None)
        assert documents.number(tx, [numbering], claim.fence, lease.worker) == {number}
        made = SignedBytes(
            number, claim.documents[0].received_at, b"<DTE/>", bytes(32), b"<TED/>", bytes(32), "sig", claim.at
        )
        assert documents.sign(tx, [made], claim.fence, lease.worker, {"11111111-1": 1}) == {number}
    with pytest.raises(DBAPIError) as refused, ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO document_files (document_id, kind, received_at, bytes, sha256)"
            " SELECT id, 'dte', received_at, 'other', :sum FROM documents",
            sum=bytes(32),
        )
    assert isinstance(refused.value.orig, errors.UniqueViolation)
    with pytest.raises(DBAPIError) as elsewhere, ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO document_files (document_id, kind, received_at, bytes, sha256)"
            " SELECT id, 'dte', received_at + interval '1 month', 'other', :sum FROM documents",
            sum=bytes(32),
        )
    assert isinstance(elsewhere.value.orig, errors.ForeignKeyViolation)
    with pytest.raises(DBAPIError, match="append-only"), ledger.transaction() as tx:
        run(tx, "UPDATE document_files SET bytes = 'other'")


def test_a_folio_is_given_once(ledger: Ledger) -> None:
    record(ledger, job("a"), job("b"))
    caf = caf_of(ledger)
    with pytest.raises(DBAPIError) as refused, ledger.transaction() as tx:
        run(tx, "UPDATE documents SET document_type = 39, folio = 7, caf = :caf", caf=caf)
    assert isinstance(refused.value.orig, errors.UniqueViolation)


def test_ranges_of_folios_never_overlap(ledger: Ledger) -> None:
    caf_of(ledger)
    with pytest.raises(DBAPIError) as refused, ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO cafs (issuer, environment, document_type, first, last, authorised_on, idk, caf_xml,"
            " private_key_sealed, key_id) SELECT issuer, environment, document_type, 10, 20, authorised_on, idk,"
            " caf_xml, private_key_sealed, key_id FROM cafs",
        )
    assert isinstance(refused.value.orig, errors.ExclusionViolation)


def test_unknown_documents_are_none(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        assert documents.stored_bytes(tx, [uuid.uuid4()]) == {}
        assert references(tx, []).documents == {}
        assert documents.replaceable(tx, []) == {}
