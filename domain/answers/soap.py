"""The two envelopes around an answer of DTEWS: SOAP outside, ``SII:RESPUESTA`` escaped as text inside.

The order of header and body isn't fixed, prefixes and namespaces differ between services and manuals, and errors
carry a header only (SII, authentication manual 1.9; WSDLs of palena). Everything is found by local name. The REST
services of boletas answer seed and token with the inner document alone, read here as well.
"""

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from domain.answers.reading import UnreadableError, decode, elements, excerpt, local, parse, text_of

_NO_SUCH_OPERATION: Final = re.compile(r"no such operation", re.IGNORECASE)
_NO_TOKEN: Final = re.compile(r"token|autenti[ck]a", re.IGNORECASE)
_OK_STATES: Final = frozenset({"0", "00"})


@dataclass(frozen=True, slots=True)
class SoapFault:
    """A fault in the service's own words."""

    code: str
    text: str

    @property
    def speaks_of_token(self) -> bool:
        """Whether it refuses the caller's token rather than the request."""
        return _NO_TOKEN.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Respuesta:
    """The inner document: (local name, text) pairs of header and body in the order they came."""

    header: tuple[tuple[str, str], ...]
    body: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str | None:
        """The first value of that name, the header's before the body's; None when there is none."""
        return next((text for found, text in (*self.header, *self.body) if found == name), None)

    def in_body(self, name: str) -> str | None:
        """The body's first value of that name."""
        return next((text for found, text in self.body if found == name), None)

    def state(self) -> str:
        """ESTADO; where the header says only that the question was understood (0), the body's."""
        header = next((text for found, text in self.header if found == "ESTADO"), None)
        if header is None or header in _OK_STATES:
            return self.in_body("ESTADO") or header or ""
        return header

    def gloss(self) -> str:
        """GLOSA, from where the state was taken."""
        header = next((text for found, text in self.header if found == "ESTADO"), None)
        inner = self.in_body("GLOSA")
        if inner is not None and (header is None or header in _OK_STATES):
            return inner
        return self.first("GLOSA") or self.first("GLOSA_ESTADO") or ""


def read_soap(body: bytes) -> Respuesta | SoapFault:
    """Return the inner document or the fault, whatever the HTTP status was; raises `UnreadableError`."""
    root = parse(decode(body))
    fault = next(elements(root, "Fault"), None)
    if fault is not None:
        return SoapFault(code=_part(fault, "faultcode"), text=_part(fault, "faultstring") or excerpt(text_of(fault)))
    if local(root) == "RESPUESTA":
        return _respuesta(root)
    if local(root) != "Envelope":
        raise UnreadableError(f"no SOAP answer: {excerpt(body)}")
    unescaped = next(elements(root, "RESPUESTA"), None)
    if unescaped is not None:
        return _respuesta(unescaped)
    returned = next((element for element in root.iter(etree.Element) if local(element).endswith("Return")), None)
    if returned is None:
        raise UnreadableError(f"a SOAP answer that returns nothing: {excerpt(body)}")
    inner = parse(text_of(returned))
    if local(inner) != "RESPUESTA":
        raise UnreadableError(f"a SOAP answer that returns something else: {excerpt(text_of(returned))}")
    return _respuesta(inner)


def is_no_such_operation(body: bytes) -> bool:
    """Whether the service knows no such operation, as it says when the operation's namespace isn't the one it takes."""
    try:
        answer = read_soap(body)
    except UnreadableError:
        return False
    return isinstance(answer, SoapFault) and _NO_SUCH_OPERATION.search(answer.text) is not None


def _respuesta(root: etree._Element) -> Respuesta:
    """Split into header and body; leaves only, in their order."""
    header: list[tuple[str, str]] = []
    body: list[tuple[str, str]] = []
    for part in root:
        leaves = body if local(part) == "RESP_BODY" else header
        if len(part):
            leaves.extend((local(leaf), text_of(leaf)) for leaf in part.iter(etree.Element) if not len(leaf))
        elif local(part) not in ("RESP_BODY", "RESP_HDR"):
            leaves.append((local(part), text_of(part)))
    return Respuesta(tuple(header), tuple(body))


def _part(fault: etree._Element, name: str) -> str:
    found = next(elements(fault, name), None)
    return "" if found is None else text_of(found)
