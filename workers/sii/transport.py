"""Requests to the SII as bytes, and answers as bytes: nothing here knows what they mean.

Promises: headers and body go out exactly as given, with Content-Length and never in chunks; certificates are
verified, always; redirects, proxies, cookies and compression play no part; an answer is read up to a size and an
absolute deadline. Uploads use a fresh connection each, so that no idle connection dies under one; queries keep
theirs. What fails is told apart by one question: had a byte of the request left? (`NotSentError` if not,
`AnswerLostError` else.) Whatever came of a request is handed to whoever keeps the record.
"""

import hashlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import structlog

from workers.settings import Settings
from workers.sii.errors import AnswerLostError, NotSentError
from workers.sii.wire import Deadline, WireTransport, exchange

Headers = tuple[tuple[str, str], ...]

_LONGEST_RETRY_AFTER: Final = 86400.0
_POOL_SECONDS: Final = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole. `retry_after` in seconds, from Retry-After or the boletas' X-Retry-After."""

    http_status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request and what came of it: `request_sha256` of its body (or of its address when it has none).

    `answer` is None and `problem` says why when no whole answer came.
    """

    operation: str
    address: str
    request_sha256: bytes
    request_bytes: int
    seconds: float
    http_status: int | None
    answer: bytes | None = field(repr=False)
    problem: str | None = None


Keep = Callable[[Exchanged], None]


def keep_nothing(_exchanged: Exchanged) -> None:
    """Keep no record."""


class Transport:
    """Sends requests. Safe from many threads; make one per process, after the fork."""

    def __init__(self, settings: Settings, keep: Keep = keep_nothing) -> None:
        """Prepare the clients; no connection is opened. Each exchange is handed to `keep` when it is over."""
        context = _context(settings)
        self._keep = keep
        self._connect_seconds = settings.sii_connect_seconds
        self._query_seconds = settings.sii_query_seconds
        self._largest = settings.sii_answer_bytes
        connections = settings.sii_query_connections
        self._fresh = _client(WireTransport(context, connections=None, kept=0))
        self._kept = _client(WireTransport(context, connections=connections, kept=connections))

    def upload(self, url: str, headers: Headers, body: bytes, deadline: Deadline) -> Answer:
        """POST on a connection of its own; its first byte leaves within half of the deadline or not at all.

        Raises `NotSentError` or `AnswerLostError`.
        """
        request = _request("POST", url, (*headers, ("Connection", "close")), body)
        return self._send(self._fresh, request, deadline, first_byte_seconds=deadline.seconds / 2)

    def query(self, method: str, url: str, headers: Headers, body: bytes = b"") -> Answer:
        """Ask something that may be asked twice: a connection that breaks off is tried anew, once.

        Raises `NotSentError` or `AnswerLostError`.
        """
        try:
            return self.once(method, url, headers, body)
        except AnswerLostError as error:
            if error.timed_out:
                raise
        return self.once(method, url, headers, body)

    def once(self, method: str, url: str, headers: Headers, body: bytes = b"") -> Answer:
        """Ask something that may be asked only once (a seed is good for one token)."""
        request = _request(method, url, headers, body)
        deadline = Deadline(self._query_seconds, time.monotonic())
        return self._send(self._kept, request, deadline, first_byte_seconds=self._query_seconds)

    def close(self) -> None:
        """Close all connections."""
        self._fresh.close()
        self._kept.close()

    def _send(
        self, client: httpx.Client, request: httpx.Request, deadline: Deadline, *, first_byte_seconds: float
    ) -> Answer:
        """Send, and read the answer, before the deadline."""
        seconds = deadline.seconds
        request.extensions["timeout"] = {
            "connect": min(self._connect_seconds, seconds),
            "read": None,  # the exchange's deadline holds for both
            "write": None,
            "pool": min(_POOL_SECONDS, seconds),
        }
        began = time.monotonic()
        with exchange(deadline, first_byte_seconds=first_byte_seconds) as current:
            try:
                answer = self._receive(client, request)
            except httpx.TransportError as error:
                reason = f"{request.url.host}: {str(error) or type(error).__name__}"
                self._over(request, began, None, reason)
                _log.warning("no answer", path=request.url.path, sent=current.sent, reason=reason)
                if not current.sent:
                    raise NotSentError(f"nothing was sent to {reason}") from error
                timed_out = isinstance(error, httpx.TimeoutException)
                raise AnswerLostError(f"no whole answer from {reason}", timed_out=timed_out) from error
        self._over(request, began, answer, None)
        took = round(time.monotonic() - began, 3)
        _log.debug("answered", path=request.url.path, http_status=answer.http_status, seconds=took)
        return answer

    def _over(self, request: httpx.Request, began: float, answer: Answer | None, problem: str | None) -> None:
        """Hand a finished exchange to the record."""
        body, address = request.content, str(request.url)
        self._keep(
            Exchanged(
                operation=_operation(request.url.path),
                address=address,
                request_sha256=hashlib.sha256(body or address.encode()).digest(),
                request_bytes=len(body),
                seconds=time.monotonic() - began,
                http_status=None if answer is None else answer.http_status,
                answer=None if answer is None else answer.body,
                problem=problem,
            )
        )

    def _receive(self, client: httpx.Client, request: httpx.Request) -> Answer:
        """Read an answer's bytes as they come; one that is too large is as good as none."""
        response = client.send(request, stream=True)
        try:
            pieces: list[bytes] = []
            size = 0
            for piece in response.iter_raw():
                size += len(piece)
                if size > self._largest:
                    raise httpx.RemoteProtocolError(f"an answer of more than {self._largest} bytes")
                pieces.append(piece)
        finally:
            response.close()
        return Answer(response.status_code, b"".join(pieces), _retry_after(response.headers))


def _operation(path: str) -> str:
    """The service in a path: ``QueryEstUp``, ``DTEUpload``, ``boleta.electronica.envio``, ``…estado``."""
    parts = [part for part in path.split("/") if part]
    rest = next((part for part in parts if part.startswith("boleta.electronica")), None)
    if rest is not None:
        return f"{rest}.estado" if parts[-1] == "estado" else rest
    return parts[-1].removesuffix(".jws") if parts else "/"


def _client(transport: WireTransport) -> httpx.Client:
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False)


def _request(method: str, url: str, headers: Headers, body: bytes) -> httpx.Request:
    """Make a request that carries these headers, Host and Content-Length, and no others of httpx's."""
    length: Headers = (("Content-Length", str(len(body))),) if body or method == "POST" else ()
    return httpx.Request(method, url, headers=[*headers, *length], content=body if length else None)


def _context(settings: Settings) -> ssl.SSLContext:
    """Trust the public authorities, or only those of the file that the settings name; TLS 1.2 at least."""
    if settings.sii_ca_file is None:
        context = httpx.create_ssl_context(verify=True, trust_env=False)
    else:
        context = ssl.create_default_context(cafile=str(settings.sii_ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, between 0 and a day: a number, or a date compared with the answer's own Date, else our clock."""
    text = headers.get("retry-after") or headers.get("x-retry-after")
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdigit() else _moment(text) - _now(headers)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _moment(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def _now(headers: httpx.Headers) -> float:
    """The moment of an answer by the clock of who sent it, by ours where it doesn't say."""
    try:
        return _moment(headers["date"])
    except (KeyError, ValueError, OverflowError):
        return time.time()
