"""How long a till waits for its document, alone and while a backlog of bulk documents drains.

Some tills hand in one interactive sale after the other and wait for each as a producer does: by `Producer.wait`, which
Redis tells. Only sales that were made while the backlog stood count.
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
BETWEEN_SALES_SECONDS: Final = 0.02
LOOK_EVERY_SECONDS: Final = 0.25
GONE: Final = 300
"""With fewer bulk documents left than this the backlog counts as gone."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of many sales: handed in → recorded, and recorded → issued."""

    recording: list[float]
    issuing: list[float]

    @property
    def whole(self) -> list[float]:
        """From handing in to issued."""
        return [a + b for a, b in zip(self.recording, self.issuing, strict=True)]


def percentile(values: list[float], per_cent: int) -> float:
    """The value below which so many per cent of the values lie."""
    return quantiles(values, n=100, method="inclusive")[per_cent - 1]


def beside_backlog(town: Town, backlog: int, sales: int) -> Latency:
    """Up to so many sales, of several tills, beside a backlog of so many bulk documents that is draining."""
    enough = threading.Event()
    bring(town, b"\n".join(jobs("bulk", backlog)), uuid.uuid4())
    with Producer() as producer, ThreadPoolExecutor(TILLS) as pool:
        tills = [pool.submit(_sell, producer, -(-sales // TILLS), enough) for _ in range(TILLS)]
        while not all(till.done() for till in tills):
            time.sleep(LOOK_EVERY_SECONDS)
            if town.waiting_to_be_issued() < GONE:
                enough.set()
        return _latency([pair for till in tills for pair in till.result()])


def alone(sales: int) -> Latency:
    """So many sales of one till with nothing else to do."""
    with Producer() as producer:
        return _latency(_sell(producer, sales, threading.Event()))


def _latency(times: list[tuple[float, float]]) -> Latency:
    return Latency([pair[0] for pair in times], [pair[1] for pair in times])


def _sell(producer: Producer, sales: int, enough: threading.Event) -> list[tuple[float, float]]:
    times: list[tuple[float, float]] = []
    while len(times) < sales and not enough.wait(BETWEEN_SALES_SECONDS):
        sale = job("interactive")
        began = time.perf_counter()
        receipt = producer.enqueue(sale)
        recorded = time.perf_counter()
        producer.wait(receipt, until="issued", timeout=60)
        times.append(((recorded - began) * 1000, (time.perf_counter() - recorded) * 1000))
    return times
