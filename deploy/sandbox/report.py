"""The demo's closing table: how each job ended, what was refused and why, how fast, and where to look."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from deploy.sandbox import watch
from deploy.sandbox.control import SiiControl
from deploy.sandbox.flower import FlowerWindow
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.shop import DemoJob
from domain.states import ACCEPTED
from workers.database.engine import Ledger

NAMES: Final = {33: "factura", 39: "boleta", 61: "nota de crédito", None: "(not read)"}
REASONS_SHOWN: Final = 24


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
    console.print(_endings(rows))
    console.print(_refusals(rows, watch.refused_messages(ledger)))
    console.print(_envelopes(ledger))
    folder = sandbox.folder / "envelopes"
    sent = watch.export_envelopes(ledger, folder)
    key = folder / "sandbox-caf-key.pem"
    key.write_bytes(sii.caf_key())
    issued = sum(1 for row in rows if row.folio is not None)
    busy = watch.busy_seconds(ledger)
    rate = f"{issued / busy:,.0f} documents/s from record to signature" if busy else "no documents"
    console.print(f"  {issued} documents issued; {rate}; {outcome.seconds:.1f} s until the last verdict")
    console.print(f"  [bold]{sent} envelopes[/bold] as they were sent: {folder}")
    console.print(f"  public key of this sandbox's CAFs (IDK 100): {key}")
    console.print(f"  logs of every process: {sandbox.logs}")
    if (address := flower.address()) is not None:
        console.print(f"  Flower ran at {address}; `make up` starts a sandbox that stays, with Flower")
    for problem in outcome.invariants:
        console.print(f"  [red]the SII's ledger: {problem}")
    console.print()
    console.print(outcome.line(), markup=False, style="bold green" if outcome.holds else "bold red")


def _endings(rows: Sequence[watch.Row]) -> Table:
    table = Table(title="How each job ended", title_justify="left", title_style="bold")
    for name in ("type", "ended", "how many", "sum of totals"):
        table.add_column(name, justify="right" if name in ("how many", "sum of totals") else "left")
    counts = Counter((row.document_type, row.state) for row in rows)
    totals: Counter[tuple[int | None, str]] = Counter()
    for row in rows:
        totals[row.document_type, row.state] += row.total or 0
    for (document_type, state), n in sorted(counts.items(), key=lambda item: (item[0][0] or 999, item[0][1])):
        name = f"{document_type} {NAMES[document_type]}" if document_type in NAMES and document_type else "(not read)"
        colour = "green" if state in ACCEPTED else "yellow" if state in ("rejected", "waiting") else "red"
        total = totals[document_type, state]
        table.add_row(name, f"[{colour}]{state}[/{colour}]", str(n), f"${total:,}".replace(",", ".") if total else "")
    return table


def _refusals(rows: Sequence[watch.Row], messages: Sequence[tuple[str, str]]) -> Table:
    table = Table(title="What was refused, and why", title_justify="left", title_style="bold")
    table.add_column("job")
    table.add_column("code", no_wrap=True)
    table.add_column("what to do")
    lines = [
        (
            row.key,
            problem["code"],
            f"{problem['path']}: {problem['message']}" if problem["path"] else problem["message"],
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


def _reason(row: watch.Row) -> object:
    reasons = row.verdict.get("reasons", row.verdict.get("text", ""))
    if isinstance(reasons, list):
        return "; ".join(f"{reason['code']} {reason['text']}" for reason in reasons) or row.verdict.get("text", "")
    return f"{row.verdict.get('text', '')} ({reasons})"


def _envelopes(ledger: Ledger) -> Table:
    table = Table(title="What happened to the envelopes", title_justify="left", title_style="bold")
    for name in ("issuer", "channel", "documents", "attempts", "track id", "ended"):
        table.add_column(name, justify="right" if name == "documents" else "left")
    for envelope in watch.envelope_story(ledger):
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
