"""Loaded keys: opened once, dropped when little used, never the key of another certificate."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from workers.vault.sealing import Sealed, Vault, VaultTamperedError
from workers.vault.signers import KeyRing, seal_caf_key, seal_certificate_key

VAULT = Vault({"k1": bytes(32)})
START = datetime(2026, 1, 1, tzinfo=UTC)


class Credential:
    """A key and a certificate made on the spot for an invented person."""

    def __init__(self, rut: str) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, "Persona"), x509.NameAttribute(NameOID.SERIAL_NUMBER, rut)]
        )
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), 7, START, START.replace(year=2030))
        self.certificate_der = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)
        self.private_key_der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sealed(self) -> Sealed:
        return seal_certificate_key(VAULT, self.private_key_der, self.certificate_der)


@pytest.fixture(scope="module")
def credential() -> Credential:
    return Credential("15111222-6")


def test_signer_signs_with_the_sealed_key(credential: Credential) -> None:
    signer = KeyRing(VAULT).signer(1, credential.certificate_der, credential.sealed())
    assert signer.rut == "15111222-6"
    credential.key.public_key().verify(signer.sign(b"text"), b"text", padding.PKCS1v15(), hashes.SHA1())  # noqa: S303


def test_signer_is_loaded_once_and_again_after_forgetting(credential: Credential) -> None:
    ring = KeyRing(VAULT)
    first = ring.signer(1, credential.certificate_der, credential.sealed())
    assert ring.signer(1, credential.certificate_der, Sealed("k1", b"not even opened")) is first
    ring.forget()
    assert ring.signer(1, credential.certificate_der, credential.sealed()) is not first


def test_least_used_key_is_dropped(credential: Credential) -> None:
    ring = KeyRing(VAULT, signers=2)
    kept = ring.signer(1, credential.certificate_der, credential.sealed())
    ring.signer(2, credential.certificate_der, credential.sealed())
    ring.signer(1, credential.certificate_der, credential.sealed())
    ring.signer(3, credential.certificate_der, credential.sealed())
    assert ring.signer(1, credential.certificate_der, Sealed("k1", b"")) is kept
    with pytest.raises(VaultTamperedError):
        ring.signer(2, credential.certificate_der, Sealed("k1", b""))


def test_key_under_another_certificate_does_not_open(credential: Credential) -> None:
    other = Credential("15333444-7")
    with pytest.raises(VaultTamperedError):
        KeyRing(VAULT).signer(1, other.certificate_der, credential.sealed())


def test_row_whose_certificate_changed_is_loaded_anew(credential: Credential) -> None:
    ring = KeyRing(VAULT)
    ring.signer(1, credential.certificate_der, credential.sealed())
    other = Credential("15333444-7")
    assert ring.signer(1, other.certificate_der, other.sealed()).rut == "15333444-7"


def test_caf_is_bound_to_its_xml(credential: Credential) -> None:
    numbers = credential.key.public_key().public_numbers()
    caf_xml = caf(numbers.n, numbers.e)
    sealed = seal_caf_key(VAULT, credential.private_key_der, caf_xml)
    ring = KeyRing(VAULT)
    stamping = ring.stamping_caf(1, caf_xml, sealed)
    assert (stamping.issuer, stamping.document_type, stamping.first, stamping.last) == ("76900101-8", 33, 1, 100)
    assert ring.stamping_caf(1, caf_xml, sealed) is stamping
    with pytest.raises(VaultTamperedError):
        ring.stamping_caf(1, caf_xml.replace(b"<H>100</H>", b"<H>999</H>"), sealed)


def caf(modulus: int, exponent: int) -> bytes:
    def number(value: int) -> str:
        return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()

    return (
        '<CAF version="1.0"><DA><RE>76900101-8</RE><RS>COMERCIAL LINDEROS SPA</RS><TD>33</TD>'
        "<RNG><D>1</D><H>100</H></RNG><FA>2026-11-01</FA>"
        f"<RSAPK><M>{number(modulus)}</M><E>{number(exponent)}</E></RSAPK><IDK>100</IDK></DA>"
        '<FRMA algoritmo="SHA1withRSA">AAAA</FRMA></CAF>'
    ).encode("iso-8859-1")
