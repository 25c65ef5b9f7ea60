"""Exchanges with the SII as rows: appended when they are over, never changed."""

import uuid
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Subject:
    """What an exchange is about, as far as it is about anything: a person's login, an envelope, a document of it."""

    person: str | None = None
    envelope: uuid.UUID | None = None
    worker: int | None = None
    attempt: int | None = None
    document_type: int | None = None
    folio: int | None = None


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange: `answer` is what may be stored of it (None when none came), `answer_bytes` its whole length."""

    environment: str
    operation: str
    address: str
    request_sha256: bytes
    request_bytes: int
    seconds: float
    http_status: int | None
    answer: bytes | None
    answer_bytes: int | None
    problem: str | None


def keep(tx: Connection, subject: Subject, exchange: ExchangeRow) -> None:
    """Append one."""
    run(
        tx,
        """
        INSERT INTO sii_exchanges (environment, operation, address, person, envelope, document_type, folio, attempt,
                                   worker, request_sha256, request_bytes, seconds, http_status, answer, answer_bytes,
                                   problem)
        VALUES (:environment, :operation, :address, :person, :envelope, :document_type, :folio, :attempt,
                :worker, :request_sha256, :request_bytes, :seconds, :http_status, :answer, :answer_bytes,
                :problem)
        """,
        **asdict(subject),
        **asdict(exchange),
    )
