"""What the producer is told: first that the document is issued, then what the SII decided; never less than before."""

from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works


def test_a_till_is_told_folio_stamp_and_xml_before_the_sii_decides(works: Works) -> None:
    company = works.company((39,))
    works.fault("F-STUCK-1", company)
    receipt = works.producer.enqueue(boleta(company, "sale", lane="interactive"))
    issued = works.producer.wait(receipt, until="issued", timeout=30)
    assert issued.issued
    assert not issued.decided
    told = works.redis.hgetall(f"fmgo:result:{receipt.document_id}")
    assert issued.xml is not None
    assert issued.ted is not None
    assert told[b"xml"].decode().encode("iso-8859-1") == issued.xml
    assert told[b"ted"].decode().encode("iso-8859-1") == issued.ted
    assert issued.ted in issued.xml
    assert told[b"folio"] == b"1"
    assert works.redis.ttl(f"fmgo:result:{receipt.document_id}") > 0
    (upload,) = wait_until(lambda: works.uploads(company), "it wasn't sent")
    works.window.post(f"/uploads/{upload['track_id']}/freeze", json={"frozen": False}).raise_for_status()
    works.await_states(company, {"accepted": 1})
    decided = works.producer.wait(receipt, until="decided", timeout=30)
    assert (decided.state, decided.folio, decided.xml) == ("accepted", 1, issued.xml)
    assert decided.version > issued.version
    wait_until(lambda: len(stream(works, str(receipt.document_id))) > 1, "the decision isn't in the stream")
    entries = stream(works, str(receipt.document_id))
    assert [version for version, _ in entries] == sorted({version for version, _ in entries})
    assert entries[0][1] in ("signed", "enveloped")
    assert entries[-1] == (decided.version, "accepted")


def stream(works: Works, number: str) -> list[tuple[int, str]]:
    """Version and state of every entry of a document in the stream, in order."""
    entries = works.redis.xrange("fmgo:results")
    return [(int(f[b"version"]), f[b"state"].decode()) for _, f in entries if f[b"id"].decode() == number]


def test_bulk_results_carry_no_bytes_in_redis_and_the_ledger_has_them(works: Works) -> None:
    company = works.company()
    receipt = works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    name = f"fmgo:result:{receipt.document_id}"
    wait_until(lambda: works.redis.hget(name, "state") == b"accepted", "it wasn't told")
    assert works.redis.hmget(name, "xml", "ted") == [None, None]
    result = works.producer.wait(receipt, until="issued", timeout=30)
    assert result.xml is not None
    assert result.xml.startswith(b"<DTE ")
    told = works.rows("SELECT version, published_version FROM documents WHERE id = %s", receipt.document_id)
    assert told[0][0] == told[0][1]


def test_an_invalid_job_is_told_with_every_problem_and_keeps_no_folio(works: Works) -> None:
    company = works.company()
    receipt = works.producer.enqueue(invoice(company, "sale", price=-5, lane="interactive"))
    result = works.producer.wait(receipt, until="issued", timeout=30)
    assert (result.state, result.folio, result.xml) == ("invalid", None, None)
    assert result.problems
    assert all(problem.message and problem.path for problem in result.problems)
