"""Messages that were no jobs: listed, shown as they came, put through again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from domain.job import NotAJob, parse_job, too_large
from tests.integration.cli.conftest import Fmgo
from tests.integration.producer.jobs import ISSUER, body
from workers.cache.bounded import Unread
from workers.database.engine import Ledger
from workers.database.refused import refuse
from workers.job_lists import JOBS, aside_of
from workers.refusals import refused_message, unread_message

BAD = body("k-1").replace(b'"version": 1', b'"version": 7')


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    opened = Ledger(database)
    yield opened
    opened.dispose()


def keep(ledger: Ledger, data: bytes, source: str = "list") -> None:
    """What the inbox does with a message that is no job."""
    with pytest.raises(NotAJob) as refused:
        parse_job(data)
    ledger.repeated(lambda tx: refuse(tx, [refused_message(data, refused.value.problems)], source))


def test_refused_messages_are_listed_with_their_reasons(fmgo: Fmgo, ledger: Ledger) -> None:
    keep(ledger, BAD)
    keep(ledger, b"hello", "celery")
    found = fmgo("refused", "list", "--json").objects
    assert [(one["source"], one["code"], one["key"]) for one in found] == [
        ("celery", "JOB-JSON", None),
        ("list", "JOB-VERSION", "k-1"),
    ]
    assert [one["id"] for one in fmgo("refused", "list", "--issuer", ISSUER, "--json").objects] == [1]
    assert [one["id"] for one in fmgo("refused", "list", "--code", "JOB-JSON", "--json").objects] == [2]
    assert [one["id"] for one in fmgo("refused", "list", "--source", "list", "--json").objects] == [1]
    assert "JOB-VERSION" in fmgo("refused", "list").out


def test_a_refused_message_is_shown_as_it_came(fmgo: Fmgo, ledger: Ledger) -> None:
    keep(ledger, b"\xff\x00 no job")
    (shown,) = fmgo("refused", "show", 1, "--json").objects
    assert (shown["code"], shown["body"], shown["size"]) == ("JOB-ENCODING", "\\xff\x00 no job", 9)
    assert f"fmgo:result:{shown['digest']}" in fmgo("refused", "show", 1).out
    assert fmgo("refused", "show", 1, "--raw").out.encode("utf-8", "surrogateescape").endswith(b"no job")
    assert fmgo("refused", "show", 99).code == 1


def test_a_mended_message_is_put_through(fmgo: Fmgo, ledger: Ledger, tmp_path: Path) -> None:
    keep(ledger, BAD)
    again = fmgo("refused", "retry", 1, "--json")
    assert (again.code, again.objects[0]["outcome"]) == (2, "refused")
    (tmp_path / "mended.json").write_bytes(body("k-1"))
    mended = fmgo("refused", "retry", 1, "--job", tmp_path / "mended.json", "--json")
    assert (mended.code, mended.objects[0]["outcome"]) == (0, "recorded")
    (row,) = fmgo("refused", "list", "--json").objects[-1:]
    assert row["retried_at"]


def test_a_message_goes_in_as_it_came_once_what_refused_it_is_mended(fmgo: Fmgo, ledger: Ledger) -> None:
    """A deadly one, say: nothing is wrong with its bytes."""
    data = body("k-2")
    kept = refused_message(data, too_large(1, 0).problems)
    ledger.repeated(lambda tx: refuse(tx, [kept], "list"))
    again = fmgo("refused", "retry", 1, "--json")
    assert (again.code, again.objects[0]["idempotency_key"]) == (0, "k-2")


def test_what_was_too_large_to_be_read_is_put_back_on_its_list(fmgo: Fmgo, ledger: Ledger, redis_url: str) -> None:
    unread = unread_message(Unread(2_000_000, "ab" * 32, b'{"issuer": "x'), too_large(2_000_000, 1).problems)
    ledger.repeated(lambda tx: refuse(tx, [unread], "list"))
    assert fmgo("refused", "retry", 1).code == 1
    with Redis.from_url(redis_url) as client:
        client.lpush(aside_of(JOBS, "ab" * 32), json.dumps({"x": "y" * 2_000_000}))
        assert fmgo("refused", "retry", 1).code == 0
        assert client.llen(JOBS) == 1
