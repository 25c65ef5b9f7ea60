"""What the benchmarks found, as a table for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks.intake import Intake
from tests.benchmarks.latency import Latency, percentile
from tests.benchmarks.one_process import Issuing
from tests.benchmarks.pipeline import NOT_OURS, Road

GOAL_FLOORS: Final = 3.0
"""CPU of an accepted document, all of FMgo's processes, in floors."""
GOAL_MILLISECONDS: Final = 200
"""A till's document is issued within this time for 99 of 100 sales while a backlog drains."""

Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured; CPU in milliseconds a document."""

    floor: float
    floor_many_lines: float
    issuing: Issuing
    issuing_many_lines: Issuing
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

    def print(self, console: Console) -> None:
        """Show all of it."""
        table = Table(show_edge=False, pad_edge=False)
        table.add_column("what", no_wrap=True)
        table.add_column("measured", justify="right", no_wrap=True)
        table.add_column("beside")
        for title, rows in (
            ("CPU of a document in one process", self._one_process()),
            ("recording jobs", self._intake()),
            ("the whole road, 5 lines, shipped settings", self._road()),
            ("a till's sale", self._latency()),
        ):
            table.add_section()
            table.add_row(f"[bold]{title}", "", "")
            for row in rows:
                table.add_row(*row)
        console.print(table)

    def _floors(self, milliseconds: float, floor: float) -> str:
        return f"{milliseconds / floor:.1f} x the floor"

    def _one_process(self) -> Iterator[Row]:
        yield "floor, 5 lines", f"{self.floor:.3f} ms", "two RSA signatures, SHA-1, text, one parse, one schema check"
        yield "floor, 60 lines", f"{self.floor_many_lines:.3f} ms", ""
        for name, found, floor in (
            ("5 lines", self.issuing, self.floor),
            ("60 lines", self.issuing_many_lines, self.floor_many_lines),
        ):
            parts = f"{self._floors(found.both, floor)} (judge {found.prepare:.3f}, issue {found.issue:.3f})"
            yield f"judged and issued, {name}", f"{found.both:.3f} ms", parts

    def _intake(self) -> Iterator[Row]:
        for name, found in self.intake.items():
            yield name, f"{found.rate:,.0f}/s", f"{found.cpu:.3f} ms CPU a job, all processes"

    def _road(self) -> Iterator[Row]:
        rounds = ", ".join(f"{road.documents / road.issued:,.0f}" for road in self.roads)
        yield "recorded → signed and evidenced", f"{self.issued_a_second:,.0f}/s", f"rounds: {rounds}"
        rounds = ", ".join(f"{road.documents / road.accepted:,.0f}" for road in self.roads)
        yield "recorded → accepted", f"{self.accepted_a_second:,.0f}/s", f"rounds: {rounds}; the SII checks everything"
        goal = f"{self._floors(self.cpu, self.floor)} (goal: at most {GOAL_FLOORS:.0f})"
        yield "CPU a document, all of FMgo", f"{self.cpu:.2f} ms", goal
        groups = [group for group in self.roads[0].cpu if group not in NOT_OURS]
        for group in sorted(groups, key=lambda group: -self.roads[0].cpu[group]):
            used = median(road.milliseconds(group) for road in self.roads)
            yield f"  {group}", f"{used:.3f} ms", self._floors(used, self.floor)
        for group in NOT_OURS:
            used = median(road.milliseconds(group) for road in self.roads)
            yield f"{group}, apart", f"{used:.3f} ms", "not FMgo's, but on the same processors here"
        slow = self.one_by_one.documents / self.one_by_one.issued
        yield (
            "chunks of one document",
            f"{slow:,.0f}/s",
            f"shipped chunks: {self.issued_a_second / slow:.1f} times that",
        )

    def _latency(self) -> Iterator[Row]:
        for name, found in (("alone", self.alone), ("beside a backlog", self.beside_backlog)):
            for part, times in (("recorded → issued", found.issuing), ("handed in → issued", found.whole)):
                p50, p95, p99 = (percentile(times, per_cent) for per_cent in (50, 95, 99))
                figures = f"p50 {p50:.0f}, p95 {p95:.0f}, longest {max(times):.0f}; {len(times)} sales"
                yield f"{name}, {part}", f"p99 {p99:.0f} ms", figures
        p99 = percentile(self.beside_backlog.issuing, 99)
        verdict = "[green]holds" if p99 < GOAL_MILLISECONDS else "[red]doesn't hold in this run"
        yield (
            f"p99 under {GOAL_MILLISECONDS} ms beside a backlog",
            verdict,
            "recorded → issued, as Producer.wait sees it",
        )
