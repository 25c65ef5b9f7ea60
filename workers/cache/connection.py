"""Connections to the Redis-protocol server that holds copies, queues and the list of jobs.

Whatever is asked here may be answered late or never, so each wait is short, a dropped connection is tried once more,
and a server that was silent is left alone for some seconds: whoever works without it isn't held up by each try.
Promises: no connection is opened before the first command (a client can be made anywhere, but must be used in one
process only: make it after the fork), and answers are bytes. Redis Cluster is refused with a sentence: Celery's
message library has no transport for it, and the queues live on the same server.
"""

from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from workers.cache.silence import Silence, leaving_alone
from workers.settings import check_redis_url

CONNECT_SECONDS: Final = 1.0
"""Longest wait for a connection: the server stands beside us."""

ANSWER_SECONDS: Final = 2.0
"""Longest wait for an answer; every use has the ledger to fall back to."""

_HEALTH_SECONDS: Final = 15
_SOCKET_SCHEMES: Final = ("unix", "redis+socket")

AWAY: Final = (RedisError, OSError)
"""What a command raises when the server is away or refuses it."""


class CacheUrlError(Exception):
    """The URL isn't one of a server that FMgo can use; a person must act."""

    code: Final = "CACHE-URL"
    retry_helps: Final = False


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS, parser_class: Any = None) -> Redis:
    """Make a client of the server at `url`; nothing is sent yet.

    `answer_seconds` must exceed the block time of blocking commands (BLMOVE, XREAD). Answers come as bytes, read by
    redis-py's own parser unless another is given.
    Raises `CacheUrlError` for a cluster's URL or one that isn't of Redis.
    """
    try:
        scheme, _, rest = check_redis_url(url).partition("://")
    except ValueError as error:
        raise CacheUrlError(str(error)) from None
    if scheme.lower() in _SOCKET_SCHEMES:  # kombu writes the database as ?virtual_host=1, redis-py as ?db=1
        path, mark, query = rest.partition("?")
        url = f"unix://{path}{mark}{query.replace('virtual_host=', 'db=')}"
    client = Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        health_check_interval=_HEALTH_SECONDS,
        # A connection that the server closed while idle is made anew once. A late answer isn't asked for again.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,  # every server of the protocol speaks it, without a handshake of its own
        **({"parser_class": parser_class} if parser_class is not None else {}),
    )
    pool = client.connection_pool
    pool.connection_class = leaving_alone(pool.connection_class, Silence())
    return client


def cluster_complaint(client: Redis) -> str | None:
    """Ask the server whether it is a cluster's node behind a plain URL; returns the sentence to show, or None."""
    enabled = client.info("cluster").get("cluster_enabled", 0)
    if str(enabled) == "1":
        return "the server at FMGO_REDIS_URL runs in cluster mode, which Celery's message library can't use"
    return None
