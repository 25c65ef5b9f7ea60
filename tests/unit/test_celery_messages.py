"""Messages of Celery's clients: the jobs in them with the bytes they were written with, or a reason."""

import base64
import json
import uuid
import zlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Queue

from domain.job import NotAJob
from workers.celery_messages import bodies_of, task_id_of

MOST = 1_000_000
JOB = {"idempotency_key": "ñ-1", "issuer": "76900101-8", "document": {"MontoItem": 1.5}}


def message(body: Any, *, kind: str = "application/json", text: str | None = None, **headers: Any) -> bytes:
    """A message as kombu writes it for Redis."""
    written = (json.dumps(body) if text is None else text).encode()
    return json.dumps(
        {
            "body": base64.b64encode(written).decode(),
            "content-encoding": "utf-8",
            "content-type": kind,
            "headers": {"task": "fmgo.enqueue", "id": "4f2c", **headers},
            "properties": {"body_encoding": "base64", "delivery_tag": "x"},
        }
    ).encode()


def jobs_in(raw: bytes) -> list[Any]:
    return [json.loads(body.data) for body in bodies_of(raw, MOST)]


def code_of(raw: bytes) -> str:
    with pytest.raises(NotAJob) as refused:
        bodies_of(raw, MOST)
    assert refused.value.problems[0].message
    return refused.value.problems[0].code


def sent_by_a_client(args: list[Any], **options: Any) -> bytes:
    """What a real client of Celery puts on the queue."""
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.send_task("fmgo.enqueue", args=args, queue="fmgo.enqueue", **options)
    with Connection("memory://") as connection:
        channel: Any = connection.channel()
        Queue("fmgo.enqueue")(channel).declare()
        raw: dict[str, Any] = channel._get("fmgo.enqueue")
    app.close()
    return json.dumps(raw).encode()


def test_a_client_of_celery_is_understood() -> None:
    raw = sent_by_a_client([[JOB, json.dumps(JOB)]])
    assert jobs_in(raw) == [JOB, JOB]


@pytest.mark.parametrize(
    "options", [{"compression": "gzip"}, {"compression": "zlib"}, {"countdown": 60}, {"priority": 9}]
)
def test_what_a_client_adds_changes_no_job(options: dict[str, Any]) -> None:
    assert jobs_in(sent_by_a_client([[JOB]], **options)) == [JOB]


def test_pythons_own_kinds_become_texts() -> None:
    number = uuid.UUID(int=7)
    (job,) = jobs_in(sent_by_a_client([[{"a": Decimal("1.10"), "b": date(2026, 11, 28), "c": number}]]))
    assert job == {"a": "1.10", "b": "2026-11-28", "c": str(number)}


def test_a_job_keeps_the_bytes_it_was_written_with() -> None:
    written = '{"idempotency_key": "ñ",  "n": 12345678901234567.10, "n": 2}'
    (body,) = bodies_of(message(None, text=f"[[{written} ], {{}}, null]"), MOST)
    assert body.data == written.encode()


def test_one_job_and_named_arguments_are_taken_too() -> None:
    assert jobs_in(message([[JOB], {}, {}])) == [JOB]
    assert jobs_in(message([[], {"jobs": [JOB, JOB]}, {}])) == [JOB, JOB]
    assert jobs_in(message({"task": "fmgo.enqueue", "args": [[JOB]], "kwargs": {}})) == [JOB]
    assert jobs_in(message([[[]], {}, {}])) == []


def test_a_lone_job_is_answered_under_its_tasks_id_too() -> None:
    assert [body.names for body in bodies_of(message([[[JOB]], {}, {}]), MOST)] == [("4f2c",)]
    assert [body.names for body in bodies_of(message([[[JOB, JOB]], {}, {}]), MOST)] == [(), ()]
    assert task_id_of(message([])) == "4f2c"
    assert task_id_of(b"{") is None


def test_the_log_context_of_the_client_travels_with_its_jobs() -> None:
    (body,) = bodies_of(message([[[JOB]], {}, {}], fmgo_context='{"origin": "till 3"}'), MOST)
    assert json.loads(body.context["fmgo_context"]) == {"origin": "till 3"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff", "MESSAGE-FORM"),
        (b"{}", "MESSAGE-FORM"),
        (b"[" * 100_000, "MESSAGE-FORM"),
        (json.dumps(JOB).encode(), "MESSAGE-FORM"),
        (message([[[JOB]], {}, {}], kind="application/x-python-serialize"), "MESSAGE-SERIALIZER"),
        (message([[[JOB]], {}, {}], task="fmgo.isue"), "MESSAGE-TASK"),
        (message([[], {}, {}]), "MESSAGE-ARGUMENTS"),
        (message(7), "MESSAGE-BODY"),
        (message(None, text="[[{"), "MESSAGE-BODY"),
        (message(None, text="["), "MESSAGE-BODY"),
        (message(None, text="[" * 5000 + "]" * 5000), "JOB-DEPTH"),
        (message([[[JOB]], {}, {}], compression="application/x-lzma"), "MESSAGE-COMPRESSION"),
        (message([[[JOB]], {}, {}], compression="gzip"), "MESSAGE-BODY"),
    ],
)
def test_what_is_no_message_of_jobs_is_told_why(raw: bytes, code: str) -> None:
    assert code_of(raw) == code


def test_a_bomb_is_not_inflated() -> None:
    bomb = zlib.compress(b"[" + b" " * 50_000_000 + b"]")
    raw = json.loads(message([], compression="application/x-gzip"))
    raw["body"] = base64.b64encode(bomb).decode()
    assert code_of(json.dumps(raw).encode()) == "JOB-TOO-LARGE"
