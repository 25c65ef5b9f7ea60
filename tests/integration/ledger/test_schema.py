"""Which ledger FMgo knows, and what it says of one that it doesn't."""

import pytest

from workers.cli.ledger import newest_step
from workers.database import schema
from workers.database.away import UnknownLedgerError
from workers.database.engine import Ledger, run


def test_the_step_that_workers_know_is_the_newest_of_the_migrations() -> None:
    assert newest_step() == schema.STEP


def test_a_ledger_that_fmgo_made_is_known(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        schema.check(tx)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "of a later FMgo"),
        ("UPDATE alembic_version SET version_num = '0000'", "fmgo ledger migrate"),
        ("DELETE FROM alembic_version", "fmgo ledger migrate"),
        ("DROP TABLE alembic_version", "fmgo ledger migrate"),
    ],
)
def test_another_ledger_is_refused_with_what_to_do(ledger: Ledger, statement: str, says: str) -> None:
    with ledger.transaction() as tx:
        run(tx, statement)
        with pytest.raises(UnknownLedgerError, match=says):
            schema.check(tx)
