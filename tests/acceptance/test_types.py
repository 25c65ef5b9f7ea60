"""Every type goes from a job to `accepted` through real processes, and every note that the format allows with it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import job
from tests.acceptance.trades import PAIRS, SALES, TYPES, expected_total, note, root_of, sale
from tests.acceptance.works import Works
from workers.outcome import Result

GUIDE = 52
NOTES = tuple(number for number in TYPES if number not in SALES)


@dataclass
class Shelf:
    """What one company has issued: by key the document as it was written, and its result."""

    works: Works
    company: Company
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    def issue(self, documents: Mapping[str, dict[str, Any]]) -> None:
        """Issue documents and wait for their verdicts."""
        self.written |= documents
        receipts = self.works.producer.enqueue_many(
            [job(self.company, key, document) for key, document in documents.items()]
        )
        self.works.await_states(self.company, {"accepted": len(self.written)})
        for key, receipt in zip(documents, receipts, strict=True):
            self.results[key] = self.works.producer.wait(receipt, until="decided")


@pytest.fixture(scope="module")
def shelf(running: Works) -> Shelf:
    """A company with folios of all twelve types; every sale, the notes that others change, and every legal note."""
    made = Shelf(running, running.company(TYPES))
    wanted = {f"{pair}": root_of(pair[1]) for pair in PAIRS} | {f"{number}": number for number in SALES}
    sales = {
        f"sale-{key}": guide_of_2026(running) if number == GUIDE else sale(number) for key, number in wanted.items()
    }
    made.issue(sales)
    between = {
        f"between-{pair}": note(pair[1], 3, made.results[f"sale-{pair}"], made.written[f"sale-{pair}"])
        for pair in PAIRS
        if pair[1] in NOTES
    }
    made.issue(between)
    notes = {}
    for pair in PAIRS:
        changed = f"between-{pair}" if f"between-{pair}" in between else f"sale-{pair}"
        notes[f"note-{pair}"] = note(pair[0], pair[2], made.results[changed], made.written[changed])
    made.issue(notes)
    return made


@pytest.mark.parametrize("document_type", SALES)
def test_a_sale_of_each_type_is_accepted(shelf: Shelf, document_type: int) -> None:
    result = shelf.results[f"sale-{document_type}"]
    assert (result.state, result.document_type) == ("accepted", document_type)
    assert result.xml is not None
    assert f"<TipoDTE>{document_type}</TipoDTE>".encode() in result.xml


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}-on-{pair[1]}-CodRef-{pair[2]}")
def test_each_legal_note_is_accepted(shelf: Shelf, pair: tuple[int, int, int]) -> None:
    result = shelf.results[f"note-{pair}"]
    assert (result.state, result.document_type) == ("accepted", pair[0])


def test_the_books_hold(shelf: Shelf) -> None:
    check_books(shelf.works, shelf.company)


# ---- exports in their own currency ---------------------------------------------------------------------------------


def export(price: str, quantity: str, *charges: str) -> dict[str, Any]:
    """An export invoice in dollars, with freight and insurance as surcharges."""
    document = sale(110)
    document["Detalle"] = [{"NmbItem": "Cherries, fresh", "QtyItem": quantity, "UnmdItem": "KN", "PrcItem": price}]
    if charges:
        document["DscRcgGlobal"] = [{"TpoMov": "R", "TpoValor": "$", "ValorDR": charge} for charge in charges]
    return document


@pytest.mark.parametrize(
    ("price", "quantity", "charges", "pesos"),
    [
        ("177", "872", ("3574.57", "2759.05"), 153_024_545),
        ("12.3456", "100", (), 1_175_758),
        ("0.3333", "1.5", (), 476),
        ("50", "20", (), 952_370),
    ],
)
def test_an_export_keeps_its_decimals_to_the_end(
    works: Works, price: str, quantity: str, charges: tuple[str, ...], pesos: int
) -> None:
    company = works.company((110, 111, 112))
    shelf = Shelf(works, company)
    document = export(price, quantity, *charges)
    shelf.issue({"sale": document})
    result = shelf.results["sale"]
    total = expected_total(document).quantize(Decimal("0.0001"), "ROUND_HALF_UP")
    assert result.total == total
    assert Decimal(str(result.body["total"])) == total
    text = format(total.normalize(), "f")
    assert result.xml is not None
    for tag in (f"<MntTotal>{text}</MntTotal>", f"<MNT>{text}</MNT>", f"<MntTotOtrMnda>{pesos}</MntTotOtrMnda>"):
        assert tag.encode() in result.xml
    (held,) = (one for one in works.sii.documents() if one["issuer"] == company.rut)
    assert Decimal(str(held["total"])) == total
    assert json.loads(works.told(result.id)["result"], parse_float=Decimal)["total"] == total


def test_partial_notes_on_an_export_keep_their_decimals(works: Works) -> None:
    shelf = Shelf(works, works.company((110, 111, 112)))
    shelf.issue({"sale": export("12.3456", "100")})
    issued = shelf.results["sale"]
    part = note(112, 3, issued, shelf.written["sale"])
    part["Detalle"] = [{"NmbItem": "Cherries, spoiled", "QtyItem": "33.5", "UnmdItem": "KN", "PrcItem": "12.3456"}]
    more = note(111, 3, issued, shelf.written["sale"])
    more["Detalle"] = [{"NmbItem": "Late payment", "QtyItem": 1, "UnmdItem": "KN", "PrcItem": "0.0123"}]
    shelf.issue({"part": part, "more": more})
    assert shelf.results["part"].total == Decimal("413.5776")
    assert shelf.results["more"].total == Decimal("0.0123")
    check_books(works, shelf.company)


def test_the_sii_is_asked_about_an_export_with_its_decimals(works: Works) -> None:
    company = works.company((110,))
    works.fault("F-HALF", company)
    works.producer.enqueue_many([job(company, f"sale-{n}", export("12.3456", f"{n}.5")) for n in (1, 2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    asked = works.requests(company, "getEstDteAv")
    assert {one["outcome"] for one in asked} >= {"DOK", "FAU"}
    check_books(works, company)


# ---- editions of the format ----------------------------------------------------------------------------------------


@pytest.fixture
def edition_2019(works: Works) -> Iterator[None]:
    """The worker that signs is pinned to the format of 2019; the simulated SII judges by that of today."""
    pin_edition(works, "2019")
    yield
    pin_edition(works, None)


def pin_edition(works: Works, edition: str | None) -> None:
    """Start the signing worker anew with an edition of the format; None: documents follow their day."""
    works.sandbox.environment.pop("FMGO_FORMAT_PROFILE", None)
    if edition is not None:
        works.sandbox.environment["FMGO_FORMAT_PROFILE"] = edition
    works.kill("bulk")
    works.start("bulk")


def guide_of_2026(works: Works) -> dict[str, Any]:
    """A guía with what goods travel with since 2026-11-01; it leaves today."""
    document = sale(52, form="-2026")
    document["Encabezado"]["Transporte"]["FchSalida"] = works.scalar("SELECT fmgo_now()::date").isoformat()
    return document


def test_a_guide_with_its_transport_is_accepted_under_the_format_of_2026(works: Works) -> None:
    shelf = Shelf(works, works.company((33, 52)))
    declared = guide_of_2026(works)
    for tag in ("Patente", "PatenteCarro", "RUTTrans", "Chofer"):
        declared["Encabezado"]["Transporte"].pop(tag)
    declared["Detalle"][0]["DscItem"] = "Se desconoce el vehículo y quién lo conduce"
    shelf.issue({"guide": guide_of_2026(works), "declared": declared, "sale": sale(33)})
    xml = shelf.results["guide"].xml
    assert xml is not None
    assert b"<PatenteCarro>XY1234</PatenteCarro>" in xml
    assert b"<HraSalida>15:30:00</HraSalida>" in xml
    check_books(works, shelf.company)


def test_a_guide_that_does_not_say_who_drives_is_refused_before_a_folio_is_spent(works: Works) -> None:
    company = works.company((52,))
    unknown = guide_of_2026(works)
    del unknown["Encabezado"]["Transporte"]["Chofer"]
    receipt = works.producer.enqueue(job(company, "guide", unknown))
    result = works.producer.wait(receipt, until="decided")
    assert result.state == "invalid"
    assert {problem.code for problem in result.problems} == {"GUI-TRP-01"}


@pytest.mark.usefixtures("edition_2019")
def test_the_format_of_2019_refuses_what_it_can_not_carry(works: Works) -> None:
    company = works.company((52,))
    receipt = works.producer.enqueue(job(company, "guide", guide_of_2026(works)))
    result = works.producer.wait(receipt, until="decided")
    assert result.state == "invalid"
    assert {problem.code for problem in result.problems if problem.level == "error"} == {"FMT-PROFILE"}


@pytest.mark.usefixtures("edition_2019")
def test_a_guide_of_2019_is_rejected_by_a_sii_that_asks_for_the_format_of_2026(works: Works) -> None:
    company = works.company((33, 52))
    works.producer.enqueue_many([job(company, "guide", sale(52)), job(company, "sale", sale(33))])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    assert (
        works.scalar("SELECT document_type FROM documents WHERE issuer = %s AND state = 'rejected'", company.rut) == 52
    )
    check_books(works, company)
