"""Results in a real server of the Redis protocol: a higher version wins, in one step, and nothing stays for ever."""

import itertools
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from workers.cache.connection import CacheUrlError, cluster_complaint, connect
from workers.cache.results import STREAM, Result, Results

WEEK = 7 * 86400
NOBODY = "redis://:rdS3cret@127.0.0.1:1/0"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as opened:
        yield opened


@pytest.fixture
def results(client: redis.Redis) -> Results:
    return Results(client, ttl_seconds=WEEK)


def result(version: int, name: str = "d-1", **fields: str) -> Result:
    return Result(name, version, {"state": f"state-{version}", **fields})


def stream(client: redis.Redis) -> list[dict[str, str]]:
    entries: Any = client.xrange(STREAM)
    return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]


def test_published_result_is_read_back_with_its_accents(results: Results) -> None:
    told = result(3, folio="7", xml="<Documento>Ñuñoa & Cía €\n</Documento>")
    assert results.publish(told)
    assert results.get_result("d-1") == told


def test_unknown_result_is_none(results: Results) -> None:
    assert results.get_result("absent") is None


def test_only_a_higher_version_wins(results: Results, client: redis.Redis) -> None:
    for order in itertools.permutations((1, 2, 10)):
        client.flushdb()
        assert all(results.publish(result(version)) for version in order)
        held = results.get_result("d-1")
        assert held is not None
        assert held.version == 10
        versions = [int(entry["version"]) for entry in stream(client)]
        assert versions == sorted(set(versions))
        assert versions[-1] == 10


def test_repeated_version_is_published_once(results: Results, client: redis.Redis) -> None:
    assert results.publish(result(1))
    assert results.publish(result(1))
    assert len(stream(client)) == 1


def test_fields_of_an_older_version_do_not_survive(results: Results) -> None:
    results.publish(result(1, problem="x"))
    results.publish(result(2))
    held = results.get_result("d-1")
    assert held is not None
    assert dict(held.fields) == {"state": "state-2"}


def test_stream_carries_the_short_fields_only(results: Results, client: redis.Redis) -> None:
    results.publish(result(1, folio="7", xml="x" * 10_000, idempotency_key="caja-7"))
    assert stream(client) == [
        {"id": "d-1", "version": "1", "state": "state-1", "folio": "7", "idempotency_key": "caja-7"}
    ]


def test_every_key_has_a_time_to_live_and_the_stream_a_length(client: redis.Redis) -> None:
    results = Results(client, ttl_seconds=WEEK, stream_length=100)
    results.publish_many([result(1, f"d-{number}") for number in range(1000)])
    assert all(0 < client.ttl(name) <= WEEK for name in client.scan_iter())
    assert 100 <= client.xlen(STREAM) < 400  # a server trims whole nodes


def test_hundreds_are_published_in_one_trip(results: Results, client: redis.Redis) -> None:
    many = [result(1, str(uuid.uuid4())) for _ in range(500)]
    before = client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    assert results.publish_many(many) == {one.id for one in many}
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 500
    assert client.xlen(STREAM) == 500


def test_publishing_nothing_is_nothing(results: Results) -> None:
    assert results.publish_many([]) == frozenset()


def test_server_that_forgot_its_scripts_is_told_again(results: Results, client: redis.Redis) -> None:
    results.publish(result(1))
    client.script_flush()
    assert results.publish(result(2))


def test_one_result_that_redis_refuses_does_not_hold_the_others(results: Results, client: redis.Redis) -> None:
    client.set("fmgo:result:d-bad", "not a hash")
    assert results.publish_many([result(1, "d-1"), result(1, "d-bad"), result(1, "d-2")]) == {"d-1", "d-2"}


def test_results_lost_with_redis_are_published_again(results: Results, client: redis.Redis) -> None:
    results.publish(result(5))
    client.flushall()
    assert results.get_result("d-1") is None
    assert results.publish(result(5))


def test_waiting_ends_with_the_version_it_waits_for(results: Results, redis_url: str) -> None:
    seen: list[Result | None] = []
    waiter = threading.Thread(
        target=lambda: seen.append(results.wait("d-1", lambda found: found.version >= 2, seconds=30))
    )
    waiter.start()
    with connect(redis_url) as other:
        publisher = Results(other, ttl_seconds=60)
        publisher.publish(result(1))
        publisher.publish(result(2))
    waiter.join(30)
    assert seen == [result(2)]


def test_waiting_for_what_is_there_already_does_not_wait(results: Results) -> None:
    results.publish(result(2))
    assert results.wait("d-1", lambda found: found.version >= 2, seconds=0) == result(2)


def test_waiting_ends_without_a_result(results: Results) -> None:
    assert results.wait("d-1", lambda _found: True, seconds=0) is None


def test_redis_away_is_no_error_and_nothing_counts_as_published() -> None:
    results = Results(connect(NOBODY), ttl_seconds=60)
    assert results.publish_many([result(1)]) == frozenset()
    assert results.get_result("d-1") is None
    assert results.wait("d-1", lambda _found: True, seconds=5) is None


def test_connection_dropped_while_idle_is_made_anew(results: Results, client: redis.Redis, redis_url: str) -> None:
    results.publish(result(1))
    with connect(redis_url) as other:
        for entry in other.client_list():
            if entry["id"] != str(other.client_id()):
                other.client_kill_filter(_id=entry["id"])
    assert results.publish(result(2))
    assert client.ping()


@pytest.mark.parametrize("url", ["redis+cluster://h", "redis://a:1,b:2", "http://h", "sentinel://h", "h"])
def test_urls_that_cannot_serve_are_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(CacheUrlError, match=r"Redis|redis"):
        connect(url)


def test_celery_s_way_to_write_a_socket_is_understood() -> None:
    with connect("redis+socket:///run/valkey.sock?virtual_host=3") as client:
        arguments = client.connection_pool.connection_kwargs
        assert (arguments["path"], arguments["db"]) == ("/run/valkey.sock", 3)


def test_single_server_is_no_cluster(client: redis.Redis) -> None:
    assert cluster_complaint(client) is None
