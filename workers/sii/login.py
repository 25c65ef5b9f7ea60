"""From a certificate to a token: seed, signature, token.

A token stands for a person, serves every company where that person has permission, and belongs to one channel and
environment: one of DTEWS isn't valid for the boletas' API, nor the other way round. A seed lives two minutes and is
good once; whatever goes wrong begins with a new seed. Nothing here waits, caches or locks: who calls holds one login
at a time per person and channel.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from domain.answers import TokenAnswer, read_seed, read_token
from domain.signature import Signer, sign_get_token
from workers.sii import soap
from workers.sii.errors import SiiError, SiiLoginError
from workers.sii.messages import REST_USER_AGENT
from workers.sii.transport import Answer, Transport

Channel = Literal["soap", "rest"]

REST_SEED: Final = "/recursos/v1/boleta.electronica.semilla"
REST_TOKEN: Final = "/recursos/v1/boleta.electronica.token"  # noqa: S105 - a path

_ATTEMPTS: Final = 2
_REST_HEADERS: Final = (("User-Agent", REST_USER_AGENT), ("Accept", "application/xml"))


@dataclass(frozen=True, slots=True)
class Token:
    """A token, of one person and channel; it dies after an hour without use, or earlier."""

    value: str = field(repr=False)
    channel: Channel
    person: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Why no seed came, and the seconds that the SII asks to wait, if it does."""

    words: str
    retry_after: float | None = None


class Login:
    """Gets tokens of both channels. Safe from many threads."""

    def __init__(self, transport: Transport, services: soap.SoapServices, rest_host: str) -> None:
        """Take the ways to both channels' services."""
        self._transport = transport
        self._services = services
        self._rest_host = rest_host

    def login(self, channel: Channel, signer: Signer) -> Token:
        """Return a new token for the signer's person; raises `SiiLoginError`.

        One refusal that a new seed may mend is answered with one more attempt, at once.
        """
        refusal, retry_after = TokenAnswer(None, "", "no answer", "later"), None
        for _ in range(_ATTEMPTS):
            try:
                refusal, retry_after = self._attempt(channel, signer)
            except SiiError as error:
                raise SiiLoginError(f"the SII could not be asked for a token: {error}", retry="later") from error
            if refusal.token is not None:
                return Token(refusal.token, channel, signer.rut)
            if refusal.retry == "never" or retry_after is not None or not refusal.answered:
                break
        retry: Literal["later", "never"] = "never" if refusal.retry == "never" else "later"
        raise SiiLoginError(
            f"the SII gives {signer.rut} no token: {refusal.state} {refusal.gloss}".rstrip(),
            retry=retry,
            state=refusal.state,
            answered=refusal.answered,
            retry_after=retry_after,
        )

    def silence(self, channel: Channel) -> Silence | None:
        """None when a seed is given, else why none came. The seed is left to expire."""
        try:
            answer = self._seed(channel)
        except SiiError as error:
            return Silence(str(error))
        seed = read_seed(answer.http_status, answer.body)
        return None if seed.seed is not None else Silence(f"no seed: {seed.state} {seed.gloss}", answer.retry_after)

    def _attempt(self, channel: Channel, signer: Signer) -> tuple[TokenAnswer, float | None]:
        """One seed and one signed request; with the seconds that the SII asks to wait, if it does."""
        answer = self._seed(channel)
        seed = read_seed(answer.http_status, answer.body)
        if seed.seed is None:
            return TokenAnswer(None, seed.state, f"no seed: {seed.gloss}", "later", seed.answered), answer.retry_after
        answer = self._token(channel, sign_get_token(seed.seed, signer))
        return read_token(answer.http_status, answer.body), answer.retry_after

    def _seed(self, channel: Channel) -> Answer:
        if channel == "soap":
            return self._services.ask(soap.SEED, "getSeed", ())
        return self._transport.query("GET", self._rest_host + REST_SEED, _REST_HEADERS)

    def _token(self, channel: Channel, signed: bytes) -> Answer:
        if channel == "soap":
            return self._services.ask_once(soap.TOKEN, "getToken", (("pszXml", signed.decode("utf-8")),))
        headers = (*_REST_HEADERS, ("Content-Type", "application/xml"))
        return self._transport.once("POST", self._rest_host + REST_TOKEN, headers, signed)
