"""The format tables say what the official schemas say, and what is prepared is valid by them."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import pytest
from lxml import etree

from domain.caf import CafError, StampingCaf
from domain.codes.document_types import Family
from domain.envelope import Caratula, build_envelope
from domain.format import boleta, dte
from domain.format.kinds import Choice, Text
from domain.format.table import Group, Profile, in_profile
from domain.format.types import TABLES
from domain.issuing import SignedDocument, issue
from domain.problems import InvalidDocument
from domain.signature import RsaSigner
from tests.unit.domain import material
from tests.unit.domain.full_documents import full_document
from tests.unit.domain.rule_cases import CASES
from tests.unit.domain.samples import SAMPLES, USUAL, Raw, World, prepared, spoilt
from tests.unit.domain.samples import boleta as plain_boleta
from tests.unit.domain.worked_examples import EXAMPLES

XS = "{http://www.w3.org/2001/XMLSchema}"
OFFICIAL = files("cl_sii") / "data" / "ref" / "factura_electronica" / "schemas-xml"
LEFT_OUT = {
    "TED": "made when the document is issued",
    "TmstFirma": "made when the document is issued",
    "InfoTicket": "one of its tags is spelled in two ways, so no ticket is valid by both variants in circulation",
    "TpoDocRef": "in 2019 only one variant of the schema of boletas has it; CodRef and RazonRef say the same",
    "FolioRef": "in 2019 only one variant of the schema of boletas has it; CodRef and RazonRef say the same",
}
"""Elements of the schemas that the tables have not, and why."""
UNRESOLVED = {
    "RUTProveedor": "the format and the list of the schema's fields contradict each other about it",
    "RznSocProveedor": "the format and the list of the schema's fields contradict each other about it",
}
"""The same in the schema of 2026."""
NOT_WRITTEN = set(LEFT_OUT)


class IssueRaw(Protocol):
    """Prepares and issues a document."""

    def __call__(self, raw: Raw, folio: int = 7, world: World = USUAL) -> SignedDocument: ...


@pytest.fixture(scope="session")
def issue_raw(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner) -> IssueRaw:
    """Prepares and issues a document; issuing has it judged by the schema."""

    def make(raw: Raw, folio: int = 7, world: World = USUAL) -> SignedDocument:
        ready = prepared(raw, world=world)
        return issue(ready, folio=folio, caf=stamping_caf(ready.document_type), signer=signer, at=material.AT)

    return make


class Schema:
    """An official schema as a tree of declarations."""

    def __init__(self, *paths: Path) -> None:
        self.types: dict[str, Any] = {}
        self.roots = [etree.parse(path).getroot() for path in paths]
        for root in self.roots:
            self.types |= {
                str(kind.get("name")): kind for kind in root if kind.tag in (f"{XS}simpleType", f"{XS}complexType")
            }

    def element(self, *way: str) -> Any:
        place = next(root for root in self.roots if root.find(f".//{XS}element[@name='{way[0]}']") is not None)
        found = place.find(f".//{XS}element[@name='{way[0]}']")
        for name in way[1:]:
            found = next(child for child in self.children(found) if child.get("name") == name)
        return found

    def children(self, element: Any) -> Iterator[Any]:
        content = self._content(element)
        sequence = None if content is None else content.find(f"{XS}sequence")
        yield from () if sequence is None else sequence.findall(f"{XS}element")

    def facet(self, element: Any, name: str) -> str | None:
        kind = self._simple(element)
        while kind is not None:
            restriction = kind.find(f"{XS}restriction")
            facet = restriction.find(f"{XS}{name}")
            if facet is not None:
                return str(facet.get("value"))
            kind = self.types.get(restriction.get("base").split(":")[-1])
        return None

    def codes(self, element: Any) -> set[str]:
        kind = self._simple(element)
        return set() if kind is None else {facet.get("value") for facet in kind.iter(f"{XS}enumeration")}

    def _content(self, element: Any) -> Any:
        named = self.types.get((element.get("type") or "").split(":")[-1])
        return element.find(f"{XS}complexType") if named is None else named

    def _simple(self, element: Any) -> Any:
        named = self.types.get((element.get("type") or "").split(":")[-1])
        return element.find(f"{XS}simpleType") if named is None else named


def _differences(
    schema: Schema, element: Any, group: Group, left: set[str], profile: Profile = "2019"
) -> Iterator[str]:
    """Where a table says something else than the schema: order, size, repetition, codes."""
    declared = [child for child in schema.children(element) if child.get("name") not in left]
    rows = [row for row in in_profile(group, profile) if row.tag not in left]
    names, tags = [child.get("name") for child in declared], [row.tag for row in rows]
    if names != tags:
        yield f"{group.tag}: {names} against {tags}"
        return
    for child, row in zip(declared, rows, strict=True):
        if int(child.get("maxOccurs", 1)) < row.most:
            yield f"{group.tag}/{row.tag}: at most {child.get('maxOccurs', 1)}"
        if isinstance(row, Group):
            yield from _differences(schema, child, row, left, profile)
            continue
        longest = schema.facet(child, "maxLength")
        if isinstance(row.kind, Text) and str(row.kind.longest) != longest:
            yield f"{group.tag}/{row.tag}: {longest} characters"
        if isinstance(row.kind, Choice):
            codes = {str(code) for code in row.kind.codes.values()}
            if not codes <= (schema.codes(child) or codes):
                yield f"{group.tag}/{row.tag}: {schema.codes(child)}"


@pytest.mark.parametrize(
    ("name", "family"), [("Documento", "dte"), ("Liquidacion", "liquidacion"), ("Exportaciones", "exportaciones")]
)
def test_table_is_that_of_the_official_schema(name: str, family: Family) -> None:
    schema = Schema(Path(str(OFFICIAL / "SiiTypes_v10.xsd")), Path(str(OFFICIAL / "DTE_v10.xsd")))
    left = NOT_WRITTEN - {"TpoDocRef", "FolioRef"}
    assert list(_differences(schema, schema.element(name), TABLES[family], left)) == []


def test_table_of_2026_is_that_of_the_reconstructed_schema(shared: Path) -> None:
    folder = shared / "reference" / "xsd" / "reconstructed-2026"
    schema = Schema(folder / "SiiTypes_v10.xsd", folder / "DTE_v10.xsd")
    left = NOT_WRITTEN - {"TpoDocRef", "FolioRef"} | set(UNRESOLVED)
    assert list(_differences(schema, schema.element("Documento"), dte.DOCUMENT, left, "2026")) == []


def test_table_of_boletas_of_2026_is_that_of_the_reconstructed_schema(shared: Path) -> None:
    schema = Schema(shared / "reference" / "xsd" / "reconstructed-2026" / "EnvioBOLETA_v11.xsd")
    left = {"TED", "TmstFirma"}
    assert list(_differences(schema, schema.element("Documento"), boleta.DOCUMENT, left, "2026")) == []


def test_table_of_boletas_is_that_of_the_official_schema(shared: Path) -> None:
    schema = Schema(shared / "reference" / "xsd" / "EnvioBOLETA_v11.xsd")
    assert list(_differences(schema, schema.element("Documento"), boleta.DOCUMENT, NOT_WRITTEN)) == []


@pytest.mark.parametrize("document_type", SAMPLES)
def test_document_with_every_tag_is_valid(document_type: int, issue_raw: IssueRaw) -> None:
    signed = issue_raw(full_document(document_type))
    assert max(map(len, signed.xml.split(b"\n"))) < 4000


@pytest.mark.parametrize("document_type", SAMPLES)
def test_document_with_every_tag_of_2026_is_valid(document_type: int, issue_raw: IssueRaw) -> None:
    signed = issue_raw(full_document(document_type, "2026"), world=World(profile="2026"))
    assert max(map(len, signed.xml.split(b"\n"))) < 4000


@pytest.mark.parametrize("document_type", SAMPLES)
def test_every_tag_of_the_table_is_written_in_order(document_type: int) -> None:
    raw = full_document(document_type)
    root = etree.fromstring(f"<d>{prepared(raw).render(7)}</d>")
    detail = root.find("Detalle")
    assert detail is not None
    assert set(raw["Detalle"][0]) <= {child.tag for child in detail}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_worked_example_is_valid_by_the_schema(example: Any, issue_raw: IssueRaw) -> None:
    assert issue_raw(example.raw).xml.endswith(b"</DTE>")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_document_just_inside_a_rule_is_valid_by_the_schema(case: Any, issue_raw: IssueRaw) -> None:
    ready = prepared(case.inside, world=case.around)
    raw = spoilt(case.inside, Encabezado__IdDoc__FchEmis=ready.issued_on.isoformat())
    if ready.issued_on >= material.TODAY.replace(day=1):
        issue_raw(raw, world=case.around)


CORNERS: tuple[Any, ...] = (
    0, 1, 2, 3, 6, -1, 10**9, 10**12 - 1, 999999.999999, 0.000001, "0.01", "19.00", "x", "ñ" * 15, "a  b", "&" * 40,
    "2", "01", "2026-11-24", "2003-04-01", "76.900.101-8", "66666666-6", "D", "R", "%", "$", "SET", "HES", "52", "801",
    "27", "'", [], {}, None,
)  # fmt: skip
"""Values at the edges of what some tag takes."""


def _places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to every value within a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*way, step)
        yield from _places(item, (*way, step))


def _changed(raw: Raw, chance: random.Random) -> Raw:
    """A copy with some values at random places replaced."""
    copy = deepcopy(raw)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice(list(_places(copy)))
        place: Any = copy
        for step in way:
            place = place[step]
        place[last] = deepcopy(chance.choice(CORNERS))
    return copy


@pytest.mark.parametrize("document_type", SAMPLES)
def test_what_is_prepared_the_schema_takes(document_type: int, issue_raw: IssueRaw) -> None:
    chance = random.Random(document_type)
    small = SAMPLES[document_type]()
    valid = 0
    for turn in range(600):
        raw = _changed(full_document(document_type) if turn % 2 else small, chance)
        with suppress(InvalidDocument):
            prepared(raw)
            valid += 1
            try:
                issue_raw(raw)
            except CafError:
                continue  # a day before the CAF's is for whoever chooses the folio
            except InvalidDocument as refused:
                pytest.fail(f"no folio may be spent on this: {refused}")
    assert valid > 50


def test_folio_stands_once_where_it_belongs() -> None:
    text = prepared(plain_boleta()).render(1234567890)
    assert text.startswith("<Encabezado><IdDoc><TipoDTE>39</TipoDTE><Folio>1234567890</Folio><FchEmis>")
    assert text.count("1234567890") == 1
    assert not text.endswith("\n")


def test_boletas_are_valid_by_the_official_schema(
    shared: Path, issue_raw: IssueRaw, signer: RsaSigner, caratula: Caratula
) -> None:
    schema = etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / "EnvioBOLETA_v11.xsd"))
    examples = [example.raw for name, example in EXAMPLES.items() if name.startswith(("39", "41"))]
    documents = [
        issue_raw(raw, folio) for folio, raw in enumerate([full_document(39), full_document(41), *examples], 1)
    ]
    types = [document.document_type for document in documents]
    assert set(types) == {39, 41}
    envelope = build_envelope([each.xml for each in documents], types, caratula=caratula, signer=signer, at=material.AT)
    schema.assertValid(etree.fromstring(envelope))
