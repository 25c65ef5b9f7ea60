"""What else the conformance corpus and the reference show of the verifier; the score is in `conformance`."""

from collections import Counter
from pathlib import Path

import pytest

from domain.certificate import CertificateError, rut_of
from domain.verification import verify
from domain.verification.reading import read
from domain.verification.stamps import judge_stamp
from tests.unit.domain.verification import corpus


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
