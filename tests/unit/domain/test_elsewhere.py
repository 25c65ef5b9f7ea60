"""Documents of others: taken out of their files letter by letter, and read from what their signature covers."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.caf import StampingCaf
from domain.changes import Changed
from domain.elsewhere import NotImportable, documents_in, read_document
from domain.envelope import Caratula, build_envelope
from domain.issuing import issue
from domain.problems import DomainError
from domain.signature import RsaSigner
from domain.verification import Trust
from tests.unit.domain import material, samples
from tests.unit.domain.conftest import Issue

LATER = material.AT + dt.timedelta(days=30)


@pytest.fixture(scope="module")
def trust(sii_key: rsa.RSAPrivateKey) -> Trust:
    return Trust({999: (material.public_pem(sii_key),)})


@pytest.fixture(scope="module")
def xml(issued: Issue) -> bytes:
    return issued(material.Sale(receiver_name="Servicio & <Compañía>"), 7).xml


def codes(fault: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [problem.code for problem in fault.value.problems]


def test_a_document_alone_is_its_own_letters(xml: bytes, trust: Trust) -> None:
    assert documents_in(b'<?xml version="1.0" encoding="ISO-8859-1"?>\n' + xml + b"\n") == [xml]
    read = read_document(xml, trust=trust, at=LATER)
    assert (read.issuer, read.document_type, read.folio, read.receiver) == (material.ISSUER, 33, 7, "77777777-7")
    assert (read.total, read.net, read.exempt, read.vat) == (1190, 1000, None, 190)
    assert (read.issued_on, read.idk, read.verified, read.changes) == (material.TODAY, 999, True, ())
    assert read.signature_value.encode() in b"".join(xml.split())


def test_a_document_that_was_saved_anew_is_taken_as_it_was_signed(xml: bytes, trust: Trust) -> None:
    """As the verifier reads it: in UTF-8 whatever it says, in UTF-16, or cut out of its envelope."""
    text = xml.decode("iso-8859-1")
    bare = text.replace(' xmlns="http://www.sii.cl/SiiDte"', "", 1)
    opening = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    for data in (f"{opening}{text}".encode(), text.encode("utf-16"), f"{opening}{bare}".encode("iso-8859-1")):
        (document,) = documents_in(data)
        assert document in (xml, bare.encode("iso-8859-1"))
        assert read_document(document, trust=trust, at=LATER).verified


def test_documents_of_an_envelope_come_in_their_order(
    issued: Issue, signer: RsaSigner, caratula: Caratula, trust: Trust
) -> None:
    documents = [issued(material.Sale(), folio).xml for folio in (3, 1, 2)]
    data = build_envelope(documents, [33] * 3, caratula=caratula, signer=signer, at=material.AT)
    assert documents_in(data) == documents
    assert [read_document(one, trust=trust, at=LATER).folio for one in documents_in(data)] == [3, 1, 2]
    hidden = data.replace(b"<SetDTE", b"<!-- <DTE> --><SetDTE", 1)
    assert documents_in(hidden) == documents


def test_a_prefix_that_the_file_declares_comes_along(xml: bytes, trust: Trust) -> None:
    bare = xml.replace(b' xmlns="http://www.sii.cl/SiiDte"', b"", 1)
    data = b'<EnvioDTE xmlns="http://www.sii.cl/SiiDte"><SetDTE>' + bare + b"</SetDTE></EnvioDTE>"
    (one,) = documents_in(data)
    assert b'xmlns="http://www.sii.cl/SiiDte"' in one
    assert read_document(one, trust=trust, at=LATER).verified
    prefixed = b'<s:EnvioDTE xmlns:s="http://www.sii.cl/SiiDte"><s:SetDTE><s:DTE/></s:SetDTE></s:EnvioDTE>'
    (one,) = documents_in(prefixed)
    with pytest.raises(NotImportable) as refused:
        read_document(one, trust=trust, at=LATER, unverified=True)
    assert set(codes(refused)) == {"IMPORT-INCOMPLETE"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "XML-EMPTY"),
        (b"<!DOCTYPE a><DTE/>", "XML-DTD"),
        (b"<RespuestaDTE/>", "IMPORT-KIND"),
        (b"<EnvioDTE/>", "IMPORT-KIND"),
        (b"<DTE><DTE/></DTE>", "IMPORT-STRUCTURE"),
        (b"<EnvioDTE><SetDTE><DTE/></SetDTE><DTE/></EnvioDTE>", "IMPORT-STRUCTURE"),
        (b"<DTE><![CDATA[<DTE>]]></DTE>", None),
    ],
)
def test_files_without_documents_are_refused(data: bytes, code: str | None) -> None:
    if code is None:
        assert documents_in(data) == [data]
        return
    with pytest.raises(DomainError) as refused:
        documents_in(data)
    assert codes(refused) == [code]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<MntTotal>1190<", b"<MntTotal>1191<", "SIG-DIGEST"),
        (b"<TSTED>2026", b"<TSTED>2025", "TED-SIGNATURE"),
    ],
)
def test_what_is_not_proven_is_refused_unless_asked_for(
    xml: bytes, trust: Trust, old: bytes, new: bytes, code: str
) -> None:
    forged = xml.replace(old, new, 1)
    with pytest.raises(NotImportable) as refused:
        read_document(forged, trust=trust, at=LATER)
    assert code in codes(refused)
    read = read_document(forged, trust=trust, at=LATER, unverified=True)
    assert not read.verified
    assert {problem.level for problem in read.problems} == {"warning"}


def test_a_caf_of_an_unknown_key_proves_nothing(xml: bytes) -> None:
    with pytest.raises(NotImportable) as refused:
        read_document(xml, trust=Trust(), at=LATER)
    assert codes(refused) in (["IMPORT-UNPROVEN"], ["CAF-FRMA-UNVERIFIABLE"])


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (b"<TipoDTE>33<", b"<TipoDTE>35<", "Encabezado/TipoDTE"),
        (b"<Folio>7<", b"<Folio>0<", "Encabezado/Folio"),
        (b"<FchEmis>2026-11-24<", b"<FchEmis>ayer<", "Encabezado/FchEmis"),
        (b"<RUTEmisor>76900101-8<", b"<RUTEmisor>76900101-9<", "Encabezado/RUTEmisor"),
        (b"<MntTotal>1190<", b"<MntTotal>1e3<", "Encabezado/MntTotal"),
    ],
)
def test_what_can_not_be_named_is_never_taken(xml: bytes, trust: Trust, old: bytes, new: bytes, path: str) -> None:
    with pytest.raises(NotImportable) as refused:
        read_document(xml.replace(old, new, 1), trust=trust, at=LATER, unverified=True)
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [("IMPORT-INCOMPLETE", path)]
    with pytest.raises(NotImportable):
        read_document(b"<DTE", trust=trust, at=LATER, unverified=True)


def made(raw: samples.Raw, caf: Callable[[int], StampingCaf], signer: RsaSigner) -> bytes:
    ready = samples.prepared(raw)
    return issue(ready, folio=1, caf=caf(ready.document_type), signer=signer, at=material.AT).xml


def test_notes_say_what_they_change_and_exports_their_decimals(
    stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner, trust: Trust
) -> None:
    note = read_document(made(samples.credit_note(3), stamping_caf, signer), trust=trust, at=LATER)
    assert note.changes == (Changed(33, 10, 3),)
    export = read_document(made(samples.export_note(), stamping_caf, signer), trust=trust, at=LATER)
    assert (str(export.total), export.net, str(export.exempt)) == ("1234.5", None, "1234.5")
    assert export.changes == (Changed(110, 50, 1),)
    unreadable = made(samples.credit_note(3), stamping_caf, signer).replace(b"<FolioRef>10<", b"<FolioRef>diez<")
    assert read_document(unreadable, trust=trust, at=LATER, unverified=True).changes == ()


def test_a_liquidacion_below_zero_says_which_one_it_annuls(
    stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner, trust: Trust
) -> None:
    below = read_document(made(samples.opposite(), stamping_caf, signer), trust=trust, at=LATER)
    assert (below.changes, below.total) == ((Changed(43, 70, 1),), -133_050)
    above = samples.spoilt(samples.settlement(), Referencia=samples.opposite()["Referencia"])
    assert read_document(made(above, stamping_caf, signer), trust=trust, at=LATER).changes == ()


def real_files(shared: Path) -> Iterator[Path]:
    yield from sorted((shared / "corpus").rglob("*.xml"))


def test_real_documents_of_the_corpus_are_read(shared: Path) -> None:
    trust, proven = Trust(), 0
    for path in real_files(shared):
        try:
            found = documents_in(path.read_bytes())
        except DomainError:
            continue
        for one in found:
            try:
                proven += read_document(one, trust=trust, at=LATER).verified
            except NotImportable:
                continue
    assert proven >= 15
