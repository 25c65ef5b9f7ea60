"""Boletas in profile 2026: the overlay judges as the reconstructed schema does, and carries what 2019 leaves out.

Written without the SII's own file; the reconstruction is somebody else's, from the same public list of fields.
"""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from domain.caf import StampingCaf
from domain.envelope import Caratula, build_envelope
from domain.issuing import issue
from domain.schema import boleta_schema, boleta_schema_2026, validate_dte, validate_envelope
from domain.signature import RsaSigner
from domain.verification import Trust, verify
from tests.unit.domain import material, referee
from tests.unit.domain.full_documents import full_document
from tests.unit.domain.mutations import mutations
from tests.unit.domain.samples import RECEIVER, Raw, World, boleta, codes_of, prepared, spoilt

NEWER = World(profile="2026")
TICKET: Raw = {
    "FolioTicket": 77,
    "FchGenera": "2026-11-24T10:00",
    "NmbEvento": "Concierto de Ñandúes",
    "TpoTicket": "GENERAL",
    "CdgEvento": "E1",
    "FchEvento": "2026-12-24T21:30:00",
    "LugarEvento": "Teatro Municipal",
    "UbicEvento": "Platea",
}
SHOW = spoilt(
    boleta(),
    Encabezado__IdDoc__IndServicio=4,
    Detalle__0__ItemEspectaculo="01",
    Detalle__0__RUTMandante=RECEIVER,
    Detalle__0__InfoTicket=TICKET,
)
PAID = spoilt(
    boleta(),
    Encabezado__IdDoc__MedioPago=2,
    Encabezado__Receptor={"RUTRecep": RECEIVER, "RznSocRecep": "Ana", "CorreoRecep": "a@b.cl", "TelefonoRecep": "9"},
    Encabezado__RutProvSW="76900101-8",
)
EXCHANGED = spoilt(boleta(), Referencia=[{"TpoDocRef": "39", "FolioRef": "900", "RazonRef": "Cambio de mercadería"}])
Issue = Callable[..., bytes]


@pytest.fixture
def envelope_of(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner, caratula: Caratula) -> Issue:
    """The envelope of one boleta."""

    def make(raw: Raw) -> bytes:
        ready = prepared(raw, world=NEWER)
        signed = issue(ready, folio=1, caf=stamping_caf(39), signer=signer, at=material.AT)
        return build_envelope([signed.xml], [39], caratula=caratula, signer=signer, at=material.AT)

    return make


@pytest.fixture
def reconstructed(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / "reconstructed-2026" / "EnvioBOLETA_v11.xsd"))


STRICTER = re.compile(r"Detalle (left out|renamed)|OrdenSTI (left out|renamed)|LineasDeta (61|99|100)$|Pct (0|0\.001)$")
"""Where the house stays inside what older files take too."""


@pytest.mark.needs_shared
def test_verdicts_are_those_of_the_reconstructed_schema(envelope_of: Issue, reconstructed: etree.XMLSchema) -> None:
    verdicts = {True: 0, False: 0}
    for name, tree in mutations(envelope_of(full_document(39, "2026"))):
        theirs, own = reconstructed.validate(tree), boleta_schema_2026().validate(tree)
        verdicts[own] += 1
        if STRICTER.search(name):
            assert theirs or not own, name
        else:
            assert theirs == own, (name, reconstructed.error_log, boleta_schema_2026().error_log)
    assert min(verdicts.values()) > 500, verdicts


@pytest.mark.parametrize(
    ("raw", "edition", "written"),
    [
        (SHOW, "2019", ("<TpoTicket>GENERAL</TpoTicket>", "<FchGenera>2026-11-24T10:00:00</FchGenera>")),
        (
            PAID,
            "2026",
            ("<MedioPago>2</MedioPago>", "<CorreoRecep>a@b.cl</CorreoRecep>", "<RUTProvSW>76900101-8</RUTProvSW>"),
        ),
        (
            EXCHANGED,
            "2019",
            ("<TpoDocRef>39</TpoDocRef><FolioRef>900</FolioRef><RazonRef>Cambio de mercadería</RazonRef>",),
        ),
    ],
)
def test_what_only_the_newer_schema_has_is_written(
    raw: Raw, edition: str, written: tuple[str, ...], envelope_of: Issue
) -> None:
    data = envelope_of(raw)
    text = data.decode("iso-8859-1")
    assert [each for each in written if each not in text] == []
    assert validate_envelope(data, "2026") == ()
    assert validate_envelope(data, "2019") != ()
    verdict = verify(data, trust=Trust(), at=material.AT)
    assert (verdict.facts["schema_valid"], verdict.as_dict()["profile"]) == (True, edition), (
        "the widest older file takes tickets and typed references"
    )


def test_the_older_edition_leaves_out_what_it_has_not_and_says_so() -> None:
    assert codes_of(PAID) == ["FMT-LEFT-OUT"] * 4
    assert codes_of(EXCHANGED) == ["COM-REFERENCE"]
    assert codes_of(PAID, world=NEWER) == []


def test_plain_boletas_are_valid_by_both_editions(envelope_of: Issue) -> None:
    tree = referee.parsed(envelope_of(boleta()))
    assert boleta_schema().validate(tree)
    assert boleta_schema_2026().validate(tree)


@pytest.mark.parametrize(("stated", "code"), [("2026-11-24", "FMT-HOUR"), ("1999-01-01T10:00", "FMT-RANGE")])
def test_a_ticket_says_day_and_hour(stated: str, code: str) -> None:
    assert codes_of(spoilt(SHOW, Detalle__0__InfoTicket__FchEvento=stated), world=NEWER) == [code]


@pytest.mark.parametrize(
    ("day", "edition"), [(date(2026, 10, 31), "2019"), (date(2026, 11, 1), "2026"), (date(2026, 11, 24), "2026")]
)
def test_a_document_follows_the_edition_of_its_day(day: date, edition: str) -> None:
    by_day = World(profile=None)
    raw = spoilt(boleta(), Encabezado__IdDoc__FchEmis=day.isoformat())
    assert prepared(raw, world=by_day).profile == edition
    assert prepared(boleta(), world=World(today=day, profile=None)).profile == edition
    assert prepared(raw, world=World(profile="2019")).profile == "2019"


def test_a_boleta_alone_is_judged_by_its_edition(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner) -> None:
    signed = issue(prepared(PAID, world=NEWER), folio=1, caf=stamping_caf(39), signer=signer, at=material.AT)
    assert validate_dte(signed.xml, "2026") == ()
    assert validate_dte(signed.xml) != ()
