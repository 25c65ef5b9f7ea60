"""Certificates of persons: PFX and PEM, the RUT in them, one code per fault."""

import base64
import datetime as dt
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from domain.certificate import CertificateError, needs_password, open_credential, open_pem, open_pfx, rut_of
from domain.signature import RsaSigner
from domain.verification import Trust
from domain.verification.certificates import holder_of
from tests.unit.domain import material

PASSWORD = "contraseña"
MODERN = BestAvailableEncryption(PASSWORD.encode())
LEGACY = (
    PrivateFormat.PKCS12.encryption_builder()
    .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
    .hmac_hash(hashes.SHA1())  # noqa: S303  (fixed by the SII)
    .build(PASSWORD.encode())
)


def _pfx(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None,
    certificate: x509.Certificate | None,
    encryption: KeySerializationEncryption = MODERN,
    others: list[x509.Certificate] | None = None,
) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"firma", key, certificate, others, encryption)


def _codes(data: bytes, password: str = PASSWORD, at: dt.datetime | None = None) -> list[str]:
    with pytest.raises(CertificateError) as refused:
        open_pfx(data, password, at=at)
    return [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize("encryption", [MODERN, LEGACY], ids=["modern", "legacy"])
def test_pfx_gives_key_certificate_and_rut(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate, encryption: KeySerializationEncryption
) -> None:
    credential = open_pfx(_pfx(person_key, person_certificate, encryption), PASSWORD, at=material.AT)
    assert (credential.rut, credential.name, credential.serial) == (material.PERSON, "María Peña Núñez", "4d2")
    assert credential.certificate_der == person_certificate.public_bytes(Encoding.DER)
    key = load_der_private_key(credential.private_key_der, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.private_numbers() == person_key.private_numbers()
    assert credential.not_before < material.AT < credential.not_after
    assert "private_key" not in repr(credential)


def test_pfx_with_the_ciphers_of_former_years_opens(golden: Path) -> None:
    credential = open_pfx((golden / "signer-rc2.pfx").read_bytes(), "prueba", at=material.AT)
    assert (credential.rut, credential.name) == ("11111111-1", "FIRMANTE DE PRUEBA")


def test_certificate_of_the_key_is_found_among_others(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    other = material.certificate(other_key, serial_number="22222222-2")
    key_last = _pfx(person_key, None, others=[other, person_certificate])
    assert open_pfx(key_last, PASSWORD).rut == material.PERSON


def test_wrong_password_is_told_from_a_file_that_is_no_pfx(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate
) -> None:
    good = _pfx(person_key, person_certificate)
    assert _codes(good, "otra") == ["PFX-PASSWORD"]
    assert _codes(good, "") == ["PFX-PASSWORD"]
    for bad in (b"", b"PK\x03\x04", good[:-50], b"\x00" * 300_000):
        assert _codes(bad) == ["PFX-UNREADABLE"]
    pem = person_certificate.public_bytes(Encoding.PEM)
    assert _codes(pem) == ["PFX-UNREADABLE"]


def test_pfx_without_key_or_certificate_is_refused(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate
) -> None:
    assert _codes(_pfx(None, person_certificate)) == ["PFX-WITHOUT-KEY"]
    assert _codes(_pfx(person_key, None)) == ["PFX-WITHOUT-CERTIFICATE"]


def test_key_of_another_certificate_or_kind_is_refused(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    assert _codes(_pfx(other_key, None, others=[person_certificate])) == ["CERT-KEY-MISMATCH"]
    elliptic = ec.generate_private_key(ec.SECP256R1())
    assert _codes(_pfx(elliptic, None, others=[person_certificate])) == ["CERT-KEY-TYPE"]
    short = material.short_key(768, 65537)
    own = material.certificate(short, serial_number=material.PERSON)
    assert _codes(_pfx(short, own)) == ["CERT-KEY-TYPE"]
    assert person_key.key_size == 2048


@pytest.mark.parametrize(
    ("alternative", "serial_number", "rut"),
    [
        (material.ia5("11111111-1"), None, "11111111-1"),
        (material.ia5("07880442-4"), None, "7880442-4"),
        (material.ia5("12.345.678-5"), None, "12345678-5"),
        (b"\x0c\x0910000013-k"[:2] + b"10000013-k"[:9], "10000013-K", "10000013-K"),
        (b"\xa0\x0c" + material.ia5("11111111-1"), None, "11111111-1"),
        (None, "11111111-1", "11111111-1"),
        (material.ia5("11111111-2"), "11111111-1", "11111111-1"),
        (material.ia5("any-string"), "11111111-1", "11111111-1"),
        (material.ia5("11111111-1"), "22222222-2", "11111111-1"),
        (None, "10000013-k", "10000013-K"),
        (None, None, None),
        (None, "", None),
        (None, "AB-12345", None),
        (material.ia5("any-string"), None, None),
    ],
)
def test_rut_is_read_where_authorities_write_it(
    person_key: rsa.RSAPrivateKey, alternative: bytes | None, serial_number: str | None, rut: str | None
) -> None:
    if serial_number == "":
        serial_number = " "
    certificate = material.certificate(person_key, alternative_rut=alternative, serial_number=serial_number)
    if rut is not None:
        assert rut_of(certificate) == rut
    else:
        assert _codes(_pfx(person_key, certificate)) == ["CERT-WITHOUT-RUT"]


def test_certificate_out_of_force_is_refused_on_the_day_that_is_asked_about(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate
) -> None:
    data = _pfx(person_key, person_certificate)
    assert _codes(data, at=dt.datetime(2029, 1, 1, 0, 0, 1, tzinfo=dt.UTC)) == ["CERT-EXPIRED"]
    assert _codes(data, at=dt.datetime(2025, 12, 31, 23, 59, 59, tzinfo=dt.UTC)) == ["CERT-NOT-YET-VALID"]
    assert open_pfx(data, PASSWORD).rut == material.PERSON


def test_pem_opens_with_and_without_password(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    other = material.certificate(other_key, serial_number="22222222-2")
    chain = other.public_bytes(Encoding.PEM) + person_certificate.public_bytes(Encoding.PEM)
    for kind in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        assert open_pem(person_key.private_bytes(Encoding.PEM, kind, NoEncryption()), chain).rut == material.PERSON
        sealed = person_key.private_bytes(Encoding.PEM, kind, MODERN)
        assert open_pem(sealed, chain, password=PASSWORD).rut == material.PERSON
        for password in (None, "otra"):
            with pytest.raises(CertificateError) as refused:
                open_pem(sealed, chain, password=password)
            assert [problem.code for problem in refused.value.problems] == ["PEM-PASSWORD"]


def test_pem_that_is_none_is_refused(person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate) -> None:
    key = person_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = person_certificate.public_bytes(Encoding.PEM)
    for bad_key, bad_certificate, code in (
        (b"", certificate, "PEM-WITHOUT-KEY"),
        (certificate, certificate, "PEM-WITHOUT-KEY"),
        (key, b"", "PEM-WITHOUT-CERTIFICATE"),
        (key, key, "PEM-WITHOUT-CERTIFICATE"),
        (key.replace(b"MII", b"MIX"), certificate, "PEM-UNREADABLE"),
        (key, certificate.replace(b"MII", b"MIX"), "PEM-UNREADABLE"),
    ):
        with pytest.raises(CertificateError) as refused:
            open_pem(bad_key, bad_certificate)
        assert [problem.code for problem in refused.value.problems] == [code]


BAGS = """Bag Attributes
    friendlyName: ana
    localKeyID: A7 95 FB 3D D7 46 53 AB 0F 01 25 DA F7 8A 32 6C BA AE 2E FE
subject=C = CL, CN = MARÍA PEÑA
issuer=C = CL, CN = AUTORIDAD
{certificate}{chain}Bag Attributes
    localKeyID: A7 95 FB 3D
Key Attributes: <No Attributes>
{key}"""
"""What `openssl pkcs12 -nodes` writes."""


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("\n", "\n  ").encode(),
        lambda text: text[text.rindex("Bag") :].encode() + text[: text.rindex("Bag")].encode(),
        lambda text: text.encode() + b"\n\n-- \nenviado desde mi telefono\n",
    ],
    ids=["as it is", "a mark", "utf-16", "crlf", "cr", "indented", "key first", "text after it"],
)
@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_pem_is_read_however_programs_write_it(
    person_key: rsa.RSAPrivateKey,
    person_certificate: x509.Certificate,
    other_key: rsa.RSAPrivateKey,
    changed: Callable[[str], bytes],
    kind: PrivateFormat,
    *,
    encrypted: bool,
) -> None:
    chain = material.certificate(other_key, serial_number="22222222-2").public_bytes(Encoding.PEM).decode()
    key = person_key.private_bytes(Encoding.PEM, kind, MODERN if encrypted else NoEncryption()).decode()
    own = person_certificate.public_bytes(Encoding.PEM).decode()
    data = changed(BAGS.format(certificate=own, chain=chain, key=key))
    assert needs_password(data) is encrypted, "nobody is asked for a password that a file hasn't"
    assert open_credential(data, PASSWORD).rut == material.PERSON
    if encrypted:
        for password in ("", "otra"):
            with pytest.raises(CertificateError, match="PEM-PASSWORD"):
                open_credential(data, password)


def test_half_a_pair_and_a_wrong_pair_are_told_in_a_sentence(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    def pem(key: rsa.RSAPrivateKey) -> bytes:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    own = person_certificate.public_bytes(Encoding.PEM)
    for data, code in (
        (own, "PEM-WITHOUT-KEY"),
        (pem(person_key), "PEM-WITHOUT-CERTIFICATE"),
        (pem(other_key) + own, "CERT-KEY-MISMATCH"),
        (person_certificate.public_bytes(Encoding.DER), "PFX-WITHOUT-KEY"),
        (material.pkcs8(person_key), "PFX-WITHOUT-CERTIFICATE"),
        (b"nada", "PFX-UNREADABLE"),
    ):
        assert not needs_password(data)
        with pytest.raises(CertificateError) as refused:
            open_credential(data, "")
        assert [problem.code for problem in refused.value.problems] == [code]
        assert refused.value.problems[0].message.count(". ") == 0, "one sentence"
    assert open_credential(pem(other_key) + own + pem(person_key), "").rut == material.PERSON, "of two keys, its own"


def test_a_pfx_is_asked_a_password_of_only_where_it_has_one(
    person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate
) -> None:
    assert needs_password(_pfx(person_key, person_certificate))
    open_ = pkcs12.serialize_key_and_certificates(b"firma", person_key, person_certificate, None, NoEncryption())
    assert not needs_password(open_)
    assert open_credential(open_, "").rut == material.PERSON


LONG = "x" * 67
"""A name longer than X.520 allows, as accredited authorities have issued them."""


def _with_long_names(key: rsa.RSAPrivateKey) -> bytes:
    """DER of such a certificate, its own issuer."""
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.8321.1"), material.ia5(material.PERSON))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LONG, _validate=False)])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(1).not_valid_before(material.AT).not_valid_after(material.AT.replace(year=2029))
        builder = builder.add_extension(x509.SubjectAlternativeName([other]), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_certificates_that_bend_the_standard_are_read_without_a_word(person_key: rsa.RSAPrivateKey) -> None:
    der = _with_long_names(person_key)
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    key = person_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert open_credential(key + pem, "").name == LONG
        holder = holder_of(base64.b64encode(der).decode())
        assert holder is not None
        assert holder.rut == material.PERSON
        assert Trust(authorities=[pem]).chains(holder.certificate) is False, "it isn't an authority"
        assert RsaSigner.load(material.pkcs8(person_key), der).rut == material.PERSON
    assert [str(each.message) for each in told] == []
    with pytest.warns(UserWarning, match="length"):
        str(x509.load_der_x509_certificate(der).subject)


@pytest.mark.parametrize(
    ("name", "rut"),
    [
        ("DTE--60910000-1--33--2336600-cert.pem", "8480437-1"),
        ("DTE--76354771-K--33--170-cert.pem", "13185095-6"),
        ("TEST-DTE-WITH-ID-BUT-NO-RUT.der", None),
    ],
)
def test_certificates_in_use_name_their_holder(shared: Path, name: str, rut: str | None) -> None:
    data = (shared / "corpus" / "certs" / name).read_bytes()
    load = x509.load_pem_x509_certificate if name.endswith(".pem") else x509.load_der_x509_certificate
    if rut is not None:
        assert rut_of(load(data)) == rut
    else:
        with pytest.raises(CertificateError, match="CERT-WITHOUT-RUT"):
            rut_of(load(data))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("issuers/ferreteria/firma.pfx", "11111111-1"),
        ("issuers/consultora/firma.pfx", "12222222-5"),
        ("issuers/exportadora/firma.pfx", "13333333-9"),
        ("bad/expired.pfx", "CERT-EXPIRED"),
        ("bad/not-yet-valid.pfx", "CERT-NOT-YET-VALID"),
        ("bad/without-rut.pfx", "CERT-WITHOUT-RUT"),
    ],
)
def test_pfx_files_of_the_kit_open_or_say_why(shared: Path, name: str, answer: str) -> None:
    data = (shared / "corpus" / "kit" / name).read_bytes()
    try:
        assert open_pfx(data, "kit-secreto", at=material.AT).rut == answer
    except CertificateError as refused:
        assert [problem.code for problem in refused.problems] == [answer]  # noqa: PT017  (either answer is asked for)
