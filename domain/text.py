"""Text as the documents can carry it: ISO-8859-1, one line, no blanks at the ends or in pairs.

It promises that a cleaned text survives every parser unchanged, because what is signed must be what is read back: NFC,
typographic signs replaced by plain ones, Windows-1252's signs among the C1 controls read as what they were meant to be,
controls and invisible signs gone, runs of blanks made one. A character that ISO-8859-1 lacks is reported with its name,
never replaced by a guess. Source: SII, Formato DTE 2.5, section 2.1; the XML recommendation, production Char.
"""

import unicodedata
from collections.abc import Iterator

_WRITTEN_AS = {
    "-": "‐‑‒–—―−•‣⁃",
    "'": "‘’‚‛′",
    '"': "“”„‟″«»",
    "...": "…",
    "EUR": "€",
    "fi": "ﬁ",
    "fl": "ﬂ",
    "ff": "ﬀ",
    "oe": "œ",
    "OE": "Œ",
    "TM": "™",
    " ": "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000",
    "": "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f",
}
"""What is written in place of signs that ISO-8859-1 lacks or that never were meant."""

_TRANSLITERATION: dict[int, str] = {ord(sign): plain for plain, signs in _WRITTEN_AS.items() for sign in signs}
for _byte in range(0x80, 0xA0):
    if _byte not in _TRANSLITERATION:
        _meant = bytes([_byte]).decode("cp1252", "ignore")
        _TRANSLITERATION[_byte] = _meant.translate(_TRANSLITERATION) if _meant else ""
for _control in (*range(0x01, 0x20), 0x7F):
    _TRANSLITERATION.setdefault(_control, "")

_LAST_OF_LATIN_1 = 0xFF
_MOST_NAMED = 5
"""Different characters of one text that are named before the rest is passed over."""

Fault = tuple[str, str]
"""A code and its sentence."""


def transliteration() -> tuple[tuple[str, str], ...]:
    """What is written in place of which signs."""
    return tuple(_WRITTEN_AS.items())


def is_plain(text: str) -> bool:
    """Whether `clean` would change nothing and find nothing: the usual case, told quickly."""
    return (
        text.isprintable()
        and "  " not in text
        and text[:1] != " "
        and text[-1:] != " "
        and (text.isascii() or (max(text) <= "\xff" and "«" not in text and "»" not in text))
    )


def clean(text: str) -> tuple[str, tuple[Fault, ...]]:
    """The text as the document will carry it, and what can't be mended (codes TXT-…, each with its sentence)."""
    if is_plain(text):
        return text, ()
    plain = unicodedata.normalize("NFC", text).translate(_TRANSLITERATION)
    faults = tuple(_faults(plain))
    return " ".join(part for part in plain.split(" ") if part), faults


def _faults(text: str) -> Iterator[Fault]:
    if "\x00" in text:
        yield "TXT-NUL", "Take out the NUL character: no XML document can hold it."
    strangers = dict.fromkeys(char for char in text if ord(char) > _LAST_OF_LATIN_1)
    if any("\ud800" <= char <= "\udfff" for char in strangers):
        yield "TXT-SURROGATE", "Mend the text's encoding: it holds half of a surrogate pair, which is no character."
    named = [char for char in strangers if not "\ud800" <= char <= "\udfff"]
    for char in named[:_MOST_NAMED]:
        name = unicodedata.name(char, "without a name")
        sign = char if char.isprintable() else ""
        yield (
            "TXT-CHARACTER",
            f"Replace {sign} (U+{ord(char):04X}, {name}): the SII's encoding, ISO-8859-1, can't write it.",
        )
    if len(named) > _MOST_NAMED:
        yield "TXT-CHARACTER", f"Replace {len(named) - _MOST_NAMED} other characters that ISO-8859-1 can't write."


def without_accents(text: str) -> str:
    """Text in small letters, without accents: words are written in every way."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
