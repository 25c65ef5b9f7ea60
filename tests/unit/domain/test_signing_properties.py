"""Whatever the text, the signatures, the stamp and the schema hold."""

import base64
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from domain.envelope import Caratula, build_envelope
from domain.issuing import SignedDocument
from domain.schema import validate_envelope
from domain.signature import RsaSigner
from tests.unit.domain import material, referee

Issue = Callable[[material.Sale, int], SignedDocument]

MARKUP = st.sampled_from(
    [
        ' xmlns=""',
        ' xmlns="http://www.sii.cl/SiiDte"',
        "<DTE>",
        "</Documento>",
        "</SetDTE>",
        "<Signature ",
        "<![CDATA[",
        "]]>",
        "<!--",
        "&amp;",
        "&quot;",
        "&#10;",
        "/>",
        '"/>',
        "DD>",
    ]
)
LETTERS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f", exclude_categories=["Cc"])
)
NAMES = (
    st.lists(st.one_of(MARKUP, LETTERS), min_size=1, max_size=6)
    .map("".join)
    .map(lambda text: text[:80])
    .filter(lambda text: bool(text.strip()))
)
SALES = st.builds(
    material.Sale,
    document_type=st.just(33),
    receiver_name=NAMES,
    items=st.lists(NAMES, min_size=1, max_size=4).map(tuple),
)


def _stamp_holds(document: SignedDocument, key: rsa.RSAPublicKey) -> None:
    """Verify the stamp over text rebuilt from the parsed document, as a receiver does."""
    root = referee.parsed(document.xml)
    data = root.find(f".//{referee.SII}DD")
    assert data is not None
    for element in data.iter():
        element.tag = etree.QName(element).localname
    etree.cleanup_namespaces(data)
    text = etree.tostring(data, encoding="unicode", with_tail=False).replace(' xmlns="http://www.sii.cl/SiiDte"', "", 1)
    value = base64.b64decode(str(root.findtext(f".//{referee.SII}FRMT")))
    key.verify(value, text.encode("iso-8859-1"), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  (fixed by the SII)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sales=st.lists(SALES, min_size=1, max_size=3))
def test_signatures_stamp_and_schema_hold_for_any_text(  # fixtures of the session are not changed by a run
    issued: Issue, caratula: Caratula, signer: RsaSigner, caf_key: rsa.RSAPrivateKey, sales: list[material.Sale]
) -> None:
    documents = [issued(sale, folio) for folio, sale in enumerate(sales, 1)]
    envelope = build_envelope(
        [each.xml for each in documents],
        [each.document_type for each in documents],
        caratula=caratula,
        signer=signer,
        at=material.AT,
    )
    assert referee.envelope_holds(envelope)
    assert validate_envelope(envelope) == ()
    assert referee.documents_of(envelope) == [each.xml for each in documents]
    for sale, document in zip(sales, documents, strict=True):
        assert referee.document_holds(document.xml)
        _stamp_holds(document, caf_key.public_key())
        root = referee.parsed(document.xml)
        assert tuple(each.text for each in root.iter(f"{referee.SII}NmbItem")) == sale.items
        assert root.findtext(f".//{referee.SII}RznSocRecep") == sale.receiver_name
