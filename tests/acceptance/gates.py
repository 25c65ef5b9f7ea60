"""Gates: places in the ledger where a process can be held, so that a test may end it exactly there.

A gate is a trigger that makes the updates that fulfil a condition wait for an advisory lock, which the test holds. What
was committed before the gate is visible to everybody while a process stands at it. All gates of a test are made before
anybody comes to one, because a trigger can't be made on a table that somebody is writing to.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.acceptance.waiting import wait_until

_numbers = itertools.count(770_001)


class Gate:
    """One closed gate; `number` is its advisory lock."""

    def __init__(self, connection: psycopg.Connection, number: int) -> None:
        self._connection = connection
        self._number = number

    def holders(self) -> list[int]:
        """Numbers of the server's sessions that stand at the gate."""
        rows = self._connection.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s", (self._number,)
        )
        return [row[0] for row in rows]

    def await_somebody(self) -> None:
        """Return when a process stands at the gate."""
        wait_until(self.holders, "nobody came to the gate")

    def turn_back(self) -> None:
        """End the sessions that stand at the gate, as they end with the machine of their process: nothing is done."""
        for pid in self.holders():
            self._connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        wait_until(lambda: not self.holders(), "a session stays at the gate")


@contextmanager
def gates(database_url: str, *conditions: tuple[str, str]) -> Iterator[list[Gate]]:
    """Close gates, each for updates of a table that fulfil a condition (SQL over OLD and NEW); open at the end."""
    made = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '60s'")
        for table, condition in conditions:
            number = next(_numbers)
            made.append(number)
            connection.execute("SELECT pg_advisory_lock(%s)", (number,))
            connection.execute(
                f"CREATE FUNCTION gate_{number}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN PERFORM pg_advisory_xact_lock({number}); RETURN NEW; END $$".encode()
            )
            connection.execute(
                f"CREATE TRIGGER gate_{number} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition})"
                f" EXECUTE FUNCTION gate_{number}()".encode()
            )
        try:
            yield [Gate(connection, number) for number in made]
        finally:
            connection.execute("SELECT pg_advisory_unlock_all()")
            for number in made:
                connection.execute(f"DROP FUNCTION gate_{number} CASCADE".encode())
