"""Celery's own log records without what its messages hold.

Celery logs the whole body of a message that it doesn't know, can't decode or has no task for, with its headers, in
which clients repeat the arguments; and the words of whatever a task raised. Both may be a job. What happened is kept;
the `QuietRequest` of the application hides the arguments themselves.

Source: celery 5.7, `celery.worker.consumer.consumer` (UNKNOWN_FORMAT, UNKNOWN_TASK_ERROR, INVALID_TASK_ERROR,
MESSAGE_DECODE_ERROR) and `celery.app.trace` (`TraceInfo`).
"""

import logging
from collections.abc import Mapping
from typing import Final

from workers.tracebacks import words_of

_CONSUMER: Final = "celery.worker.consumer"
_TRACE: Final = "celery.app.trace"
_BODY: Final = "body"
_HIDDEN: Final = "(hidden)"


def without_bodies(record: logging.LogRecord) -> bool:
    """Take the contents of messages out of a record; a filter of `logging` that lets every record pass."""
    if record.name.startswith(_CONSUMER) and record.args and _BODY in str(record.msg):
        happened = str(record.msg).partition("\n")[0].partition("%")[0].rstrip(" :")
        record.msg, record.args = f"{happened} (the message isn't shown)", ()
    elif record.name == _TRACE and isinstance(record.args, Mapping):
        error = record.exc_info[1] if record.exc_info else None
        raised = f"{type(error).__name__}: {words_of(error)}" if error is not None else _HIDDEN
        record.args = {**record.args, "exc": raised, "args": _HIDDEN, "kwargs": _HIDDEN, "traceback": _HIDDEN}
    return True
