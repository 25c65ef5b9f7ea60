"""How fast jobs become rows: by the producer's library, by the plain list, and by COPY of a file.

Nothing issues meanwhile: only what the way in needs is running.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.pipeline import bring
from tests.benchmarks.processes import used_between
from tests.benchmarks.sales import jobs
from tests.benchmarks.town import Town
from workers.producer import Producer


@dataclass(frozen=True, slots=True)
class Intake:
    """Jobs a second, and CPU in milliseconds that one job costs on both sides."""

    rate: float
    cpu: float


def by_producer(town: Town, how_many: int) -> Intake:
    """`Producer.enqueue_many`: recorded when it returns."""
    bodies = list(jobs("bulk", how_many))
    with Producer() as producer:
        return _timed(town, how_many, lambda: _recorded(producer, bodies))


def by_list(town: Town, how_many: int) -> Intake:
    """The plain list `fmgo.jobs`, until the last one is a row; needs a worker of the kind `threads`."""
    bodies = list(jobs("bulk", how_many))
    wanted = town.waiting_to_be_issued() + how_many
    with Producer() as producer:

        def through_the_list() -> None:
            for start in range(0, how_many, 500):
                producer.queue_many(bodies[start : start + 500])
            town.until(lambda: town.waiting_to_be_issued() >= wanted, "jobs of the list are recorded", look_every=0.02)

        return _timed(town, how_many, through_the_list)


def by_copy(town: Town, how_many: int) -> Intake:
    """`fmgo batch import` without its command line."""
    file = b"\n".join(jobs("bulk", how_many))
    return _timed(town, how_many, lambda: bring(town, file, uuid.uuid4()))


def _recorded(producer: Producer, bodies: list[bytes]) -> None:
    if any(receipt.outcome != "recorded" for receipt in producer.enqueue_many(bodies)):
        raise AssertionError("a job of the benchmark was not recorded")


def _timed(town: Town, how_many: int, work: Callable[[], None]) -> Intake:
    before, began = town.cpu(), time.monotonic()
    work()
    seconds = time.monotonic() - began
    used = used_between(before, town.cpu())
    return Intake(how_many / seconds, sum(used.values()) * 1000 / how_many)
