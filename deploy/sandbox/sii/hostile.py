"""Answers made to hurt their reader: the fault F-XXE.

A client that trusts its peer's XML is opened by these: entities that grow, entities that name a file, a document type
inside the escaped inner document, nesting deeper than a stack, a body larger than the memory.
"""

import dataclasses
import re
from typing import Any

from deploy.sandbox.sii.exchange import Answer

_PROLOG = re.compile(rb"^\s*(<\?xml[^>]*\?>)?\s*")
_FIRST_TAG = re.compile(rb"<[A-Za-z][^>]*[^/]>")
_MEGABYTE = 1024 * 1024
_LEVELS = 9
_TENFOLD = 10


def hostile(answer: Answer, args: dict[str, Any]) -> Answer:
    """The answer in one of the forms ``entities``, ``external``, ``inner``, ``deep`` and ``huge``."""
    form = str(args.get("form", "entities"))
    if form == "huge":
        return dataclasses.replace(answer, padding=int(float(args.get("megabytes", 200)) * _MEGABYTE))
    if form == "deep" or answer.content_type.startswith("application/json"):
        return dataclasses.replace(answer, body=_deep(answer, int(args.get("depth", 100_000))))
    if form == "inner":
        inner = b"&lt;!DOCTYPE SII:RESPUESTA [&lt;!ENTITY x SYSTEM &quot;file:///etc/hostname&quot;&gt;]&gt;"
        return dataclasses.replace(
            answer, body=answer.body.replace(b"&lt;SII:RESPUESTA", inner + b"&lt;SII:RESPUESTA", 1)
        )
    if form == "external":
        return dataclasses.replace(
            answer, body=_with_entities(answer.body, b'<!ENTITY x SYSTEM "file:///etc/hostname">')
        )
    return dataclasses.replace(answer, body=_with_entities(answer.body, _growing()))


def _growing() -> bytes:
    """Entities that stand for ten of each other, down to a word: a thousand million words when read."""
    lines = [b'<!ENTITY x0 "factura">']
    for level in range(1, _LEVELS + 1):
        name = b"x" if level == _LEVELS else b"x%d" % level
        lines.append(b'<!ENTITY %s "%s">' % (name, b"&x%d;" % (level - 1) * _TENFOLD))
    return b"".join(lines)


def _with_entities(body: bytes, entities: bytes) -> bytes:
    """The document with a document type, and the entity x as the first text of its root."""
    start, inside = _places(body)
    return body[:start] + b"<!DOCTYPE r [%s]>" % entities + body[start:inside] + b"&x;" + body[inside:]


def _deep(answer: Answer, depth: int) -> bytes:
    if answer.content_type.startswith("application/json"):
        return b'{"a":' * depth + b"0" + b"}" * depth
    _, inside = _places(answer.body)
    return answer.body[:inside] + b"<a>" * depth + b"</a>" * depth + answer.body[inside:]


def _places(body: bytes) -> tuple[int, int]:
    """Where the prolog ends, and where the contents of the root begin; the end of a body that has no root."""
    prolog = _PROLOG.match(body)
    start = prolog.end() if prolog else 0
    root = _FIRST_TAG.search(body, start)
    return start, len(body) if root is None else root.end()
