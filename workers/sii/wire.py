"""Sockets with an absolute deadline, and the knowledge of whether anything was sent.

httpx's timeouts are for each operation: a server that sends a byte every few seconds keeps a request open for hours,
and after an exception nobody can tell whether the first byte had left. Here every read and write gets only the time
that is left for the whole exchange, and the first byte of a request is noted. The exchange is bound to the thread by
a context variable, since a kept connection serves one exchange after another.

A name's resolution is the one step that the system doesn't let us cut short; it comes before the first byte, and the
first byte isn't sent when its own limit has passed meanwhile.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx


@dataclass(slots=True)
class Exchange:
    """One request and its answer: when it must be over, until when it may begin, and whether a byte of it has left."""

    ends: float
    first_byte_by: float
    sent: bool = False

    def left(self, timeout: float | None) -> float:
        """Seconds that an operation may take; 0 or less when the time is over."""
        remaining = self.ends - time.monotonic()
        return remaining if timeout is None else min(timeout, remaining)


_present: ContextVar[Exchange] = ContextVar("exchange")


@dataclass(frozen=True, slots=True)
class Deadline:
    """So many seconds from a monotonic reading: a process that was paused since then finds its time gone."""

    seconds: float
    begun: float


@contextmanager
def exchange(deadline: Deadline, *, first_byte_seconds: float) -> Iterator[Exchange]:
    """Bind this thread's sockets to a deadline for as long as the block runs."""
    current = Exchange(ends=deadline.begun + deadline.seconds, first_byte_by=deadline.begun + first_byte_seconds)
    token = _present.set(current)
    try:
        yield current
    finally:
        _present.reset(token)


class WireTransport(httpx.HTTPTransport):
    """httpx's transport over sockets with deadlines; HTTP/1.1, certificates verified, no proxies."""

    def __init__(self, context: ssl.SSLContext, *, connections: int | None, kept: int) -> None:
        """At most so many `connections` (None: no limit), of which so many are `kept` open between requests."""
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=kept,
            keepalive_expiry=30,
            network_backend=_Backend(),
        )


class _Backend(httpcore.SyncBackend):
    """Opens connections within the exchange's time."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, or raise httpcore.ConnectTimeout or ConnectError."""
        seconds = _present.get().left(timeout)
        if seconds <= 0:
            raise httpcore.ConnectTimeout("the time for this exchange was over before it began")
        return _Stream(super().connect_tcp(host, port, seconds, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation ends with the exchange."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._socket: socket.socket = inner.get_extra_info("socket")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, waiting no longer than the exchange lasts."""
        seconds = _present.get().left(timeout)
        if seconds <= 0:
            raise httpcore.ReadTimeout("no whole answer within the time for this exchange")
        return self._inner.read(max_bytes, seconds)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it; the first byte of an exchange leaves in time or not at all."""
        current = _present.get()
        if buffer and not current.sent:
            if time.monotonic() >= current.first_byte_by:
                raise httpcore.ConnectTimeout("connecting took so long that the request wasn't begun")
            current.sent = True
        view = memoryview(buffer)
        while view:
            seconds = current.left(timeout)
            if seconds <= 0:
                raise httpcore.WriteTimeout("the request wasn't taken within the time for this exchange")
            try:
                self._socket.settimeout(seconds)
                view = view[self._socket.send(view) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands within the exchange's time."""
        seconds = _present.get().left(timeout)
        if seconds <= 0:
            self.close()
            raise httpcore.ConnectTimeout("the time for this exchange was over before TLS began")
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of the socket."""
        return self._inner.get_extra_info(info)
