"""From bytes of unknown origin to an XML tree or a JSON value, or `UnreadableError`.

The SII's prologs say UTF-8 while the bytes are at times ISO-8859-1, HTML arrives where XML is expected, and JSON
answers may be plain text. Promises: no DTD, no entity of a document's own, nothing fetched, bounded size and depth;
names are compared without their namespace, which differs between the manuals and the service.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

LARGEST: Final = 8 * 1024 * 1024
"""Bytes above which an answer isn't read; the largest real ones are some hundred kilobytes."""

DIGITS: Final = re.compile(r"[0-9]{1,20}")
"""A track id or a counter as text: never an integer column's business."""

_PROLOG: Final = re.compile(r"^<\?xml\b[^>]*?\?>")
_HTML: Final = re.compile(r"<!doctype\s+html|<html[\s>]|<head[\s>]|<script[\s>]", re.IGNORECASE)
_EXCERPT: Final = 500
_CONTROL: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127], "�")


class UnreadableError(Exception):
    """An answer that isn't what the service answers; carries what it is instead, for whoever looks."""


def decode(body: bytes) -> str:
    """Return the text: UTF-8 if the bytes are that, else ISO-8859-1, whatever their prolog says."""
    if len(body) > LARGEST:
        raise UnreadableError(f"an answer of {len(body)} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("iso-8859-1")


def is_html(text: str) -> bool:
    """Whether the text is a page for people: a maintenance notice, an error or a login page."""
    return _HTML.search(text, 0, 4096) is not None


def excerpt(body: bytes | str) -> str:
    """The beginning of an answer on one line, to show to a person."""
    text = body if isinstance(body, str) else body[: 4 * _EXCERPT].decode("utf-8", "replace")
    return storable(" ".join(text.split())[:_EXCERPT])


def storable(text: str) -> str:
    """The text without what no database and no XML takes: NUL, other control characters, lone surrogates."""
    return text.translate(_CONTROL).encode("utf-8", "replace").decode("utf-8")


def parse(text: str) -> etree._Element:
    """Return the root of an XML text; raises `UnreadableError`, also for a DTD or anything after the root."""
    text = text.strip()
    if not text:
        raise UnreadableError("an empty answer")
    if is_html(text):
        raise UnreadableError(f"a page: {excerpt(text)}")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableError("an answer with a DTD")
    text = _PROLOG.sub("", text, count=1)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise UnreadableError(f"no XML: {excerpt(text)}") from None


def read_json(body: bytes) -> object:
    """Return a JSON value whose numbers are text (a track id has up to 15 digits); raises `UnreadableError`."""
    text = decode(body).strip()
    if not text:
        raise UnreadableError("an empty answer")
    if is_html(text):
        raise UnreadableError(f"a page: {excerpt(text)}")
    try:
        value: object = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        return _storable_value(value)
    except (ValueError, RecursionError):
        raise UnreadableError(excerpt(text)) from None


def _storable_value(value: object) -> object:
    """A JSON value with every text storable: JSON can write NUL and lone surrogates."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable_value(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): _storable_value(item) for name, item in value.items()}
    return value


def local(element: etree._Element) -> str:
    """An element's name without namespace."""
    return etree.QName(element).localname


def elements(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """The elements of that local name at any depth, the root included, in order."""
    return (element for element in root.iter(etree.Element) if local(element) == name)


def text_of(element: etree._Element) -> str:
    """All text inside an element, trimmed."""
    return "".join(element.itertext()).strip()


def number(text: str) -> int | None:
    """A non-negative number written in plain digits, else None."""
    return int(text) if DIGITS.fullmatch(text) else None


_TRACK_ID: Final = re.compile(r"track\s*_?id\D{0,3}\s*([0-9]{1,20})", re.IGNORECASE)


def named_track_id(text: str) -> str | None:
    """The track id that words of the SII name ("ya fue enviado … con Trackid 77"), None when they name none."""
    found = _TRACK_ID.search(text)
    return without_zeros(found.group(1)) if found else None


def without_zeros(digits: str) -> str:
    """A track id as queries take it: the upload's answer pads it to ten digits."""
    return digits.lstrip("0") or "0"
