"""What each test is given is its own."""

import psycopg
import redis


def test_database_is_migrated_and_private(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)
        connection.execute("CREATE TABLE only_here ()")


def test_database_of_the_next_test_is_fresh(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_redis_is_empty_and_private(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mine", 1)


def test_redis_of_the_next_test_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
