"""What is signed inside a file, taken out of the received bytes as text and read alone: documents, cessions.

The SII verifies a DTE as it stands in the text, cut out of its envelope: only the namespaces that its own tag writes
take part. A document signed alone with an xmlns that a serialiser then dropped as redundant, or signed inside the
envelope with the envelope's xmlns:xsi in scope, has another canonical form there than the one that was signed:
DTE-3-505 (certifications of 2026). Checking each one alone is also what keeps the work linear.
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
        """The element parsed with the sets of namespaces that others sign with: none, SiiDte, SiiDte and xsi."""
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
