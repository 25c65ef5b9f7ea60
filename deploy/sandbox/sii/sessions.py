"""Seeds and tokens: who is logged in, in which of the two stores.

A seed lives 120 s and is used once. A token names a person, lives 3,600 s since its last use, and is known only to its
channel: ``soap`` (invoices) or ``rest`` (boletas).
"""

import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from deploy.sandbox.sii.clock import Clock
from deploy.sandbox.sii.switches import Switches

_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 13


@dataclass(slots=True)
class Seed:
    """A seed given out."""

    created: datetime
    used: bool = False


@dataclass(slots=True)
class Token:
    """A token given out."""

    value: str
    person: str
    channel: str
    created: datetime
    last_used: datetime
    dead: bool = False


class Sessions:
    """The two stores of seeds and tokens."""

    def __init__(self, clock: Clock, switches: Callable[[], Switches], random: Random) -> None:
        self._clock = clock
        self._in_force = switches
        self._random = random
        self._counter = random.randrange(10**6, 10**9)
        self._seeds: dict[tuple[str, int], Seed] = {}
        self._tokens: dict[str, Token] = {}

    @property
    def _switches(self) -> Switches:
        return self._in_force()

    def new_seed(self, channel: str) -> str:
        """A new seed: twelve digits."""
        self._counter += self._random.randrange(1, 1000)
        self._seeds[channel, self._counter] = Seed(self._clock.now())
        return f"{self._counter:012}"

    def seed_fault(self, channel: str, seed: str) -> str | None:
        """The GLOSA that a seed deserves, None when it is good; leading zeros don't count."""
        known = self._seeds.get((channel, int(seed))) if seed.isascii() and seed.isdigit() else None
        if known is None or known.used:
            return "NO Existe SEED"
        if self._clock.now() - known.created > timedelta(seconds=self._switches.seed_ttl):
            return "TIME-OUT DEL SEED"
        return None

    def open(self, channel: str, seed: str, person: str) -> str:
        """Use up the seed and give the person a token."""
        self._seeds[channel, int(seed)].used = True
        value = "".join(self._random.choices(_ALPHABET, k=_TOKEN_LENGTH))
        now = self._clock.now()
        limit = self._switches.max_tokens_per_person
        living = [t for t in self._tokens.values() if (t.person, t.channel, t.dead) == (person, channel, False)]
        for oldest in living[: max(0, len(living) - limit + 1)] if limit else ():
            oldest.dead = True
        self._tokens[value] = Token(value, person, channel, now, now)
        return value

    def find(self, channel: str, value: str) -> Token | str:
        """The living token, used by this call; otherwise why not: ``unknown`` or ``expired``."""
        token = self._tokens.get(value)
        if token is None or token.channel != channel:
            return "unknown"
        now = self._clock.now()
        since = token.last_used if self._switches.token_sliding else token.created
        if token.dead or now - since > timedelta(seconds=self._switches.token_ttl):
            token.dead = True
            return "expired"
        token.last_used = now
        return token

    def expire(self, value: str) -> None:
        """Let one token die."""
        if value in self._tokens:
            self._tokens[value].dead = True

    def expire_all(self, person: str | None = None, channel: str | None = None) -> int:
        """Let all living tokens die, or those of a person or channel; answers how many."""
        chosen = [
            t
            for t in self._tokens.values()
            if not t.dead and person in {None, t.person} and channel in {None, t.channel}
        ]
        for token in chosen:
            token.dead = True
        return len(chosen)

    def tokens(self) -> list[Token]:
        """Every token given out, the oldest first."""
        return list(self._tokens.values())
