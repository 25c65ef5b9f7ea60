"""How long a till waits for its document while a backlog of bulk documents drains.

Some tills hand in one interactive sale after the other, and wait for each as a producer does: by `Producer.wait`, which
Redis tells. The backlog is kept up as long as that goes on.
"""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from tests.benchmarks.pipeline import bring
from tests.benchmarks.sales import job, jobs
from tests.benchmarks.town import Town
from workers.producer import Producer

TILLS: Final = 3
BETWEEN_SALES_SECONDS: Final = 0.05
LEAST_BACKLOG: Final = 1500
TOP_UP: Final = 2000


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of many sales: handed in → recorded, recorded → issued, and both together."""

    recording: list[float]
    issuing: list[float]
    least_backlog: int

    @property
    def whole(self) -> list[float]:
        """From the sale to the printer."""
        return [a + b for a, b in zip(self.recording, self.issuing, strict=True)]


def percentile(values: list[float], per_cent: int) -> float:
    """The value below which so many per cent of the values lie."""
    return quantiles(values, n=100, method="inclusive")[per_cent - 1]


def measure(town: Town, sales: int) -> Latency:
    """So many sales in all, beside a backlog of thousands (`sales` 0 to the backlog's end is no use)."""
    ended = threading.Event()
    depths: list[int] = []
    bring(town, b"\n".join(jobs("bulk", 2 * TOP_UP)), uuid.uuid4())

    def keep_up() -> None:
        while not ended.wait(0.5):
            depths.append(town.waiting_to_be_issued())
            if depths[-1] < LEAST_BACKLOG:
                bring(town, b"\n".join(jobs("bulk", TOP_UP)), uuid.uuid4())

    with Producer() as producer, ThreadPoolExecutor(TILLS + 1) as pool:
        backlog = pool.submit(keep_up)
        try:
            tills = [pool.submit(_sell, producer, sales // TILLS) for _ in range(TILLS)]
            times = [pair for till in tills for pair in till.result()]
        finally:
            ended.set()
        backlog.result()
    return Latency([pair[0] for pair in times], [pair[1] for pair in times], min(depths, default=0))


def quiet(town: Town, sales: int) -> Latency:
    """The same with nothing else to do, one till."""
    del town
    with Producer() as producer:
        times = _sell(producer, sales)
    return Latency([pair[0] for pair in times], [pair[1] for pair in times], 0)


def _sell(producer: Producer, sales: int) -> list[tuple[float, float]]:
    times = []
    pause = threading.Event()
    for _ in range(sales):
        sale = job("interactive")
        began = time.perf_counter()
        receipt = producer.enqueue(sale)
        recorded = time.perf_counter()
        producer.wait(receipt, until="issued", timeout=60)
        times.append(((recorded - began) * 1000, (time.perf_counter() - recorded) * 1000))
        pause.wait(BETWEEN_SALES_SECONDS)
    return times
