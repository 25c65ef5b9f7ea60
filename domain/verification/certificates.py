"""The certificate inside a signature: whose it is, whether it was in force, whether its key is the one declared.

Signatures are judged by the certificate's key alone: KeyValue, which anybody can write, must be the same key. The
certificate is read once per process and text.
"""

import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.certificate import CertificateError, quietly, rut_of, validity_problems
from domain.problems import Problem
from domain.verification.trust import Trust

LARGEST_TEXT = 64 * 1024
"""Characters of the longest certificate that is read; those of the authorities have some three thousand."""
CLOCKS_APART = timedelta(days=1)
"""How far a signature may lie in the future, for clocks that differ."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A readable certificate and what it says."""

    certificate: x509.Certificate
    key: rsa.RSAPublicKey
    modulus: int
    exponent: int
    rut: str | None
    """Canonical RUT of the person; None when the certificate names none."""
    not_before: datetime
    not_after: datetime


def holder_of(text: str) -> Holder | None:
    """The certificate in the text of an X509Certificate (base64 of DER); None when it is none with an RSA key."""
    return _holder(text) if len(text) <= LARGEST_TEXT else None


@lru_cache(maxsize=256)
def _holder(text: str) -> Holder | None:
    try:
        with quietly():
            certificate = x509.load_der_x509_certificate(binascii.a2b_base64(text))
            key = certificate.public_key()
            before, after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    numbers = key.public_numbers()
    try:
        rut: str | None = rut_of(certificate)
    except CertificateError:
        rut = None
    return Holder(certificate, key, numbers.n, numbers.e, rut, before, after)


def certificate_problems(
    holder: Holder,
    *,
    key_value: tuple[int, int] | None,
    signed_at: datetime | None,
    at: datetime,
    trust: Trust,
    path: str,
) -> list[Problem]:
    """What stands against the certificate of a signature made at `signed_at` (as the document says) and judged at `at`.

    Without a time of signing, which only a file that its schema refuses lacks, dates are not judged.

    CERT-KEY-VALUE, CERT-WITHOUT-RUT, CERT-EXPIRED, CERT-NOT-YET-VALID, CERT-SIGNED-IN-FUTURE, CERT-UNTRUSTED.
    """
    found = []
    if key_value is not None and key_value != (holder.modulus, holder.exponent):
        found.append(Problem("CERT-KEY-VALUE", path, "KeyValue is not the key of the certificate."))
    if holder.rut is None:
        found.append(Problem("CERT-WITHOUT-RUT", path, "The certificate names no RUT, so nobody knows who signed."))
    if signed_at is not None:
        found.extend(
            Problem(each.code, path, f"Signed on {signed_at:%Y-%m-%d %H:%M}. {each.message}")
            for each in validity_problems(holder.not_before, holder.not_after, signed_at)
        )
        if signed_at > at + CLOCKS_APART:
            sentence = f"Says that it was signed on {signed_at:%Y-%m-%d %H:%M}, which is yet to come."
            found.append(Problem("CERT-SIGNED-IN-FUTURE", path, sentence))
    if trust.chains(holder.certificate) is False:
        found.append(Problem("CERT-UNTRUSTED", path, "The certificate was not issued by an authority that is trusted."))
    return found
