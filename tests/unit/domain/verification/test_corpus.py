"""Every file of the conformance corpus gets the verdict and the facts that its makers found by other means."""

from collections import Counter
from pathlib import Path

import pytest

from domain.certificate import CertificateError, rut_of
from domain.verification import verify
from domain.verification.reading import read
from domain.verification.stamps import judge_stamp
from tests.unit.domain.verification import corpus

HIDDEN_BY_WRAPPING = {"v-xsw-01-original-in-object"}
"""Items whose makers list the totals of a second document, hidden where no document belongs; it is not read here."""


@pytest.mark.needs_shared
def test_every_item_gets_the_verdict_and_the_facts_of_the_manifest(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong = {}
    for item in corpus.items(shared):
        verdict = verify(item.data, trust=item.trust, at=corpus.AT).as_dict()
        differs = {
            name: (value, verdict.get(name)) for name, value in item.expected.items() if verdict.get(name) != value
        }
        total[item.kind] += 1
        score[item.kind] += not differs
        if differs:
            wrong[item.identifier] = differs
    with capsys.disabled():
        print("\ncorpus: " + ", ".join(f"{kind} {score[kind]}/{total[kind]}" for kind in sorted(total)))
    assert wrong == {}
    assert sum(total.values()) >= 60


@pytest.mark.needs_shared
def test_real_files_that_hold_in_every_fact_are_accepted(shared: Path) -> None:
    """The manifest gives real files no verdict; what it says of their facts leaves only one."""
    for item in corpus.items(shared):
        facts = [value for value in item.expected.values() if isinstance(value, bool)]
        if item.kind in ("dte", "envio", "aec", "ted") and "verdict" not in item.expected:
            verdict = verify(item.data, trust=item.trust, at=corpus.AT)
            assert verdict.verdict == ("accept" if all(facts) else "reject"), (item.identifier, verdict.problems)


@pytest.mark.needs_shared
def test_totals_are_read_as_written(shared: Path) -> None:
    for item in corpus.items(shared):
        if item.identifier in HIDDEN_BY_WRAPPING:
            continue
        verdict = verify(item.data, trust=item.trust, at=corpus.AT)
        read_totals = {str(each["id"]): each["totals"] for each in verdict.documents}
        assert item.totals.keys() <= read_totals.keys(), item.identifier
        for name, values in item.totals.items():
            found = read_totals[name]
            assert isinstance(found, dict)
            assert {tag: found.get(tag) for tag in values} == values, item.identifier


@pytest.mark.needs_shared
def test_where_documents_verify_is_said(shared: Path) -> None:
    scopes = Counter(
        str(document["signature_scope"])
        for item in corpus.items(shared)
        for document in verify(item.data, trust=item.trust, at=corpus.AT).documents
        if document["signature_valid"]
    )
    assert scopes["alone_sii_ns"] > 20
    assert scopes["alone_no_ns"] >= 2
    assert set(scopes) <= {"alone_sii_ns", "alone_no_ns", "in_place"}


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "rut"),
    [
        ("DTE--60910000-1--33--2336600-cert.pem", "8480437-1"),
        ("DTE--76354771-K--33--170-cert.pem", "13185095-6"),
        ("prueba-sii-cert.pem", "7880442-4"),
        ("TEST-DTE-WITH-ID-BUT-NO-RUT.der", None),
    ],
)
def test_certificates_carry_their_rut_under_either_number(shared: Path, name: str, rut: str | None) -> None:
    from cryptography import x509  # noqa: PLC0415

    data = (shared / "corpus" / "certs" / name).read_bytes()
    certificate = x509.load_pem_x509_certificate(data) if b"-----" in data else x509.load_der_x509_certificate(data)
    if rut is None:
        with pytest.raises(CertificateError) as refused:
            rut_of(certificate)
        assert refused.value.problems[0].code == "CERT-WITHOUT-RUT"
    else:
        assert rut_of(certificate) == rut


@pytest.mark.needs_shared
def test_the_stamp_that_the_sii_published_holds(shared: Path) -> None:
    import json  # noqa: PLC0415

    vector = json.loads((shared / "corpus" / "vectors" / "sii-ted-f27.json").read_text(encoding="utf-8"))
    ted = f'<TED version="1.0">{vector["DD"]}<FRMT algoritmo="SHA1withRSA">{vector["FRMT"]}</FRMT></TED>'
    root = read(ted.encode("iso-8859-1")).root
    stamp = judge_stamp(root, trust=corpus.trusts(shared)["sii"], path="TED", raw=lambda: None)
    assert (stamp.valid, stamp.caf_valid, stamp.problems) == (True, True, ())


@pytest.mark.needs_shared
@pytest.mark.parametrize("folder", ["types", "."])
def test_reference_vectors_are_accepted(shared: Path, folder: str) -> None:
    from domain.verification import Trust  # noqa: PLC0415

    vectors = shared / "reference" / "vectors"
    trust = Trust.with_keys([(999, (vectors / "synthetic-sii-key-idk999.pub.pem").read_bytes())])
    verdicts = {
        file.name: verify(file.read_bytes(), trust=trust, at=corpus.AT)
        for file in sorted((vectors / folder).glob("*.xml"))
    }
    refused = {name for name, verdict in verdicts.items() if verdict.verdict == "reject"}
    # its certificate is not that of its key, by the SII's own making
    assert refused <= {"F60T33-sii-official-example.xml"}
    assert len(verdicts) > len(refused)
    assert all(
        verdict.facts["totals_consistent"] and verdict.facts["coherent"]
        for verdict in verdicts.values()
        if verdict.kind == "envio"
    )
