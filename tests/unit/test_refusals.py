"""Whose a message is that is no job, and what its sender is told under which names."""

import hashlib
import json

import pytest

from domain.job import document_id
from domain.problems import Problem
from workers.cache.bounded import Unread
from workers.database.refused import Refused
from workers.refusals import answers_to, refused_message, unread_message, whose

RUT = "76900101-8"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"issuer": "76.900.101-8", "idempotency_key": "k"}', (RUT, "certification", "k")),
        (b'{"issuer": "76900101-8", "environment": "production", "idempotency_key": "k"}', (RUT, "production", "k")),
        (b'{"issuer": 7, "environment": "moon", "idempotency_key": "  "}', (None, None, None)),
        (b'{"issuer": "76900101-8" "idempotency_key": "caja \\"3\\"", ', (RUT, "certification", 'caja "3"')),
        (b'{"idempotency_key": "k-\xff", "issuer" : "76900101-8"}', (RUT, "certification", None)),
        (b"\x00\xff", (None, "certification", None)),
        (b'{"idempotency_key": "' + b"x" * 201 + b'"', (None, "certification", None)),
        (b'{"idempotency_key": "a\\u0000b", "issuer": "76900101-8", ', (RUT, "certification", None)),
    ],
)
def test_whose_a_message_is_is_read_as_far_as_it_can_be(
    data: bytes, found: tuple[str | None, str | None, str | None]
) -> None:
    assert whose(data) == found


def refused(data: bytes, code: str = "JOB-DOCUMENT", names: tuple[str, ...] = ()) -> Refused:
    kept = refused_message(data, [Problem(code, "document", "Write it.")], names)
    problems = [problem.as_dict() for problem in kept.problems]
    return Refused(1, kept.code, kept.digest, kept.size, kept.issuer, kept.environment, kept.key, problems, kept.names)


def test_the_answer_stands_under_the_digest_the_senders_own_name_and_the_id_that_the_key_makes() -> None:
    data = json.dumps({"issuer": RUT, "idempotency_key": "caja-1"}).encode()
    answers = {told.id: told for told in answers_to(refused(data, names=("4f2c",)))}
    digest, number = hashlib.sha256(data).hexdigest(), str(document_id(RUT, "certification", "caja-1", 1))
    assert set(answers) == {digest, "4f2c", number}
    assert {name for name, told in answers.items() if told.streamed} == {number}
    for name, told in answers.items():
        assert told.version == 0
        assert told.fields["state"] == "refused"
        result = json.loads(told.fields["result"])
        assert result == {
            "id": name,
            "version": 0,
            "state": "refused",
            "issuer": RUT,
            "environment": "certification",
            "idempotency_key": "caja-1",
            "problems": [{"code": "JOB-DOCUMENT", "path": "document", "message": "Write it.", "level": "error"}],
            "sha256": digest,
            "bytes": len(data),
        }


def test_another_content_under_a_key_is_answered_under_its_digest_alone() -> None:
    data = json.dumps({"issuer": RUT, "idempotency_key": "caja-1"}).encode()
    (told,) = answers_to(refused(data, "JOB-KEY-CONFLICT"))
    assert told.id == hashlib.sha256(data).hexdigest()


def test_a_message_that_says_nothing_is_answered_under_its_digest() -> None:
    (told,) = answers_to(refused(b"hello"))
    assert told.id == hashlib.sha256(b"hello").hexdigest()
    assert "issuer" not in told.fields


def test_a_message_that_was_not_read_says_whose_it_is_by_its_beginning() -> None:
    beginning = b'{"issuer": "76900101-8", "idempotency_key": "k", "document": {"x": "xxxx'
    kept = unread_message(Unread(10**8, "ab" * 32, beginning), [Problem("JOB-TOO-LARGE", "", "Split it.")])
    assert (kept.issuer, kept.key, kept.size, kept.digest) == (RUT, "k", 10**8, "ab" * 32)
