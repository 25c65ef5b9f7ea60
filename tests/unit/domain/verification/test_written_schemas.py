"""The schemas that were written here give the verdicts of the official ones."""

from pathlib import Path

import pytest
from lxml import etree

from domain.schema import judge, own_folder, schema_file
from tests.unit.domain import referee
from tests.unit.domain.mutations import mutations
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


def test_no_schema_is_without_a_file_that_it_judges() -> None:
    written = {file.name for file in own_folder().glob("*.xsd")}
    assert written == {*FILES, "EnvioBOLETA_v11.xsd", "Tipos_v10.xsd"}
