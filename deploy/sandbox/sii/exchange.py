"""One request and its answer, with the line that the ledger keeps of it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs

from tornado.httputil import HTTPHeaders

from deploy.sandbox.sii.faults import Occasion


@dataclass(slots=True)
class Answer:
    """What goes back over the wire.

    `lost`: the connection is reset before any byte. `cut_at`: only so many bytes of the body are sent. `delay`: seconds
    of real time before the first byte. `held`: nothing is sent before that event. `trickle`: bytes of the body a second
    of real time. `padding`: so many blanks are sent after the body.
    """

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    cut_at: int | None = None
    delay: float = 0.0
    held: asyncio.Event | None = None
    trickle: float = 0.0
    padding: int = 0


@dataclass(slots=True)
class Exchange:
    """A request as received, and what is learnt while it is answered."""

    number: int
    received_at: datetime
    method: str
    path: str
    query: str
    headers: HTTPHeaders
    body: bytes
    occasion: Occasion
    outcome: str = ""
    stored: bool = False
    lost: bool = False  # a fault has already decided that its answer gets lost
    track_id: int | None = None
    warnings: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    identity: str = ""

    def header(self, name: str) -> str:
        """A header's value, empty when it is absent."""
        return self.headers.get(name, "")

    def cookie_token(self) -> str:
        """The value of the cookie TOKEN exactly as sent, empty when there is none."""
        for part in self.header("Cookie").split(";"):
            name, equals, value = part.strip().partition("=")
            if name == "TOKEN" and equals:
                return value
        return ""

    def parameters(self) -> dict[str, str]:
        """The query parameters, the last of each name."""
        return {name: values[-1] for name, values in parse_qs(self.query, keep_blank_values=True).items()}

    def is_chunked(self) -> bool:
        """Whether the body came in chunks or without a declared length."""
        return "Transfer-Encoding" in self.headers or "Content-Length" not in self.headers


def plain(status: int, text: str, content_type: str = "text/plain") -> Answer:
    """An answer of plain text."""
    return Answer(status, text.encode("utf-8"), content_type)


def html(status: int, title: str, body: str) -> Answer:
    """An HTML page such as the front ends of the service send."""
    page = f"<html><head><title>{title}</title></head>\n<body>{body}</body></html>\n"
    return Answer(status, page.encode("iso-8859-1"), "text/html")
