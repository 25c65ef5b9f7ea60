"""Tracebacks as logs have them: where it happened and what kind of error it was, without what it was about.

An error of Python quotes the value that it failed on (`invalid literal for int(): '…'`), one of the domain tells a
person what in the job is wrong; both hold names, RUTs and amounts of people. So what such an error quotes is left out.
Errors of servers, disks and networks keep their words: they say nothing of a job (those of PostgreSQL are cut where
they arise, `workers.database.engine`).
"""

import re
import traceback
from types import TracebackType
from typing import Final

import httpx
import psycopg
import redis
from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from domain.problems import DomainError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_WORDS_STAY: Final = (OSError, SQLAlchemyError, psycopg.Error, redis.RedisError, httpx.HTTPError, OperationalError)
_QUOTED: Final = re.compile(r"""(?<!\w)(?:b|r|br)?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)
_INPUT: Final = re.compile(r"input_value=.*?, input_type=", re.DOTALL)
LEFT_OUT: Final = "'…'"


def words_of(error: BaseException) -> str:
    """What a log says of an error."""
    try:
        if isinstance(error, DomainError):
            return "; ".join(f"{problem.code} {problem.path}".rstrip() for problem in error.problems)
        said = str(error)
    except Exception as fault:  # noqa: BLE001 - an error's own __str__ may raise anything, a log must not
        return f"<can't be shown: {type(fault).__name__}>"
    if isinstance(error, _WORDS_STAY) or hasattr(error, "retry_helps"):
        return said
    return _QUOTED.sub(LEFT_OUT, _INPUT.sub("input_value=…, input_type=", said))


def shown(exc_info: ExcInfo) -> str:
    """A traceback as text, with its causes."""
    told = traceback.TracebackException(*exc_info)
    _quiet(told, exc_info[1])
    return "".join(told.format()).rstrip("\n")


def _quiet(told: traceback.TracebackException, error: BaseException | None) -> None:
    """Put the log's words in the place of an error's own, along its chain."""
    while error is not None and told is not None:
        told._str = words_of(error)  # type: ignore[attr-defined]  # noqa: SLF001 (the standard library has no other way)
        for inner, one in zip(told.exceptions or (), getattr(error, "exceptions", ()), strict=False):
            _quiet(inner, one)
        if told.__cause__ is not None:
            told, error = told.__cause__, error.__cause__
        elif told.__context__ is not None:
            told, error = told.__context__, error.__context__
        else:
            return
