"""`make bench`: what a document costs and how fast documents move, beside the floor of this machine in the same run.

It measures and prints; it never fails because something was slow. It ends with 1 only when a document got lost.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.sandbox.sandbox import clear, default_folder
from tests.benchmarks import intake, latency, one_process
from tests.benchmarks.floor import Floor
from tests.benchmarks.pipeline import drive
from tests.benchmarks.processes import cores
from tests.benchmarks.report import Findings
from tests.benchmarks.sales import LINES, MANY_LINES
from tests.benchmarks.town import NotDoneError, Town, town

ROUNDS: Final = 3
ONE_BY_ONE: Final = 400
SALES_ALONE: Final = 100


def measure(place: Town, documents: int, sales: int, console: Console) -> Findings:
    """Everything, in an order in which nothing disturbs what comes after."""
    console.print("  the floor, and issuing in one process", style="dim")
    floors = [Floor(lines).cpu_milliseconds() for lines in (LINES, MANY_LINES)]
    issuing = [one_process.measure(lines) for lines in (LINES, MANY_LINES)]
    console.print("  recording jobs", style="dim")
    ways = {
        "Producer.enqueue_many": intake.by_producer(place, documents),
        "COPY of a file (batch import)": intake.by_copy(place, documents),
    }
    place.start("threads")
    ways["the plain list fmgo.jobs"] = intake.by_list(place, documents // 2)
    place.start("interactive", "bulk")
    place.until_decided()
    console.print("  the whole road", style="dim")
    roads = [drive(place, documents) for _ in range(ROUNDS)]
    console.print("  a till, alone and beside a backlog", style="dim")
    alone = latency.alone(SALES_ALONE)
    beside = latency.beside_backlog(place, 4 * documents, sales)
    place.until_issued()
    console.print("  chunks of one document", style="dim")
    place.stop("bulk")
    place.start("bulk", FMGO_CHUNK_DOCUMENTS="1")
    one_by_one = drive(place, ONE_BY_ONE, to_the_end=False)
    return Findings(floors[0], floors[1], issuing[0], issuing[1], ways, roads, one_by_one, alone, beside)


def main() -> int:
    """Run the benchmarks; 0 unless documents got lost or doubled."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=2000, help="documents of a round (2000)")
    parser.add_argument("--sales", type=int, default=300, help="sales beside the backlog (300)")
    parser.add_argument("--folder", type=Path, help="folder of the sandbox; by default .sandbox/bench")
    options = parser.parse_args()
    console = Console(highlight=False, width=None if Console().is_terminal else 132)
    machine = f"{cores()} cores, {platform.machine()}, Python {platform.python_version()}"
    busy = os.getloadavg()[0]
    noise = f"; [yellow]others are at work here (load {busy:.1f})" if busy > 1 else ""
    console.print(f"[bold]FMgo[/bold] bench: {machine}{noise}\n")
    began = time.monotonic()
    folder = options.folder or default_folder() / "bench"
    clear(folder)
    with town(folder) as place:
        try:
            findings = measure(place, options.documents, options.sales, console)
        except NotDoneError as error:
            console.print(f"[red]{error}")
            return 1
        held = place.sii.invariants()
    console.print()
    findings.print(console)
    seconds = time.monotonic() - began
    console.print(f"\nthe SII holds {held['accepted']} documents, doubled {held['doubled']}; {seconds:.0f} s in all")
    return 0 if held["ok"] and not held["doubled"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
