"""The issuing phase in the test's own process, chunk by chunk, in a ledger of its own."""

import importlib
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from domain.job import parse_job
from tests.integration.enrolment import kit
from workers.database import intake
from workers.database.engine import Ledger, ledger, run
from workers.database.intake import IncomingJob
from workers.enrolment import Enrolment
from workers.folio_desk import FolioDesk
from workers.process import end_this_process
from workers.settings import settings
from workers.vault.sealing import Vault

RECEIVER = {
    "RUTRecep": "77777777-7",
    "RznSocRecep": "EMPRESA LTDA",
    "GiroRecep": "Comercio",
    "DirRecep": "Calle Dos 456",
    "CmnaRecep": "Providencia",
}


class Office:
    """One company that issues here."""

    def __init__(self, opened: Ledger) -> None:
        self.ledger = opened
        self.operator = Enrolment(opened, Vault.from_settings(settings()), None, caf_keys=kit.caf_keys(), actor="test")
        self.operator.add_issuer(kit.FERRETERIA)
        self.operator.add_certificate(kit.pfx(), kit.PASSWORD, [kit.COMPANY])
        self.phase = importlib.import_module("tasks.issue")  # not sooner: the Celery application reads the environment
        self.desk = FolioDesk(opened, *kit.COMPANY, actor="test")

    def load(self, *types: int, **options: Any) -> None:
        """Load a CAF of each type."""
        for document_type in types:
            self.operator.add_caf(kit.caf(document_type=document_type, **options), environment="certification")

    def record(self, *documents: dict[str, Any], **members: Any) -> list[uuid.UUID]:
        """Record a bulk job for each document."""
        jobs = []
        for document in documents:
            made = {"version": 1, "idempotency_key": uuid.uuid4().hex, "issuer": kit.ISSUER, "lane": "bulk", **members}
            body = json.dumps({**made, "document": document}).encode()
            jobs.append(IncomingJob(parse_job(body), body, {}))
        receipts = self.ledger.repeated(lambda tx: intake.record(tx, jobs, "test"))
        return [receipt.document_id for receipt in receipts if receipt.document_id]

    def issue(self, size: int = 50) -> None:
        """Issue whatever is due, in chunks of that size."""
        while self.phase.issue_chunk("bulk", "received", size):
            pass

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with self.ledger.transaction() as tx:
            return [tuple(row) for row in run(tx, sql, **values)]

    def states(self, ids: Sequence[uuid.UUID]) -> list[str]:
        """States of documents, in their order."""
        found = dict(self.rows("SELECT id, state FROM documents WHERE id = ANY (:ids)", ids=list(ids)))
        return [found[number] for number in ids]

    def codes(self, number: uuid.UUID) -> list[str]:
        """Codes of a document's problems and warnings."""
        sql = "SELECT coalesce(problems, '[]') || coalesce(warnings, '[]') FROM documents WHERE id = :id"
        return [problem["code"] for problem in self.rows(sql, id=number)[0][0]]


@pytest.fixture
def office(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    opened = ledger()
    tools = importlib.import_module("tasks.base")._tools_of
    tools.cache_clear()
    yield Office(opened)
    end_this_process()
    opened.dispose()
    settings.cache_clear()
    tools.cache_clear()


def invoice(price: int = 10_000) -> dict[str, Any]:
    """A factura of one line, net price."""
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": 33}, "Receptor": RECEIVER},
        "Detalle": [{"NmbItem": "Martillo", "QtyItem": 1, "PrcItem": price}],
    }


def note(folio: int, price: int, *, kind: int = 61, on: int = 33, code: int = 3) -> dict[str, Any]:
    """A note on a document, net price; its date comes from the ledger."""
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": kind}, "Receptor": RECEIVER},
        "Detalle": [{"NmbItem": "Martillo", "QtyItem": 1, "PrcItem": price}],
        "Referencia": [
            {"TpoDocRef": on, "FolioRef": folio, "CodRef": code, "RazonRef": "Corrige", "FchRef": "2026-11-20"}
        ],
    }
