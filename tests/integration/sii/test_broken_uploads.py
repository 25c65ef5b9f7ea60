"""What is known of an upload when something breaks: surely not received, or unknown, and always in time."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.integration.sii.conftest import PERSON, MakeClient
from tests.integration.sii.scripted import (
    COMPANY,
    DATA,
    RECEIPT,
    Connection,
    Script,
    Server,
    answering,
    hang_up,
    send,
    silence,
)
from workers.sii import Deadline, Parcel


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_nobody_listening_is_surely_not_received(make_client: MakeClient) -> None:
    answer = send(make_client(f"http://127.0.0.1:{refused_port()}"))
    assert (answer.outcome, answer.retry, answer.http_status) == ("not_received", "later", None)


def test_name_that_does_not_resolve_is_surely_not_received(make_client: MakeClient) -> None:
    assert send(make_client("http://no-such-host.invalid")).outcome == "not_received"


def test_tls_that_fails_is_surely_not_received(make_client: MakeClient) -> None:
    with answering(RECEIPT) as server:
        answer = send(make_client(server.host.replace("http://", "https://")), seconds=0.5)
    assert answer.outcome == "not_received"
    assert server.requests == []


def test_silent_tls_is_given_up_before_the_first_byte(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert send(make_client(host), seconds=0.5).outcome == "not_received"


def test_first_byte_leaves_in_the_first_half_or_not_at_all(make_client: MakeClient, tmp_path: Path) -> None:
    context, authority = tls(tmp_path)
    never = threading.Event()

    def late(*_: object) -> None:
        never.wait(1.2)

    context.sni_callback = late
    with Server(lambda connection, _request: connection.answer(RECEIPT), context=context) as server:
        answer = send(make_client(server.host, sii_ca_file=authority), seconds=2)
    assert answer.outcome == "not_received"
    assert server.requests == []


def reset(connection: Connection, _request: bytes) -> None:
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def half_an_answer(connection: Connection, _request: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(RECEIPT)}\r\n\r\n".encode()
    connection.socket.sendall(head + RECEIPT[:-40])
    connection.close()


def half_a_head(connection: Connection, _request: bytes) -> None:
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.close()


def no_http(connection: Connection, _request: bytes) -> None:
    connection.socket.sendall(b"\x00\x01\x02 hola\r\n\r\n")
    connection.close()


def slow_head(connection: Connection, _request: bytes) -> None:
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\n")
    connection.trickle(b"X-A: b\r\n")


def slow_body(connection: Connection, _request: bytes) -> None:
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    connection.trickle(b"<a>")


def endless(connection: Connection, _request: bytes) -> None:
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not connection.stop.is_set():
        connection.socket.sendall(b"x" * 65536)


@pytest.mark.parametrize("script", [hang_up, reset, half_an_answer, half_a_head, no_http, endless])
def test_answer_that_breaks_off_is_unknown(make_client: MakeClient, script: Script) -> None:
    with Server(script) as server:
        answer = send(make_client(server.host, sii_answer_bytes=65536))
    assert (answer.outcome, answer.retry, answer.track_id) == ("unknown", None, None)
    assert len(server.requests) == 1
    assert answer.detail


@pytest.mark.parametrize("script", [silence, slow_head, slow_body])
def test_answer_that_does_not_end_is_unknown_at_the_deadline(make_client: MakeClient, script: Script) -> None:
    with Server(script) as server:
        answer = send(make_client(server.host), seconds=1.5)
    assert (answer.outcome, answer.retry, answer.track_id) == ("unknown", None, None)
    assert len(server.requests) == 1
    assert answer.detail


def test_request_that_nobody_takes_is_unknown_at_the_deadline(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        answer = send(make_client(f"http://127.0.0.1:{deaf.getsockname()[1]}"), data=b"x" * 50_000_000, seconds=1.5)
    assert answer.outcome == "unknown"


def test_answer_in_chunks_is_read(make_client: MakeClient) -> None:
    def script(connection: Connection, _request: bytes) -> None:
        chunks = b"".join(b"%x\r\n%s\r\n" % (1, RECEIPT[i : i + 1]) for i in range(len(RECEIPT)))
        connection.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")

    with Server(script) as server:
        assert send(make_client(server.host)).outcome == "received"


def test_redirect_is_not_followed(make_client: MakeClient) -> None:
    with answering(b"", status_line="302 Found", headers="Location: /elsewhere\r\n") as server:
        answer = send(make_client(server.host))
    assert (answer.outcome, answer.http_status) == ("unknown", 302)
    assert len(server.requests) == 1


def test_proxy_of_the_environment_plays_no_part(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refused_port()}")
    with answering(RECEIPT) as server:
        assert send(make_client(server.host)).outcome == "received"


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ("Retry-After: 30\r\n", 30, 30),
        ("X-Retry-After: 10\r\n", 10, 10),
        ("Retry-After: 99999999\r\n", 86400, 86400),
        ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0, 0),
    ],
)
def test_retry_after_is_read_as_seconds(make_client: MakeClient, headers: str, low: float, high: float) -> None:
    with answering(b"", status_line="503 Service Unavailable", headers=headers) as server:
        retry_after = send(make_client(server.host)).retry_after
    assert retry_after is not None
    assert low <= retry_after <= high


def test_retry_after_may_be_a_date(make_client: MakeClient) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with answering(b"", headers=f"Retry-After: {in_an_hour}\r\n") as server:
        retry_after = send(make_client(server.host)).retry_after
    assert retry_after is not None
    assert 3000 <= retry_after <= 3600


def test_a_date_is_held_against_the_clock_of_who_sent_it(make_client: MakeClient) -> None:
    date, until = (format_datetime(datetime(2031, 5, 1, 12, tzinfo=UTC) + timedelta(minutes=n)) for n in (0, 2))
    with answering(b"", headers=f"Date: {date}\r\nRetry-After: {until}\r\n") as server:
        assert send(make_client(server.host)).retry_after == 120


@pytest.mark.parametrize("headers", ["", "Retry-After: soon\r\n"])
def test_no_legible_retry_after_is_none(make_client: MakeClient, headers: str) -> None:
    with answering(b"", headers=headers) as server:
        assert send(make_client(server.host)).retry_after is None


def tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for localhost, and the file of the authority that signed it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start.replace(year=2040))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate, private = folder / "authority.pem", folder / "server.key"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return context, certificate


def test_trusted_certificate_is_talked_to(make_client: MakeClient, tmp_path: Path) -> None:
    context, authority = tls(tmp_path)
    with Server(lambda connection, _request: connection.answer(RECEIPT), context=context) as server:
        assert send(make_client(server.host, sii_ca_file=authority)).outcome == "received"


def test_certificate_of_nobody_we_trust_gets_not_one_byte(make_client: MakeClient, tmp_path: Path) -> None:
    context, _ = tls(tmp_path)
    with Server(lambda connection, _request: connection.answer(RECEIPT), context=context) as server:
        answer = send(make_client(server.host))
    assert answer.outcome == "not_received"
    assert "certificate" in answer.detail.lower()
    assert server.requests == []


def test_an_attempt_that_began_too_long_ago_sends_nothing(make_client: MakeClient) -> None:
    parcel = Parcel(PERSON, COMPANY, "fmgo-1.xml", DATA)
    with answering(RECEIPT) as server:
        client = make_client(server.host)
        for ago in (31, 61, 900):
            answer = client.upload("soap", "t", parcel, Deadline(60, time.monotonic() - ago))
            assert (answer.outcome, answer.retry) == ("not_received", "later")
        assert server.requests == []
        assert client.upload("soap", "t", parcel, Deadline(60, time.monotonic() - 1)).outcome == "received"
