"""The Celery application: queues, settings with their reasons, and what happens when processes begin and end.

The ledger is the truth; messages here are bells that say "there is work in this phase and lane". So a lost message
costs at most one sweep, a repeated one finds nothing to do, and none of Celery's own memory (results, ETAs, chords,
beat) is used. Phases are named as strings; this module imports none of them.
"""

import logging
from typing import Any, Final

import structlog
from celery import Celery, Task, bootsteps
from celery.signals import (
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)
from celery.worker.request import Request
from kombu import Queue

from workers import logging as fmgo_logging
from workers import message, watchman
from workers.consumer import use_patient_transport
from workers.keeper import die_with_parent
from workers.pool_watch import PoolWatch
from workers.process import await_ledger, begin_pulse, end_this_process
from workers.queues import LANED, LANES, PHASES, queue_of, worker_kind
from workers.settings import settings

log: Final = structlog.get_logger(__name__)


class QuietRequest(Request):
    """A request whose arguments never leave the worker: jobs hold names, RUTs and amounts of people."""

    @property
    def argsrepr(self) -> str:
        """What events, logs and Flower see instead of the arguments."""
        return "(hidden)"

    @property
    def kwargsrepr(self) -> str:
        """What events, logs and Flower see instead of the keyword arguments."""
        return "{hidden}"

    def info(self, safe: bool = False) -> Any:  # noqa: FBT001, FBT002 - celery's own signature
        """What `inspect active|reserved|scheduled` answers, without what the task was called with."""
        told = dict(super().info(safe))
        return {**told, "args": "(hidden)", "kwargs": "{hidden}"}


class QuietTask(Task[Any, Any]):
    """Base of every task: its requests hide their payload."""

    abstract = True
    Request = f"{__name__}:QuietRequest"


def make_app() -> Celery[QuietTask]:
    """Make the application from this process's settings."""
    message.register_content_type()
    use_patient_transport()
    app = Celery("fmgo", task_cls=QuietTask, set_as_current=True)
    app.conf.update(
        broker_url=settings().redis_url,
        imports=tuple(PHASES.values()),
        task_queues=[
            Queue(queue_of(phase, lane)) for phase in PHASES for lane in (LANES if phase in LANED else (None,))
        ],
        task_create_missing_queues=False,
        # A queue's key in Redis is its name; the routing key is given with each bell.
        task_default_queue="fmgo.sweep",
        task_serializer=message.NAME,
        accept_content=[message.CONTENT_TYPE, "application/json"],
        result_backend=None,  # results are rows; a backend would block producers for 19 s when Redis is away
        task_ignore_result=True,
        # A bell is acknowledged as it is taken: what it announced is found by the next sweep, and late acknowledgement
        # would repeat it hot when its process dies.
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        task_send_sent_event=False,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # A worker outlives every outage of its broker; what its consumer does then is in `workers.consumer`.
        worker_consumer="workers.consumer:PatientConsumer",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        worker_enable_prefetch_count_reduction=False,
        broker_pool_limit=8,
        # A producer must have its answer within seconds when the broker is away; the row is written already.
        task_publish_retry=False,
        broker_transport_options={
            # Only bells travel here, none runs long: a lost one is restored within seconds, not after an hour.
            "visibility_timeout": 300,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "queue_order_strategy": "round_robin",
        },
        # Terminated workers end what they hold within this many seconds; claims of the rest are freed by their death.
        worker_soft_shutdown_timeout=5,
        worker_max_memory_per_child=600_000,  # KiB; a guard against growth, not a working limit
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=True,
    )
    return app


app: Final = make_app()


@setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    fmgo_logging.configure_logging(settings())
    # Each try to reach a broker that answers with errors would say that it is connected.
    logging.getLogger("celery.worker.consumer.connection").setLevel(logging.WARNING)


@task_prerun.connect
def _bind_context(task_id: str, task: Task[Any, Any], **_: Any) -> None:
    watchman.heard()
    fmgo_logging.bind_task(task_id, task.name, task.request.headers or {})


@task_postrun.connect
def _clear_context(**_: Any) -> None:
    fmgo_logging.clear_task()


@worker_process_init.connect
def _enter_pool_process(**_: Any) -> None:
    """Begin to live, at once: the pool ends a process that isn't up within four seconds."""
    die_with_parent()
    begin_pulse(worker_kind())
    watchman.begin(app, worker_kind())


@worker_process_shutdown.connect
def _leave_pool_process(**_: Any) -> None:
    watchman.end()
    end_this_process()


@worker_init.connect
def _await_ledger(sender: Any, **_: Any) -> None:
    log.info("worker.starting", hostname=str(sender))
    await_ledger()


@worker_shutdown.connect
def _leave(**_: Any) -> None:
    end_this_process()


class Life(bootsteps.StartStopStep):
    """What a worker does besides answering bells; it begins before the broker is reached.

    Every worker rings for a sweep every few seconds, and a lease row in the ledger lets one through. A prefork worker's
    parent holds no connection to the ledger, so it only rings; the worker of threads has a heartbeat, reads the lists
    of jobs, and looks at the ledger while the doorbell is silent.
    """

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.entries: list[Any] = []
        self.inboxes: list[Any] = []

    def start(self, worker: Any) -> None:
        """Begin."""
        every = settings().sweep_seconds
        self.entries = [worker.timer.call_repeatedly(every, _ring_for_sweep, priority=10)]
        if worker_kind() == "threads":
            from workers.inbox import start_reading  # noqa: PLC0415 - the inbox stands on this module

            begin_pulse(worker_kind())
            watchman.begin(app, worker_kind())
            self.inboxes = start_reading()
        else:
            watch = PoolWatch()
            self.entries.append(worker.timer.call_repeatedly(every, lambda: watch.look(_pool_of(worker)), priority=10))

    def stop(self, _worker: Any) -> None:
        """Stop after what is at hand."""
        for entry in self.entries:
            entry.cancel()
        for inbox in self.inboxes:
            inbox.stop()
        watchman.end()


def _pool_of(worker: Any) -> list[int]:
    """Numbers of the processes of a prefork worker's pool."""
    return [process.pid for process in worker.pool._pool._pool]  # noqa: SLF001 - billiard shows them nowhere else


def _ring_for_sweep() -> None:
    from workers.bells import is_heard, ring  # noqa: PLC0415 - bells stand on this module

    if is_heard():
        ring("fmgo.sweep")


app.steps["worker"].add(Life)


@worker_ready.connect
def _announce(sender: Any, **_: Any) -> None:
    log.info("worker.ready", hostname=str(sender))
