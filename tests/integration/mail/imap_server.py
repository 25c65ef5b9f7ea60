"""A mail server that speaks as much IMAP (RFC 3501, 7628) as reading a mailbox takes, and tells what was asked of it.

It has one mailbox. Commands that would change something, and fetches that would mark a message as seen, are noted as
`trespasses`: a test asserts that there are none.
"""

import base64
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "dte@empresa.example", "clavé secreta"
_CHANGING = {"STORE", "COPY", "MOVE", "EXPUNGE", "APPEND", "DELETE", "CREATE", "RENAME", "SELECT", "CLOSE"}


@dataclass
class Mailbox:
    """What the server holds: messages by UID, of which some are `old`.

    `token`: what XOAUTH2 takes, None: only passwords are taken.
    """

    messages: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    token: str | None = None
    asked: list[str] = field(default_factory=list)
    trespasses: list[str] = field(default_factory=list)
    break_at: str | None = None
    old: set[int] = field(default_factory=set)
    port: int = 0

    def put(self, data: bytes) -> int:
        """Add a message; returns its UID."""
        uid = max(self.messages, default=0) + 1
        self.messages[uid] = data
        return uid


class _Session(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode("utf-8").strip().partition(" ")
            command, _, arguments = rest.partition(" ")
            box = self.server.box
            box.asked.append(rest if command.upper() not in ("LOGIN", "AUTHENTICATE") else command)
            if box.break_at is not None and rest.startswith(box.break_at):
                box.break_at = None
                return
            if self.answer(tag, command.upper(), arguments):
                return

    def answer(self, tag: str, command: str, arguments: str) -> bool:
        """Answer a command; True when the session is over."""
        box = self.server.box
        if command in _CHANGING:
            box.trespasses.append(command)
        if command == "CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2")
        elif command == "AUTHENTICATE":
            if not self.authenticate(arguments):
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] no".encode())
                return False
        elif command == "EXAMINE":
            self.say(f"* {len(box.messages)} EXISTS".encode())
            self.say(f"* OK [UIDVALIDITY {box.validity}] UIDs valid".encode())
            self.say(f"* OK [UIDNEXT {max(box.messages, default=0) + 1}] next".encode())
            self.say(f"{tag} OK [READ-ONLY] done".encode())
            return False
        elif command == "UID":
            self.uid(arguments)
        elif command == "LOGOUT":
            self.say(b"* BYE")
            self.say(f"{tag} OK bye".encode())
            return True
        self.say(f"{tag} OK done".encode())
        return False

    def authenticate(self, mechanism: str) -> bool:
        self.say(b"+ ")
        told = base64.b64decode(self.rfile.readline().strip()).decode("utf-8")
        box = self.server.box
        if mechanism == "PLAIN":
            return box.token is None and told == f"\0{USER}\0{PASSWORD}"
        if told == f"user={USER}\x01auth=Bearer {box.token}\x01\x01":
            return True
        self.say(b"+ " + base64.b64encode(b'{"status":"401"}'))
        self.rfile.readline()
        return False

    def uid(self, arguments: str) -> None:
        box = self.server.box
        command, _, rest = arguments.partition(" ")
        if command == "SEARCH":
            found = sorted(box.messages)
            if after := re.match(r"UID (\d+):\*", rest):
                # The last message is always in the range.
                found = [uid for uid in found if uid >= int(after[1])] or found[-1:]
            else:
                found = [uid for uid in found if uid not in box.old]
            self.say(("* SEARCH " + " ".join(map(str, found))).encode())
        elif command == "FETCH":
            number, _, what = rest.partition(" ")
            data = box.messages.get(int(number))
            if "BODY[" in what or "RFC822)" in what:
                box.trespasses.append(what)
            if data is None:
                return
            if "SIZE" in what:
                self.say(f"* 1 FETCH (UID {number} RFC822.SIZE {len(data)})".encode())
            else:
                self.say(f"* 1 FETCH (UID {number} BODY[] {{{len(data)}}}".encode() + b"\r\n" + data + b")")
        else:
            box.trespasses.append(command)

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, box: Mailbox) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.box = box


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A running server; its mailbox says at which port."""
    box = Mailbox()
    with _Server(box) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
