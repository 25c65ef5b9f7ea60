"""Keys of one run (they are dear to make) and what is made with them."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from domain.caf import StampingCaf, read_caf
from domain.envelope import Caratula
from domain.issuing import SignedDocument, issue
from domain.signature import RsaSigner
from tests.unit.domain import material

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "signing"

Issue = Callable[[material.Sale, int], SignedDocument]


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of signed material with known figures."""
    return GOLDEN


@pytest.fixture(scope="session")
def caf_key() -> rsa.RSAPrivateKey:
    return material.short_key()


@pytest.fixture(scope="session")
def sii_key() -> rsa.RSAPrivateKey:
    return material.short_key(exponent=65537)


@pytest.fixture(scope="session")
def caf_text(caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey) -> str:
    """A sound CAF file: type 33, folios 1 to 100, authorised on 2026-11-01."""
    return material.caf_file(caf_key, sii_key)


@pytest.fixture(scope="session")
def stamping_caf(caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey) -> Callable[[int], StampingCaf]:
    """A CAF with 2,000 folios for any type."""
    made: dict[int, StampingCaf] = {}

    def make(document_type: int) -> StampingCaf:
        if document_type not in made:
            text = material.caf_file(caf_key, sii_key, document_type=document_type, last=2000)
            caf = read_caf(text.encode("iso-8859-1"))
            made[document_type] = StampingCaf.load(caf.caf_xml, caf.private_key_der)
        return made[document_type]

    return make


@pytest.fixture(scope="session")
def person_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def person_certificate(person_key: rsa.RSAPrivateKey) -> x509.Certificate:
    return material.certificate(person_key, alternative_rut=material.ia5(material.PERSON))


@pytest.fixture(scope="session")
def signer(person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate) -> RsaSigner:
    return RsaSigner.load(material.pkcs8(person_key), person_certificate.public_bytes(Encoding.DER))


@pytest.fixture(scope="session")
def golden_signer(golden: Path) -> RsaSigner:
    """The person of the golden material."""
    from domain.certificate import open_pem  # noqa: PLC0415

    credential = open_pem((golden / "signer.key.pem").read_bytes(), (golden / "signer.cert.pem").read_bytes())
    return RsaSigner.load(credential.private_key_der, credential.certificate_der)


@pytest.fixture(scope="session")
def issued(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner) -> Issue:
    """Issues a sale under a folio."""

    def make(sale: material.Sale, folio: int) -> SignedDocument:
        return issue(sale, folio=folio, caf=stamping_caf(sale.document_type), signer=signer, at=material.AT)

    return make


@pytest.fixture(scope="session")
def caratula() -> Caratula:
    return Caratula(
        issuer=material.ISSUER, sender=material.PERSON, resolution_date=dt.date(2014, 8, 22), resolution_number=0
    )
