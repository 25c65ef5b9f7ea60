"""The simulator's own conformance: what it must get right before anybody's client is judged by it.

In the order of its specification: canonical form, the official example, wrong scopes, wrong shapes, the stamp, changed
bytes, CAFs, samples (see `test_samples.py`), chaos that repeats, and other people's verifiers.
"""

import base64
import datetime as dt
import hashlib
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import xmlsec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from deploy.sandbox.sii.caf import Range, authorise
from deploy.sandbox.sii.extraction import pieces
from deploy.sandbox.sii.invariants import invariants
from deploy.sandbox.sii.keys import PublicKey, keep_key
from deploy.sandbox.sii.lenient_login import canonical as canonical_in_place
from deploy.sandbox.sii.reading import NotXmlError, children, find, read, text_of
from deploy.sandbox.sii.registry import Document
from deploy.sandbox.sii.stamp import flat
from tests.integration.simulator.chaos import CHAOS, models_of, run_of
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import (
    COMPANY,
    SANTIAGO,
    Caf,
    Cover,
    Sale,
    envelope,
    signed_dte,
)
from tests.integration.simulator.signing import (
    C14N,
    DSIG,
    SII,
    XSI,
    Authority,
    Person,
    b64,
    canonical,
    naive_canonical,
    sha1,
    signature,
    signed_get_token,
    with_namespaces,
)
from tests.integration.simulator.workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path, authority: Authority, person: Person) -> Workbench:
    return Workbench.at(tmp_path, authority, person)


# --- 1 and 2: canonical forms ---

SEED = "030530912644"


def test_published_vector_is_reproduced_and_accepted_by_the_simulators_canonicaliser(person: Person) -> None:
    root = read(signed_get_token(person, SEED).encode())
    info = find(root, "Signature/SignedInfo")
    assert info is not None
    form = canonical_in_place(info)
    assert (len(form), b64(sha1(form))) == (546, "Qth53tUXpwnro0IvVQO+Wjvn+YI=")
    assert text_of(info, "Reference/DigestValue") == "l2s9BqLppHaWo+w1Al1J5SsYScs="


def test_official_example_has_its_digests_in_the_scopes_that_were_recomputed(shared: Path) -> None:
    data = (shared / "reference/sii-samples/envio-dte-f60t33-oficial-2003.xml").read_bytes()
    (piece,) = pieces(data, 1)
    document, own = children(piece.alone())
    whole, outer = children(read(data))
    assert b64(sha1(canonical_in_place(document))) == "hlmQtu/AyjUjTDhM3852wvRCr8w="
    assert canonical_in_place(document).startswith(b"<Documento ID=")
    assert b64(sha1(canonical_in_place(whole))) == "4OTWXyRl5fw3htjTyZXQtYEsC3E="
    assert _apex(canonical_in_place(whole)) >= {"xmlns", "xmlns:xsi"}
    for signed, element, names in ((document, own, {"xmlns"}), (whole, outer, {"xmlns", "xmlns:xsi"})):
        info = find(element, "SignedInfo")
        assert info is not None
        assert _apex(canonical_in_place(info)) == names
        assert text_of(info, "Reference/DigestValue") == b64(sha1(canonical_in_place(signed)))


def _apex(form: bytes) -> set[str]:
    """Names of the attributes on the first tag of a canonical form."""
    return set(re.findall(r"([\w:]+)=", form[: form.index(b">")].decode()))


# --- 3 and 4: wrong canonical forms, wrong shapes ---


def test_naive_canonical_form_of_a_document_is_refused(taxpayer: Taxpayer) -> None:
    body = Sale(1).body(taxpayer.cafs[33])
    wrong = sha1(naive_canonical(f'<DTE xmlns="{SII}" version="1.0">{body}</DTE>', f"{{{SII}}}Documento"))
    assert wrong != sha1(canonical(with_namespaces(body, f'xmlns="{SII}"')))
    dte = signed_dte(body, taxpayer.person, digest=wrong)
    track = taxpayer.send(envelope([dte], [33], Cover(taxpayer.person.rut), taxpayer.person))
    assert (taxpayer.state(track), taxpayer.findings(track)) == ("EPR", [["DTE-3-505"]])


def test_naive_canonical_form_of_an_envelope_is_refused(taxpayer: Taxpayer) -> None:
    good = taxpayer.envelope(Sale(1)).decode("iso-8859-1")
    unsigned = good[: good.rindex("<Signature ")]
    text = re.sub(r"^<\?xml.*?\?>", "", unsigned) + "</EnvioDTE>"
    digests = [
        sha1(naive_canonical(text, f"{{{SII}}}SetDTE")),
        sha1(canonical_in_place(children(read(text.encode()))[0])),
    ]
    tracks = []
    for digest in digests:
        element = signature(taxpayer.person, digest, "#SetDoc", f' xmlns:xsi="{XSI}"')
        tracks.append(taxpayer.send(f"{unsigned}{element}</EnvioDTE>\n".encode("iso-8859-1")))
    assert [taxpayer.state(track) for track in tracks] == ["RFR", "EPR"]


SHAPES = ["prefixed", "sha-256", "two transforms", "without KeyValue", "KeyValue last"]


def _misshapen(body: str, person: Person, shape: str) -> str:
    """A DTE whose signature is sound by XML-DSig, but not in the SII's form."""
    digest, transforms, sha = sha1(canonical(with_namespaces(body, f'xmlns="{SII}"'))), [C14N], "sha1"
    if shape == "two transforms":
        transforms = [f"{DSIG}enveloped-signature", C14N]
    methods = f"{DSIG}rsa-sha1", f"{DSIG}sha1"
    if shape == "sha-256":
        sha = "sha256"
        digest = hashlib.sha256(canonical(with_namespaces(body, f'xmlns="{SII}"'))).digest()
        methods = (
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "http://www.w3.org/2001/04/xmlenc#sha256",
        )
    identifier = re.search(r'ID="([^"]+)"', body)
    assert identifier is not None
    listed = "".join(f'<Transform Algorithm="{t}"/>' for t in transforms)
    info = (
        f'<SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/><SignatureMethod Algorithm="{methods[0]}"/>'
        f'<Reference URI="#{identifier.group(1)}"><Transforms>{listed}</Transforms>'
        f'<DigestMethod Algorithm="{methods[1]}"/><DigestValue>{b64(digest)}</DigestValue></Reference></SignedInfo>'
    )
    key_info = person.key_info()
    if shape == "without KeyValue":
        key_info = re.sub(r"<KeyValue>.*</KeyValue>", "", key_info, flags=re.DOTALL)
    if shape == "KeyValue last":
        key_info = re.sub(r"(<KeyValue>.*</KeyValue>)(<X509Data>.*</X509Data>)", r"\2\1", key_info, flags=re.DOTALL)
    declared = f'xmlns="{DSIG}"'
    if shape == "prefixed":
        info, key_info = (re.sub(r"<(/?)(\w)", r"<\1ds:\2", text) for text in (info, key_info))
        declared = f'xmlns="{SII}" xmlns:ds="{DSIG}"'
    signed = canonical(re.sub(r"^<([\w:]+)", rf"<\1 {declared}", info, count=1))
    algorithm = hashes.SHA256() if sha == "sha256" else hashes.SHA1()  # noqa: S303 - the SII's algorithm
    value = b64(person.key.sign(signed, padding.PKCS1v15(), algorithm))
    ds = "ds:" if shape == "prefixed" else ""
    return (
        f'<DTE xmlns="{SII}" version="1.0">{body}\n<{ds}Signature {declared}>{info}'
        f"<{ds}SignatureValue>{value}</{ds}SignatureValue>{key_info}</{ds}Signature></DTE>"
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_signature_of_another_shape_is_refused(bench: Workbench, shape: str) -> None:
    dte = _misshapen(Sale(1).body(bench.cafs[33]), bench.person, shape)
    if shape != "without KeyValue":
        assert verified_by_xmlsec(dte.encode("iso-8859-1")), "it is its shape alone that is wrong"
    assert _codes(bench.judged(dte)) == ["DTE-3-505"]
    upload = bench.examined(envelope([dte], [33], Cover(bench.person.rut), bench.person))
    assert upload.final_state == "RSC" or [_codes(d) for d in upload.documents] == [["DTE-3-505"]]


def _codes(document: Document) -> list[str]:
    return [finding.code for finding in document.findings]


# --- 5: the stamp ---


def test_official_stamp_verifies_flat_and_one_over_a_pretty_text_is_a_repair(bench: Workbench, shared: Path) -> None:
    data = (shared / "reference/sii-samples/envio-dte-f60t33-oficial-2003.xml").read_bytes()
    ted = find(children(pieces(data, 1)[0].alone())[0], "TED")
    assert ted is not None
    dd = find(ted, "DD")
    assert dd is not None
    key = PublicKey(*(int.from_bytes(base64.b64decode(text_of(dd, f"CAF/DA/RSAPK/{name}"))) for name in "ME"))
    assert key.verify_base64(flat(dd), text_of(ted, "FRMT"))
    assert not key.verify_base64(etree.tostring(dd), text_of(ted, "FRMT"))
    pretty = signed_dte(Sale(1, pretty_stamp=True).body(bench.cafs[33]), bench.person)
    assert _codes(bench.judged(pretty)) == ["TED-2-510"]
    assert bench.judged(pretty).state == "repaired"


# --- 6: one changed byte ---


def _changes(text: str, start: int, end: int, many: int) -> list[str]:
    """The text with one character changed, at many places between tags from `start` to `end`."""
    places = [m.start(1) + i for m in re.finditer(r">([^<]+)<", text[start:end]) for i in range(len(m.group(1)))]
    chance = random.Random(33)
    changed = []
    for place in chance.sample(places, min(many, len(places))):
        at = start + place
        old = text[at]
        new = "7" if old.isdigit() and old != "7" else "8" if old == "7" else "X" if old != "X" else "Y"
        changed.append(text[:at] + new + text[at + 1 :])
    return changed


def test_one_changed_byte_anywhere_in_a_document_is_refused(bench: Workbench) -> None:
    good = signed_dte(Sale(1).body(bench.cafs[33]), bench.person)
    assert bench.judged(good).state == "accepted"
    found: Counter[str] = Counter()
    for text in _changes(good, good.index("<Encabezado>"), good.index("</Documento>"), 400):
        try:
            document = bench.judged(text)
        except NotXmlError:
            found["unreadable"] += 1
            continue
        assert document.state == "rejected", text
        codes = _codes(document)
        found["DTE-3-505" if "DTE-3-505" in codes else codes[-1]] += 1
    # A changed folio, type, CAF or year is refused before anybody looks at the signature.
    assert set(found) <= {"DTE-3-505", "CAF-3-516", "CAF-3-517", "CAF-3-999", "unreadable"}
    assert found["DTE-3-505"] > 200


def test_one_changed_byte_in_the_caratula_is_refused(bench: Workbench) -> None:
    good = envelope([bench.dte(Sale(1))], [33], Cover(bench.person.rut), bench.person).decode("iso-8859-1")
    start, end = good.index("<Caratula"), good.index("</Caratula>")
    states: Counter[str] = Counter()
    for text in _changes(good, start, end, 60):
        upload = bench.examined(text.encode("iso-8859-1"))
        states[upload.final_state] += 1
        assert not upload.documents
    assert set(states) == {"RSC", "RCT", "RFR"}
    moment = re.search(r"<TmstFirmaEnv>[^<]*:(\d\d)<", good)
    assert moment is not None
    other = f"{(int(moment.group(1)) + 1) % 60:02}"
    later = good[: moment.start(1)] + other + good[moment.end(1) :]
    assert bench.examined(later.encode("iso-8859-1")).final_state == "RFR"


# --- 7: CAFs ---


def test_caf_of_the_other_environment_is_refused(bench: Workbench, tmp_path: Path) -> None:
    authority = keep_key(tmp_path / "production.pem", 65537)
    asked = Range(COMPANY, "FERRETERIA", 33, 1, 99, dt.date(2026, 11, 1))
    other = Caf.read(authorise(asked, 300, authority).xml)
    assert _codes(bench.judged(signed_dte(Sale(1).body(other), bench.person))) == ["CAF-3-516"]


@pytest.mark.parametrize(("document_type", "days", "codes"), [(33, 190, ["CAF-3-517"]), (33, 170, []), (39, 730, [])])
def test_folios_of_invoices_expire_and_those_of_boletas_do_not(
    bench: Workbench, document_type: int, days: int, codes: list[str]
) -> None:
    day = dt.datetime.now(SANTIAGO).date() - dt.timedelta(days=days)
    made = bench.world.registry.authorise_folios(Range(COMPANY, "FERRETERIA", document_type, 200_000, 200_099, day))
    body = Sale(200_000, document_type).body(Caf.read(made.xml))
    assert _codes(bench.judged(signed_dte(body, bench.person))) == codes


# --- 9: chaos that repeats ---


def test_ten_thousand_mixed_uploads_under_chaos_give_the_same_ledger_twice(
    tmp_path: Path, authority: Authority, person: Person
) -> None:
    uploads = 10_000
    models = models_of(Workbench.at(tmp_path, authority, person))
    first, second, other = (
        run_of(tmp_path, authority, person, models, many, seed) for many, seed in ((uploads, 1), (uploads, 1), (200, 2))
    )
    assert first.world.ledger.entries == second.world.ledger.entries
    assert invariants(first.world.ledger, first.world.registry, first.world.switches) == invariants(
        second.world.ledger, second.world.registry, second.world.switches
    )
    assert first.world.ledger.entries[:100] != other.world.ledger.entries[:100]
    entries = first.world.ledger.entries
    fired = {name for entry in entries for name in entry["faults"]}
    assert fired >= {rule["fault"].replace("F-STATUS-7", "F-STATUS-n") for rule in CHAOS}
    outcomes = {entry["outcome"] for entry in entries}
    assert outcomes >= {"STATUS 0", "STATUS 5", "STATUS 99", "REC", "EPR", "RFR", "RSC"}
    held = invariants(first.world.ledger, first.world.registry, first.world.switches)
    assert held["doubled"] == 0
    assert not first.world.registry.errors
    assert held["accepted"] > uploads / 2


# --- 10: other people's verifiers ---


def verified_by_xmlsec(data: bytes) -> bool:
    """What xmlsec says of a DTE alone, by the usual recipe: the IDs registered, the key from the certificate."""
    root = read(data, "ISO-8859-1")
    element = children(root)[-1]
    der = base64.b64decode(text_of(element, "KeyInfo/X509Data/X509Certificate"))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(der, xmlsec.constants.KeyDataFormatCertDer)
    xmlsec.tree.add_ids(root, ["ID"])
    try:
        context.verify(element)
    except xmlsec.Error:
        return False
    return True


def verified_by_signxml(data: bytes, person: Person) -> bool:
    """What signxml says of the same: it shares no code with xmlsec. SHA-1 must be allowed by name."""
    verifier = XMLVerifier()
    verifier.excise_empty_xmlns_declarations = True
    configuration = SignatureConfiguration(
        signature_methods=frozenset({SignatureMethod.RSA_SHA1}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA1}),
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
        ignore_ambiguous_key_info=True,
        location="./",
    )
    pem = person.certificate.public_bytes(serialization.Encoding.PEM).decode()
    try:
        verifier.verify(
            read(data, "ISO-8859-1"),
            x509_cert=pem,
            id_attribute="ID",
            expect_config=configuration,
            validate_schema=False,
        )
    except (InvalidSignature, InvalidInput):
        return False
    return True


def test_verdicts_agree_with_xmlsec_and_signxml(bench: Workbench) -> None:
    """Sixty signed files and as many changed ones, each taken as it stands alone."""
    agreed: Counter[bool] = Counter()
    for number in range(1, 61):
        sale = Sale(number, (33, 39)[number % 2], 1000 + 37 * number, item=f"Artículo <{number}> & Cía")
        good = signed_dte(sale.body(bench.cafs[sale.document_type]), bench.person, ("sii", "none")[number % 3 == 0])
        start, end = good.index("<Encabezado>"), good.index("<TED")
        places = [*_changes(good, start, end, 60)]
        changed = places[number % len(places)]
        spoilt = good.replace("<SignatureValue>\n", "<SignatureValue>\nAAAA", 1)
        for text in (good, changed, spoilt):
            data = text.encode("iso-8859-1")
            try:
                ours = "DTE-3-505" not in _codes(bench.judged(text))
            except NotXmlError:
                continue
            if ours and bench.judged(text).state == "rejected":
                continue  # refused before its signature was looked at
            assert verified_by_xmlsec(data) == ours, text
            assert verified_by_signxml(data, bench.person) == ours, text
            agreed[ours] += 1
    assert agreed[True] >= 50
    assert agreed[False] >= 50
