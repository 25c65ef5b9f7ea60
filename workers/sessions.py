"""Being logged in at the SII: one shared token per person, environment and channel, one login at a time.

The session is a row with a generation; Redis holds a sealed copy for speed and may be away. Who meets a dead token
names the generation it used, so that one renewal serves everybody; who doesn't get the right to log in puts its work
back (`NoSessionError`) and takes other work.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from domain.signature import RsaSigner
from workers.cache.tokens import TokenCopies, TokenCopy
from workers.database import services
from workers.database.audit import audit
from workers.database.engine import Ledger
from workers.database.sealing import Channel
from workers.pace import admitted
from workers.sii.client import SiiClient, SiiLoginError
from workers.vault.sealing import Sealed, Vault

log: Final = structlog.get_logger(__name__)

LOGIN_LEASE_SECONDS: Final = 90


class NoSessionError(Exception):
    """There is no token to be had now: somebody else is logging in, or the SII refuses. Put the work back."""

    code: Final = "SII-NO-SESSION"
    retry_helps: Final = True

    def __init__(self, reason: str, after_seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the generation of the session that it belongs to."""

    value: str
    generation: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Tokens for one process; the parts are its own tools."""

    ledger: Ledger
    vault: Vault
    copies: TokenCopies
    sii: SiiClient
    worker: int

    def token(self, person: str, environment: str, channel: Channel, signer: RsaSigner) -> Token:
        """Return a token that nobody has refused, logging in if there is none; raises NoSessionError."""
        with self.ledger.transaction() as tx:
            session = services.session(tx, person, environment, channel)
        if session is not None and session.token_sealed is not None and session.key_id is not None:
            copy = self.copies.get(person, environment, channel)
            if copy is not None and copy.generation == session.generation:
                return Token(copy.token, copy.generation)
            opened = self.vault.open(
                Sealed(session.key_id, session.token_sealed), purpose=_purpose(person, environment, channel)
            )
            token = Token(opened.decode("ascii"), session.generation)
            self.copies.put(person, environment, channel, TokenCopy(token.generation, token.value))
            return token
        return self._log_in(person, environment, channel, signer)

    def refuse(self, person: str, environment: str, channel: Channel, token: Token) -> None:
        """Say that the SII refused this token; a newer generation isn't touched."""
        with self.ledger.transaction() as tx:
            services.refuse_session(tx, person, environment, channel, token.generation)
        self.copies.drop(person, environment, channel, token.generation)

    def _log_in(self, person: str, environment: str, channel: Channel, signer: RsaSigner) -> Token:
        with self.ledger.transaction() as tx:
            mine = services.take_login(tx, person, environment, channel, self.worker, LOGIN_LEASE_SECONDS)
        if not mine:
            raise NoSessionError("another process is logging in", after_seconds=1)
        try:
            value = self._ask_for_token(channel, signer)
        except SiiLoginError as error:
            log.warning("sii.login_failed", person=person, channel=channel, reason=str(error))
            with self.ledger.transaction() as tx:
                services.give_login_back(tx, person, environment, channel, self.worker, str(error))
            raise NoSessionError(str(error), after_seconds=30 if error.retry_helps else 300) from error
        except BaseException as error:
            with self.ledger.transaction() as tx:
                services.give_login_back(tx, person, environment, channel, self.worker, type(error).__name__)
            raise
        sealed = self.vault.seal(value.encode("ascii"), purpose=_purpose(person, environment, channel))
        with self.ledger.transaction() as tx:
            generation = services.keep_session(
                tx, person, environment, channel, self.worker, sealed.data, sealed.key_id
            )
            audit(tx, f"worker:{self.worker}", "sii.login", person, {"channel": channel, "environment": environment})
        if generation is None:
            raise NoSessionError("the right to log in was lost", after_seconds=1)
        self.copies.put(person, environment, channel, TokenCopy(generation, value))
        return Token(value, generation)

    def _ask_for_token(self, channel: Channel, signer: RsaSigner) -> str:
        with admitted(channel, "login", self.worker, lane="interactive") as admission:
            try:
                value = self.sii.login(channel, signer).value
            except SiiLoginError as error:
                admission.learn(answered=bool(error.state), words=str(error), retry_after=error.retry_after)
                raise
            admission.learn(answered=True, words="")
            return value


def _purpose(person: str, environment: str, channel: str) -> str:
    return f"token:{environment}:{channel}:{person}"
