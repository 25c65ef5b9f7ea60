"""What the producer is told: first that the document is issued, then what the SII decided; never less than before."""

from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works


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
    wait_until(lambda: len(works.stream(receipt.document_id)) > 1, "the decision isn't in the stream")
    entries = works.stream(receipt.document_id)
    versions = [version for version, _ in entries]
    assert versions == sorted(set(versions))
    assert entries[0][1] in {"signed", "enveloped"}
    assert entries[-1] == (decided.version, "accepted")


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
