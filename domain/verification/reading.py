"""A foreign file as a tree, without trust in it.

Bounded in size; encodings that the field uses and no others; no document type, so no entities to expand and nothing to
fetch; comments left out, so that no value is cut in two by one. A file without a declaration is UTF-8 if it is that
without doubt and ISO-8859-1 otherwise: documents are stored and exchanged so.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import NamedTuple

from lxml import etree

from domain.problems import DomainError, Problem, shown
from domain.signature import SII_NAMESPACE
from domain.stamp import chile
from domain.verification.what_it_is import around

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes of the largest file that is read. An envelope of 2,000 invoices has some twelve million."""

_DECLARATION = re.compile(rb"""\A<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ENCODINGS = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"), "iso-8859-1"),
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("windows-1252", "cp1252"), "windows-1252"),
    "iso-8859-15": "iso-8859-15",
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_LONGEST_DECLARATION = 40
"""Bytes at the beginning of a file in which its own declaration may end."""
_UTF8_MARK = b"\xef\xbb\xbf"
_BLANK = (b" ", b"\n", b"\r", b"\t")
_NO_NAMESPACE, _NAMESPACE = b' xmlns=""', f' xmlns="{SII_NAMESPACE}"'.encode()
_FIRST_TAG = re.compile(rb"<[A-Za-z_][\w.-]*(?=[\s>])")
_C1 = re.compile(rb"[\x80-\x9f]")
_WINDOWS = "windows-1252"


class Unreadable(DomainError):  # noqa: N818  (a finding about a file)
    """A file that is not taken for a document at all."""


class Reading(NamedTuple):
    """A file that was read."""

    root: etree._Element
    data: bytes
    encoding: str
    """Of `data`."""
    remark: str = ""
    """What shows that these aren't the bytes that the SII takes, e.g. "in UTF-16"; empty when nothing does."""
    mended: bool = False
    """Whether the SII's namespace, which was lost, was put back."""

    @property
    def text(self) -> str:
        """The text of the file, for what must be seen letter by letter."""
        return self.data.decode(self.encoding, "replace")

    def otherwise(self) -> Iterator["Reading"]:
        """The same file read as whoever saved it may have meant it, for signatures that don't hold as it stands.

        As windows-1252 or UTF-8 where it says ISO-8859-1, and with the SII's namespace where that was lost.
        """
        if self.encoding == "iso-8859-1" and not self.data.isascii():
            if _C1.search(self.data) is not None:
                yield from self._again(self.data, _WINDOWS, self.remark)
            yield from self._again(self.data, "utf-8", "in UTF-8, whatever it says")
        whole = self.data.replace(_NO_NAMESPACE, b"")
        if not str(self.root.tag).startswith("{"):
            whole = _FIRST_TAG.sub(lambda tag: tag[0] + _NAMESPACE, whole, count=1)
        if whole != self.data:
            yield from self._again(whole, self.encoding, self.remark, mended=True)

    def _again(self, data: bytes, encoding: str, remark: str, *, mended: bool = False) -> Iterator["Reading"]:
        with suppress(Unreadable):
            yield Reading(_parsed(data, encoding), data, encoding, remark, mended)


def read(data: bytes) -> Reading:
    """The tree of a file. Raises Unreadable; its problem says why.

    Blanks before the declaration, which no parser takes, are passed over.

    XML-TOO-LARGE, XML-EMPTY, XML-ENCODING, XML-DTD, XML-MALFORMED, XML-AROUND, XML-NONE, XML-INSTRUCTION.
    """
    if len(data) > LARGEST_FILE:
        raise _refusal("XML-TOO-LARGE", f"The file has {len(data)} bytes; at most {LARGEST_FILE} are read.")
    if not data.strip():
        raise _refusal("XML-EMPTY", "The file is empty.")
    plain = data.lstrip() if data[:1] in _BLANK else data
    moved = len(plain) < len(data) and plain.startswith(b"<?xml")
    data, encoding, remark = _encoding(plain)
    remark = remark or ("with blanks before its declaration" if moved else "")
    if b"!" in data and b"!DOCTYPE" in data:
        raise _refusal("XML-DTD", "The file has a document type definition; none is accepted.")
    try:
        root = _parsed(data, encoding)
    except Unreadable:
        if (problem := around(data)) is not None:
            raise Unreadable([problem]) from None
        raise
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refusal("XML-DTD", "The file has a document type definition; none is accepted.")
    if data.find(b"?", _LONGEST_DECLARATION) >= 0 and next(root.iter(etree.ProcessingInstruction), None) is not None:
        raise _refusal("XML-INSTRUCTION", "The file has a processing instruction, which could cut a value in two.")
    return Reading(root, data, encoding, remark)


def _refusal(code: str, sentence: str) -> Unreadable:
    return Unreadable([Problem(code, "", sentence)])


def _encoding(data: bytes) -> tuple[bytes, str, str]:
    """Bytes for the parser, how they are encoded, and how the file's own bytes differ from what the SII takes."""
    if data[:4] in _UTF32:
        raise _refusal("XML-ENCODING", "The file is encoded as UTF-32, which the field does not use.")
    if data[:2] in _UTF16 or data[:2] in (b"<\0", b"\0<"):
        codec = "utf-16" if data[:2] in _UTF16 else "utf-16-le" if data[0] else "utf-16-be"
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            raise _refusal("XML-ENCODING", "The file begins as UTF-16 but is not.") from None
        return text.lstrip().encode("utf-8", "replace"), "utf-8", "in UTF-16"
    if data.startswith(_UTF8_MARK):
        return data[len(_UTF8_MARK) :].lstrip(), "utf-8", "in UTF-8 with a mark before it"
    declared = _DECLARATION.match(data)
    if declared is None:
        return _undeclared(data)
    name = declared[1].decode("ascii")
    encoding = _ENCODINGS.get(name.lower())
    if encoding is None:
        raise _refusal("XML-ENCODING", f"The file says it is encoded as {shown(name)}, which the field does not use.")
    return data, encoding, "in UTF-8" if encoding == "utf-8" else ""


def _undeclared(data: bytes) -> tuple[bytes, str, str]:
    if data.isascii():
        return data, "utf-8", ""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data, "iso-8859-1", ""
    return data, "utf-8", "in UTF-8"


@cache
def parser(encoding: str | None = None) -> etree.XMLParser:
    """The parser for that encoding: hardened, and without comments."""
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
    )


def _parsed(data: bytes, encoding: str) -> etree._Element:
    try:
        return etree.fromstring(data, parser(encoding))
    except (etree.XMLSyntaxError, ValueError) as fault:
        said = shown(getattr(fault, "msg", None) or str(fault))  # the parser's own text names no file
        raise _refusal("XML-MALFORMED", f"The file is not well-formed XML: {said}.") from None


def text_of(element: etree._Element) -> str:
    """The text of a value. It is whole: files with comments or instructions inside a value are not read so far."""
    return element.text or ""


def fields(block: etree._Element | None) -> dict[str, str]:
    """The values directly inside a block by their local names; of several with one name, the last.

    Elements of another namespace than the block's come under names that nobody asks for.
    """
    if block is None:
        return {}
    cut = str(block.tag).find("}") + 1  # not asked of _name_begins: this is done for every line of a document
    return {child.tag[cut:]: child.text or "" for child in block}  # type: ignore[misc,index]


def children(parent: etree._Element | None, name: str) -> list[etree._Element]:
    """The elements directly inside a block that bear that local name, in the block's namespace."""
    if parent is None:
        return []
    tag = f"{str(parent.tag)[: _name_begins(parent)]}{name}"
    return [child for child in parent if child.tag == tag]


def value_in(block: etree._Element, name: str) -> str | None:
    """The first value of that name directly inside a block; None where there is none."""
    cut = _name_begins(block)
    for child in block:
        if child.tag[cut:] == name:  # type: ignore[index]
            return child.text or ""
    return None


def named_children(parent: etree._Element | None) -> list[tuple[str, etree._Element]]:
    """The elements directly inside a block, each with its local name in the block's namespace."""
    if parent is None:
        return []
    cut = _name_begins(parent)
    return [(child.tag[cut:], child) for child in parent]  # type: ignore[misc,index]


def _name_begins(element: etree._Element) -> int:
    """Where the local name begins in the tags of the element's namespace."""
    return element.tag.find("}") + 1  # type: ignore[union-attr,arg-type]


def first(parent: etree._Element | None, *names: str) -> etree._Element | None:
    """The first element on that way down; None when a step is missing."""
    for name in names:
        found = children(parent, name)
        if not found:
            return None
        parent = found[0]
    return parent


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def moment_of(text: str | None) -> datetime | None:
    """A time as the documents write it (Chile's clock, no zone), aware; None when it is none."""
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return found.replace(tzinfo=chile()) if found.tzinfo is None else found
