"""Telling a ledger that can't be used now from a mistake of ours, and saying it in one sentence.

Away, refusing, read-only, full, of another version: whoever needs the ledger waits and tries again in each case; only
what a person has to do differs. Source of the codes: PostgreSQL 18, Appendix A.
"""

from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from workers.database.engine import sqlstate


class NotEnteredError(Exception):
    """This process isn't in the ledger (yet); the sentence says why. It waits and tries again."""

    code: Final = "NOT-ENTERED"
    retry_helps: Final = True


class UnknownLedgerError(Exception):
    """The ledger's tables aren't those that this FMgo knows; the sentence says what a person must do."""

    code: Final = "LEDGER-UNKNOWN"
    retry_helps: Final = True


AWAY: Final = "the ledger can't be reached: start PostgreSQL, or correct FMGO_DATABASE_URL"
READ_ONLY: Final = "the ledger is read-only (a stand-by, or default_transaction_read_only): make it writable"
FULL: Final = "the ledger's disk is full: make room for PostgreSQL"
NO_TABLES: Final = "the ledger lacks FMgo's tables: run `fmgo ledger migrate`"
_SENTENCES: Final = {
    "25006": READ_ONLY,
    "53100": FULL,
    "53200": "PostgreSQL is out of memory",
    "53300": "PostgreSQL has no connection left: raise max_connections, or end some clients",
    "53400": "PostgreSQL has reached a limit of its configuration",
    "57014": "the ledger takes too long to answer",
    "57P01": AWAY,
    "57P02": AWAY,
    "57P03": "PostgreSQL is starting or stopping",
    "57P05": AWAY,
    "58030": "PostgreSQL can't read or write its files",
    "28000": "PostgreSQL doesn't let this user in: correct FMGO_DATABASE_URL or pg_hba.conf",
    "28P01": "PostgreSQL refuses the password: correct FMGO_DATABASE_URL",
    "3D000": "the database of FMGO_DATABASE_URL doesn't exist",
    "42501": "this user of PostgreSQL lacks a right: grant it the role that it needs",
    "3F000": NO_TABLES,
    "42P01": NO_TABLES,
    "42704": NO_TABLES,
    "42883": "the ledger's functions are another version's: run `fmgo ledger migrate`, or install its FMgo",
}
_CONNECTION: Final = "08"
"""Class of the errors of a connection."""


def why_away(error: BaseException) -> str | None:
    """Return the sentence for an error that says that the ledger can't be used now; None for any other error."""
    if isinstance(error, NotEnteredError | UnknownLedgerError):
        return str(error)
    if isinstance(error, NoConnectionLeft):
        return "all connections to the ledger are in use"
    if isinstance(error, psycopg.Error):
        return _sentence(error.sqlstate, connection=isinstance(error, psycopg.OperationalError))
    if isinstance(error, DBAPIError):
        lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return _sentence(sqlstate(error), connection=lost)
    return None


def _sentence(state: str | None, *, connection: bool) -> str | None:
    if state is not None and not state.startswith(_CONNECTION):
        # A code that isn't in the table is a mistake of ours, unless it came with the loss of the connection.
        return _SENTENCES.get(state)
    return AWAY if connection or state is not None else None
