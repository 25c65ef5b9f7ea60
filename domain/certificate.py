"""Certificates of natural persons, as Chile's certification authorities hand them out: PFX files, or PEM.

It promises a key that was validated and belongs to the certificate, and the RUT of the person whom the certificate
names: what a signer for the SII needs. The RUT stands in the extension subjectAltName as an otherName (Decreto 181 of
2002; OID 1.3.6.1.4.1.8321.1; in early certificates 1.3.6.1.4.1.8658.1) or, at some authorities, in the subject's
serialNumber. Files with ciphers of today and of yesterday (RC2, triple DES) open alike.
"""

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from domain.pfx_work import MOST_ROUNDS, rounds_of
from domain.problems import DomainError, Problem
from domain.rut import InvalidRut, normalise

LARGEST_FILE = 256 * 1024
"""Bytes of the largest PFX or PEM that is read; those of the authorities have a few thousand."""
RUT_IN_ALTERNATIVE_NAME = (ObjectIdentifier("1.3.6.1.4.1.8321.1"), ObjectIdentifier("1.3.6.1.4.1.8658.1"))
"""otherName with the RUT of the certificate's holder (Decreto 181 of 2002, norma técnica); the second stands in
certificates of 2002 and 2003, the SII's own examples among them."""
KEY_SIZES = range(1024, 4097)
"""Bits of a key that the SII's schema and the authorities know."""

_RUT = re.compile(rb"[0-9][0-9.]*-[0-9Kk]")


class CertificateError(DomainError):
    """A certificate, or the file with it, that cannot be used."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A person's certificate with its private key."""

    rut: str
    """Canonical RUT of the person."""
    name: str
    """Common name of the subject."""
    serial: str
    """Serial number of the certificate, hexadecimal."""
    not_before: datetime
    not_after: datetime
    certificate_der: bytes
    private_key_der: bytes = field(repr=False)
    """PKCS#8, validated. A secret."""


def open_pfx(data: bytes, password: str, *, at: datetime | None = None) -> Credential:
    """The credential in a PFX (PKCS#12) file.

    With `at` (aware) the certificate must also be in force then. Raises CertificateError: PFX-UNREADABLE, PFX-ROUNDS,
    PFX-PASSWORD, PFX-WITHOUT-KEY, PFX-WITHOUT-CERTIFICATE, CERT-KEY-TYPE, CERT-KEY-MISMATCH, CERT-WITHOUT-RUT,
    CERT-EXPIRED, CERT-NOT-YET-VALID.
    """
    if data.lstrip().startswith(b"-----BEGIN"):
        raise _refusal("PFX-UNREADABLE", "The file is PEM, not PFX: give its key and certificate as PEM files.")
    key, certificates = _unpacked(data, password)
    if key is None:
        raise _refusal("PFX-WITHOUT-KEY", "The PFX holds no private key: export it together with its key.")
    if not certificates:
        raise _refusal("PFX-WITHOUT-CERTIFICATE", "The PFX holds no certificate.")
    return _credential(key, certificates, at)


def open_pem(
    private_key: bytes, certificates: bytes, *, password: str | None = None, at: datetime | None = None
) -> Credential:
    """The credential in a PEM private key and a PEM file of certificates, of which one belongs to the key.

    `password` opens an encrypted key; `at` as in `open_pfx`. Raises CertificateError: PEM-UNREADABLE, PEM-PASSWORD, and
    the CERT codes of `open_pfx`.
    """
    _refuse_large(private_key, "PEM-UNREADABLE")
    _refuse_large(certificates, "PEM-UNREADABLE")
    try:
        found = x509.load_pem_x509_certificates(certificates)
    except (ValueError, UnsupportedAlgorithm):
        raise _refusal("PEM-UNREADABLE", "The file holds no readable PEM certificate.") from None
    try:
        key = load_pem_private_key(private_key, password.encode() if password else None)
    except TypeError:
        raise _refusal("PEM-PASSWORD", "The private key needs a password, or has none and was given one.") from None
    except UnsupportedAlgorithm:
        raise _refusal("PEM-UNREADABLE", "The file holds no readable PEM private key.") from None
    except ValueError:
        # One wrong password in some hundreds opens to garbage that only the structure of a key gives away.
        if b"ENCRYPTED" in private_key:
            sentence = "The password does not open the private key, or the file is damaged."
            raise _refusal("PEM-PASSWORD", sentence) from None
        raise _refusal("PEM-UNREADABLE", "The file holds no readable PEM private key.") from None
    return _credential(key, found, at)


def validity_problems(not_before: datetime, not_after: datetime, at: datetime) -> tuple[Problem, ...]:
    """CERT-EXPIRED or CERT-NOT-YET-VALID when a certificate is not in force at that moment; all times aware."""
    if at > not_after:
        return (
            Problem(
                "CERT-EXPIRED",
                "certificate",
                f"The certificate expired on {not_after:%Y-%m-%d}: the person needs a new one from an authority.",
            ),
        )
    if at < not_before:
        return (
            Problem(
                "CERT-NOT-YET-VALID",
                "certificate",
                f"The certificate is not in force before {not_before:%Y-%m-%d %H:%M} UTC.",
            ),
        )
    return ()


def rut_of(certificate: x509.Certificate) -> str:
    """The canonical RUT of the person whom the certificate names.

    Raises CertificateError (CERT-WITHOUT-RUT) when neither subjectAltName nor the subject's serialNumber has one.
    """
    for text in _candidates(certificate):
        try:
            return normalise(text)
        except InvalidRut:
            continue
    raise _refusal(
        "CERT-WITHOUT-RUT",
        "The certificate does not name its holder's RUT, so the SII cannot tell who signs: it takes a certificate for "
        "natural persons from an accredited authority.",
        "certificate",
    )


def _candidates(certificate: x509.Certificate) -> Iterator[str]:
    """Texts that may be the holder's RUT, the likeliest first."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for other in names.get_values_for_type(x509.OtherName):
            if other.type_id in RUT_IN_ALTERNATIVE_NAME:
                # The value is DER of some string type; the RUT is the only thing in it that looks like one.
                yield from (found.decode("ascii") for found in _RUT.findall(other.value))
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        pass
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER):
        value = attribute.value
        yield value if isinstance(value, str) else value.decode("ascii", "replace")


def _refusal(code: str, sentence: str, path: str = "") -> CertificateError:
    return CertificateError((Problem(code, path, sentence),))


def _refuse_large(data: bytes, code: str) -> None:
    if len(data) > LARGEST_FILE:
        raise _refusal(code, f"The file has {len(data)} bytes; one with a certificate has at most {LARGEST_FILE}.")


def _unpacked(data: bytes, password: str) -> tuple[object, list[x509.Certificate]]:
    """Key and certificates of a PFX, the key's own certificate first when the file says which it is."""
    _refuse_large(data, "PFX-UNREADABLE")
    if (rounds := rounds_of(data)) > MOST_ROUNDS:
        sentence = f"The PFX asks for {rounds} rounds of key derivation; at most {MOST_ROUNDS} are worked through."
        raise _refusal("PFX-ROUNDS", sentence)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # old programs write BER, which is read too
            key, own, others = pkcs12.load_key_and_certificates(data, password.encode())
    except (ValueError, UnsupportedAlgorithm) as fault:
        if "password" in str(fault):
            raise _refusal("PFX-PASSWORD", "The password does not open the PFX (or the file is damaged).") from None
        raise _refusal("PFX-UNREADABLE", "The file is no PFX (PKCS#12), or it is damaged.") from None
    return key, ([own] if own else []) + list(others)


def _credential(key: object, certificates: Iterable[x509.Certificate], at: datetime | None) -> Credential:
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size not in KEY_SIZES:
        raise _refusal("CERT-KEY-TYPE", "The SII takes RSA keys of 1024 to 4096 bits; this is another kind.", "key")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certificate = next((each for each in certificates if _spki(each) == public), None)
    if certificate is None:
        raise _refusal("CERT-KEY-MISMATCH", "The private key does not belong to the certificate.", "key")
    rut = rut_of(certificate)
    if at is not None and (
        found := validity_problems(certificate.not_valid_before_utc, certificate.not_valid_after_utc, at)
    ):
        raise CertificateError(found)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Credential(
        rut=rut,
        name=str(names[0].value) if names else "",
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        certificate_der=certificate.public_bytes(Encoding.DER),
        private_key_der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )


def _spki(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""
