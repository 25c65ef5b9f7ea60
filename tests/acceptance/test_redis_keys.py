"""What lies in Redis: queues, and copies that go by themselves; nothing that would stay there for ever."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works
from workers.producer import LIST
from workers.queues import QUEUES


@pytest.fixture
def texts(works: Works) -> Iterator[Any]:
    """A client that gives text."""
    with redis.Redis.from_url(works.sandbox.redis_url, decode_responses=True) as client:
        yield client


def test_every_key_that_is_no_queue_has_a_time_to_live(works: Works, texts: Any) -> None:
    company = works.company((33, 39))
    receipts = works.producer.enqueue_many(
        make(company, f"{lane}-{make.__name__}", lane=lane)
        for lane in ("bulk", "interactive")
        for make in (invoice, boleta)
    )
    works.await_states(company, {"accepted": 4})
    names = {f"fmgo:result:{receipt.document_id}" for receipt in receipts}
    wait_until(lambda: all(texts.hget(name, "state") == "accepted" for name in names), "not all results were told")
    queues = {LIST} | {queue for several in QUEUES.values() for queue in several}
    kept = {name for name in texts.scan_iter("fmgo*") if not name.startswith("fmgo.jobs.taken:")} - queues
    assert names | {"fmgo:results"} <= kept
    assert any(name.startswith("fmgo:token:") for name in kept)
    assert [name for name in kept if texts.ttl(name) == -1] == []
    assert all(0 < texts.ttl(name) <= works.settings.result_ttl_seconds for name in names)


def test_the_stream_names_each_result_and_carries_no_file(works: Works, texts: Any) -> None:
    company = works.company()
    receipts = works.producer.enqueue_many([invoice(company, f"sale-{n}", lane="interactive") for n in range(3)])
    works.await_states(company, {"accepted": 3})

    def told() -> dict[str, list[dict[str, str]]]:
        """Entries of the company's results, in order, by document."""
        found = defaultdict(list)
        for _, fields in texts.xrange("fmgo:results"):
            if fields["issuer"] == company.rut:
                found[fields["id"]].append(fields)
        return found

    wait_until(
        lambda: [entries[-1]["state"] for entries in told().values()] == ["accepted"] * 3, lambda: f"told: {told()}"
    )
    for receipt in receipts:
        entries = told()[str(receipt.document_id)]
        assert {entry["idempotency_key"] for entry in entries} == {receipt.key}
        versions = [int(entry["version"]) for entry in entries]
        assert versions == sorted(set(versions))
        assert entries[0]["state"] in {"signed", "enveloped"}, "issued comes before decided"
        assert not {"xml", "ted", "result"} & set(entries[-1])
