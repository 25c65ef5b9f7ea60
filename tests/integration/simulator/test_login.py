"""Seeds and tokens, SOAP and REST."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.integration.simulator.client import Answer, Sii, inner, soap_body
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.signing import (
    C14N,
    DSIG,
    Authority,
    Person,
    canonical,
    make_authority,
    make_person,
    naive_canonical,
    sha1,
    signature,
    signed_get_token,
    with_namespaces,
    wrapped,
)


def test_signed_seed_becomes_a_token_of_13_characters(taxpayer: Taxpayer) -> None:
    seed = taxpayer.sii.seed()
    assert len(seed) == 12
    assert seed.isdigit()
    answer = taxpayer.sii.get_token(signed_get_token(taxpayer.person, seed))
    assert (answer.state, answer.get("GLOSA")) == ("00", "Token Creado")
    assert len(answer.get("TOKEN")) == 13
    assert answer.get("TOKEN").isalnum()


def test_rut_may_stand_in_the_subject(taxpayer: Taxpayer, authority: Authority) -> None:
    other = make_person(authority, "12222222-5", in_subject=True)
    taxpayer.sii.control("POST", "/fixtures", {"persons": [{"rut": other.rut}]})
    assert taxpayer.sii.login(other)


def test_seed_serves_once(taxpayer: Taxpayer) -> None:
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    assert taxpayer.sii.get_token(document).state == "00"
    again = taxpayer.sii.get_token(document)
    assert (again.state, again.get("GLOSA")) == ("08", "NO Existe SEED")


def test_seed_dies_after_two_minutes(taxpayer: Taxpayer) -> None:
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    taxpayer.sii.control("POST", "/clock", {"advance": 121})
    answer = taxpayer.sii.get_token(document)
    assert (answer.state, answer.get("GLOSA")) == ("08", "TIME-OUT DEL SEED")


def test_leading_zeros_of_the_seed_do_not_count(taxpayer: Taxpayer) -> None:
    seed = taxpayer.sii.seed().lstrip("0")
    assert taxpayer.sii.get_token(signed_get_token(taxpayer.person, seed)).state == "00"


def test_seed_of_one_channel_is_unknown_in_the_other(taxpayer: Taxpayer) -> None:
    path = taxpayer.sii.hosts["boleta_api"] + "/recursos/v1/boleta.electronica.semilla"
    seed = Answer(taxpayer.sii.http.get(path).text).get("SEMILLA")
    assert taxpayer.sii.get_token(signed_get_token(taxpayer.person, seed)).state == "08"


def test_token_dies_an_hour_after_its_last_use(taxpayer: Taxpayer) -> None:
    token = taxpayer.token
    for _ in range(3):
        taxpayer.sii.control("POST", "/clock", {"advance": 3500})
        assert taxpayer.sii.envelope_state(token, "1").state == "-11"
    taxpayer.sii.control("POST", "/clock", {"advance": 3601})
    assert taxpayer.sii.envelope_state(token, "1").state == "001"
    assert "<STATUS>5</STATUS>" in taxpayer.sii.upload(token, b"x", sender=taxpayer.person.rut).text
    assert taxpayer.sii.envelope_state("XXXXXXXXXXXXX", "1").state == "003"


def test_tokens_can_be_made_to_expire(taxpayer: Taxpayer) -> None:
    token, rest = taxpayer.token, taxpayer.rest_token
    assert taxpayer.sii.control("POST", "/tokens/expire", {"channel": "soap"}) == {"expired": 1}
    assert taxpayer.sii.envelope_state(token, "1").state == "001"
    assert taxpayer.sii.rest("boleta.electronica.envio/76900101-8-1", rest).status_code == 404


def test_each_channel_knows_only_its_own_tokens(taxpayer: Taxpayer) -> None:
    answer = taxpayer.sii.rest("boleta.electronica.envio/76900101-8-1", taxpayer.token)
    assert (answer.status_code, answer.text.strip()) == (401, "NO ESTA AUTENTICADO")
    upload = taxpayer.sii.upload(taxpayer.rest_token, b"x", sender=taxpayer.person.rut)
    assert "<STATUS>5</STATUS>" in upload.text


def test_logins_are_counted_per_person_and_channel(taxpayer: Taxpayer) -> None:
    assert taxpayer.token
    assert taxpayer.rest_token
    logins = taxpayer.sii.control("GET", "/invariants")["logins"]
    assert logins == {"11111111-1 rest": 1, "11111111-1 soap": 1}


def _changed(document: str, old: str, new: str) -> str:
    assert old in document
    return document.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        ("</item>", "</item", "02"),
        ("<Semilla>", "<Semilla>9", "05"),
        ('<Signature xmlns="', '<Signature xmlns="urn:', "04"),
        ("</Transforms>", f'<Transform Algorithm="{C14N}"/></Transforms>', "05"),
        (f"{DSIG}sha1", "http://www.w3.org/2001/04/xmlenc#sha256", "05"),
        (f"{DSIG}rsa-sha1", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "05"),
        ("X509Certificate>", "X509Data2>", "11"),
        ("Semilla>", "Semillas>", "06"),
        ("<Exponent>AQAB", "<Exponent>Aw==", "21"),
    ],
)
def test_wrong_form_is_refused_with_its_state(taxpayer: Taxpayer, old: str, new: str, state: str) -> None:
    document = _changed(signed_get_token(taxpayer.person, taxpayer.sii.seed()), old, new)
    assert taxpayer.sii.get_token(document).state == state


def test_empty_document_is_refused(taxpayer: Taxpayer) -> None:
    assert taxpayer.sii.get_token("").state == "01"


def test_prefixed_signature_is_an_internal_error(taxpayer: Taxpayer) -> None:
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    head, _, tail = document.partition("<Signature")
    prefixed = tail.replace("</", "</ds:").replace("<", "<ds:").replace("<ds:/ds:", "</ds:")
    prefixed = ("<ds:Signature" + prefixed).replace("xmlns=", "xmlns:ds=").replace("</ds:getToken>", "</getToken>")
    assert taxpayer.sii.get_token(head + prefixed).state == "10"


def test_key_info_without_key_value_is_refused(taxpayer: Taxpayer) -> None:
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    start, end = document.index("<KeyValue>"), document.index("</KeyValue>") + len("</KeyValue>")
    assert taxpayer.sii.get_token(document[:start] + document[end:]).state == "05"


def test_stranger_of_another_authority_is_not_let_in(taxpayer: Taxpayer) -> None:
    stranger = make_person(make_authority("OTRA CA"), taxpayer.person.rut)
    answer = taxpayer.sii.get_token(signed_get_token(stranger, taxpayer.sii.seed()))
    assert answer.state == "-3"
    assert answer.get("GLOSA") == "Error en Autenticación"


def test_expired_certificate_is_not_let_in(taxpayer: Taxpayer, authority: Authority) -> None:
    old = make_person(authority, taxpayer.person.rut, days=1)
    taxpayer.sii.control("POST", "/clock", {"advance": 2 * 86400})
    assert taxpayer.sii.get_token(signed_get_token(old, taxpayer.sii.seed())).state == "-3"


def test_unknown_person_is_not_let_in(taxpayer: Taxpayer, authority: Authority) -> None:
    unknown = make_person(authority, "13333333-9")
    assert taxpayer.sii.get_token(signed_get_token(unknown, taxpayer.sii.seed())).state == "-07"


def _loose(person: Person, seed: str, *, item: bool, named: bool, transform: str, sha256: bool) -> str:
    """A getToken document as programs in use send it."""
    identifier = ' ID="IdAFirmar"' if named else ""
    inside = f"<Semilla>{seed}</Semilla>"
    inside = f"<item{identifier}>{inside}</item>" if item else inside
    plain = f"<getToken>{inside}</getToken>"
    uri = "#IdAFirmar" if named else ""
    element = signature(person, sha1(canonical(plain)), uri, transform=transform)
    if sha256:
        info = element[element.index("<SignedInfo>") : element.index("<SignatureValue>")]
        data = canonical(with_namespaces(info, f'xmlns="{DSIG}"'))
        value = person.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        start, end = element.index("<SignatureValue>") + len("<SignatureValue>"), element.index("</SignatureValue>")
        element = element[:start] + wrapped(value) + element[end:]
    return plain.replace("</getToken>", element + "\n</getToken>")


_LOOSE = [
    ({"item": False, "named": False, "transform": C14N, "sha256": True}, 4),
    ({"item": True, "named": True, "transform": C14N, "sha256": True}, 4),
    ({"item": False, "named": False, "transform": f"{DSIG}enveloped-signature", "sha256": False}, 2),
]


@pytest.mark.parametrize(("form", "departures"), _LOOSE)
def test_seeds_as_programs_in_use_sign_them_are_let_in_and_noted(
    taxpayer: Taxpayer, form: dict[str, Any], departures: int
) -> None:
    sii = taxpayer.sii
    assert sii.get_token(_loose(taxpayer.person, sii.seed(), **form)).state == "00"
    (entry,) = [e for e in sii.control("GET", "/ledger") if e["operation"] == "getToken"]
    assert len(entry["warnings"]) == departures, entry["warnings"]
    assert all(warning.startswith("seed: ") for warning in entry["warnings"])
    sii.control("POST", "/switches", {"seed_signature": "strict"})
    assert sii.get_token(_loose(taxpayer.person, sii.seed(), **form)).state in {"05", "06"}


@pytest.mark.parametrize("form", [form for form, _ in _LOOSE])
def test_a_loose_seed_that_was_changed_is_refused(taxpayer: Taxpayer, form: dict[str, Any]) -> None:
    sii = taxpayer.sii
    document = _loose(taxpayer.person, sii.seed(), **form)
    seed = document.partition("<Semilla>")[2].partition("<")[0]
    assert sii.get_token(document.replace(seed, sii.seed())).state == "05"
    other = document.replace("<Exponent>AQAB", "<Exponent>Aw==")
    assert sii.get_token(other).state == "21"


def test_a_seed_in_the_manuals_form_is_noted_as_nothing(taxpayer: Taxpayer) -> None:
    assert taxpayer.sii.get_token(signed_get_token(taxpayer.person, taxpayer.sii.seed())).state == "00"
    (entry,) = [e for e in taxpayer.sii.control("GET", "/ledger") if e["operation"] == "getToken"]
    assert entry["warnings"] == []


def test_naive_canonical_form_does_not_verify(taxpayer: Taxpayer) -> None:
    """A signature over what lxml writes for an element inside a tree is wrong although lxml verifies it."""
    seed = taxpayer.sii.seed()
    good = signed_get_token(taxpayer.person, seed)
    value = taxpayer.person.sign(naive_canonical(good, f".//{{{DSIG}}}SignedInfo"))
    start, end = good.index("<SignatureValue>") + len("<SignatureValue>"), good.index("</SignatureValue>")
    assert taxpayer.sii.get_token(good[:start] + wrapped(value) + good[end:]).state == "05"
    assert taxpayer.sii.get_token(good).state == "00"


def test_form_of_the_tests_is_the_published_vector(person: Person) -> None:
    """SII protocol, 3.2: digest of the document, length and digest of its canonical SignedInfo."""
    plain = "<getToken><item><Semilla>030530912644</Semilla></item></getToken>"
    digest = sha1(canonical(plain))
    assert wrapped(digest).strip() == "l2s9BqLppHaWo+w1Al1J5SsYScs="
    element = signature(person, digest, "", transform=f"{DSIG}enveloped-signature")
    info = element[element.index("<SignedInfo>") : element.index("<SignatureValue>")]
    form = canonical(with_namespaces(info, f'xmlns="{DSIG}"'))
    assert len(form) == 546
    assert wrapped(sha1(form)).strip() == "Qth53tUXpwnro0IvVQO+Wjvn+YI="


def test_soap_without_its_action_is_a_fault(sii: Sii) -> None:
    answer = sii.raw_soap("CrSeed.jws", soap_body("getSeed", {}), {})
    assert answer.status_code == 500
    assert "no SOAPAction header!" in answer.text


@pytest.mark.parametrize(
    "namespace",
    [
        "http://DefaultNamespace",
        "https://maullin.sii.cl/DTEWS/CrSeed.jws",
        "https://palena.sii.cl/DTEWS/CrSeed.jws",
        "",
    ],
)
def test_operation_is_found_by_its_local_name(sii: Sii, namespace: str) -> None:
    """In the namespace of the WSDLs, in that of the manuals, in none: programs with live runs use each."""
    body = soap_body("getSeed", {}, namespace)
    assert sii.raw_soap("CrSeed.jws", body).status_code == 200
    sii.control("POST", "/switches", {"soap_namespace": "default"})
    assert (sii.raw_soap("CrSeed.jws", body).status_code == 200) == (namespace == "http://DefaultNamespace")


@pytest.mark.parametrize("body", [soap_body("getSeeds", {}), soap_body("getSeed", {"Rut": "1"})])
def test_wrong_operation_is_a_fault(sii: Sii, body: bytes) -> None:
    answer = sii.raw_soap("CrSeed.jws", body)
    assert answer.status_code == 500
    assert "<faultstring>No such operation &apos;getSeed" in answer.text


@pytest.mark.parametrize("names", [("RutCompania", "DvCompania"), ("Rut", "Dv"), ("RutEmpresa", "DvEmpresa")])
def test_parameters_are_taken_by_their_place(taxpayer: Taxpayer, names: tuple[str, str]) -> None:
    values = dict(zip((*names, "TrackId", "Token"), ("76900101", "8", "1", taxpayer.token), strict=True))
    assert taxpayer.sii.soap("QueryEstUp.jws", "getEstUp", values).state == "-11"
    fewer = soap_body("getEstUp", dict(list(values.items())[:3]))
    assert "No such operation" in taxpayer.sii.raw_soap("QueryEstUp.jws", fewer).text
    taxpayer.sii.control("POST", "/switches", {"soap_bind": "name"})
    answer = taxpayer.sii.raw_soap("QueryEstUp.jws", soap_body("getEstUp", values))
    assert ("No such operation" in answer.text) == (names[0] != "RutCompania")


def test_body_that_is_no_xml_is_a_fault(sii: Sii) -> None:
    assert "SAXParseException" in sii.raw_soap("CrSeed.jws", b"no").text


def test_namespace_of_the_manuals_is_a_switch(sii: Sii) -> None:
    sii.control("POST", "/switches", {"soap_namespace": "jws"})
    assert sii.raw_soap("CrSeed.jws", soap_body("getSeed", {})).status_code == 500
    body = soap_body("getSeed", {}, "https://maullin.sii.cl/DTEWS/CrSeed.jws")
    assert sii.raw_soap("CrSeed.jws", body).status_code == 200


def test_forms_of_an_answer_follow_their_switches(sii: Sii) -> None:
    fixed = {"hdr_order": "body_first", "inner_form": "crlf", "return_prefix": "ns1"}
    sii.control("POST", "/switches", fixed)
    answer = sii.raw_soap("CrSeed.jws", soap_body("getSeed", {}))
    assert "&#xd;" in answer.text
    assert "<ns1:getSeedReturn" in answer.text
    text = inner(answer.content)
    assert text.index("RESP_BODY") < text.index("RESP_HDR")
    sii.control("POST", "/switches", {"hdr_order": "hdr_first"})
    text = inner(sii.raw_soap("CrSeed.jws", soap_body("getSeed", {})).content)
    assert text.index("RESP_HDR") < text.index("RESP_BODY")


def test_accents_travel_as_utf8_or_mislabelled(taxpayer: Taxpayer) -> None:
    stranger = make_person(make_authority("OTRA CA"), taxpayer.person.rut)
    for charset, encoding in (("utf8", "utf-8"), ("latin1_mislabelled", "iso-8859-1")):
        taxpayer.sii.control("POST", "/switches", {"charset": charset})
        body = soap_body("getToken", {"pszXml": signed_get_token(stranger, taxpayer.sii.seed())})
        content = taxpayer.sii.raw_soap("GetTokenFromSeed.jws", body).content
        assert b'encoding="UTF-8"' in content
        assert "Autenticación".encode(encoding) in content


def test_services_say_that_they_live(sii: Sii) -> None:
    assert sii.soap("QueryEstDte.jws", "getState", {}).get("ESTADO") == "0"
    assert sii.soap("QueryEstDte.jws", "getVersion", {}).get("VERSION") == "1.0.0"
