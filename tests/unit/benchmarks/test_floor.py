"""The floor is honest: its documents are signed and stamped as the SII wants them."""

import base64
import hashlib

import pytest
import xmlsec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA1
from lxml import etree

from tests.benchmarks.floor import Floor
from tests.benchmarks.verification import Workshop

DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
SII = "{http://www.sii.cl/SiiDte}"


@pytest.mark.parametrize("lines", [5, 60])
def test_an_independent_referee_takes_the_floors_document(lines: int) -> None:
    root = etree.fromstring(Floor(lines).document(7))
    assert len(root.findall(f"{SII}Documento/{SII}Detalle")) == lines
    signature = root.find(f"{DSIG}Signature")
    assert signature is not None
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    certificate = "".join(signature.findtext(f".//{DSIG}X509Certificate", "").split())
    context.key = xmlsec.Key.from_memory(base64.b64decode(certificate), xmlsec.constants.KeyDataFormatCertDer)
    context.verify(signature)


def test_the_stamp_of_the_floors_document_is_signed_with_a_short_key() -> None:
    text = Floor(5).document(7).decode("iso-8859-1")
    data = text[text.index("<DD>") : text.index("</DD>") + 5]
    modulus = int.from_bytes(base64.b64decode(_between(data, "<M>", "</M>")), "big")
    assert modulus.bit_length() == 512
    value = base64.b64decode(_between(text, '<FRMT algoritmo="SHA1withRSA">', "</FRMT>"))
    digest = hashlib.sha1(data.encode("iso-8859-1"), usedforsecurity=False).digest()
    key = rsa.RSAPublicNumbers(3, modulus).public_key()
    key.verify(value, digest, padding.PKCS1v15(), utils.Prehashed(SHA1()))  # noqa: S303 - fixed by the SII


def test_the_floor_of_verifying_takes_sound_documents_and_no_others() -> None:
    workshop = Workshop()
    floor, document = workshop.floor(), workshop.document(5, 1)
    floor.judge(document)
    for old, new, refused in (
        (b"<MntTotal>", b"<MntTotal>1", AssertionError),
        (b"<SignatureValue>\n", b"<SignatureValue>\nAAAA", InvalidSignature),
        (b"<F>1</F>", b"<F>2</F>", AssertionError),
        (b'<FRMT algoritmo="SHA1withRSA">', b'<FRMT algoritmo="SHA1withRSA">AAAA', AssertionError),
        (b"<Detalle>", b"<Detail>", etree.XMLSyntaxError),
        (b"<NroLinDet>", b"<NroLinDet>x", etree.DocumentInvalid),
    ):
        with pytest.raises(refused):
            floor.judge(document.replace(old, new, 1))
    with pytest.raises(InvalidSignature):
        Workshop().floor().judge(document)


def _between(text: str, opening: str, closing: str) -> str:
    return text.partition(opening)[2].partition(closing)[0]
