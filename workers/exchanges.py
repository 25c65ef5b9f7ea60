"""The record of exchanges with the SII: each request and what came of it is a row, whatever it was for.

Who asks says what about (`about_envelope`, `about_document`); the SII's client hands each exchange in when it is over.
Rows hold a digest of the request, never its bytes (a token may be in them), and the answer's beginning with any token
masked. A record that can't be written, since the ledger is away, is logged and given up: the phase goes on, and an
upload's answer is kept with its attempt besides.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from workers.database import exchanges
from workers.database.engine import Ledger
from workers.database.exchanges import ExchangeRow, Subject
from workers.sii.transport import Exchanged

log: Final = structlog.get_logger(__name__)

ANSWER_BYTES: Final = 64 * 1024
"""As much of an answer is kept; the whole of it is counted."""

_TOKEN: Final = re.compile(
    rb"((?:<|&lt;)(?:\w+:)?TOKEN\b(?:(?!&gt;)[^>])*(?:>|&gt;)).*?((?:<|&lt;)/(?:\w+:)?TOKEN|\Z)",
    re.IGNORECASE | re.DOTALL,
)

_NOTHING: Final = Subject()

_subject: ContextVar[Subject] = ContextVar("subject", default=_NOTHING)


@contextmanager
def about_envelope(envelope: uuid.UUID, worker: int, attempt: int | None = None) -> Iterator[None]:
    """Let the exchanges within be an envelope's (and those of one attempt to send it)."""
    with _about(Subject(envelope=envelope, worker=worker, attempt=attempt)):
        yield


@contextmanager
def about_person(person: str) -> Iterator[None]:
    """Let the exchanges within be a person's login, for whatever it is needed."""
    with _about(replace(_subject.get(), person=person)):
        yield


@contextmanager
def about_document(document_type: int, folio: int) -> Iterator[None]:
    """Let the exchanges within be one document's, of the envelope that is spoken of."""
    with _about(replace(_subject.get(), document_type=document_type, folio=folio)):
        yield


@contextmanager
def _about(subject: Subject) -> Iterator[None]:
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Writes the record of one environment's exchanges."""

    ledger: Ledger
    environment: str

    def keep(self, exchanged: Exchanged) -> None:
        """Write one row; never raises for a ledger that is away."""
        answer = exchanged.answer
        row = ExchangeRow(
            environment=self.environment,
            operation=exchanged.operation,
            address=exchanged.address,
            request_sha256=exchanged.request_sha256,
            request_bytes=exchanged.request_bytes,
            seconds=exchanged.seconds,
            http_status=exchanged.http_status,
            answer=None if answer is None else without_token(answer[:ANSWER_BYTES]),
            answer_bytes=None if answer is None else len(answer),
            problem=exchanged.problem,
        )
        try:
            with self.ledger.statements() as tx:
                exchanges.keep(tx, _subject.get(), row)
        except SQLAlchemyError as error:
            log.warning("exchange.not_kept", operation=exchanged.operation, error=str(error.__cause__ or error))


def without_token(answer: bytes) -> bytes:
    """An answer as it came but for the token that a login brings."""
    return _TOKEN.sub(rb"\1***\2", answer)
