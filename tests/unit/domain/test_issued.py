"""Documents that were issued already tell what notes on them are held to."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from domain.caf import StampingCaf
from domain.codes.document_types import BOLETA_TYPES
from domain.completion import ReferencedDocument
from domain.issued import IssuedError, Stated, documents_in, stated_in
from domain.issuing import issue
from domain.signature import RsaSigner
from domain.verification.reading import Unreadable
from tests.unit.domain import material
from tests.unit.domain.samples import SAMPLES, TODAY, Raw, prepared, spoilt

Made = Callable[[Raw, int], bytes]


@pytest.fixture(scope="module")
def made(stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner) -> Made:
    def make(raw: Raw, folio: int) -> bytes:
        ready = prepared(raw)
        return issue(ready, folio=folio, caf=stamping_caf(ready.document_type), signer=signer, at=material.AT).xml

    return make


def test_a_document_of_every_type_says_what_it_came_to(made: Made) -> None:
    for kind, sample in SAMPLES.items():
        ready = prepared(sample())
        (found,) = documents_in(made(sample(), 7))
        stated = {tax["TipoImp"]: tax["MontoImp"] for tax in ready.document.totals.get("ImptoReten") or ()}
        taxes = None if kind in BOLETA_TYPES else stated
        assert found.issuer == "76900101-8"
        assert found.facts == ReferencedDocument(
            kind,
            7,
            "issued",
            ready.receiver,
            ready.total,
            ready.net,
            ready.exempt,
            ready.vat,
            TODAY,
            taxes=taxes,
            sale_kind=0,
        )


def test_what_notes_repeat_is_told(made: Made) -> None:
    sold = spoilt(SAMPLES[33](), Encabezado__IdDoc__TpoTranVenta=2, Encabezado__RUTMandante="96933606-5")
    stated = stated_in(made(sold, 7))
    assert (stated.sale_kind, stated.principal) == (2, "96933606-5")
    (found,) = documents_in(made(sold, 7))
    assert (found.facts.sale_kind, found.facts.principal) == (2, "96933606-5")
    assert stated_in(b"<x/>") == Stated()


def test_exports_have_decimals_and_envelopes_many_documents(made: Made) -> None:
    two = b"<EnvioDTE><SetDTE>%b%b</SetDTE></EnvioDTE>" % (made(SAMPLES[110](), 1), made(SAMPLES[110](), 2))
    assert [(each.facts.folio, each.facts.total) for each in documents_in(two)] == [
        (1, Decimal("1234.5")),
        (2, Decimal("1234.5")),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<Folio>7<", b"<Folio>x<"),
        (b"<Folio>7<", b"<Folio>1.5<"),
        (b"<TipoDTE>33<", b"<TipoDTE>99<"),
        (b"<MntTotal>11900<", b"<MntTotal>1e9999999<"),
        (b"<MntTotal>11900<", b"<MntTotal>" + b"9" * 400 + b"<"),
        (b"<MntTotal>11900<", b"<MntTotal>NaN<"),
        (b"<MntTotal>11900</MntTotal>", b""),
        (b"<FchEmis>", b"<FchEmis>x"),
    ],
)
def test_what_cannot_be_read_is_said(made: Made, old: bytes, new: bytes) -> None:
    xml = made(SAMPLES[33](), 7)
    assert old in xml
    with pytest.raises(IssuedError) as refused:
        documents_in(xml.replace(old, new))
    assert refused.value.problems[0].code == "ISSUED-UNREADABLE"


def test_files_without_documents_are_refused() -> None:
    with pytest.raises(IssuedError):
        documents_in(b"<x/>")
    with pytest.raises(Unreadable):
        documents_in(b"no xml")


def test_taxes_are_told_or_not_known(made: Made) -> None:
    wine = made(spoilt(SAMPLES[33](), Detalle__0__CodImpAdic=["25"]), 7)
    assert stated_in(wine).taxes == {"25": 2050}
    assert stated_in(wine.replace(b"<TipoImp>25<", b"<TipoImp>025<")).taxes == {"25": 2050}
    assert stated_in(made(SAMPLES[33](), 7)).taxes == {}
    for unknown in (made(SAMPLES[39](), 7), wine.replace(b"<MontoImp>2050<", b"<MontoImp>x<"), b"<x/>", b""):
        assert stated_in(unknown).taxes is None
