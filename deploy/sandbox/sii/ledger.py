"""Every request that reached the simulator, and the invariants that must hold whatever went wrong.

Tokens are kept as hashes, bodies as their SHA-256. The invariants are computed from what was entered, never kept as
counters: they are the oracle of tests that break things on purpose.
"""

import hashlib
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from deploy.sandbox.sii.exchange import Answer, Exchange
from deploy.sandbox.sii.journal import Journal

_SENSITIVE = frozenset({"cookie", "authorization"})
_ERROR = 400


class Ledger:
    """The list of requests."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.entries: list[dict[str, Any]] = []
        self.peak = 0
        self.in_flight = 0

    def enter(self, exchange: Exchange, answer: Answer, answered_at: datetime) -> None:
        """Write one exchange down."""
        headers = {
            name: _hashed(value) if name.lower() in _SENSITIVE else value for name, value in exchange.headers.get_all()
        }
        occasion = exchange.occasion
        sent = 0 if answer.lost else len(answer.body) if answer.cut_at is None else answer.cut_at
        track_id = exchange.track_id if exchange.track_id is not None else occasion.track_id
        wait_until = _wait_until(answer, answered_at)
        entry = {
            "id": exchange.number,
            "time": exchange.received_at.isoformat(timespec="milliseconds"),
            "answered": answered_at.isoformat(timespec="milliseconds"),
            "host": occasion.host,
            "method": exchange.method,
            "path": exchange.path,
            "query": exchange.query,
            "headers": headers,
            "body_sha256": hashlib.sha256(exchange.body).hexdigest(),
            "body_size": len(exchange.body),
            "operation": occasion.operation,
            "person": occasion.person,
            "company": occasion.company,
            "track_id": track_id,
            "identity": exchange.identity,
            "outcome": exchange.outcome,
            "warnings": exchange.warnings,
            "faults": exchange.faults,
            "status": 0 if answer.lost else answer.status,
            "bytes_sent": sent,
            "stored": exchange.stored,
            "wait_until": wait_until.isoformat(timespec="milliseconds") if wait_until else "",
        }
        self.entries.append(entry)
        self._journal.request(entry)

    def load(self) -> None:
        """Know again what was entered before a restart."""
        self.entries = self._journal.requests()

    def reset(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.peak = 0


def _wait_until(answer: Answer, answered_at: datetime) -> datetime | None:
    """The moment before which a refusal asks not to be called again, None when it asks for nothing."""
    if answer.status < _ERROR or answer.lost:
        return None
    for name in ("Retry-After", "X-Retry-After"):
        text = answer.headers.get(name, "")
        if text.isascii() and text.isdigit():
            return answered_at + timedelta(seconds=int(text))
        if text:
            return parsedate_to_datetime(text)
    return None


def _hashed(value: str) -> str:
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]
