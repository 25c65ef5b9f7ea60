"""The control port, which the real service doesn't have: fixtures, clock, faults, and what was received.

JSON in and out. Errors answer 400 with ``{"error": ...}``.
"""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from cryptography import x509

from deploy.sandbox.sii.caf import Caf, Range, read_caf
from deploy.sandbox.sii.exchange import Answer, Exchange, plain
from deploy.sandbox.sii.ledger import invariants
from deploy.sandbox.sii.page import front_page
from deploy.sandbox.sii.registry import Company, Document, Upload
from deploy.sandbox.sii.rut import canonical
from deploy.sandbox.sii.world import World

Body = dict[str, Any]
Handler = Callable[[World, Exchange, Body], Any]
_FOLIO_LIMIT = 10**10


async def control(world: World, exchange: Exchange) -> Answer:
    """Answer one request of the control port."""
    method, path = exchange.method, exchange.path.rstrip("/") or "/"
    try:
        body = json.loads(exchange.body) if exchange.body.strip() else {}
        if path.startswith("/uploads/"):
            return await _upload(world, method, path.split("/")[2:], body)
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
    if path in {"/documents", "/invariants", "/uploads"}:
        for upload in list(world.registry.uploads.values()):
            await world.pipeline.done(upload)


def _fixtures(world: World, _exchange: Exchange, body: Body) -> Body:
    """Add companies, persons, permissions, authorities and folios; answers the CAFs made."""
    registry = world.registry
    known = {"authorities", "companies", "persons", "permissions", "cafs", "caf_keys"}
    if set(body) - known:
        raise ValueError(f"unknown: {sorted(set(body) - known)}")
    for pem in body.get("authorities", ()):
        x509.load_pem_x509_certificate(pem.encode("ascii"))
        if pem not in registry.authorities:
            registry.authorities.append(pem)
            world.certificates.forget()
    for row in body.get("companies", ()):
        company = _company(row)
        registry.companies[company.rut] = company
    for row in body.get("persons", ()):
        registry.persons[_rut(row["rut"])] = str(row.get("name", ""))
    for row in body.get("permissions", ()):
        person = _rut(row["person"])
        registry.persons.setdefault(person, "")
        registry.permissions[person, _rut(row["company"])] |= {str(action) for action in row["can"]}
    for row in body.get("caf_keys", ()):
        registry.trust_frma_key(int(row["idk"]), str(row["pem"]))
    made = [_caf(world, row) for row in body.get("cafs", ())]
    registry.save()
    return {"cafs": [_shown_caf(caf) for caf in made]}


def _company(row: Body) -> Company:
    resolution = row["resolution"]
    actecos = row.get("actecos")
    return Company(
        rut=_rut(row["rut"]),
        razon_social=str(row["razon_social"]),
        resolution_number=int(resolution["number"]),
        resolution_date=date.fromisoformat(resolution["date"]),
        actecos=tuple(int(a) for a in actecos) if actecos else None,
        authorised=bool(row.get("authorised", True)),
    )


def _caf(world: World, row: Body) -> Caf:
    if "xml_base64" in row:
        return world.registry.add_caf(read_caf(base64.b64decode(row["xml_base64"])))
    company = world.registry.companies[_rut(row["company"])]
    first, last = int(row["from"]), int(row["to"])
    if not 0 < first <= last < _FOLIO_LIMIT:
        raise ValueError(f"no range of folios: {first} to {last}")
    day = date.fromisoformat(row["date"]) if row.get("date") else world.clock.now().date()
    asked = Range(company.rut, company.razon_social, int(row["type"]), first, last, day)
    return world.registry.authorise_folios(asked)


def _shown_caf(caf: Caf) -> Body:
    return {
        "company": caf.company,
        "type": caf.document_type,
        "from": caf.first,
        "to": caf.last,
        "date": caf.date.isoformat(),
        "xml_base64": base64.b64encode(caf.xml).decode("ascii"),
    }


def _clock(world: World, _exchange: Exchange, body: Body) -> Body:
    if "advance" in body:
        world.clock.advance(float(str(body["advance"]).removesuffix("s")))
    if "set" in body:
        world.clock.set(datetime.fromisoformat(body["set"]))
    return {"now": world.clock.now().isoformat()}


def _add_fault(world: World, _exchange: Exchange, body: Body) -> Body:
    return world.faults.add(body).as_dict()


def _clear_faults(world: World, _exchange: Exchange, _body: Body) -> Body:
    world.faults.clear()
    return {"faults": []}


def _expire(world: World, _exchange: Exchange, body: Body) -> Body:
    return {"expired": world.sessions.expire_all(body.get("person"), body.get("channel"))}


def _reset(world: World, _exchange: Exchange, body: Body) -> Body:
    world.reset(body.get("seed"), keep_fixtures=bool(body.get("keep_fixtures", False)))
    if "profile" in body:
        world.switches.use_profile(str(body["profile"]))
    return {"now": world.clock.now().isoformat()}


def _switch(world: World, _exchange: Exchange, body: Body) -> Body:
    world.switches.change(body)
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
        data = (world.folder / "received" / f"{upload.track_id}.xml").read_bytes()
        return Answer(200, data, "text/xml; charset=ISO-8859-1")
    if (method, call) == ("POST", "freeze"):
        upload.frozen = bool(body.get("frozen", True))
    elif (method, call) == ("POST", "force"):
        upload.forced = body or None
    elif (method, call) != ("GET", ""):
        return _json({"error": f"no such call: {method} {call}"}, 404)
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
    ("GET", "/caf-key"): lambda world, _exchange, _body: plain(
        200, world.caf_key.public.pem(), "application/x-pem-file"
    ),
    ("GET", "/clock"): _clock,
    ("POST", "/clock"): _clock,
    ("POST", "/fixtures"): _fixtures,
    ("GET", "/faults"): lambda world, _exchange, _body: [rule.as_dict() for rule in world.faults.rules()],
    ("POST", "/faults"): _add_fault,
    ("DELETE", "/faults"): _clear_faults,
    ("POST", "/tokens/expire"): _expire,
    ("POST", "/reset"): _reset,
    ("GET", "/switches"): lambda world, _exchange, _body: dataclasses.asdict(world.switches),
    ("POST", "/switches"): _switch,
    ("POST", "/folios/annul"): _annul,
    ("POST", "/permissions/revoke"): _revoke,
    ("GET", "/ledger"): _ledger,
    ("GET", "/uploads"): _uploads,
    ("GET", "/documents"): _documents,
    ("GET", "/tokens"): _tokens,
    ("GET", "/invariants"): lambda world, _exchange, _body: invariants(world.ledger, world.registry),
}


def _rut(text: str) -> str:
    rut = canonical(text)
    if rut is None:
        raise ValueError(f"not a RUT: {text!r}")
    return rut


def _json(body: object, status: int = 200) -> Answer:
    return Answer(
        status, json.dumps(body, ensure_ascii=False, default=str).encode("utf-8"), "application/json; charset=utf-8"
    )
