"""Copies of tokens: sealed, bound to their person, younger ones kept, and no error when Redis is away."""

from collections.abc import Iterator

import pytest
import redis

from workers.cache.connection import connect
from workers.cache.tokens import TOKEN_SECONDS, TokenCopies, TokenCopy
from workers.vault.sealing import Vault

PERSON, OTHER = "15111222-6", "15333444-7"
VAULT = Vault({"k1": bytes(32)})


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as opened:
        yield opened


@pytest.fixture
def copies(client: redis.Redis) -> TokenCopies:
    return TokenCopies(client, VAULT)


def test_copy_is_read_back_where_it_belongs_only(copies: TokenCopies) -> None:
    assert copies.put(PERSON, "certification", "soap", TokenCopy(4, "XAuSbYXiNh9Ik"))
    assert copies.get(PERSON, "certification", "soap") == TokenCopy(4, "XAuSbYXiNh9Ik")
    assert copies.get(PERSON, "certification", "rest") is None
    assert copies.get(PERSON, "production", "soap") is None
    assert copies.get(OTHER, "certification", "soap") is None


def test_no_token_is_legible_in_redis(copies: TokenCopies, client: redis.Redis) -> None:
    copies.put(PERSON, "certification", "soap", TokenCopy(1, "XAuSbYXiNh9Ik"))
    (name,) = client.keys()
    assert "XAuSb" not in repr(client.hgetall(name))
    assert "XAuSb" not in repr(copies.get(PERSON, "certification", "soap"))


def test_older_generation_does_not_replace_a_younger_one(copies: TokenCopies) -> None:
    assert copies.put(PERSON, "certification", "soap", TokenCopy(2, "young"))
    assert not copies.put(PERSON, "certification", "soap", TokenCopy(1, "old"))
    assert copies.get(PERSON, "certification", "soap") == TokenCopy(2, "young")
    assert copies.put(PERSON, "certification", "soap", TokenCopy(10, "younger"))
    assert copies.get(PERSON, "certification", "soap") == TokenCopy(10, "younger")


def test_failed_token_is_dropped_but_not_its_successor(copies: TokenCopies) -> None:
    copies.put(PERSON, "certification", "soap", TokenCopy(2, "young"))
    copies.drop(PERSON, "certification", "soap", 1)
    assert copies.get(PERSON, "certification", "soap") is not None
    copies.drop(PERSON, "certification", "soap", 2)
    assert copies.get(PERSON, "certification", "soap") is None


def test_use_prolongs_a_copy_s_life(copies: TokenCopies, client: redis.Redis) -> None:
    copies.put(PERSON, "certification", "soap", TokenCopy(1, "x"))
    (name,) = client.keys()
    assert 0 < client.ttl(name) <= TOKEN_SECONDS
    client.expire(name, 5)
    copies.get(PERSON, "certification", "soap")
    assert client.ttl(name) > 5


def test_copy_moved_to_another_person_does_not_open(copies: TokenCopies, client: redis.Redis) -> None:
    copies.put(PERSON, "certification", "soap", TokenCopy(1, "x"))
    (name,) = client.keys()
    client.rename(name, f"fmgo:token:{OTHER}:certification:soap")
    assert copies.get(OTHER, "certification", "soap") is None


@pytest.mark.parametrize("fields", [{"generation": "x", "key_id": "k1", "data": "d"}, {"generation": "1"}])
def test_copy_of_another_shape_is_none(copies: TokenCopies, client: redis.Redis, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        client.hset(f"fmgo:token:{PERSON}:certification:soap", name, value)
    assert copies.get(PERSON, "certification", "soap") is None


def test_redis_away_is_no_error() -> None:
    copies = TokenCopies(connect("redis://127.0.0.1:1/0"), VAULT)
    assert copies.get(PERSON, "certification", "soap") is None
    assert not copies.put(PERSON, "certification", "soap", TokenCopy(1, "x"))
    copies.drop(PERSON, "certification", "soap", 1)
