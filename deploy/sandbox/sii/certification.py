"""Certificates for persons, signed by an authority of the simulator's own, so that a test needs no certifier.

They have the form of those that accredited certifiers issue in Chile: RSA of 2048 bits, the RUT in the subject's
serialNumber and in the alternative name 1.3.6.1.4.1.8321.1. They come as PKCS#12 with the authority's certificate.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_OID_RUT = x509.ObjectIdentifier("1.3.6.1.4.1.8321.1")
_IA5STRING = 0x16
_LIFE = dt.timedelta(days=365 * 3)


@dataclass(frozen=True, slots=True)
class Certified:
    """A person's key and certificate as PKCS#12, and the PEM of the authority that signed it."""

    rut: str
    pfx: bytes
    authority: str


def certify(folder: Path, rut: str, name: str, password: str) -> Certified:
    """A certificate for a person; one made before, with the same password, is given out again."""
    authority_key, authority = _authority(folder / "keys" / "ca-personas.pem")
    pem = authority.public_bytes(serialization.Encoding.PEM).decode("ascii")
    kept = folder / "certificates" / f"{rut}.pfx"
    if kept.exists() and _opens(kept.read_bytes(), password):
        return Certified(rut, kept.read_bytes(), pem)
    key = rsa.generate_private_key(65537, 2048)
    now = dt.datetime.now(dt.UTC)
    body = rut.encode("ascii")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.SERIAL_NUMBER, rut)])
    certificate = (
        _builder(subject, authority.subject, key, now)
        .add_extension(
            x509.SubjectAlternativeName([x509.OtherName(_OID_RUT, bytes([_IA5STRING, len(body)]) + body)]),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    secret = serialization.BestAvailableEncryption(password.encode("utf-8"))
    pfx = pkcs12.serialize_key_and_certificates(name.encode("utf-8"), key, certificate, [authority], secret)
    return Certified(rut, pfx, pem)


def _authority(path: Path) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """The authority of that file, made when there is none."""
    if not path.exists():
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA de personas del SII simulado")])
        made = (
            _builder(name, name, key, dt.datetime.now(dt.UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    text = path.read_bytes()
    loaded = serialization.load_pem_private_key(text, None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise ValueError(f"{path}: not an RSA key")  # noqa: TRY004 - the file is wrong, not a type
    return loaded, x509.load_pem_x509_certificate(text)


def _opens(pfx: bytes, password: str) -> bool:
    try:
        pkcs12.load_pkcs12(pfx, password.encode("utf-8"))
    except ValueError:
        return False
    return True


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFE)
    )
