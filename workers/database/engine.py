"""Connections to the ledger and the unit of work.

An engine belongs to the process that made it: `ledger()` makes a new one after a fork, so that no socket is shared
between a parent and its pool. Transactions that PostgreSQL breaks for the sake of others (40001, 40P01) are repeated
by `repeated`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError

from workers.settings import settings

REPEATABLE: Final = frozenset({"40001", "40P01"})
REPEATS: Final = 5

T = TypeVar("T")


class Ledger:
    """One process's way into PostgreSQL."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=pool_size,
            max_overflow=24,
            pool_pre_ping=True,
            # A transaction pooler gives every transaction another server session: nothing may be prepared in one.
            connect_args={"prepare_threshold": None, "application_name": "fmgo", "connect_timeout": 5},
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a connection, commit at the end, roll back if the block raises."""
        with self.engine.begin() as connection:
            yield connection

    def repeated(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own, again where PostgreSQL broke it for the sake of another."""
        for turn in range(REPEATS):
            try:
                with self.transaction() as tx:
                    return work(tx)
            except DBAPIError as error:
                if sqlstate(error) not in REPEATABLE or turn == REPEATS - 1:
                    raise
        raise AssertionError

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of an error, if the server gave one."""
    return getattr(error.orig, "sqlstate", None)


@lru_cache(maxsize=4)
def _ledger_of(_pid: int, url: str) -> Ledger:
    return Ledger(url)


def ledger() -> Ledger:
    """Return this process's ledger, made at first use (never inherited over a fork)."""
    return _ledger_of(os.getpid(), settings().database_url)


def run(tx: Connection, sql: str, **values: Any) -> CursorResult[Any]:
    """Execute one statement with named values (`:name`; arrays as lists with a CAST in the statement)."""
    return tx.execute(text(sql), values)


def count(tx: Connection, sql: str, **values: Any) -> int:
    """Execute one statement whose answer is one whole number."""
    return int(run(tx, sql, **values).scalar_one())


def business_time(tx: Connection) -> datetime:
    """The ledger's business time (`fmgo_now()`), aware."""
    return cast("datetime", run(tx, "SELECT fmgo_now()").scalar_one())
