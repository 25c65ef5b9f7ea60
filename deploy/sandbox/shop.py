"""The jobs that the demo puts on the queue, valid and invalid, and how the invented companies go on.

Each job says what is expected of it, so that the demo's closing line can be held against the list and not against
FMgo's own opinion. Everything is made from one seed.
"""

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from deploy.sandbox import trades
from deploy.sandbox.companies import ALMACENES, COLEGIO, CONSULTORA, FERIA, FERRETERIA, MOLINO
from deploy.sandbox.notes import Issued, Later, annul, correct_amounts, correct_text, invoice_of_guide
from deploy.sandbox.people import Company
from deploy.sandbox.trades import Document
from domain.codes.document_types import INVOICE

LATE: dt.timedelta = dt.timedelta(days=5)
"""What was left in a drawer for so long is accepted with a repair (SII, DTE-1-650)."""


@dataclass(frozen=True)
class DemoJob:
    """A job as the shop sends it (raw bytes) and what must come of it; `why` names the fault of an invalid one."""

    body: bytes
    key: str
    issuer: str
    document_type: int
    valid: bool
    why: str = ""
    replaces: bool = False


def _body(job: dict[str, Any]) -> bytes:
    return json.dumps(job, ensure_ascii=False).encode("utf-8")


class Shop:
    """Makes jobs; the same seed and day make the same jobs. `later` is what follows from some of them."""

    def __init__(self, today: dt.date, seed: int = 7) -> None:
        self._today = today
        self._random = random.Random(seed)  # noqa: S311 - invented sales, no secrets
        self._numbers: dict[str, int] = {}
        self.later: list[Later] = []

    def _key(self, kind: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}-{self._numbers[kind]:05d}"

    def _job(
        self, kind: str, company: Company, document: Document, *, lane: str = "bulk", key: str | None = None
    ) -> DemoJob:
        key = key or self._key(kind)
        body = {"version": 1, "idempotency_key": key, "issuer": company.rut, "lane": lane, "document": document}
        return DemoJob(_body(body), key, company.rut, document["Encabezado"]["IdDoc"]["TipoDTE"], valid=True)

    def invoice(self, company: Company) -> DemoJob:
        """A factura (33)."""
        goods = trades.SERVICES if company is CONSULTORA else trades.GOODS
        return self._job("factura", company, trades.invoice(self._random, goods))

    def boleta(self, company: Company, *, lane: str = "bulk") -> DemoJob:
        """A boleta (39) of an anonymous consumer, gross prices."""
        return self._job("boleta", company, trades.boleta(self._random), lane=lane)

    def day(self) -> list[DemoJob]:
        """A day of all companies: some hundreds of sales, of every type but notes, which are `later`."""
        jobs = [self.invoice(FERRETERIA) for _ in range(60)]
        jobs += [self.invoice(CONSULTORA) for _ in range(40)]
        jobs += [self.invoice(ALMACENES) for _ in range(20)]
        jobs += [self.boleta(ALMACENES) for _ in range(120)]
        jobs += [self.boleta(FERRETERIA) for _ in range(60)]
        jobs += [self.boleta(FERRETERIA, lane="interactive") for _ in range(5)]
        made = self._random
        rest: tuple[tuple[int, str, Company, Callable[[], Document]], ...] = (
            (10, "exenta", COLEGIO, lambda: trades.exempt_invoice(made)),
            (2, "atrasada", COLEGIO, lambda: trades.late(trades.exempt_invoice(made), self._today - LATE)),
            (20, "boleta-exenta", COLEGIO, lambda: trades.exempt_boleta(made)),
            (8, "compra", MOLINO, lambda: trades.purchase(made)),
            (6, "liquidacion", FERIA, lambda: trades.settlement(made)),
            (6, "guia", FERRETERIA, lambda: trades.guide(made, self._today)),
            (2, "traslado", FERRETERIA, lambda: trades.transfer(made, self._today)),
            (2, "puerto", MOLINO, lambda: trades.to_the_port(made, self._today)),
            (6, "exportacion", MOLINO, lambda: trades.export(made)),
        )
        jobs += [self._job(kind, company, make()) for count, kind, company, make in rest for _ in range(count)]
        self._plan()
        return jobs

    def _plan(self) -> None:
        """What will come of some of the day's sales: notes of every kind, and facturas of guías."""
        mistake = "Anula por error de digitación"
        returned = "Devolución de mercadería"
        store = self._then(FERRETERIA)
        store("factura-00001", "goods come back", correct_amounts(61, returned))
        store(
            "factura-00001",
            "they are paid late, interest is charged",
            correct_amounts(56, "Interés por mora", price=4_500),
        )
        store("factura-00002", "the customer has moved", correct_text(61, "DICE Colo Colo 77 DEBE DECIR Colo Colo 770"))
        wrong = store("factura-00003", "a factura was a mistake", annul(61, mistake))
        store(wrong, "the note was a mistake itself", annul(56, "Anula nota de crédito por error"))
        for number in (1, 2, 3):
            store(f"guia-0000{number}", "goods that went with a guía are invoiced", invoice_of_guide)
        grocer = self._then(ALMACENES)
        grocer("boleta-00001", "a customer brings groceries back", annul(61, returned))
        grocer("factura-00101", "a factura was a mistake", annul(61, mistake))
        school = self._then(COLEGIO)
        school("exenta-00001", "a scholarship is granted", correct_amounts(61, "Beca de excelencia", price=45_000))
        school("exenta-00001", "a second scholarship is granted", correct_amounts(61, "Beca de hermanos", price=15_000))
        school("exenta-00002", "materials are charged", correct_amounts(56, "Materiales de taller", price=12_900))
        school("boleta-exenta-00001", "a pupil leaves", annul(61, "Retiro de alumno"))
        mill = self._then(MOLINO)
        mill("compra-00001", "a farmer's wheat is taken back", annul(61, "Devolución de cosecha"))
        mill("compra-00002", "wet grain is paid less", correct_amounts(61, "Descuento por humedad"))
        mill("compra-00003", "good grain is paid more", correct_amounts(56, "Premio por calidad", price=32_000))
        short = mill("exportacion-00001", "sacks were missing", correct_amounts(112, "Missing sacks", quantity=12))
        mill(short, "the missing sacks are found", annul(111, "Sacks found"))
        mill("exportacion-00002", "demurrage is charged", correct_amounts(111, "Demurrage", price="312.75"))
        mill("exportacion-00003", "a shipment is called off", annul(112, "Shipment cancelled"))
        yard = self._then(FERIA)
        yard("liquidacion-00001", "a steer was sick", correct_amounts(61, "Novillo enfermo", price=640_000))
        yard("liquidacion-00002", "a settlement was a mistake", annul(61, mistake))

    def _then(self, company: Company) -> Callable[[str, str, Callable[[Issued], Document]], str]:
        """A function that plans something of a company's after a job of its own, and returns the new job's key."""

        def plan(after: str, said: str, document: Callable[[Issued], Document]) -> str:
            later = Later(after, self._key("nota"), company.rut, said, document)
            self.later.append(later)
            return later.key

        return plan

    def follow(self, later: Later, issued: Issued) -> DemoJob:
        """The job that follows from an issued document."""
        body = {"version": 1, "idempotency_key": later.key, "issuer": later.company, "lane": "interactive"}
        document = later.document(issued)
        document_type = document["Encabezado"]["IdDoc"]["TipoDTE"]
        return DemoJob(_body({**body, "document": document}), later.key, later.company, document_type, valid=True)

    def wrong(self) -> Iterator[DemoJob]:
        """One job of each kind of fault that a shop may commit."""

        def spoilt(why: str, change: Any, document_type: int = 33) -> DemoJob:
            good = self.invoice(FERRETERIA) if document_type == INVOICE else self.boleta(FERRETERIA)
            job = json.loads(good.body)
            job["idempotency_key"] = self._key("mala")
            change(job)
            return DemoJob(_body(job), job["idempotency_key"], FERRETERIA.rut, document_type, valid=False, why=why)

        def header(job: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = job["document"]["Encabezado"]
            return found

        yield spoilt("receiver's RUT with a wrong digit", lambda j: header(j)["Receptor"].update(RUTRecep="12345678-9"))
        yield spoilt("unknown document type", lambda j: header(j)["IdDoc"].update(TipoDTE=99))
        yield spoilt("stated total doesn't agree", lambda j: header(j).update(Totales={"MntTotal": 1}))
        yield spoilt("no detail lines", lambda j: j["document"].update(Detalle=[]))
        yield spoilt("unknown tag", lambda j: header(j)["IdDoc"].update(FormaDePago=1))
        yield spoilt("negative price", lambda j: j["document"]["Detalle"][0].update(PrcItem=-5))
        yield spoilt("a date in the future", lambda j: header(j)["IdDoc"].update(FchEmis="2049-01-01"))
        yield spoilt("a NUL in a name", lambda j: j["document"]["Detalle"][0].update(NmbItem="Mar\x00tillo"))
        yield spoilt("an emoji in a name", lambda j: j["document"]["Detalle"][0].update(NmbItem="Martillo 🔨"))
        yield spoilt("receiver without address", lambda j: header(j)["Receptor"].pop("DirRecep"))
        yield spoilt("discount above the amount", lambda j: j["document"]["Detalle"][0].update(DescuentoMonto=10**9))
        yield spoilt("a boleta with an invoice's tag", lambda j: header(j)["IdDoc"].update(FmaPago=1), 39)
        yield spoilt("a note without its reference", lambda j: header(j)["IdDoc"].update(TipoDTE=61))
        yield spoilt("replaces a document that isn't there", lambda j: j.update(replaces="nunca-existio"))
        surrogate = self._key("mala")
        text = _body(json.loads(self.invoice(FERRETERIA).body) | {"idempotency_key": surrogate}).decode("utf-8")
        yield DemoJob(
            text.replace('"NmbItem": "', '"NmbItem": "\\ud800', 1).encode("utf-8"),
            surrogate,
            FERRETERIA.rut,
            33,
            valid=False,
            why="a lone surrogate in a name",
        )
        yield DemoJob(b"{not json", "", "", 0, valid=False, why="a message that is no JSON")
        yield DemoJob(b'["a", "list"]', "", "", 0, valid=False, why="a message that is no job")
        yield DemoJob(
            _body({"version": 1, "issuer": FERRETERIA.rut, "document": {}}), "", "", 0, valid=False, why="no key"
        )
