"""What receivers say of accepted documents: claims, acceptances, receipts of goods, and eight silent days."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import annulment, boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, hours
from workers.database.issuers import signers_of
from workers.sii.client import SiiClient
from workers.vault.sealing import Sealed, Vault
from workers.vault.signers import KeyRing

CHILE = ZoneInfo("America/Santiago")
PATH = "/WSREGISTRORECLAMODTECERT/registroreclamodteservice"
OPERATION = "listarEventosHistDoc"


class Receiver:
    """A company that gets invoices, and says at the SII what it thinks of them."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self.company = works.company()
        self._url = works.sandbox.environment["FMGO_SII_CLAIMS_URL"] + PATH

    def sale(self, seller: Company, key: str) -> dict[str, Any]:
        """An invoice to this company."""
        made = invoice(seller, key)
        made["document"]["Encabezado"]["Receptor"]["RUTRecep"] = self.company.rut
        return made

    def say(self, action: str, seller: Company, folio: int) -> None:
        """Enter an event about an invoice."""
        number, _, digit = seller.rut.partition("-")
        body = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
            ' xmlns:ws="http://ws.registroreclamodte.diii.sdi.sii.cl"><soapenv:Header/><soapenv:Body>'
            f"<ws:ingresarAceptacionReclamoDoc><rutEmisor>{number}</rutEmisor><dvEmisor>{digit}</dvEmisor>"
            f"<tipoDoc>33</tipoDoc><folio>{folio}</folio><accionDoc>{action}</accionDoc>"
            "</ws:ingresarAceptacionReclamoDoc></soapenv:Body></soapenv:Envelope>"
        )
        headers = {"Cookie": f"TOKEN={self._token()}", "Content-Type": "text/xml", "SOAPAction": '""'}
        answer = httpx.post(self._url, content=body, headers=headers)
        assert "<codResp>0</codResp>" in answer.text, answer.text

    def _token(self) -> str:
        key = (self.company.rut, ENVIRONMENT)
        with self._works.ledger.transaction() as tx:
            sealed = signers_of(tx, [key])[key]
        keys = KeyRing(Vault.from_settings(self._works.settings))
        signer = keys.signer(sealed.id, sealed.certificate_der, Sealed(sealed.key_id, sealed.private_key_sealed))
        with SiiClient(self._works.settings) as sii:
            return sii.login("soap", signer).value


@pytest.fixture
def receiver(works: Works) -> Iterator[Receiver]:
    """A receiver with a certificate of its own; what other tests sold isn't asked about meanwhile."""
    works.change("UPDATE claim_watches SET due_at = NULL")
    yield Receiver(works)
    works.change("UPDATE claim_watches SET due_at = NULL")


def sold(works: Works, receiver: Receiver, sales: int = 1) -> Company:
    """A company whose invoices to the receiver were accepted."""
    seller = works.company((33, 39, 61))
    works.producer.enqueue_many([receiver.sale(seller, f"sale-{n}") for n in range(sales)])
    works.await_states(seller, {"accepted": sales})
    return seller


def folios(works: Works, seller: Company) -> list[int]:
    """Folios of a company's invoices."""
    return [
        row[0]
        for row in works.rows(
            "SELECT folio FROM documents WHERE issuer = %s AND document_type = 33 ORDER BY folio", seller.rut
        )
    ]


def claim(works: Works, seller: Company, folio: int) -> dict[str, Any] | None:
    """What the ledger knows of a receiver's words about an invoice."""
    found: dict[str, Any] | None = works.scalar(
        "SELECT claim FROM documents WHERE issuer = %s AND document_type = 33 AND folio = %s", seller.rut, folio
    )
    return found


def await_claim(works: Works, seller: Company, folio: int, state: str | None) -> dict[str, Any]:
    """Return what is known as soon as it has that state."""

    def known() -> dict[str, Any]:
        found = claim(works, seller, folio)
        return found if found is not None and found["state"] == state else {}

    return wait_until(known, lambda: f"{state}; it is {claim(works, seller, folio)}")


def asked(works: Works, seller: Company) -> int:
    """How often the registry was asked about a company's documents."""
    return len(works.requests(seller, OPERATION))


def answered(works: Works, seller: Company) -> int:
    """How many answers about a company's first document were kept."""
    count: int = works.scalar("SELECT max(asked) FROM claim_watches WHERE issuer = %s", seller.rut)
    return count


def open_watches(works: Works, seller: Company) -> int:
    """How many documents of a company are still to be asked about."""
    count: int = works.scalar("SELECT count(*) FROM claim_watches WHERE issuer = %s AND due_at IS NOT NULL", seller.rut)
    return count


def days(number: float) -> dt.timedelta:
    """So many days."""
    return hours(24 * number)


def test_a_claim_is_seen_and_published_as_a_new_version(works: Works, receiver: Receiver) -> None:
    seller = sold(works, receiver)
    (folio,) = folios(works, seller)
    document = works.scalar("SELECT id FROM documents WHERE issuer = %s", seller.rut)
    before = works.scalar("SELECT version FROM documents WHERE id = %s", document)
    receiver.say("RCD", seller, folio)
    assert asked(works, seller) == 0, "nobody asks before the first hours are over"
    works.clock.advance(hours(6.1))
    seen = await_claim(works, seller, folio, "claimed")
    assert [(event["code"], event["by"]) for event in seen["events"]] == [("RCD", receiver.company.rut)]
    assert works.scalar("SELECT version FROM documents WHERE id = %s", document) == before + 1
    wait_until(lambda: "claim" in works.told(document).get("result", ""), "it wasn't published")
    result = json.loads(works.told(document)["result"])
    assert (result["claim"], result["state"]) == ("claimed", "accepted")
    known = works.producer.result((seller.rut, ENVIRONMENT, "sale-0"))
    assert known is not None
    assert (known.claim, known.accepted) == ("claimed", True)
    assert result["claim_events"][0]["code"] == "RCD"
    works.clock.advance(days(10))
    wait_until(lambda: open_watches(works, seller) == 0, "it is asked about for ever")
    assert works.scalar("SELECT version FROM documents WHERE id = %s", document) == before + 1, "told once"
    check_books(works, seller)


def test_goods_received_and_then_an_acceptance(works: Works, receiver: Receiver) -> None:
    seller = sold(works, receiver)
    (folio,) = folios(works, seller)
    receiver.say("ERM", seller, folio)
    works.clock.advance(hours(6.1))
    await_claim(works, seller, folio, "goods_received")
    receiver.say("ACD", seller, folio)
    works.clock.advance(hours(12.1))
    seen = await_claim(works, seller, folio, "accepted")
    assert [event["code"] for event in seen["events"]] == ["ERM", "ACD"]


def end_of_days(works: Works, seller: Company) -> dt.datetime:
    """The midnight in Chile after the eighth day since the SII received the company's documents."""
    received: dt.datetime = works.scalar("SELECT min(sent_at) FROM envelopes WHERE issuer = %s", seller.rut)
    day = received.astimezone(CHILE).date() + dt.timedelta(days=9)
    return dt.datetime.combine(day, dt.time(), tzinfo=CHILE)


def advance_to(works: Works, moment: dt.datetime) -> None:
    """Move every clock to a moment."""
    works.clock.advance(moment - works.scalar("SELECT fmgo_now()"))


def until_the_evening(works: Works) -> None:
    """Move every clock to eight in the evening, tomorrow."""
    today: dt.datetime = works.scalar("SELECT fmgo_now()").astimezone(CHILE)
    advance_to(works, today.replace(hour=20, minute=0, second=0) + days(1))


def test_eight_silent_days_are_an_acceptance_and_not_a_moment_less(works: Works, receiver: Receiver) -> None:
    until_the_evening(works)
    seller = sold(works, receiver, sales=3)
    first, *others = folios(works, seller)
    advance_to(works, end_of_days(works, seller) - hours(2))
    wait_until(lambda: asked(works, seller) >= 3, "nobody asked")
    assert [claim(works, seller, folio) for folio in (first, *others)] == [None] * 3
    advance_to(works, end_of_days(works, seller) - dt.timedelta(minutes=1))
    receiver.say("RFT", seller, first)
    advance_to(works, end_of_days(works, seller) + hours(1.1))
    await_claim(works, seller, first, "claimed")
    for folio in others:
        assert await_claim(works, seller, folio, "deemed_accepted")["events"] == []
    assert open_watches(works, seller) == 0
    questions = asked(works, seller)
    works.clock.advance(days(30))
    works.producer.enqueue(invoice(seller, "another"))
    works.await_states(seller, {"accepted": 4})
    assert asked(works, seller) == questions, "what is over isn't asked about"


def test_questions_come_at_growing_intervals(works: Works, receiver: Receiver) -> None:
    until_the_evening(works)
    seller = sold(works, receiver)
    for questions, pause in enumerate((6, 6, 12, 24, 48, 96), 1):
        works.clock.advance(hours(pause + 0.1))
        wait_until(lambda n=questions: answered(works, seller) >= n, f"{questions} questions")  # type: ignore[misc]
        assert asked(works, seller) == questions
    advance_to(works, end_of_days(works, seller) + hours(0.5))
    assert works.scalar(
        "SELECT until < fmgo_now() AND due_at > fmgo_now() FROM claim_watches WHERE issuer = %s", seller.rut
    )
    works.clock.advance(hours(1))
    await_claim(works, seller, folios(works, seller)[0], "deemed_accepted")
    assert asked(works, seller) == 7


def test_a_registry_that_is_away_makes_nothing_deemed_accepted(works: Works, receiver: Receiver) -> None:
    seller = sold(works, receiver)
    (folio,) = folios(works, seller)
    works.fault("F-RCL-x", seller, OPERATION, args={"code": -1}, times=-1)
    works.clock.advance(days(10))
    wait_until(lambda: asked(works, seller) >= 1, "nobody asked")
    works.clock.advance(days(1))
    wait_until(lambda: asked(works, seller) >= 2, "nobody asked again")
    assert claim(works, seller, folio) is None
    works.window.delete("/faults").raise_for_status()
    works.clock.advance(days(2))
    await_claim(works, seller, folio, "deemed_accepted")


def test_a_dead_token_is_renewed_once(works: Works, receiver: Receiver) -> None:
    seller = sold(works, receiver)
    (folio,) = folios(works, seller)
    works.window.post("/tokens/expire", json={}).raise_for_status()
    works.clock.advance(hours(6.1))
    wait_until(lambda: asked(works, seller) >= 1, "nobody asked")
    wait_until(
        lambda: works.scalar("SELECT answer FROM claim_watches WHERE issuer = %s", seller.rut) == "16",
        "the registry didn't answer",
    )
    assert claim(works, seller, folio) is None


def test_a_credit_note_in_the_list_is_no_word_of_the_receiver(works: Works, receiver: Receiver) -> None:
    seller = sold(works, receiver)
    (folio,) = folios(works, seller)
    on = works.scalar("SELECT issued_on FROM documents WHERE issuer = %s", seller.rut)
    note = annulment(seller, "note", folio, on.isoformat())
    note["document"]["Encabezado"]["Receptor"]["RUTRecep"] = receiver.company.rut
    works.producer.enqueue(note)
    works.await_states(seller, {"accepted": 2})
    works.clock.advance(hours(6.1))
    seen = await_claim(works, seller, folio, None)
    assert [event["code"] for event in seen["events"]] == ["NCA"]


def test_only_types_of_the_registry_are_asked_about(works: Works, receiver: Receiver) -> None:
    seller = sold(works, receiver)
    works.producer.enqueue(boleta(seller, "till"))
    works.await_states(seller, {"accepted": 2})
    watched = works.rows(
        "SELECT d.document_type FROM claim_watches w JOIN documents d ON d.id = w.document_id WHERE w.issuer = %s",
        seller.rut,
    )
    assert watched == [(33,)]
