"""The process: five virtual hosts, each on a port of its own at 127.0.0.1, until SIGTERM."""

import asyncio
import functools
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.sandbox.sii.cession_upload import PATH as CESSION_PATH
from deploy.sandbox.sii.cession_upload import cession_upload
from deploy.sandbox.sii.claim_service import claims
from deploy.sandbox.sii.control import control
from deploy.sandbox.sii.dte_services import services
from deploy.sandbox.sii.exchange import Answer, Exchange, html
from deploy.sandbox.sii.faults import AFTER
from deploy.sandbox.sii.front import Front
from deploy.sandbox.sii.misbehaviour import after
from deploy.sandbox.sii.rest import boleta_api, boleta_upload
from deploy.sandbox.sii.upload import PATH, dte_upload
from deploy.sandbox.sii.world import World

Side = Callable[[World, Exchange], Awaitable[Answer]]
_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """How to start."""

    folder: Path
    port_file: Path | None = None
    environment: str = "certification"
    seed: int = 0
    schema_dir: Path | None = None
    ports: dict[str, int] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    world = World(options.folder, options.environment, options.seed, options.schema_dir)
    world.switches.change(options.switches)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sides: dict[str, Side] = {"dte": dte, "boleta_api": boleta_api, "boleta_up": boleta_upload, "reclamo": claims}
    fronts = {name: Front(world, name, functools.partial(_with_faults, side, world)) for name, side in sides.items()}
    fronts["control"] = Front(world, "control", functools.partial(control, world), entered=False)
    addresses: dict[str, Any] = {
        name: f"http://{_ADDRESS}:{front.listen(_ADDRESS, options.ports.get(name, 0))}"
        for name, front in fronts.items()
    }
    for name in world.schemas.missing():
        print(f"no schema for {name}: every such envelope will be refused (RSC)", file=sys.stderr)
    _announce(addresses | {"pid": os.getpid()}, options.port_file)
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


async def _with_faults(side: Side, world: World, exchange: Exchange) -> Answer:
    answer = await side(world, exchange)
    rule = world.faults.fire(AFTER, exchange.occasion, stored=exchange.stored)
    return answer if rule is None else after(rule, exchange, answer)


def _announce(addresses: dict[str, Any], port_file: Path | None) -> None:
    text = json.dumps(addresses)
    print(text, flush=True)
    if port_file is not None:
        beside = port_file.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(port_file)


_SERVICES = services()
