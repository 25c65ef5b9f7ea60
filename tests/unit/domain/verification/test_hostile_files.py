"""What an adversary sends is refused for the right reason, in bounded time, and never ends in an error."""

import datetime as dt
import re
import resource
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.dte import sign_document
from domain.verification import reading
from domain.verification.certificates import holder_of
from domain.verification.trust import rsa_key
from tests.unit.domain import material, referee
from tests.unit.domain.verification.forgery import AT, Forge, codes, signer_with

PATIENT = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_sound_files_are_accepted_with_every_fact(forge: Forge) -> None:
    for data in (forge.document(), forge.envelope(), forge.envelope(document_type=39)):
        verdict = forge.judge(data)
        assert verdict.verdict == "accept", verdict.problems
        assert verdict.problems == ()
        assert {each["signature_scope"] for each in verdict.documents} == {"alone_sii_ns"}


def test_amount_with_a_comment_in_it_is_read_whole(forge: Forge) -> None:
    data = forge.document().replace(b"<MntTotal>1190<", b"<MntTotal>1<!-- -->190<")
    verdict = forge.judge(data)
    assert verdict.documents[0]["totals"] == {"MntNeto": "1000", "TasaIVA": "19", "IVA": "190", "MntTotal": "1190"}
    assert verdict.facts["doc_signature_valid"]


def test_instruction_inside_a_value_is_refused(forge: Forge) -> None:
    data = forge.document().replace(b"<MntTotal>1190<", b"<MntTotal>1<?x y?>190<")
    assert codes(forge.judge(data)) == {"XML-INSTRUCTION"}


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE DTE [<!ENTITY a "1190">]>',
        b'<!DOCTYPE DTE SYSTEM "http://127.0.0.1:9/x.dtd">',
        b'<!DOCTYPE DTE [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE DTE [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>',
        b"<!-- <x --><!DOCTYPE DTE>",
    ],
)
def test_document_types_are_refused_unread(forge: Forge, doctype: bytes) -> None:
    document = forge.document()
    for data in (doctype + document, (doctype + document).decode("iso-8859-1").encode("utf-16")):
        assert codes(forge.judge(data)) == {"XML-DTD"}


def test_entities_within_entities_cost_nothing(forge: Forge) -> None:
    laughs = b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    began = time.process_time()
    verdict = forge.judge(b'<!DOCTYPE DTE [<!ENTITY a0 "ha">' + laughs + b"]><DTE a='&a11;'>&a11;</DTE>")
    assert codes(verdict) == {"XML-DTD"}
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "XML-EMPTY"),
        (b" \n", "XML-EMPTY"),
        (b"<DTE", "XML-MALFORMED"),
        (b"\xff\xfe<", "XML-ENCODING"),
        (b'<?xml version="1.0" encoding="UTF-7"?><DTE/>', "XML-ENCODING"),
        (b'<?xml version="1.0" encoding="utf-8"?><DTE>\xf1</DTE>', "XML-MALFORMED"),
        (b"<a>" * 5000, "XML-MALFORMED"),
        (b"<root/>", "KIND-UNKNOWN"),
        (b"\x00" * 100, "XML-NONE"),
        (b"PK\x03\x04 not xml", "XML-NONE"),
    ],
)
def test_what_is_no_document_is_a_verdict_too(forge: Forge, data: bytes, code: str) -> None:
    verdict = forge.judge(data)
    assert (verdict.verdict, codes(verdict)) == ("reject", {code})


def test_a_huge_file_is_not_read(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 1000)
    assert codes(forge.judge(forge.document())) == {"XML-TOO-LARGE"}


def test_a_million_small_elements_stay_in_bounds(forge: Forge) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdict = forge.judge(b'<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">' + b"<a/>" * 1_000_000 + b"</DTE>")
    assert verdict.verdict == "reject"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB


def test_signed_element_moved_aside_is_not_believed(forge: Forge) -> None:
    text = forge.document().decode("iso-8859-1")
    document = re.search(r"<Documento.*</Documento>", text, re.DOTALL)
    assert document is not None
    forged = document[0].replace('ID="F1T33"', 'ID="F9T33"').replace("<MntTotal>1190<", "<MntTotal>9190<")
    for wrapped in (
        text.replace("</Signature>", f"<Object>{document[0]}</Object></Signature>").replace(document[0], forged, 1),
        text.replace(document[0], f"{forged}<Extra>{document[0]}</Extra>"),
        text.replace(document[0], f"{forged}{document[0]}"),
        text.replace(document[0], forged.replace("</Documento>", f"{document[0]}</Documento>")),
    ):
        verdict = forge.judge(wrapped.encode("iso-8859-1"))
        assert verdict.verdict == "reject"
        assert not verdict.facts["doc_signature_valid"]


def test_an_id_that_occurs_twice_is_not_believed(forge: Forge) -> None:
    data = forge.document().replace(b"<Encabezado>", b'<Encabezado ID="F1T33">')
    assert "SIG-DUPLICATE-ID" in codes(forge.judge(data))
    doubled = forge.envelope().replace(b'ID="F2T33"', b'ID="F1T33"').replace(b"#F2T33", b"#F1T33")
    assert "SIG-DUPLICATE-ID" in codes(forge.judge(doubled))


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        (b'URI="#F1T33"', b'URI=""', "SIG-REFERENCE"),
        (b'URI="#F1T33"', b'URI="#F2T33"', "SIG-REFERENCE"),
        (b'URI="#F1T33"', b'URI="F1T33"', "SIG-REFERENCE"),
        (b'URI="#F1T33"', b"URI=\"#xpointer(id('F1T33'))\"", "SIG-REFERENCE"),
        (b"rsa-sha1", b"hmac-sha1", "SIG-ALGORITHM"),
        (b"xmldsig#sha1", b"xmldsig#md5", "SIG-ALGORITHM"),
        (
            b'<Transform Algorithm="http://www.w3.org/TR/2001',
            b'<Transform Algorithm="http://www.w3.org/x',
            "SIG-ALGORITHM",
        ),
        (b"</Transform", b"</Transform", ""),
        (b"<DigestValue>", b"<DigestValue>AAAA", "SIG-DIGEST"),
        (b"<SignatureValue>\n", b"<SignatureValue>\nAAAA", "SIG-VALUE"),
        (b"<X509Certificate>\n", b"<X509Certificate>\nAAAA", "SIG-CERTIFICATE"),
        (b"<KeyInfo>", b"<KeyInfo><KeyName>x</KeyName>", ""),
        (b"<MntTotal>1190<", b"<MntTotal>1191<", "SIG-DIGEST"),
        (b"<TmstFirma>2026", b"<TmstFirma>2025", "SIG-DIGEST"),
    ],
)
def test_a_signature_that_was_changed_does_not_hold(forge: Forge, good: bytes, bad: bytes, code: str) -> None:
    document = forge.document()
    assert code == "" or good in document
    verdict = forge.judge(document.replace(good, bad, 1))
    if code:
        assert code in codes(verdict)
        assert not verdict.facts["doc_signature_valid"]
    assert verdict.verdict == ("reject" if good != bad else "accept")


def test_another_persons_key_does_not_sign_in_his_name(forge: Forge, other_key: rsa.RSAPrivateKey) -> None:
    stranger = signer_with(other_key, lambda key: material.certificate(key, alternative_rut=material.ia5("12222222-5")))
    theirs, ours = forge.document(signer=stranger), forge.document()

    def part(data: bytes, name: bytes) -> bytes:
        return data[data.index(b"<%b>" % name) : data.index(b"</%b>" % name)]

    swapped = theirs.replace(part(theirs, b"X509Certificate"), part(ours, b"X509Certificate"))
    verdict = forge.judge(swapped)
    assert {"SIG-VALUE", "CERT-KEY-VALUE"} <= codes(verdict)
    other_value = ours.replace(part(ours, b"Modulus"), part(theirs, b"Modulus"))
    assert codes(forge.judge(other_value)) == {"CERT-KEY-VALUE"}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        ({"not_after": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)}, "CERT-EXPIRED"),
        ({"not_before": dt.datetime(2026, 12, 1, tzinfo=dt.UTC)}, "CERT-NOT-YET-VALID"),
    ],
)
def test_certificates_are_judged_at_the_time_of_signing(
    forge: Forge, other_key: rsa.RSAPrivateKey, make: dict[str, dt.datetime], code: str
) -> None:
    signer = signer_with(
        other_key,
        lambda key: material.certificate(key, alternative_rut=material.ia5(material.PERSON), **make),  # type: ignore[arg-type]
    )
    verdict = forge.judge(forge.document(signer=signer))
    assert codes(verdict) == {code}
    assert (verdict.facts["certificate_ok"], verdict.facts["doc_signature_valid"]) == (False, True)


def test_a_signature_of_tomorrow_is_not_believed(forge: Forge) -> None:
    assert codes(forge.judge(forge.document(), at=AT - dt.timedelta(days=3))) == {"CERT-SIGNED-IN-FUTURE"}
    assert forge.judge(forge.document(), at=AT + dt.timedelta(days=3000)).verdict == "accept"


def test_a_stamp_of_a_key_that_the_sii_never_gave_is_refused(forge: Forge) -> None:
    impostor = Forge(forge.caf_key, material.short_key(exponent=65537), forge.signer)
    verdict = forge.judge(impostor.document())
    assert codes(verdict) == {"CAF-FRMA-INVALID"}
    assert (verdict.facts["ted_valid"], verdict.facts["caf_valid"]) == (True, False)


def test_a_caf_of_an_unknown_key_is_not_proven(forge: Forge) -> None:
    from domain.verification import Trust, verify  # noqa: PLC0415

    verdict = verify(forge.document(), trust=Trust(), at=AT)
    assert verdict.facts["caf_valid"] is None
    assert (codes(verdict), verdict.verdict) == ({"CAF-FRMA-UNVERIFIABLE"}, "reject")


def test_keys_beyond_all_measure_are_not_tried() -> None:
    assert rsa_key(1 << 20_000 | 1, 3) is None
    assert rsa_key((1 << 512) - 1, 1 << 70 | 1) is None
    assert rsa_key(15, 3) is None
    assert holder_of("A" * 100_000) is None
    assert holder_of("none") is None


def test_documents_of_one_envelope_are_told_apart(forge: Forge) -> None:
    envelope = forge.envelope(3)
    documents = re.findall(rb"<DTE .*?</DTE>", envelope, re.DOTALL)
    for changed, code in (
        (envelope.replace(documents[1], documents[0]), "HEADER-DUPLICATE"),
        (envelope.replace(documents[1], b""), "HEADER-COUNT"),
        (envelope.replace(b"<RutEnvia>11111111-1", b"<RutEnvia>12222222-5"), "HEADER-SENDER"),
        (envelope.replace(b"<RutEmisor>76900101-8", b"<RutEmisor>77777777-7"), "HEADER-ISSUER"),
    ):
        verdict = forge.judge(changed)
        assert code in codes(verdict)
        assert not verdict.facts["header_ok"]
        assert not verdict.facts["env_signature_valid"]


@PATIENT
@given(
    at=st.floats(0, 1), cut=st.integers(0, 60), put=st.binary(max_size=12), which=st.sampled_from(["dte", "envelope"])
)
def test_files_that_were_damaged_anywhere_get_a_verdict(
    forge: Forge, golden_files: dict[str, bytes], at: float, cut: int, put: bytes, which: str
) -> None:
    data = golden_files[which]
    place = int(at * len(data))
    verdict = forge.judge(data[:place] + put + data[place + cut :])
    assert verdict.verdict in ("accept", "reject")
    verdict.as_dict()


@PATIENT
@given(data=st.binary(max_size=400))
def test_any_bytes_get_a_verdict(forge: Forge, data: bytes) -> None:
    for head in (b"", b"<AUTORIZACION><CAF>", b'<DTE xmlns="http://www.sii.cl/SiiDte"><Documento ID="', b"<TED><DD>"):
        assert forge.judge(head + data).verdict == "reject"


@PATIENT
@given(choice=st.randoms(use_true_random=False))
def test_trees_that_were_shuffled_get_a_verdict(forge: Forge, golden_files: dict[str, bytes], choice: object) -> None:
    from random import Random  # noqa: PLC0415

    from lxml import etree  # noqa: PLC0415

    from tests.unit.domain import referee  # noqa: PLC0415

    assert isinstance(choice, Random)
    root = referee.parsed(golden_files[choice.choice(["dte", "envelope"])])
    for _ in range(choice.randint(1, 4)):
        elements = list(root.iter("*"))
        one, other = choice.choice(elements), choice.choice(elements)
        match choice.randrange(4):
            case 0:
                one.text = choice.choice(["", "x", "-1", "9" * 40, "1e9", "NaN", "٣", "2026-13-01", "<&>"])
            case 1 if one.getparent() is not None:
                one.getparent().remove(one)  # type: ignore[union-attr]
            case 2 if one not in list(other.iterancestors()) and one is not other:
                other.append(etree.fromstring(etree.tostring(one, with_tail=False)))
            case _:
                one.attrib["ID"] = choice.choice(["F1T33", "SetDoc", ""])
    verdict = forge.judge(etree.tostring(root, encoding="iso-8859-1"))
    verdict.as_dict()
    assert verdict.verdict in ("accept", "reject")


@pytest.fixture(scope="session")
def golden_files(forge: Forge) -> dict[str, bytes]:
    return {"dte": forge.document(), "envelope": forge.envelope()}


def test_envelope_without_contents_holds_nothing(forge: Forge) -> None:
    whole = forge.envelope(1).decode("iso-8859-1")
    begin, end = whole.index("<SetDTE "), whole.index("</SetDTE>") + len("</SetDTE>")
    verdict = forge.judge((whole[:begin] + whole[end:]).encode("iso-8859-1"))
    assert verdict.verdict == "reject"
    assert {"SCHEMA-CONTENT", "SIG-STRUCTURE"} <= codes(verdict)
    assert (verdict.documents, verdict.facts["env_signature_valid"]) == ([], False)


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        (r"<FRMT [^>]*>[^<]*</FRMT>", "", "TED-STRUCTURE"),
        (r"<CAF .*</CAF>", "", "CAF-STRUCTURE"),
        (r"<M>[^<]*</M>", "<M>AAAA</M>", "CAF-PUBLIC-KEY"),
        (r"(<FRMT [^>]*>)[^<]*", r"\1A", "TED-SIGNATURE"),
        (r"<IT1>[^<]*", "<IT1>" + "x" * 17_000, "TED-STRUCTURE"),
    ],
)
def test_stamp_that_lacks_a_part_or_has_a_strange_one_is_told_why(forge: Forge, good: str, bad: str, code: str) -> None:
    whole = forge.document().decode("iso-8859-1")
    changed, count = re.subn(good, bad, whole, count=1, flags=re.DOTALL)
    assert count == 1
    verdict = forge.judge(changed.encode("iso-8859-1"))
    assert code in codes(verdict)
    assert verdict.facts["ted_valid"] is False


@pytest.mark.parametrize(
    "written",
    [
        '<Totales b="1" a="2">',
        "<Totales kind='\"'>",
        '<Totales version="1&gt;0">',
        '<Totales version="1" xmlns:a="urn:a">',
        '<Totales xmlns="http://www.sii.cl/SiiDte">',
    ],
)
def test_what_was_signed_as_written_and_not_in_its_canonical_form_was_not_signed(forge: Forge, written: str) -> None:
    whole = forge.document().decode("iso-8859-1")
    content = whole[whole.index('ID="F1T33">') + len('ID="F1T33">') : whole.index("</Documento>")]
    for opening, holds in (("<Totales>", True), (written, False)):
        inside = content.replace("<Totales>", opening)
        xml = sign_document(inside, element="Documento", identifier="F1T33", signer=forge.signer).xml
        assert referee.document_holds(xml) is holds
        assert forge.judge(xml).facts["doc_signature_valid"] is holds


@pytest.mark.parametrize("text", ['x="1" y="2"', "x='1'", ' xmlns="" version="1.0">', "<a/>", "&#xD;", "'\"&<>"])
def test_text_that_looks_like_markup_is_text(forge: Forge, text: str) -> None:
    verdict = forge.judge(forge.document(sale=material.Sale(items=(text,), receiver_name=text)))
    assert verdict.verdict == "accept", verdict.problems
