"""Logs of every process: one event a line, JSON for machines or console for a person, to standard output.

Events of structlog and records of the standard library (Celery, SQLAlchemy, httpx) take the same way: context bound
to the task, time in UTC, tracebacks as text, masking of secrets, rendering. Promises: no secret in a line (see
`workers.masking`) and nothing of a job (see `workers.tracebacks`); no failure of a log (full disk, closed pipe) reaches
the work; what a producer bound travels in a message's headers and is bound again in the worker that takes it.

Rotation is the platform's unless a file is asked for. Many processes write that file: each line is one write in
append mode, and one process at a time moves it.
"""

import fcntl
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

from workers import tracebacks
from workers.celery_records import without_bodies
from workers.masking import Masker, passwords_of
from workers.settings import Settings

HEADER: Final = "fmgo_context"
"""Name of the message header that carries the producer's context: a JSON object of strings."""

CONTEXT_NAMES: Final = ("document_id", "envelope_id", "batch_id", "issuer", "environment", "lane", "chunk", "origin")
"""What may travel from a producer to a worker; anything else in a header is ignored."""

_HEADER_LONGEST: Final = 200
_PLAIN: Final = re.compile(r"[\w .:,@/+-]*", re.ASCII)
# Chatty libraries: their INFO repeats what our own events say, with addresses and arguments in it.
_QUIET: Final = (
    "httpx",
    "httpcore",
    "kombu",
    "amqp",
    "sqlalchemy",
    "urllib3",
    "tornado.access",
    "celery.pool",  # its DEBUG has what tasks were called with
)


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all logs of this process to standard output (or `stream`) and, if asked for, to a file.

    Call it once at a process's start (Celery: on `setup_logging`); calling it again replaces what was there.
    """
    formatter = _formatter(settings)
    handlers: list[logging.Handler] = [_Stream(stream or sys.stdout)]
    if settings.log_file is not None:
        handlers.append(
            _RotatingFile(settings.log_file, size=settings.log_file_bytes, backups=settings.log_file_backups)
        )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        if isinstance(old, _Ours):
            old.close()
    for handler in handlers:
        handler.addFilter(without_bodies)
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def bind_task(task_id: str, task_name: str, headers: Mapping[str, object] | None = None) -> None:
    """Forget what was bound in this thread, then bind the task and the context that its message carried."""
    structlog.contextvars.clear_contextvars()
    if headers is not None:
        bind_from_headers(headers)
    structlog.contextvars.bind_contextvars(task_id=task_id, task_name=task_name)


def clear_task() -> None:
    """Forget everything bound in this thread."""
    structlog.contextvars.clear_contextvars()


def context_headers() -> dict[str, str]:
    """Return the headers that carry what is bound now; empty when nothing that travels is bound."""
    context = structlog.contextvars.get_contextvars()
    travelling = {name: str(context[name])[:_HEADER_LONGEST] for name in CONTEXT_NAMES if name in context}
    task_id = context.get("task_id")
    if task_id is not None and "origin" not in travelling:
        travelling["origin"] = str(task_id)[:_HEADER_LONGEST]
    return {HEADER: json.dumps(travelling)} if travelling else {}


def bind_from_headers(headers: Mapping[str, object]) -> None:
    """Bind what a message's headers carry. Headers come from outside: unknown names and odd values are left out."""
    carried = headers.get(HEADER)
    if isinstance(carried, str):
        try:
            carried = json.loads(carried)
        except (ValueError, RecursionError):
            return
    if not isinstance(carried, Mapping):
        return
    structlog.contextvars.bind_contextvars(
        **{
            name: value
            for name, value in ((name, carried.get(name)) for name in CONTEXT_NAMES)
            if isinstance(value, str) and len(value) <= _HEADER_LONGEST and _PLAIN.fullmatch(value)
        }
    )


def _formatter(settings: Settings) -> logging.Formatter:
    """Build what turns any record into one masked line."""
    secrets = list(passwords_of((settings.database_url, settings.redis_url, settings.cache_url)))
    if settings.vault_keys is not None:
        keys = settings.vault_keys.get_secret_value().split(",")
        secrets.extend(key.partition(":")[2].strip() for key in keys)
    masker = Masker(secrets)

    def mask(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return masker.event(event)

    renderer: structlog.typing.Processor
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.ExceptionRenderer(tracebacks.shown),
            mask,
            renderer,
        ],
    )


class _Ours(logging.Handler):
    """A handler whose failure never reaches the work, nor shows the record that it couldn't write."""

    failures = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Count the failure; the standard one prints the record's arguments, unmasked, to standard error."""
        del record
        self.failures += 1


class _Stream(_Ours, logging.StreamHandler[TextIO]):
    """Standard output."""


class _RotatingFile(_Ours):
    """A file that many processes append to and that is moved aside at a size: name, name.1, name.2."""

    def __init__(self, path: Path, *, size: int, backups: int) -> None:
        """Open nothing yet: the first line does, so that a forked child has a descriptor of its own."""
        super().__init__()
        self._path = path
        self._size = size
        self._backups = backups
        self._descriptor: int | None = None
        self._owner = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        """Append one line in one write; any failure is counted and goes no further."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            os.write(self._opened(len(line)), line)
        except Exception:  # noqa: BLE001 - a log's failure must not fail the work
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        with self.lock or threading.RLock():
            self._shut()
        super().close()

    def _opened(self, more: int) -> int:
        """Return the descriptor of the present file, moving it aside first when `more` bytes don't fit."""
        descriptor = self._current()
        held = os.fstat(descriptor).st_size
        if held and held + more > self._size:
            self._move(more)
            descriptor = self._current()
        return descriptor

    def _current(self) -> int:
        """Return a descriptor of the file that bears the name now (another process may have moved the old one)."""
        if self._descriptor is not None:
            if self._owner == os.getpid() and _same_file(self._descriptor, self._path):
                return self._descriptor
            self._shut()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._owner = os.getpid()
        return self._descriptor

    def _move(self, more: int) -> None:
        """Move the file and its backups one number up, unless another process did while we waited."""
        guard = os.open(self._numbered("lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
            try:
                held = self._path.stat().st_size
            except FileNotFoundError:  # another process has moved it and nobody has written since
                return
            if held + more <= self._size:
                return
            for number in range(self._backups - 1, 0, -1):
                older = self._numbered(str(number))
                if older.exists():
                    older.replace(self._numbered(str(number + 1)))
            self._path.replace(self._numbered("1"))
        finally:
            os.close(guard)

    def _numbered(self, number: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _shut(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _same_file(descriptor: int, path: Path) -> bool:
    """Whether the descriptor is of the file that bears that name."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)
