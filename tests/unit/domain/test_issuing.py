"""From a prepared document to the bytes that leave."""

import base64
import datetime as dt
import pickle
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from domain.caf import CafError, StampingCaf
from domain.issuing import SignedDocument, issue
from domain.problems import InvalidDocument
from domain.signature import RsaSigner
from tests.unit.domain import material, referee, samples

Issue = Callable[[material.Sale, int], SignedDocument]


@pytest.mark.parametrize("document_type", [33, 39])
def test_issued_document_is_signed_stamped_and_valid(
    issued: Issue, caf_key: rsa.RSAPrivateKey, document_type: int
) -> None:
    document = issued(material.Sale(document_type=document_type), 7)
    assert document.xml.startswith(b'<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">\n<Documento ID="F7T')
    assert referee.document_holds(document.xml)
    data = document.ted[document.ted.index(b"<DD>") : document.ted.index(b"</DD>") + 5]
    frmt = base64.b64decode(document.ted[document.ted.rindex(b'RSA">') + 5 : document.ted.rindex(b"</FRMT>")])
    caf_key.public_key().verify(frmt, data, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  (fixed by the SII)


ROOTS = {43: "Liquidacion", 110: "Exportaciones", 111: "Exportaciones", 112: "Exportaciones"}


@pytest.mark.parametrize("document_type", samples.SAMPLES)
def test_what_producers_write_becomes_a_signed_document(
    stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner, document_type: int
) -> None:
    prepared = samples.prepared(samples.SAMPLES[document_type]())
    document = issue(prepared, folio=12, caf=stamping_caf(document_type), signer=signer, at=material.AT)
    root = referee.parsed(document.xml)
    assert referee.document_holds(document.xml)
    assert root[0].tag == f"{referee.SII}{ROOTS.get(document_type, 'Documento')}"
    assert root[0].get("ID") == f"F12T{document_type}"
    assert root.findtext(f".//{referee.SII}Folio") == root.findtext(f".//{referee.SII}F") == "12"
    assert root.findtext(f".//{referee.SII}MntTotal") == root.findtext(f".//{referee.SII}MNT") == str(document.total)


def test_document_tells_what_the_ledger_keeps(issued: Issue) -> None:
    document = issued(material.Sale(), 7)
    root = referee.parsed(document.xml)
    assert document.ted in document.xml
    assert document.element_id == "F7T33"
    assert (document.document_type, document.folio, document.total) == (33, 7, 1190)
    assert (document.receiver, document.issued_on) == ("77777777-7", material.TODAY)
    assert root.findtext(f".//{referee.DS}DigestValue") == document.digest_value
    assert "".join(str(root.findtext(f".//{referee.DS}SignatureValue")).split()) == document.signature_value
    assert root.findtext(f".//{referee.SII}TmstFirma") == root.findtext(f".//{referee.SII}TSTED") == material.LOCAL


def test_same_arguments_give_the_same_bytes(issued: Issue) -> None:
    assert issued(material.Sale(), 7) == issued(material.Sale(), 7)


def test_no_line_is_longer_than_the_gateway_takes(issued: Issue) -> None:
    document = issued(material.Sale(items=("Tornillo ñ & <x>" * 5,) * 60), 7)
    assert max(map(len, document.xml.split(b"\n"))) < 4000
    assert b"\r" not in document.xml


def test_line_too_long_is_refused_before_anything_is_issued(issued: Issue) -> None:
    sale = material.Sale(extra_lines="\n" + " " * 4001)
    with pytest.raises(InvalidDocument) as refused:
        issued(sale, 7)
    assert [each.code for each in refused.value.problems] == ["DTE-LINE-TOO-LONG"]


def test_character_outside_the_encoding_is_refused_wherever_it_stands(issued: Issue) -> None:
    for sale in (material.Sale(receiver_name="Café €"), material.Sale(items=("Tornillo", "Ł"))):
        with pytest.raises(InvalidDocument) as refused:
            issued(sale, 7)
        assert [each.code for each in refused.value.problems] == ["DTE-ENCODING"]


def test_document_that_the_schema_refuses_is_not_issued(issued: Issue) -> None:
    with pytest.raises(InvalidDocument) as refused:
        issued(material.Sale(extra_lines="\n<Detalle><NroLinDet>x</NroLinDet></Detalle>"), 7)
    assert {each.code for each in refused.value.problems} == {"SCHEMA-VALUE", "SCHEMA-CONTENT"}
    assert "Documento/Detalle/NroLinDet" in {each.path for each in refused.value.problems}


@pytest.mark.parametrize(
    ("sale", "folio", "at", "codes"),
    [
        (material.Sale(issuer="77900202-0"), 7, material.AT, ["CAF-OTHER-DOCUMENT"]),
        (material.Sale(document_type=61), 7, material.AT, ["CAF-OTHER-DOCUMENT"]),
        (material.Sale(), 0, material.AT, ["CAF-FOLIO"]),
        (material.Sale(), 2001, material.AT, ["CAF-FOLIO"]),
        (material.Sale(issued_on=dt.date(2026, 10, 31)), 7, material.AT, ["CAF-LATER-THAN-DOCUMENT"]),
        (material.Sale(), 7, dt.datetime(2027, 5, 2, 12, tzinfo=dt.UTC), ["CAF-EXPIRED"]),
    ],
)
def test_caf_of_another_document_never_stamps(
    stamping_caf: Callable[[int], StampingCaf],
    signer: RsaSigner,
    sale: material.Sale,
    folio: int,
    at: dt.datetime,
    codes: list[str],
) -> None:
    with pytest.raises(CafError) as refused:
        issue(sale, folio=folio, caf=stamping_caf(33), signer=signer, at=at)
    assert [each.code for each in refused.value.problems] == codes
    assert pickle.loads(pickle.dumps(refused.value)).problems == refused.value.problems  # noqa: S301  (our own bytes)


def test_last_folio_on_the_last_day_of_the_caf_is_stamped(
    stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner
) -> None:
    last_evening = dt.datetime(2027, 5, 2, 3, 59, tzinfo=dt.UTC)  # 23:59 of 1 May in Chile
    document = issue(material.Sale(), folio=2000, caf=stamping_caf(33), signer=signer, at=last_evening)
    assert b"<TSTED>2027-05-01T23:59:00</TSTED>" in document.ted
