"""A worker's log from its first byte to its last: lines of JSON, and nothing of a job whatever goes wrong with one."""

import base64
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery
from psycopg.conninfo import conninfo_to_dict
from redis import Redis

from tests.acceptance.waiting import wait_until
from tests.integration.producer.jobs import job
from workers.launch import launch
from workers.queues import QUEUES

CANARY = "rosa.inventada@correo.invalid"


class Started:
    """A worker, and what it wrote."""

    def __init__(self, environment: dict[str, str], log: Path, kind: str = "threads") -> None:
        how = launch(kind)
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                how.argv,
                env={**os.environ, **environment, **how.environment, "FMGO_LOG_LEVEL": "DEBUG"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        """All that it wrote by now."""
        return self.log.read_text(encoding="utf-8")

    def says(self, what: str) -> None:
        """Return when the log has something."""

        def there() -> bool:
            assert self.process.poll() is None, self.text()
            return what in self.text()

        wait_until(there, lambda: f"no {what!r} in:\n{self.text()}")

    def end(self) -> None:
        """End it in good order."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(120) == 0


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[Started]:
    started = Started({**environment, "FMGO_LOG_FORMAT": "json"}, tmp_path / "worker.log")
    started.says("worker.ready")
    yield started
    started.process.kill()
    started.process.wait(60)


def with_canary(key: str) -> dict[str, Any]:
    told = job(key)
    told["document"]["Encabezado"]["Receptor"] = {"CorreoRecep": CANARY}
    return told


def message(task: str, *, kind: str = "application/json", body: bytes | None = None) -> str:
    """A message of a foreign client on one of Celery's queues."""
    call = json.dumps([[with_canary("k")], {"job": CANARY}, {}]).encode() if body is None else body
    return json.dumps(
        {
            "body": base64.b64encode(call).decode(),
            "content-encoding": "utf-8",
            "content-type": kind,
            "headers": {"task": task, "id": "4f2c", "lang": "py", "argsrepr": CANARY, "kwargsrepr": CANARY},
            "properties": {
                "body_encoding": "base64",
                "delivery_info": {"exchange": "", "routing_key": "fmgo.sweep"},
                "delivery_tag": f"{task}-{kind}-{len(call)}",
            },
        }
    )


@pytest.mark.parametrize("kind", QUEUES)
def test_the_log_is_json_from_the_first_byte_to_the_last(
    environment: dict[str, str], tmp_path: Path, kind: str
) -> None:
    worker = Started({**environment, "FMGO_LOG_FORMAT": "json"}, tmp_path / "worker.log", kind)
    worker.says("worker.ready")
    worker.end()
    lines = worker.text().splitlines()
    events = [json.loads(line) for line in lines]
    assert all(event["level"] and event["at"] and "event" in event for event in events)
    assert any("shutdown" in str(event.get("said")) for event in events)


STRANGERS: dict[str, tuple[str, str]] = {
    "a task that nobody knows": (message("fmgo.no-such-task"), "unregistered task"),
    "a serializer that isn't taken": (message("fmgo.sweep", kind="application/x-python-serialize"), "isn't shown"),
    "a body that can't be decoded": (message("fmgo.sweep", body=CANARY.encode()), "isn't shown"),
    "arguments that no phase takes": (message("fmgo.sweep"), "phase.failed"),
}


@pytest.mark.parametrize("stranger", list(STRANGERS))
def test_a_message_that_celery_cant_use_is_told_without_what_it_holds(
    worker: Started, redis_url: str, stranger: str
) -> None:
    sent, said = STRANGERS[stranger]
    with Redis.from_url(redis_url) as client:
        client.lpush("fmgo.sweep", sent)
    worker.says(said)
    worker.end()
    assert CANARY not in worker.text()
    for line in worker.text().splitlines():
        json.loads(line)


def by_list(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.lpush("fmgo.jobs", json.dumps(with_canary("by-list")), json.dumps({"issuer": CANARY}), CANARY)


def by_celery(redis_url: str) -> None:
    client = Celery("a shop", broker=redis_url, set_as_current=False)
    client.send_task("fmgo.enqueue", args=[[with_canary("by-celery"), CANARY]], queue="fmgo.enqueue")
    client.close()


FAULTS: dict[str, bytes] = {
    "the ledger can only be read": b"ALTER DATABASE {name} SET default_transaction_read_only = on",
    "a row breaks a constraint": b"ALTER TABLE inbox ADD CONSTRAINT never CHECK (length(body) < 0)",
    "a trigger quotes the row": (
        b"CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        b" RAISE EXCEPTION 'no' USING DETAIL = convert_from(NEW.body, 'UTF8'); END $$;"
        b"CREATE TRIGGER quote BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION quote()"
    ),
    "a table is gone": b"ALTER TABLE inbox RENAME TO elsewhere",
}


@pytest.mark.parametrize("way", [by_list, by_celery])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_whatever_fails_while_a_job_is_recorded_its_words_stay_out_of_the_log(
    worker: Started, database: str, redis_url: str, fault: str, way: Callable[[str], None]
) -> None:
    name = f'"{conninfo_to_dict(database)["dbname"]}"'.encode()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(FAULTS[fault].replace(b"{name}", name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    way(redis_url)
    wait_until(
        lambda: any(word in worker.text() for word in ("inbox.", '"intake"', "ledger.away")),
        lambda: f"the job isn't seen:\n{worker.text()}",
    )
    assert CANARY not in worker.text()
    for line in worker.text().splitlines():
        json.loads(line)
