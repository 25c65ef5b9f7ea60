"""Taking messages from a list: in order, within bounds, none lost, and what kills its reader set aside."""

from collections.abc import Iterator

import pytest
from redis import Redis

from workers.job_lists import CELERY, CHUNK, CHUNK_BYTES, JOBS, JobList, aside_of, deaths_of, suspects_of, taken_by

MOST = 100_000
ME, OTHER = 7, 8


@pytest.fixture
def jobs(redis_url: str) -> Iterator[JobList]:
    opened = JobList(redis_url, JOBS, MOST)
    yield opened
    opened.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as opened:
        yield opened


def everything(jobs: JobList, worker: int = ME) -> list[bytes]:
    """All that can be taken, taken off chunk by chunk."""
    found: list[bytes] = []
    while True:
        taken = jobs.take(worker)
        if taken.unread is not None:
            jobs.set_aside(worker, taken.unread.digest)
            continue
        if not taken.messages:
            return found
        found += taken.messages
        jobs.done(worker, len(taken.messages))


def test_the_oldest_comes_first_in_chunks_and_what_is_done_is_gone(jobs: JobList, client: Redis) -> None:
    sent = [str(number).encode() for number in range(2 * CHUNK + 50)]
    client.lpush(JOBS, *sent)
    assert everything(jobs) == sent
    assert client.keys("fmgo.jobs*") == []


def test_what_was_taken_and_not_done_comes_again(jobs: JobList, client: Redis) -> None:
    client.lpush(JOBS, b"one", b"two", b"three")
    assert jobs.take(ME).messages == [b"one", b"two", b"three"]
    jobs.done(ME, 1)
    assert jobs.take(ME).messages == [b"two", b"three"]


def test_a_message_that_is_too_large_is_set_aside_whole_and_those_around_it_come_in_order(
    jobs: JobList, client: Redis
) -> None:
    large = b"z" * (MOST + 1)
    client.lpush(JOBS, b"one", large, b"two", large, b"three", b"x" * MOST)
    assert everything(jobs) == [b"one", b"two", b"three", b"x" * MOST]
    (aside,) = client.keys("fmgo.jobs*")
    assert client.lrange(aside, 0, -1) == [large]  # the same message twice is kept once
    assert 0 < client.ttl(aside) <= 7 * 86400


def test_a_chunk_of_large_messages_is_bounded_in_bytes(jobs: JobList, client: Redis) -> None:
    for _ in range(3):
        client.lpush(JOBS, *[b"x" * MOST] * CHUNK)
    number = 0
    while messages := jobs.take(ME).messages:
        assert sum(map(len, messages)) <= CHUNK_BYTES
        jobs.done(ME, len(messages))
        number += len(messages)
    assert number == 3 * CHUNK


def test_what_a_dead_process_held_is_tried_alone(jobs: JobList, client: Redis) -> None:
    client.lpush(JOBS, b"one", b"two")
    jobs.take(OTHER)
    client.lpush(JOBS, b"three")
    assert jobs.return_lists([OTHER, 99]) == 2
    first = jobs.take(ME)
    assert (first.messages, first.alone) == ([b"one"], True)
    jobs.done(ME, 1)
    second = jobs.take(ME)
    assert (second.messages, second.alone) == ([b"two"], True)
    jobs.done(ME, 1)
    third = jobs.take(ME)
    assert (third.messages, third.alone) == ([b"three"], False)


def test_what_a_process_dies_of_while_it_reads_it_alone_is_not_read_again(jobs: JobList, client: Redis) -> None:
    dying = jobs.tried(b"poison")
    assert dying.__enter__().may_be_read()  # and the process is gone: nothing ends the try
    with jobs.tried(b"poison") as again:
        assert not again.may_be_read()
    assert client.hgetall(deaths_of(JOBS)) == {}


def test_what_is_recorded_may_outlive_two_deaths_since_they_may_be_nobodys_fault(jobs: JobList) -> None:
    tries = [jobs.tried(b"unlucky") for _ in range(3)]
    for one in tries:
        dying = one.__enter__()
        assert dying.may_be_read()
        dying.is_read()
    with jobs.tried(b"unlucky") as again:
        assert not again.may_be_read()


def test_a_try_that_ends_leaves_no_count(jobs: JobList, client: Redis) -> None:
    def fail() -> None:
        with jobs.tried(b"unlucky") as one:
            assert one.may_be_read()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert client.hgetall(deaths_of(JOBS)) == {}


def test_messages_of_every_priority_of_celery_are_read(redis_url: str, client: Redis) -> None:
    jobs = JobList(redis_url, CELERY, MOST)
    for step in ("", "\x06\x163", "\x06\x166", "\x06\x169"):
        client.lpush(CELERY + step, f"of {step[-1:]}")
    assert sorted(everything(jobs)) == [b"of ", b"of 3", b"of 6", b"of 9"]
    jobs.close()


def test_keys_are_named_after_their_list() -> None:
    assert taken_by(JOBS, 3) == "fmgo.jobs.taken:3"
    assert suspects_of(CELERY) == "fmgo.enqueue.suspects"
    assert aside_of(JOBS, "ab") == "fmgo.jobs.aside:ab"
