"""What came and is no job: whose it is, as far as it can be read, and the answer that its sender finds.

A sender looks under the names that it can know itself: the SHA-256 of the bytes that it sent (in hex), and the id of
the document that the job would have become, which follows from its key. The answer has the version 0, so that the
result of a document always takes its place.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from typing import Any, Final

from domain.job import LONGEST_KEY, NotAJob, document_id, members_of
from domain.problems import Problem
from domain.rut import InvalidRut, canonical_shape
from workers.cache.bounded import Unread
from workers.cache.results import Result as Told
from workers.database.refused import Refused, RefusedMessage

STATE: Final = "refused"
CONFLICT: Final = "JOB-KEY-CONFLICT"
ANSWER_VERSION: Final = 0
_ENVIRONMENTS: Final = ("certification", "production")
_MEMBER: Final = r'"{}"\s*:\s*("(?:[^"\\]|\\.){{1,1200}}")'
_SEARCHED: Final = 64 * 1024


def refused_message(data: bytes, problems: Iterable[Problem], names: tuple[str, ...] = ()) -> RefusedMessage:
    """A message that is no job, with every reason and whatever says whose it is."""
    return _message(data, len(data), hashlib.sha256(data).hexdigest(), tuple(problems), names)


def unread_message(unread: Unread, problems: Iterable[Problem]) -> RefusedMessage:
    """The same of one that was too large to be read: its beginning is kept."""
    return _message(unread.beginning, unread.size, unread.digest, tuple(problems), ())


def _message(
    data: bytes, size: int, digest: str, problems: tuple[Problem, ...], names: tuple[str, ...]
) -> RefusedMessage:
    issuer, environment, key = whose(data)
    return RefusedMessage(
        code=problems[0].code,
        reason=" ".join(problem.message for problem in problems),
        body=data,
        size=size,
        digest=digest,
        issuer=issuer,
        environment=environment,
        key=key,
        problems=problems,
        names=names,
    )


def whose(data: bytes) -> tuple[str | None, str | None, str | None]:
    """Issuer, environment and key that a message states, None where it states none that can be read.

    What isn't JSON is searched: a comma that is missing elsewhere hides no key.
    """
    try:
        members = members_of(data)
    except NotAJob:
        members = {name: _searched(name, data) for name in ("issuer", "environment", "idempotency_key")}
    key = members.get("idempotency_key")
    environment = members.get("environment") or "certification"
    return (
        _issuer(members.get("issuer")),
        environment if environment in _ENVIRONMENTS else None,
        key if isinstance(key, str) and key.isprintable() and 0 < len(key.strip()) <= LONGEST_KEY else None,
    )


def _searched(name: str, data: bytes) -> Any:
    found = re.search(_MEMBER.format(name).encode(), data[:_SEARCHED])
    try:
        return json.loads(found[1]) if found else None
    except ValueError:
        return None


def _issuer(value: object) -> str | None:
    try:
        return canonical_shape(value) if isinstance(value, str) else None
    except InvalidRut:
        return None


def answers_to(refused: Refused) -> list[Told]:
    """What is told of a refused message, once under each of its names."""
    whose_it_is = {"issuer": refused.issuer, "environment": refused.environment, "idempotency_key": refused.key}
    fields = {"state": STATE, **{name: value for name, value in whose_it_is.items() if value is not None}}
    body = {"version": ANSWER_VERSION, **fields, "problems": refused.problems}
    body |= {"sha256": refused.digest, "bytes": refused.size}
    number = first_id(refused.issuer, refused.environment, refused.key)
    # Where the key belongs to a document, that document's results stand under the id.
    of_key = [] if number is None or refused.code == CONFLICT else [str(number)]
    return [
        Told(name, ANSWER_VERSION, {**fields, "result": json.dumps({"id": name, **body}, ensure_ascii=False)}, streamed)
        for names, streamed in (((refused.digest, *refused.names), False), (of_key, True))
        for name in names
    ]


def first_id(issuer: str | None, environment: str | None, key: str | None) -> uuid.UUID | None:
    """The id of the first document under a key; None where part of it is unknown."""
    return document_id(issuer, environment, key, 1) if issuer and environment and key else None
