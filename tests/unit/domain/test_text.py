"""Texts reach the document as ISO-8859-1 can carry them, and as every parser gives them back."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from domain.format.rendering import escaped
from domain.text import clean, is_plain


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ferretería Ñuñoa", "Ferretería Ñuñoa"),
        ("  dos   blancos \t y\r\nlíneas ", "dos blancos y líneas"),
        ("N\u0303un\u0303oa", "Ñuñoa"),
        ("“comillas” y ‘otras’ «más»", '"comillas" y \'otras\' "más"'),
        ("guion – raya — menos −", "guion - raya - menos -"),
        ("espera… 5€ œuf ﬁn", "espera... 5EUR oeuf fin"),
        ("\x93cp1252\x94 \x80 \x96\x81", '"cp1252" EUR -'),
        ("a\u00a0b\u2009c\u200bd\u00ade\ufefff", "a b cdef"),
        ("a\x01b\x7fc", "abc"),
        ("precio 5° ½ ¿sí?", "precio 5° ½ ¿sí?"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_cleaning(written: str, kept: str) -> None:
    assert clean(written) == (kept, ())


@pytest.mark.parametrize(
    ("written", "code", "named"),
    [
        ("a\x00b", "TXT-NUL", "NUL"),
        ("a\ud800b", "TXT-SURROGATE", "surrogate"),
        ("caja 📦", "TXT-CHARACTER", "U+1F4E6, PACKAGE"),
        ("Łódź", "TXT-CHARACTER", "LATIN CAPITAL LETTER L WITH STROKE"),
        ("\ufffd", "TXT-CHARACTER", "REPLACEMENT CHARACTER"),
    ],
)
def test_what_cannot_be_written_is_named(written: str, code: str, named: str) -> None:
    _, faults = clean(written)
    assert faults[0][0] == code
    assert named in faults[0][1]


def test_many_strangers_are_named_up_to_a_number() -> None:
    _, faults = clean("абвгдежз")
    assert len(faults) == 6
    assert "3 other" in faults[-1][1]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_clean_text_is_final(text: str) -> None:
    kept, faults = clean(text)
    if not faults:
        assert clean(kept) == (kept, ())
        assert kept.encode("iso-8859-1").decode("iso-8859-1") == kept
        assert unicodedata.is_normalized("NFC", kept)
        xml = f'<?xml version="1.0" encoding="ISO-8859-1"?><a>{escaped(kept)}</a>'.encode("iso-8859-1")
        assert (etree.fromstring(xml).text or "") == kept


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x17F), max_size=30))
def test_quick_way_agrees_with_the_long_one(text: str) -> None:
    if is_plain(text):
        text.encode("iso-8859-1")
        assert " ".join(text.split()) == text
