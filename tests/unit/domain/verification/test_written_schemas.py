"""The schemas that were written here give the verdicts of the official ones."""

from pathlib import Path

import pytest
from lxml import etree

from domain.schema import judge, own_folder, schema_file
from domain.verification.boletas import received_schema
from tests.unit.domain import referee
from tests.unit.domain.mutations import mutations
from tests.unit.domain.test_boleta_schema import _rich_boleta
from tests.unit.domain.verification.exchanged import FILES


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_everything_is_valid(name: str) -> None:
    for data in FILES[name]:
        assert judge(referee.parsed(data), schema_file(name)) == ()


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", FILES)
def test_verdicts_are_those_of_the_official_schema(shared: Path, name: str) -> None:
    official, own = etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / name)), schema_file(name)
    verdicts = {True: 0, False: 0}
    for data in FILES[name]:
        assert official.validate(referee.parsed(data)), official.error_log
        for change, tree in mutations(data):
            expected, found = official.validate(tree), own.validate(tree)
            assert expected == found, (change, official.error_log, own.error_log)
            verdicts[found] += 1
    assert min(verdicts.values()) > 50, verdicts


@pytest.mark.needs_shared
def test_files_of_the_corpus_get_the_official_verdict(shared: Path) -> None:
    roots = {"RespuestaDTE": "RespuestaEnvioDTE_v10.xsd", "LibroGuia": "LibroGuia_v10.xsd"}
    seen = 0
    for file in sorted((shared / "corpus").rglob("*.xml")):
        try:
            root = referee.parsed(file.read_bytes())
        except etree.XMLSyntaxError:
            continue
        name = roots.get(etree.QName(root).localname)
        if name is not None:
            official = etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / name))
            assert official.validate(root) == (judge(root, schema_file(name)) == ())
            seen += 1
    assert seen >= 1


RICH_TICKET = (
    "<InfoTicket><FolioTicket>1</FolioTicket><FchGenera>2026-11-24T10:00:00</FchGenera><NmbEvento>x</NmbEvento><TpoTicket>x"
    "</TpoTicket><CdgEvento>x</CdgEvento><FchEvento>2026-11-24T10:00:00</FchEvento><LugarEvento>x</LugarEvento><UbicEvento>x"
    "</UbicEvento><FilaUbicEvento>1</FilaUbicEvento><AsntoUbicEvento>1</AsntoUbicEvento></InfoTicket>"
)


@pytest.mark.needs_shared
def test_boletas_of_others_get_the_verdict_of_the_variant_of_2020(shared: Path) -> None:
    official = etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / "EnvioBOLETA_v11.xsd"))
    text = _rich_boleta(shared).decode("iso-8859-1")
    text = text.replace("<CodRef>", "<TpoDocRef>801</TpoDocRef><FolioRef>1</FolioRef><CodRef>", 1)
    text = text.replace("</NmbItem><DscItem>", f"</NmbItem>{RICH_TICKET}<DscItem>", 1)
    data = text.encode("iso-8859-1")
    assert b"InfoTicket" in data
    assert b"TpoDocRef" in data
    assert official.validate(referee.parsed(data)), official.error_log
    verdicts = {True: 0, False: 0}
    for change, tree in mutations(data):
        expected, found = official.validate(tree), received_schema().validate(tree)
        assert expected == found, (change, official.error_log, received_schema().error_log)
        verdicts[found] += 1
    assert min(verdicts.values()) > 500, verdicts


def test_no_schema_is_without_a_file_that_it_judges() -> None:
    written = {file.name for file in own_folder().glob("*.xsd")}
    issued = {"EnvioBOLETA_v11.xsd", "EnvioBOLETA_2026.xsd", "DTE_2026.xsd"}  # judged where documents are issued
    assert written == {*FILES, *issued, "EnvioBOLETA_received.xsd", "Tipos_v10.xsd"}
