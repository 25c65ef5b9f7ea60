"""The page a person sees at the control port: what this is, what it has received, which faults are on."""

from collections import Counter
from html import escape

from deploy.sandbox.sii.exchange import Answer
from deploy.sandbox.sii.invariants import invariants
from deploy.sandbox.sii.world import World


def front_page(world: World) -> Answer:
    """The page."""
    facts = invariants(world.ledger, world.registry, world.switches)
    calls = Counter(f"{e['host']} {e['operation'] or e['path']}: {e['outcome']}" for e in world.ledger.entries)
    faults = [f"{r.fault} {r.when or ''} fired {r.fired} of {r.times}" for r in world.faults.rules()]
    kept = ("accepted", "repaired", "rejected", "doubled", "reissued", "peak_concurrency")
    body = "".join(
        (
            "<h1>A simulated SII</h1>",
            "<p>It stands in for the tax authority's services in tests and demonstrations; nothing reaches the real.",
            f" Environment: {world.environment}. Its clock says {world.clock.now():%Y-%m-%d %H:%M:%S}.</p>",
            "<h2>Documents</h2>",
            _table([(name, str(facts[name])) for name in kept]),
            f"<p>Invariants {'hold' if facts['ok'] else 'are broken: ' + escape('; '.join(facts['problems']))}.</p>",
            "<h2>Requests</h2>",
            _table([(name, str(count)) for name, count in sorted(calls.items())]),
            "<h2>Faults</h2>",
            _table([(text, "") for text in faults]) if faults else "<p>none</p>",
            "<p>More as JSON: /ledger /uploads /documents /tokens /invariants /switches</p>",
        )
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Simulated SII</title>'
        "<style>body{font-family:sans-serif;margin:2em}td{padding:.1em 1em .1em 0}</style></head>"
        f"<body>{body}</body></html>"
    )
    return Answer(200, page.encode("utf-8"), "text/html; charset=utf-8")


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows)
    return f"<table>{cells}</table>"
