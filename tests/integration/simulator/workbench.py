"""A simulated SII inside the test's own process, for what needs thousands of requests or a look inside."""

import asyncio
import datetime as dt
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tornado.httputil import HTTPHeaders

from deploy.sandbox.sii.caf import Range
from deploy.sandbox.sii.doorway import Doorway
from deploy.sandbox.sii.exchange import Answer, Exchange
from deploy.sandbox.sii.extraction import pieces
from deploy.sandbox.sii.faults import Occasion
from deploy.sandbox.sii.gateway import document_types, open_file
from deploy.sandbox.sii.registry import Company, Document, Upload
from deploy.sandbox.sii.rest import boleta_api, boleta_upload
from deploy.sandbox.sii.server import dte
from deploy.sandbox.sii.world import File, World
from tests.integration.simulator.client import AGENT, REST_AGENT, form, soap_body
from tests.integration.simulator.documents import COMPANY, Caf, Sale, signed_dte
from tests.integration.simulator.signing import Authority, Person

_SIDES: dict[str, Callable[[World, Exchange], Awaitable[Answer]]] = {
    "dte": dte,
    "boleta_api": boleta_api,
    "boleta_up": boleta_upload,
}
_ROOTS = frozenset({"EnvioDTE", "EnvioBOLETA"})


@dataclass
class Workbench:
    """The world of a simulated SII with one enrolled company, and requests handed to it without a wire."""

    world: World
    person: Person
    cafs: dict[int, Caf] = field(default_factory=dict)
    number: int = 0

    @classmethod
    def at(cls, folder: Path, authority: Authority, person: Person, seed: int = 0) -> "Workbench":
        """A new world in that folder (its CAFs are those of the folder, if it has been used before)."""
        bench = cls(World(folder, "certification", seed), person)
        registry = bench.world.registry
        if authority.pem not in registry.authorities:
            registry.authorities.append(authority.pem)
        company = Company(COMPANY, "FERRETERÍA & CÍA", 0, dt.date(2014, 8, 22), (475201,))
        registry.companies[COMPANY] = company
        registry.persons[person.rut] = "Persona"
        registry.permissions[person.rut, COMPANY] |= {"send", "query", "sign"}
        for document_type in (33, 39, 61):
            known = [c for c in registry.cafs.values() if c.document_type == document_type]
            asked = Range(COMPANY, company.razon_social, document_type, 1, 99_999, dt.date(2026, 11, 1))
            caf = known[0] if known else registry.authorise_folios(asked)
            bench.cafs[document_type] = Caf.read(caf.xml)
        registry.save()
        return bench

    def dte(self, sale: Sale) -> str:
        """A signed DTE of that sale."""
        return signed_dte(sale.body(self.cafs[sale.document_type]), self.person)

    def session(self, channel: str) -> str:
        """A token, without a login."""
        return self.world.sessions.open(channel, self.world.sessions.new_seed(channel), self.person.rut)

    async def request(self, host: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """One request, with its faults and its line in the ledger."""
        self.number += 1
        path, _, query = path.partition("?")
        exchange = Exchange(
            number=self.number,
            received_at=self.world.clock.now(),
            method=method,
            path=path,
            query=query,
            headers=HTTPHeaders(headers | {"Content-Length": str(len(body))}),
            body=body,
            occasion=Occasion(host, path),
        )
        answer = await Doorway(self.world, host, _SIDES[host])(exchange)
        self.world.ledger.enter(exchange, answer, self.world.clock.now())
        return answer

    async def upload(
        self, token: str, data: bytes, *, rest: bool = False, agent: str = "", company: str = COMPANY
    ) -> Answer:
        """An upload by either channel."""
        headers = {
            "User-Agent": agent or (REST_AGENT if rest else AGENT),
            "Content-Type": "multipart/form-data; boundary=limite",
            "Cookie": f"TOKEN={token}",
        }
        body = form("limite", self.person.rut, company, data)
        path = "/recursos/v1/boleta.electronica.envio" if rest else "/cgi_dte/UPL/DTEUpload"
        return await self.request("boleta_up" if rest else "dte", "POST", path, body, headers)

    async def ask(self, service: str, operation: str, parameters: dict[str, str]) -> Answer:
        """A SOAP call."""
        headers = {"SOAPAction": '""', "Content-Type": "text/xml"}
        return await self.request("dte", "POST", f"/DTEWS/{service}", soap_body(operation, parameters), headers)

    def received(self, data: bytes) -> Upload:
        """A file as if it had just been taken, not yet examined."""
        exchange = Exchange(1, self.world.clock.now(), "POST", "/", "", HTTPHeaders(), data, Occasion("dte", "/"))
        root = open_file(data, _ROOTS, self.world.switches)
        exchange.occasion.document_types = document_types(root)
        return self.world.receive(exchange, File("soap", self.person.rut, COMPANY, "envio.xml", data), root)

    def examined(self, data: bytes) -> Upload:
        """A file taken and examined."""

        async def work() -> Upload:
            upload = self.received(data)
            await self.world.pipeline.done(upload)
            return upload

        return asyncio.run(work())

    @functools.cached_property
    def _some_upload(self) -> Upload:
        """An upload for documents that are examined without an envelope."""
        moment = self.world.clock.now()
        timeline = dict.fromkeys(("SOK", "CRT", "FOK", "PDR", "EPR"), moment)
        return Upload(1, "soap", self.person.rut, COMPANY, "", "", 0, "EnvioDTE", moment, 1, timeline)

    def judged(self, text: str) -> Document:
        """The verdict on one DTE as if it had come in an envelope; the registry isn't changed. Raises NotXmlError."""
        (piece,) = pieces(text.encode("iso-8859-1"), 1)
        return self.world.pipeline._documents.examine(piece, self._some_upload)
