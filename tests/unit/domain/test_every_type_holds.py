"""Whatever is issued, of any type: the schema takes it, xmlsec verifies it alone and in its set, the stamp holds."""

import base64
import random
from collections import Counter
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from domain.caf import StampingCaf
from domain.envelope import Caratula, build_envelope, channel_of
from domain.issuing import SignedDocument, issue
from domain.problems import InvalidDocument
from domain.schema import validate_envelope
from domain.signature import RsaSigner
from tests.unit.domain import material, referee
from tests.unit.domain.random_documents import document
from tests.unit.domain.samples import SAMPLES, prepared

DOCUMENTS = 1000
A_SET = 25
LONGEST_LINE = 4090
THE_LONGEST_BOLETA = 1000


def _stamp_holds(document: SignedDocument, key: rsa.RSAPublicKey) -> None:
    """Verify the stamp over text rebuilt from the parsed document, as a receiver does, and compare what it repeats."""
    root = referee.parsed(document.xml)
    data = root.find(f".//{referee.SII}DD")
    assert data is not None
    head = root[0][0]
    assert data.findtext(f"{referee.SII}MNT") == head.findtext(f".//{referee.SII}MntTotal")
    assert data.findtext(f"{referee.SII}RR") == head.findtext(f".//{referee.SII}RUTRecep")
    item = str(root.findtext(f".//{referee.SII}NmbItem"))
    assert data.findtext(f"{referee.SII}IT1") == item[:40].rstrip()
    value = base64.b64decode(str(root.findtext(f".//{referee.SII}FRMT")))
    for element in data.iter():
        element.tag = etree.QName(element).localname
    etree.cleanup_namespaces(data)
    text = etree.tostring(data, encoding="unicode", with_tail=False).replace(' xmlns="http://www.sii.cl/SiiDte"', "", 1)
    key.verify(value, text.encode("iso-8859-1"), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  (fixed by the SII)


@pytest.fixture(scope="module")
def issued_at_random(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner) -> list[SignedDocument]:
    """A thousand documents of all types, the same in every run; what the rules refuse doesn't count."""
    chance = random.Random(20261124)
    found: list[SignedDocument] = []
    folios: Counter[int] = Counter()
    for kind in sorted(SAMPLES) * 200:
        if len(found) == DOCUMENTS:
            break
        try:
            ready = prepared(document(kind, chance))
        except InvalidDocument:
            continue
        folios[kind] += 1
        found.append(issue(ready, folio=folios[kind], caf=stamping_caf(kind), signer=signer, at=material.AT))
    assert len(found) == DOCUMENTS
    assert min(folios[kind] for kind in SAMPLES) > 20, folios
    return found


def test_documents_verify_alone_and_their_stamps_hold(
    issued_at_random: list[SignedDocument], caf_key: rsa.RSAPrivateKey
) -> None:
    assert max(each.xml.count(b"<Detalle>") for each in issued_at_random) == THE_LONGEST_BOLETA
    for each in issued_at_random:
        assert referee.document_holds(each.xml), each.element_id
        assert max(map(len, each.xml.split(b"\n"))) < LONGEST_LINE, each.element_id
        _stamp_holds(each, caf_key.public_key())


def test_sets_verify_in_place_and_are_valid(
    issued_at_random: list[SignedDocument], caratula: Caratula, signer: RsaSigner
) -> None:
    for channel in ("soap", "rest"):
        travelling = [each for each in issued_at_random if channel_of(each.document_type) == channel]
        for first in range(0, len(travelling), A_SET):
            some = travelling[first : first + A_SET]
            envelope = build_envelope(
                [each.xml for each in some],
                [each.document_type for each in some],
                caratula=caratula,
                signer=signer,
                at=material.AT,
            )
            assert referee.envelope_holds(envelope)
            assert validate_envelope(envelope) == ()
            assert referee.documents_of(envelope) == [each.xml for each in some]
