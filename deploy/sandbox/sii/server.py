"""The process: virtual hosts on ports of their own, and all of them on one more, until SIGTERM."""

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.sandbox.sii.cession_upload import PATH as CESSION_PATH
from deploy.sandbox.sii.cession_upload import cession_upload
from deploy.sandbox.sii.cession_upload import resume as resume_cessions
from deploy.sandbox.sii.claim_service import claims
from deploy.sandbox.sii.control import control
from deploy.sandbox.sii.doorway import Doorway, Side
from deploy.sandbox.sii.dte_services import services
from deploy.sandbox.sii.exchange import Answer, Exchange, html
from deploy.sandbox.sii.front import Choose, Front, Lines, Port
from deploy.sandbox.sii.hosts import NAMES, SHARED, host_of
from deploy.sandbox.sii.registration import register_file
from deploy.sandbox.sii.rest import boleta_api, boleta_upload
from deploy.sandbox.sii.restart import restore_claims_and_mails
from deploy.sandbox.sii.tls import Tls
from deploy.sandbox.sii.upload import PATH, dte_upload
from deploy.sandbox.sii.world import World


@dataclass(frozen=True, slots=True)
class Options:
    """How to start. `ports` by host (and ``shared``): 0 means a free one, and that none is named, no port."""

    folder: Path
    port_file: Path | None = None
    environment: str = "certification"
    seed: int = 0
    schema_dir: Path | None = None
    address: str = "127.0.0.1"
    ports: dict[str, int] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    registry: Path | None = None
    tls: bool = False
    fresh: bool = False


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises ValueError for a wrong switch or registry file."""
    world = World(options.folder, options.environment, options.seed, options.schema_dir)
    world.start_with(options.switches)
    if options.fresh:
        world.journal.forget()
    if options.registry is not None:
        for path in register_file(world, options.registry):
            print(f"CAF: {path}", file=sys.stderr)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    known = world.resume()
    restore_claims_and_mails(world)
    resume_cessions(world)
    fronts = {name: Front(world, name, Doorway(world, name, side)) for name, side in _SIDES.items()}
    fronts["control"] = Front(world, "control", lambda exchange: control(world, exchange), entered=False)
    Front.go_on_from(world.ledger)
    tls = Tls(options.folder / "tls", NAMES, world.faults) if options.tls else None
    ports = _listen(options, fronts, tls.context if tls else lambda _host: None)
    world.lines |= {name: Lines([ports[name]]) for name in _SIDES if name in ports}
    for name in world.schemas.missing():
        print(f"no schema for {name}: every such envelope will be refused (RSC)", file=sys.stderr)
    world.addresses |= {name: port.url for name, port in ports.items()}
    facts: dict[str, Any] = {"environment": world.environment, "pid": os.getpid(), "uploads_known": known}
    if tls is not None:
        facts["ca"] = str(tls.authority_file)
    _announce(world.addresses | facts, options.port_file)
    await stop.wait()


async def dte(world: World, exchange: Exchange) -> Answer:
    """Answer one request of the host of invoices: SOAP services, DTEUpload and RTCAnotEnvio."""
    if exchange.path == PATH:
        return await dte_upload(world, exchange)
    if exchange.path == CESSION_PATH:
        return await cession_upload(world, exchange)
    service = _SERVICES.get(exchange.path)
    if service is None:
        exchange.outcome = "404"
        return html(404, "404 Not Found", "<h1>Not Found</h1>")
    return await service.call(world, exchange)


def _listen(
    options: Options, fronts: dict[str, Front], context: Callable[[str], ssl.SSLContext | None]
) -> dict[str, Port]:
    """A port for each host, and one for all of them; the control side never speaks TLS on its own port."""
    ports: dict[str, Port] = {}
    for name, front in fronts.items():
        secured = None if name == "control" else context(name)
        ports[name] = Port(_always(front), options.address, options.ports.get(name, 0), secured)
    if SHARED in options.ports:
        ports[SHARED] = Port(
            lambda headers: fronts.get(host_of(headers), fronts["control"]),
            options.address,
            options.ports[SHARED],
            context(""),
        )
    return ports


def _always(front: Front) -> Choose:
    return lambda _headers: front


def _announce(facts: dict[str, Any], port_file: Path | None) -> None:
    text = json.dumps(facts)
    print(text, flush=True)
    if port_file is not None:
        beside = port_file.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(port_file)


_SERVICES = services()
_SIDES: dict[str, Side] = {
    "dte": dte,
    "boleta_api": boleta_api,
    "boleta_up": boleta_upload,
    "reclamo": claims,
}
