"""What is signed inside a file, taken out of the received bytes as text and read alone: documents, cessions.

The SII verifies a DTE as it stands in the text, cut out of its envelope: the envelope's namespaces take no part unless
the DTE itself writes them. Checking each one alone is also what keeps the work linear.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.sandbox.sii.reading import SII_DTE, Element, NotXmlError, read

_OPENING = re.compile(rb"<(\w+)(?=[\s>])[^>]*>")
_XSI = b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@dataclass(frozen=True, slots=True)
class Piece:
    """One element as received: its bytes (ISO-8859-1) and their SHA-256."""

    data: bytes
    digest: str

    def alone(self) -> Element:
        """The element parsed as a document of its own, exactly as written. Raises NotXmlError."""
        return read(self.data, "ISO-8859-1")

    def other_scopes(self, *, with_xsi: bool) -> Iterator[Element]:
        """The element parsed with the other sets of namespaces found in accepted documents (SII protocol, 8.1)."""
        opening = _OPENING.match(self.data)
        if opening is None or b"xmlns:" in opening.group(0):
            return
        rest = self.data[opening.end() :]
        name = b"<" + opening.group(1)
        sii = name + f' xmlns="{SII_DTE}"'.encode("ascii")
        heads = [name + b' version="1.0">', sii + b' version="1.0">']
        if with_xsi:
            heads.append(sii + b" " + _XSI + b' version="1.0">')
        for head in heads:
            if head != opening.group(0):
                yield read(head + rest, "ISO-8859-1")


def pieces(envelope: bytes, expected: int) -> list[Piece]:
    """Cut an envelope's documents out of its bytes; raises NotXmlError unless the text holds `expected` of them."""
    return cut(envelope, "DTE", expected)


def cut(data: bytes, name: str, expected: int) -> list[Piece]:
    """Cut the elements of that name out of a file; raises NotXmlError unless the text holds `expected` of them."""
    found = cut_all(data, name)
    if len(found) != expected:
        raise NotXmlError(f"el texto contiene {len(found)} {name} y el documento {expected}")
    return found


def cut_all(data: bytes, name: str) -> list[Piece]:
    """Whatever the text holds between opening and closing tags of that name."""
    tag = name.encode("ascii")
    opening, closing = re.compile(rb"<%b(?=[\s>])" % tag), re.compile(rb"</%b\s*>" % tag)
    found, at = [], 0
    while start := opening.search(data, at):
        end = closing.search(data, start.end())
        if end is None:
            break
        at = end.end()
        text = data[start.start() : at]
        found.append(Piece(text, hashlib.sha256(text).hexdigest()))
    return found
