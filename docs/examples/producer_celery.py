"""A producer that is a Celery client already: it sends jobs as a task, without any of FMgo's packages.

    FMGO_REDIS_URL=redis://:password@host:port/0 python docs/examples/producer_celery.py < jobs.jsonl

The task's name and queue are `fmgo.enqueue`; its one argument is a list of jobs (objects, or texts of JSON). What the
client learns is that the message is on the queue; the job is recorded when a worker has taken it.
"""

# ruff: noqa: INP001  (an example stands alone)
import json
import os
import sys

from celery import Celery

app = Celery("shop", broker=os.environ["FMGO_REDIS_URL"], set_as_current=False)
app.conf.task_serializer = "json"
app.conf.task_ignore_result = True
app.conf.task_publish_retry = False

jobs = [json.loads(line) for line in sys.stdin if line.strip()]
app.send_task("fmgo.enqueue", args=[jobs], queue="fmgo.enqueue")
