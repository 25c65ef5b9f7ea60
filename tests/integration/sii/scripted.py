"""A server on a real socket that does what a test tells it, for everything that a well-behaved HTTP server can't do."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from domain.answers import UploadAnswer
from tests.integration.sii.conftest import PERSON
from tests.unit.answers.wire import counters, receipt, respuesta, soap
from workers.sii import Deadline, Parcel, SiiClient

COMPANY = "76900101-8"
DATA = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<EnvioDTE>Ñuñoa\r\n</EnvioDTE>'.encode("iso-8859-1")
RECEIPT = receipt("0", "<TRACKID>0000000077</TRACKID>")
Script = Callable[["Connection", bytes], None]


class Connection:
    """One accepted connection, as a script sees it."""

    def __init__(self, opened: socket.socket, stop: threading.Event) -> None:
        self.socket = opened
        self.stop = stop
        self.open = True

    def close(self) -> None:
        self.open = False

    def answer(self, body: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        """A whole answer; the connection stays open."""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.socket.sendall(head.encode("ascii") + body)

    def trickle(self, text: bytes) -> None:
        """Send one byte after another, slowly, for as long as the other side listens."""
        while not self.stop.wait(0.02):
            for place in range(len(text)):
                if self.stop.wait(0.02):
                    return
                self.socket.sendall(text[place : place + 1])


class Server:
    """Listens on a port of its own; keeps every request's bytes and counts connections."""

    def __init__(self, script: Script, *, context: ssl.SSLContext | None = None, backlog: int = 64) -> None:
        self._script = script
        self._context = context
        self._stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self._threads: list[threading.Thread] = []
        self._opened: list[socket.socket] = []
        self.authority = f"localhost:{self._listening.getsockname()[1]}"
        self.host = f"{'https' if context else 'http'}://{self.authority}"
        self.requests: list[bytes] = []
        self.connections = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for opened in self._opened:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for opened in self._opened:
            opened.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                opened, _ = self._listening.accept()
            except OSError:
                return
            self._opened.append(opened)
            self.connections += 1
            self._start(self._serve, opened)

    def _serve(self, opened: socket.socket) -> None:
        try:
            if self._context is not None:
                opened = self._context.wrap_socket(opened, server_side=True)
                self._opened.append(opened)
            connection = Connection(opened, self._stop)
            while connection.open and (request := _read(opened)):
                self.requests.append(request)
                self._script(connection, request)
        except OSError:
            pass
        finally:
            opened.close()


def _read(opened: socket.socket) -> bytes:
    """One request: head, and as much body as Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = opened.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        piece = opened.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


def send(client: SiiClient, *, data: bytes = DATA, seconds: float = 30, channel: str = "soap") -> UploadAnswer:
    return client.upload(
        "rest" if channel == "rest" else "soap",
        "XAuSbYXiNh9Ik",
        Parcel(PERSON, COMPANY, "fmgo-1.xml", data),
        Deadline(seconds, time.monotonic()),
    )


def status(body: str = "") -> bytes:
    return soap(respuesta("<ESTADO>EPR</ESTADO>", body or counters(33, 1, 0, 0)))


def answering(body: bytes, *, status_line: str = "200 OK", headers: str = "") -> Server:
    def script(connection: Connection, _request: bytes) -> None:
        connection.answer(body, status=status_line, headers=headers)

    return Server(script)


def hang_up(connection: Connection, _request: bytes) -> None:
    connection.close()


def silence(connection: Connection, _request: bytes) -> None:
    connection.stop.wait(60)
