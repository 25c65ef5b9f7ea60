r"""A mailbox read by IMAP (RFC 3501), from a mark on: nothing in it is marked, moved or deleted.

The mailbox is opened read-only (EXAMINE) and messages are fetched by BODY.PEEK, so that not even `\Seen` is set. What
was read is known by the UID of the last message, kept outside; a mailbox whose UIDVALIDITY changed is read anew from
some weeks back. TLS is always verified; without TLS only a server on this machine is spoken to.
"""

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from workers.mail.errors import MailSourceError
from workers.mail.secrets import LOOPBACK

LOOK_BACK: Final = timedelta(days=30)
"""A mailbox that is read for the first time is read from so long ago."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")
_TLS_PORT: Final = 993
_PORT: Final = 143


@dataclass(frozen=True, slots=True)
class Address:
    """``imaps://user@host:port/mailbox``; `user` and `mailbox` as they are, without %-signs."""

    host: str
    port: int
    user: str
    mailbox: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the mailbox; `data` None: it is larger than what is read."""

    uid: int
    data: bytes | None = field(repr=False)


def address_of(url: str) -> Address:
    """Read a source's address; raises ValueError with a sentence."""
    parts = urlsplit(url)
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise ValueError("a mailbox is written imaps://USER@HOST[:PORT][/MAILBOX], with %40 for an @ in USER")
    if parts.password is not None:
        raise ValueError("the address must not hold the password: give it by --password-file")
    tls = parts.scheme == "imaps"
    if not tls and parts.hostname not in LOOPBACK:
        raise ValueError("imap:// without TLS is only for a server on this machine: write imaps://")
    mailbox = unquote(parts.path.lstrip("/")) or "INBOX"
    if not mailbox.isascii() or any(sign in mailbox for sign in '"\\\r\n'):
        raise ValueError("a mailbox with other letters than ASCII's is written in IMAP's modified UTF-7")
    return Address(parts.hostname, parts.port or (_TLS_PORT if tls else _PORT), unquote(parts.username), mailbox, tls)


class Mailbox:
    """One connection to one mailbox, open read-only. Raises `MailSourceError` for whatever goes wrong.

    Known once logged in: `uid_validity`, and `last_uid`, below which every message has its UID (None: not told).
    """

    def __init__(self, address: Address, context: ssl.SSLContext, seconds: float) -> None:
        """Connect; nobody has logged in yet."""
        self._address = address
        self.uid_validity = 0
        self.last_uid: int | None = None
        try:
            if address.tls:
                self._imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                    address.host, address.port, ssl_context=context, timeout=seconds
                )
            else:
                self._imap = imaplib.IMAP4(address.host, address.port, timeout=seconds)
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailSourceError(f"{address.host} can't be reached: {_words(error)}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out, as far as that goes."""
        try:
            self._imap.logout()
        except (OSError, imaplib.IMAP4.error):
            with suppress(OSError):
                self._imap.shutdown()

    def log_in(self, *, password: str | None = None, access_token: str | None = None) -> None:
        """Log in by password or by XOAUTH2, and open the mailbox to be read only."""
        user = self._address.user
        try:
            if access_token is not None:
                self._authenticate("XOAUTH2", f"user={user}\x01auth=Bearer {access_token}\x01\x01")
            elif "AUTH=PLAIN" in self._imap.capabilities:
                self._authenticate("PLAIN", f"\0{user}\0{password}")
            else:
                self._imap.login(user, password or "")
        except imaplib.IMAP4.abort as error:
            raise MailSourceError(f"{self._address.host} broke off: {_words(error)}") from None
        except imaplib.IMAP4.error:
            # Its words may repeat what was sent.
            raise MailSourceError(f"{self._address.host} doesn't let {user} in: check the secret") from None
        except (OSError, UnicodeEncodeError) as error:
            raise MailSourceError(f"{self._address.host}: {type(error).__name__} while logging in") from None
        self._checked("EXAMINE", lambda: self._imap.select(f'"{self._address.mailbox}"', readonly=True))
        validity = self._imap.response("UIDVALIDITY")[1]
        if not validity or validity[0] is None:
            raise MailSourceError(f"{self._address.host} says no UIDVALIDITY of {self._address.mailbox}")
        self.uid_validity = int(validity[0])
        following = self._imap.response("UIDNEXT")[1]
        self.last_uid = int(following[0]) - 1 if following and following[0] is not None else None

    def _authenticate(self, mechanism: str, words: str) -> None:
        """One answer of ours; where the server wants more (the reason of a refusal), nothing more is said."""
        answers = iter((words.encode(),))
        self._imap.authenticate(mechanism, lambda _challenge: next(answers, b""))

    def after(self, uid: int | None, today: date) -> list[int]:
        """UIDs after one, ascending; None: those of the last weeks."""
        if uid is None:
            since = today - LOOK_BACK
            criteria = f"SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        else:
            criteria = f"UID {uid + 1}:*"
        found = self._uid("SEARCH", criteria)
        numbers = {int(number) for line in found if isinstance(line, bytes) for number in line.split()}
        # `n:*` names the last message even where its UID is lower.
        return sorted(number for number in numbers if uid is None or number > uid)

    def messages(self, uids: list[int], largest: int) -> Iterator[Message]:
        """Messages in the order of their UIDs; one that has gone meanwhile is left out."""
        for uid in uids:
            told = self._uid("FETCH", str(uid), "(RFC822.SIZE)")
            size = next((int(m[1]) for line in told if isinstance(line, bytes) and (m := _SIZE.search(line))), None)
            if size is None:
                continue
            if size > largest:
                yield Message(uid, None)
                continue
            fetched = self._uid("FETCH", str(uid), "(BODY.PEEK[])")
            data = next((part[1] for part in fetched if isinstance(part, tuple)), None)
            if data is not None:
                yield Message(uid, bytes(data))

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        return self._checked(command, lambda: self._imap.uid(command, *arguments))

    def _checked(self, name: str, work: Callable[[], tuple[str, list[Any]]]) -> list[Any]:
        """Do something, and return what the server answers to it."""
        try:
            status, found = work()
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            raise MailSourceError(f"{self._address.host}: {name}: {_words(error)}") from None
        if status != "OK":
            words = b" ".join(line for line in found if isinstance(line, bytes)).decode("ascii", "replace")
            raise MailSourceError(f"{self._address.host}: {name}: {words[:200]}")
        return found


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
