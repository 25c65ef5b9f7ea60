"""Flower shows what the workers do, to whoever has the password, and nothing of what the jobs hold."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import celery
import httpx
import pytest
import redis

from deploy.sandbox.flower import FlowerWindow, start_flower
from deploy.sandbox.sandbox import Sandbox
from tests.integration.sandbox.watching import until

SECRET = "76192083-9 owes 4815162342"


@dataclass(frozen=True)
class Watched:
    """A sandbox with a worker, Flower, and a client that knows the password."""

    window: FlowerWindow
    client: httpx.Client
    failed: str
    active: str
    reserved: str


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Sandbox(ephemeral=True, say=lambda line: None) as sandbox:
        window = start_flower(sandbox)
        assert window.wait(30) is not None
        worker = sandbox.spawn("worker", [sys.executable, "-m", "tests.integration.holding_worker"])
        with httpx.Client(base_url=f"{window.address()}/", auth=(window.user, window.password), timeout=10) as client:

            def known() -> dict[str, dict[str, str]]:
                worker.check()
                answer: dict[str, dict[str, str]] = client.get("api/tasks").json()
                return answer

            def started() -> bool:
                worker.check()
                return "held@here" in client.get("api/workers", params={"refresh": 1}).text

            until(started, "Flower sees the worker")
            with celery.Celery("test", broker=sandbox.redis_url, set_as_current=False) as app:
                send = [
                    app.send_task("fmgo.submit", args=[f"{SECRET} {end}"], queue="fmgo.submit", ignore_result=True).id
                    for end in ("fail", "hold", "next")
                ]
            until(
                lambda: {known().get(task, {}).get("state") for task in send} == {"FAILURE", "STARTED", "RECEIVED"},
                "all",
            )
            yield Watched(window, client, *send)
            with redis.Redis.from_url(sandbox.redis_url) as broker:
                broker.set("let-go", 1)


@pytest.mark.parametrize(
    "path",
    [
        "api/tasks",
        "api/task/info/{failed}",
        "api/task/info/{active}",
        "task/{failed}",
        "task/{active}",
        "task/{reserved}",
        "tasks",
        "tasks/datatable?draw=1&start=0&length=50&search[value]=&columns[0][data]=name&order[0][column]=0&order[0][dir]=asc",
        "api/workers?refresh=1&workername=held@here",
        "worker/held@here",
        "metrics",
    ],
)
def test_no_page_and_no_api_shows_a_payload(watched: Watched, path: str) -> None:
    tasks = {"failed": watched.failed, "active": watched.active, "reserved": watched.reserved}
    answer = watched.client.get(path.format(**tasks))
    assert answer.status_code == 200
    assert "76192083" not in answer.text
    assert "4815162342" not in answer.text


def test_tasks_in_a_workers_hands_are_shown_without_payload(watched: Watched) -> None:
    answer = watched.client.get("api/workers", params={"refresh": 1, "workername": "held@here"}).json()["held@here"]
    shown = {request["id"]: request for kind in ("active", "reserved") for request in answer[kind]}
    assert watched.active in shown
    assert {request["args"] for request in shown.values()} == {"hidden"}


def test_error_is_shown_by_its_class_alone(watched: Watched) -> None:
    answer = watched.client.get(f"api/task/info/{watched.failed}").json()
    assert (answer["state"], answer["exception"]) == ("FAILURE", "ValueError")


def test_tasks_are_called_by_what_they_do(watched: Watched) -> None:
    assert "upload envelopes to the SII (fmgo.submit)" in watched.client.get(f"task/{watched.active}").text


@pytest.mark.parametrize("path", ["", "tasks", "api/tasks", "api/workers"])
def test_password_is_asked_for(watched: Watched, path: str) -> None:
    assert httpx.get(f"{watched.client.base_url}{path}").status_code == 401
    assert httpx.get(f"{watched.client.base_url}{path}", auth=("fmgo", "guess")).status_code == 401


def test_nothing_can_be_changed_from_here(watched: Watched) -> None:
    for path in (
        "api/worker/shutdown/held@here",
        "api/task/send-task/fmgo.submit",
        f"api/task/revoke/{watched.active}",
    ):
        assert watched.client.post(path, json={"args": []}).status_code == 403


def test_password_is_in_no_log_and_no_argument_list(watched: Watched) -> None:
    assert watched.window.password not in watched.window.child.log.read_text()
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "monitoring.flower" in listing
    assert watched.window.password not in listing


def test_every_phase_has_a_readable_name(environment: dict[str, str]) -> None:
    code = (
        "import workers.app, monitoring.flower; print(sorted(set(workers.app.PHASES) - set(monitoring.flower.TASKS)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"
