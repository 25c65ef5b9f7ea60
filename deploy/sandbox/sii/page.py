"""The page a person sees at the control port: what this is, what it has received, which faults are on.

One HTML file with everything in it (`page.html`), filled here; whatever came from outside is escaped.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from deploy.sandbox.sii.exchange import Answer
from deploy.sandbox.sii.hosts import HOSTS, SHARED
from deploy.sandbox.sii.invariants import invariants
from deploy.sandbox.sii.registry import Upload
from deploy.sandbox.sii.world import World

_TEMPLATE = Template((Path(__file__).parent / "page.html").read_text("utf-8"))
_REQUESTS, _UPLOADS, _FINDINGS, _PROBLEMS = 24, 14, 8, 12
_TILES = (
    ("accepted", "accepted"),
    ("repaired", "with repairs"),
    ("rejected", "rejected"),
    ("doubled", "accepted twice"),
    ("reissued", "folios reissued"),
    ("early_requests", "called too early"),
    ("peak_concurrency", "peak at once"),
)
_ALARMS = frozenset({"doubled", "reissued", "early_requests"})
_GOOD = frozenset({"00", "STATUS 0", "REC", "EPR", "DOK", "LOK", "EOK", "0"})
_WAITING = frozenset({"FAU", "DNK", "REC", "SOK", "CRT", "FOK", "PDR", "STATUS 99", "-11/2", "LSO"})
_VIEWS = ("ledger", "uploads", "documents", "mails", "events", "cessions", "tokens", "invariants", "faults")
_MORE_VIEWS = ("faults/catalogue", "switches/described", "profiles", "clock", "cpu")

Cell = tuple[str, str]  # text or HTML, and the classes of its cell


def front_page(world: World) -> Answer:
    """The page."""
    facts = invariants(world.ledger, world.registry, world.switches)
    body = "".join(
        (
            _header(world, facts),
            _verdict(facts),
            _tiles(world, facts),
            f'<div class="columns">{_hosts(world)}{_faults(world)}</div>',
            _uploads(world),
            f'<div class="columns">{_types(world)}{_findings(world)}</div>',
            _requests(world),
            _footer(),
        )
    )
    page = _TEMPLATE.substitute(environment=escape(world.environment), body=body)
    return Answer(200, page.encode("utf-8"), "text/html; charset=utf-8")


def _header(world: World, facts: dict[str, Any]) -> str:
    switches = world.switches
    chips = [
        ("", world.environment),
        ("", f"{world.clock.now():%Y-%m-%d %H:%M:%S} Santiago"),
        ("", f"profile {switches.profile}" if switches.profile else f"timings {switches.timings}"),
        ("", f"seed {world.seed}"),
        ("good" if facts["ok"] else "bad", "invariants hold" if facts["ok"] else "invariants broken"),
    ]
    if switches.checks != "full":
        chips.append(("warn", f"{switches.checks} checks"))
    shown = "".join(_chip(text, kind) for kind, text in chips)
    return (
        "<header><div><h1>A simulated SII</h1><p>It stands in for the tax authority's services in tests and"
        " demonstrations. It checks what it receives; nothing reaches the real one.</p></div>"
        f'<div class="facts">{shown}</div></header>'
    )


def _verdict(facts: dict[str, Any]) -> str:
    if facts["ok"]:
        return ""
    problems = "".join(f"<li>{escape(text)}</li>" for text in facts["problems"][:_PROBLEMS])
    more = len(facts["problems"]) - _PROBLEMS
    rest = f"<li>and {more} more</li>" if more > 0 else ""
    return f'<div class="verdict bad">What must hold does not hold<ul>{problems}{rest}</ul></div>'


def _tiles(world: World, facts: dict[str, Any]) -> str:
    rows = [(name, str(facts[name]), label) for name, label in _TILES]
    rows += [("uploads", str(len(world.registry.uploads)), "uploads")]
    rows += [("requests", str(len(world.ledger.entries)), "requests")]
    shown = []
    for name, figure, label in rows:
        kind = "off" if figure == "0" else "alarm" if name in _ALARMS else ""
        shown.append(f'<div class="tile {kind}"><b>{figure}</b><span>{label}</span></div>')
    return f'<div class="tiles">{"".join(shown)}</div>'


def _hosts(world: World) -> str:
    rows: list[list[Cell]] = [
        [(f"<code>{escape(world.addresses.get(host.name, ''))}</code>", "fixed"), (escape(host.stands_for), "dim")]
        for host in HOSTS
        if host.name in world.addresses
    ]
    if SHARED in world.addresses:
        shared = f"<code>{escape(world.addresses[SHARED])}</code>"
        rows.append([(shared, "fixed"), ("all of them, told apart by the Host header", "dim")])
    return _card("Hosts", "", _table(["address", "stands for"], rows))


def _faults(world: World) -> str:
    rows: list[list[Cell]] = []
    for rule in world.faults.rules():
        when = " ".join(f"{name}={value}" for name, value in rule.when.items()) or "any request it means"
        chance = f", {rule.probability:.1%} of them" if rule.probability < 1 else ""
        often = f"{rule.fired}" if rule.times < 0 else f"{rule.fired} of {rule.times}"
        kind = "warn" if rule.in_force else ""
        rows.append(
            [
                (_chip(rule.fault, kind), "fixed"),
                (f"{escape(rule.entry.does)}<br><span class=dim>{escape(when + chance)}</span>", ""),
                (often, "figure fixed"),
            ]
        )
    hint = "None. Switch one on: <code>fmgo simulator fault add F-LOST-1</code>"
    inside = _table(["fault", "what happens, and when", "fired"], rows) if rows else f'<div class="empty">{hint}</div>'
    return _card("Faults that are on", '<a href="faults/catalogue">catalogue</a>', inside)


def _uploads(world: World) -> str:
    now = world.clock.now()
    rows: list[list[Cell]] = []
    for upload in list(world.registry.uploads.values())[: -_UPLOADS - 1 : -1]:
        state = upload.state(now)
        counters = _counted(upload)
        link = f'<a href="uploads/{upload.track_id}">{upload.track_id}</a>'
        file = f'<a href="uploads/{upload.track_id}/file">{escape(upload.filename or "file")}</a>'
        fault = str((upload.verdict_fault or {}).get("fault", ""))
        rows.append(
            [
                (f"{upload.received_at:%H:%M:%S}", "fixed dim"),
                (link, "fixed"),
                (_chip(state, _kind(state)) + (f" {_chip(fault, 'warn')}" if fault else ""), "fixed"),
                (escape(counters), "fixed"),
                (escape(upload.company), "fixed wide"),
                (escape(upload.channel), "wide dim"),
                (f"{upload.size / 1024:.1f} KiB", "figure fixed wide dim"),
                (file, "fixed wide file"),
            ]
        )
    names = ["received", "track id", "state", "documents", "*company", "*channel", "*#size", "*file"]
    inside = _table(names, rows) if rows else '<div class="empty">Nothing has been uploaded yet.</div>'
    return _card("Uploads", f"the last {len(rows)} of {len(world.registry.uploads)}", inside)


def _counted(upload: Upload) -> str:
    """Documents of an upload by verdict, in words."""
    totals: Counter[str] = Counter(document.state for document in upload.documents)
    if not totals:
        finding = upload.findings[0].code if upload.findings else ""
        return f"{upload.document_count} sent {finding}".strip()
    return ", ".join(f"{totals[state]} {state}" for state in ("accepted", "repaired", "rejected") if totals[state])


def _types(world: World) -> str:
    table: dict[int, Counter[str]] = {}
    for documents in world.registry.history.values():
        for document in documents:
            table.setdefault(document.document_type, Counter())[document.state] += 1
    rows: list[list[Cell]] = [
        [(str(kind), ""), *((str(counted[state] or "·"), "figure") for state in ("accepted", "repaired", "rejected"))]
        for kind, counted in sorted(table.items())
    ]
    inside = _table(["type", "#accepted", "#repaired", "#rejected"], rows)
    empty = '<div class="empty">No document has been examined yet.</div>'
    return _card("Documents by type", '<a href="documents">all</a>', inside if rows else empty)


def _findings(world: World) -> str:
    counted: Counter[tuple[str, str]] = Counter()
    for upload in world.registry.uploads.values():
        for finding in (*upload.findings, *(f for document in upload.documents for f in document.findings)):
            counted[finding.code, finding.text.partition("[")[0][:80]] += 1
    rows: list[list[Cell]] = [
        [(_chip(code, "bad" if "-3-" in code else "warn"), "fixed"), (escape(text), ""), (str(number), "figure")]
        for (code, text), number in counted.most_common(_FINDINGS)
    ]
    empty = '<div class="empty">It has objected to nothing.</div>'
    return _card("Objections", "the most frequent", _table(["code", "says", "#times"], rows) if rows else empty)


def _requests(world: World) -> str:
    rows: list[list[Cell]] = []
    for entry in world.ledger.entries[: -_REQUESTS - 1 : -1]:
        outcome = str(entry["outcome"]) or str(entry["status"])
        faults = " ".join(_chip(str(name), "warn") for name in entry["faults"])
        rows.append(
            [
                (escape(str(entry["time"])[11:23]), "fixed dim"),
                (escape(str(entry["host"])), "fixed wide dim"),
                (escape(str(entry["operation"] or entry["path"])), "fixed"),
                (f"{_chip(outcome, _kind(outcome))} {faults}", ""),
                (escape(str(entry["company"])), "fixed wide"),
                (escape(str(entry["track_id"] or entry["identity"])), "fixed wide"),
                (str(entry["bytes_sent"]), "figure wide dim"),
            ]
        )
    names = ["time", "*host", "request", "outcome", "*company", "*about", "*#bytes"]
    inside = _table(names, rows) if rows else '<div class="empty">No request has come yet.</div>'
    return _card("Requests", f"the last {len(rows)} of {len(world.ledger.entries)}", inside)


def _footer() -> str:
    links = "".join(f'<a href="{name}">{name}</a>' for name in (*_VIEWS, *_MORE_VIEWS))
    return f"<footer><span>As JSON:</span>{links}</footer>"


def _kind(outcome: str) -> str:
    """Whether an outcome is good, waits, or is bad."""
    if outcome in _WAITING:
        return "warn" if outcome in {"STATUS 99", "FAU", "DNK"} else ""
    return "good" if outcome in _GOOD else "bad"


def _chip(text: str, kind: str = "") -> str:
    return f'<span class="chip {kind}">{escape(text)}</span>'


def _card(title: str, beside: str, inside: str) -> str:
    small = f"<small>{beside}</small>" if beside else ""
    head = f'<div class="title"><h2>{title}</h2>{small}</div>'
    return f'<section class="card">{head}<div class="scroll">{inside}</div></section>'


def _table(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; a column whose name begins with `*` is only for wide screens, with `#` it is of figures."""
    heads = []
    for name in names:
        classes = " ".join(kind for mark, kind in (("*", "wide"), ("#", "figure")) if mark in name)
        heads.append(f'<th class="{classes}">{escape(name.lstrip("*#"))}</th>')
    body = "".join("<tr>" + "".join(f'<td class="{kind}">{text}</td>' for text, kind in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table>"
