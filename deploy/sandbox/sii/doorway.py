"""The way in and out of a host: what happens to a request before its service looks at it, and to the answer after.

Faults of the door, the rate that a host takes, faults of form, and faults of answers whose work was done.
"""

import dataclasses
import re
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from deploy.sandbox.sii.catalogue import AFTER, BODY, DOOR, FORM
from deploy.sandbox.sii.exchange import Answer, Exchange
from deploy.sandbox.sii.faults import Occasion
from deploy.sandbox.sii.misbehaviour import after, at_the_door, too_many
from deploy.sandbox.sii.rut import joined
from deploy.sandbox.sii.world import World

Side = Callable[[World, Exchange], Awaitable[Answer]]

_BY_PATH = {
    "/DTEWS/CrSeed.jws": "getSeed",
    "/DTEWS/GetTokenFromSeed.jws": "getToken",
    "/DTEWS/QueryEstUp.jws": "getEstUp",
    "/DTEWS/QueryEstDte.jws": "getEstDte",
    "/DTEWS/services/QueryEstDteAv": "getEstDteAv",
    "/DTEWS/services/wsDTECorreo": "reenvioCorreo",
    "/cgi_dte/UPL/DTEUpload": "DTEUpload",
    "/cgi_rtc/RTC/RTCAnotEnvio.cgi": "RTCAnotEnvio",
    "/recursos/v1/boleta.electronica.semilla": "semilla",
    "/recursos/v1/boleta.electronica.token": "token",
    "/recursos/v1/boleta.electronica.envio": "envio",
}
_ENVELOPE = re.compile(r"/recursos/v1/boleta\.electronica\.envio/(\d+)-([\dkK])-0*(\d+)")
_DOCUMENT = re.compile(r"/recursos/v1/boleta\.electronica/(\d+)-([\dkK])-\d+-\d+/estado")
_CALLED = re.compile(rb"<(?:\w+:)?(ingresar\w+|listar\w+|consultar\w+|getEst(?:Envio|Cesion|CesionRelac))[\s/>]")
_FORM_COMPANY = re.compile(rb'name="rutCompany"\s+(\d+)\s.*?name="dvCompany"\s+([\dkK])\s', re.DOTALL)
_SOAP_COMPANY = re.compile(
    rb"<Rut(?:Compania|Empresa)[^>]*>(\d+)</.*?<D[vV](?:Compania|Empresa)[^>]*>([\dkK])<", re.DOTALL
)
_SOAP_TRACK = re.compile(rb"<TrackId[^>]*>0*(\d+)<")
_HEAD = 4096
_MINUTE = 60.0


class Doorway:
    """The way into one host."""

    def __init__(self, world: World, host: str, side: Side) -> None:
        self._world = world
        self._host = host
        self._side = side
        self._came: deque[datetime] = deque()

    async def __call__(self, exchange: Exchange) -> Answer:
        """Answer one request."""
        world = self._world
        seen = self.seen(exchange.method, exchange.path, exchange.cookie_token(), exchange.body)
        seen.number = exchange.number
        rule = world.faults.fire(DOOR, seen)
        refused = at_the_door(rule, exchange, world.clock) if rule else self._rate(exchange)
        if refused is not None:
            exchange.occasion = seen
            return refused
        forms = world.faults.fire_all(FORM, seen)
        exchange.faults += [form.fault for form in forms]
        changes = {name: value for form in forms for name, value in form.entry.changes.items()}
        if any(form.fault == "F-TOK-2" and "seconds" in form.args for form in forms):
            changes["token_ttl"] = next(float(f.args["seconds"]) for f in forms if "seconds" in f.args)
        with world.in_form(changes):
            answer = await self._side(world, exchange)
        rule = world.faults.fire(AFTER, exchange.occasion, stored=exchange.stored)
        if rule is not None:
            if rule.fault == "F-LOST-6" and exchange.track_id is not None:
                world.forget_name(exchange.track_id)
            answer = after(rule, exchange, answer, world.clock)
        return dataclasses.replace(answer, lost=True) if exchange.lost else answer

    def cut_short(self, exchange: Exchange, seen: Occasion) -> int | None:
        """After how many bytes of its body a request is cut off (F-LOST-3), None when it may come in whole.

        `seen` is what is known of it from its headers and the first part of its body.
        """
        rule = self._world.faults.fire(BODY, seen)
        if rule is None:
            return None
        exchange.faults.append(rule.fault)
        exchange.outcome = rule.fault
        return int(rule.args.get("bytes", 0))

    def seen(self, method: str, path: str, token: str, body: bytes) -> Occasion:
        """What can be told of a request from outside: operation, person, company, track id."""
        found = Occasion(self._host, path)
        head = body[:_HEAD]
        envelope, document, called = _ENVELOPE.fullmatch(path), _DOCUMENT.fullmatch(path), _CALLED.search(head)
        if method == "POST" or "semilla" in path:
            found.operation = _BY_PATH.get(path, called.group(1).decode() if called else "")
        for match, operation in ((envelope, "estado_envio"), (document, "estado_documento")):
            if match:
                found.operation, found.company = operation, joined(match.group(1), match.group(2))
        named = _FORM_COMPANY.search(head) or _SOAP_COMPANY.search(head)
        if named:
            found.company = joined(named.group(1).decode(), named.group(2).decode())
        track = _SOAP_TRACK.search(head)
        found.track_id = track.group(1).decode() if track else envelope.group(3) if envelope else ""
        if token and self._world.faults.rules():
            found.person = next((t.person for t in self._world.sessions.tokens() if t.value == token), "")
        return found

    def _rate(self, exchange: Exchange) -> Answer | None:
        """The refusal of a request beyond the rate that hosts of boletas take."""
        switches = self._world.switches
        limit = switches.rate_per_minute if self._host.startswith("boleta") else 0
        if not limit:
            return None
        came, now = self._came, exchange.received_at
        while came and (now - came[0]).total_seconds() >= _MINUTE:
            came.popleft()
        if len(came) >= limit:
            exchange.outcome = "rate exceeded"
            return too_many(int(switches.rate_status), switches.rate_header, switches.rate_wait, self._world.clock)
        came.append(now)
        return None
