"""The control port, which the real service doesn't have: fixtures, clock, faults, and what was received.

JSON in and out. Errors answer 400 with ``{"error": ...}``.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from deploy.sandbox.sii.afterwards import mail_file, shown_cessions, shown_events, shown_mails
from deploy.sandbox.sii.catalogue import CATALOGUE
from deploy.sandbox.sii.exchange import Answer, Exchange, plain
from deploy.sandbox.sii.invariants import invariants
from deploy.sandbox.sii.page import front_page
from deploy.sandbox.sii.profiles import PROFILES
from deploy.sandbox.sii.registration import read_rut as _rut
from deploy.sandbox.sii.registration import register
from deploy.sandbox.sii.registry import Document, Upload
from deploy.sandbox.sii.switches import described
from deploy.sandbox.sii.world import World

Body = dict[str, Any]
Handler = Callable[[World, Exchange, Body], Any]


async def control(world: World, exchange: Exchange) -> Answer:
    """Answer one request of the control port."""
    method, path = exchange.method, exchange.path.rstrip("/") or "/"
    try:
        body = json.loads(exchange.body) if exchange.body.strip() else {}
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")  # noqa: TRY004, TRY301 - answered as bad input below
        if path.startswith("/uploads/"):
            return await _upload(world, method, path.split("/")[2:], body)
        if path.startswith("/faults/") and (method, path) not in _ROUTES:
            return _one_fault(world, method, path.split("/")[2:])
        if path.startswith("/mails/"):
            return mail_file(world, path.split("/")[2])
        handler = _ROUTES.get((method, path))
        if handler is None:
            return _json({"error": f"no such call: {method} {path}"}, 404)
        await _settle(world, path)
        result = handler(world, exchange, body)
    except (KeyError, TypeError, ValueError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)
    return result if isinstance(result, Answer) else _json(result)


async def _settle(world: World, path: str) -> None:
    """Views of documents show what has arrived: examinations under way are waited for."""
    if path in {"/documents", "/invariants", "/uploads", "/mails", "/cessions"}:
        for upload in list(world.registry.uploads.values()):
            await world.pipeline.done(upload)
    if path in {"/mails", "/cessions"}:
        for file in list(world.cessions.uploads.values()):
            await file.examined.wait()
        await world.postbox.deliver_due()


def _clock(world: World, _exchange: Exchange, body: Body) -> Body:
    if "advance" in body:
        world.clock.advance(float(str(body["advance"]).removesuffix("s")))
    if "set" in body:
        world.clock.set(datetime.fromisoformat(body["set"]))
    return {"now": world.clock.now().isoformat()}


def _add_fault(world: World, _exchange: Exchange, body: Body) -> Body:
    return world.faults.add(body).as_dict()


def _clear_faults(world: World, _exchange: Exchange, _body: Body) -> Body:
    lifted = world.faults.lift()
    return {"faults": [], "lifted": len(lifted)}


def _one_fault(world: World, method: str, parts: list[str]) -> Answer:
    """Lift the rule of a number or name, or let go the answers that it holds back."""
    which = unquote(parts[0])
    if (method, parts[1:]) == ("DELETE", []):
        lifted = world.faults.lift(which)
    elif (method, parts[1:]) == ("POST", ["release"]):
        return _json({"released": world.faults.release(which)}, 200 if world.faults.release(which) else 404)
    else:
        return _json({"error": f"no such call: {method} /faults/{'/'.join(parts)}"}, 404)
    return _json({"lifted": [rule.number for rule in lifted]}, 200 if lifted else 404)


def _expire(world: World, _exchange: Exchange, body: Body) -> Body:
    return {"expired": world.sessions.expire_all(body.get("person"), body.get("channel"))}


def _reset(world: World, _exchange: Exchange, body: Body) -> Body:
    """A clean state. `switches`: ``defaults`` for the built-in ones, or some to set beside those of the start."""
    asked = body.get("switches", {})
    if asked != "defaults" and not isinstance(asked, dict):
        raise ValueError("switches is an object of names and values, or the text defaults")
    world.reset(
        body.get("seed"), keep_fixtures=bool(body.get("keep_fixtures", False)), keep_switches=asked != "defaults"
    )
    wanted = {"profile": str(body["profile"])} if "profile" in body else {}
    world.configure(wanted | (asked if isinstance(asked, dict) else {}))
    return {"now": world.clock.now().isoformat(), "switches": dataclasses.asdict(world.switches)}


def _switch(world: World, _exchange: Exchange, body: Body) -> Body:
    world.configure(body)
    return dataclasses.asdict(world.switches)


def _annul(world: World, _exchange: Exchange, body: Body) -> Body:
    first = int(body["from"])
    last = int(body["to"]) if "to" in body else first
    company, document_type = _rut(body["company"]), int(body["type"])
    world.registry.annulled.update((company, document_type, folio) for folio in range(first, last + 1))
    world.registry.save()
    return {"annulled": len(world.registry.annulled)}


def _revoke(world: World, _exchange: Exchange, body: Body) -> Body:
    granted = world.registry.permissions[_rut(body["person"]), _rut(body["company"])]
    granted -= set(body.get("can", list(granted)))
    world.registry.save()
    return {"can": sorted(granted)}


def _documents(world: World, _exchange: Exchange, _body: Body) -> list[Body]:
    return [_shown_document(d) for upload in world.registry.uploads.values() for d in upload.documents]


def _shown_document(document: Document) -> Body:
    return {
        "issuer": document.issuer,
        "type": document.document_type,
        "folio": document.folio,
        "digest": document.digest,
        "track_id": document.track_id,
        "state": document.state,
        "findings": [{"code": f.code, "text": f.text} for f in document.findings],
        "receiver": document.receiver,
        "issued_on": document.issued_on,
        "total": document.total,
        "notes": document.notes,
    }


def _uploads(world: World, _exchange: Exchange, _body: Body) -> list[Body]:
    return [_shown_upload(world, upload) for upload in world.registry.uploads.values()]


def _shown_upload(world: World, upload: Upload) -> Body:
    return {
        "track_id": upload.track_id,
        "channel": upload.channel,
        "sender": upload.sender,
        "company": upload.company,
        "filename": upload.filename,
        "sha256": upload.sha256,
        "size": upload.size,
        "root": upload.root,
        "received_at": upload.received_at.isoformat(timespec="seconds"),
        "documents": upload.document_count,
        "state": upload.state(world.clock.now()),
        "verdict": upload.final_state,
        "counters": upload.counters(),
        "findings": [{"code": f.code, "text": f.text} for f in upload.findings],
        "fault": upload.verdict_fault,
    }


async def _upload(world: World, method: str, parts: list[str], body: Body) -> Answer:
    upload = world.registry.uploads[int(parts[0])]
    await world.pipeline.done(upload)
    call = parts[1] if len(parts) > 1 else ""
    if (method, call) == ("GET", "file"):
        return Answer(200, world.journal.file(upload.track_id), "text/xml; charset=ISO-8859-1")
    if (method, call) == ("POST", "freeze"):
        upload.frozen = bool(body.get("frozen", True))
    elif (method, call) == ("POST", "force"):
        upload.forced = body or None
    elif (method, call) == ("POST", "mail"):
        await world.postbox.write(upload, [str(variant) for variant in body.get("variants", ())])
    elif (method, call) != ("GET", ""):
        return _json({"error": f"no such call: {method} {call}"}, 404)
    if method == "POST":
        world.journal.judged(upload)
    shown = _shown_upload(world, upload)
    return _json(shown | {"contents": [_shown_document(d) for d in upload.documents]})


def _tokens(world: World, _exchange: Exchange, _body: Body) -> list[Body]:
    return [
        {
            "token": "sha256:" + hashlib.sha256(t.value.encode()).hexdigest()[:16],
            "person": t.person,
            "channel": t.channel,
            "created": t.created.isoformat(timespec="seconds"),
            "last_used": t.last_used.isoformat(timespec="seconds"),
            "dead": t.dead,
        }
        for t in world.sessions.tokens()
    ]


def _ledger(world: World, exchange: Exchange, _body: Body) -> list[Body]:
    since = int(exchange.parameters().get("since", "0"))
    return [entry for entry in world.ledger.entries if entry["id"] > since]


_ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/"): lambda world, _exchange, _body: front_page(world),
    ("GET", "/cpu"): lambda world, _exchange, _body: world.effort(),
    ("GET", "/caf-key"): lambda world, _exchange, _body: plain(
        200, world.caf_key.public.pem(), "application/x-pem-file"
    ),
    ("GET", "/clock"): _clock,
    ("POST", "/clock"): _clock,
    ("POST", "/fixtures"): lambda world, _exchange, body: register(world, body),
    ("GET", "/faults"): lambda world, _exchange, _body: [rule.as_dict() for rule in world.faults.rules()],
    ("GET", "/faults/catalogue"): lambda _world, _exchange, _body: [entry.as_dict() for entry in CATALOGUE.values()],
    ("POST", "/faults"): _add_fault,
    ("DELETE", "/faults"): _clear_faults,
    ("POST", "/tokens/expire"): _expire,
    ("POST", "/reset"): _reset,
    ("GET", "/switches"): lambda world, _exchange, _body: dataclasses.asdict(world.switches),
    ("POST", "/switches"): _switch,
    ("GET", "/switches/described"): lambda _world, _exchange, _body: described(),
    ("GET", "/profiles"): lambda _world, _exchange, _body: {n: dataclasses.asdict(p) for n, p in PROFILES.items()},
    ("GET", "/hosts"): lambda world, _exchange, _body: world.addresses,
    ("POST", "/folios/annul"): _annul,
    ("POST", "/permissions/revoke"): _revoke,
    ("GET", "/ledger"): _ledger,
    ("GET", "/uploads"): _uploads,
    ("GET", "/documents"): _documents,
    ("GET", "/tokens"): _tokens,
    ("GET", "/mails"): lambda world, _exchange, _body: shown_mails(world),
    ("GET", "/events"): lambda world, _exchange, _body: shown_events(world),
    ("GET", "/cessions"): lambda world, _exchange, _body: shown_cessions(world),
    ("GET", "/invariants"): lambda world, _exchange, _body: invariants(world.ledger, world.registry, world.switches),
}


def _json(body: object, status: int = 200) -> Answer:
    return Answer(
        status, json.dumps(body, ensure_ascii=False, default=str).encode("utf-8"), "application/json; charset=utf-8"
    )
