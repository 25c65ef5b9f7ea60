"""Being logged in at the SII: one shared token per person, environment and channel, one login at a time.

The session is a row with a generation; Redis holds a sealed copy for speed and may be away. Who meets a dead token
names the generation it used, so that one renewal serves everybody; who doesn't get the right to log in puts its work
back (`NoSessionError`) and takes other work. A token is renewed after 50 minutes without use, before the SII lets it
die. Failed logins and fresh tokens that are refused lead to growing pauses with a named alert, never to a loop.
"""

from dataclasses import dataclass, field
from typing import Final

import structlog

from domain.answers.table import alerts
from domain.signature import RsaSigner
from workers.cache.tokens import TokenCopies, TokenCopy
from workers.database import services
from workers.database.audit import audit
from workers.database.engine import Ledger
from workers.database.sealing import Channel
from workers.database.services import FailedLogin
from workers.exchanges import about_person
from workers.pace import NotNowError, admitted, service_of
from workers.sii.client import SiiClient, SiiLoginError
from workers.vault.sealing import Sealed, Vault

log: Final = structlog.get_logger(__name__)

LOGIN_LEASE_SECONDS: Final = 90
AWAY_SECONDS: Final = 30


class NoSessionError(Exception):
    """There is no token to be had now: somebody else is logging in, or the SII refuses. Put the work back."""

    code: Final = "SII-NO-SESSION"
    retry_helps: Final = True

    def __init__(self, reason: str, after_seconds: float, service: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
        self.service = service
        """The login's service when it is its silence that counts."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the generation of its session; `doubted`: one was refused since the SII last took one."""

    value: str = field(repr=False)
    generation: int
    doubted: bool = False


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
            if session is not None and session.usable and session.touch:
                services.note_use(tx, person, environment, channel, session.generation)
        if session is None:
            return self._log_in(person, environment, channel, signer, doubted=False)
        if session.wait_seconds > 0:
            raise NoSessionError(session.problem or "the SII is not to be asked yet", session.wait_seconds)
        if not session.usable or session.token_sealed is None or session.key_id is None:
            return self._log_in(person, environment, channel, signer, doubted=session.doubted)
        copy = self.copies.get(person, environment, channel)
        if copy is not None and copy.generation == session.generation:
            return Token(copy.token, copy.generation, session.doubted)
        sealed = Sealed(session.key_id, session.token_sealed)
        opened = self.vault.open(sealed, purpose=_purpose(person, environment, channel))
        token = Token(opened.decode("ascii"), session.generation, session.doubted)
        self.copies.put(person, environment, channel, TokenCopy(token.generation, token.value))
        return token

    def refuse(self, person: str, environment: str, channel: Channel, token: Token) -> None:
        """Say that the SII refused this token; a newer generation isn't touched."""
        with self.ledger.transaction() as tx:
            first = services.refuse_session(tx, person, environment, channel, token.generation, alerts.TOKEN_NOT_TAKEN)
        self.copies.drop(person, environment, channel, token.generation)
        if first:
            log.warning("sii.token_refused", person=person, channel=channel, fresh=token.doubted)

    def taken(self, person: str, environment: str, channel: Channel, token: Token) -> None:
        """Say that the SII took this token; costs nothing unless one was refused before."""
        if token.doubted:
            with self.ledger.transaction() as tx:
                services.session_taken(tx, person, environment, channel, token.generation)

    def _log_in(self, person: str, environment: str, channel: Channel, signer: RsaSigner, *, doubted: bool) -> Token:
        with self.ledger.transaction() as tx:
            mine = services.take_login(tx, person, environment, channel, self.worker, LOGIN_LEASE_SECONDS)
        if not mine:
            raise NoSessionError("another process is logging in", after_seconds=1)
        try:
            with about_person(person):
                value = self._ask_for_token(channel, signer)
        except NotNowError:  # the login's service is closed, and so is its channel
            self._free(person, environment, channel)
            raise
        except SiiLoginError as error:
            if not error.answered:  # the person's login isn't in question, and the service's own pauses hold
                self._free(person, environment, channel)
                raise NoSessionError(str(error), AWAY_SECONDS, service_of(channel, "login")) from error
            never = not error.retry_helps
            alert = alerts.LOGIN_REFUSED if never else alerts.LOGIN_UNAVAILABLE
            failed = FailedLogin(str(error), alert, never, error.retry_after)
            raise NoSessionError(str(error), self._failed(person, environment, channel, failed)) from error
        except BaseException as error:
            failed = FailedLogin(type(error).__name__, alerts.LOGIN_UNAVAILABLE, person_must_act=False)
            self._failed(person, environment, channel, failed)
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
        return Token(value, generation, doubted)

    def _free(self, person: str, environment: str, channel: Channel) -> None:
        with self.ledger.transaction() as tx:
            services.free_login(tx, person, environment, channel, self.worker)

    def _failed(self, person: str, environment: str, channel: Channel, failed: FailedLogin) -> float:
        """Give the right to log in back after a failure; seconds until the next try."""
        log.warning("sii.login_failed", person=person, channel=channel, reason=failed.problem, alert=failed.alert)
        with self.ledger.transaction() as tx:
            pause = services.give_login_back(tx, person, environment, channel, self.worker, failed)
        return 1.0 if pause is None else pause

    def _ask_for_token(self, channel: Channel, signer: RsaSigner) -> str:
        with admitted(channel, "login", self.worker, lane="interactive") as admission:
            try:
                value = self.sii.login(channel, signer).value
            except SiiLoginError as error:
                admission.learn(answered=error.answered, words=str(error), retry_after=error.retry_after)
                raise
            admission.learn(answered=True, words="")
            return value


def _purpose(person: str, environment: str, channel: str) -> str:
    return f"token:{environment}:{channel}:{person}"
