"""What `fmgo doctor` looks at of what runs: Redis, the list of jobs, the ledger and its clock, the workers.

Whatever stands still is found here: a server that is away or answers with errors, a ledger that can't be written or is
another version's, a kind of worker that is missing, a process that hangs, a list that nobody reads. A key of a second's
life is written to Redis, and PostgreSQL sorts something on its disk; nothing else is changed.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from redis import Redis
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from workers.cache.connection import AWAY, cluster_complaint, connect
from workers.cache.silence import why_silent
from workers.cli.checks import Finding
from workers.database import health, processes, schema
from workers.database.away import READ_ONLY, why_away
from workers.job_lists import LISTS
from workers.process import STUCK_SECONDS
from workers.queues import QUEUES
from workers.settings import Settings

OLDEST_POSTGRESQL: Final = 150_000
PARTITIONS_AHEAD: Final = 2
"""Months; the sweep makes three."""
SKEW_SECONDS: Final = 2.0
MEMORY_SHARE: Final = 0.9
"""Part of Redis's memory that is used before it is told."""
PROBE: Final = "fmgo:doctor"
READ_WITHIN_SECONDS: Final = 3.0
"""So long the list's next job may wait before nobody seems to read it: it is read within a second."""
GOES_ON: Final = "Meanwhile jobs are recorded, and workers look at the ledger by themselves."


def two_parts(sentence: str) -> tuple[str, str]:
    """What is wrong, and what to do about it, of a sentence that says both."""
    said, _, todo = sentence.partition(": ")
    return said, f"{todo[:1].upper()}{todo[1:]}." if todo else "Look at the server's log."


def look_at_redis(settings: Settings) -> Iterator[Finding]:
    """The broker's server, and the cache's if it is another."""
    for name, url in {"Redis": settings.redis_url, "Redis (cache)": settings.cache}.items():
        if name != "Redis" and url == settings.redis_url:
            continue
        client = connect(url)
        try:
            yield from _server(client, name)
            if name == "Redis":
                yield from _lists(client)
        except AWAY as error:
            said, todo = two_parts(why_silent(error))
            yield Finding("fail", name, said, f"{todo} {GOES_ON}")
        finally:
            client.close()


def _server(client: Redis, name: str) -> Iterator[Finding]:
    began = time.monotonic()
    client.ping()
    took = (time.monotonic() - began) * 1000
    complaint = cluster_complaint(client)
    if complaint:
        yield Finding("fail", name, complaint, "Name one server that isn't part of a cluster.")
        return
    client.set(PROBE, "1", px=1000)  # a replica, or one whose memory or disk is full, answers everything but this
    memory = client.info("memory")
    kind = client.info("server")
    called = f"{kind.get('server_name', 'redis')} {kind.get('valkey_version', kind.get('redis_version'))}"
    policy = memory.get("maxmemory_policy", "noeviction")
    limit = int(memory.get("maxmemory", 0))
    if policy != "noeviction" and name == "Redis":
        todo = "Set maxmemory-policy noeviction: jobs on the plain list would be thrown away when memory is short."
        yield Finding("warn", name, f"{called} evicts keys ({policy})", todo)
    elif limit and int(memory["used_memory"]) > limit * MEMORY_SHARE:
        said = f"{called} uses {int(memory['used_memory']) / limit:.0%} of its memory"
        yield Finding("warn", name, said, "Raise maxmemory, or see what fills it (`redis-cli --bigkeys`).")
    else:
        yield Finding("ok", name, f"{called}, answers in {took:.1f} ms")


def _lists(client: Redis) -> Iterator[Finding]:
    """Whether somebody reads the lists of jobs: what comes next is taken within a second.

    Only their length is asked for: what lies on them may be of any size.
    """
    for name in LISTS:
        length = before = client.llen(name)
        ends = time.monotonic() + READ_WITHIN_SECONDS
        while length and length >= before and time.monotonic() < ends:
            time.sleep(0.02)
            before, length = length, client.llen(name)
        if length and length >= before:
            todo = "Start `fmgo worker threads`; if one runs, its log says what it waits for."
            yield Finding("fail", "job lists", f"{length} messages on {name}, and nobody reads them", todo)
    yield Finding("ok", "job lists", "nothing lies there unread")


def away(error: DBAPIError) -> Finding:
    """The finding of a ledger that can't be asked at all."""
    why = why_away(error)
    said, todo = two_parts(why) if why else (f"can't be asked: {error}".partition("\n")[0], "Look at PostgreSQL's log.")
    return Finding("fail", "ledger", said, todo)


def look_at_ledger(tx: Connection) -> Iterator[Finding]:
    """Version, step, whether it can be written, epoch, clocks, partitions."""
    server = health.server(tx)
    said = f"PostgreSQL {server['version']}, step {server['step'] or 'none'}"
    if server["version_number"] < OLDEST_POSTGRESQL:
        yield Finding("fail", "ledger", said, "FMgo needs PostgreSQL 15 or later.")
    wrong = schema.complaint(server["step"])
    if wrong is not None:
        yield Finding("fail", "ledger", *two_parts(wrong))
        return
    if health.is_read_only(tx):
        yield Finding("fail", "ledger", *two_parts(READ_ONLY))
        return
    health.use_the_disk(tx)
    yield Finding("ok", "ledger", said)
    epoch = health.epoch(tx)
    if epoch["replayed_at"] is None:
        todo = "Replay the evidence into the ledger; intake, issuing and sending are shut until then."
        yield Finding("fail", "epoch", f"{epoch['epoch']} ({epoch['reason']}), evidence not replayed", todo)
    else:
        yield Finding("ok", "epoch", f"{epoch['epoch']} ({epoch['reason']})")
    yield from _clocks(tx, server["at"])
    for row in health.partitions(tx):
        if row["default_holds_rows"]:
            todo = "Move its rows out before their month can be made; then run a sweep."
            yield Finding("fail", "partitions", f"{row['parent']}_default holds rows", todo)
        elif row["ahead"] < PARTITIONS_AHEAD:
            said = f"{row['parent']} has {row['ahead']} months ahead"
            yield Finding("warn", "partitions", said, "A sweep makes them: is a threads worker running?")
    yield Finding("ok", "partitions", "made ahead, and none holds what has no month")


def _clocks(tx: Connection, server_at: datetime) -> Iterator[Finding]:
    skew = (server_at - datetime.now(tz=UTC)).total_seconds()
    moved = health.clock_offset_seconds(tx)
    if abs(skew) > SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        todo = "Keep both clocks by NTP: certificates and CAFs are judged by them."
        yield Finding("warn", "clock", f"the ledger's is {abs(skew):.1f} s {side} this machine's", todo)
    if moved:
        said = f"business time is moved by {timedelta(seconds=round(moved))}"
        yield Finding("warn", "clock", said, "Only a sandbox may do that.")
    if abs(skew) <= SKEW_SECONDS and not moved:
        yield Finding("ok", "clock", f"{abs(skew) * 1000:.0f} ms from the ledger's")


def look_at_workers(settings: Settings, tx: Connection) -> Iterator[Finding]:
    """Whether processes of each kind beat, and get on."""
    alive = processes.alive(tx, settings.dead_after_seconds)
    missing = sorted(set(QUEUES) - set(alive))
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(alive.items())) or "none"
    if missing:
        todo = "Start " + ", ".join(f"`fmgo worker {kind}`" for kind in missing) + "."
        yield Finding("fail", "workers", f"{said} alive", todo)
    else:
        yield Finding("ok", "workers", f"{said} alive")
    for one in processes.stuck(tx, STUCK_SECONDS):
        said = f"a {one.kind} process hangs in {one.phase} for {timedelta(seconds=round(one.seconds))}"
        todo = f"Kill it: `kill -9 {one.pid}` on {one.host}; what it holds goes on elsewhere."
        yield Finding("fail", "workers", said, todo)
    for kind, number in processes.buried_lately(tx).items():
        said = f"{number} {kind} died within the last hour, or stood still"
        yield Finding(
            "warn", "workers", said, "Look at the worker's log, and at the machine's (memory, a paused host)."
        )
