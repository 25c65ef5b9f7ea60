"""A server that is silent isn't asked at once again, and what is wrong with it is one sentence."""

import pytest
import redis
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError

from tests.acceptance.wire import Wire
from workers.cache import silence
from workers.cache.connection import connect
from workers.cache.silence import Silence, SilentError, why_silent


def test_a_server_that_was_silent_is_left_alone_for_a_moment() -> None:
    client = connect("redis://127.0.0.1:1/0")
    with pytest.raises(redis.ConnectionError) as first:
        client.ping()
    assert not isinstance(first.value, SilentError)
    with pytest.raises(SilentError):
        client.ping()
    client.close()


def test_a_pause_grows_to_its_longest_and_ends_with_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 100.0
    monkeypatch.setattr("workers.cache.silence.time.monotonic", lambda: at)
    one = Silence()
    lasted = []
    for _ in range(5):
        one.begins()
        began = at
        while one.lasts:
            at += 0.5
        lasted.append(at - began)
    assert lasted == [1, 2, 4, 5, 5]
    one.begins()
    one.ends()
    assert not one.lasts


def test_it_is_asked_again_and_used_as_soon_as_it_answers(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "FIRST_PAUSE_SECONDS", 0.0)
    with redis.Redis.from_url(redis_url) as server:
        at = server.get_connection_kwargs()
        with Wire((at["host"], at["port"])) as wire:
            client = connect(redis_url.replace(f":{at['port']}/", f":{wire.port}/"))
            assert client.ping()
            wire.cut()
            with pytest.raises(redis.ConnectionError):
                client.ping()
            wire.mend()
            assert client.ping()
            client.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ReadOnlyError("You can't write against a read only replica."), "replica"),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "out of memory"),
        (ResponseError("MISCONF Valkey is configured to save RDB snapshots, but it's unable to"), "can't save"),
        (BusyLoadingError("Redis is loading the dataset in memory"), "loading"),
        (redis.ConnectionError("max number of clients reached"), "no connection left"),
        (ResponseError("NOAUTH Authentication required."), "user or the password"),
        (redis.AuthenticationError("WRONGPASS invalid username-password pair or user is disabled."), "the password"),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), "too few replicas"),
        (redis.TimeoutError("Timeout reading from 127.0.0.1:1"), "doesn't answer"),
        (redis.ConnectionError("Error 111 connecting to 127.0.0.1:1. Connection refused."), "can't be reached"),
        (ResponseError("ERR something new"), "answers with an error"),
    ],
)
def test_each_way_of_refusing_has_a_sentence(error: Exception, says: str) -> None:
    assert says in why_silent(error)
