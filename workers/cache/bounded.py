r"""Reading from Redis without ever holding more than was agreed: an answer says how long it is before it comes.

A list's item may be of any size (a job of 60 MB ends a process of 512 MB for good), and Redis has no command that asks
for the size of an item. But each bulk answer of the protocol begins with its length, so what is too long is passed over
in small pieces and only its length, digest and beginning are kept; the command itself (a move from list to list) is
done by then. No script on the server is needed.

Source: the Redis protocol (RESP2), bulk strings: `$<length>\r\n<data>\r\n`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis
from redis._parsers import _RESP2Parser
from redis._parsers.socket import SocketBuffer
from redis.utils import SENTINEL

from workers.cache.connection import connect

BEGINNING: Final = 64 * 1024
"""Bytes that are kept of an item that isn't read."""
_PIECE: Final = 64 * 1024
_COMPACT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unread:
    """An item that was passed over: its size in bytes, the SHA-256 of all of it in hex, and how it begins.

    `digest` is empty where the item alone would have been short enough, but not beside those that came before it.
    """

    size: int
    digest: str = ""
    beginning: bytes = b""


class Budget:
    """How many bytes an item may have, and all items of one trip together."""

    def __init__(self, each: int, together: int) -> None:
        self.each: Final = each
        self._together: Final = max(each, together)
        self._left = self._together

    def begin(self) -> None:
        """Count anew: the items of earlier trips are let go."""
        self._left = self._together

    def takes(self, size: int) -> bool:
        """Whether an item of so many bytes may be read; it is counted then."""
        if size > self.each or size > self._left:
            return False
        self._left -= size
        return True


class _Skimming(SocketBuffer):
    """redis-py's buffer, which can pass over what isn't to be held."""

    def skim(self, size: int, digest: Any, keep: int) -> bytes:
        """Read so many bytes into the digest; returns the first `keep` of them."""
        kept, left = b"", size
        while left:
            piece = self._buffer.read(min(left, _PIECE))
            if not piece:
                self._buffer.seek(0)
                self._buffer.truncate()
                self._read_from_socket()
                continue
            if digest is not None:
                digest.update(piece)
            kept += piece[: keep - len(kept)]
            left -= len(piece)
        self.read(0)  # the end of the line
        return kept

    def purge(self) -> None:
        """Let go of what was read; redis-py's own does so only once nothing is left to read."""
        if self._buffer.tell() < _COMPACT:
            super().purge()
            return
        rest = self._buffer.read()
        self._buffer.seek(0)
        self._buffer.write(rest)
        self._buffer.truncate()
        self._buffer.seek(0)


def _parser_within(budget: Budget) -> type[_RESP2Parser]:
    class Within(_RESP2Parser):
        """redis-py's parser, for which an item beyond the budget is an `Unread`."""

        def on_connect(self, connection: Any) -> None:
            super().on_connect(connection)  # type: ignore[no-untyped-call]  # redis-py's own
            self._buffer = _Skimming(connection._sock, self.socket_read_size, connection.socket_timeout)  # noqa: SLF001

        def _read_response(self, disable_decoding: Any = False, timeout: float | object = SENTINEL) -> Any:  # noqa: FBT002
            buffer: Any = self._buffer
            start = buffer.get_pos()
            line = buffer.readline(timeout=timeout)
            if line[:1] == b"$" and line != b"$-1" and not budget.takes(size := int(line[1:])):
                digest = hashlib.sha256() if size > budget.each else None
                beginning = buffer.skim(size, digest, BEGINNING if digest else 0)
                return Unread(size, digest.hexdigest() if digest else "", beginning)
            buffer.rewind(start)
            return super()._read_response(disable_decoding=disable_decoding, timeout=timeout)

    return Within


def connect_within(url: str, budget: Budget, *, answer_seconds: float) -> Redis:
    """Make a client whose answers hold no item beyond the budget. Raises as `connect`."""
    parser: Callable[..., Any] = _parser_within(budget)
    return connect(url, answer_seconds=answer_seconds, parser_class=parser)
