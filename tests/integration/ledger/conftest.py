"""A fresh ledger, with jobs put into it without any worker."""

import json
from collections.abc import Iterator

import pytest

from domain.job import parse_job
from workers.database import intake, processes
from workers.database.claims import Lease
from workers.database.engine import Ledger
from workers.database.intake import IncomingJob, Receipt

ISSUER = "76900101-8"


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    opened = Ledger(database, pool_size=4)
    yield opened
    opened.dispose()


def job(key: str, *, issuer: str = ISSUER, lane: str = "bulk", price: int = 1000) -> bytes:
    return json.dumps(
        {
            "version": 1,
            "idempotency_key": key,
            "issuer": issuer,
            "lane": lane,
            "document": {
                "Encabezado": {"IdDoc": {"TipoDTE": 39}},
                "Detalle": [{"NmbItem": "Pan", "QtyItem": 1, "PrcItem": price}],
            },
        }
    ).encode()


def record(ledger: Ledger, *bodies: bytes) -> list[Receipt]:
    jobs = [IncomingJob(parse_job(body), body, {}) for body in bodies]
    return ledger.repeated(lambda tx: intake.record(tx, jobs, "test"))


def enter(ledger: Ledger, *, seconds: float = 60) -> Lease:
    number, epoch = ledger.repeated(lambda tx: processes.register(tx, "bulk", "here", 1))
    return Lease(worker=number, epoch=epoch, seconds=seconds)
