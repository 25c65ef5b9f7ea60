"""Kinds of outages of FMgo's servers: how each is made and mended, and what must hold meanwhile and afterwards."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from deploy.sandbox.people import Company
from tests.acceptance.premises import Break, Premises
from tests.acceptance.sales import body, boleta
from tests.acceptance.waiting import wait_until
from workers.producer import LIST

READ_ONLY = "ALTER SYSTEM SET default_transaction_read_only = 'on'"
WRITABLE = "ALTER SYSTEM RESET default_transaction_read_only"


@dataclass(frozen=True)
class Outage:
    """How something breaks, how it is mended, and what each worker's log says meanwhile."""

    breaks: Break
    mends: Break
    says: str


def write_protect(premises: Premises, statement: str) -> None:
    with psycopg.connect(premises.server, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(statement.encode())
        connection.execute("SELECT pg_reload_conf()")


def ledger_step(premises: Premises, step: str) -> None:
    premises.works.change("UPDATE alembic_version SET version_num = %s", step)


LEDGER = {
    "away": Outage(lambda p: p.to_ledger.cut(), lambda p: p.to_ledger.mend(), "ledger.away"),
    "hung": Outage(lambda p: p.to_ledger.silence(), lambda p: p.to_ledger.mend(), "ledger.away"),
    "read-only": Outage(
        lambda p: write_protect(p, READ_ONLY), lambda p: write_protect(p, WRITABLE), "the ledger is read-only"
    ),
    "of a later FMgo": Outage(lambda p: ledger_step(p, "9999"), lambda p: ledger_step(p, "0001"), "of a later FMgo"),
}


def refuse_the_password(premises: Premises) -> None:
    """A new password: who is connected is let go, and doesn't come in again."""
    premises.valkey.config_set("requirepass", "another")
    let_all_go(premises)


def let_all_go(premises: Premises) -> None:
    premises.valkey.client_kill_filter(_type="normal", skipme=True)
    premises.valkey.client_kill_filter(_type="pubsub", skipme=True)


def password_of(premises: Premises) -> str:
    return str(premises.valkey.get_connection_kwargs()["password"])


def fill_memory(premises: Premises) -> None:
    premises.valkey.config_set("maxmemory", "1")


def allow_no_more_clients(premises: Premises) -> None:
    premises.valkey.ping()
    premises.valkey.config_set("maxclients", "1")
    let_all_go(premises)


def saved(premises: Premises) -> Path:
    """Where Valkey saves its data."""
    folder: Any = next(iter(premises.valkey.config_get("dir").values()))
    return Path(os.fsdecode(folder)) / "dump.rdb"


def fail_to_save(premises: Premises) -> None:
    """A folder stands where the snapshot should be written."""
    saved(premises).mkdir()
    premises.valkey.config_set("save", "1 1")
    premises.valkey.set("fmgo:any", "1", ex=60)
    wait_until(
        lambda: premises.valkey.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot doesn't fail"
    )


def save_no_more(premises: Premises) -> None:
    saved(premises).rmdir()
    premises.valkey.config_set("save", "")
    premises.valkey.config_set("stop-writes-on-bgsave-error", "no")


REDIS = {
    "away": Outage(lambda p: p.to_redis.cut(), lambda p: p.to_redis.mend(), "Redis can't be reached"),
    "hung": Outage(lambda p: p.to_redis.silence(), lambda p: p.to_redis.mend(), "redis.away"),
    "a replica": Outage(
        lambda p: p.valkey.replicaof("127.0.0.1", "1"),
        lambda p: p.valkey.replicaof("NO", "ONE"),
        "Redis is a replica",
    ),
    "out of memory": Outage(fill_memory, lambda p: p.valkey.config_set("maxmemory", "0"), "Redis is out of memory"),
    "failing to save": Outage(fail_to_save, save_no_more, "Redis can't save its data"),
    "short of replicas": Outage(
        lambda p: p.valkey.config_set("min-replicas-to-write", "1"),
        lambda p: p.valkey.config_set("min-replicas-to-write", "0"),
        "Redis has too few replicas",
    ),
    "refusing the password": Outage(
        refuse_the_password,
        lambda p: p.valkey.config_set("requirepass", password_of(p)),
        "Redis refuses the user or the password",
    ),
    "full of clients": Outage(
        allow_no_more_clients,
        lambda p: p.valkey.config_set("maxclients", "10000"),
        "Redis has no connection left",
    ),
}


def outlive_ledger(premises: Premises, company: Company, name: str) -> None:
    """Break the ledger for longer than a silent process may live; nobody ends, and documents flow afterwards."""
    outage, works = LEDGER[name], premises.works
    works.producer.enqueue_many([boleta(company, f"{name}-before-{n}") for n in range(20)])
    marks = premises.marks()
    outage.breaks(premises)
    try:
        premises.await_said(marks, outage.says)
        premises.outlast_a_death()
    finally:
        outage.mends(premises)
    premises.await_said(marks, "ledger.back")
    premises.documents_flow(company, f"ledger-{name}")
    wait_until(lambda: set(works.states(company)) == {"accepted"}, lambda: works.states(company))
    premises.nobody_ended(marks)


def outlive_redis(premises: Premises, company: Company, name: str) -> None:
    """Break the doorbell: documents are accepted meanwhile, and afterwards jobs by all ways; nobody ends."""
    outage = REDIS[name]
    marks = premises.marks()
    outage.breaks(premises)
    try:
        premises.await_said(marks, outage.says)
        premises.documents_flow(company, f"redis-{name}-meanwhile")
    finally:
        outage.mends(premises)
    premises.await_said(marks, "redis.back")
    premises.works.redis.lpush(LIST, body(boleta(company, f"redis-{name}-listed")))
    wait_until(lambda: premises.works.redis.llen(LIST) == 0, "the list isn't read", seconds=120)
    premises.documents_flow(company, f"redis-{name}-after")
    premises.nobody_ended(marks)
