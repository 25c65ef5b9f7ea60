"""CAF files: read letter by letter, one code per fault, judged against an issuer and a day."""

import datetime as dt
import hashlib
import html
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key

from domain.caf import (
    SII_PUBLIC_KEYS,
    CafError,
    StampingCaf,
    check_caf,
    environment_of,
    expires_on,
    frma_valid,
    other_name,
    read_authorisation,
    read_caf,
)
from domain.verification import Trust, Verdict, verify
from tests.unit.domain import material

LATIN = "iso-8859-1"


def _codes(data: bytes) -> list[str]:
    with pytest.raises(CafError) as refused:
        read_caf(data)
    assert all(problem.message for problem in refused.value.problems)
    return [problem.code for problem in refused.value.problems]


def test_golden_file_is_read_letter_by_letter(golden: Path) -> None:
    caf = read_caf((golden / "caf-33.xml").read_bytes())
    assert (caf.issuer, caf.document_type, caf.first, caf.last) == ("97975000-5", 33, 1, 50)
    assert (caf.authorised_on, caf.idk, caf.exponent) == (dt.date(2026, 11, 1), 999, 3)
    assert caf.razon_social == "EMPRESA DE PRUEBA & ÑANDÚ LTDA"
    assert "<RS>EMPRESA DE PRUEBA &amp; ÑANDÚ LTDA</RS>".encode(LATIN) in caf.caf_xml
    assert hashlib.sha1(caf.signed).hexdigest() == "2329f173f2669f0a822b1e801567556699e16246"  # noqa: S324
    assert frma_valid(caf, {999: [(golden / "idk-999.pub.pem").read_bytes()]}) is True
    assert frma_valid(caf, SII_PUBLIC_KEYS) is None


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8", "utf-8-sig"])
def test_file_saved_again_still_gives_the_same_caf(
    caf_text: str, sii_key: rsa.RSAPrivateKey, line_end: str, encoding: str
) -> None:
    caf = read_caf(caf_text.replace("\n", line_end).encode(encoding))
    assert caf == read_caf(caf_text.encode(LATIN))
    assert caf.razon_social == "FERRETERÍA ÑUBLE & CÍA"
    assert frma_valid(caf, {999: [material.public_pem(sii_key)]}) is True


def test_declared_encoding_and_pretty_printing_change_nothing(caf_text: str) -> None:
    plain = read_caf(caf_text.encode(LATIN))
    declared = caf_text.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert read_caf(declared.encode(LATIN)) == plain
    assert read_caf(caf_text.replace("\n<", "\n\t  <").encode(LATIN)) == plain


def test_windows_signs_in_the_name_stay_the_bytes_that_were_signed(
    caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey
) -> None:
    data = material.caf_file(caf_key, sii_key, name="D\x92ORO").encode(LATIN)
    caf = read_caf(data)
    assert b"<RS>D\x92ORO</RS>" in caf.caf_xml
    assert frma_valid(caf, {999: [material.public_pem(sii_key)]}) is True


@pytest.mark.parametrize(("bits", "exponent"), [(512, 3), (512, 65537), (1024, 3), (2048, 65537)])
def test_keys_of_other_sizes_and_exponents_are_taken(sii_key: rsa.RSAPrivateKey, bits: int, exponent: int) -> None:
    key = material.short_key(bits, exponent)
    caf = read_caf(material.caf_file(key, sii_key).encode(LATIN))
    stamping = StampingCaf.load(caf.caf_xml, caf.private_key_der)
    assert (caf.modulus.bit_length(), caf.exponent) == (bits, exponent)
    assert len(stamping.sign(b"x")) == bits // 8


def test_key_in_indented_armour_or_of_the_other_kind_is_read(caf_text: str, caf_key: rsa.RSAPrivateKey) -> None:
    indented = caf_text.replace("<RSASK>", "<RSASK>\r\n   ").replace("\nMI", "\n    MI")
    other = caf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    named_wrongly = other.replace("BEGIN PRIVATE", "BEGIN RSA PRIVATE").replace("END PRIVATE", "END RSA PRIVATE")
    head, _, tail = caf_text.partition("<RSASK>")
    tail = tail[tail.index("</RSASK>") :]
    plain = read_caf(caf_text.encode(LATIN))
    for text in (indented, f"{head}<RSASK>{other}{tail}", f"{head}<RSASK>{named_wrongly}{tail}"):
        assert read_caf(text.encode(LATIN)) == plain


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        ("</AUTORIZACION>", "", "CAF-UNREADABLE"),
        ("AUTORIZACION>", "OTRA>", "CAF-STRUCTURE"),
        ('<CAF version="1.0">', '<CAF version="2.0">', "CAF-STRUCTURE"),
        ("<IDK>999</IDK>", "", "CAF-STRUCTURE"),
        ("<IDK>999</IDK>", "<IDK>999</IDK><X/>", "CAF-STRUCTURE"),
        ("<DA>", "<!-- x --><DA>", "CAF-STRUCTURE"),
        ("<RS>", "<RS><![CDATA[x]]>", "CAF-STRUCTURE"),
        ("<AUTORIZACION>", "<!DOCTYPE AUTORIZACION><AUTORIZACION>", "CAF-DTD"),
        ("<AUTORIZACION>", '<!DOCTYPE a [<!ENTITY e "x">]><AUTORIZACION>', "CAF-DTD"),
        ("FERRETERÍA", "FERRETERÍA &e;", "CAF-UNREADABLE"),
        (material.ISSUER, "76900101-9", "CAF-RUT"),
        ("<TD>33</TD>", "<TD>38</TD>", "CAF-TYPE"),
        ("<TD>33</TD>", "<TD>033</TD>", None),
        ("<D>1</D><H>100</H>", "<D>100</D><H>1</H>", "CAF-RANGE"),
        ("<D>1</D>", "<D>0</D>", "CAF-RANGE"),
        ("<H>100</H>", "<H>10000000000</H>", "CAF-RANGE"),
        ("<H>100</H>", "<H>١٠٠</H>", "CAF-ENCODING"),
        ("<FA>2026-11-01</FA>", "<FA>2026-11-31</FA>", "CAF-DATE"),
        ("<IDK>999</IDK>", "<IDK>SII</IDK>", "CAF-IDK"),
        ("<E>Aw==</E>", "<E>A</E>", "CAF-PUBLIC-KEY"),
        ("<E>Aw==</E>", "<E>BA==</E>", "CAF-PUBLIC-KEY"),
        ("<E>Aw==</E>", "<E></E>", "CAF-PUBLIC-KEY"),
        ("<M>", "<M>AQAB</M><M>", "CAF-STRUCTURE"),
        ("<E>Aw==</E>", "<E>AQAB</E>", "CAF-KEY-MISMATCH"),
        ("RSA PRIVATE KEY", "EC PRIVATE KEY", "CAF-PRIVATE-KEY"),
        ("\nMI", "\nMJ", "CAF-PRIVATE-KEY"),
        ('SHA1withRSA">', 'SHA1withRSA">*', "CAF-FRMA-UNREADABLE"),
        ("FERRETERÍA ÑUBLE &amp; CÍA", " ", "CAF-NAME"),
        ("FERRETERÍA ÑUBLE &amp; CÍA", "x" * 41, "CAF-NAME"),
        ("FERRETERÍA ÑUBLE &amp; CÍA", "&amp;" * 40, None),
    ],
)
def test_each_fault_has_its_code(caf_text: str, good: str, bad: str, code: str | None) -> None:
    assert good in caf_text
    data = caf_text.replace(good, bad)
    encoded = data.encode("utf-8" if code == "CAF-ENCODING" else LATIN)
    if code is None:
        read_caf(encoded)
    else:
        assert _codes(encoded) == [code]


def test_modulus_that_is_no_key_is_refused(caf_text: str) -> None:
    start, end = caf_text.index("<M>") + 3, caf_text.index("</M>")
    short = (caf_text[:start] + "AQAB" + caf_text[end:]).encode(LATIN)
    assert _codes(short) == ["CAF-PUBLIC-KEY"]
    with pytest.raises(CafError, match="CAF-PUBLIC-KEY"):
        read_authorisation(short)


def test_dsa_key_is_told_apart(caf_text: str) -> None:
    start, end = caf_text.index("<RSAPK>"), caf_text.index("</RSAPK>") + 8
    dsa = f"{caf_text[:start]}<DSAPK><P>AA==</P><Q>AA==</Q><G>AA==</G><Y>AA==</Y></DSAPK>{caf_text[end:]}"
    assert _codes(dsa.encode(LATIN)) == ["CAF-DSA"]


def test_file_without_private_key_is_refused_but_its_public_part_is_read(caf_text: str) -> None:
    start, end = caf_text.index("<RSASK>"), caf_text.index("</RSASK>") + 8
    public = (caf_text[:start] + caf_text[end:]).encode(LATIN)
    assert _codes(public) == ["CAF-WITHOUT-KEY"]
    assert read_authorisation(public).caf_xml == read_caf(caf_text.encode(LATIN)).caf_xml


def test_key_of_another_caf_is_refused(sii_key: rsa.RSAPrivateKey, caf_text: str) -> None:
    other = material.caf_file(material.short_key(), sii_key)
    head, tail = caf_text[: caf_text.index("<RSASK>")], other[other.index("<RSASK>") :]
    assert _codes((head + tail).encode(LATIN)) == ["CAF-KEY-MISMATCH"]


def test_all_faults_come_in_one_answer(caf_text: str) -> None:
    bad = caf_text.replace(material.ISSUER, "1-1").replace("<TD>33", "<TD>0").replace("2026-11-01", "ayer")
    assert sorted(_codes(bad.replace("\nMI", "\nMJ").encode(LATIN))) == [
        "CAF-DATE",
        "CAF-PRIVATE-KEY",
        "CAF-RUT",
        "CAF-TYPE",
    ]


@pytest.mark.parametrize("data", [b"", b"\x00", b"PK\x03\x04", b"{}", "<AUTORIZACION/>".encode("utf-16")])
def test_what_is_no_caf_at_all_is_refused(data: bytes) -> None:
    assert _codes(data) in (["CAF-UNREADABLE"], ["CAF-STRUCTURE"])


def test_huge_file_is_refused_unread(caf_text: str) -> None:
    assert _codes((caf_text + " " * 65536).encode(LATIN)) == ["CAF-TOO-LARGE"]


def test_private_key_shows_nowhere(caf_text: str) -> None:
    caf = read_caf(caf_text.encode(LATIN))
    assert "private_key" not in repr(caf)
    assert "key" not in repr(StampingCaf.load(caf.caf_xml, caf.private_key_der))
    with pytest.raises(CafError) as refused:
        read_caf(caf_text.replace("\nMI", "\nMJ").encode(LATIN))
    assert "MJ" not in str(refused.value)


def test_stamping_needs_the_flat_text_and_an_rsa_key(caf_text: str) -> None:
    caf = read_caf(caf_text.encode(LATIN))
    with pytest.raises(ValueError, match="flat text"):
        StampingCaf.load(b"<CAF/>", caf.private_key_der)
    with pytest.raises(ValueError, match="deserialize"):
        StampingCaf.load(caf.caf_xml, b"")
    with pytest.raises(TypeError, match="RSA"):
        StampingCaf.load(caf.caf_xml, material.pkcs8(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(
    ("document_type", "authorised_on", "last_day"),
    [
        (33, "2026-05-24", "2026-11-24"),
        (61, "2026-08-31", "2027-02-28"),
        (46, "2027-08-31", "2028-02-29"),
        (43, "2026-12-31", "2027-06-30"),
        (56, "2018-07-01", "2019-01-01"),
        (33, "2018-06-30", None),
        (34, "2026-05-24", None),
        (39, "2026-05-24", None),
        (52, "2026-05-24", None),
    ],
)
def test_expiry_is_six_calendar_months_for_types_with_credit(
    document_type: int, authorised_on: str, last_day: str | None
) -> None:
    expected = dt.date.fromisoformat(last_day) if last_day else None
    assert expires_on(document_type, dt.date.fromisoformat(authorised_on)) == expected


@pytest.mark.parametrize(
    ("changed", "findings"),
    [
        ({}, []),
        ({"issuer": "77900202-0"}, [("CAF-OTHER-ISSUER", "error")]),
        ({"today": dt.date(2026, 10, 31)}, [("CAF-FUTURE", "error")]),
        ({"today": dt.date(2027, 4, 1)}, []),
        ({"today": dt.date(2027, 4, 2)}, [("CAF-EXPIRES-SOON", "warning")]),
        ({"today": dt.date(2027, 5, 1)}, [("CAF-EXPIRES-SOON", "warning")]),
        ({"today": dt.date(2027, 5, 2)}, [("CAF-EXPIRED", "error")]),
        ({"keys": {}}, [("CAF-FRMA-UNVERIFIABLE", "warning")]),
        ({"keys": {999: SII_PUBLIC_KEYS[100]}}, [("CAF-FRMA-INVALID", "error")]),
        ({"keys": {999: [b"not a key"]}}, [("CAF-FRMA-INVALID", "error")]),
    ],
)
def test_caf_is_judged_against_issuer_and_day(
    caf_text: str, sii_key: rsa.RSAPrivateKey, changed: dict[str, object], findings: list[tuple[str, str]]
) -> None:
    asked = {
        "issuer": material.ISSUER,
        "environment": "certification",
        "today": material.TODAY,
        "keys": {999: [material.public_pem(material.short_key()), material.public_pem(sii_key)]},
        **changed,
    }
    found = check_caf(read_caf(caf_text.encode(LATIN)), **asked)  # type: ignore[arg-type]  # a table of arguments
    assert [(problem.code, problem.level) for problem in found] == findings


@pytest.mark.parametrize(
    ("idk", "environment", "codes"),
    [
        (100, "certification", []),
        (100, "production", ["CAF-OTHER-ENVIRONMENT"]),
        (300, "production", []),
        (300, "certification", ["CAF-OTHER-ENVIRONMENT"]),
        (999, "production", []),
    ],
)
def test_caf_of_the_other_environment_is_refused(
    caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey, idk: int, environment: str, codes: list[str]
) -> None:
    caf = read_caf(material.caf_file(caf_key, sii_key, idk=idk).encode(LATIN))
    keys = {idk: [material.public_pem(sii_key)]}
    found = check_caf(caf, issuer=material.ISSUER, environment=environment, today=material.TODAY, keys=keys)
    assert [problem.code for problem in found] == codes
    assert (environment_of(idk) is None) is (idk == 999)


@pytest.mark.parametrize(
    ("change", "was"), [("<H>900</H>", "<H>100</H>"), ("<RS>FERRETERÍA", "<RS>FERRETERIA"), ("<IDK>999", "<IDK>0999")]
)
def test_altered_caf_fails_the_siis_signature(caf_text: str, sii_key: rsa.RSAPrivateKey, change: str, was: str) -> None:
    altered = caf_text.replace(was, change) if was in caf_text else caf_text.replace(change, was)
    assert frma_valid(read_caf(altered.encode(LATIN)), {999: [material.public_pem(sii_key)]}) is False


@pytest.mark.parametrize(
    ("idk", "modulus"),
    [
        (
            100,
            (
                "c8fbf00dcb21a55000a585522c5de528a73e0ce16cc03ab1e5ea7de4b2a28111"
                "e352faef8dcb7d51e349abd4b105dcd4f67cf9e13115058c9f0154291b8c7153"
            ),
        ),
        (
            300,
            (
                "9deebfc5eebd96df4c7cf53f1bfa15d85d73ef04c6718f8c07b3f785efee75e7"
                "b4ef5a3ae079c3265a900e45f602890af6fb4fafa2b8d6938f7f011c3585b335"
            ),
        ),
    ],
)
def test_keys_of_the_sii_are_the_published_numbers(idk: int, modulus: str) -> None:
    (pem,) = SII_PUBLIC_KEYS[idk]
    key = load_pem_public_key(pem)
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.public_numbers() == rsa.RSAPublicNumbers(65537, int(modulus, 16))


@pytest.mark.parametrize("document_type", [33, 39, 52, 61, 110])
def test_cafs_given_out_by_the_sii_are_genuine(shared: Path, document_type: int) -> None:
    data = (shared / "corpus" / "caf" / f"real-{document_type}.public.xml").read_bytes()
    caf = read_authorisation(data)
    assert (caf.issuer, caf.document_type, caf.idk) == ("76235291-5", document_type, 100)
    assert caf.razon_social == "DISEÑO Y ENTRETENIMIENTOS WITHIN PLAY LI"
    assert frma_valid(caf) is True


def test_every_caf_of_the_kit_is_read_and_judged(shared: Path) -> None:
    kit = shared / "corpus" / "kit"
    keys = {100: [*SII_PUBLIC_KEYS[100], (kit / "sii" / "100.pub.pem").read_bytes()]}
    files = sorted(kit.glob("issuers/*/caf/*.xml"))
    assert len(files) > 30
    expired = kit / "bad" / "CAF-33-expired.xml"
    for file in (*files, expired):
        caf = read_caf(file.read_bytes())
        found = check_caf(caf, issuer=caf.issuer, environment="certification", today=material.TODAY, keys=keys)
        assert [each.code for each in found] == (["CAF-EXPIRED"] if file == expired else []), file
    impostor = read_caf((kit / "bad" / "CAF-33-impostor.xml").read_bytes())
    assert frma_valid(impostor, keys) is False


@pytest.mark.parametrize(
    ("of_caf", "stated", "told"),
    [
        ("FERRETERIA LA UNION SPA", "Ferretería La Unión SpA", False),
        ("FERRETERIA LA UNION S.A.", "Ferretería La Unión SA", False),
        ("FERRETERIA LA UNION SPA", "Ferretería La Paz SpA", True),
        ("FERRETERIA", "Ferretería La Unión SpA", True),
        ("SOCIEDAD COMERCIAL E IMPORTADORA LA UNION", "Sociedad Comercial e Importadora La Unión Ltda.", False),
        ("", "Ferretería La Unión SpA", False),
    ],
)
def test_issuer_of_another_name_than_the_caf_s_is_told(of_caf: str, stated: str, *, told: bool) -> None:
    problem = other_name(of_caf, stated, "RznSoc")
    assert (problem is not None) == told
    assert problem is None or (problem.level, problem.code) == ("warning", "CAF-RZNSOC")


SAVED_AGAIN: dict[str, Callable[[str], bytes]] = {
    "as it is": lambda text: text.encode("iso-8859-1"),
    "utf-8": lambda text: text.encode(),
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16 without a mark": lambda text: text.encode("utf-16-le"),
    "utf-16 without a declaration": lambda text: text.partition("?>")[2].encode("utf-16-le"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode("iso-8859-1"),
    "blanks around it": lambda text: f"\n\n  {text}\n\n\t".encode("iso-8859-1"),
    "the end of a file of former systems": lambda text: text.encode("iso-8859-1") + b"\x1a",
}
WRAPPED: dict[str, tuple[Callable[[str], bytes], str]] = {
    "a page": (lambda text: f"<html><body>\n{text}</body></html>".encode("iso-8859-1"), "CAF-AROUND"),
    "a page without declaration": (
        lambda text: f"<html><body>{text.partition('?>')[2]}</body></html>".encode("iso-8859-1"),
        "CAF-AROUND",
    ),
    "a mail": (lambda text: f"Estimada Ana:\nva el CAF\n\n{text}".encode("iso-8859-1"), "CAF-AROUND"),
    "a signature": (lambda text: f"{text}\n-- \nAna".encode("iso-8859-1"), "CAF-AROUND"),
    "a mail in utf-16": (lambda text: f"va el CAF: {text}".encode("utf-16"), "CAF-AROUND"),
    "another element": (lambda text: f"<respuesta>{text.partition('?>')[2]}</respuesta>".encode(), "CAF-AROUND"),
    "as a page shows it": (lambda text: html.escape(text).encode("iso-8859-1"), "CAF-AROUND"),
    "two of them": (lambda text: f"{text}{text.partition('?>')[2]}".encode("iso-8859-1"), "CAF-AROUND"),
    "its inner part alone": (
        lambda text: text[text.index("<CAF") : text.index("</CAF>") + 6].encode("iso-8859-1"),
        "CAF-STRUCTURE",
    ),
    "a comment before it": (lambda text: text.replace("<AUTO", "<!-- x --><AUTO", 1).encode(), "CAF-STRUCTURE"),
    "letters that the SII has not": (
        lambda text: text.replace("FERRETER", "FERRETER\u0141").encode("utf-16"),
        "CAF-ENCODING",
    ),
    "half of it": (lambda text: text[: len(text) // 2].encode("utf-16"), "CAF-UNREADABLE"),
    "half a character": (lambda text: text.encode("utf-16")[:-1], "CAF-ENCODING"),
}


def _verdict(data: bytes, sii_key: rsa.RSAPrivateKey) -> Verdict:
    return verify(data, trust=Trust.with_keys([(999, material.public_pem(sii_key))]), at=material.AT)


@pytest.mark.parametrize("name", SAVED_AGAIN)
def test_a_caf_that_was_saved_again_is_the_same_caf(caf_text: str, sii_key: rsa.RSAPrivateKey, name: str) -> None:
    data = SAVED_AGAIN[name](caf_text)
    assert read_caf(data) == read_caf(caf_text.encode("iso-8859-1"))
    verdict = _verdict(data, sii_key)
    assert (verdict.kind, verdict.verdict) == ("caf", "accept"), verdict.problems


@pytest.mark.parametrize("name", WRAPPED)
def test_what_was_done_to_a_caf_is_said_alike_by_whoever_loads_and_who_verifies_it(
    caf_text: str, sii_key: rsa.RSAPrivateKey, name: str
) -> None:
    make, code = WRAPPED[name]
    data = make(caf_text)
    with pytest.raises(CafError) as refused:
        read_caf(data)
    assert [each.code for each in refused.value.problems] == [code]
    verdict = _verdict(data, sii_key)
    assert (verdict.kind, verdict.verdict) == ("caf", "reject")
    assert verdict.problems == refused.value.problems


@pytest.mark.parametrize(
    ("change", "was"), [("2026-10-01", "2026-11-01"), ("<H>999</H>", "<H>100</H>"), ("2025-01-01", "2026-11-01")]
)
def test_an_altered_caf_is_refused_in_the_same_words(
    caf_text: str, sii_key: rsa.RSAPrivateKey, change: str, was: str
) -> None:
    data = caf_text.replace(was, change).encode("iso-8859-1")
    loading = check_caf(
        read_caf(data),
        issuer=material.ISSUER,
        environment="certification",
        today=material.TODAY,
        keys={999: [material.public_pem(sii_key)]},
    )
    assert _verdict(data, sii_key).problems == loading
    assert loading
