"""The stamp (timbre, TED): its two signatures over texts rebuilt from what was parsed, and the names that it shows.

FRMT signs DD with the key of the CAF inside it, FRMA signs DA with a key of the SII; both over the element without the
white space between tags, without namespace, ISO-8859-1, with ``&``, ``<`` and ``>`` as entities (SII, Instructivo
técnico). Whether an apostrophe or a quotation mark in a name is signed literally or as an entity is unknown: programs
in use write either. Names (RSR, IT1) are the first 40 characters of the document's, or those folded to ASCII.
"""

import unicodedata
from collections.abc import Callable, Iterator

from deploy.sandbox.sii.caf import escape
from deploy.sandbox.sii.reading import Element, children, local

SHOWN = 40  # characters of a name in a stamp
_QUOTES = ("'", '"')


def flat(element: Element) -> bytes:
    """The bytes that a stamp or a CAF signs for `element`, quotation marks as they are."""
    return _text(element, escape).encode("iso-8859-1", "replace")


def signed_forms(element: Element, quotes: str) -> Iterator[bytes]:
    """The bytes that a stamp may sign for `element`: quotation marks ``literal``, as ``entities``, or ``both``."""
    literal = flat(element)
    if quotes != "entities":
        yield literal
    with_entities = _text(element, _escape_all).encode("iso-8859-1", "replace")
    if quotes == "entities" or (quotes == "both" and with_entities != literal):
        yield with_entities


def shows(stamped: str, written: str, text: str) -> bool:
    """Whether a stamp's name is the document's: ``exact``, or ``folded`` to ASCII, without quotes and blanks."""
    shown = written[:SHOWN]
    if stamped == shown or text == "exact":
        return bool(stamped) and stamped.strip() == shown.strip()
    # A name of nothing but quotes and letters that ASCII hasn't leaves nothing to compare.
    return (
        bool(stamped) and len(stamped) <= SHOWN and (not _folded(shown) or _folded(shown).startswith(_folded(stamped)))
    )


def _folded(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return "".join(c for c in ascii_only if c not in _QUOTES and c != "?" and not c.isspace())


def _escape_all(text: str) -> str:
    return escape(text).replace("'", "&apos;").replace('"', "&quot;")


def _text(element: Element, escaped: Callable[[str], str]) -> str:
    name = local(element)
    attributes = "".join(f' {key}="{escape(str(value))}"' for key, value in element.attrib.items())
    if len(element) == 0:  # the usual leaf, without a comment inside
        return f"<{name}{attributes}>{escaped(element.text or '')}</{name}>"
    inner = children(element)
    body = "".join(_text(child, escaped) for child in inner) if inner else escaped("".join(element.itertext()))
    return f"<{name}{attributes}>{body}</{name}>"
