"""Reading from Redis within a budget: what is too large is passed over, and the connection goes on."""

import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest
from redis import Redis

from workers.cache.bounded import BEGINNING, Budget, Unread, connect_within

EACH = 100_000
LARGE = bytes(range(256)) * 80_000  # 20 MB


@pytest.fixture
def budget() -> Budget:
    return Budget(EACH, 3 * EACH)


@pytest.fixture
def bounded(redis_url: str, budget: Budget) -> Iterator[Redis]:
    client = connect_within(redis_url, budget, answer_seconds=10)
    yield client
    client.close()


def test_what_is_too_large_is_told_by_its_size_digest_and_beginning_and_never_held(
    bounded: Redis, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as other:
        other.rpush("list", b"first", LARGE, b"last")
    tracemalloc.start()
    found = bounded.lrange("list", 0, -1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [b"first", Unread(len(LARGE), hashlib.sha256(LARGE).hexdigest(), LARGE[:BEGINNING]), b"last"]
    assert most < 2_000_000
    assert bounded.ping()


def test_a_move_is_done_though_what_it_moved_was_too_large_to_be_read(bounded: Redis) -> None:
    bounded.rpush("list", LARGE)
    assert isinstance(bounded.lmove("list", "aside", "RIGHT", "LEFT"), Unread)
    assert (bounded.exists("list"), bounded.llen("aside")) == (0, 1)


def test_items_of_a_trip_share_the_budget_and_the_next_trip_has_its_own(bounded: Redis, budget: Budget) -> None:
    item = b"x" * EACH
    bounded.rpush("list", *[item] * 5)
    for _ in range(2):
        budget.begin()
        found = bounded.lrange("list", 0, -1)
        assert found == [item] * 3 + [Unread(EACH)] * 2


def test_a_pipeline_of_large_items_holds_little_more_than_its_budget(bounded: Redis, budget: Budget) -> None:
    for _ in range(200):
        bounded.rpush("list", b"y" * EACH)
    budget.begin()
    pipeline = bounded.pipeline(transaction=False)
    for at in range(200):
        pipeline.lindex("list", at)
    tracemalloc.start()
    found = pipeline.execute()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [isinstance(item, bytes) for item in found] == [True] * 3 + [False] * 197
    assert most < 3 * EACH + 3_000_000
