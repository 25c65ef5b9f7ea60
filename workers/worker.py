"""A worker's process: `python -m workers.worker ARGUMENTS…`, with the options of `celery worker`.

Everything that it says, from the first byte to the last, is a line of the log as the settings want it: Celery's banner
isn't drawn, what it says to a terminal, warnings of Python and errors that nobody caught become events. (What the
interpreter itself says before this module runs, or while it is killed, can't.)
"""

import logging
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import structlog

from workers.ground import faults
from workers.logging import configure_logging
from workers.settings import SettingsError, settings

log: Final = structlog.get_logger(__name__)

USAGE: Final = 2
FAILED: Final = 1


def main(arguments: Sequence[str]) -> int:
    """Run a worker to its end; returns the exit code: 2 where the settings describe none."""
    try:
        sentences = faults(settings())
        configure_logging(settings())
    except SettingsError as error:
        sentences = error.sentences
    if sentences:
        sys.stderr.write("".join(f"fmgo: {sentence}\n" for sentence in sentences))
        return USAGE
    speak_in_events()
    from celery.apps import worker as celery_worker  # noqa: PLC0415 - what it says while it is imported is an event too

    from workers.app import app  # noqa: PLC0415 - the same

    # Signal handlers call it: a plain function of the module is the only place to change what they say.
    setattr(celery_worker, "safe_say", _say)  # noqa: B010 - the stubs don't know it
    run: Any = app.worker_main
    try:
        run(["--quiet", "worker", *arguments])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0
    return 0


def speak_in_events() -> None:
    """Make events of what Python would write to standard error by itself."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _say(said: str, _stream: object = None) -> None:
    log.info("worker.says", said=said.strip())


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("process.failed", exc_info=(kind, error, trace))


def _uncaught_in_thread(about: threading.ExceptHookArgs) -> None:
    if about.exc_type is not SystemExit and about.exc_value is not None:
        name = about.thread.name if about.thread else None
        log.critical("thread.failed", thread=name, exc_info=(about.exc_type, about.exc_value, about.exc_traceback))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
