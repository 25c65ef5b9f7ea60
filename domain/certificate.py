"""Certificates of natural persons, as Chile's certification authorities hand them out: PFX files, or PEM of any make.

It promises a key that was validated and belongs to the certificate, and the RUT of the person whom the certificate
names: what a signer for the SII needs. The RUT stands in the extension subjectAltName as an otherName (Decreto 181 of
2002; OID 1.3.6.1.4.1.8321.1; in early certificates 1.3.6.1.4.1.8658.1) or, at some authorities, in the subject's
serialNumber. Files with ciphers of today and of yesterday (RC2, triple DES) open alike.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
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

_BEGIN = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_KEYS = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
_silence = RLock()  # Python's filters of warnings are one for all threads
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


def is_pem(data: bytes) -> bool:
    """Whether a file is PEM, whatever stands around its blocks."""
    return _BEGIN in plain_text(data)


def needs_password(data: bytes) -> bool:
    """Whether a file asks for a password: a PEM with an encrypted key, a PFX that doesn't open without one."""
    if is_pem(data):
        return any(_is_encrypted(block) for block in _blocks(plain_text(data), _KEYS))
    try:
        _unpacked(data, "")
    except CertificateError as fault:
        return fault.problems[0].code == "PFX-PASSWORD"
    return False


def open_credential(data: bytes, password: str, *, at: datetime | None = None) -> Credential:
    """The credential in a file that is a PFX, or PEM with key and certificates in any order.

    Raises CertificateError as `open_pfx` or `open_pem` does.
    """
    return open_pem(data, data, password=password, at=at) if is_pem(data) else open_pfx(data, password, at=at)


def open_pfx(data: bytes, password: str, *, at: datetime | None = None) -> Credential:
    """The credential in a PFX (PKCS#12) file.

    With `at` (aware) the certificate must also be in force then. Raises CertificateError: PFX-UNREADABLE, PFX-ROUNDS,
    PFX-PASSWORD, PFX-WITHOUT-KEY, PFX-WITHOUT-CERTIFICATE, CERT-KEY-TYPE, CERT-KEY-MISMATCH, CERT-WITHOUT-RUT,
    CERT-EXPIRED, CERT-NOT-YET-VALID.
    """
    if is_pem(data):
        raise _refusal("PFX-UNREADABLE", "The file is PEM, not PFX: give its key and certificate as PEM files.")
    key, certificates = _unpacked(data, password)
    if key is None:
        raise _refusal("PFX-WITHOUT-KEY", "The PFX holds no private key: export it together with its key.")
    if not certificates:
        raise _refusal("PFX-WITHOUT-CERTIFICATE", "The PFX holds no certificate.")
    return _credential([key], certificates, at)


def open_pem(
    private_key: bytes, certificates: bytes, *, password: str | None = None, at: datetime | None = None
) -> Credential:
    """The credential in a PEM private key and a PEM file of certificates, of which one belongs to the key.

    Both may be one file. What stands around the blocks (`Bag Attributes`, a mark of UTF-8) is passed over; `password`
    opens an encrypted key and is not looked at where none is; `at` as in `open_pfx`. Raises CertificateError:
    PEM-WITHOUT-KEY, PEM-WITHOUT-CERTIFICATE, PEM-UNREADABLE, PEM-PASSWORD, and the CERT codes of `open_pfx`.
    """
    _refuse_large(private_key, "PEM-UNREADABLE")
    _refuse_large(certificates, "PEM-UNREADABLE")
    keys = _blocks(plain_text(private_key), _KEYS)
    found = _blocks(plain_text(certificates), _CERTIFICATES)
    if not keys:
        sentence = "The file holds no private key (PEM): export the certificate together with its key."
        raise _refusal("PEM-WITHOUT-KEY", sentence)
    if not found:
        sentence = "The file holds no certificate (PEM) beside its private key: export both together."
        raise _refusal("PEM-WITHOUT-CERTIFICATE", sentence)
    with quietly():
        try:
            read = [x509.load_pem_x509_certificate(block) for block in found]
        except (ValueError, UnsupportedAlgorithm):
            raise _refusal("PEM-UNREADABLE", "The file holds no readable PEM certificate.") from None
    return _credential([_opened(block, password) for block in keys], read, at)


def plain_text(data: bytes) -> bytes:
    """A text file's bytes without a mark of its encoding, with one byte a character and line feeds."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("ascii", "replace")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _blocks(text: bytes, labels: Sequence[bytes]) -> list[bytes]:
    """The PEM blocks of these kinds; indented ones lose their indentation."""
    return [
        b"\n".join(line.strip() for line in block[0].split(b"\n")) + b"\n"
        for block in _BLOCK.finditer(text)
        if block[1] in labels
    ]


def _is_encrypted(block: bytes) -> bool:
    return b"ENCRYPTED" in block


def _opened(block: bytes, password: str | None) -> object:
    """The private key in a PEM block."""
    given = password.encode() if password and _is_encrypted(block) else None
    try:
        return load_pem_private_key(block, given)
    except TypeError:
        raise _refusal("PEM-PASSWORD", "The private key is encrypted: give its password.") from None
    except UnsupportedAlgorithm:
        raise _refusal("PEM-UNREADABLE", "The file holds no readable PEM private key.") from None
    except ValueError:
        # One wrong password in some hundreds opens to garbage that only the structure of a key gives away.
        if _is_encrypted(block):
            sentence = "The password does not open the private key, or the file is damaged."
            raise _refusal("PEM-PASSWORD", sentence) from None
        raise _refusal("PEM-UNREADABLE", "The file holds no readable PEM private key.") from None


@contextmanager
def quietly() -> Iterator[None]:
    """Read certificates and keys of others without Python's warnings, which name lines of programs and help nobody.

    Accredited authorities have issued certificates whose names are longer than the standard allows, whose serial
    numbers are nought, whose algorithms have parameters left out; each is read all the same.
    """
    with _silence, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


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
    with quietly():
        candidates = list(_candidates(certificate))
    for text in candidates:
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
    yield from _named(certificate, NameOID.SERIAL_NUMBER)


def _named(certificate: x509.Certificate, kind: ObjectIdentifier) -> list[str]:
    """The values of that kind in the subject's name; none in a name that can't be read."""
    try:
        found = [each.value for each in certificate.subject.get_attributes_for_oid(kind)]
    except ValueError:
        return []
    return [value if isinstance(value, str) else value.decode("ascii", "replace") for value in found]


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
        with quietly():  # old programs write BER, which is read too
            key, own, others = pkcs12.load_key_and_certificates(data, password.encode())
    except (ValueError, UnsupportedAlgorithm) as fault:
        if "password" in str(fault):
            raise _refusal("PFX-PASSWORD", "The password does not open the PFX (or the file is damaged).") from None
        raise _half(data) from None
    return key, ([own] if own else []) + list(others)


def _half(data: bytes) -> CertificateError:
    """Why a file is no PFX: half of one, or nothing of the kind."""
    with quietly(), suppress(ValueError, UnsupportedAlgorithm):
        x509.load_der_x509_certificate(data)
        return _refusal("PFX-WITHOUT-KEY", "The file is a certificate without its private key: export both together.")
    with quietly(), suppress(ValueError, TypeError, UnsupportedAlgorithm):
        load_der_private_key(data, None)
        return _refusal("PFX-WITHOUT-CERTIFICATE", "The file is a private key without its certificate: give both.")
    return _refusal("PFX-UNREADABLE", "The file is no PFX (PKCS#12), or it is damaged.")


def _credential(keys: Sequence[object], certificates: Iterable[x509.Certificate], at: datetime | None) -> Credential:
    """The first key with a certificate of its own."""
    usable = [key for key in keys if isinstance(key, rsa.RSAPrivateKey) and key.key_size in KEY_SIZES]
    if not usable:
        raise _refusal("CERT-KEY-TYPE", "The SII takes RSA keys of 1024 to 4096 bits; this is another kind.", "key")
    owned = {_spki(each): each for each in certificates}
    pair = next(((key, owned[public]) for key in usable if (public := _public(key)) in owned), None)
    if pair is None:
        raise _refusal("CERT-KEY-MISMATCH", "The private key does not belong to the certificate.", "key")
    key, certificate = pair
    rut = rut_of(certificate)
    if at is not None and (
        found := validity_problems(certificate.not_valid_before_utc, certificate.not_valid_after_utc, at)
    ):
        raise CertificateError(found)
    with quietly():
        names = _named(certificate, NameOID.COMMON_NAME)
    return Credential(
        rut=rut,
        name=names[0] if names else "",
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        certificate_der=certificate.public_bytes(Encoding.DER),
        private_key_der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )


def _public(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _spki(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""
