"""The HTTP side of every virtual host: bytes in, an answer out, as plainly as the services do it.

Each virtual host is a function from an exchange to an answer. The bodies are read raw (no form parsing by a framework),
because what is wrong with them is part of what must be noticed; and an answer may be lost, cut or late.
"""

import asyncio
import socket
import ssl
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

from deploy.sandbox.sii.doorway import Doorway
from deploy.sandbox.sii.exchange import Answer, Exchange, plain
from deploy.sandbox.sii.faults import Occasion
from deploy.sandbox.sii.ledger import Ledger
from deploy.sandbox.sii.world import World

Host = Callable[[Exchange], Awaitable[Answer]]

_MAX_BODY = 64 * 1024 * 1024
_RESET = struct.pack("ii", 1, 0)  # linger on, zero seconds: closing sends RST
_BLANKS = b" " * (1024 * 1024)
_QUEUE = 4  # connections that fill the queue of a port which takes none
_TRICKLE = 0.05  # seconds of real time between the pieces of an answer that trickles


class Front:
    """A virtual host: takes requests from its ports, has them answered, sends the answers. `entered`: in the ledger."""

    numbers = count(1)

    def __init__(self, world: World, name: str, host: Host | Doorway, *, entered: bool = True) -> None:
        self.world = world
        self.name = name
        self.host = host
        self._entered = entered
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def go_on_from(cls, ledger: Ledger) -> None:
        """Number requests after those of a ledger that was kept."""
        cls.numbers = count(max((int(entry["id"]) for entry in ledger.entries), default=0) + 1)

    def arrived(self, connection: HTTP1Connection, start: RequestStartLine, headers: HTTPHeaders, body: bytes) -> None:
        """A request has been read whole: answer it."""
        task = asyncio.get_running_loop().create_task(self._answer(connection, self.exchange(start, headers, body)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def exchange(self, start: RequestStartLine, headers: HTTPHeaders, body: bytes) -> Exchange:
        """The request as it is answered and entered."""
        path, _, query = start.path.partition("?")
        number = next(self.numbers)
        return Exchange(
            number=number,
            received_at=self.world.clock.now(),
            method=start.method,
            path=unquote(path),
            query=query,
            headers=headers,
            body=body,
            occasion=Occasion(self.name, unquote(path), number=number),
        )

    def enter(self, exchange: Exchange, answer: Answer) -> None:
        """Write an exchange down."""
        if self._entered:
            self.world.ledger.enter(exchange, answer, self.world.clock.now())

    async def _answer(self, connection: HTTP1Connection, exchange: Exchange) -> None:
        ledger = self.world.ledger
        if self._entered:
            ledger.in_flight += 1
            ledger.peak = max(ledger.peak, ledger.in_flight)
        try:
            answer = await self.host(exchange)
        except Exception:  # noqa: BLE001 - a bug here must be seen on both sides, not end the server
            self.world.registry.errors.append(traceback.format_exc())
            traceback.print_exc(file=sys.stderr)
            answer = plain(500, "Error 500")
        finally:
            if self._entered:
                ledger.in_flight -= 1
        self.enter(exchange, answer)
        if answer.held is not None:
            await answer.held.wait()
        if answer.delay:
            await asyncio.sleep(answer.delay)
        try:
            await self._send(connection, exchange.method, answer)
        except StreamClosedError:
            return

    async def _send(self, connection: HTTP1Connection, method: str, answer: Answer) -> None:
        if answer.lost:
            drop(connection)
            return
        length = len(answer.body) + answer.padding
        headers = HTTPHeaders({"Content-Type": answer.content_type, "Content-Length": str(length)})
        headers["Date"] = format_datetime(self.world.clock.now().astimezone(UTC), usegmt=True)
        headers["Server"] = "Apache"
        for name, value in answer.headers.items():
            headers[name] = value
        body = b"" if method == "HEAD" else answer.body
        first = ResponseStartLine("HTTP/1.1", answer.status, responses.get(answer.status, "Unknown"))
        if answer.cut_at is not None:
            await connection.write_headers(first, headers, body[: answer.cut_at])
            connection.detach().close()
            return
        if answer.trickle:
            await connection.write_headers(first, headers)
            step = max(1, int(answer.trickle * _TRICKLE))
            pause = max(_TRICKLE, 1 / answer.trickle)
            for place in range(0, len(body), step):
                await connection.write(body[place : place + step])
                await asyncio.sleep(pause)
        else:
            await connection.write_headers(first, headers, body)
        for place in range(0, answer.padding, len(_BLANKS)):
            await connection.write(_BLANKS[: answer.padding - place])
        connection.finish()


Choose = Callable[[HTTPHeaders], Front]


class Port(HTTPServerConnectionDelegate):
    """A listening port, for one host or for several told apart by the Host header. A fault may close it."""

    def __init__(self, choose: Choose, address: str, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        self._choose = choose
        self._address = address
        self._context = context
        self._blocked: list[socket.socket] = []
        self.number = self._listen(port)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self._context else 'http'}://{self._address}:{self.number}"

    def start_request(self, _server: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """A request begins."""
        if not isinstance(request_conn, HTTP1Connection):
            raise TypeError("the simulator speaks HTTP/1")
        return _Reception(self._choose, request_conn)

    def close(self, form: str) -> None:
        """Take no connection: ``refused`` at once, or ``timeout``: the queue of the port is full."""
        self._server.stop()
        if form != "timeout":
            return
        # A listener that nobody accepts from, with its queue filled by connections of our own.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._address, self.number))
        listener.listen(0)
        self._blocked = [listener]
        for _ in range(_QUEUE):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)  # noqa: FBT003 - the standard library's
            filler.connect_ex((self._address, self.number))
            self._blocked.append(filler)

    def open(self) -> None:
        """Take connections again."""
        for blocked in self._blocked:
            blocked.close()
        self._blocked.clear()
        self._listen(self.number)

    def _listen(self, port: int) -> int:
        sockets = bind_sockets(port, self._address)
        self._server = HTTPServer(self, max_body_size=_MAX_BODY, max_buffer_size=_MAX_BODY, ssl_options=self._context)
        self._server.add_sockets(sockets)
        return int(sockets[0].getsockname()[1])


class Lines:
    """The ports of one host, as one line that is closed and opened."""

    def __init__(self, ports: list[Port]) -> None:
        self._ports = ports

    def close(self, form: str) -> None:
        """Close every one."""
        for port in self._ports:
            port.close(form)

    def open(self) -> None:
        """Open every one."""
        for port in self._ports:
            port.open()


class _Reception(HTTPMessageDelegate):
    """Collects one request; it may be cut off in the middle of its body."""

    def __init__(self, choose: Choose, connection: HTTP1Connection) -> None:
        self._choose = choose
        self._connection = connection
        self._body = bytearray()
        self._cut_at: int | None = None
        self._looked = False

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        if isinstance(start_line, RequestStartLine):
            self._start, self._headers = start_line, headers
            self._front = self._choose(headers)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk
        host = self._front.host
        if not self._looked and isinstance(host, Doorway):
            self._looked = True
            self._look(host)
        if self._cut_at is not None and len(self._body) >= self._cut_at:
            _reset(self._connection)

    def finish(self) -> None:
        if self._cut_at is None:
            self._front.arrived(self._connection, self._start, self._headers, bytes(self._body))

    def _look(self, doorway: Doorway) -> None:
        """With the first part of the body here: decide whether this request is cut off."""
        exchange = self._front.exchange(self._start, self._headers, bytes(self._body))
        path = exchange.path
        seen = doorway.seen(exchange.method, path, exchange.cookie_token(), exchange.body)
        seen.number = exchange.number
        asked = doorway.cut_short(exchange, seen)
        if asked is None:
            return
        exchange.occasion = seen
        declared = int(self._headers.get("Content-Length", "0") or 0)
        self._cut_at = asked or declared // 2
        self._front.enter(exchange, Answer(0, b"", "", lost=True))


def drop(connection: HTTP1Connection) -> None:
    """Reset the connection: the client reads no byte of an answer."""
    stream = connection.detach()
    _linger(getattr(stream, "socket", None))
    stream.close()


def _reset(connection: HTTP1Connection) -> None:
    """Reset a connection whose request is still being read."""
    _linger(getattr(connection.stream, "socket", None))
    connection.stream.close()


def _linger(raw: object) -> None:
    if isinstance(raw, socket.socket):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
