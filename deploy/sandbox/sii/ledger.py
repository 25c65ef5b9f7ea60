"""Every request that reached the simulator, and the invariants that must hold whatever went wrong.

Tokens are kept as hashes, bodies as their SHA-256. The invariants are computed from what was entered, never kept as
counters: they are the oracle of tests that break things on purpose.
"""

import hashlib
from collections import Counter
from typing import Any

from deploy.sandbox.sii.exchange import Answer, Exchange
from deploy.sandbox.sii.registry import Registry

_SENSITIVE = frozenset({"cookie", "authorization"})


class Ledger:
    """The list of requests."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.peak = 0
        self.logins: Counter[str] = Counter()

    def enter(self, exchange: Exchange, answer: Answer) -> None:
        """Write one exchange down."""
        headers = {
            name: _hashed(value) if name.lower() in _SENSITIVE else value for name, value in exchange.headers.get_all()
        }
        occasion = exchange.occasion
        sent = 0 if answer.lost else len(answer.body) if answer.cut_at is None else answer.cut_at
        self.entries.append(
            {
                "id": exchange.number,
                "time": exchange.received_at.isoformat(timespec="milliseconds"),
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
                "track_id": exchange.track_id if exchange.track_id is not None else occasion.track_id,
                "identity": exchange.identity,
                "outcome": exchange.outcome,
                "warnings": exchange.warnings,
                "faults": exchange.faults,
                "status": 0 if answer.lost else answer.status,
                "bytes_sent": sent,
                "stored": exchange.stored,
            }
        )

    def reset(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.logins.clear()
        self.peak = 0


def invariants(ledger: Ledger, registry: Registry) -> dict[str, Any]:
    """What must hold: a folio is accepted once, with one set of bytes, and nobody ever sent other bytes for it."""
    accepted = Counter(identity for identity, _, _ in registry.acceptances)
    doubled = [identity for identity, count in accepted.items() if count > 1]
    reissued = [identity for identity, digests in registry.received.items() if len(digests) > 1]
    problems = [f"accepted {accepted[i]} times: {_name(i)}" for i in doubled]
    problems += [f"error of the simulator itself: {text}" for text in registry.errors]
    problems += [f"received with different bytes: {_name(i)}" for i in reissued]
    states = Counter(d.state for documents in registry.history.values() for d in documents)
    queries = Counter(e["track_id"] for e in ledger.entries if e["operation"] in {"getEstUp", "estado_envio"})
    return {
        "ok": not problems,
        "accepted": len(accepted),
        "repaired": states["repaired"],
        "rejected": states["rejected"],
        "doubled": len(doubled),
        "reissued": len(reissued),
        "problems": problems,
        "logins": dict(sorted(ledger.logins.items())),
        "logins_per_hour": _logins_per_hour(ledger),
        "peak_concurrency": ledger.peak,
        "most_queries_of_one_track_id": max(queries.values(), default=0),
        "uploads": Counter(u.final_state or "pending" for u in registry.uploads.values()),
    }


def _logins_per_hour(ledger: Ledger) -> dict[str, int]:
    hours: Counter[str] = Counter(
        f"{entry['person']} {entry['host']} {entry['time'][:13]}"
        for entry in ledger.entries
        if entry["operation"] in {"getToken", "token"} and entry["outcome"] == "00"
    )
    return dict(sorted(hours.items()))


def _name(identity: tuple[str, int, int]) -> str:
    return "{} {} {}".format(*identity)


def _hashed(value: str) -> str:
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]
