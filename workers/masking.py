"""What never appears in a log: passwords, tokens, cookies, private keys, and URLs that carry a password.

Every value of every event passes through here after tracebacks have become text, so that a secret inside an
exception's message is caught as well. Masking too much is accepted, masking too little is not. Promises: the same
event with each secret replaced by ``***``, nothing else but primitive values in it, no control characters (a terminal
would obey them), never an exception.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

MASK: Final = "***"
_DEEPEST: Final = 8
_LONGEST: Final = 20_000
_SHORTEST_SECRET: Final = 6

# Names whose value is a secret whatever it looks like. `key_id` and `idempotency_key` are not.
_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|secrets|token|tokens|cookie|cookies|authorization|"
    r"private_key(?:_der|_pem)?|vault_keys?|rsask|pem|pfx|api_key)$"
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_CAF_KEY: Final = re.compile(r"(<|&lt;)RSASK(>|&gt;).*?(?:(?:<|&lt;)/RSASK(?:>|&gt;)|\Z)", re.DOTALL)
_TOKEN_ELEMENT: Final = re.compile(
    r"((?:<|&lt;)(?:\w+:)?token\b(?:(?!>|&gt;).){0,200}(?:>|&gt;))[^<&]*", re.IGNORECASE | re.DOTALL
)
_URL_PASSWORD: Final = re.compile(r"([a-z][a-z0-9+.-]{0,20}://)([^\s/@:\"'<>]*):[^\s\"'<>]{0,500}@", re.IGNORECASE)
_URL_USER_ONLY: Final = re.compile(r"((?:redis|rediss|amqp|sentinel)(?:\+\w+)?://)[^\s/@:\"'<>]+@", re.IGNORECASE)
_BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}")
_ASSIGNED: Final = re.compile(
    r"(\b(?:\w*_)?(?:password|passwd|passphrase|sslpassword|pwd|secret|token|api_key|vault_keys?|pfx)\b[\"']?\s*[=:]\s*)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s\"',;&<>{}()\[\]]+)",
    re.IGNORECASE,
)
# What PostgreSQL quotes of rows, and SQLAlchemy of parameters, where an error of theirs came another way than ours.
_ROWS: Final = re.compile(
    r"^(\s*(?:DETAIL|CONTEXT): ).*?(?=\n\s*(?:HINT|CONTEXT|LINE \d+|QUERY|STATEMENT|WHERE):|\n\[SQL|\n\(Background|\Z)",
    re.DOTALL | re.MULTILINE,
)
_PARAMETERS: Final = re.compile(r"^\[parameters: .*?\]$", re.DOTALL | re.MULTILINE)
_CONTROL: Final = dict.fromkeys([*range(9), *range(11, 32), 0x7F, *range(0x80, 0xA0)], "�")


class Masker:
    """Masks secrets by their names, by their shapes, and those that it was told word by word."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """Take secrets known beforehand (a password of the settings); ones under 6 characters would mask all text."""
        longest_first = sorted({word for word in known if len(word) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return the text with every secret in it masked, cut at 20,000 characters."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if len(text) > _LONGEST:
            text = text[:_LONGEST] + "… (cut)"
        if "PRIVATE KEY" in text:
            text = _PRIVATE_KEY.sub(f"[private key {MASK}]", text)
        if "RSASK" in text:
            text = _CAF_KEY.sub(rf"\1RSASK\2{MASK}", text)
        text = _TOKEN_ELEMENT.sub(rf"\1{MASK}", text)
        if "://" in text:
            text = _URL_PASSWORD.sub(rf"\1\2:{MASK}@", text)
            text = _URL_USER_ONLY.sub(rf"\1{MASK}@", text)
        if "DETAIL:" in text or "CONTEXT:" in text:
            text = _ROWS.sub(rf"\1{MASK}", text)
        if "[parameters:" in text:
            text = _PARAMETERS.sub(f"[parameters: {MASK}]", text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        text = _ASSIGNED.sub(rf"\1{MASK}", text)
        return text.translate(_CONTROL)

    def event(self, event: Mapping[str, object]) -> dict[str, object]:
        """Return the whole event masked."""
        return {str(name): self._named(str(name), value, 0) for name, value in event.items()}

    def _named(self, name: str, value: object, depth: int) -> object:
        if value is not None and _SECRET_NAME.search(name.lower().replace("-", "_")):
            return MASK
        return self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, bytes | bytearray):
            value = bytes(value[:_LONGEST]).decode("latin-1")
        if isinstance(value, str) or depth >= _DEEPEST:
            return self.text(value) if isinstance(value, str) else "… (deeper)"
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._named(str(name), item, depth + 1) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(item, depth + 1) for item in value]
        return self.text(_shown(value))


def passwords_of(urls: Iterable[str | None]) -> tuple[str, ...]:
    """Return the passwords that URLs carry, as written and decoded."""
    found: list[str] = []
    for url in urls:
        if url is None:
            continue
        try:
            password = urlsplit(url).password
        except ValueError:  # not a URL; its text is still masked by shape
            password = None
        if password:
            found += [password, unquote(password)]
    return tuple(found)


def _shown(value: object) -> str:
    """Text of any object; one that can't show itself is shown by its type."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an object's own __str__ may raise anything, a log must not
        return f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"
