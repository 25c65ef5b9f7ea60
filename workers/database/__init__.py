"""The ledger: every query of FMgo, one file a table family.

SQL is written as SQL (`text()`), set-based, within PostgreSQL 15, safe behind a transaction pooler. Functions take an
open connection and never commit: the caller's `with ledger.transaction() as tx:` is the unit of work.
"""
