"""Canonical text written directly equals what C14N makes of the parsed text."""

import hashlib
import re
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from domain.canonical import canonical_text
from tests.unit.domain import referee

REFERENCES = st.sampled_from(
    ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#38;", "&#x3C;", "&#241;", "&#xD;", "&#60;", "amp;", "lt;", "quot;"]
)
PLAIN = st.sampled_from(["ñ", "x", " ", "\n", "\t", ">", '"', "'", ";", "#", "&amp;quot;", "&amp;#38;", "]] ", "/>"])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("<a>Ñandú &amp; Cía</a>", "<a>Ñandú &amp; Cía</a>"),
        ("<a>&quot;La Espiga&quot;</a>", '<a>"La Espiga"</a>'),
        ("<a>O&apos;Higgins</a>", "<a>O'Higgins</a>"),
        ("<a>1 > 0</a>", "<a>1 &gt; 0</a>"),
        ("<a>&#209;</a>", "<a>Ñ</a>"),
        ("<a>&#38;lt;</a>", "<a>&amp;lt;</a>"),
        ("<a>&amp;quot;</a>", "<a>&amp;quot;</a>"),
        ("<a>&#13;</a>", "<a>&#xD;</a>"),
    ],
)
def test_text_of_others_is_written_as_c14n_writes_it(written: str, canonical: str) -> None:
    assert canonical_text(written) == canonical


@settings(max_examples=150)
@given(st.lists(st.one_of(REFERENCES, PLAIN), max_size=12))
def test_any_text_is_written_as_c14n_writes_it(pieces: list[str]) -> None:
    written = f"<a><b>{''.join(pieces)}</b>\n<c>x</c></a>"
    tree = etree.fromstring(written)
    assert canonical_text(written).encode() == etree.tostring(tree, method="c14n", with_comments=False)


def test_canonical_text_comes_back_untouched() -> None:
    text = "<a>Ñandú &amp; &lt;x&gt;</a>" * 3
    assert canonical_text(text) is text


def test_official_example_has_its_published_digest(shared: Path) -> None:
    text = (shared / "reference" / "vectors" / "F60T33-sii-official-example.xml").read_bytes().decode("iso-8859-1")
    found = re.search(r'<Documento ID="F60T33">.*</Documento>', text, re.DOTALL)
    assert found is not None
    document = canonical_text(found[0].replace("\r\n", "\n").replace("<DscItem/>", "<DscItem></DscItem>"))
    digest = b64encode(hashlib.sha1(document.encode()).digest()).decode()  # noqa: S324
    assert digest == "hlmQtu/AyjUjTDhM3852wvRCr8w="
    root = referee.parsed(text.encode("iso-8859-1"))
    assert referee.canonical(root[0]).startswith(
        b'<SetDTE xmlns="http://www.sii.cl/SiiDte" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="SetDoc">'
    )
    in_place = b64encode(hashlib.sha1(referee.canonical(root[0])).digest()).decode()  # noqa: S324
    assert in_place == [each.text for each in root.iter(f"{referee.DS}DigestValue")][-1]
