"""Whom a verifier believes: the keys that sign CAFs, by IDK, and, if asked, the authorities that sign certificates.

Several keys may bear one IDK (a test environment reuses the SII's number with a key of its own). Without authorities a
certificate is taken as it stands: whoever signed it is then not proven, and the verdict does not claim it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from domain.caf import SII_PUBLIC_KEYS
from domain.certificate import quietly
from domain.problems import DomainError, Problem

PADDING = padding.PKCS1v15()
SHA1 = hashes.SHA1()  # noqa: S303  (fixed by the SII's schema)
_DIGESTED = utils.Prehashed(SHA1)

MOST_MODULUS_BITS = 4096
"""Bits of the largest modulus that is tried; the SII's certificates have 1024 or 2048, its CAFs 512."""
LEAST_MODULUS_BITS = 512
MOST_EXPONENT_BITS = 64


class TrustError(DomainError):
    """A key or certificate to trust that is none."""


class Trust:
    """Keys by IDK and authorities. Made once and kept: what was judged with it is remembered with it."""

    __slots__ = ("__weakref__", "_chained", "authorities", "caf_keys")

    def __init__(
        self, caf_keys: Mapping[int, Sequence[bytes]] = SII_PUBLIC_KEYS, authorities: Iterable[bytes] = ()
    ) -> None:
        """`caf_keys` are PEM public keys by IDK, `authorities` PEM files of certificates.

        Raises TrustError: TRUST-CAF-KEY, TRUST-CA.
        """
        self.caf_keys = {idk: tuple(_public_key(pem, idk) for pem in pems) for idk, pems in caf_keys.items()}
        self.authorities = tuple(each for pem in authorities for each in _certificates(pem))
        self._chained = lru_cache(maxsize=256)(self._find_chain)

    @classmethod
    def with_keys(cls, more: Iterable[tuple[int, bytes]], authorities: Iterable[bytes] = ()) -> Self:
        """The SII's keys and `more`, pairs of IDK and PEM."""
        keys = {idk: list(pems) for idk, pems in SII_PUBLIC_KEYS.items()}
        for idk, pem in more:
            keys.setdefault(idk, []).append(pem)
        return cls(keys, authorities)

    def chains(self, certificate: x509.Certificate) -> bool | None:
        """Whether an authority that is trusted issued the certificate; None when none was given."""
        return self._chained(certificate) if self.authorities else None

    def _find_chain(self, certificate: x509.Certificate) -> bool:
        """Through authorities that were given, at most as many as there are."""
        current, left = certificate, list(self.authorities)
        while left:
            issuer = next((each for each in left if _issued(each, current)), None)
            if issuer is None:
                return False
            if _is_its_own_issuer(issuer) or not any(_issued(each, issuer) for each in left if each != issuer):
                return True
            left.remove(issuer)
            current = issuer
        return False


def _is_its_own_issuer(certificate: x509.Certificate) -> bool:
    with quietly():
        try:
            return certificate.issuer == certificate.subject
        except ValueError:  # a name that can't be read
            return False


def rsa_verifies(key: rsa.RSAPublicKey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is RSA PKCS#1 v1.5 with SHA-1 over `data` by that key."""
    try:
        key.verify(signature, hashlib.sha1(data, usedforsecurity=False).digest(), PADDING, _DIGESTED)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def rsa_key(modulus: int, exponent: int) -> rsa.RSAPublicKey | None:
    """The public key of these numbers; None when they are none, or too large to be tried in bounded time."""
    if (
        not LEAST_MODULUS_BITS <= modulus.bit_length() <= MOST_MODULUS_BITS
        or exponent.bit_length() > MOST_EXPONENT_BITS
    ):
        return None
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    with quietly():
        return _signed_by(authority, certificate)


def _signed_by(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    try:
        return authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return authority.version is x509.Version.v1
    except ValueError:
        return False


def _public_key(pem: bytes, idk: int) -> rsa.RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise TrustError([Problem("TRUST-CAF-KEY", f"IDK {idk}", "The key to trust is no PEM public key of RSA.")])
    return key


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        with quietly():
            return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise TrustError(
            [Problem("TRUST-CA", "", "The file of an authority to trust holds no readable PEM certificate.")]
        ) from None
