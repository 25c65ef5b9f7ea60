"""Connections to the ledger and the unit of work.

An engine belongs to the process that made it: `ledger()` makes a new one after a fork, so that no socket is shared
between a parent and its pool. Transactions that PostgreSQL breaks for the sake of others (40001, 40P01) are repeated
by `repeated`.

A server may also vanish without a word (its host is replaced, it hangs): keep-alives notice the first within seconds,
and a statement that has no answer after `answer_seconds` is cancelled, or given up with its connection.

A till waits for every trip to the server. What is one statement, or only reads, therefore runs on `statements`, where
each statement is a transaction of its own without the trips of BEGIN and COMMIT; and a pooled connection is asked
whether it lives only when it was idle for a while.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final, TypeVar, cast

import psycopg
from psycopg.errors import _WaitTimeout
from psycopg.types.array import ListBinaryDumper
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import CursorResult, ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from domain.money import exact_number
from workers.settings import settings

REPEATABLE: Final = frozenset({"40001", "40P01"})
REPEATS: Final = 5
IDLE_SECONDS: Final = 1.0
"""A connection that was used this recently is taken to live; else it is asked first."""
CANCEL_SECONDS: Final = 1.5
"""So long a statement may take to end once it was cancelled; then its connection is given up."""

# A host that was replaced sends neither FIN nor RST: the kernel asks the other end after five idle seconds, and gives a
# connection up that doesn't acknowledge for ten (libpq's parameters; sockets of this machine don't need them).
_WATCHED: Final = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

T = TypeVar("T")


class ByteArray(list[bytes]):
    """A `bytea[]` that travels in its binary form; as a plain list each byte is written, and read, as two digits."""


psycopg.adapters.register_dumper(ByteArray, ListBinaryDumper)


set_json_loads(partial(json.loads, parse_float=exact_number))


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that doesn't wait for ever for an answer: a server that hangs sends no error either.

    The deadline is the client's own. PostgreSQL's statement_timeout needs a server that still runs, and a setting for
    each session, which a transaction pooler would give to somebody else.
    """

    answer_seconds: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer; raises QueryCanceled, or OperationalError when the connection had to be given up."""
        if timeout is not None or self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout:
            pass
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_SECONDS)
        try:
            return super().wait(gen, interval, CANCEL_SECONDS)
        except _WaitTimeout:
            self.pgconn.finish()
            msg = f"PostgreSQL gave no answer within {self.answer_seconds:g} s; the connection was given up"
            raise psycopg.OperationalError(msg) from None


class Ledger:
    """One process's way into PostgreSQL.

    `answer_seconds`: longest wait for the answer to one statement; None waits for ever.
    """

    def __init__(self, url: str, *, pool_size: int = 8, answer_seconds: float | None = None) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=pool_size,
            max_overflow=24,
            # What a statement failed on are people's names and amounts: errors, and so logs, have its text alone.
            hide_parameters=True,
            # A transaction pooler gives every transaction another server session: nothing may be prepared in one.
            connect_args={"prepare_threshold": None, "application_name": "fmgo", "connect_timeout": 5, **_WATCHED},
            pool_timeout=10,
        )
        self._by_statement = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        _wait_no_longer(self.engine, answer_seconds)
        _ask_idle_connections(self.engine)
        _quote_no_rows(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a connection, commit at the end, roll back if the block raises."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """Open a connection on which every statement is a transaction of its own."""
        with self._by_statement.connect() as connection:
            yield connection

    def repeated(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own, again where PostgreSQL broke it for the sake of another."""
        return _repeated(self.transaction, work)

    def repeated_statement(self, work: Callable[[Connection], T]) -> T:
        """The same for a `work` that is one statement."""
        return _repeated(self.statements, work)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _repeated(connect: Callable[[], AbstractContextManager[Connection]], work: Callable[[Connection], T]) -> T:
    for turn in range(REPEATS):
        try:
            with connect() as connection:
                return work(connection)
        except DBAPIError as error:
            if sqlstate(error) not in REPEATABLE or turn == REPEATS - 1:
                raise
    raise AssertionError


def _wait_no_longer(engine: Engine, answer_seconds: float | None) -> None:
    """Have the engine connect with connections that wait no longer than this for an answer."""

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> ImpatientConnection:
        connection = ImpatientConnection.connect(*arguments, **named)
        connection.answer_seconds = answer_seconds
        return connection


def _ask_idle_connections(engine: Engine) -> None:
    """Replace pooled connections that died while they were idle (the server was restarted, a proxy gave up)."""

    @event.listens_for(engine, "checkin")
    def _note(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


_DATA_EXCEPTION: Final = "22"
"""Class of the errors whose first line quotes the value that was wrong (`invalid input syntax for type uuid: "…"`)."""
_QUOTED: Final = re.compile(r'"[^"]*"')


def _quote_no_rows(engine: Engine) -> None:
    """Keep what PostgreSQL quotes of rows (`DETAIL: Failing row contains …`, `CONTEXT: COPY …`) out of its errors.

    An error is shown in more places than a log can watch over: tracebacks, a phase's failure, a person's terminal. The
    whole of it stays in the error's `diag` for whoever asks.
    """

    @event.listens_for(engine, "handle_error")
    def _shorten(context: ExceptionContext) -> None:
        shorten(context.original_exception)
        wrapped = context.sqlalchemy_exception
        if isinstance(wrapped, DBAPIError):
            wrapped.args = (f"({_full_name(context.original_exception)}) {context.original_exception}",)


def shorten(error: BaseException) -> None:
    """Leave of an error of PostgreSQL its first line and its hint, without the values that it quotes."""
    if not isinstance(error, psycopg.Error) or error.diag.message_primary is None:
        return
    said, hint = error.diag.message_primary, error.diag.message_hint
    if (error.sqlstate or "").startswith(_DATA_EXCEPTION):
        said = _QUOTED.sub('"…"', said)
    error.args = (f"{said}\nHINT:  {hint}" if hint else said,)


@contextmanager
def as_sqlalchemy() -> Iterator[None]:
    """Raise what psycopg raises by itself (in a COPY) as SQLAlchemy raises what its own statements end in."""
    try:
        yield
    except psycopg.Error as error:
        shorten(error)
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error


def _full_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of an error, if the server gave one."""
    return getattr(error.orig, "sqlstate", None)


@lru_cache(maxsize=4)
def _ledger_of(_pid: int, url: str) -> Ledger:
    return Ledger(url, answer_seconds=settings().statement_seconds)


def ledger() -> Ledger:
    """Return this process's ledger, made at first use (never inherited over a fork)."""
    return _ledger_of(os.getpid(), settings().database_url)


def run(tx: Connection, sql: str, **values: Any) -> CursorResult[Any]:
    """Execute one statement with named values (`:name`; arrays as lists with a CAST in the statement)."""
    return tx.execute(_statement(sql), values)


@lru_cache(maxsize=512)
def _statement(sql: str) -> TextClause:
    """Parse a statement's names once."""
    return text(sql)


def count(tx: Connection, sql: str, **values: Any) -> int:
    """Execute one statement whose answer is one whole number."""
    return int(run(tx, sql, **values).scalar_one())


def business_time(tx: Connection) -> datetime:
    """The ledger's business time (`fmgo_now()`), aware."""
    return cast("datetime", run(tx, "SELECT fmgo_now()").scalar_one())
