"""Flower as FMgo runs it: `python -m monitoring.flower`, a window on the workers that shows no payload.

Promises: it listens on 127.0.0.1 unless told otherwise, asks for a password (for everything but the figures for
Prometheus under ``/metrics``), reads only (no button or API call of it changes anything), calls the tasks by what they
do, and never holds what tasks were called with. Jobs hold names,
RUTs and amounts of people, so arguments, results and the words of errors are taken out where they enter Flower (the
workers' events and their answers to inspection), not just where it draws its pages; thus its API has none either. The
log has what an error said, masked, under the task's id.

Settings: ``FMGO_FLOWER_PASSWORD`` or ``FMGO_FLOWER_PASSWORD_FILE`` (one is needed), ``FMGO_FLOWER_USER`` (fmgo),
``FMGO_FLOWER_ADDRESS`` (127.0.0.1), ``FMGO_FLOWER_PORT`` (5555; 0 takes a free one), ``FMGO_FLOWER_PORT_FILE`` (the
port is written there when Flower answers), and those of every process of FMgo.

Source: Flower 2.2, options `basic_auth`, `format_task` and `read_only`; measurements of this project: `format_task`
alone leaves everything in ``/api/tasks``.
"""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from celery.events.state import Task
from flower.app import Flower
from flower.events import Events
from flower.inspector import Inspector
from flower.options import options
from flower.urls import settings as handler_settings
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from tornado.ioloop import IOLoop

# What each phase does, for a person; the name in brackets is the one in logs and code.
TASKS: Final[Mapping[str, str]] = {
    "fmgo.issue": "check, number, stamp and sign documents",
    "fmgo.dispatch": "put documents into envelopes",
    "fmgo.submit": "upload envelopes to the SII",
    "fmgo.track": "ask the SII for verdicts",
    "fmgo.publish": "tell producers the results",
    "fmgo.mail": "read the SII's result mails",
    "fmgo.claims": "ask what receivers say",
    "fmgo.batch": "read a batch",
    "fmgo.sweep": "find what is due",
}
HIDDEN: Final = "hidden"
# Fields of events (Celery, Event Reference) and of inspection's requests that carry what a task was given or gave.
_PAYLOAD: Final = ("args", "kwargs", "argsrepr", "kwargsrepr", "result", "traceback")


class FlowerSettings(BaseSettings):
    """Where Flower listens and who may look."""

    model_config = SettingsConfigDict(env_prefix="FMGO_FLOWER_", frozen=True, env_ignore_empty=True)

    user: str = "fmgo"
    password: SecretStr | None = None
    password_file: Path | None = None
    address: str = "127.0.0.1"
    port: int = 5555
    port_file: Path | None = None

    def secret(self) -> str:
        """The password; raises ValueError with a sentence if neither setting gives one."""
        if self.password is not None:
            found = self.password.get_secret_value()
        elif self.password_file is not None:
            found = self.password_file.read_text(encoding="utf-8").strip()
        else:
            found = ""
        if not found:
            raise ValueError("Flower needs a password: set FMGO_FLOWER_PASSWORD_FILE or FMGO_FLOWER_PASSWORD")
        return found


def readable(name: str) -> str:
    """A task's name as the pages show it: ``upload envelopes to the SII (fmgo.submit)``."""
    return f"{TASKS[name]} ({name})" if name in TASKS else name


def without_payload(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event or an inspected request with its payload taken out."""
    quiet = {name: HIDDEN if name in _PAYLOAD else value for name, value in fields.items()}
    if quiet.get("exception"):
        quiet["exception"] = str(quiet["exception"]).partition("(")[0]  # its class; its words may quote the job
    return quiet


class QuietEvents(Events):  # type: ignore[misc]  # flower ships no types
    """The workers' events as Flower keeps them, without payloads."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Take an event in."""
        super().on_event(without_payload(event))


class QuietInspector(Inspector):  # type: ignore[misc]  # flower ships no types
    """What workers answer about themselves, without payloads of the tasks they hold."""

    def _on_update(self, workername: str, method: str, response: Any) -> None:
        if method in ("active", "reserved", "scheduled"):
            response = [_quiet_request(request) for request in response]
        super()._on_update(workername, method, response)


def _quiet_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """A task in a worker's hands; a scheduled one holds its request one level deeper."""
    inner = request.get("request")
    return without_payload(request) | ({"request": without_payload(inner)} if isinstance(inner, Mapping) else {})


def format_task(task: Task) -> Task:
    """Flower's hook for its pages: the readable name. Payloads are gone by then."""
    if task.name:
        task.name = readable(task.name)
    return task


def make(flower_settings: FlowerSettings) -> Flower:
    """Flower over FMgo's Celery application, not yet listening."""
    from workers.app import app  # noqa: PLC0415 (it reads the settings of FMgo when it is imported)

    options.basic_auth = [f"{flower_settings.user}:{flower_settings.secret()}"]
    options.address = flower_settings.address
    options.port = flower_settings.port
    options.format_task = format_task
    options.read_only = True
    options.auto_refresh = True
    options.max_tasks = 20_000  # the ledger remembers; Flower shows the last ones
    app.conf.imports = ()  # Flower watches the phases; it needs none of their code
    loop = IOLoop.current()
    events = QuietEvents(
        app, io_loop=loop, max_tasks_in_memory=options.max_tasks, max_workers_in_memory=options.max_workers
    )
    flower = Flower(capp=app, options=options, events=events, io_loop=loop, **handler_settings)
    flower.inspector = QuietInspector(loop, app, options.inspect_timeout / 1000.0)
    return flower


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    flower_settings = FlowerSettings()
    try:
        flower = make(flower_settings)
    except (ValueError, OSError) as error:
        sys.exit(f"fmgo: {error}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = flower.start_http_server()
    print(f"Flower: http://{flower_settings.address}:{port}/ as {flower_settings.user}", flush=True)
    if flower_settings.port_file is not None:
        new = flower_settings.port_file.with_name(f"{flower_settings.port_file.name}.new")
        new.write_text(f"{port}\n", encoding="ascii")
        new.replace(flower_settings.port_file)
    try:
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        flower.stop()


if __name__ == "__main__":
    main()
