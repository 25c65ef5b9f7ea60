"""`make bench`: what a document costs and how fast documents move, beside the floor of this machine in the same run.

It measures and prints; it never fails because something was slow. It ends with 1 only when a document got lost.
"""

import argparse
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.sandbox.sandbox import clear, default_folder
from tests.benchmarks import intake, latency, one_process
from tests.benchmarks.floor import Floor
from tests.benchmarks.pipeline import drive
from tests.benchmarks.processes import cores
from tests.benchmarks.report import Domain, Pipeline, show
from tests.benchmarks.sales import LINES, MANY_LINES
from tests.benchmarks.simulator import measure_both
from tests.benchmarks.town import NotDoneError, Town, town
from tests.benchmarks.verification import Workshop, measure_envelopes, measure_verifying


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    documents: int
    rounds: int
    one_by_one: int
    sales: int
    sales_alone: int


FULL: Final = Extent(documents=2000, rounds=3, one_by_one=400, sales=300, sales_alone=100)
QUICK: Final = Extent(documents=500, rounds=1, one_by_one=100, sales=60, sales_alone=30)


def measure_domain(console: Console) -> Domain:
    """What needs no servers."""
    console.print("  issuing and verifying in one process", style="dim")
    floors = {lines: Floor(lines).cpu_milliseconds() for lines in (LINES, MANY_LINES)}
    issuing = {lines: one_process.measure(lines) for lines in floors}
    workshop = Workshop()
    verifying = {lines: measure_verifying(workshop, lines) for lines in floors}
    return Domain(floors, issuing, verifying, measure_envelopes(workshop))


def measure_pipeline(place: Town, extent: Extent, floor: float, console: Console) -> Pipeline:
    """Everything else, in an order in which nothing disturbs what comes after."""
    console.print("  recording jobs", style="dim")
    documents = extent.documents
    ways = {
        "Producer.enqueue_many": intake.by_producer(place, documents),
        "COPY of a file (batch import)": intake.by_copy(place, documents),
    }
    place.start("threads")
    ways["the plain list fmgo.jobs"] = intake.by_list(place, documents // 2)
    place.start("interactive", "bulk")
    place.until_decided()
    console.print("  the whole road", style="dim")
    roads = [drive(place, documents) for _ in range(extent.rounds)]
    console.print("  a till, alone and beside a backlog", style="dim")
    alone = latency.alone(extent.sales_alone)
    beside = latency.beside_backlog(place, 4 * documents, extent.sales)
    place.until_issued()
    console.print("  chunks of one document", style="dim")
    place.stop("bulk")
    place.start("bulk", FMGO_CHUNK_DOCUMENTS="1")
    one_by_one = drive(place, extent.one_by_one, to_the_end=False)
    return Pipeline(floor, ways, roads, one_by_one, alone, beside)


def main() -> int:
    """Run the benchmarks; 0 unless documents got lost or doubled."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer documents and one round: a first impression")
    parser.add_argument("--no-servers", action="store_true", help="only what one process shows")
    parser.add_argument("--folder", type=Path, help="folder of the sandbox; by default .sandbox/bench")
    options = parser.parse_args()
    console = Console(highlight=False, width=None if Console().is_terminal else 132)
    machine = f"{cores()} cores, {platform.machine()}, Python {platform.python_version()}"
    busy = os.getloadavg()[0]
    noise = f"; [yellow]others are at work here (load {busy:.1f})" if busy > 1 else ""
    console.print(f"[bold]FMgo[/bold] bench: {machine}{noise}\n")
    began = time.monotonic()
    domain = measure_domain(console)
    if options.no_servers:
        console.print()
        show(console, domain, None, [])
        return 0
    folder = options.folder or default_folder() / "bench"
    clear(folder)
    with town(folder) as place:
        try:
            pipeline = measure_pipeline(place, QUICK if options.quick else FULL, domain.floors[LINES], console)
        except NotDoneError as error:
            console.print(f"[red]{error}")
            return 1
        held = place.sii.invariants()
    console.print("  the SII in a box", style="dim")
    efforts = measure_both(folder / "in-a-box")
    console.print()
    show(console, domain, pipeline, efforts)
    seconds = time.monotonic() - began
    console.print(f"\nthe SII holds {held['accepted']} documents, doubled {held['doubled']}; {seconds:.0f} s in all")
    return 0 if held["ok"] and not held["doubled"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
