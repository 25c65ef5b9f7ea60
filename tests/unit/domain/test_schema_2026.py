"""The overlay for the format of 2026 gives the verdicts of the reconstructed schema; profile 2019 has none of it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from domain.caf import StampingCaf
from domain.envelope import Caratula, build_envelope
from domain.issuing import SignedDocument, issue
from domain.schema import official_schema, official_schema_2026, validate_dte, validate_envelope
from domain.signature import RsaSigner
from tests.unit.domain import material, referee
from tests.unit.domain.full_documents import full_document
from tests.unit.domain.mutations import mutations
from tests.unit.domain.samples import SAMPLES, World, codes_of, guide, guide_2026, prepared, spoilt

NEWER = World(profile="2026")
Envelope = Callable[..., bytes]


@pytest.fixture(scope="session")
def enveloped(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner, caratula: Caratula) -> Envelope:
    """Issues documents in profile 2026 and puts them into an envelope."""

    def make(*raws: object) -> bytes:
        signed: list[SignedDocument] = []
        for folio, raw in enumerate(raws, 1):
            ready = prepared(raw, world=NEWER)  # type: ignore[arg-type]
            caf = stamping_caf(ready.document_type)
            signed.append(issue(ready, folio=folio, caf=caf, signer=signer, at=material.AT))
        types = [document.document_type for document in signed]
        return build_envelope([each.xml for each in signed], types, caratula=caratula, signer=signer, at=material.AT)

    return make


@pytest.fixture
def reconstructed(shared: Path) -> etree.XMLSchema:
    folder = shared / "reference" / "xsd" / "reconstructed-2026"
    return etree.XMLSchema(etree.parse(folder / "EnvioDTE_v10.xsd"))


@pytest.mark.needs_shared
def test_verdicts_are_those_of_the_reconstructed_schema(enveloped: Envelope, reconstructed: etree.XMLSchema) -> None:
    envelope = enveloped(spoilt(full_document(52, "2026"), SubTotInfo=None, Referencia=None))
    assert reconstructed.validate(referee.parsed(envelope))
    verdicts = {True: 0, False: 0}
    for name, tree in mutations(envelope):
        own = official_schema_2026().validate(tree)
        verdicts[own] += 1
        assert own == reconstructed.validate(tree), (name, reconstructed.error_log, official_schema_2026().error_log)
    assert min(verdicts.values()) > 500, verdicts


@pytest.mark.needs_shared
def test_negative_tax_is_taken_as_the_reconstruction_takes_it(
    enveloped: Envelope, reconstructed: etree.XMLSchema
) -> None:
    taxed = spoilt(
        SAMPLES[33](),
        Detalle__0__CodImpAdic=["35"],
        Encabezado__Totales__ImptoReten=[{"TipoImp": "35", "MontoImp": -100}],
    )
    envelope = enveloped(taxed)
    assert reconstructed.validate(referee.parsed(envelope))
    assert not official_schema().validate(referee.parsed(envelope))


@pytest.mark.needs_shared
def test_sound_documents_of_the_reference_are_valid_under_both(shared: Path, reconstructed: etree.XMLSchema) -> None:
    files = sorted((shared / "reference" / "vectors" / "types").glob("EnvioDTE-*.xml"))
    assert len(files) >= 10
    for file in files:
        tree = referee.parsed(file.read_bytes())
        newer = "2026" in file.name
        assert reconstructed.validate(tree), file
        assert validate_envelope(file.read_bytes(), "2026") == (), file
        assert (validate_envelope(file.read_bytes()) == ()) != newer, file


@pytest.mark.needs_shared
def test_whatever_is_in_circulation_gets_the_same_verdict(shared: Path, reconstructed: etree.XMLSchema) -> None:
    verdicts = {True: 0, False: 0}
    for file in sorted((shared / "corpus").rglob("*.xml")):
        with suppress(etree.XMLSyntaxError):
            tree = referee.parsed(file.read_bytes())
            ours = tree.tag in (f"{referee.SII}EnvioDTE", f"{referee.SII}DTE")
            if ours and not tree.getroottree().docinfo.doctype:
                own = official_schema_2026().validate(tree)
                assert own == reconstructed.validate(tree), file
                verdicts[own] += 1
    assert min(verdicts.values()) > 5, verdicts


@pytest.mark.needs_shared
@pytest.mark.parametrize("document_type", sorted(set(SAMPLES) - {39, 41}))
def test_full_documents_are_valid_by_the_reconstruction(
    document_type: int, enveloped: Envelope, reconstructed: etree.XMLSchema
) -> None:
    reconstructed.assertValid(referee.parsed(enveloped(full_document(document_type, "2026"))))


@pytest.mark.parametrize("document_type", sorted(set(SAMPLES) - {39, 41}))
def test_small_documents_are_valid_in_the_newer_profile(document_type: int, enveloped: Envelope) -> None:
    raw = guide_2026() if document_type == 52 else SAMPLES[document_type]()
    assert validate_envelope(enveloped(raw), "2026") == ()


def test_guide_says_when_it_leaves_only_in_the_newer_profile(
    stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner
) -> None:
    assert codes_of(guide_2026()) == ["FMT-PROFILE"] * 3
    ready = prepared(guide_2026(), world=NEWER)
    document = issue(ready, folio=1, caf=stamping_caf(52), signer=signer, at=material.AT)
    root = referee.parsed(document.xml)
    assert [root.findtext(f".//{referee.SII}{tag}") for tag in ("PatenteCarro", "FchSalida", "HraSalida")] == [
        "XY1234",
        "2026-11-24",
        "15:30:00",
    ]
    assert validate_dte(document.xml, "2026") == ()
    assert [problem.code for problem in validate_dte(document.xml)] == ["SCHEMA-CONTENT"]


def test_newer_profile_asks_guides_for_all_that_the_law_asks() -> None:
    assert codes_of(guide(), world=NEWER) == ["GUI-TRP-05"] * 2
    bare = spoilt(guide(), Encabezado__Transporte=None)
    assert codes_of(bare, world=NEWER) == ["GUI-TRP-01"] * 3 + ["GUI-TRP-05"] * 4
    assert codes_of(bare) == ["GUI-TRP-04"]
    assert codes_of(bare, today=date(2026, 10, 31)) == [], "before the rule took effect"


def test_a_guide_of_a_sale_that_moves_nothing_is_not_asked_for_its_transport() -> None:
    """A day's meal vouchers, say; whatever else a guía is for, goods travel."""
    vouchers = spoilt(guide(), Encabezado__Transporte=None, Encabezado__IdDoc__TipoDespacho=None)
    assert codes_of(vouchers, world=NEWER) == ["GUI-TRA-01"]
    given = spoilt(vouchers, Encabezado__IdDoc__IndTraslado=4)
    assert codes_of(given, world=NEWER) == ["GUI-TRA-01", *["GUI-TRP-01"] * 3, *["GUI-TRP-05"] * 4]
