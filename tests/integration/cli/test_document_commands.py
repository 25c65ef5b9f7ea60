"""Documents of others, documents put aside, rejected documents: what a person does by command."""

import json
import uuid
from pathlib import Path

import pytest

from tests.integration.cli.conftest import ISSUER_ADD, Fmgo
from tests.integration.enrolment import kit
from tests.integration.issuing.conftest import invoice
from tests.integration.issuing.test_imports import elsewhere, envelope
from tests.integration.producer.jobs import job, make_issued, producer_at, rows, scalar


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_documents_are_imported_from_many_files(fmgo: Fmgo, tmp_path: Path) -> None:
    fmgo(*ISSUER_ADD)
    documents = [elsewhere(invoice(), folio) for folio in (7, 8, 9)]
    one = written(tmp_path, "one.xml", documents[0])
    many = written(tmp_path, "many.xml", envelope(*documents, types=[33] * 3))
    first = fmgo("document", "import", one, many, "--json")
    assert first.code == 0
    assert [(answer["number"], answer["outcome"], answer["folio"]) for answer in first.objects] == [
        (1, "imported", 7),
        (1, "known", 7),
        (2, "imported", 8),
        (3, "imported", 9),
    ]
    again = fmgo("document", "import", one, many)
    assert (again.code, again.out) == (0, f"{one}: 1 known\n{many}: 3 known\n")
    (shown,) = fmgo("document", "xml", first.objects[0]["id"], "--json").objects
    assert shown["xml"].encode("iso-8859-1") == documents[0]
    assert fmgo("document", "list", "--state", "imported", "--json").objects[0]["verdict"]["verified"] is True


def test_a_refused_document_ends_with_1_and_a_file_that_is_none_with_2(fmgo: Fmgo, tmp_path: Path) -> None:
    fmgo(*ISSUER_ADD)
    forged = written(tmp_path, "forged.xml", elsewhere(invoice(), 7).replace(b"Martillo", b"Martilla"))
    answer = fmgo("document", "import", forged)
    assert (answer.code, answer.out) == (1, f"{forged}: 1 refused\n")
    assert "SIG-DIGEST" in answer.err
    assert fmgo("document", "import", forged, "--unverified", "--json").objects[0]["verified"] is False
    conflict = written(tmp_path, "other.xml", elsewhere(invoice(5), 7))
    assert fmgo("document", "import", conflict, "--json").objects[0]["outcome"] == "conflict"
    nothing = written(tmp_path, "nothing.xml", b"nothing")
    (told,) = fmgo("document", "import", nothing, "--json").objects
    assert (told["number"], told["problems"][0]["code"]) == (0, "XML-NONE")
    assert fmgo("document", "import", nothing, forged).code == 2
    assert fmgo("document", "import", tmp_path / "missing.xml").code == 2


@pytest.fixture
def documents(database: str, redis_url: str) -> list[uuid.UUID]:
    with producer_at(database, redis_url) as producer:
        receipts = [producer.enqueue(job(f"venta {n}")) for n in range(3)]
    numbers = [receipt.document_id for receipt in receipts if receipt.document_id]
    make_issued(database, numbers[1], folio=7, evidenced=False)
    make_issued(database, numbers[2], folio=8)
    return numbers


def test_documents_put_aside_go_on_where_they_stood(fmgo: Fmgo, documents: list[uuid.UUID], database: str) -> None:
    rows(
        database,
        "UPDATE documents SET state = 'quarantined', held = 'deaths', deaths = 3, due_at = NULL, suspect = 1"
        " RETURNING 1",
    )
    released = fmgo("document", "release", *documents, "--json")
    assert released.code == 0
    assert [answer["state"] for answer in released.objects] == ["received", "signed", "signed"]
    assert rows(
        database,
        "SELECT state, held, deaths, due_at IS NOT NULL, suspect FROM documents ORDER BY folio NULLS FIRST",
    ) == [("received", None, 0, True, 1), ("signed", None, 0, True, 1), ("signed", None, 0, True, None)]
    events = rows(database, "SELECT from_state, to_state FROM document_events WHERE from_state <> '' ORDER BY id")
    assert sorted(events) == [("quarantined", "received"), ("quarantined", "signed"), ("quarantined", "signed")]
    again = fmgo("document", "release", documents[0], "--json")
    assert (again.code, again.objects[0]["error"]["code"]) == (1, "NOT-QUARANTINED")


def test_a_rejected_document_is_replaced_once(
    fmgo: Fmgo, documents: list[uuid.UUID], database: str, tmp_path: Path
) -> None:
    number = documents[2]
    early = fmgo("document", "replace", number, "--json")
    assert (early.code, early.objects[0]["error"]["code"]) == (1, "NOT-REJECTED")
    rows(database, "UPDATE documents SET state = 'rejected' WHERE id = %s RETURNING 1", number)
    corrected = written(tmp_path, "corrected.json", json.dumps(job("x", price=2_500)["document"]).encode())
    command = ("document", "replace", number.hex[:12], "--document", corrected, "--json")
    first, again = fmgo(*command), fmgo(*command)
    assert [(one.code, one.objects[0]["outcome"]) for one in (first, again)] == [(0, "recorded"), (0, "known")]
    body = scalar(
        database,
        "SELECT convert_from(body, 'UTF8') FROM inbox WHERE document_id = %s",
        first.objects[0]["id"],
    )
    made = json.loads(body)
    assert (made["replaces"], made["idempotency_key"]) == (str(number), "venta 2.r1")
    assert made["document"]["Detalle"][0]["PrcItem"] == 2_500
    other = fmgo("document", "replace", number, "--json")
    assert (other.code, other.objects[0]["error"]["code"]) == (1, "JOB-KEY-CONFLICT")
    same = fmgo("document", "replace", number, "--key", "venta 2 otra vez")
    assert same.code == 0
    bad = written(tmp_path, "bad.json", b'{"document": 5}')
    assert fmgo("document", "replace", number, "--document", bad).code == 2
    assert fmgo("document", "replace", number, "--key", " ").code == 2


def test_imported_documents_are_no_jobs(fmgo: Fmgo, tmp_path: Path, database: str) -> None:
    fmgo(*ISSUER_ADD)
    file = written(tmp_path, "one.xml", elsewhere(invoice(), 7))
    (answer,) = fmgo("document", "import", file, "--json").objects
    assert fmgo("document", "replace", answer["id"]).code == 1
    (shown,) = fmgo("document", "show", answer["id"], "--json").objects
    assert not shown["idempotency_key"].isprintable()
    assert (shown["state"], shown["issuer"], [step["to_state"] for step in shown["events"]]) == (
        "imported",
        kit.ISSUER,
        ["imported"],
    )


def test_documents_are_taken_back_by_command(fmgo: Fmgo, documents: list[uuid.UUID], database: str) -> None:
    received, unevidenced, issued = documents
    cancelled = fmgo("document", "cancel", received, "--json")
    assert (cancelled.code, cancelled.objects[0]["state"]) == (0, "cancelled")
    assert "already" in fmgo("document", "cancel", received).out
    reasonless = fmgo("document", "cancel", issued, "--json")
    assert (reasonless.code, reasonless.objects[0]["error"]["code"]) == (2, "DOCUMENT-REASON")
    withdrawn = fmgo("document", "cancel", issued, "--reason", "wrong receiver", "--json")
    assert (withdrawn.code, withdrawn.objects[0]["outcome"]) == (0, "withdrawn")
    assert rows(database, "SELECT document_type, first, last, reason, document_id FROM folio_voids") == [
        (33, 8, 8, "wrong receiver", issued)
    ]
    assert fmgo("document", "xml", issued, "--json").code == 1
    assert scalar(database, "SELECT count(*) FROM audit_log WHERE action = 'document.cancel'") == 2
    rows(database, "UPDATE documents SET lease_owner = 7 WHERE id = %s RETURNING 1", unevidenced)
    busy = fmgo("document", "cancel", unevidenced, "--reason", "x", "--json")
    assert (busy.code, busy.objects[0]["error"]["code"]) == (1, "DOCUMENT-BUSY")
    unknown = fmgo("document", "cancel", uuid.uuid4(), "--json")
    assert (unknown.code, unknown.objects[0]["error"]["code"]) == (1, "DOCUMENT-UNKNOWN")


@pytest.mark.parametrize("state", ["accepted", "rejected", "invalid", "conflict"])
def test_what_has_ended_isnt_taken_back(fmgo: Fmgo, documents: list[uuid.UUID], database: str, state: str) -> None:
    rows(database, "UPDATE documents SET state = %s WHERE id = %s RETURNING 1", state, documents[2])
    answer = fmgo("document", "cancel", documents[2], "--reason", "x", "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (1, "DOCUMENT-TOO-LATE")
    assert state in answer.objects[0]["error"]["message"]


def test_a_document_put_aside_is_taken_back(fmgo: Fmgo, documents: list[uuid.UUID], database: str) -> None:
    rows(database, "UPDATE documents SET state = 'quarantined', due_at = NULL RETURNING 1")
    answer = fmgo("document", "cancel", *documents, "--reason", "nobody wants it", "--json")
    assert (answer.code, [one["state"] for one in answer.objects]) == (0, ["cancelled", "withdrawn", "withdrawn"])
