"""The REST services of boletas: two hosts, one for everything but the upload, one for the upload alone.

The side that answers a wrong User-Agent like an expired token, errors as plain text, and an upload at the wrong host
with a SOAP fault (recorded in 2026; OpenAPI "API SII - V1").
"""

import json
import re
from datetime import timedelta
from typing import Any

from deploy.sandbox.sii.answers import DOCUMENT_STATES, Asked, document_state
from deploy.sandbox.sii.clock import stamp
from deploy.sandbox.sii.exchange import Answer, Exchange, plain
from deploy.sandbox.sii.faults import INSTEAD, Rule
from deploy.sandbox.sii.gateway import ObjectionError, document_types, is_let_in, open_file
from deploy.sandbox.sii.light import Glance
from deploy.sandbox.sii.login import RefusedError, token_for
from deploy.sandbox.sii.misbehaviour import instead, words
from deploy.sandbox.sii.multipart import Form, read_form
from deploy.sandbox.sii.reading import Element
from deploy.sandbox.sii.registry import Document, Upload
from deploy.sandbox.sii.rut import joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import response
from deploy.sandbox.sii.upload import CUT_AT, repeated
from deploy.sandbox.sii.world import File, World

_BASE = "/recursos/v1/"
_ENVIO = _BASE + "boleta.electronica.envio"
_STATUS = re.compile(re.escape(_ENVIO) + r"/(\d+)-([\dkK])-(\d+)")
_DOCUMENT = re.compile(re.escape(_BASE) + r"boleta\.electronica/(\d+)-([\dkK])-(\d+)-(\d+)/estado")
_DATE = re.compile(r"(\d\d)-(\d\d)-(\d{4})")
_STATES = {"accepted": "DOK", "repaired": "RPR", "rejected": "RCH"}
_WORDS = {"RPR": "Dte Aceptado con reparos", "RCH": "Dte Rechazado"}
_WRONG_HOST = (
    '<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
    "<env:Fault><faultcode>env:Client</faultcode><faultstring>Acceso Denegado (from client)</faultstring></env:Fault>"
    "</env:Body></env:Envelope>"
)


async def boleta_api(world: World, exchange: Exchange) -> Answer:
    """Answer one request of the host of seeds, tokens and queries."""
    path, method = exchange.path, exchange.method
    if (method, path) == ("GET", _BASE + "boleta.electronica.semilla"):
        return _seed(world, exchange)
    if (method, path) == ("POST", _BASE + "boleta.electronica.token"):
        return _token(world, exchange)
    envelope, document = _STATUS.fullmatch(path), _DOCUMENT.fullmatch(path)
    if method == "GET" and envelope:
        return await _envelope_state(world, exchange, *envelope.groups())
    if method == "GET" and document:
        return await _document_state(world, exchange, document)
    # Whatever else is asked of this host, invented paths included (recorded in 2026).
    return _wrong_host(exchange)


async def boleta_upload(world: World, exchange: Exchange) -> Answer:
    """Answer one request of the host that takes uploads."""
    if exchange.path != _ENVIO or exchange.method != "POST":
        known = exchange.path.startswith(_BASE + "boleta.electronica")
        return _wrong_host(exchange) if known else _text(exchange, 404, "No existe recurso")
    exchange.occasion.operation = "envio"
    form = read_form(exchange.header("Content-Type"), exchange.body)
    fields = form.fields if form else {}
    exchange.occasion.company = joined(fields.get("rutCompany", ""), fields.get("dvCompany", ""))
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None:
        return instead(rule, exchange)
    if not is_let_in(exchange.header("User-Agent"), world.switches):
        return _text(exchange, 401, "NO ESTA AUTENTICADO", "User-Agent")
    refused = _not_logged_in(world, exchange)
    if refused is not None:
        return refused
    refuses = exchange.is_chunked() and world.switches.chunked == "refuse"
    if refuses or form is None or form.missing or form.file is None or not form.closed:
        return _text(exchange, 400, "Bad Request")
    return _take(world, exchange, form, form.file[:CUT_AT] if exchange.is_chunked() else form.file)


def _take(world: World, exchange: Exchange, form: Form, data: bytes) -> Answer:
    company = exchange.occasion.company
    sender = joined(form.fields["rutSender"], form.fields["dvSender"])
    known = world.registry.companies.get(company)
    lacks = world.asks_permission_at_the_gateway() and not world.registry.may(sender, company, "send")
    if sender != exchange.occasion.person or lacks:
        return _text(exchange, 401, "NO ESTA AUTENTICADO", "permission")
    if known is None or not known.authorised or not 0 < len(data) <= world.switches.max_upload_bytes:
        return _text(exchange, 400, "Bad Request")
    file = File("rest", sender, company, form.filename, data)
    again = world.duplicate(file) if world.switches.rest_dedupe else None
    if again is not None:
        exchange.track_id = again.track_id
        return _text(exchange, 400, repeated(again, world.switches.dedupe_window), "duplicate")
    contents: Element | Glance | str
    try:
        contents = open_file(data, frozenset({"EnvioBOLETA"}), world.switches)
        exchange.occasion.document_types = document_types(contents)
    except ObjectionError as objection:
        # This side takes any file; what its gateway dislikes shows later, as RSC.
        contents = str(objection)
    if len(exchange.occasion.document_types) > world.switches.max_rest_documents:
        return _text(exchange, 400, "Bad Request", "too many documents")
    upload = world.receive(exchange, file, contents)
    exchange.outcome = "REC"
    body = {
        "rut_emisor": company,
        "rut_envia": sender,
        "trackid": upload.track_id,
        "fecha_recepcion": stamp(upload.received_at),
        "estado": "REC",
        "file": form.filename,
    }
    answer = _json(body)
    answer.headers["X-Location"] = f"/boleta.electronica.envio/{company}-{upload.track_id}"
    answer.headers["X-Retry-After"] = "10"
    return answer


def _seed(world: World, exchange: Exchange) -> Answer:
    exchange.occasion.operation, exchange.outcome = "semilla", "00"
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None:
        return _made_up(world, exchange, rule)
    state = world.choose(world.switches.seed_state, ("0", "00"))
    seed = world.sessions.new_seed("rest")
    return _xml(response(world, f"<ESTADO>{state}</ESTADO>", f"<SEMILLA>{seed}</SEMILLA>"))


def _made_up(world: World, exchange: Exchange, rule: Rule) -> Answer:
    """The answer of a fault at the login."""
    said = words(rule, exchange)
    return instead(rule, exchange) if said is None else _xml(response(world, *said))


def _token(world: World, exchange: Exchange) -> Answer:
    exchange.occasion.operation = "token"
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None:
        return _made_up(world, exchange, rule)
    try:
        token = token_for(world, exchange, "rest", exchange.body.decode("utf-8", "replace"))
    except RefusedError as refused:
        return _xml(response(world, f"<ESTADO>{refused.state}</ESTADO><GLOSA>{refused.gloss}</GLOSA>"))
    return _xml(response(world, "<ESTADO>00</ESTADO><GLOSA>Token Creado</GLOSA>", f"<TOKEN>{token}</TOKEN>"))


async def _envelope_state(world: World, exchange: Exchange, body: str, digit: str, track: str) -> Answer:
    exchange.occasion.operation = "estado_envio"
    exchange.occasion.company, exchange.occasion.track_id = joined(body, digit), track
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None:
        return instead(rule, exchange)
    refused = _not_logged_in(world, exchange)
    if refused is not None:
        return refused
    upload = world.registry.uploads.get(int(track))
    visible = timedelta(seconds=world.switches.visibility_delay)
    if upload is None or upload.channel != "rest" or upload.company != exchange.occasion.company:
        return _text(exchange, 404, "No existe recurso")
    if world.clock.now() < upload.received_at + visible:
        return _text(exchange, 404, "No existe recurso", "not visible yet")
    state = await world.look(upload)
    exchange.outcome = state
    final = state not in {"REC", "SOK", "CRT", "FOK", "PDR"}
    detail = _detail(world, upload) if final else None
    return _json(
        {
            "rut_emisor": upload.company,
            "rut_envia": upload.sender,
            "trackid": upload.track_id,
            "fecha_recepcion": upload.received_at.strftime("%d/%m/%Y %H:%M:%S"),
            "estado": state,
            "estadistica": [{"tipo": t} | row for t, row in upload.counters().items()] if final else None,
            "detalle_rep_rech": detail or None,
        }
    )


async def _document_state(world: World, exchange: Exchange, path: re.Match[str]) -> Answer:
    exchange.occasion.operation = "estado_documento"
    company = joined(path.group(1), path.group(2))
    exchange.occasion.company = company
    exchange.identity = f"{company} {path.group(3)} {path.group(4)}"
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None:
        return instead(rule, exchange)
    refused = _not_logged_in(world, exchange)
    if refused is not None:
        return refused
    given = exchange.parameters()
    for name in ("rut_receptor", "dv_receptor", "monto", "fechaEmision"):
        if not given.get(name):
            exchange.outcome = f"falta {name}"
            return plain(200, f"falta {name}", "application/json")
    day = _DATE.fullmatch(given["fechaEmision"])
    issued_on = f"{day.group(3)}-{day.group(2)}-{day.group(1)}" if day else ""
    total = int(given["monto"]) if given["monto"].removeprefix("-").isdigit() else -1
    receiver = joined(given["rut_receptor"], given["dv_receptor"])
    identity = company, int(path.group(3)), int(path.group(4))
    code = await document_state(world, identity, Asked(receiver, total, issued_on))
    exchange.outcome = code
    return _json({"codigo": code, "descripcion": DOCUMENT_STATES[code][2]})


def _detail(world: World, upload: Upload) -> list[dict[str, Any]]:
    """Repaired and rejected documents with their findings; some without their type or folio, as seen."""
    rows: list[dict[str, Any]] = []
    if upload.findings:
        errors = [_error(f.code, f.text) for f in upload.findings]
        rows.append({"tipo": None, "folio": None, "estado": "RCH", "descripcion": "Envio Rechazado", "error": errors})
    return rows + [_row(document, world.random.random()) for document in upload.documents if document.findings]


def _row(document: Document, chance: float) -> dict[str, Any]:
    state = _STATES[document.state]
    errors = [_error(f.code, f.text) for f in document.findings]
    row: dict[str, Any] = {} if chance < 0.1 else {"tipo": document.document_type}  # noqa: PLR2004 - one in ten
    return row | {"folio": document.folio, "estado": state, "descripcion": _WORDS[state], "error": errors}


def _error(code: str, text: str) -> dict[str, Any]:
    section, level, number = code.split("-")
    words, _, detail = text.partition("[")
    return {
        "seccion": section,
        "linea": 0,
        "nivel": int(level),
        "codigo": int(number),
        "descripcion": words.strip(),
        "detalle": f"[{detail}" if detail else "",
    }


def _not_logged_in(world: World, exchange: Exchange) -> Answer | None:
    value = exchange.cookie_token()
    if not value:
        return _text(exchange, 400, "No trae TOKEN")
    if not isinstance(world.token(exchange, "rest", value), Token):
        return _text(exchange, 401, "NO ESTA AUTENTICADO", "token")
    return None


def _text(exchange: Exchange, status: int, text: str, why: str = "") -> Answer:
    exchange.outcome = f"{status} {text} ({why})" if why else f"{status} {text}"
    return plain(status, text + "\n")


def _wrong_host(exchange: Exchange) -> Answer:
    exchange.outcome = "500 wrong host"
    return Answer(500, _WRONG_HOST.encode("ascii"), "text/xml")


def _xml(inner: str) -> Answer:
    return Answer(200, f'<?xml version="1.0" encoding="UTF-8"?>\n{inner}\n'.encode(), "application/xml")


def _json(body: dict[str, Any]) -> Answer:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Answer(200, text.encode("utf-8"), "application/json; charset=UTF-8")
