"""TLS for the hosts: a certification authority of this folder, a certificate of the hosts, and bad ones on demand.

The authority's certificate (``tls/ca.pem`` in the simulator's folder) is what a client must trust. The fault F-TLS lets
a handshake end in a reset, or with a certificate that has expired or that another authority signed.
"""

import datetime as dt
import ipaddress
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.sandbox.sii.catalogue import LINE
from deploy.sandbox.sii.faults import Faults, Occasion

_YEARS = dt.timedelta(days=365 * 10)
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class Tls:
    """Contexts for the ports of a folder; what is missing is made. `names` are those that the certificate bears."""

    def __init__(self, folder: Path, names: list[str], faults: Faults) -> None:
        self._folder = folder
        self._names = names
        self._faults = faults
        folder.mkdir(parents=True, exist_ok=True)
        self.authority_file = folder / "ca.pem"
        if not (folder / "server.pem").exists():
            self._make()

    def context(self, host: str) -> ssl.SSLContext:
        """The context of a host's port; `host` is empty for a port of several."""
        good = self._context("server.pem")
        bad = {form: self._context(f"{form}.pem") for form in ("expired", "wrong_ca")}

        def shake(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int | None:
            rule = self._faults.fire(LINE, Occasion(host, ""))
            form = str(rule.args.get("form", "reset")) if rule is not None and rule.fault == "F-TLS" else ""
            if form in bad:
                connection.context = bad[form]
            elif form and isinstance(connection, ssl.SSLSocket):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
            return None

        good.sni_callback = shake
        return good

    def _context(self, file: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / file)
        return context

    def _make(self) -> None:
        now = dt.datetime.now(dt.UTC)
        ours, other = _authority("CA del SII simulado", now), _authority("Otra CA", now)
        self.authority_file.write_bytes(ours.certificate.public_bytes(serialization.Encoding.PEM))
        self._write("expired.pem", ours, now - _YEARS, now - dt.timedelta(days=1))
        self._write("wrong_ca.pem", other, now - dt.timedelta(days=1), now + _YEARS)
        # Last: its presence says that the others are there.
        self._write("server.pem", ours, now - dt.timedelta(days=1), now + _YEARS)

    def _write(self, file: str, authority: _Authority, begins: dt.datetime, ends: dt.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in self._names]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            _builder("SII simulado", authority.certificate.subject, key, begins, ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_authority_identifier(authority), critical=False)
            .sign(authority.key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._folder / file
        path.touch(mode=0o600)
        path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))


def _authority(name: str, now: dt.datetime) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, subject, key, now - _YEARS, now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Authority(key, certificate)


def _authority_identifier(authority: _Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: dt.datetime, ends: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
