"""Alembic's entry: runs the steps in `versions/` over one connection, in one transaction each.

The address comes from the option `sqlalchemy.url` or from `FMGO_DATABASE_URL` (libpq's `postgresql://` form is taken
as it is). The steps are plain SQL within PostgreSQL 15.
"""

import os

from alembic import context
from sqlalchemy import create_engine, pool


def _address() -> str:
    address = context.config.get_main_option("sqlalchemy.url") or os.environ["FMGO_DATABASE_URL"]
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def _run() -> None:
    engine = create_engine(_address(), poolclass=pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


_run()
