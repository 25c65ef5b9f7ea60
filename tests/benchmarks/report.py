"""What the benchmarks found, as a table for a person, with what is asked of each figure."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.benchmarks.intake import Intake
from tests.benchmarks.latency import Latency, percentile
from tests.benchmarks.one_process import Issuing
from tests.benchmarks.pipeline import NOT_OURS, Road
from tests.benchmarks.simulator import GOALS, Effort
from tests.benchmarks.verification import FEW, LARGEST, MANY, Envelopes, Verifying

GOAL_FLOORS: Final = 3.0
"""CPU of an accepted document, all of FMgo's processes, in floors."""
GOAL_ACCEPTED: Final = 1000
"""Documents a second from the file to the verdict, on two cores that do nothing else."""
GOAL_CHUNKS: Final = 8
"""How many times faster chunks are than one document at a time."""
GOAL_MILLISECONDS: Final = 200
"""A till's document is issued within this time for 99 of 100 sales while a backlog drains."""
GOAL_ISSUE: Final = 1.8
"""Issuing 5 lines, in floors."""
GOAL_LINES: Final = 2.5
"""Issuing 60 lines, in what 5 lines take."""
GOAL_VERIFY: Final = 1.5
"""Verifying a document, in floors of verifying."""
GOAL_AMONG_MANY: Final = 1.3
"""Verifying a document in an envelope of 500, in what it takes in one of 5."""
GOAL_MEMORY: Final = 40
"""Megabytes of memory that building the largest envelope takes beside its own bytes."""

FLOOR: Final = (
    "A floor is the least work that any program must do for one such document, timed in this run beside FMgo. To issue:"
    " two RSA signatures, SHA-1, text, one parse, one schema check. To verify: one parse, C14N, two RSA checks, one"
    " schema check. Figures are CPU of one core unless they say otherwise. Ratios travel to other machines,"
    " milliseconds don't."
)


class Row(NamedTuple):
    """A line of the table."""

    what: str
    measured: str
    asked: str = ""
    """The limit, and whether this run keeps it."""
    beside: str = ""


def at_most(value: float, limit: float, unit: str = "") -> str:
    """The limit as it is shown."""
    return f"≤ {limit:g}{unit} {_mark(kept=value <= limit)}"


def at_least(value: float, limit: float, unit: str = "") -> str:
    """The limit as it is shown."""
    return f"≥ {limit:,g}{unit} {_mark(kept=value >= limit)}"


def _mark(*, kept: bool) -> str:
    return "[green]kept[/]" if kept else "[red]missed[/]"


@dataclass(frozen=True, slots=True)
class Domain:
    """What was measured in one process, without servers; CPU in milliseconds a document."""

    floors: dict[int, float]
    issuing: dict[int, Issuing]
    """Both by the number of lines."""
    verifying: dict[int, Verifying]
    envelopes: Envelopes

    def rows(self) -> Iterator[Row]:
        """The lines of the table."""
        few, many = sorted(self.floors)
        for lines, found in self.issuing.items():
            ratio = found.both / self.floors[lines]
            parts = f"{found.both:.3f} ms: judge {found.prepare:.3f}, issue {found.issue:.3f}"
            asked = at_most(ratio, GOAL_ISSUE) if lines == few else ""
            yield Row(f"issue, {lines} lines", f"{ratio:.2f} floors", asked, f"{parts}; floor {self.floors[lines]:.3f}")
        ratio = self.issuing[many].both / self.issuing[few].both
        yield Row(f"issue, {many} lines against {few}", f"{ratio:.2f} times", at_most(ratio, GOAL_LINES))
        for lines, judged in self.verifying.items():
            beside = f"{judged.verify:.3f} ms; floor {judged.floor:.3f}"
            asked = at_most(judged.ratio, GOAL_VERIFY)
            yield Row(f"verify, {lines} lines", f"{judged.ratio:.2f} floors", asked, beside)
        sent = self.envelopes
        yield Row(
            f"verify in an envelope of {MANY} against {FEW}",
            f"{sent.ratio:.2f} times",
            at_most(sent.ratio, GOAL_AMONG_MANY),
            f"{sent.of_many:.3f} ms a document; {sent.of_few:.3f}",
        )
        megabytes = sent.beside / 1e6
        yield Row(
            f"memory to build an envelope of {LARGEST}",
            f"{megabytes:.1f} MB",
            at_most(megabytes, GOAL_MEMORY, " MB"),
            f"beside its own {sent.size / 1e6:.1f} MB",
        )


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What was measured of the whole road, with servers and workers."""

    floor: float
    """Milliseconds of issuing a document of five lines."""
    intake: dict[str, Intake]
    roads: list[Road]
    one_by_one: Road
    alone: Latency
    beside_backlog: Latency

    @property
    def cpu(self) -> float:
        """CPU of an accepted document, all of FMgo's processes: the median of the rounds."""
        return median(road.ours for road in self.roads)

    @property
    def issued_a_second(self) -> float:
        """Documents that were recorded, signed and evidenced in a second: the median of the rounds."""
        return median(road.documents / road.issued for road in self.roads)

    @property
    def accepted_a_second(self) -> float:
        """Documents from their file to the SII's verdict in a second: the median of the rounds."""
        return median(road.documents / road.accepted for road in self.roads)

    def recording(self) -> Iterator[Row]:
        """Lines about the way in."""
        for name, found in self.intake.items():
            yield Row(name, f"{found.rate:,.0f}/s", "", f"{found.cpu:.3f} ms a job, all processes")

    def road(self) -> Iterator[Row]:
        """Lines about the whole road."""
        rounds = ", ".join(f"{road.documents / road.issued:,.0f}" for road in self.roads)
        yield Row("recorded → signed and evidenced", f"{self.issued_a_second:,.0f}/s", "", f"rounds: {rounds}")
        rounds = ", ".join(f"{road.documents / road.accepted:,.0f}" for road in self.roads)
        asked = at_least(self.accepted_a_second, GOAL_ACCEPTED, "/s")
        yield Row("recorded → accepted", f"{self.accepted_a_second:,.0f}/s", asked, f"rounds: {rounds}")
        ratio = self.cpu / self.floor
        asked = at_most(ratio, GOAL_FLOORS)
        yield Row("CPU of all of FMgo", f"{ratio:.1f} floors", asked, f"{self.cpu:.2f} ms a document; {self._shares()}")
        for group in NOT_OURS:
            used = median(road.milliseconds(group) for road in self.roads)
            yield Row(f"{group}, apart", f"{used:.2f} ms", "", "not FMgo's, but on the same processors here")
        slow = self.one_by_one.documents / self.one_by_one.issued
        ratio = self.issued_a_second / slow
        yield Row("chunks against one at a time", f"{ratio:.1f} times", at_least(ratio, GOAL_CHUNKS), f"{slow:,.0f}/s")

    def _shares(self) -> str:
        used = {
            group: median(road.milliseconds(group) for road in self.roads)
            for group in self.roads[0].cpu
            if group not in NOT_OURS
        }
        return ", ".join(f"{group} {used[group]:.2f}" for group in sorted(used, key=used.__getitem__, reverse=True))

    def till(self) -> Iterator[Row]:
        """Lines about a till's sale."""
        for name, found in (("alone", self.alone), ("beside a backlog", self.beside_backlog)):
            for part, times in (("recorded → issued", found.issuing), ("handed in → issued", found.whole)):
                p50, p95, p99 = (percentile(times, per_cent) for per_cent in (50, 95, 99))
                figures = f"p50 {p50:.0f}, p95 {p95:.0f}, longest {max(times):.0f}; {len(times)} sales"
                goal = found is self.beside_backlog and times is found.issuing
                asked = at_most(p99, GOAL_MILLISECONDS, " ms") if goal else ""
                yield Row(f"{name}, {part}", f"p99 {p99:.0f} ms", asked, figures)


def in_a_box(efforts: list[Effort]) -> Iterator[Row]:
    """Lines about the simulated SII, of a second of its own CPU."""
    for found in efforts:
        asked = at_least(found.rate, GOALS[found.checks], "/s")
        beside = f"{found.cpu * 1000 / found.documents:.3f} ms a document"
        yield Row(f"checks {found.checks}", f"{found.rate:,.0f}/s", asked, beside)


def show(console: Console, domain: Domain, pipeline: Pipeline | None, efforts: list[Effort]) -> None:
    """All of it on one screen."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("what", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("asked", no_wrap=True)
    table.add_column("beside", min_width=56)
    blocks = [("one process", "", domain.rows())]
    if pipeline is not None:
        blocks += [
            ("recording jobs", "", pipeline.recording()),
            ("the whole road", "documents of 5 lines, shipped settings; the SII checks everything", pipeline.road()),
            ("a till's sale", "milliseconds that a producer waits", pipeline.till()),
            ("the SII in a box", "documents for a second of one core", in_a_box(efforts)),
        ]
    for title, beside, rows in blocks:
        table.add_section()
        table.add_row(f"[bold]{title}", "", "", beside)
        for row in rows:
            table.add_row(*row)
    console.print(f"{FLOOR}\n")
    console.print(table)
