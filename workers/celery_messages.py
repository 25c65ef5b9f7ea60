"""Messages of Celery clients on the queue `fmgo.enqueue`: what a message of the task holds, as jobs.

They are read here and not by a Celery worker, which would lose them: it takes a message off before it is recorded,
drops what it can't read without a word to the sender, and writes whole bodies into its log. So the jobs of Celery's
clients have what those on the plain list have: nothing is taken off before it is a row.

Promises: a message is a list of jobs, each with its bytes as the client wrote them, or `NotAJob` is raised with a
sentence; nothing else is. ETA, expiry, links and result backends of a client have no meaning for a job and are passed
over.

Source: kombu 5.7, virtual transports (a message is a JSON object; its body is base64); Celery, Message Protocol 1 and 2
(the body is `[args, kwargs, embed]`, or an object with `task`, `args`, `kwargs`).
"""

import base64
import binascii
import json
import uuid
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import structlog

from domain.job import NotAJob
from domain.problems import Problem, shown
from workers import logging as fmgo_logging
from workers.handed_in import Body
from workers.message import CONTENT_TYPE

TASK: Final = "fmgo.enqueue"
ARGUMENT: Final = "jobs"
_JSON: Final = ("application/json", CONTENT_TYPE)
_COMPRESSED: Final = ("application/x-gzip", "gzip", "zlib")
"""What kombu calls zlib's format."""


def bodies_of(message: bytes, most_bytes: int) -> list[Body]:
    """The jobs of a message, with the context that it carries. Raises NotAJob.

    `most_bytes`: of its body when it isn't compressed any more.
    """
    envelope = _object(message)
    headers = _mapping(envelope.get("headers"))
    task_id = _name(headers.get("id"))
    try:
        jobs = list(_jobs(_text(envelope, headers, most_bytes), headers))
    except RecursionError:
        raise _refused("JOB-DEPTH", "Write fewer levels of objects and lists.") from None
    context = _context(task_id, headers)
    names = (task_id,) if task_id and len(jobs) == 1 else ()
    return [Body(job, context, names) for job in jobs]


def task_id_of(message: bytes) -> str | None:
    """The id that the client's Celery gave the task, if it can be read."""
    try:
        return _name(_mapping(_object(message).get("headers")).get("id"))
    except NotAJob:
        return None


def _object(message: bytes) -> dict[str, Any]:
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("body"), str):
        raise _refused("MESSAGE-FORM", f"This is no message of Celery: put raw jobs on the list fmgo.jobs, not {TASK}.")
    return found


def _text(envelope: Mapping[str, Any], headers: Mapping[str, Any], most_bytes: int) -> str:
    """The body's text, decoded and inflated as the message says."""
    kind = envelope.get("content-type")
    if kind not in _JSON:
        raise _refused("MESSAGE-SERIALIZER", f"Use Celery's serializer json: this message is {shown(kind)}.")
    body = str(envelope["body"]).encode("utf-8", "surrogatepass")
    try:
        if _mapping(envelope.get("properties")).get("body_encoding") == "base64":
            body = base64.b64decode(body, validate=True)
        if compression := headers.get("compression"):
            body = _inflated(body, compression, most_bytes)
        return body.decode("utf-8")
    except (binascii.Error, zlib.error, ValueError) as error:
        raise _refused("MESSAGE-BODY", f"The message's body can't be decoded ({type(error).__name__}).") from None


def _inflated(body: bytes, compression: object, most_bytes: int) -> bytes:
    if compression not in _COMPRESSED:
        raise _refused("MESSAGE-COMPRESSION", f"Don't compress, or use gzip: {shown(compression)} isn't read.")
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(body, most_bytes)
    if inflater.unconsumed_tail or not inflater.eof:
        raise _refused("JOB-TOO-LARGE", f"A message has at most {most_bytes} bytes: split it.")
    return inflated


def _jobs(text: str, headers: Mapping[str, Any]) -> Iterator[bytes]:
    """Each job's bytes as they stand in the text, so that no figure loses a decimal on the way."""
    call = _parsed(text)
    if isinstance(call, dict):  # Message Protocol 1
        task: Any = call.get("task")
        arguments: Any = [call.get("args"), call.get("kwargs")]
        text = json.dumps(arguments)
    else:
        task, arguments = headers.get("task"), call
    if task != TASK:
        raise _refused("MESSAGE-TASK", f"This queue takes the task {TASK}, not {shown(task)}.")
    if not isinstance(arguments, list) or len(arguments) < 2:  # noqa: PLR2004  (args and kwargs)
        raise _refused("MESSAGE-BODY", "The message's body is no call of a task.")
    args, kwargs = arguments[0], arguments[1]
    if isinstance(args, list) and args:
        yield from _each(args[0], next(_items(next(_items(text)))))
    elif isinstance(kwargs, dict) and ARGUMENT in kwargs:
        jobs = kwargs[ARGUMENT]
        yield from _each(jobs, json.dumps(jobs, ensure_ascii=False))
    else:
        raise _refused("MESSAGE-ARGUMENTS", f"Call {TASK} with one argument: a list of jobs.")


def _each(jobs: Any, text: str) -> Iterator[bytes]:
    several = isinstance(jobs, list)
    for job, written in zip(jobs if several else [jobs], _items(text) if several else [text], strict=True):
        yield _bytes(job, written)


def _bytes(job: Any, written: str) -> bytes:
    if isinstance(job, str):
        return job.encode("utf-8", "surrogatepass")  # a lone surrogate is no UTF-8, and is refused as such
    if '"__type__"' in written:
        written = json.dumps(json.loads(written, object_hook=_plain), ensure_ascii=False)
    return written.encode("utf-8", "surrogatepass")


def _plain(members: dict[str, Any]) -> Any:
    """Decimals, days, times and UUIDs of Python, which kombu writes as an object each, as the texts that a job has."""
    if members.keys() != {"__type__", "__value__"}:
        return members
    kind, value = members["__type__"], members["__value__"]
    if kind == "uuid" and isinstance(value, dict):
        return str(uuid.UUID(hex=str(value.get("hex"))))
    return value


def _items(text: str) -> Iterator[str]:
    """The items of the JSON list that a text is, each as it is written."""
    decoder = json.JSONDecoder()
    at = _after_blanks(text, _after_blanks(text, 0) + 1)
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        yield text[at:end]
        at = _after_blanks(text, end)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)


def _after_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _refused("MESSAGE-BODY", "The message's body isn't JSON.") from None


def _context(task_id: str | None, headers: Mapping[str, Any]) -> dict[str, str]:
    """The headers that carry the client's log context, with the task's id for an origin."""
    fmgo_logging.bind_task(task_id or "", TASK, headers)
    try:
        return fmgo_logging.context_headers()
    finally:
        structlog.contextvars.clear_contextvars()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _name(value: object) -> str | None:
    """A task's id, if it can be part of a key."""
    return value if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 100 else None  # noqa: PLR2004


def _refused(code: str, sentence: str) -> NotAJob:
    return NotAJob([Problem(code, "", sentence)])
