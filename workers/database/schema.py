"""Which ledger this FMgo knows: the step that its tables are at.

Workers begin when the ledger is at this step and stand still while it is at another; a test holds the number against
the migrations.
"""

from typing import Final

from sqlalchemy import Connection

from workers.database.away import NO_TABLES, UnknownLedgerError
from workers.database.engine import run

STEP: Final = "0001"
"""The newest step of `migrations/versions`."""


def step_of(tx: Connection) -> str | None:
    """The step that the ledger's tables are at; None when it has none."""
    if not run(tx, "SELECT to_regclass('alembic_version') IS NOT NULL").scalar_one():
        return None
    found: str | None = run(tx, "SELECT version_num FROM alembic_version").scalar()
    return found


def complaint(step: str | None) -> str | None:
    """What is wrong with a step, as a sentence for whoever must act; None for the one that this FMgo knows."""
    if step == STEP:
        return None
    if step is None:
        return NO_TABLES
    if step > STEP:
        return f"the ledger is at step {step}, of a later FMgo (this one knows {STEP}): install that FMgo"
    return f"the ledger is at step {step}, this FMgo needs {STEP}: run `fmgo ledger migrate`"


def check(tx: Connection) -> None:
    """Raise UnknownLedgerError unless the ledger is one that this FMgo knows."""
    wrong = complaint(step_of(tx))
    if wrong is not None:
        raise UnknownLedgerError(wrong)
