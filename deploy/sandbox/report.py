"""The demo's closing tables: what was refused and why, what befell envelopes, what became of each type, where to look.

The table of types comes last, so that it is what a screen shows: how many documents FMgo issued, and what the SII's own
ledger says of them.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from deploy.sandbox import watch
from deploy.sandbox.control import SiiControl
from deploy.sandbox.flower import FlowerWindow
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.shop import DemoJob
from domain.codes.document_types import DOCUMENT_TYPES
from domain.states import ACCEPTED
from workers.database.engine import Ledger

REASONS_SHOWN: Final = 24
LAST: Final = 999
NEWER: Final = "format-2026"
"""Folder of the envelopes that the schemas in circulation refuse, beside the others."""
EXPORTS: Final = frozenset({110, 111, 112})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The closing figures, in sales: `accepted` and `doubled` are counted by the SII's ledger."""

    valid: int
    accepted: int
    invalid: int
    lost: int
    doubled: int
    holds: bool
    seconds: float
    invariants: Sequence[str]

    @classmethod
    def of(cls, ledger: Ledger, sii: SiiControl, jobs: Sequence[DemoJob], *, judged: bool, seconds: float) -> "Outcome":
        """Count. `judged`: the job list itself says which jobs are valid; otherwise FMgo's own answers do.

        A sale is a chain of documents that replace one another; it is accepted when the SII holds one of them, and
        doubled when it holds two.
        """
        rows = watch.documents(ledger)
        refused = len(watch.refused_messages(ledger))
        by_id = {row.id: row for row in rows}
        replaced = {row.replaces for row in rows}
        sales = [row for row in rows if row.id not in replaced]
        taken = {(d["issuer"], d["type"], d["folio"]) for d in sii.documents() if d["state"] != "rejected"}
        held = Counter(_first(row, by_id).id for row in rows if (row.issuer, row.document_type, row.folio) in taken)
        invalid = sum(row.state == "invalid" for row in sales) + refused
        first_jobs = [job for job in jobs if not job.replaces]
        if judged:
            valid = sum(job.valid for job in first_jobs)
            as_expected = invalid == len(first_jobs) - valid
            missing = len({job.key for job in first_jobs if job.valid} - {row.key for row in rows})
        else:
            valid = len(sales) - (invalid - refused)
            as_expected = True
            sent = {(job.issuer, job.key) if job.key else job.body for job in first_jobs}
            missing = max(0, len(sent) - len(sales) - refused)
        unsettled = sum(row.state not in ACCEPTED and row.state != "invalid" for row in sales)
        invariants = sii.invariants()
        doubled = int(invariants["doubled"]) + sum(number > 1 for number in held.values())
        lost = missing + unsettled
        holds = invariants["ok"] and as_expected and valid == len(held) and lost == 0 and doubled == 0
        return cls(
            valid=valid,
            accepted=len(held),
            invalid=invalid,
            lost=lost,
            doubled=doubled,
            holds=bool(holds),
            seconds=seconds,
            invariants=[str(problem) for problem in invariants["problems"]],
        )

    def line(self) -> str:
        """The closing line."""
        taken = f"valid={self.valid} accepted={self.accepted} invalid={self.invalid}"
        return f"{taken} lost={self.lost} doubled={self.doubled}"


def _first(row: watch.Row, by_id: dict[uuid.UUID, watch.Row]) -> watch.Row:
    while row.replaces is not None and row.replaces in by_id:
        row = by_id[row.replaces]
    return row


def print_report(
    console: Console, outcome: Outcome, ledger: Ledger, sandbox: Sandbox, sii: SiiControl, flower: FlowerWindow
) -> None:
    """Print everything; the closing line comes last."""
    rows = watch.documents(ledger)
    console.print()
    messages = watch.refused_messages(ledger)
    console.print(_refusals(rows, messages))
    stories = watch.envelope_story(ledger)
    console.print(_envelopes(stories))
    console.print(_types(rows, sii.documents(), no_jobs=len(messages)))
    folder = sandbox.folder / "envelopes"
    sent, newer = watch.export_envelopes(ledger, folder, folder / NEWER)
    key = folder / "sandbox-caf-key.pem"
    key.write_bytes(sii.caf_key())
    issued = sum(1 for row in rows if row.folio is not None)
    busy = watch.busy_seconds(ledger)
    rate = f"{issued / busy:,.0f} documents/s from record to signature" if busy else "no documents"
    console.print(f"  {issued} documents issued; {rate}; {outcome.seconds:.1f} s until the last verdict")
    console.print(f"  [bold]{sent} envelopes[/bold] as they were sent: {folder}")
    if newer:
        console.print(f"  and {newer} in {NEWER}/ with guías of the new format, which the older schemas refuse")
    console.print(f"  public key of this sandbox's CAFs (IDK 100): {key}")
    console.print(f"  logs of every process: {sandbox.logs}")
    if (address := flower.address()) is not None:
        console.print(f"  Flower ran at {address}; `make up` starts a sandbox that stays, with Flower")
    for problem in outcome.invariants:
        console.print(f"  [red]the SII's ledger: {problem}")
    console.print()
    console.print(outcome.line(), markup=False, style="bold green" if outcome.holds else "bold red")


def _types(rows: Sequence[watch.Row], verdicts: Sequence[dict[str, Any]], *, no_jobs: int) -> Table:
    """A row per type: what FMgo issued, what the SII's ledger says of it, and what FMgo refused."""
    title = "What became of each type (accepted, reparos, rejected: the SII's own ledger)"
    table = Table(title=title, title_justify="left", title_style="bold", show_footer=True)
    held = {(one["issuer"], one["type"], one["folio"]): one["state"] for one in verdicts}
    counts: Counter[tuple[int | None, str]] = Counter({(None, "invalid"): no_jobs})
    totals: defaultdict[int | None, Decimal] = defaultdict(Decimal)
    for row in rows:
        kind = row.document_type if row.document_type in DOCUMENT_TYPES else None
        state = held.get((row.issuer, kind or 0, row.folio or 0), "")
        counts[kind, "issued"] += row.folio is not None
        counts[kind, "invalid"] += row.state == "invalid"
        counts[kind, state] += 1
        totals[kind] += (row.total or 0) if state in ("accepted", "repaired") else 0
    columns = ("issued", "accepted", "repaired", "rejected", "invalid")
    sums = {column: sum(n for (_, name), n in counts.items() if name == column) for column in columns}
    table.add_column("type", footer="all")
    for column in columns:
        table.add_column(_HEADINGS.get(column, column), justify="right", footer=str(sums[column]))
    table.add_column("sum of totals", justify="right")
    for kind in sorted({kind for kind, _ in counts}, key=lambda kind: kind or LAST):
        figures = [_coloured(column, counts[kind, column]) for column in columns]
        table.add_row(_name(kind), *figures, _money(totals[kind], kind))
    return table


_HEADINGS: Final = {"repaired": "reparos"}
_COLOURS: Final = {"accepted": "green", "repaired": "yellow", "rejected": "yellow", "invalid": "red"}


def _coloured(column: str, n: int) -> str:
    colour = _COLOURS.get(column) if n else None
    return f"[{colour}]{n}[/{colour}]" if colour else str(n or "")


def _name(kind: int | None) -> str:
    known = DOCUMENT_TYPES.get(kind or 0)
    if known is None:
        return "(no type)"
    name = known.name.removesuffix(" Electrónica").replace("No Afecta o ", "")
    if kind in EXPORTS:
        name = name.replace(" de ", " ")
    return f"{known.code:>3} {name.lower()}"


def _money(total: Decimal, kind: int | None) -> str:
    """Pesos, or dollars of exports, as they are written in Chile."""
    if not total:
        return ""
    if kind in EXPORTS:
        return "US$ " + f"{total:,.2f}".translate(str.maketrans(",.", ".,"))
    return "$ " + f"{total:,.0f}".replace(",", ".")


def _refusals(rows: Sequence[watch.Row], messages: Sequence[tuple[str, str]]) -> Table:
    table = Table(title="What was refused, and why", title_justify="left", title_style="bold")
    table.add_column("job")
    table.add_column("code", no_wrap=True)
    table.add_column("what to do")
    lines = [
        (
            row.key,
            problem["code"],
            f"{_short(problem['path'])}: {problem['message']}" if problem["path"] else problem["message"],
        )
        for row in rows
        if row.state in ("invalid", "waiting", "quarantined")
        for problem in row.problems
    ]
    lines += [("(no job)", code, reason) for code, reason in messages]
    rejected = Counter(str(_reason(row)) for row in rows if row.state == "rejected")
    lines += [(f"{n} documents", "rejected", f"by the SII: {reason}") for reason, n in rejected.items()]
    for line in lines[:REASONS_SHOWN]:
        table.add_row(*line)
    if len(lines) > REASONS_SHOWN:
        table.add_row("…", "", f"and {len(lines) - REASONS_SHOWN} more")
    return table


def _short(path: str) -> str:
    """A path without what every path begins with."""
    return path.removeprefix("document.").removeprefix("Encabezado.")


def _reason(row: watch.Row) -> object:
    reasons = row.verdict.get("reasons", row.verdict.get("text", ""))
    if isinstance(reasons, list):
        return "; ".join(f"{reason['code']} {reason['text']}" for reason in reasons) or row.verdict.get("text", "")
    return f"{row.verdict.get('text', '')} ({reasons})"


def _envelopes(stories: Sequence[dict[str, Any]]) -> Table:
    """The envelopes that something befell; the others are counted."""
    eventful = [story for story in stories if not _is_plain(story)]
    title = f"What befell envelopes ({len(stories) - len(eventful)} more were received and processed without more ado)"
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("issuer", "channel", "documents", "attempts", "track id", "ended"):
        table.add_column(name, justify="right" if name == "documents" else "left")
    for envelope in eventful:
        attempts = " → ".join(
            f"{outcome or 'open'}{f' (STATUS {status})' if status and outcome != 'received' else ''}"
            for outcome, status in zip(envelope["outcomes"] or [], envelope["statuses"] or [], strict=True)
        )
        by_documents = envelope["state"] == "processed" and envelope["track_id"] is None
        ended = f"{envelope['state']} {'(asked about)' if by_documents else envelope['sii_state'] or ''}"
        colour = "green" if envelope["state"] == "processed" else "yellow"
        table.add_row(
            envelope["issuer"],
            envelope["channel"],
            str(envelope["documents"]),
            attempts,
            envelope["track_id"] or "",
            f"[{colour}]{ended}[/{colour}]",
        )
    return table


def _is_plain(story: dict[str, Any]) -> bool:
    return bool(story["state"] == "processed" and story["outcomes"] == ["received"])
