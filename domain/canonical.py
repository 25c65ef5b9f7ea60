"""Character data as inclusive C14N 1.0 writes it (W3C, Canonical XML 1.0, section 2.3).

Documents are written so that their text is canonical from the start: no empty-element tags, no attribute but those of
the format, `&`, `<` and `>` as entities, line feeds only. What remains are texts taken from others letter by letter
(the CAF inside a stamp), which may write a quote as an entity or leave `>` as it is.
"""

import re
from xml.sax.saxutils import escape, unescape

_CHARACTER_DATA = re.compile(r"(?<=>)[^<]+(?=<)")
_NUMERIC = re.compile(r"&#(?:x([0-9A-Fa-f]+)|([0-9]+));")
_QUOTES = {"&quot;": '"', "&apos;": "'"}


def canonical_text(markup: str) -> str:
    """`markup` with its character data as C14N writes it.

    `markup` is what this house writes: tags without `>` in their attributes, and no comments or CDATA. A text that is
    canonical already, which is nearly always so, comes back as it is.
    """
    plain = (
        "&quot;" not in markup
        and "&apos;" not in markup
        and "&#" not in markup
        and markup.count("<") == markup.count(">")
    )
    return markup if plain else _CHARACTER_DATA.sub(_canonical_run, markup)


def _canonical_run(match: re.Match[str]) -> str:
    """One run of character data: read as a parser does (each reference once), then written as C14N does."""
    decoded = _NUMERIC.sub(_character, match[0])
    return escape(unescape(decoded, _QUOTES)).replace("\r", "&#xD;")


def _character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16) if match[1] else int(match[2]))
    return escape(character)  # so that a decoded ampersand is not read as the start of another entity
