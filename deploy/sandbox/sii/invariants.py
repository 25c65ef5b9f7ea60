"""The oracle: what must hold whatever went wrong, computed from the ledger and the registry.

A folio is accepted once, with one set of bytes, and nobody ever sent other bytes for it; nobody calls again before the
time that a refusal named; with the switches so set, logins and queries are bounded. Everything else here is a figure
to look at: logins and queries by the hour, how many requests were in flight at once.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from deploy.sandbox.sii.catalogue import OPERATIONS
from deploy.sandbox.sii.ledger import Ledger
from deploy.sandbox.sii.registry import Registry
from deploy.sandbox.sii.switches import Switches

_SHOWN = 20


def invariants(ledger: Ledger, registry: Registry, switches: Switches) -> dict[str, Any]:
    """The figures, `problems` in sentences, and `ok`: whether there are none."""
    accepted = Counter(identity for identity, _, _ in registry.acceptances)
    doubled = [identity for identity, count in accepted.items() if count > 1]
    reissued = [identity for identity, digests in registry.received.items() if len(digests) > 1]
    logins = [e for e in ledger.entries if e["operation"] in OPERATIONS["get_token"] and e["outcome"] == "00"]
    queries = [e for e in ledger.entries if e["operation"] in OPERATIONS["envelope_status"] and e["track_id"]]
    logins_per_hour = _by_hour((f"{e['person']} {_channel(e)}", e) for e in logins)
    queries_per_hour = _by_hour((str(e["track_id"]), e) for e in queries)
    early = early_requests(ledger.entries, switches.retry_grace)
    problems = [f"accepted {accepted[i]} times: {_name(i)}" for i in doubled]
    problems += [f"received with different bytes: {_name(i)}" for i in reissued]
    problems += [f"request {e['id']} to {e['host']} came before the time that an answer named" for e in early]
    problems += _beyond(logins_per_hour, switches.max_logins_per_hour, "logins")
    problems += _beyond(queries_per_hour, switches.max_queries_per_hour, "queries of track id")
    problems += [f"error of the simulator itself: {text}" for text in registry.errors]
    states = Counter(d.state for documents in registry.history.values() for d in documents)
    return {
        "ok": not problems,
        "accepted": len(accepted),
        "repaired": states["repaired"],
        "rejected": states["rejected"],
        "doubled": len(doubled),
        "reissued": len(reissued),
        "early_requests": len(early),
        "problems": problems,
        "logins": dict(sorted(Counter(f"{e['person']} {_channel(e)}" for e in logins).items())),
        "logins_per_hour": logins_per_hour,
        "peak_concurrency": ledger.peak,
        "most_queries_of_one_track_id": max(Counter(e["track_id"] for e in queries).values(), default=0),
        "most_queries_per_hour": max(queries_per_hour.values(), default=0),
        "queries_per_hour": dict(sorted(queries_per_hour.items(), key=lambda row: -row[1])[:_SHOWN]),
        "uploads": Counter(u.final_state or "pending" for u in registry.uploads.values()),
    }


def early_requests(entries: list[dict[str, Any]], grace: float) -> list[dict[str, Any]]:
    """Requests to a host that came between an answer that said how long to wait and the time that it named.

    What comes within `grace` seconds of that answer was on its way already.
    """
    found, until, since = [], dict[str, datetime](), dict[str, datetime]()
    for entry in sorted(entries, key=lambda e: int(e["id"])):
        host, came = str(entry["host"]), datetime.fromisoformat(str(entry["time"]))
        if host in until and since[host] + timedelta(seconds=grace) < came < until[host]:
            found.append(entry)
        if entry["wait_until"]:
            until[host] = datetime.fromisoformat(str(entry["wait_until"]))
            since[host] = datetime.fromisoformat(str(entry["answered"]))
    return found


def _by_hour(rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, int]:
    return dict(sorted(Counter(f"{name} {entry['time'][:13]}" for name, entry in rows).items()))


def _beyond(table: dict[str, int], limit: int, what: str) -> list[str]:
    return [f"{count} {what} {name} h" for name, count in table.items() if limit and count > limit]


def _channel(entry: dict[str, Any]) -> str:
    return "rest" if entry["operation"] == "token" else "soap"


def _name(identity: tuple[str, int, int]) -> str:
    return "{} {} {}".format(*identity)
