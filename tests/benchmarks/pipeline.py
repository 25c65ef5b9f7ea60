"""The whole road with the shipped settings: from a file of jobs to documents that the SII has accepted."""

import io
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.processes import used_between
from tests.benchmarks.sales import jobs
from tests.benchmarks.town import Town
from workers.batch import BatchImporter
from workers.database.engine import run
from workers.outside_bells import OutsideBells

NOT_OURS: Final = frozenset({"simulated SII"})
"""Groups that are no part of FMgo."""


@dataclass(frozen=True, slots=True)
class Road:
    """What became of so many documents; seconds from the first one's receipt, CPU in seconds by group."""

    documents: int
    issued: float
    accepted: float
    cpu: Mapping[str, float]

    def milliseconds(self, group: str) -> float:
        """CPU of a group for one document, in milliseconds."""
        return self.cpu[group] * 1000 / self.documents

    @property
    def ours(self) -> float:
        """CPU of one document in milliseconds, all processes but the simulated SII."""
        return sum(self.milliseconds(group) for group in self.cpu if group not in NOT_OURS)


def drive(town: Town, documents: int, *, to_the_end: bool = True) -> Road:
    """Import a file of so many 5-line invoices and see them through; `to_the_end` False: until they are issued."""
    file = b"\n".join(jobs("bulk", documents))
    batch = uuid.uuid4()
    before, began = town.cpu(), time.monotonic()
    bring(town, file, batch)
    town.until_issued()
    issued = _seconds_to_issue(town, batch)
    if to_the_end:
        town.until_decided()
    return Road(documents, issued, time.monotonic() - began, used_between(before, town.cpu()))


def bring(town: Town, file: bytes, batch: uuid.UUID) -> None:
    """Import JSON lines as a batch (COPY)."""
    BatchImporter(town.ledger, OutsideBells(town.sandbox.redis_url)).run(io.BytesIO(file), batch, name="benchmark")


def _seconds_to_issue(town: Town, batch: uuid.UUID) -> float:
    with town.ledger.transaction() as tx:
        return float(
            run(
                tx,
                "SELECT extract(epoch FROM max(evidenced_at) - min(received_at)) FROM documents WHERE batch = :batch",
                batch=batch,
            ).scalar_one()
        )
