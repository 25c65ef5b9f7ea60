"""What is said in other letters is understood: quotes of stamps, encodings, prefixes, blanks; and nothing else is."""

import base64
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from domain.caf import StampingCaf, frma_valid, read_caf
from domain.dte import PROLOG
from domain.signature import SIGNATURE_NAMESPACE, canonical_signed_info, digest_of, signature_element
from domain.stamp import build_stamp
from domain.verification.reading import moment_of
from tests.unit.domain import material
from tests.unit.domain.verification.forgery import Forge, codes

ITEM = """Tubo 1/2" 'x' <&> ñ"""


def _stamp(forge: Forge, *, signed: tuple[str, str], written: tuple[str, str], encoding: str = "iso-8859-1") -> bytes:
    """A stamp whose quotes (double and single) were signed in some letters and are written in others."""
    ted = forge.document()
    text = ted[ted.index(b"<TED") : ted.index(b"</TED>") + 6].decode("iso-8859-1")
    head, rest = text.split("<IT1>")
    item, tail = escape(ITEM), rest.split("</IT1>", 1)[1]

    def spelt(quotes: tuple[str, str]) -> str:
        return f"{head}<IT1>{item.replace(chr(34), quotes[0]).replace(chr(39), quotes[1])}</IT1>{tail}"

    data = spelt(signed)
    data = data[data.index("<DD>") : data.index("</DD>") + 5]
    frmt = base64.b64encode(forge.caf().sign(data.encode(encoding))).decode()
    whole = spelt(written)
    return f'{whole[: whole.index("RSA", whole.index("</DD>"))]}RSA">{frmt}</FRMT></TED>'.encode("iso-8859-1")


@pytest.mark.parametrize(
    ("signed", "written"),
    [
        (('"', "'"), ('"', "'")),
        (('"', "'"), ("&quot;", "&apos;")),
        (("&quot;", "&apos;"), ("&quot;", "&apos;")),
        (("&quot;", "&apos;"), ('"', "'")),
        (("&quot;", "'"), ('"', "'")),
        (('"', "&apos;"), ('"', "'")),
        (("&#34;", "'"), ("&#34;", "'")),
    ],
)
def test_both_schools_of_quotes_hold(forge: Forge, signed: tuple[str, str], written: tuple[str, str]) -> None:
    verdict = forge.judge(_stamp(forge, signed=signed, written=written))
    assert (verdict.kind, verdict.verdict) == ("ted", "accept"), verdict.problems


@pytest.mark.parametrize("item", ["Monitor 24\" d'Or", "'Silla'", 'Tubo 1/2" x ' + "9" * 60, "Cajón", 'Ñandú "grande"'])
def test_a_stamp_of_this_house_repeats_names_as_the_document_writes_them(forge: Forge, item: str) -> None:
    data = forge.document(sale=material.Sale(items=(item,), receiver_name='D\'Angelo "y Cía"'))
    root = etree.fromstring(PROLOG + data[data.index(b"<DTE") :])
    assert root.findtext(".//{*}IT1") == str(root.findtext(".//{*}NmbItem"))[:40].rstrip()
    assert root.findtext(".//{*}RSR") == str(root.findtext(".//{*}RznSocRecep"))[:40].rstrip()
    assert b"&quot;" not in data
    assert b"&apos;" not in data
    assert forge.judge(data).verdict == "accept"


NAME = """D'ANGELO "HIJO" Ñ"""


@pytest.mark.parametrize("signed", [('"', "'"), ("&quot;", "&apos;"), ("&quot;", "'"), ("&#34;", "&#39;")])
@pytest.mark.parametrize("written", [('"', "'"), ("&quot;", "&apos;")])
def test_quotes_in_the_name_that_the_sii_signed_hold_in_either_form(
    forge: Forge, signed: tuple[str, str], written: tuple[str, str]
) -> None:
    def spelt(quotes: tuple[str, str]) -> str:
        return NAME.replace('"', quotes[0]).replace("'", quotes[1])

    text = material.caf_file(forge.caf_key, forge.sii_key, name=spelt(signed)).replace(spelt(signed), spelt(written))
    file = text.encode("iso-8859-1")
    assert forge.judge(file).verdict == "accept"
    caf = read_caf(file)
    assert frma_valid(caf, {999: [material.public_pem(forge.sii_key)]})
    assert not frma_valid(read_caf(file.replace(b"HIJO", b"HIJA")), {999: [material.public_pem(forge.sii_key)]})
    sale = material.Stamped(material.ISSUER, 33, material.TODAY, "77777777-7", 'Uno "dos"', "1190", "Silla 'x'")
    stamping = StampingCaf.load(caf.caf_xml, caf.private_key_der)
    stamp = build_stamp(sale, folio=1, caf=stamping, at=material.AT)
    again = etree.tostring(etree.fromstring(PROLOG + stamp), encoding="iso-8859-1")
    for each in (stamp, again):
        assert forge.judge(each).verdict == "accept", forge.judge(each).problems


@pytest.mark.parametrize(
    ("stamped", "item", "fits"),
    [
        ("Cajon", "Cajón", True),
        ("Strasse " * 5, "Straße " * 8, True),
        ("DAngelo", "D'Angelo", True),
        ("D Angelo", "D'Angelo", True),
        ("Tubo 1/2", 'Tubo 1/2"', True),
        ("Caja", "Cajón", False),
        ("Cajo", "Cajón", False),
        ("", "Cajón", False),
        ("?", "°", False),
    ],
)
def test_a_stamped_name_may_be_folded_but_not_another(forge: Forge, stamped: str, item: str, *, fits: bool) -> None:
    """The SII accepted stamps whose names are folded to ASCII."""
    text = forge.document(sale=material.Sale(items=(item,))).decode("iso-8859-1")
    begin, end = text.index("<IT1>") + 5, text.index("</IT1>")
    verdict = forge.judge(f"{text[:begin]}{stamped}{text[end:]}".encode("iso-8859-1"))
    assert ("TED-ITEM" not in codes(verdict)) is fits


def test_stamps_that_were_signed_as_utf8_hold_and_others_do_not(forge: Forge) -> None:
    plain = ('"', "'")
    assert forge.judge(_stamp(forge, signed=plain, written=plain, encoding="utf-8")).verdict == "accept"
    assert codes(forge.judge(_stamp(forge, signed=("", "'"), written=plain))) == {"TED-SIGNATURE"}


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        (b"<DD>", b"<XX>", "TED-STRUCTURE"),
        (b"<MNT>1190</MNT>", b"", "TED-STRUCTURE"),
        (b"<RE>76900101-8</RE><TD>33</TD><F>", b"<TD>33</TD><RE>76900101-8</RE><F>", "TED-STRUCTURE"),
        (b'<CAF version="1.0">', b'<CAF version="1.1">', "CAF-STRUCTURE"),
        (b"<F>1</F>", b"<F>101</F>", "CAF-FOLIO"),
        (b"<RR>77777777-7", b"<RR>77777777-8", "RUT-INVALID"),
        (b"<FE>2026-11-24", b"<FE>2026-10-24", "CAF-LATER-THAN-DOCUMENT"),
        (b"<TSTED>2026", b"<TSTED>2027", "CAF-EXPIRED"),
        (b"<TD>33</TD><F>", b"<TD>61</TD><F>", "CAF-OTHER-DOCUMENT"),
    ],
)
def test_stamps_alone_are_refused_for_their_own_reason(forge: Forge, good: bytes, bad: bytes, code: str) -> None:
    plain = ('"', "'")
    data = _stamp(forge, signed=plain, written=plain)
    if b"<XX>" in bad:
        data = data.replace(b"</DD>", b"</XX>")
    verdict = forge.judge(data.replace(good, bad, 1))
    assert code in codes(verdict)
    assert verdict.verdict == "reject"


def test_text_of_windows_under_another_name_is_understood(forge: Forge) -> None:
    """An issuer that writes windows-1252 and says ISO-8859-1 signed the characters that he meant."""
    text = forge.document().decode("iso-8859-1").replace("FERRETERIA ÑUBLE", "FERRETERIA “ÑUBLE”")
    name = "Documento"
    element = text[text.index(f"<{name} ID=") : text.index(f"</{name}>") + len(f"</{name}>")]
    canonical = element.replace(f"<{name} ", f'<{name} xmlns="http://www.sii.cl/SiiDte" ', 1).encode()
    digest = digest_of(canonical)
    value = forge.signer.sign(canonical_signed_info(uri="#F1T33", digest=digest))
    signature = signature_element(uri="#F1T33", digest=digest, value=value, signer=forge.signer)
    whole = f'<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">{element}{signature}</DTE>'
    data = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + whole.encode("windows-1252")
    verdict = forge.judge(data)
    assert verdict.verdict == "accept", verdict.problems
    assert "SIG-DIGEST" in codes(forge.judge(data.replace(b"<MntTotal>1190", b"<MntTotal>1191")))


def test_signatures_with_a_prefix_hold(forge: Forge) -> None:
    text = forge.document().decode("iso-8859-1")
    begin = text.index("<Signature ")
    root = etree.fromstring(text[begin : text.index("</DTE>")])
    prefixed = etree.Element(f"{{{SIGNATURE_NAMESPACE}}}Signature", nsmap={"ds": SIGNATURE_NAMESPACE})
    prefixed.extend(list(root))
    info = prefixed[0]
    etree.cleanup_namespaces(prefixed)
    # in the document, SignedInfo has the SII's namespace in scope too
    alone = etree.tostring(info, method="c14n").decode()
    alone = alone.replace("<ds:SignedInfo ", '<ds:SignedInfo xmlns="http://www.sii.cl/SiiDte" ', 1)
    again = etree.fromstring(alone)
    value = base64.b64encode(forge.signer.sign(etree.tostring(again, method="c14n"))).decode()
    prefixed[1].text = value
    whole = text[:begin] + etree.tostring(prefixed, encoding="unicode") + "</DTE>"
    verdict = forge.judge(whole.encode("iso-8859-1"))
    assert verdict.facts["doc_signature_valid"], verdict.problems
    assert verdict.documents[0]["signature_scope"] == "alone_sii_ns"


def test_a_document_that_holds_only_in_its_envelope_is_accepted_with_a_warning(forge: Forge) -> None:
    xsi = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    text = forge.document().decode("iso-8859-1")
    begin, end = text.index("<Documento "), text.index("</Documento>") + len("</Documento>")
    canonical = text[begin:end].replace("<Documento ", f'<Documento xmlns="http://www.sii.cl/SiiDte"{xsi} ', 1).encode()
    digest = digest_of(canonical)
    value = forge.signer.sign(canonical_signed_info(uri="#F1T33", digest=digest, in_scope=xsi))
    signature = signature_element(uri="#F1T33", digest=digest, value=value, signer=forge.signer)
    document = f'<DTE version="1.0">{text[begin:end]}{signature}</DTE>'
    envelope = forge.envelope(1).decode("iso-8859-1")
    begin, end = envelope.index("<DTE "), envelope.index("</DTE>") + len("</DTE>")
    verdict = forge.judge((envelope[:begin] + document + envelope[end:]).encode("iso-8859-1"))
    assert verdict.documents[0]["signature_scope"] == "in_place"
    assert {("SIG-SCOPE", "warning")} <= {(each.code, each.level) for each in verdict.problems}


def test_other_encodings_of_one_document_are_the_same_document(forge: Forge) -> None:
    text = forge.document().decode("iso-8859-1")
    for data in (
        text.encode("utf-8"),
        b"\xef\xbb\xbf" + text.encode("utf-8"),
        text.encode("utf-16"),
        text.encode("iso-8859-1").replace(b"\n", b"\r\n"),
    ):
        verdict = forge.judge(data)
        assert verdict.facts["doc_signature_valid"], verdict.problems
        assert verdict.verdict == "accept"


def test_times_are_chilean_unless_they_say_otherwise() -> None:
    assert moment_of("2026-11-24T10:15:02") == material.AT
    assert moment_of("2026-11-24T13:15:02+00:00") == material.AT
    assert moment_of("soon") is None
    assert moment_of(None) is None
