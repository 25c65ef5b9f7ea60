"""TLS in front of a plain port, under the names that other people's clients insist on.

Each name of the SII gets a port of its own on this machine; bytes go through to the simulator unchanged.
"""

import asyncio
import contextlib
import datetime as dt
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_BLOCK = 65536


@dataclass(frozen=True)
class Doors:
    """Ports by host name, and the file of the authority that signed for them."""

    ports: dict[str, int]
    authority: Path


@contextlib.contextmanager
def open_doors(folder: Path, targets: dict[str, str]) -> Iterator[Doors]:
    """Serve each name of `targets` by TLS, in front of the plain address given for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = _certificates(folder, list(targets))
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="doors")
    thread.start()

    def done(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    servers: dict[str, asyncio.Server] = {}
    try:
        for name, address in targets.items():
            servers[name] = done(asyncio.start_server(_passage(address), "127.0.0.1", 0, ssl=context))
        yield Doors({name: server.sockets[0].getsockname()[1] for name, server in servers.items()}, authority)
    finally:
        done(_close(list(servers.values())))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _passage(address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What is done with a connection: bytes to and from the plain port, until either side has enough."""
    target = urlsplit(address)

    async def pass_through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    return pass_through


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await source.read(_BLOCK):
            sink.write(block)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.close()
        await sink.wait_closed()


async def _close(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _certificates(folder: Path, names: list[str]) -> Path:
    """An authority and a server's certificate for those names; answers the authority's file."""
    authority, server = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Doors of a test")])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    end = start + dt.timedelta(days=30)

    def builder(subject: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), start, end)

    own = builder(issuer, authority)
    own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    own = own.add_extension(usage, critical=True)
    own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
    served = builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), server)
    served = served.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    named = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    served = served.add_extension(named, critical=False)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(own.sign(authority, hashes.SHA256()).public_bytes(pem))
    (folder / "server.pem").write_bytes(served.sign(authority, hashes.SHA256()).public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.key").write_bytes(server.private_bytes(pem, *plain))
    return folder / "authority.pem"
