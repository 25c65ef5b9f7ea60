"""`make demo`: the main job, end to end, with nothing simulated but the SII.

Invented companies put some hundreds of jobs of all twelve types on the queue, by every way in; real workers take them
through a real ledger to a simulated SII that checks what it receives. On the way an answer is lost, half an envelope is
rejected and its sales are replaced, a Carátula is refused and mended, documents are late, and goods, prices and notes
get their notes. Both sides follow the format of 2026, without which no guía may go since 2026-11-01. The last line
counts sales: `valid=N accepted=N invalid=M lost=0 doubled=0`, the accepted and doubled ones by the SII's own ledger.

With `--jobs PATH` the jobs come from files (JSON lines), and every issuer and type found in them is enrolled; they
follow the format that `FMGO_FORMAT_PROFILE` says.
"""

import argparse
import datetime as dt
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis import Redis
from rich.console import Console

from deploy.sandbox import watch
from deploy.sandbox.clock import SandboxClock
from deploy.sandbox.companies import ALMACENES, COMPANIES, CONSULTORA, FERRETERIA
from deploy.sandbox.control import SiiControl
from deploy.sandbox.crew import start_crew
from deploy.sandbox.enrol import ENVIRONMENT, SandboxEnrolment, companies_of
from deploy.sandbox.flower import start_flower
from deploy.sandbox.notes import Issued
from deploy.sandbox.report import Outcome, print_report
from deploy.sandbox.sandbox import Sandbox, clear, default_folder
from deploy.sandbox.shop import DemoJob, Shop
from deploy.sandbox.supervisor import SandboxError
from domain.states import ACCEPTED, DECIDED, ISSUED
from workers.cache.connection import connect
from workers.cli.jobs import bodies_in
from workers.clock import santiago
from workers.database.engine import Ledger, business_time
from workers.producer import LIST, Producer
from workers.settings import read_settings

LOOK_EVERY_SECONDS: Final = 0.1
FLOWER_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 240.0
WIDTH_OF_A_FILE: Final = 132
WRONG_RESOLUTION: Final = dt.date(2013, 1, 1)

# The sandbox asks early; the clock does the rest.
QUICK: Final = {"FMGO_LOG_FORMAT": "console", "FMGO_SWEEP_SECONDS": "0.5"}
NEW_FORMAT: Final = {"FMGO_FORMAT_PROFILE": "2026"}


@dataclass
class Demo:
    """One run: what was sent, what must come of it, and the tools to see it through."""

    console: Console
    sandbox: Sandbox
    ledger: Ledger
    sii: SiiControl
    clock: SandboxClock
    producer: Producer
    inbox: Redis
    enrolment: SandboxEnrolment
    shop: Shop
    jobs: list[DemoJob] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)

    def send(self, jobs: Sequence[DemoJob]) -> None:
        """Put jobs on the queue: half recorded at once, half (and every mistake, as it is) on the plain list."""
        self.jobs += jobs
        recorded = [job.body for n, job in enumerate(jobs) if n % 2 == 0 and job.valid and job.key]
        listed = [job.body for n, job in enumerate(jobs) if n % 2 or not job.valid or not job.key]
        self.producer.enqueue_many(recorded)
        if listed:
            self.inbox.lpush(LIST, *listed)

    def go_on(self) -> bool:
        """Act on what has happened as the shop and the operator would; True when nothing is left to happen."""
        taken = not self.inbox.llen(LIST) and not self.inbox.keys(f"{LIST}.taken:*")
        rows = watch.documents(self.ledger)
        self.carry_on(rows)
        self.answer_rejections(rows)
        self.mend_refusals()
        settled = sum(row.state in DECIDED or row.state in ("waiting", "quarantined") for row in rows)
        return taken and not self.shop.later and settled == len(rows) and not watch.refused_envelopes(self.ledger)

    def carry_on(self, rows: Sequence[watch.Row]) -> None:
        """What follows from a sale goes as soon as it is issued: notes, and facturas of guías."""
        issued = {row.key: row for row in rows if row.state in ISSUED}
        jobs = []
        for later in [later for later in self.shop.later if later.after in issued]:
            self.shop.later.remove(later)
            row = issued[later.after]
            sold = json.loads(next(job.body for job in self.jobs if job.key == row.key))["document"]
            follows = self.shop.follow(later, Issued(row.document_type or 0, row.folio or 0, row.issued_on or "", sold))
            self.say(f"{later.said}: a {follows.document_type} after the {row.document_type} with folio {row.folio}")
            jobs.append(follows)
        if jobs:
            self.send(jobs)

    def answer_rejections(self, rows: Sequence[watch.Row]) -> None:
        """The shop answers each rejected sale, once, with a job that replaces it."""
        rejected = [
            row for row in rows if row.state == "rejected" and row.replaces is None and row.key not in self.replaced
        ]
        if not rejected:
            return
        jobs = []
        for row in rejected:
            sold = json.loads(next(job.body for job in self.jobs if job.key == row.key))
            sold["idempotency_key"] = f"{row.key}-otra"
            sold["replaces"] = row.key
            body = json.dumps(sold, ensure_ascii=False).encode("utf-8")
            self.replaced[row.key] = sold["idempotency_key"]
            key = sold["idempotency_key"]
            jobs.append(DemoJob(body, key, row.issuer, row.document_type or 0, valid=True, replaces=True))
        self.say(f"{len(jobs)} sales were rejected by the SII; the shop sends jobs that replace them")
        self.send(jobs)

    def mend_refusals(self) -> None:
        """The operator mends a refused Carátula and lets its documents go again."""
        for number, issuer, state in watch.refused_envelopes(self.ledger):
            company = next((company for company in COMPANIES if company.rut == issuer), None)
            self.say(
                f"the SII refused an envelope of {issuer} ({state}): its resolution is set right, and it is released"
            )
            operator = self.enrolment.operator
            if company is not None:
                operator.set_resolution(issuer, ENVIRONMENT, company.resolution_number, company.resolution_date)
            operator.release_envelope(number)

    def run(self) -> None:
        """Until everything has ended: act, look, and move the clock where the SII would make one wait."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        quiet = 0
        with self.console.status("") as status:
            while time.monotonic() < deadline:
                if self.go_on():
                    return
                states = watch.states(self.ledger)
                done = sum(states[state] for state in ACCEPTED)
                status.update(
                    f"{sum(states.values())} recorded · {done} accepted · {states['enveloped']} with the SII"
                    f" · {states['invalid']} invalid"
                )
                wait = self.clock.time_to_next()
                quiet = quiet + 1 if wait is not None else 0
                if wait is not None and quiet > 1:
                    self.clock.advance(wait)
                    quiet = 0
                time.sleep(LOOK_EVERY_SECONDS)
        self.say("[red]time is up: something didn't end")

    def say(self, sentence: str) -> None:
        """Tell what happens, with the business time at which it does."""
        self.console.print(f"  [dim]·[/dim] {sentence}")


def first_wave(shop: Shop) -> list[DemoJob]:
    """The companies' day, and every kind of mistake among it."""
    jobs = shop.day()
    mistakes = list(shop.wrong())
    for n, mistake in enumerate(mistakes):
        jobs.insert((n + 1) * len(jobs) // (len(mistakes) + 1), mistake)
    return jobs


def stage(demo: Demo) -> None:
    """Enrol the invented companies and arrange the mishaps."""
    for company in COMPANIES:
        mistaken = WRONG_RESOLUTION if company is ALMACENES else None
        demo.enrolment.enrol(company, company.types, folios=400, believed_resolution=mistaken)
    for fault, when in (
        ("F-LOST-1", {"operation": "DTEUpload", "rut": FERRETERIA.rut}),
        ("F-LOST-1", {"operation": "envio", "rut": FERRETERIA.rut}),
        ("F-HALF", {"rut": CONSULTORA.rut}),
    ):
        demo.sii.fault({"fault": fault, "times": 1, "when": when})


def today(ledger: Ledger) -> dt.date:
    """The day in Chile, by the ledger's clock."""
    with ledger.transaction() as tx:
        return santiago(business_time(tx)).date()


def jobs_of(paths: Sequence[Path]) -> list[DemoJob]:
    """Jobs of files, in every form that `fmgo enqueue` takes; whether they are valid is for FMgo to say.

    Raises SandboxError for a file that can't be read or holds nothing.
    """
    jobs = []
    for path in paths:
        try:
            bodies = [body for body in bodies_in(path.read_bytes()) if body.strip()]
        except OSError as error:
            raise SandboxError(f"{path} can't be read: {error.strerror}") from None
        if not bodies:
            raise SandboxError(f"{path} holds no jobs")
        jobs += [DemoJob(body, *_names(body), 0, valid=True) for body in bodies]
    return jobs


def _names(line: bytes) -> tuple[str, str]:
    try:
        job: Any = json.loads(line)
        return str(job["idempotency_key"]), str(job["issuer"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--jobs", type=Path, nargs="+", help="files of jobs (JSON, JSON lines) instead of the invented shop"
    )
    parser.add_argument("--folder", type=Path, help="folder of the sandbox (kept); by default a temporary one")
    return parser.parse_args()


def main() -> int:
    """Run the demo; 0 when its closing line holds."""
    options = arguments()
    given = None if options.jobs is None else jobs_of(options.jobs)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
    began = time.monotonic()
    console.print("[bold]FMgo[/bold] demo: from a shop's messages to documents accepted by a simulated SII\n")
    folder = options.folder or default_folder() / "demo"
    clear(folder)
    with Sandbox(folder, say=lambda line: console.print(f"  [dim]{line}[/dim]")) as sandbox:
        urls = sandbox.start_sii(seed=7)
        sandbox.environment.update(QUICK if given else QUICK | NEW_FORMAT)
        os.environ.update(sandbox.environment)
        ledger = Ledger(sandbox.database_url)
        sii = SiiControl(urls["control"])
        sii.switch({"format_profile": read_settings().format_profile or "date"})
        if watch.documents(ledger):
            console.print("[red]This ledger has documents already: the demo needs an empty one.")
            return 2
        flower = start_flower(sandbox)
        start_crew(sandbox, ledger)
        if (address := flower.wait(FLOWER_SECONDS)) is not None:
            console.print(f"  [dim]Flower: {address}, user {flower.user}, password {flower.password}[/dim]")
        console.print(f"  [dim]servers, workers and the SII are up after {time.monotonic() - began:.1f} s[/dim]\n")
        settings = read_settings()
        producer = Producer(settings)
        demo = Demo(
            console,
            sandbox,
            ledger,
            sii,
            SandboxClock(ledger, sii),
            producer,
            connect(settings.redis_url),
            SandboxEnrolment(ledger, sii, settings),
            Shop(today(ledger)),
        )
        if given:
            jobs = given
            for company, types in companies_of([job.body for job in jobs]):
                demo.enrolment.enrol(company, types, folios=max(1000, len(jobs) * 2))
        else:
            stage(demo)
            jobs = first_wave(demo.shop)
        console.print(f"[bold]{len(jobs)} messages[/bold] go on the queue")
        started = time.monotonic()
        demo.send(jobs)
        demo.run()
        outcome = Outcome.of(ledger, sii, demo.jobs, judged=not given, seconds=time.monotonic() - started)
        print_report(console, outcome, ledger, sandbox, sii, flower)
        return 0 if outcome.holds else 1


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except SandboxError as error:
        print(f"fmgo: {error}", file=sys.stderr)
        raise SystemExit(2) from None
