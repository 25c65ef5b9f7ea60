"""Signatures: constants equal to what C14N makes of them, and the signed seed."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from domain.schema import official_folder
from domain.signature import (
    ENVELOPED,
    RsaSigner,
    canonical_signed_info,
    digest_of,
    sign_get_token,
    signature_element,
    unsigned_bytes,
    wrapped,
)
from tests.unit.domain import material, referee

SEED = "030530912644"


def test_seed_has_the_digest_and_signed_info_that_were_computed_elsewhere() -> None:
    digest = digest_of(f"<getToken><item><Semilla>{SEED}</Semilla></item></getToken>".encode())
    assert digest == "l2s9BqLppHaWo+w1Al1J5SsYScs="
    signed_info = canonical_signed_info(uri="", digest=digest, transform=ENVELOPED)
    assert len(signed_info) == 546
    assert digest_of(signed_info) == "Qth53tUXpwnro0IvVQO+Wjvn+YI="


def test_signed_seed_is_the_official_form_and_verifies(signer: RsaSigner) -> None:
    token = sign_get_token(SEED, signer)
    root = referee.parsed(token)
    signature = referee.own_signature(root)
    assert [child.tag for child in root] == ["item", f"{referee.DS}Signature"]
    assert root.findtext("item/Semilla") == SEED
    assert referee.signature_holds(root, signature)
    assert referee.canonical(signature[0]) == canonical_signed_info(
        uri="", digest="l2s9BqLppHaWo+w1Al1J5SsYScs=", transform=ENVELOPED
    )
    etree.XMLSchema(etree.parse(official_folder() / "xmldsignature_v10.xsd")).assertValid(signature)


def test_hostile_seed_stays_text(signer: RsaSigner) -> None:
    root = referee.parsed(sign_get_token('1</Semilla><x a="">&', signer))
    assert root.findtext("item/Semilla") == '1</Semilla><x a="">&'
    assert referee.signature_holds(root, referee.own_signature(root))


@pytest.mark.parametrize("scope", ["", ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'])
def test_canonical_signed_info_is_what_c14n_makes_of_the_element(signer: RsaSigner, scope: str) -> None:
    element = signature_element(uri="#F1T33", digest="AAAA", value=b"value", signer=signer)
    root = etree.fromstring(f'<DTE xmlns="http://www.sii.cl/SiiDte"{scope}>{element}</DTE>')
    assert referee.canonical(root[0][0]) == canonical_signed_info(uri="#F1T33", digest="AAAA", in_scope=scope)


def test_key_stands_before_the_certificate_and_lines_are_short(
    signer: RsaSigner, person_key: rsa.RSAPrivateKey
) -> None:
    element = signature_element(uri="#a", digest="AAAA", value=bytes(256), signer=signer)
    root = etree.fromstring(element)
    assert [etree.QName(each).localname for each in root[2]] == ["KeyValue", "X509Data"]
    assert max(map(len, element.split("\n"))) < 1000
    numbers = person_key.public_key().public_numbers()
    modulus = base64.b64decode("".join(str(root.findtext(f".//{referee.DS}Modulus")).split()))
    assert modulus == unsigned_bytes(numbers.n)
    assert modulus[0] != 0
    assert root.findtext(f".//{referee.DS}Exponent") == "AQAB"


def test_base64_is_wrapped_at_76() -> None:
    lines = wrapped(bytes(range(256))).split("\n")
    assert [len(line) for line in lines] == [76, 76, 76, 76, 40]
    assert wrapped(b"") == ""


def test_signer_is_who_the_certificate_names(signer: RsaSigner, golden_signer: RsaSigner) -> None:
    assert signer.rut == golden_signer.rut == material.PERSON
    assert repr(signer) == "RsaSigner(11111111-1)"


def test_only_rsa_keys_sign(person_certificate: x509.Certificate) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(TypeError, match="RSA"):
        RsaSigner.load(material.pkcs8(key), person_certificate.public_bytes(Encoding.DER))


def test_golden_signed_infos_are_the_constants(golden: Path) -> None:
    root = referee.parsed((golden / "envio-dte-33.xml").read_bytes())
    xsi = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    document = canonical_signed_info(uri="#F7T33", digest="/zYgXMlAE6lckm7eM+9pIwYKF2E=")
    envelope = canonical_signed_info(uri="#SetDoc", digest="ReL1qQHqmKcuQwDZ3gWCiIZdtAk=", in_scope=xsi)
    assert hashlib.sha1(document).hexdigest() == "cf2c596f273214e5b2f8bd410a55838e528552d6"  # noqa: S324
    assert hashlib.sha1(envelope).hexdigest() == "89987bf8ed56a05d61e1916734667e8e96f56d61"  # noqa: S324
    digests = [element.text for element in root.iter(f"{referee.DS}DigestValue")]
    assert digests == ["/zYgXMlAE6lckm7eM+9pIwYKF2E=", "ReL1qQHqmKcuQwDZ3gWCiIZdtAk="]
