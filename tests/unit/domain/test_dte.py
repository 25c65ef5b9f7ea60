"""One signed document: digests known from elsewhere, and canonical text proven equal to C14N."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from domain.caf import StampingCaf, read_caf
from domain.dte import as_file, canonical_in_envelope, element_id, element_of, sign_document
from domain.issuing import SignedDocument, issue
from domain.signature import RsaSigner
from domain.verification import Trust, verify
from tests.unit.domain import material, referee

Issue = Callable[[material.Sale, int], SignedDocument]
NASTY = (
    'a xmlns="http://www.sii.cl/SiiDte" b',
    ' xmlns="" ',
    '<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">',
    "</Documento><Signature xmlns='x'>",
    "]]> <![CDATA[ &amp;amp; -->",
    "\u00a0ÿ¿ñÑáÁ°",
    "&quot;&apos;&#38;&lt;",
    '<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>',
)


def _golden_parts(golden: Path) -> tuple[str, bytes]:
    """The content of the golden document's element, and the document."""
    envelope = (golden / "envio-dte-33.xml").read_bytes()
    (document,) = referee.documents_of(envelope)
    text = document.decode("iso-8859-1")
    opening = '<Documento ID="F7T33">'
    return text[text.index(opening) + len(opening) : text.index("</Documento>")], document


def test_golden_document_is_reproduced(golden: Path, golden_signer: RsaSigner) -> None:
    content, document = _golden_parts(golden)
    signed = sign_document(content, element="Documento", identifier="F7T33", signer=golden_signer)
    assert signed.digest_value == "/zYgXMlAE6lckm7eM+9pIwYKF2E="
    value = referee.parsed(document).findtext(f".//{referee.DS}SignatureValue")
    assert signed.signature_value == "".join(str(value).split())
    # It differs in nothing but line feeds: its base64 is wrapped at 64 and its tags are not on lines of their own.
    assert b"".join(signed.xml.split()) == b"".join(document.split())


@pytest.mark.parametrize("document_type", [33, 61, 39])
def test_signed_text_is_what_c14n_makes_of_the_document(issued: Issue, document_type: int) -> None:
    items = tuple(f"{number} {text}"[:80] for number, text in enumerate(NASTY))
    document = issued(material.Sale(document_type=document_type, items=items, receiver_name=NASTY[0]), 7)
    root = referee.parsed(document.xml)
    assert root[0].tag == f"{referee.SII}Documento"
    assert [each.text for each in root.iter(f"{referee.SII}NmbItem")] == list(items)
    assert referee.document_holds(document.xml)


def test_document_in_an_envelope_is_what_c14n_makes_of_it_there(issued: Issue, golden: Path) -> None:
    items = tuple(text[:80] for text in NASTY)
    for xml in (issued(material.Sale(items=items), 7).xml, _golden_parts(golden)[1]):
        assert canonical_in_envelope(xml) == referee.canonical_in_set(xml)


@pytest.mark.parametrize(
    "name", ["MOLINO &quot;LA ESPIGA&quot;", 'MOLINO "LA ESPIGA"', "D&apos;ORO > PLATA", "&#209;UBLE"]
)
def test_cafs_name_written_in_other_ways_does_not_break_a_signature(
    caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey, signer: RsaSigner, name: str
) -> None:
    text = material.caf_file(caf_key, sii_key, name=name)
    caf = read_caf(text.encode("iso-8859-1"))
    stamping = StampingCaf.load(caf.caf_xml, caf.private_key_der)
    document = issue(material.Sale(), folio=7, caf=stamping, signer=signer, at=material.AT)
    assert f"<RS>{name}</RS>".encode("iso-8859-1") in document.ted
    assert referee.document_holds(document.xml)
    assert canonical_in_envelope(document.xml) == referee.canonical_in_set(document.xml)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b'<DTE xmlns="http://www.sii.cl/SiiDte" version', b"<DTE version"),
        (b"</DTE>", b"</DTE>\n"),
        (b"<Signature ", b"<Firma "),
        (b"<SignatureMethod", b"<Other"),
        (b"<Transform ", b"<Other "),
        (b"<QtyItem>1</QtyItem>", b"<QtyItem/>"),
        (b"<Totales>", b"<!-- x --><Totales>"),
        (b"<Totales>", b"<?x?><Totales>"),
        (b"<Totales>", b"\r\n<Totales>"),
    ],
)
def test_document_written_by_others_is_not_taken_for_ours(issued: Issue, good: bytes, bad: bytes) -> None:
    xml = issued(material.Sale(), 7).xml
    assert good in xml
    with pytest.raises(ValueError, match="this house"):
        canonical_in_envelope(xml.replace(good, bad))


def test_element_and_id_follow_the_type() -> None:
    assert [element_of(each) for each in (33, 39, 43, 110, 112)] == [
        "Documento",
        "Documento",
        "Liquidacion",
        "Exportaciones",
        "Exportaciones",
    ]
    assert element_id(39, 12) == "F12T39"


def opened_by_everybody(data: bytes, place: Path) -> str:
    """All text of a file as lxml reads it; expat, and xmllint where it is installed, open it too."""
    expat.ParserCreate().Parse(data, True)
    place.write_bytes(data)
    if (xmllint := shutil.which("xmllint")) is not None:
        done = subprocess.run([xmllint, "--noout", "--nonet", place], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    return "".join(etree.fromstring(data).itertext())


def test_what_is_written_for_people_opens_in_every_tool_and_still_verifies(
    issued: Issue, sii_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    made = issued(material.Sale(items=("Ñandú 50°",)), 7)
    trust = Trust.with_keys([(999, material.public_pem(sii_key))])
    for data in (made.xml, made.ted):
        file = as_file(data)
        assert data in file, "no byte of it is changed"
        assert "Ñandú 50°" in opened_by_everybody(file, tmp_path / "file.xml")
        assert verify(file, trust=trust, at=material.AT).verdict == "accept"
        assert as_file(file) == file, "one declaration is enough"
