"""A wire between FMgo and one of its servers, which a test may cut, close, or let fall silent.

Bytes go through a port of 127.0.0.1 to the server, which may listen on a socket of this machine. `cut` ends what is
open and lets nobody in, as when a server is stopped; `silence` takes connections and bytes and answers nothing, as a
server that hangs or a host that was replaced without a word.
"""

import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal, Self

PIECE: Final = 256 * 1024
LOOK_SECONDS: Final = 0.05

State = Literal["open", "cut", "silent"]


class Wire:
    """One port and the server behind it; a context manager."""

    def __init__(self, server: str | tuple[str, int]) -> None:
        """`server`: path of a socket, or host and port."""
        self._server: Final = server
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: Final = int(self._listening.getsockname()[1])
        self._state: State = "open"
        self._pairs: list[tuple[socket.socket, socket.socket | None]] = []
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._ended = False

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._drop()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        self._state = "cut"
        self._drop()

    def silence(self) -> None:
        """Answer nothing from now on; what is open stays open."""
        self._state = "silent"

    def mend(self) -> None:
        """Let bytes through again; what was silent meanwhile is ended, as by a server that knows nothing of it."""
        was, self._state = self._state, "open"
        if was == "silent":
            self._drop()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._state == "cut":
                _reset(client)
                continue
            self._start(self._carry, client)

    def _carry(self, client: socket.socket) -> None:
        server: socket.socket | None = None
        if self._state == "open":
            try:
                server = self._connect()
            except OSError:
                _reset(client)
                return
        with self._lock:
            self._pairs.append((client, server))
        with suppress(OSError, ValueError):
            self._forward(client, server)
        for end in (client, server):
            if end is not None:
                _reset(end)

    def _forward(self, client: socket.socket, server: socket.socket | None) -> None:
        with selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, server)
            if server is not None:
                both.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in both.select(LOOK_SECONDS):
                    data = key.fileobj.recv(PIECE)  # type: ignore[union-attr]
                    if not data:
                        return
                    if self._state == "open" and key.data is not None:
                        key.data.sendall(data)

    def _connect(self) -> socket.socket:
        if isinstance(self._server, tuple):
            return socket.create_connection(self._server)
        made = socket.socket(socket.AF_UNIX)
        made.connect(os.fspath(self._server))
        return made

    def _drop(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                if end is not None:
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)


def _reset(end: socket.socket) -> None:
    """Close without a goodbye."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    end.close()
