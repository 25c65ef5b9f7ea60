"""RSA in plain arithmetic: the small keys of CAF files, which today's libraries refuse to make.

A CAF holds a key of 512 bits with exponent 3, signed by a key of the SII of 512 bits with exponent 65537. Both are
made here from two primes of our own, and the two signatures of a stamp (FRMT, FRMA) are verified here:
RSASSA-PKCS1-v1_5 with SHA-1 (SII, Instructivo técnico de emisión, timbre electrónico). Small on purpose: such keys
protect nothing any more.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

# DER of DigestInfo up to the 20 bytes of a SHA-1 (RFC 8017, section 9.2, note 1).
_SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")
_OID_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
_DER_LONG = 0x80


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Modulus and exponent of an RSA key."""

    n: int
    e: int

    @property
    def size(self) -> int:
        """Length of the modulus in bytes."""
        return (self.n.bit_length() + 7) // 8

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature` is an RSASSA-PKCS1-v1_5 signature with SHA-1 of `data`."""
        if len(signature) != self.size:
            return False
        value = int.from_bytes(signature)
        return value < self.n and pow(value, self.e, self.n).to_bytes(self.size) == _padded(data, self.size)

    def verify_base64(self, data: bytes, signature: str) -> bool:
        """The same with the signature in base64; line breaks inside are let pass, rubbish is a wrong signature."""
        try:
            return self.verify(data, base64.b64decode("".join(signature.split()), validate=True))
        except (binascii.Error, ValueError):
            return False

    def pem(self) -> str:
        """SubjectPublicKeyInfo in PEM."""
        inner = _sequence(_integer(self.n), _integer(self.e))
        return _armour("PUBLIC KEY", _sequence_raw(_OID_RSA + _tagged(0x03, b"\x00" + inner)))


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """An RSA key with its two primes."""

    p: int
    q: int
    e: int

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self.p * self.q, self.e)

    @property
    def d(self) -> int:
        """Its private exponent."""
        return pow(self.e, -1, (self.p - 1) * (self.q - 1))

    def sign(self, data: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 signature with SHA-1 of `data`."""
        key = self.public
        return pow(int.from_bytes(_padded(data, key.size)), self.d, key.n).to_bytes(key.size)

    def pem(self) -> str:
        """PKCS#1 in PEM, the form of RSASK in a CAF file."""
        d = self.d
        numbers = (0, self.p * self.q, self.e, d, self.p, self.q, d % (self.p - 1), d % (self.q - 1))
        coefficient = pow(self.q, -1, self.p)
        return _armour("RSA PRIVATE KEY", _sequence(*(_integer(n) for n in (*numbers, coefficient))))


def make_key(e: int, bits: int = 512) -> PrivateKey:
    """A new key of `bits` bits with public exponent `e`, from two random primes."""
    p = _prime(bits // 2, e)
    q = _prime(bits // 2, e)
    while p == q:
        q = _prime(bits // 2, e)
    return PrivateKey(max(p, q), min(p, q), e)


def keep_key(path: Path, e: int) -> PrivateKey:
    """The key kept in `path`, made and written there when the file doesn't exist."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make_key(e).pem(), "ascii")
        path.chmod(0o600)
    return read_private_key(path.read_bytes())


def read_private_key(pem: bytes) -> PrivateKey:
    """Read a private RSA key in PEM; raises ValueError when it is none."""
    key = serialization.load_pem_private_key(pem.strip(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - the bytes are wrong, not a type
    numbers = key.private_numbers()
    return PrivateKey(numbers.p, numbers.q, numbers.public_numbers.e)


def read_public_key(pem: bytes) -> PublicKey:
    """Read a public RSA key in PEM; raises ValueError when it is none."""
    key = serialization.load_pem_public_key(pem.strip())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - the bytes are wrong, not a type
    numbers = key.public_numbers()
    return PublicKey(numbers.n, numbers.e)


def _padded(data: bytes, size: int) -> bytes:
    tail = _SHA1_PREFIX + hashlib.sha1(data, usedforsecurity=False).digest()
    return b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail


def _prime(bits: int, e: int) -> int:
    """A random prime whose two highest bits are set and whose predecessor shares no factor with `e`."""
    while True:
        candidate = secrets.randbits(bits) | 1 | (3 << (bits - 2))
        if (candidate - 1) % e and all(candidate % small for small in _SMALL_PRIMES) and _is_probable_prime(candidate):
            return candidate


def _is_probable_prime(n: int, rounds: int = 24) -> bool:
    """Miller and Rabin's test for an odd `n` without small factors."""
    shift = ((n - 1) & -(n - 1)).bit_length() - 1
    for _ in range(rounds):
        x = pow(secrets.randbelow(n - 3) + 2, (n - 1) >> shift, n)
        chain = [x]
        for _ in range(shift - 1):
            chain.append(pow(chain[-1], 2, n))
        if x != 1 and n - 1 not in chain:
            return False
        if any(b == 1 and a not in {1, n - 1} for a, b in pairwise(chain)):
            return False
    return True


def _tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _DER_LONG:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, _DER_LONG | size]) + length.to_bytes(size) + content


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _sequence(*parts: bytes) -> bytes:
    return _sequence_raw(b"".join(parts))


def _sequence_raw(content: bytes) -> bytes:
    return _tagged(0x30, content)


def _armour(label: str, der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))
