"""Invented companies and people for the sandbox, with keys and certificates made on the spot.

Nothing here is real: an authority of the sandbox's own signs certificates that carry the RUT where real ones do
(SubjectAltName otherName 1.3.6.1.4.1.8321.1, as IA5String).
"""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from domain.rut import check_digit

RUT_OID: Final = x509.ObjectIdentifier("1.3.6.1.4.1.8321.1")
_IA5: Final = 0x16


def rut(body: int) -> str:
    """RUT of a body, with its check digit."""
    return f"{body}-{check_digit(body)}"


@dataclass(frozen=True)
class Company:
    """An invented company as it would be enrolled.

    `resolution_date` is the true one, which the SII knows; `types` are those of the documents that it issues.
    """

    rut: str
    razon_social: str
    giro: str
    acteco: int
    dir_origen: str
    cmna_origen: str
    ciudad_origen: str
    resolution_number: int = 0
    resolution_date: dt.date = dt.date(2014, 8, 22)
    types: tuple[int, ...] = (33, 39, 61)


@dataclass(frozen=True)
class Authority:
    """The certification authority of a sandbox."""

    today: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _name(self) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CL"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "FMgo sandbox"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Autoridad inventada de la caja de arena"),
            ]
        )

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The authority's own certificate."""
        return (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        """The authority's own certificate as PEM text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def _builder(self, subject: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.today - dt.timedelta(days=30))
            .not_valid_after(self.today + dt.timedelta(days=3 * 365))
        )

    def pfx(self, person_rut: str, name: str, password: bytes) -> bytes:
        """A person's key and certificate in a PFX (PKCS#12) under a password."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COUNTRY_NAME, "CL"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        text = person_rut.encode("ascii")
        certificate = (
            self._builder(subject, key.public_key())
            .add_extension(
                x509.SubjectAlternativeName([x509.OtherName(RUT_OID, bytes([_IA5, len(text)]) + text)]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return pkcs12.serialize_key_and_certificates(
            name.encode("utf-8"), key, certificate, None, serialization.BestAvailableEncryption(password)
        )
