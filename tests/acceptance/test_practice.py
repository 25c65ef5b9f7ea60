"""What practice asks goes from a job to `accepted`: notes to buyers, many boletas, opposites, the newer boletas."""

import copy
from typing import Any

import pytest

from tests.acceptance.books import check_books
from tests.acceptance.sales import job, receiver
from tests.acceptance.trades import sale
from tests.acceptance.works import Works

TICKET = {
    "FolioTicket": 77,
    "FchGenera": "2026-11-24T10:00:00",
    "NmbEvento": "Concierto de Ñandúes",
    "TpoTicket": "GENERAL",
    "CdgEvento": "E1",
    "FchEvento": "2026-12-24T21:30:00",
    "LugarEvento": "Teatro Municipal",
    "UbicEvento": "Platea",
}
DOLLARS = {"NmbItem": "Compra de 1000 USD a 930", "QtyItem": 1000, "PrcItem": 930, "IndExe": 6}


def boleta(kind: int = 39, **id_doc: Any) -> dict[str, Any]:
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": kind, **id_doc}},
        "Detalle": [{"NmbItem": "Zapatos de cuero", "QtyItem": 1, "PrcItem": 10_000}],
    }


def show() -> dict[str, Any]:
    document = boleta(IndServicio=4)
    document["Detalle"][0] |= {"ItemEspectaculo": "01", "RUTMandante": "77777777-7", "InfoTicket": TICKET}
    return document


NEWER = {
    "paid by card": boleta(MedioPago=2),
    "dearer exchange": boleta() | {"Referencia": [{"TpoDocRef": "39", "FolioRef": "900", "RazonRef": "Cambio"}]},
    "tickets": show(),
    "bought dollars": boleta(41) | {"Detalle": [DOLLARS]},
}
"""Boletas that only the newer schema has room for."""


def test_boletas_with_the_tags_of_the_newer_schema_are_accepted(works: Works) -> None:
    company = works.company((39, 41))
    works.producer.enqueue_many([job(company, key, document) for key, document in NEWER.items()])
    works.await_states(company, {"accepted": len(NEWER)})
    check_books(works, company)


def test_a_factura_of_services_used_abroad_is_accepted(works: Works) -> None:
    company = works.company((110,))
    document = sale(110)
    del document["Encabezado"]["Transporte"]
    document["Encabezado"]["IdDoc"]["IndServicio"] = 6
    works.producer.enqueue(job(company, "abroad", document))
    works.await_states(company, {"accepted": 1})


@pytest.mark.parametrize("to", ["buyer", "issuer"])
def test_a_note_on_a_boleta_of_nobody_is_accepted(works: Works, to: str) -> None:
    company = works.company((39, 61))
    receipt = works.producer.enqueue(job(company, "boleta", boleta()))
    works.await_states(company, {"accepted": 1})
    sold = works.producer.wait(receipt, until="decided")
    note = boleta(61, MntBruto=1)
    if to == "buyer":
        note["Encabezado"]["Receptor"] = receiver()
    reference = {"TpoDocRef": 39, "FolioRef": sold.folio, "FchRef": sold.body["issued_on"], "CodRef": 1}
    works.producer.enqueue(job(company, "note", note | {"Referencia": [reference]}))
    works.await_states(company, {"accepted": 2})
    check_books(works, company)


def test_one_note_over_many_boletas_is_accepted(works: Works) -> None:
    company = works.company((61,))
    note = boleta(61, MntBruto=1)
    reference = {"TpoDocRef": 39, "FolioRef": 0, "FchRef": works.scalar("SELECT fmgo_now()::date").isoformat()}
    note["Referencia"] = [{**reference, "IndGlobal": 1, "CodRef": 3, "RazonRef": "Boletas y comprobantes"}]
    works.producer.enqueue(job(company, "note", note))
    works.await_states(company, {"accepted": 1})


def test_a_liquidacion_is_annulled_by_its_opposite_once(works: Works) -> None:
    company = works.company((43,))
    settled = sale(43)
    receipt = works.producer.enqueue(job(company, "settled", settled))
    works.await_states(company, {"accepted": 1})
    issued = works.producer.wait(receipt, until="decided")
    opposite = copy.deepcopy(settled)
    for line in opposite["Detalle"]:
        line["MontoItem"] = -line["MontoItem"]
    for charge in opposite["Comisiones"]:
        charge |= {tag: -charge[tag] for tag in ("ValComNeto", "ValComExe", "ValComIVA") if charge.get(tag)}
    opposite["Referencia"] = [{"TpoDocRef": 43, "FolioRef": issued.folio, "FchRef": issued.body["issued_on"]}]
    works.producer.enqueue(job(company, "opposite", opposite))
    works.await_states(company, {"accepted": 2})
    again = works.producer.wait(works.producer.enqueue(job(company, "again", opposite)), until="decided")
    assert (again.state, {problem.code for problem in again.problems}) == ("invalid", {"DTE-REF-18"})
    check_books(works, company)
