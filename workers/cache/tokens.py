"""Copies of the SII's tokens, so that each process needn't read (or make) one for itself.

A token identifies a person at one environment and channel; the row in `sii_sessions` counts its generations and is
the record. The copy is sealed and bound to its person, and a younger generation is never replaced by an older one.
Its life is at most 50 minutes since the last use: the SII lets a token die after an hour without use (API of boletas,
version 1.0.5). When Redis is away a copy is simply absent.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import structlog
from redis import Redis

from workers.cache.connection import AWAY
from workers.cache.silence import SilentError, why_silent
from workers.outages import CACHE

TOKEN_SECONDS: Final = 50 * 60

Channel = Literal["soap", "rest"]

_log = structlog.get_logger(__name__)

# KEYS: the copy. ARGV: generation, key id, sealed bytes, life in ms.
_PUT: Final = """
local held = redis.call('HGET', KEYS[1], 'generation')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'key_id', ARGV[2], 'data', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

# KEYS: the copy. ARGV: the generation that failed; a younger one stays.
_DROP: Final = """
local held = redis.call('HGET', KEYS[1], 'generation')
if held and tonumber(held) <= tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0
"""


class SealedValue(Protocol):
    """A sealed secret: which key, and the bytes."""

    @property
    def key_id(self) -> str:
        """Id of the vault key."""
        ...

    @property
    def data(self) -> bytes:
        """Sealed bytes."""
        ...


class Seals(Protocol):
    """What seals and opens, as the vault does; the cache stands beside the vault and doesn't import it."""

    def seal(self, plain: bytes, *, purpose: str) -> SealedValue:
        """Seal for a purpose."""
        ...

    def reopen(self, key_id: str, data: bytes, *, purpose: str) -> bytes | None:
        """Open what was sealed for that purpose; None when it doesn't open."""
        ...


@dataclass(frozen=True, slots=True)
class TokenCopy:
    """A token and the generation that the ledger gave it."""

    generation: int
    token: str = field(repr=False)


class TokenCopies:
    """Sealed copies of tokens by person, environment and channel."""

    def __init__(self, client: Redis, vault: Seals) -> None:
        """Take the client and what seals; nothing is sent yet."""
        self._client = client
        self._vault = vault
        self._put = client.register_script(_PUT)
        self._drop = client.register_script(_DROP)

    def get(self, person: str, environment: str, channel: Channel) -> TokenCopy | None:
        """Return the copy and prolong its life; None when there is none, it doesn't open, or Redis is away."""
        name = _name(person, environment, channel)
        try:
            pipe = self._client.pipeline(transaction=False)
            pipe.hmget(name, ("generation", "key_id", "data"))
            pipe.expire(name, TOKEN_SECONDS)
            generation, key_id, data = pipe.execute()[0]
        except AWAY as error:
            _silent(error)
            return None
        CACHE.works()
        if generation is None or key_id is None or data is None or not generation.isdigit():
            return None
        plain = self._vault.reopen(key_id.decode("ascii", "replace"), data, purpose=name)
        if plain is None:
            _log.warning("token copy doesn't open", person=person, channel=channel)
            return None
        return TokenCopy(int(generation), plain.decode("ascii"))

    def put(self, person: str, environment: str, channel: Channel, copy: TokenCopy) -> bool:
        """Keep a copy unless a younger generation is held; whether it is held now."""
        name = _name(person, environment, channel)
        sealed = self._vault.seal(copy.token.encode("ascii"), purpose=name)
        try:
            kept = self._put(keys=[name], args=[copy.generation, sealed.key_id, sealed.data, TOKEN_SECONDS * 1000])
        except AWAY as error:
            _silent(error)
            return False
        return bool(kept)

    def drop(self, person: str, environment: str, channel: Channel, generation: int) -> None:
        """Forget the copy that failed; one of a younger generation stays."""
        try:
            self._drop(keys=[_name(person, environment, channel)], args=[generation])
        except AWAY as error:
            _silent(error)


def _name(person: str, environment: str, channel: str) -> str:
    return f"fmgo:token:{person}:{environment}:{channel}"


def _silent(error: BaseException) -> None:
    """Note why the server can't be used; told once an outage."""
    if not isinstance(error, SilentError):
        CACHE.failed(why_silent(error))
