"""The HTTP side of every virtual host: bytes in, an answer out, as plainly as the services do it.

Each virtual host is a function from an exchange to an answer. The bodies are read raw (no form parsing by a framework),
because what is wrong with them is part of what must be noticed; and an answer may be lost, cut or late.
"""

import asyncio
import socket
import struct
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from http.client import responses
from itertools import count
from urllib.parse import unquote

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets

from deploy.sandbox.sii.exchange import Answer, Exchange, plain
from deploy.sandbox.sii.faults import Occasion
from deploy.sandbox.sii.world import World

Host = Callable[[Exchange], Awaitable[Answer]]

_MAX_BODY = 64 * 1024 * 1024
_RESET = struct.pack("ii", 1, 0)  # linger on, zero seconds: closing sends RST


class Front(HTTPServerConnectionDelegate):
    """A virtual host on a port of its own."""

    numbers = count(1)

    def __init__(self, world: World, name: str, host: Host, *, entered: bool = True) -> None:
        self._world = world
        self._name = name
        self._host = host
        self._entered = entered
        self._in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, address: str, port: int = 0) -> int:
        """Serve on a port of that address (0: one that is free); answers the port."""
        sockets = bind_sockets(port, address)
        server = HTTPServer(self, max_body_size=_MAX_BODY, max_buffer_size=_MAX_BODY)
        server.add_sockets(sockets)
        return int(sockets[0].getsockname()[1])

    def start_request(self, _server: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """A request begins."""
        return _Reception(self, request_conn)

    def arrived(self, connection: HTTPConnection, start: RequestStartLine, headers: HTTPHeaders, body: bytes) -> None:
        """A request has been read whole: answer it."""
        task = asyncio.get_running_loop().create_task(self._answer(connection, start, headers, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, connection: HTTPConnection, start: RequestStartLine, headers: HTTPHeaders, body: bytes
    ) -> None:
        path, _, query = start.path.partition("?")
        exchange = Exchange(
            number=next(self.numbers),
            received_at=self._world.clock.now(),
            method=start.method,
            path=unquote(path),
            query=query,
            headers=headers,
            body=body,
            occasion=Occasion(self._name, unquote(path)),
        )
        self._in_flight += 1
        self._world.ledger.peak = max(self._world.ledger.peak, self._in_flight)
        try:
            answer = await self._host(exchange)
        except Exception:  # noqa: BLE001 - a bug here must be seen on both sides, not end the server
            traceback.print_exc(file=sys.stderr)
            answer = plain(500, "Error 500")
        finally:
            self._in_flight -= 1
        if self._entered:
            self._world.ledger.enter(exchange, answer)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        try:
            await self._send(connection, start, answer)
        except StreamClosedError:
            return

    async def _send(self, connection: HTTPConnection, start: RequestStartLine, answer: Answer) -> None:
        if not isinstance(connection, HTTP1Connection):
            raise TypeError("the simulator speaks HTTP/1")
        if answer.lost:
            _drop(connection)
            return
        headers = HTTPHeaders({"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))})
        headers["Date"] = format_datetime(self._world.clock.now().astimezone(UTC), usegmt=True)
        headers["Server"] = "Apache"
        for name, value in answer.headers.items():
            headers[name] = value
        body = b"" if start.method == "HEAD" else answer.body
        first = ResponseStartLine("HTTP/1.1", answer.status, responses.get(answer.status, "Unknown"))
        if answer.cut_at is None:
            await connection.write_headers(first, headers, body)
            connection.finish()
            return
        await connection.write_headers(first, headers, body[: answer.cut_at])
        connection.detach().close()


class _Reception(HTTPMessageDelegate):
    """Collects one request."""

    def __init__(self, front: Front, connection: HTTPConnection) -> None:
        self._front = front
        self._connection = connection
        self._chunks: list[bytes] = []

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        self._start, self._headers = start_line, headers

    def data_received(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def finish(self) -> None:
        if isinstance(self._start, RequestStartLine):
            self._front.arrived(self._connection, self._start, self._headers, b"".join(self._chunks))


def _drop(connection: HTTP1Connection) -> None:
    """Reset the connection: the client reads no byte of an answer."""
    stream = connection.detach()
    raw = getattr(stream, "socket", None)
    if isinstance(raw, socket.socket):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    stream.close()
