"""Keys, certificates and signatures of invented taxpayers, made by these tests alone.

Canonical forms come from lxml after parsing the signed text again (the form that agrees with the SII's own example);
RSA comes from cryptography. Nothing here is FMgo's.
"""

import base64
import datetime as dt
import hashlib
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

DSIG = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SII = "http://www.sii.cl/SiiDte"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RUT = x509.ObjectIdentifier("1.3.6.1.4.1.8321.1")


@dataclass(frozen=True)
class Authority:
    """An invented certification authority."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True)
class Person:
    """An invented person with a certificate."""

    rut: str
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def key_info(self) -> str:
        numbers = self.key.public_key().public_numbers()
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return (
            f"<KeyInfo><KeyValue><RSAKeyValue><Modulus>{wrapped(number(numbers.n))}</Modulus>"
            f"<Exponent>{b64(number(numbers.e))}</Exponent></RSAKeyValue></KeyValue>"
            f"<X509Data><X509Certificate>{wrapped(der)}</X509Certificate></X509Data></KeyInfo>"
        )

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the SII's algorithm


def make_authority(name: str = "CA DE PRUEBA") -> Authority:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = _certificate(subject, subject, key.public_key(), key, [(x509.BasicConstraints(True, None), True)])
    return Authority(key, certificate)


def make_person(
    authority: Authority, rut: str, *, days: int = 3000, in_subject: bool = False, since: int = 2020
) -> Person:
    """A person certified since a year; the RUT stands in the alternative name, or in the subject's serial number."""
    key = rsa.generate_private_key(65537, 2048)
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, f"PERSONA {rut}")]
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if in_subject:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, rut))
    else:
        der = bytes([0x16, len(rut)]) + rut.encode()
        extensions.append((x509.SubjectAlternativeName([x509.OtherName(_RUT, der)]), False))
    issuer = authority.certificate.subject
    made = _certificate(x509.Name(parts), issuer, key.public_key(), authority.key, extensions, days, since)
    return Person(rut, key, made)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: rsa.RSAPublicKey,
    key: rsa.RSAPrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
    days: int = 3000,
    since: int = 2020,
) -> x509.Certificate:
    start = dt.datetime(since, 1, 1, tzinfo=dt.UTC)
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number(), start, end)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)


def wrapped(data: bytes) -> str:
    text = b64(data)
    return "\n" + "\n".join(text[i : i + 76] for i in range(0, len(text), 76)) + "\n"


def canonical(text: str) -> bytes:
    """Inclusive C14N 1.0 of a text that declares every namespace in scope itself."""
    root = etree.fromstring(text.encode("utf-8"))
    return etree.tostring(root, method="c14n", with_comments=False)


def naive_canonical(text: str, path: str) -> bytes:
    """What lxml writes for an element inside a larger tree: the wrong form that a careless client signs."""
    found = etree.fromstring(text.encode("utf-8")).find(path)
    assert found is not None
    return etree.tostring(found, method="c14n", with_comments=False)


def with_namespaces(text: str, declarations: str) -> str:
    """The text of an element with namespace declarations put on its opening tag."""
    return re.sub(r"^<([\w:]+)", rf"<\1 {declarations}", text, count=1)


def signature(person: Person, digest: bytes, uri: str, scope: str = "", transform: str = C14N) -> str:
    """A Signature element; `scope` are declarations in scope of SignedInfo besides its own namespace."""
    transforms = f'<Transforms><Transform Algorithm="{transform}"/></Transforms>' if transform else ""
    info = (
        f'<SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/><SignatureMethod Algorithm="{DSIG}rsa-sha1"/>'
        f'<Reference URI="{uri}">{transforms}<DigestMethod Algorithm="{DSIG}sha1"/>'
        f"<DigestValue>{b64(digest)}</DigestValue></Reference></SignedInfo>"
    )
    value = person.sign(canonical(with_namespaces(info, f'xmlns="{DSIG}"{scope}')))
    return (
        f'<Signature xmlns="{DSIG}">{info}<SignatureValue>{wrapped(value)}</SignatureValue>'
        f"{person.key_info()}</Signature>"
    )


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def signed_get_token(person: Person, seed: str) -> str:
    """The getToken document of that seed, in the official form."""
    plain = f"<getToken><item><Semilla>{seed}</Semilla></item></getToken>"
    element = signature(person, sha1(canonical(plain)), "", transform=f"{DSIG}enveloped-signature")
    return plain.replace("</getToken>", element + "</getToken>")
