"""Every document of an envelope taken out of the received bytes as text, and read alone.

The SII verifies a DTE as it stands in the text, cut out of its envelope: the envelope's namespaces take no part unless
the DTE itself writes them. Checking each one alone is also what keeps the work linear.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.sandbox.sii.reading import SII_DTE, Element, NotXmlError, read

_START = re.compile(rb"<DTE(?=[\s>])")
_END = re.compile(rb"</DTE\s*>")
_OPENING = re.compile(rb"<DTE(?=[\s>])[^>]*>")
_XSI = b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@dataclass(frozen=True, slots=True)
class Piece:
    """One DTE as received: its bytes (ISO-8859-1) and their SHA-256."""

    data: bytes
    digest: str

    def alone(self) -> Element:
        """The DTE parsed as a document of its own, exactly as written. Raises NotXmlError."""
        return read(self.data, "ISO-8859-1")

    def other_scopes(self, *, with_xsi: bool) -> Iterator[Element]:
        """The DTE parsed with the other sets of namespaces found in accepted documents (SII protocol, 8.1)."""
        opening = _OPENING.match(self.data)
        if opening is None or b"xmlns:" in opening.group(0):
            return
        rest = self.data[opening.end() :]
        sii = f'<DTE xmlns="{SII_DTE}"'.encode("ascii")
        heads = [b'<DTE version="1.0">', sii + b' version="1.0">']
        if with_xsi:
            heads.append(sii + b" " + _XSI + b' version="1.0">')
        for head in heads:
            if head != opening.group(0):
                yield read(head + rest, "ISO-8859-1")


def pieces(envelope: bytes, expected: int) -> list[Piece]:
    """Cut an envelope's documents out of its bytes; raises NotXmlError unless the text holds `expected` of them."""
    found = cut(envelope)
    if len(found) != expected:
        raise NotXmlError(f"el texto contiene {len(found)} DTE y el documento {expected}")
    return found


def cut(envelope: bytes) -> list[Piece]:
    """Whatever the text holds between opening and closing tags of a DTE."""
    found, at = [], 0
    while start := _START.search(envelope, at):
        end = _END.search(envelope, start.end())
        if end is None:
            break
        at = end.end()
        data = envelope[start.start() : at]
        found.append(Piece(data, hashlib.sha256(data).hexdigest()))
    return found
