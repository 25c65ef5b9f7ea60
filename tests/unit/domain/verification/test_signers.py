"""Whose certificate signed: people without RUT, authorities that are trusted or not, cessions, receipts and answers."""

import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509.oid import NameOID

from domain.dte import sign_document
from domain.signature import RsaSigner, sign_get_token, unsigned_bytes, wrapped
from domain.verification import Trust, TrustError, verify
from tests.unit.domain import material
from tests.unit.domain.verification import corpus
from tests.unit.domain.verification.forgery import AT, Forge, codes


class _Nobody:
    """A signer whose certificate names no RUT."""

    rut = "11111111-1"

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        numbers = key.public_key().public_numbers()
        self._key = key
        self.certificate_der = certificate.public_bytes(Encoding.DER)
        self.modulus_b64, self.exponent_b64 = wrapped(unsigned_bytes(numbers.n)), wrapped(unsigned_bytes(numbers.e))
        self.certificate_b64 = wrapped(self.certificate_der)

    def sign(self, data: bytes) -> bytes:
        from domain.verification.trust import PADDING, SHA1  # noqa: PLC0415

        return self._key.sign(data, PADDING, SHA1)


def _authority(key: rsa.RSAPrivateKey, name: str, *, authority: bool = True) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _issued(
    key: rsa.RSAPrivateKey, by: x509.Certificate, by_key: rsa.RSAPrivateKey, name: str, *, authority: bool = False
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(by.subject)
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2029, 1, 1, tzinfo=dt.UTC))
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        rut = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.8321.1"), material.ia5(material.PERSON))
        builder = builder.add_extension(x509.SubjectAlternativeName([rut]), critical=False)
    return builder.sign(by_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def test_a_person_without_rut_has_signed_nothing(forge: Forge, other_key: rsa.RSAPrivateKey) -> None:
    nobody = _Nobody(other_key, material.certificate(other_key))
    whole = forge.document().decode("iso-8859-1")
    content = whole[whole.index('ID="F1T33">') + len('ID="F1T33">') : whole.index("</Documento>")]
    signed = sign_document(content, element="Documento", identifier="F1T33", signer=nobody)
    verdict = forge.judge(signed.xml)
    assert codes(verdict) == {"CERT-WITHOUT-RUT"}
    assert (verdict.facts["certificate_ok"], verdict.facts["doc_signature_valid"]) == (False, True)


def test_a_chain_is_asked_for_when_an_authority_is_named(
    forge: Forge, person_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    root_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    root, stranger = _authority(root_key, "Raíz"), _authority(other_key, "Raíz")
    middle = _issued(other_key, root, root_key, "Intermedia", authority=True)
    direct = _issued(person_key, root, root_key, "Ana")
    through = _issued(person_key, middle, other_key, "Ana")
    sii = [(999, material.public_pem(forge.sii_key))]
    for certificate, authorities, trusted in (
        (direct, [root], True),
        (direct, [stranger], False),
        (direct, [stranger, root], True),
        (through, [root, middle], True),
        (through, [middle], True),
        (through, [root], False),
        (through, [_authority(other_key, "Intermedia", authority=False)], False),
    ):
        signer = RsaSigner.load(material.pkcs8(person_key), certificate.public_bytes(Encoding.DER))
        trust = Trust.with_keys(sii, [b"".join(map(_pem, authorities))])
        verdict = verify(forge.document(signer=signer), trust=trust, at=AT)
        assert codes(verdict) == (set() if trusted else {"CERT-UNTRUSTED"})


def test_an_old_authority_without_extensions_is_one_and_a_newer_one_is_not(
    forge: Forge, person_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Raíz")])
    bare = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(other_key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
        .sign(other_key, hashes.SHA256())
    )
    person = _issued(person_key, bare, other_key, "Ana")
    signer = RsaSigner.load(material.pkcs8(person_key), person.public_bytes(Encoding.DER))
    trust = Trust.with_keys([(999, material.public_pem(forge.sii_key))], [_pem(bare)])
    assert codes(verify(forge.document(signer=signer), trust=trust, at=AT)) == {"CERT-UNTRUSTED"}


def test_what_is_no_key_is_not_trusted() -> None:
    with pytest.raises(TrustError):
        Trust({1: [b"x"]})
    with pytest.raises(TrustError):
        Trust({}, [b"x"])


def test_signed_seed_is_judged_now(forge: Forge) -> None:
    token = sign_get_token("0123", forge.signer)
    assert forge.judge(token).verdict == "accept"
    assert codes(forge.judge(token, at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))) == {"CERT-EXPIRED"}
    assert "SIG-DIGEST" in codes(forge.judge(token.replace(b"0123", b"0124")))
    assert "SIG-MISSING" in codes(forge.judge(b"<getToken><item><Semilla>1</Semilla></item></getToken>"))
    at = token.index(b"<Signature ")
    item = token.index(b"<item>")
    moved = token[:item] + token[at : token.index(b"</getToken>")] + token[item:at] + b"</getToken>"
    assert forge.judge(moved).verdict == "accept", "what is signed is the document without its signature"


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("expired", "CERT-EXPIRED"),
        ("not-yet-valid", "CERT-NOT-YET-VALID"),
        ("without-rut", "CERT-WITHOUT-RUT"),
        ("untrusted-ca", "CERT-UNTRUSTED"),
        ("other-person", None),
    ],
)
def test_bad_certificates_of_the_kit_are_told_apart(shared: Path, forge: Forge, name: str, code: str | None) -> None:
    kit = shared / "corpus" / "kit"
    told = json.loads((kit / "kit.json").read_text(encoding="utf-8"))
    key, certificate, _ = pkcs12.load_key_and_certificates(
        (kit / told["bad"][name]).read_bytes(), told["pfx_password"].encode()
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    assert certificate is not None
    whole = forge.document().decode("iso-8859-1")
    content = whole[whole.index('ID="F1T33">') + len('ID="F1T33">') : whole.index("</Documento>")]
    xml = sign_document(content, element="Documento", identifier="F1T33", signer=_Nobody(key, certificate)).xml
    trust = Trust.with_keys([(999, material.public_pem(forge.sii_key))], [(kit / told["ca"]).read_bytes()])
    assert codes(verify(xml, trust=trust, at=AT)) == ({code} if code else set())


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        ("<SeqCesion>1", "<SeqCesion>2", "CESSION-CHAIN"),
        ("<MontoCesion>230992", "<MontoCesion>230993", "CESSION-AMOUNT"),
        ("<RutCesionario>7", "<RutCesionario>8", "CESSION-CHAIN"),
    ],
)
def test_a_cession_that_was_changed_is_refused_for_its_own_reason(shared: Path, good: str, bad: str, code: str) -> None:
    item = next(item for item in corpus.items(shared) if item.kind == "aec")
    assert verify(item.data, trust=item.trust, at=corpus.AT).verdict == "accept"
    text = item.data.decode("iso-8859-1")
    assert good in text
    verdict = verify(text.replace(good, bad).encode("iso-8859-1"), trust=item.trust, at=corpus.AT)
    assert code in codes(verdict)
    assert not verdict.facts["header_ok"]


def _without(text: str, begin: str, end: str) -> str:
    """The text without what stands between the last `begin` and the `end` after it."""
    at = text.rindex(begin) + len(begin)
    return text[:at] + text[text.index(end, at) :]


@pytest.mark.needs_shared
def test_every_claim_of_a_cession_is_held_against_what_it_cedes(shared: Path) -> None:
    item = next(item for item in corpus.items(shared) if item.kind == "aec")
    sound = item.data.decode("iso-8859-1")
    cession = sound.index("<Cesion ")

    def found(changed: str) -> set[tuple[str, str]]:
        verdict = verify(changed.encode("iso-8859-1"), trust=item.trust, at=corpus.AT)
        assert verdict.verdict == "reject"
        return {(each.code, each.path) for each in verdict.problems}

    def in_cession(good: str, bad: str) -> set[tuple[str, str]]:
        assert good in sound[cession:]
        return found(sound[:cession] + sound[cession:].replace(good, bad, 1))

    assert ("CESSION-DOCUMENT", "Cesion[0]/IdDTE/Folio") in in_cession("<Folio>25568<", "<Folio>25569<")
    assert ("CESSION-DOCUMENT", "Cesion[0]/IdDTE/MntTotal") in in_cession("<MntTotal>230992<", "<MntTotal>1<")
    assert ("CESSION-DATE", "Cesion[0]/UltimoVencimiento") in in_cession("2019-04-28", "2019-03-28")
    assert ("CESSION-CHAIN", "Cesion[0]/Cedente/RUT") in in_cession("<RUT>76399752-9<", "<RUT>76389992-6<")
    assert ("CESSION-CHAIN", "Caratula/RutCesionario") in in_cession("<RUT>76389992-6<", "<RUT>76399752-9<")
    assert ("SIG-STRUCTURE", "Cesion[0]") in found(_without(sound, "</DocumentoCesion>", "</Cesion>"))
    assert ("SIG-STRUCTURE", "DTECedido") in found(_without(sound, "</DocumentoDTECedido>", "</DTECedido>"))


@pytest.mark.needs_shared
def test_receipts_inside_what_is_ceded_are_verified_too(shared: Path) -> None:
    item = next(item for item in corpus.items(shared) if item.kind == "aec")
    text = item.data.decode("iso-8859-1")
    receipt = (
        '<Recibo version="1.0"><DocumentoRecibo ID="R1"><TmstFirmaRecibo>2019-04-04T09:09:52</TmstFirmaRecibo>'
        "</DocumentoRecibo></Recibo>"
    )
    verdict = verify(
        text.replace("</DocumentoDTECedido>", f"{receipt}</DocumentoDTECedido>").encode("iso-8859-1"),
        trust=item.trust,
        at=corpus.AT,
    )
    assert ("SIG-STRUCTURE", "DTECedido/Recibo[0]") in {(each.code, each.path) for each in verdict.problems}
    assert verdict.verdict == "reject"


@pytest.mark.needs_shared
def test_caf_files_of_the_kit_are_told_apart(shared: Path) -> None:
    kit = shared / "corpus" / "kit"
    told = json.loads((kit / "kit.json").read_text(encoding="utf-8"))
    trust = corpus.trusts(shared)["kit"]
    expired = verify((kit / told["bad"]["caf_expired"]).read_bytes(), trust=trust, at=AT)
    impostor = verify((kit / told["bad"]["caf_impostor"]).read_bytes(), trust=trust, at=AT)
    assert codes(expired) == {"CAF-EXPIRED"}
    assert "CAF-FRMA-INVALID" in codes(impostor)
    for issuer in told["issuers"]:
        for file in issuer["caf"].values():
            verdict = verify((kit / file).read_bytes(), trust=trust, at=AT)
            assert verdict.verdict == "accept", verdict.problems
            assert verdict.facts["key_pair_matches"]
