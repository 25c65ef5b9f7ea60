"""What a fault does to an answer: at the door, instead of the work, or after it."""

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, timedelta
from email.utils import format_datetime

from deploy.sandbox.sii.catalogue import INSTEAD, OPERATIONS
from deploy.sandbox.sii.clock import Clock
from deploy.sandbox.sii.exchange import Answer, Exchange, html, plain
from deploy.sandbox.sii.faults import Rule
from deploy.sandbox.sii.hostile import hostile

_MAINTENANCE = (
    "<h1>Service Temporarily Unavailable</h1>\n<p>The server is temporarily unable to service your request due to "
    "maintenance downtime or capacity problems. Please try again later.</p>\n"
)
_UPLOAD_ERROR = "\n<h2>HA OCURRIDO UN ERROR EN EL UPLOAD</h2>\n"
_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
    "<env:Fault><faultcode>env:Client</faultcode><faultstring>Acceso Denegado (from client)</faultstring></env:Fault>"
    "</env:Body></env:Envelope>"
)
Maker = Callable[[Rule, Exchange], Answer]

_BODILESS_SEEDS = ("-1", "-2")
_MISUNDERSTOOD = 42
_LATE = {"F-LOST-2": 30.0, "F-SLOW": 25.0}
_SEED_GLOSAS = {"F-SEED-1": " TIME-OUT DEL SEED ", "F-SEED-2": " NO Existe SEED ", "F-SEED-3": " NO Existe SEED "}


def at_the_door(rule: Rule, exchange: Exchange, clock: Clock) -> Answer:
    """The answer of a fault that lets nothing through."""
    _note(rule, exchange)
    if rule.fault == "F-MAINT":
        return html(int(rule.args.get("status", 503)), "503 Service Temporarily Unavailable", _MAINTENANCE)
    header, seconds = str(rule.args.get("header", "x-retry-after")), float(rule.args.get("seconds", 60))
    return too_many(int(rule.args.get("status", 429)), header, seconds, clock)


def too_many(status: int, header: str, seconds: float, clock: Clock) -> Answer:
    """An answer that says: too many requests. `header` as the switch rate_header, `seconds` to wait."""
    answer = plain(status, "Too Many Requests\n" if status == 429 else "Intente mas tarde\n")  # noqa: PLR2004
    ends = clock.now() + timedelta(seconds=seconds)
    written = {
        "x-retry-after": {"X-Retry-After": f"{seconds:.0f}"},
        "retry-after": {"Retry-After": f"{seconds:.0f}"},
        "retry-after-date": {"Retry-After": format_datetime(ends.astimezone(UTC), usegmt=True)},
    }
    answer.headers |= written.get(header, {})
    if header == "x-retry-after":
        answer.headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{ends.timestamp():.0f}"}
    return answer


def instead(rule: Rule, exchange: Exchange) -> Answer:
    """The answer of a fault that does no work; for codes inside a RESPUESTA see `words`."""
    _note(rule, exchange)
    # A fault of another service's words, put on what has no such words.
    return _MADE.get(rule.fault, _unavailable)(rule, exchange)


def words(rule: Rule, exchange: Exchange) -> tuple[str, str] | None:
    """What stands in HDR and BODY of the RESPUESTA that a fault makes up; None when it isn't a matter of words."""
    operation = exchange.occasion.operation
    header = ""
    if rule.fault in _SEED_GLOSAS and operation in OPERATIONS["get_token"]:
        header = f"<ESTADO>08</ESTADO><GLOSA>{_SEED_GLOSAS[rule.fault]}</GLOSA>"
    elif rule.fault == "F-SEED-4":
        code = str(rule.args.get("estado", "-1" if operation in OPERATIONS["seed"] else "07"))
        gloss = "ERROR RETORNO" if code in _BODILESS_SEEDS else " MessageException"
        header = f"<ESTADO>{code}</ESTADO><GLOSA>{gloss}</GLOSA>"
    elif rule.fault == "F-STUCK-2" and operation == "getEstUp":
        header = "<ESTADO>-11</ESTADO><ERR_CODE>2</ERR_CODE><SQL_CODE>0</SQL_CODE><SRV_CODE>0</SRV_CODE>"
    elif rule.fault == "F-106" and operation == "getEstUp":
        header = "<ESTADO>106</ESTADO><GLOSA>USUARIO AUTENTICADO NO TIENE PERMISOS SOBRE EMPRESA</GLOSA>"
    elif rule.fault == "F-UNK" and operation in OPERATIONS["query"] | OPERATIONS["login"]:
        code = str(rule.args.get("estado", "ZZZ"))
        header = f"<ESTADO>{code}</ESTADO><GLOSA>{code}</GLOSA>"
    if not header:
        return None
    _note(rule, exchange)
    return header, ""


def after(rule: Rule, exchange: Exchange, answer: Answer, clock: Clock) -> Answer:
    """The answer that a fault makes of one whose work was done."""
    if rule.entry.kind == INSTEAD:
        outcome = exchange.outcome
        made = instead(rule, exchange)
        exchange.outcome = f"{outcome}, answered {rule.fault}"
        return made
    exchange.faults.append(rule.fault)
    if rule.fault == "F-LOST-8":
        clock.advance(float(rule.args.get("seconds", 901)))
    return _SPOILT[rule.fault](rule, answer)


def upload_status(status: int, form: str) -> Answer:
    """A refusal of DTEUpload in one of the forms seen: ``minimal``, ``full`` (with DETAIL), ``loose`` (bare text)."""
    if form == "minimal":
        body = f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n  <STATUS>{status}</STATUS>\n</RECEPCIONDTE>\n'
        return Answer(200, body.encode("ascii"), "text/xml")
    head = (
        " <RUTSENDER>-</RUTSENDER>\n <RUTCOMPANY>-</RUTCOMPANY>\n <FILE>-</FILE>\n"
        " <TIMESTAMP>2026-01-01 00:00:00</TIMESTAMP>\n"
    )
    text = "  Error en el envio\n" if form == "loose" else " <DETAIL>\n<ERROR>Error en el envio</ERROR>\n</DETAIL>\n"
    body = f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n{head} <STATUS>{status}</STATUS>\n{text}</RECEPCIONDTE>\n'
    return Answer(200, body.encode("ascii"), "text/xml")


def _unavailable(rule: Rule, _exchange: Exchange) -> Answer:
    answer = html(int(rule.args.get("status", 503)), "503 Service Temporarily Unavailable", _MAINTENANCE)
    answer.headers.update({str(k): str(v) for k, v in rule.args.get("headers", {}).items()})
    return answer


def _not_liked(_rule: Rule, exchange: Exchange) -> Answer:
    if exchange.occasion.host.startswith("boleta"):
        return plain(401, "NO ESTA AUTENTICADO\n")
    return html(200, "Servicio de Impuestos Internos", _UPLOAD_ERROR)


def _page(rule: Rule, _exchange: Exchange) -> Answer:
    """The page of a failed upload, or the one that says: too many sessions (ISO-8859-1)."""
    if rule.args.get("page") != "sessions":
        return html(200, "Servicio de Impuestos Internos", _UPLOAD_ERROR)
    alert = "<script>alert('Usted ha superado el máximo de sesiones autenticadas');</script>\n"
    return Answer(200, alert.encode("iso-8859-1"), "text/html")


def _status(default: int) -> Maker:
    return lambda rule, _exchange: upload_status(
        int(rule.args.get("status", default)), str(rule.args.get("form", "minimal"))
    )


def _unknown(rule: Rule, exchange: Exchange) -> Answer:
    """A code nobody knows, in the words of whatever was called."""
    operation = exchange.occasion.operation
    code = str(rule.args.get("estado", "ZZZ"))
    if operation == "estado_documento":
        return _json({"codigo": code, "descripcion": code})
    if operation == "estado_envio":
        return _json({"estado": code, "estadistica": None, "detalle_rep_rech": None})
    return _status(_MISUNDERSTOOD)(rule, exchange)


def _json(body: dict[str, object]) -> Answer:
    return Answer(200, json.dumps(body).encode("ascii"), "application/json; charset=UTF-8")


def _detail(error: str) -> Answer:
    text = f"<RECEPCIONDTE>\n <STATUS>7</STATUS>\n <DETAIL>\n<ERROR>{error}</ERROR>\n</DETAIL>\n</RECEPCIONDTE>\n"
    return Answer(200, text.encode("ascii"), "text/xml")


def _cut(rule: Rule, answer: Answer) -> Answer:
    """An answer that ends too early although its length is announced; an answer of the other format is left alone."""
    is_json = answer.content_type.startswith("application/json")
    if rule.fault in {"F-CUT-XML", "F-CUT-JSON"} and is_json != (rule.fault == "F-CUT-JSON"):
        return answer
    inside = re.search(rb'<TRACKID>|"trackid":', answer.body)
    default = inside.end() + 4 if rule.fault == "F-LOST-4" and inside else len(answer.body) // 2
    return dataclasses.replace(answer, cut_at=int(rule.args.get("bytes", default)))


def _slow(rule: Rule, answer: Answer) -> Answer:
    if "bytes_per_second" in rule.args:
        return dataclasses.replace(answer, trickle=float(rule.args["bytes_per_second"]))
    return dataclasses.replace(answer, delay=float(rule.args.get("seconds", _LATE[rule.fault])))


def _lost(_rule: Rule, answer: Answer) -> Answer:
    return dataclasses.replace(answer, lost=True)


def _note(rule: Rule, exchange: Exchange) -> None:
    exchange.faults.append(rule.fault)
    exchange.outcome = rule.fault


_MADE: dict[str, Maker] = {
    "F-HTTP-503": _unavailable,
    "F-500-LIT": lambda rule, _exchange: plain(int(rule.args.get("status", 200)), "Error 500", "text/html"),
    "F-HTML-UP": _page,
    "F-HOST": lambda _rule, _exchange: Answer(500, _DENIED.encode("ascii"), "text/xml"),
    "F-UA-1": _not_liked,
    "F-106": lambda _rule, _exchange: plain(401, "NO ESTA AUTENTICADO\n"),
    "F-STUCK-2": lambda _rule, _exchange: plain(404, "No existe recurso\n"),
    "F-404": lambda _rule, _exchange: plain(404, "No existe recurso\n"),
    "F-TXT200": lambda _rule, _exchange: plain(200, "falta rut_receptor", "application/json"),
    "F-LINE": lambda _rule, _exchange: _detail("CHR-00002: Line too long (4090)"),
    "F-UNK": _unknown,
    "F-9": _status(9),
    "F-STATUS-n": _status(1),
}

_SPOILT: dict[str, Callable[[Rule, Answer], Answer]] = {
    "F-LOST-1": _lost,
    "F-LOST-2": _slow,
    "F-LOST-4": _cut,
    "F-LOST-5": lambda _rule, answer: dataclasses.replace(answer, body=b""),
    "F-LOST-6": _lost,
    "F-LOST-7": lambda rule, answer: dataclasses.replace(answer, held=rule.released),
    "F-LOST-8": _lost,
    "F-SLOW": _slow,
    "F-CUT-XML": _cut,
    "F-CUT-JSON": _cut,
    "F-XXE": lambda rule, answer: hostile(answer, rule.args),
}
