"""XML signatures as the SII takes them: SHA-1, RSA PKCS#1 v1.5, inclusive C14N 1.0, one reference, one transform.

The SII's xmldsignature_v10.xsd is a cut-down one: KeyValue first, then one certificate, no prefix, at most one
transform. Canonical text is written directly instead of being computed from a tree: every piece of a signature is a
constant but the reference and the digest, so its canonical form is known beforehand. Tests prove both equal.
Text signed here is the UTF-8 of C14N, whatever the encoding of the file that carries it.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Protocol, Self
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from domain.certificate import quietly, rut_of

SII_NAMESPACE = "http://www.sii.cl/SiiDte"
SIGNATURE_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

BASE64_WIDTH = 76
"""Characters on a line of base64. The SII's gateway refuses lines of more than some 4,090 (CHR-00002)."""

METHODS = (
    f'<CanonicalizationMethod Algorithm="{C14N}"/>'
    '<SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/>'
)
"""How every signature begins, as written."""
CANONICAL_METHODS = (
    f'<CanonicalizationMethod Algorithm="{C14N}"></CanonicalizationMethod>'
    '<SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"></SignatureMethod>'
)
"""The same as C14N writes it."""

_PADDING = padding.PKCS1v15()
_SHA1 = hashes.SHA1()  # noqa: S303  (fixed by the SII's schema)


def transforms(algorithm: str) -> str:
    """The transform and digest method of a reference, as written; the transform is C14N or ENVELOPED."""
    return (
        f'<Transforms><Transform Algorithm="{algorithm}"/></Transforms>'
        '<DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>'
    )


def canonical_transforms(algorithm: str) -> str:
    """The same as C14N writes it."""
    return (
        f'<Transforms><Transform Algorithm="{algorithm}"></Transform></Transforms>'
        '<DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"></DigestMethod>'
    )


class Signer(Protocol):
    """A person's certificate and the use of its key, wherever the key lives."""

    @property
    def rut(self) -> str:
        """RUT of the person, canonical."""
        ...

    @property
    def certificate_der(self) -> bytes:
        """The certificate."""
        ...

    @property
    def modulus_b64(self) -> str:
        """Modulus of the key, big-endian without leading zeros, wrapped base64."""
        ...

    @property
    def exponent_b64(self) -> str:
        """Exponent of the key, base64."""
        ...

    @property
    def certificate_b64(self) -> str:
        """The certificate's DER, wrapped base64."""
        ...

    def sign(self, data: bytes) -> bytes:
        """RSA PKCS#1 v1.5 over SHA-1 of `data`."""
        ...


def wrapped(data: bytes, width: int = BASE64_WIDTH) -> str:
    """`data` as base64 in lines of `width` characters, without a break at the ends."""
    text = base64.b64encode(data).decode("ascii")
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def unsigned_bytes(number: int) -> bytes:
    """`number` big-endian in as few bytes as it takes (XML-DSig, CryptoBinary)."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def digest_of(canonical: bytes) -> str:
    """SHA-1 of canonical bytes, base64, one line."""
    return digest_of_pieces((canonical,))


def digest_of_pieces(pieces: Iterable[bytes]) -> str:
    """The same of bytes that come in pieces, of which one at a time is held."""
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return base64.b64encode(digest.digest()).decode("ascii")


class RsaSigner:
    """A signer whose key is in this process. Made once per certificate and kept: loading costs less than signing."""

    __slots__ = ("_key", "certificate_b64", "certificate_der", "exponent_b64", "modulus_b64", "rut")

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        numbers = key.public_key().public_numbers()
        self._key = key
        self.rut = rut_of(certificate)
        self.certificate_der = certificate.public_bytes(Encoding.DER)
        self.modulus_b64 = wrapped(unsigned_bytes(numbers.n))
        self.exponent_b64 = wrapped(unsigned_bytes(numbers.e))
        self.certificate_b64 = wrapped(self.certificate_der)

    @classmethod
    def load(cls, private_key_der: bytes, certificate_der: bytes) -> Self:
        """A signer from PKCS#8 and certificate DER that `domain.certificate` examined when they were enrolled.

        The key is loaded without validation (0.01 ms against 36). Raises ValueError when the bytes are no RSA key or
        no certificate, and CertificateError (CERT-WITHOUT-RUT) when the certificate names nobody.
        """
        key = load_der_private_key(private_key_der, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the SII takes RSA signatures; this key is of another kind")
        with quietly():
            return cls(key, x509.load_der_x509_certificate(certificate_der))

    def __repr__(self) -> str:
        return f"RsaSigner({self.rut})"

    def sign(self, data: bytes) -> bytes:
        """RSA PKCS#1 v1.5 over SHA-1 of `data`."""
        return self._key.sign(data, _PADDING, _SHA1)


def canonical_signed_info(*, uri: str, digest: str, transform: str = C14N, in_scope: str = "") -> bytes:
    """The canonical SignedInfo, which is what gets signed.

    `in_scope` are further namespace declarations of the place where the signature stands (`xmlns:xsi` in an envelope,
    nothing in a document that is verified alone).
    """
    return (
        f'<SignedInfo xmlns="{SIGNATURE_NAMESPACE}"{in_scope}>{CANONICAL_METHODS}<Reference URI="{uri}">'
        f"{canonical_transforms(transform)}<DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
    ).encode()


def signature_element(*, uri: str, digest: str, value: bytes, signer: Signer, transform: str = C14N) -> str:
    """The `<Signature>` as it is written, ready to be put after the element it signs."""
    return (
        f'<Signature xmlns="{SIGNATURE_NAMESPACE}"><SignedInfo>{METHODS}<Reference URI="{uri}">'
        f"{transforms(transform)}<DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
        f"<SignatureValue>\n{wrapped(value)}\n</SignatureValue><KeyInfo><KeyValue><RSAKeyValue>"
        f"<Modulus>\n{signer.modulus_b64}\n</Modulus><Exponent>{signer.exponent_b64}</Exponent>"
        f"</RSAKeyValue></KeyValue><X509Data><X509Certificate>\n{signer.certificate_b64}\n"
        "</X509Certificate></X509Data></KeyInfo></Signature>"
    )


def sign_get_token(seed: str, signer: Signer) -> bytes:
    """The signed getToken document for `seed` (SII, autenticación automática; ASCII, no blanks between tags).

    The reference is the whole document (`URI=""`) with the enveloped transform, the only place where the SII's schema
    wants that one.
    """
    content = f"<getToken><item><Semilla>{escape(seed)}</Semilla></item>"
    digest = digest_of(f"{content}</getToken>".encode())
    value = signer.sign(canonical_signed_info(uri="", digest=digest, transform=ENVELOPED))
    signature = signature_element(uri="", digest=digest, value=value, signer=signer, transform=ENVELOPED)
    return f'<?xml version="1.0"?>\n{content}{signature}</getToken>'.encode()
