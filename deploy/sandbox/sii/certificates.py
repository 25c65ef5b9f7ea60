"""Certificates of persons: whose they are, and whether an authority the simulator trusts vouches for them.

The RUT stands in the subject alternative name 1.3.6.1.4.1.8321.1 or in the subject's serialNumber. Trusted authorities
come from fixtures. What doesn't depend on time is remembered by the certificate's bytes.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from deploy.sandbox.sii.rut import canonical

_OID_RUT = x509.ObjectIdentifier("1.3.6.1.4.1.8321.1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the checks need of one certificate."""

    rut: str | None
    modulus: int
    exponent: int
    not_before: datetime
    not_after: datetime
    trusted: bool
    key: xmlsec.Key

    def fault_at(self, moment: datetime) -> str | None:
        """Why the certificate isn't accepted at a moment, None when it is."""
        if not self.trusted:
            return "certificado de una autoridad desconocida"
        if not self.not_before <= moment <= self.not_after:
            return "certificado no vigente"
        return None if self.rut else "certificado sin RUT"


class Certificates:
    """Reads certificates against the list of authorities, each only once."""

    def __init__(self, authorities: list[str]) -> None:
        self._authorities = authorities
        self._known: dict[tuple[int, str], Certificate | None] = {}

    def read(self, text: str) -> Certificate | None:
        """The certificate of an X509Certificate element (base64 of its DER); None when it can't be read."""
        place = (len(self._authorities), text)
        if place not in self._known:
            self._known[place] = self._read(text)
        return self._known[place]

    def forget(self) -> None:
        """Forget what was remembered: the authorities changed."""
        self._known.clear()

    def _read(self, text: str) -> Certificate | None:
        try:
            certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError):
            return None
        public = certificate.public_key()
        if not isinstance(public, rsa.RSAPublicKey):
            return None
        numbers = public.public_numbers()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return Certificate(
            rut=_rut_of(certificate),
            modulus=numbers.n,
            exponent=numbers.e,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            trusted=self._is_trusted(certificate),
            key=xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem),
        )

    def _is_trusted(self, certificate: x509.Certificate) -> bool:
        for pem in self._authorities:
            authority = x509.load_pem_x509_certificate(pem.encode("ascii"))
            if certificate == authority:
                return True
            try:
                certificate.verify_directly_issued_by(authority)
            except (InvalidSignature, TypeError, ValueError):
                continue
            return True
        return False


def _rut_of(certificate: x509.Certificate) -> str | None:
    for text in (*_alternative_names(certificate), *_serial_numbers(certificate)):
        rut = canonical(text)
        if rut:
            return rut
    return None


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    others = names.get_values_for_type(x509.OtherName)
    return [name.value[2:].decode("latin-1") for name in others if name.type_id == _OID_RUT]


def _serial_numbers(certificate: x509.Certificate) -> list[str]:
    return [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
