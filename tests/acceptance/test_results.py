"""What the producer is told: first that the document is issued, then what the SII decided; never less than before."""

import pytest

from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works
from workers.producer import Receipt


def test_a_till_is_told_folio_stamp_and_xml_before_the_sii_decides(works: Works) -> None:
    company = works.company((39,))
    works.fault("F-STUCK-1", company)
    receipt = works.producer.enqueue(boleta(company, "sale", lane="interactive"))
    issued = works.producer.wait(receipt, until="issued", timeout=60)
    assert issued.issued
    assert not issued.decided
    assert issued.xml is not None
    assert issued.ted is not None
    told = works.told(receipt.document_id)
    assert told["folio"] == "1"
    assert told["xml"].encode("iso-8859-1") == issued.xml
    assert told["ted"].encode("iso-8859-1") == issued.ted
    assert issued.ted in issued.xml
    assert int(works.redis.ttl(f"fmgo:result:{receipt.document_id}")) > 0
    wait_until(lambda: works.uploads(company), "it wasn't sent")
    works.unfreeze(company)
    works.await_states(company, {"accepted": 1})
    decided = works.producer.wait(receipt, until="decided", timeout=60)
    assert (decided.state, decided.folio, decided.xml) == ("accepted", 1, issued.xml)
    assert decided.version > issued.version
    wait_until(
        lambda: "accepted" in {state for _, state in works.stream(receipt.document_id)},
        "the decision isn't in the stream",
    )
    entries = works.stream(receipt.document_id)
    versions = [version for version, _ in entries]
    assert versions == sorted(set(versions))
    assert entries[0][1] in {"signed", "enveloped"}
    assert entries[-1] == (decided.version, "accepted")


def told_as(works: Works, receipt: Receipt, state: str) -> dict[str, str]:
    """What Redis says, as soon as it says that state."""

    def there() -> dict[str, str]:
        found = works.told(receipt.document_id)
        return found if found.get("state") == state else {}

    return wait_until(there, f"it wasn't told as {state}")


@pytest.mark.parametrize("lane", ["interactive", "bulk"])
def test_the_producer_is_told_that_it_was_sent_before_the_sii_decides(works: Works, lane: str) -> None:
    company = works.company()
    works.fault("F-STUCK-1", company)
    receipt = works.producer.enqueue(invoice(company, "sale", lane=lane))
    sent = works.producer.wait(receipt, until="sent", timeout=120)
    assert (sent.state, sent.sent, sent.issued, sent.decided, sent.folio) == ("sent", True, True, False, 1)
    (upload,) = works.uploads(company)
    assert sent.track_id == str(upload["track_id"])
    assert sent.body["sent_at"]
    told = told_as(works, receipt, "sent")
    assert (told["track_id"], bool(told["sent_at"]), "xml" in told) == (sent.track_id, True, lane == "interactive")
    assert works.scalar("SELECT version FROM documents WHERE id = %s", receipt.document_id) == 1, "no row was written"
    stored = works.producer.result(receipt)
    assert stored is not None
    assert (stored.version, stored.state) == (2, "sent")
    works.unfreeze(company)
    works.await_states(company, {"accepted": 1})
    decided = works.producer.wait(receipt, until="decided", timeout=120)
    assert (decided.state, decided.version, decided.track_id) == ("accepted", 3, sent.track_id)
    wait_until(
        lambda: "accepted" in {state for _, state in works.stream(receipt.document_id)},
        "the decision isn't in the stream",
    )
    assert works.stream(receipt.document_id)[-2:] == [(2, "sent"), (3, "accepted")]
    assert works.producer.wait(receipt, until="sent", timeout=5).state == "accepted", "what is decided was sent"


def test_what_is_in_doubt_was_not_sent(works: Works) -> None:
    company = works.company()
    works.fault("F-LOST-1", company, "DTEUpload")
    receipt = works.producer.enqueue(invoice(company, "sale"))
    works.await_envelope(company, "uncertain")
    known = works.producer.wait(receipt, until="issued", timeout=60)
    assert (known.sent, known.track_id, known.state) == (False, None, "enveloped")
    works.await_states(company, {"accepted": 1})
    assert works.producer.wait(receipt, until="sent", timeout=60).sent


def test_a_document_of_an_envelope_refused_after_it_was_sent_is_told_in_order(works: Works) -> None:
    company = works.company()
    works.fault("F-STUCK-1", company)
    receipt = works.producer.enqueue(invoice(company, "sale"))
    works.producer.wait(receipt, until="sent", timeout=120)
    (upload,) = works.uploads(company)
    works.window.post(f"/uploads/{upload['track_id']}/force", json={"state": "RFR"}).raise_for_status()
    works.unfreeze(company)
    works.pass_time_until(lambda: works.states(company)["signed"] == 1, lambda: "it came back")
    held = told_as(works, receipt, "signed")
    assert int(held["version"]) == 3
    assert "sent_at" not in held
    versions = [version for version, _ in works.stream(receipt.document_id)]
    assert versions == sorted(set(versions))


def test_bulk_results_carry_no_bytes_in_redis_and_the_ledger_has_them(works: Works) -> None:
    company = works.company()
    receipt = works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    wait_until(lambda: works.told(receipt.document_id).get("state") == "accepted", "it wasn't told")
    assert not {"xml", "ted"} & set(works.told(receipt.document_id))
    result = works.producer.wait(receipt, until="issued", timeout=60)
    assert result.xml is not None
    assert result.xml.startswith(b"<DTE ")
    version = "SELECT version = published_version FROM documents WHERE id = %s"
    wait_until(lambda: works.scalar(version, receipt.document_id), "the ledger doesn't know that it was told")


def test_an_invalid_job_is_told_with_every_problem_and_keeps_no_folio(works: Works) -> None:
    company = works.company()
    receipt = works.producer.enqueue(invoice(company, "sale", price=-5, lane="interactive"))
    result = works.producer.wait(receipt, until="issued", timeout=60)
    assert (result.state, result.folio, result.xml) == ("invalid", None, None)
    assert result.problems
    assert all(problem.message and problem.path for problem in result.problems)
