"""Why the Redis-protocol server can't be used now, as a sentence, and not asking again at once one that is silent.

A server that is away, hangs, or answers with an error (a replica after a fail-over, memory or disk full, too many
clients, a wrong password) is the same to whoever wanted to use it: it is asked again later, and the ledger is looked at
meanwhile. Only what a person must do differs. Source: the error prefixes of Valkey 9 and Redis 8 (`-READONLY …`).
"""

import time
from typing import Any, Final

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 5.0

AWAY: Final = "Redis can't be reached: start it, or correct FMGO_REDIS_URL"
NO_ANSWER: Final = "Redis takes connections and doesn't answer: it hangs, or is overloaded"
REFUSES: Final = "Redis refuses the user or the password: correct FMGO_REDIS_URL, or the server's ACL"

_REPLICA: Final = "Redis is a replica and takes no writes (a fail-over?): name the primary in FMGO_REDIS_URL"
_MEMORY: Final = "Redis is out of memory: raise maxmemory, or see what fills it (`redis-cli --bigkeys`)"
_DISK: Final = "Redis can't save its data and takes no writes: make room on its disk, see its log"
_LOADING: Final = "Redis is still loading its data: it comes by itself"

# Words that the server's sentence begins with, or holds; redis-py takes some prefixes off.
_SENTENCES: Final = (
    ("READONLY", _REPLICA),
    ("You can't write against a read only replica", _REPLICA),
    ("OOM", _MEMORY),
    ("command not allowed when used memory", _MEMORY),
    ("MISCONF", _DISK),
    ("configured to save RDB snapshots", _DISK),
    ("Errors writing to the AOF", _DISK),
    ("LOADING", _LOADING),
    ("loading the dataset", _LOADING),
    ("max number of clients", "Redis has no connection left: raise maxclients, or end some clients"),
    ("MASTERDOWN", _REPLICA),
    ("NOREPLICAS", "Redis has too few replicas to take writes (min-replicas-to-write): see to its replicas"),
    ("CLUSTERDOWN", "Redis runs in cluster mode, which isn't for FMgo: name one server"),
    ("BUSY", "Redis runs somebody's script for long: it answers when that ends (`redis-cli SCRIPT KILL`)"),
    ("NOPERM", REFUSES),
    ("NOAUTH", REFUSES),
    ("WRONGPASS", REFUSES),
)


class SilentError(RedisConnectionError):
    """The server was silent a moment ago and isn't asked again yet."""


def why_silent(error: BaseException) -> str:
    """One sentence on an error of a command or of a connection, with what to do."""
    said = str(error)
    for words, sentence in _SENTENCES:
        if words in said:
            return sentence
    if isinstance(error, AuthenticationError | NoPermissionError) or "Authentication required" in said:
        return REFUSES
    if isinstance(error, RedisTimeoutError):
        return NO_ANSWER if "connecting" not in said else AWAY
    if isinstance(error, RedisError) and not isinstance(error, RedisConnectionError):
        return f"Redis answers with an error: {said[:100]}"
    return AWAY


class Silence:
    """Whether a server is to be left alone, as the connections of one client found it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def begins(self) -> None:
        """It couldn't be reached, or didn't answer: the pause doubles."""
        now = time.monotonic()
        if now >= self._until:
            self._until = now + self._pause
            self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2)

    def ends(self) -> None:
        """It answered."""
        self._until, self._pause = 0.0, FIRST_PAUSE_SECONDS

    @property
    def lasts(self) -> bool:
        """Whether it isn't to be asked yet."""
        return time.monotonic() < self._until


def leaving_alone(connection_class: type[Any], silence: Silence) -> type[Any]:
    """A class of connections that fail at once while their server is to be left alone."""

    class Reserved(connection_class):  # type: ignore[misc]
        """Notes whether the server can be reached and answers; each attempt at a silent one costs seconds."""

        def connect(self) -> None:
            if self._sock is None and silence.lasts:
                raise SilentError("Redis was silent a moment ago")
            try:
                super().connect()
            except (RedisError, OSError):
                silence.begins()
                raise

        def read_response(self, *arguments: Any, **named: Any) -> Any:
            try:
                answer = super().read_response(*arguments, **named)
            except RedisTimeoutError:
                silence.begins()
                raise
            silence.ends()
            return answer

    return Reserved
