"""The simulator's own arithmetic against documents and keys that others made."""

import base64
import datetime as dt
import json
import re
from pathlib import Path

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.sandbox.sii.certificates import Certificate
from deploy.sandbox.sii.extraction import pieces
from deploy.sandbox.sii.keys import PublicKey, make_key, read_private_key, read_public_key
from deploy.sandbox.sii.reading import Element, children, find, read, text_of
from deploy.sandbox.sii.signatures import Signature, verify
from deploy.sandbox.sii.stamp import flat
from tests.integration.simulator.client import track_id
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import Cover, envelope
from tests.integration.simulator.signing import Person

LONG_AGO = dt.datetime(2003, 10, 13, tzinfo=dt.UTC)


def test_made_keys_are_read_again() -> None:
    for exponent in (3, 65537):
        key = make_key(exponent)
        assert key.public.n.bit_length() == 512
        assert read_private_key(key.pem().encode()) == key
        assert read_public_key(key.public.pem().encode()) == key.public
        assert key.public.verify(b"DD", key.sign(b"DD"))
        assert not key.public.verify(b"DX", key.sign(b"DD"))
        assert not key.public.verify_base64(b"DD", "rubbish")


def _official(shared: Path) -> bytes:
    return (shared / "reference/sii-samples/envio-dte-f60t33-oficial-2003.xml").read_bytes()


def _verifies(element: Element, signed: Element) -> bool:
    """Whether xmlsec verifies a Signature with its own KeyValue: the official example's certificate is another's."""
    modulus, exponent = (
        int.from_bytes(base64.b64decode(text_of(element, f"KeyInfo/KeyValue/RSAKeyValue/{name}")))
        for name in ("Modulus", "Exponent")
    )
    key = xmlsec.Key.from_memory(PublicKey(modulus, exponent).pem(), xmlsec.constants.KeyDataFormatPem)
    certificate = Certificate("", modulus, exponent, LONG_AGO, LONG_AGO, trusted=True, key=key)
    return verify(Signature(element, certificate, "", key_matches=True), signed)


def test_official_example_verifies_alone_and_in_place(shared: Path) -> None:
    data = _official(shared)
    root = read(data)
    (piece,) = pieces(data, 1)
    alone = piece.alone()
    document, signature = children(alone)
    assert _verifies(signature, document)
    assert _verifies(children(root)[1], children(root)[0])
    others = list(piece.other_scopes(with_xsi=True))
    assert len(others) == 2  # with SiiDte, with SiiDte and xsi
    assert not any(_verifies(children(other)[1], children(other)[0]) for other in others)


def test_official_stamp_and_caf_verify_flat(shared: Path) -> None:
    (piece,) = pieces(_official(shared), 1)
    ted = find(children(piece.alone())[0], "TED")
    assert ted is not None
    dd, da = find(ted, "DD"), find(ted, "DD/CAF/DA")
    assert dd is not None
    assert da is not None
    numbers = [int.from_bytes(base64.b64decode(text_of(da, path))) for path in ("RSAPK/M", "RSAPK/E")]
    assert len(flat(dd)) == 592
    assert PublicKey(*numbers).verify_base64(flat(dd), text_of(ted, "FRMT"))
    assert not PublicKey(*numbers).verify_base64(flat(dd) + b" ", text_of(ted, "FRMT"))
    sii = read_public_key((shared / "reference/keys/sii_idk_100_certificacion.pub.pem").read_bytes())
    other = read_public_key((shared / "reference/keys/sii_idk_300_produccion.pub.pem").read_bytes())
    frma = text_of(ted, "DD/CAF/FRMA")
    assert sii.verify_base64(flat(da), frma)
    assert not other.verify_base64(flat(da), frma)


@pytest.fixture
def kit(shared: Path, taxpayer: Taxpayer) -> Path:
    """The invented issuers of the corpus, enrolled with their CAFs and the key that signed these."""
    folder = shared / "corpus/kit"
    facts = json.loads((folder / "kit.json").read_text("utf-8"))
    companies, permissions, cafs = [], [], []
    for issuer in facts["issuers"]:
        resolution = {"number": issuer["NroResol"], "date": issuer["FchResol"]}
        rut = issuer["RUTEmisor"]
        companies.append({"rut": rut, "razon_social": issuer["RznSoc"], "resolution": resolution})
        permissions.append({"person": issuer["signer_rut"], "company": rut, "can": ["send", "sign"]})
        cafs += [
            {"xml_base64": base64.b64encode((folder / issuer["caf"][t]).read_bytes()).decode()}
            for t in ("33", "34", "39", "41", "52", "61")
        ]
    body = {
        "authorities": [(folder / facts["ca"]).read_text("ascii")],
        "companies": companies,
        "permissions": permissions,
        "cafs": cafs,
        "caf_keys": [{"idk": 100, "pem": (folder / facts["sii_public_key"]).read_text("ascii")}],
    }
    taxpayer.sii.control("POST", "/fixtures", body)
    # Most of them lost the xmlns of their DTE after signing: see test_corpus.py for how the SII judges that.
    taxpayer.sii.control("POST", "/switches", {"dte_scope": "any", "format_profile": "2019"})
    return folder


def _person(kit: Path, key: str) -> Person:
    facts = json.loads((kit / "kit.json").read_text("utf-8"))
    issuer = next(i for i in facts["issuers"] if i["key"] == key)
    private = serialization.load_pem_private_key((kit / issuer["key_file"]).read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate((kit / issuer["cert"]).read_bytes())
    return Person(issuer["signer_rut"], private, certificate)


def _verdict(taxpayer: Taxpayer, kit: Path, data: bytes, key: str = "ferreteria") -> tuple[str, list[list[str]]]:
    """State and findings of a file; a DTE that comes alone is put into an envelope that is good itself."""
    person = _person(kit, key)
    company = {"ferreteria": "76900101-8", "consultora": "77900202-0"}[key]
    taxpayer.sii.control("POST", "/clock", {"set": "2026-11-24T12:00:00"})
    if b"<Caratula" not in data:
        text = re.sub(r"^\s*<\?xml.*?\?>\s*", "", data.decode("iso-8859-1"))
        data = envelope([text.strip()], [33], Cover(person.rut, company), person)
    token = taxpayer.sii.login(person)
    track = track_id(taxpayer.sii.upload(token, data, sender=person.rut, company=company))
    return taxpayer.sii.envelope_state(token, track, company).state, taxpayer.findings(track)


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("control-envio-33", [[]]),
        ("control-crlf", [[]]),
        ("control-dte-33", [[]]),
        ("control-envio-mixed", [[], []]),
        ("control-type-34", [[]]),
        ("control-type-41", [[]]),
        ("control-type-52", [[]]),
    ],
)
def test_good_documents_of_others_are_accepted(
    shared: Path, kit: Path, taxpayer: Taxpayer, name: str, findings: list[list[str]]
) -> None:
    data = (shared / f"corpus/controls/{name}.xml").read_bytes()
    assert _verdict(taxpayer, kit, data) == ("EPR", findings)


@pytest.mark.parametrize(
    ("name", "state", "findings"),
    [
        ("tamper-01-amount", "EPR", [["TED-3-640", "DTE-3-505"]]),
        ("tamper-03-caratula", "RCT", []),
        ("cert-02-envelope-rutenvia-mismatch", "RFR", []),
        ("cert-03-expired", "RFR", []),
        ("cert-04-keyvalue-of-attacker", "EPR", [["DTE-3-505"]]),
        ("ref-04-digest-of-other-element", "EPR", [["DTE-3-505"]]),
        ("xsw-01-original-in-object", "RSC", []),
        ("xsw-06-signature-of-neighbour", "EPR", [[], ["DTE-3-505"]]),
        ("caf-01-range-altered", "EPR", [["CAF-3-516"]]),
        ("caf-02-folio-out-of-range", "EPR", [["CAF-3-999"]]),
        ("ted-01-of-another-document", "EPR", [["TED-3-640", "TED-3-640"]]),
        ("val-04-iva-wrong", "EPR", [["HED-2-302"]]),
        ("env-01-wrong-count", "RCT", []),
    ],
)
def test_bad_documents_of_others_are_not(
    shared: Path, kit: Path, taxpayer: Taxpayer, name: str, state: str, findings: list[list[str]]
) -> None:
    data = (shared / f"corpus/malicious/{name}.xml").read_bytes()
    assert _verdict(taxpayer, kit, data) == (state, findings)
