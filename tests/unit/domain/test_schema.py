"""Schemas: where they come from, and what they tell."""

import threading
from collections.abc import Callable

import pytest

from domain.issuing import SignedDocument
from domain.schema import boleta_schema, official_folder, official_schema, own_folder, validate_dte, validate_envelope
from domain.signature import RsaSigner
from tests.unit.domain import material

Issue = Callable[[material.Sale, int], SignedDocument]


def test_official_schemas_are_found_without_importing_the_package() -> None:
    assert (official_folder() / "EnvioDTE_v10.xsd").is_file()
    assert own_folder().joinpath("EnvioBOLETA_v11.xsd").is_file()
    assert official_schema() is official_schema()
    assert boleta_schema() is boleta_schema()


def test_missing_package_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.schema.find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match="cl-sii"):
        official_folder()


@pytest.mark.parametrize(
    ("good", "bad", "code", "path"),
    [
        ("<MntTotal>1190</MntTotal>", "", "SCHEMA-CONTENT", "Documento/Encabezado/Totales"),
        ("<Folio>7</Folio>", "<Folio>0</Folio>", "SCHEMA-VALUE", "Documento/Encabezado/IdDoc/Folio"),
        ("<Folio>7</Folio>", "<Otro>7</Otro>", "SCHEMA-CONTENT", "Documento/Encabezado/IdDoc/Otro"),
        (' ID="F7T33"', "", "SCHEMA-ATTRIBUTE", "Documento"),
        ("<Documento ID", '<Documento otro="x" ID', "SCHEMA-ATTRIBUTE", "Documento"),
        ("<DTE xmlns", "<XXX xmlns", "SCHEMA-XML", ""),
        ("DTE", "EDT", "SCHEMA-ROOT", ""),
        ("<DTE", "<!DOCTYPE DTE><DTE", "SCHEMA-DTD", ""),
        ("<NmbItem>", "<NmbItem>\x01", "SCHEMA-XML", ""),
    ],
)
def test_faults_have_code_place_and_sentence(issued: Issue, good: str, bad: str, code: str, path: str) -> None:
    xml = issued(material.Sale(), 7).xml.decode("iso-8859-1")
    assert good in xml
    first = validate_dte(xml.replace(good, bad).encode("iso-8859-1"))[0]
    assert (first.code, first.path) == (code, path)
    assert "{http" not in first.message or code == "SCHEMA-ROOT"


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE DTE+AD4-+ADw-DTE/+AD4-',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE DTE [<!ENTITY e "x">]><DTE>&e;</DTE>'.encode("utf-16"),
    ],
)
def test_hidden_document_type_is_refused_too(data: bytes) -> None:
    assert [problem.code for problem in validate_dte(data)] in (["SCHEMA-DTD"], ["SCHEMA-XML"])


def test_envelope_is_no_document_and_the_reverse(issued: Issue) -> None:
    for document_type in (33, 39):
        xml = issued(material.Sale(document_type=document_type), 7).xml
        assert validate_dte(xml) == ()
        assert [problem.code for problem in validate_envelope(xml)] == ["SCHEMA-ROOT"]
    assert [problem.code for problem in validate_envelope(b"<EnvioBOLETA/>")] == ["SCHEMA-ROOT"]
    assert [problem.code for problem in validate_envelope(b"")] == ["SCHEMA-XML"]


def test_only_so_many_problems_are_told(issued: Issue) -> None:
    xml = issued(material.Sale(items=("Clavo",) * 50), 7).xml.replace(b"<QtyItem>1", b"<QtyItem>x")
    assert len(validate_dte(xml)) == 20


def test_threads_get_their_own_verdicts(issued: Issue) -> None:
    good = issued(material.Sale(items=("Clavo",) * 60), 7).xml
    bad = good.replace(b"<QtyItem>1</QtyItem>", b"<QtyItem>x</QtyItem>", 1)
    verdicts: list[tuple[bool, int]] = []

    def judge(xml: bytes, *, sound: bool) -> None:
        verdicts.extend((sound, len(validate_dte(xml))) for _ in range(50))

    threads = [threading.Thread(target=judge, args=(xml,), kwargs={"sound": xml is good}) for xml in (good, bad) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(verdicts) == {(True, 0), (False, 1)}
    assert len(verdicts) == 200


def test_boleta_alone_is_judged_by_the_schema_of_boletas(issued: Issue, signer: RsaSigner) -> None:
    xml = issued(material.Sale(document_type=39), 7).xml
    assert validate_dte(xml) == ()
    assert [each.code for each in validate_dte(xml.replace(b"<IndServicio>3", b"<IndServicio>5"))] == ["SCHEMA-VALUE"]
    assert signer.rut == material.PERSON
