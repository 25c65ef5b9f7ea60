"""A worker whose one task fails or holds still: `python -m tests.integration.holding_worker`, for tests of Flower.

It is FMgo's Celery application with its queues and requests, and a stand-in for the phase ``fmgo.submit``: called
with a text that ends in ``fail`` it raises an error that quotes it, else it holds until Redis has the key ``let-go``.
"""

import threading

import redis

from workers.app import app
from workers.settings import settings

app.conf.imports = ()


@app.task(name="fmgo.submit")
def enqueue(body: str) -> str:
    """Fail or hold, quoting the body either way."""
    if body.endswith("fail"):
        raise ValueError(body)
    waiter = threading.Event()
    with redis.Redis.from_url(settings().redis_url) as client:
        while not client.exists("let-go"):
            waiter.wait(0.02)
    return body


if __name__ == "__main__":
    app.worker_main(["worker", "--pool=threads", "--concurrency=1", "--queues=fmgo.submit", "--hostname=held@here"])
