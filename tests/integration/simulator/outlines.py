"""What makes two answers the same although their figures differ: elements, their order and prefixes, fixed words."""

import html
import json
import re
from typing import Any

from lxml import etree

# Texts that differ from case to case; of all others only the figures may.
_FREE = frozenset(
    {
        "SEMILLA",
        "TOKEN",
        "FILE",
        "RUTSENDER",
        "RUTCOMPANY",
        "RUTEMISOR",
        "RUTENVIA",
        "RUT_TENEDOR",
        "ERROR",
        "DETALLE",
        "rutResponsable",
        "dvResponsable",
    }
)
# Codes: their figures count.
_CODES = frozenset({"ESTADO", "STATUS", "ERR_CODE", "codResp", "SQL_CODE", "SRV_CODE", "TIPODTE"})


def outline(data: bytes | str) -> list[str]:
    """An XML answer as lines: depth, prefix, name and kind of text; a document inside a text comes after it."""
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    lines: list[str] = []
    _walk(etree.fromstring(text.encode("utf-8")), 0, lines)
    return lines


def _walk(element: etree._Element, depth: int, lines: list[str]) -> None:
    name = etree.QName(element).localname
    prefix = f"{element.prefix}:" if element.prefix else ""
    inner = (element.text or "").strip()
    space = f" {{{element.nsmap.get(element.prefix)}}}" if name == "RESPUESTA" else ""
    if name.endswith("Return") and inner.startswith("<"):
        lines.append(f"{depth} {prefix}{name} [document]")
        lines += [f"  {line}" for line in outline(inner)]
        return
    lines.append(f"{depth} {prefix}{name}{space} {kind_of(name, inner)}".rstrip())
    for child in element.iterchildren("*"):
        _walk(child, depth + 1, lines)


def kind_of(name: str, text: str) -> str:
    """The text itself with its figures as #, or * where anything may stand."""
    text = " ".join(text.split())
    if name in _FREE:
        return "*" if text not in {"", "-"} else text
    if name in _CODES:
        return text
    if name == "TRACKID":
        return "0#" if text.startswith("0") or len(text) == 10 else "#"
    return re.sub(r"\d+", "#", text)


def keys(data: bytes | str) -> Any:
    """A JSON answer as its keys in order and kinds of values; of a list, the kinds of its rows."""
    return _keys(json.loads(data))


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, _keys(inner)) for name, inner in value.items()]
    if isinstance(value, list):
        found: list[Any] = []
        for inner in map(_keys, value):
            if inner not in found:
                found.append(inner)
        return sorted(found, key=repr)
    return type(value).__name__


def masked(data: bytes | str) -> str:
    """A text with its figures and RUTs as #, its names of files as *; everything else, blanks too, as it is."""
    text = data.decode("iso-8859-1") if isinstance(data, bytes) else data
    text = re.sub(r"<FILE>[^<]*", "<FILE>*", text)
    text = re.sub(r"\d+-[\dK]", "#", text)
    return re.sub(r"\d+", "#", text)


def words(data: bytes | str) -> list[str]:
    """A page's tags and words, whatever their line breaks."""
    text = data.decode("iso-8859-1") if isinstance(data, bytes) else data
    return html.unescape(re.sub(r"(<[^>]+>)", r" \1 ", text)).split()


def http_answers(text: bytes | str) -> list[Any]:
    """Answers written one after the other: status, headers, words; of JSON its keys."""
    written = text.decode("utf-8") if isinstance(text, bytes) else text
    found: list[Any] = []
    for part in written.split("########"):
        head, _, body = part.strip().partition("\n\n")
        found.append(
            (
                [re.sub(r"\d{6,}-[\dK]-\d+", "#", line) for line in head.splitlines()],
                keys(body) if "{" in body else words(body),
            )
        )
    return found
