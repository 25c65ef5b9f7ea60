"""The rules as a page (Markdown): what the documentation shows is what documents are held to."""

import re
from collections.abc import Iterator

from domain.codes.document_types import DOCUMENT_TYPES
from domain.format.table import PROFILES
from domain.rules import RULES, Rule
from domain.text import transliteration

_HEAD = """# Rules

A document is held to these before it gets a folio. All that are broken are told at once, each with its id, the path of
the field and a sentence that says what to do; words in braces stand for the figures. An error refuses the document; a
warning goes with it. This page is written by `fmgo rules --page`; a test keeps it current.
"""
_GROUPS = {
    "DTE": "All documents",
    "BOL": "Boletas",
    "GUI": "Guías de despacho",
    "COM": "Facturas de compra",
    "LIQ": "Liquidaciones",
    "TUR": "Facturas to tourists",
    "EXP": "Export documents",
}
_READING = """## Reading

Before any rule, every tag is read by its type's table. These codes say what is wrong with one field:

| code | means |
|---|---|
| DOC-TYPE | TipoDTE is missing or no type that FMgo issues |
| FMT-UNKNOWN, FMT-FORBIDDEN | no such tag here; documents of this type don't carry it |
| FMT-PROFILE | only another profile of the format has the tag |
| FMT-REQUIRED | a mandatory tag is missing |
| FMT-KIND, FMT-NUMBER, FMT-DATE, FMT-HOUR, FMT-RUT, FMT-CHOICE | not the kind of value that the tag holds |
| FMT-RANGE, FMT-DECIMALS, FMT-LENGTH, FMT-MANY | too large, too small, too exact, too long, too many |
| FMT-CUT, FMT-LEFT-OUT (warnings) | free text was cut; a tag that other types have was left out |
| TXT-NUL, TXT-SURROGATE, TXT-CHARACTER | text that the SII's encoding, ISO-8859-1, can't write |
| COM-… (warnings) | what FMgo filled in or numbered anew |

## Folio, stamp and schema

A document that passed gets a folio only where the CAF allows it, and leaves only if the SII's schema takes it:

| code | means |
|---|---|
| CAF-OTHER-DOCUMENT, CAF-FOLIO | the CAF is of another issuer or type; the folio isn't in it |
| CAF-LATER-THAN-DOCUMENT, CAF-EXPIRED | it was granted after FchEmis; its six months are over (33, 43, 46, 56, 61) |
| CAF-… on import | a file that can't be used: unreadable, other environment, keys that don't match, signature |
| DTE-ENCODING, DTE-LINE-TOO-LONG | what the SII's gateway would refuse |
| SCHEMA-… | what the schema finds; a rule or the reading should have found it first |

## Text

Documents are ISO-8859-1. Text is brought to NFC, runs of blanks become one, controls and invisible signs go. These
signs are written differently; any other character beyond ISO-8859-1 is refused by name, never guessed:

| written as | instead of |
|---|---|
"""


def page() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *_tables(), _READING + "".join(_signs())))


def _tables() -> Iterator[str]:
    for prefix, title in _GROUPS.items():
        rows = "".join(_row(rule) for rule in RULES if rule.id.startswith(f"{prefix}-"))
        yield f"## {title}\n\n| id | level | types | field | what to do | source |\n|---|---|---|---|---|---|\n{rows}"


def _row(rule: Rule) -> str:
    types = types_text(rule)
    if rule.profiles != PROFILES:
        types += f" (profile {', '.join(rule.profiles)})"
    cells = (rule.id, rule.level, types, f"`{rule.path}`", rule.sentence, rule.source)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def types_text(rule: Rule) -> str:
    """The types that a rule speaks of, in a few words."""
    if rule.types == frozenset(DOCUMENT_TYPES):
        return "all"
    left = sorted(frozenset(DOCUMENT_TYPES) - rule.types)
    if len(left) <= 3:  # noqa: PLR2004  (fewer words)
        return f"all but {', '.join(map(str, left))}"
    return ", ".join(map(str, sorted(rule.types)))


def _signs() -> Iterator[str]:
    for plain, signs in transliteration():
        shown = " ".join(sign if _VISIBLE.fullmatch(sign) else f"U+{ord(sign):04X}" for sign in signs)
        written = {" ": "a blank", "": "nothing"}.get(plain, f"`{plain}`")
        yield f"| {written} | {shown} |\n"


_VISIBLE = re.compile(r"[^\s\x00-\x9f\u00ad\u2000-\u200f\u2028-\u202f\u205f-\u2060\u3000\ufe0e\ufe0f\ufeff]")
