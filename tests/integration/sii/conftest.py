"""What the tests of the SII's client share: settings that name a test's own hosts, and a signer made on the spot."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from domain.signature import RsaSigner
from workers.settings import Settings
from workers.sii import SiiClient

PERSON = "15111222-6"
START = datetime(2026, 1, 1, tzinfo=UTC)

MakeClient = Callable[..., SiiClient]


def settings_for(host: str, **more: object) -> Settings:
    """Settings whose three hosts are `host` unless said otherwise."""
    return Settings.model_validate(
        {
            "database_url": "postgresql://unused",
            "redis_url": "redis://unused",
            "evidence_dir": "/unused",
            "sii_soap_url": host,
            "sii_rest_url": host,
            "sii_rest_upload_url": host,
            "sii_query_seconds": 30,
            **more,
        }
    )


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Make clients that are closed with the test."""
    made: list[SiiClient] = []

    def make(host: str, **more: object) -> SiiClient:
        made.append(SiiClient(settings_for(host, **more)))
        return made[-1]

    yield make
    for client in made:
        client.close()


class Identity:
    """An invented person with key and certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, "Persona"), x509.NameAttribute(NameOID.SERIAL_NUMBER, PERSON)]
        )
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), 7, START, START.replace(year=2030))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        certificate = builder.sign(self.key, hashes.SHA256())
        self.certificate_pem = certificate.public_bytes(Encoding.PEM).decode("ascii")
        self.certificate_der = certificate.public_bytes(Encoding.DER)
        self.private_key_der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self.signer = RsaSigner.load(self.private_key_der, self.certificate_der)


@pytest.fixture(scope="session")
def identity() -> Identity:
    return Identity()
