"""What opens a mailbox: a password, or what XOAUTH2 needs; sealed under the vault, bound to the company.

For XOAUTH2 it is a JSON object: ``token_url``, ``client_id``, ``refresh_token`` and, where the service wants them,
``client_secret`` and ``scope``; each look gets an access token for it (RFC 6749, 6). A service may answer with a new
refresh token: that one is kept.
"""

import json
import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from workers.mail.errors import MailSourceError
from workers.vault.sealing import Sealed, Vault

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NEEDED: Final = ("token_url", "client_id", "refresh_token")
_KNOWN: Final = frozenset({*_NEEDED, "client_secret", "scope"})
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """An access token, and the secret as it has to be kept from now on (None: as it was)."""

    token: str = field(repr=False)
    renewed: bytes | None = field(repr=False)


def purpose(issuer: str, environment: str) -> str:
    """What the secret of a company's source is sealed for."""
    return f"mail-source:{environment}:{issuer}"


def seal(vault: Vault, secret: bytes, issuer: str, environment: str) -> Sealed:
    """Seal a source's secret."""
    return vault.seal(secret, purpose=purpose(issuer, environment))


def check_oauth(secret: bytes) -> dict[str, str]:
    """The members of an XOAUTH2 secret; raises ValueError with a sentence that shows none of them."""
    try:
        members: Any = json.loads(secret)
    except ValueError:
        members = None
    if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
        raise ValueError("the secret for XOAUTH2 must be a JSON object of texts")
    missing = [name for name in _NEEDED if not members.get(name)]
    if missing or set(members) - _KNOWN:
        raise ValueError(f"the secret for XOAUTH2 has {', '.join(_NEEDED)}, and may have client_secret and scope")
    url = urlsplit(members["token_url"])
    if url.scheme != "https" and url.hostname not in LOOPBACK:
        raise ValueError("token_url must be https")
    return members


def access(secret: bytes, context: ssl.SSLContext, seconds: float) -> Access:
    """Get an access token; raises `MailSourceError`."""
    try:
        members = check_oauth(secret)
    except ValueError as error:
        raise MailSourceError(str(error)) from None
    form = {name: value for name, value in members.items() if name != "token_url"} | {"grant_type": "refresh_token"}
    try:
        answer = httpx.post(members["token_url"], data=form, timeout=seconds, verify=context, trust_env=False)
        told: Any = answer.json() if answer.status_code == _OK else {}
    except (httpx.HTTPError, ValueError) as error:
        raise MailSourceError(f"no access token from {urlsplit(members['token_url']).hostname}: {error}") from None
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not token:
        host = urlsplit(members["token_url"]).hostname
        raise MailSourceError(f"{host} gives no access token (HTTP {answer.status_code}): authorise FMgo there anew")
    fresh = told.get("refresh_token")
    if isinstance(fresh, str) and fresh and fresh != members["refresh_token"]:
        return Access(token, json.dumps(members | {"refresh_token": fresh}).encode())
    return Access(token, None)
