"""Results as producers read them: a hash per document, a stream of all, and a message to whoever waits.

The ledger is the record and says which version of a result is due; here only a higher version replaces a lower one,
so that late and repeated publishing is harmless. Promises: hash, stream entry and message are one step; every key has
a time to live, the stream a length; when Redis is away nothing is raised and nothing counts as published.

* ``fmgo:result:{id}``: hash with ``version`` and the result's fields, UTF-8 text (a file is its Latin text).
* ``fmgo:results``: stream with ``id``, ``version`` and the short fields of each result, as versions come.
* channel ``fmgo:result:{id}``: the new version's number.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from redis import Redis

from workers.cache.connection import AWAY
from workers.cache.silence import SilentError, why_silent
from workers.outages import CACHE

STREAM: Final = "fmgo:results"
STREAM_LENGTH: Final = 100_000
"""Entries kept in the stream, about; a consumer further behind reads the ledger."""

STREAM_FIELDS: Final = (
    "state",
    "issuer",
    "environment",
    "idempotency_key",
    "batch",
    "document_type",
    "folio",
    "track_id",
    "sent_at",
)
"""Fields of a result that its stream entry carries; the rest is in the hash."""

_log = structlog.get_logger(__name__)

# KEYS: hash, stream. ARGV: version, life in ms, stream length, number of values for the stream, those values, then the
# hash's values. An older version's fields don't survive; an equal version is no news.
_PUBLISH: Final = """
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) >= tonumber(ARGV[1]) then return 0 end
local last = 4 + tonumber(ARGV[4])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[1], unpack(ARGV, last + 1))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if last > 4 then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'version', ARGV[1], unpack(ARGV, 5, last))
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a producer is told about a document: the ledger's version, and fields as text."""

    id: str
    version: int
    fields: Mapping[str, str]
    streamed: bool = True
    """Whether the stream has it: an answer under another name than a document's id is found in its hash only."""


class Results:
    """Publishes and reads results. Safe from many threads; make one per process."""

    def __init__(self, client: Redis, *, ttl_seconds: int, stream_length: int = STREAM_LENGTH) -> None:
        """Take the client and how long a result lives; nothing is sent yet."""
        self._client = client
        self._life = ttl_seconds * 1000
        self._length = stream_length
        self._publish = client.register_script(_PUBLISH)

    def publish(self, result: Result) -> bool:
        """Publish one; whether Redis holds this version or a higher one now."""
        return result.id in self.publish_many((result,))

    def publish_many(self, results: Sequence[Result]) -> frozenset[str]:
        """Publish hundreds in one trip; returns the ids of which Redis now holds this version or a higher one."""
        if not results:
            return frozenset()
        try:
            pipe = self._client.pipeline(transaction=False)
            for result in results:
                self._publish(keys=[_name(result.id), STREAM], args=self._values(result), client=pipe)
            answers = pipe.execute(raise_on_error=False)
        except AWAY as error:
            _silent(error)
            return frozenset()
        failed = [answer for answer in answers if isinstance(answer, Exception)]
        if failed:
            _silent(failed[0])
        else:
            CACHE.works()
        return frozenset(
            result.id for result, answer in zip(results, answers, strict=True) if not isinstance(answer, Exception)
        )

    def get_result(self, document_id: str) -> Result | None:
        """Return the result that Redis holds; None when there is none or Redis is away (the ledger knows)."""
        try:
            held = self._client.hgetall(_name(document_id))
        except AWAY as error:
            _silent(error)
            return None
        fields = {_text(name): _text(value) for name, value in held.items()}
        version = fields.pop("version", "")
        fields.pop("id", None)
        return Result(document_id, int(version), fields) if version.isdigit() else None

    def wait(self, document_id: str, until: Callable[[Result], bool], *, seconds: float) -> Result | None:
        """Return the first result for which `until` holds, as soon as it is published; None after `seconds`.

        None as well when Redis is away. Nothing is missed: it subscribes first and reads then.
        """
        ends = time.monotonic() + seconds
        try:
            with self._client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
                channel.subscribe(_name(document_id))
                while True:
                    result = self.get_result(document_id)
                    if result is not None and until(result):
                        return result
                    left = ends - time.monotonic()
                    if left <= 0:
                        return None
                    channel.get_message(timeout=min(left, 1.0))
        except AWAY as error:
            _silent(error)
            return None

    def _values(self, result: Result) -> list[str | int]:
        """The script's arguments."""
        short = ["id", result.id] if result.streamed else []
        for name in STREAM_FIELDS:
            if name in result.fields and result.streamed:
                short += [name, result.fields[name]]
        full = ["id", result.id]
        for name, value in result.fields.items():
            if name not in ("id", "version"):
                full += [name, value]
        return [result.version, self._life, self._length, len(short), *short, *full]


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _name(document_id: str) -> str:
    return f"fmgo:result:{document_id}"


def _silent(error: BaseException) -> None:
    """Note why the server can't be used; told once an outage."""
    if not isinstance(error, SilentError):
        CACHE.failed(why_silent(error))
