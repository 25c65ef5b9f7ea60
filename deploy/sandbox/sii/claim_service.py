"""The host ``reclamo``: acceptance and claims, as JAX-WS serves them (rpc/literal, the token as a cookie).

Only the types 33, 34 and 43. A bad token is a SOAP fault; everything else is a codResp (SII protocol, 9).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape

from deploy.sandbox.sii.answers import held_document
from deploy.sandbox.sii.claims import ACTIONS, CLAIMS, Event, term_is_over
from deploy.sandbox.sii.clock import SANTIAGO, stamp_day_first
from deploy.sandbox.sii.exchange import Answer, Exchange, html
from deploy.sandbox.sii.faults import INSTEAD
from deploy.sandbox.sii.misbehaviour import instead
from deploy.sandbox.sii.reading import SOAP, NotXmlError, children, find, local, namespace, read
from deploy.sandbox.sii.registry import Document
from deploy.sandbox.sii.restart import keep_event
from deploy.sandbox.sii.rut import canonical
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import binds, described_host
from deploy.sandbox.sii.world import World
from deploy.sandbox.sii.wsdl import CLAIMS_NAMESPACE, claims_wsdl

PATHS = {
    "certification": "/WSREGISTRORECLAMODTECERT/registroreclamodteservice",
    "production": "/WSREGISTRORECLAMODTE/registroreclamodteservice",
}
_DOCUMENT = ("rutEmisor", "dvEmisor", "tipoDoc", "folio")
_TYPES = frozenset({"33", "34", "43"})
_SINCE = datetime(2017, 1, 14, tzinfo=SANTIAGO)
_XML = "text/xml;charset=utf-8"
_ANNULS = 1
_CREDIT_NOTE = 61


@dataclass(frozen=True, slots=True)
class _Call:
    """An operation called by a person about a document that was received."""

    person: str
    document: Document
    received_at: datetime
    values: dict[str, str]


_Operation = Callable[[World, _Call], str]


async def claims(world: World, exchange: Exchange) -> Answer:
    """Answer one request of the host."""
    if exchange.path != PATHS[world.environment]:
        exchange.outcome = "404"
        return html(404, "404 Not Found", "<h1>Not Found</h1>")
    if exchange.method == "GET":
        table = {name: names for name, (_, names, _) in _OPERATIONS.items()}
        kinds = {name: kind for name, (_, _, kind) in _OPERATIONS.items()}
        return Answer(200, claims_wsdl(exchange.path, table, kinds, described_host(world, exchange)).encode(), _XML)
    try:
        root = read(exchange.body)
    except NotXmlError as error:
        return _fault(exchange, f"Couldn't create SOAP message due to exception: {error}")
    body = find(root, "Body") if root.tag == f"{{{SOAP}}}Envelope" else None
    called = children(body)[0] if body is not None and children(body) else None
    name = "" if called is None else local(called)
    operation, parameters, _ = _OPERATIONS.get(name, (None, (), ""))
    if called is None or operation is None or namespace(called) != CLAIMS_NAMESPACE or not binds(called, parameters):
        return _fault(exchange, f"Cannot find dispatch method for {{{CLAIMS_NAMESPACE}}}{name}")
    exchange.occasion.operation = name
    values = {local(child): "".join(child.itertext()).strip() for child in children(called)}
    exchange.occasion.company = f"{values.get('rutEmisor', '')}-{values.get('dvEmisor', '')}"
    exchange.identity = f"{exchange.occasion.company} {values.get('tipoDoc', '')} {values.get('folio', '')}"
    return await _answer(world, exchange, name, operation, values)


async def _answer(
    world: World, exchange: Exchange, name: str, operation: "_Operation", values: dict[str, str]
) -> Answer:
    disturbed = _disturbed(world, exchange, name)
    if disturbed is not None:
        return disturbed
    if name == "getVersion":
        return _returned(exchange, name, "1.2")
    token = world.token(exchange, "soap", exchange.cookie_token())
    if not isinstance(token, Token):
        return _fault(exchange, "Error de Autenticacion: TOKEN invalido")
    call = await _call(world, token.person, values)
    if isinstance(call, str):
        return _returned(exchange, name, "" if name == "consultarFechaRecepcionSii" else call)
    return _returned(exchange, name, operation(world, call))


def _disturbed(world: World, exchange: Exchange, name: str) -> Answer | None:
    """The answer of a fault, None when none fires."""
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is None:
        return None
    if rule.fault != "F-RCL-x":
        return instead(rule, exchange)
    exchange.faults.append(rule.fault)
    if "fault" in rule.args:
        return _fault(exchange, str(rule.args["fault"]))
    text = str(rule.args.get("text", "Error interno, reintente"))
    return _returned(exchange, name, _result(int(rule.args.get("code", -1)), text))


async def _call(world: World, person: str, values: dict[str, str]) -> _Call | str:
    """The call, or the result that says what is wrong with the document it names."""
    issuer = canonical(f"{values['rutEmisor']}-{values['dvEmisor']}")
    checks = (
        (issuer is None, 1, "Rut de emisor erroneo"),
        (not values["folio"].isdecimal() or int(values["folio"]) == 0, 2, "Folio erroneo"),
        (values["tipoDoc"] not in _TYPES, 3, "Tipo de documento erroneo"),
        (values.get("accionDoc", "ACD") not in ACTIONS, 4, "Accion erronea"),
    )
    for is_wrong, code, text in checks:
        if is_wrong:
            return _result(code, text)
    document = await held_document(world, (issuer or "", int(values["tipoDoc"]), int(values["folio"])))
    if document is None:
        return _result(18, "Documento no ha sido recibido")
    received_at = world.registry.uploads[document.track_id].received_at
    if received_at < _SINCE or document.issued_on < _SINCE.date().isoformat():
        return _result(10, "Documento no emitido o recibido desde el 14 de enero de 2017")
    return _Call(person, document, received_at, values)


def _enter(world: World, call: _Call) -> str:
    if not world.registry.may(call.person, call.document.receiver):
        return _result(17, "Solo el receptor puede registrar eventos en este documento")
    event = Event(call.values["accionDoc"], call.document.receiver, world.clock.now())
    code, text = world.claims.enter(call.document.identity, event, call.received_at)
    if code == 0:
        keep_event(world, call.document.identity, event)
    return _result(code, text)


def _events(world: World, call: _Call) -> str:
    parties = call.document.receiver, call.document.issuer
    if not any(world.registry.may(call.person, company) for company in parties):
        return _result(14, "Solo el receptor o el emisor puede consultar los eventos")
    events = sorted(world.claims.of(call.document.identity) + _note_events(world, call.document), key=lambda e: e.at)
    if not events:
        return _result(16, "Documento no presenta eventos registrados")
    asker = f"<rutToken>{call.person}</rutToken>" if world.switches.events_rut_token else ""
    return _result(15, "Listado de eventos del documento") + "".join(map(_shown, events)) + asker


def _cedible(world: World, call: _Call) -> str:
    identity = call.document.identity
    notes = _note_events(world, call.document) if call.document.annulled else []
    if any(event.code == "NCA" and not term_is_over(call.received_at, event.at) for event in notes):
        return _result(21, "DTE No Cedible, Anulado por NC dentro de 8 dias")
    said = {event.code for event in world.claims.of(identity)}
    if said & CLAIMS:
        return _result(24, "DTE No Cedible, Reclamado")
    if said:
        return _result(23, "DTE Cedible, Sin Reclamos")
    if term_is_over(call.received_at, world.clock.now()):
        return _result(25, "DTE Cedible, Transcurridos 8 dias desde la Recepcion")
    return _result(22, "DTE Sin Reclamos ni Recibo Registrado")


def _reception(_world: World, call: _Call) -> str:
    return stamp_day_first(call.received_at)


def _note_events(world: World, document: Document) -> list[Event]:
    """The credit notes on a document that show by now, as events of its issuer."""
    found = []
    for identity, (kind, code) in zip(document.noted_by, document.notes, strict=True):
        note = world.registry.documents.get(identity)
        if kind == _CREDIT_NOTE and note is not None and note.final_at <= world.clock.now():
            at = world.registry.uploads[note.track_id].received_at
            found.append(Event("NCA" if code == _ANNULS else "ENC", note.issuer, at))
    return found


def _shown(event: Event) -> str:
    number, _, digit = event.company.partition("-")
    return (
        f"<listaEventosDoc><codEvento>{event.code}</codEvento><descEvento>{escape(event.text)}</descEvento>"
        f"<rutResponsable>{number}</rutResponsable><dvResponsable>{digit}</dvResponsable>"
        f"<fechaEvento>{stamp_day_first(event.at)}</fechaEvento></listaEventosDoc>"
    )


def _result(code: int, text: str) -> str:
    return f"<codResp>{code}</codResp><descResp>{escape(text)}</descResp>"


def _returned(exchange: Exchange, name: str, inside: str) -> Answer:
    exchange.outcome = exchange.outcome or inside.partition("</codResp>")[0].removeprefix("<codResp>") or "empty"
    value = f"<return>{inside}</return>" if inside else "<return/>"
    text = (
        f'<S:Envelope xmlns:S="{SOAP}"><S:Body><ns2:{name}Response xmlns:ns2="{CLAIMS_NAMESPACE}">{value}'
        f"</ns2:{name}Response></S:Body></S:Envelope>"
    )
    return Answer(200, text.encode(), _XML)


def _fault(exchange: Exchange, text: str) -> Answer:
    exchange.outcome = text
    body = (
        f'<S:Envelope xmlns:S="{SOAP}"><S:Body><S:Fault xmlns:ns4="http://www.w3.org/2003/05/soap-envelope">'
        f"<faultcode>S:Server</faultcode><faultstring>{escape(text, quote=False)}</faultstring></S:Fault></S:Body>"
        "</S:Envelope>"
    )
    return Answer(500, body.encode(), _XML)


def _version(_world: World, _call: _Call) -> str:
    return "1.2"


_OPERATIONS: dict[str, tuple[_Operation, tuple[str, ...], str]] = {
    "ingresarAceptacionReclamoDoc": (_enter, (*_DOCUMENT, "accionDoc"), "tns:respuestaTo"),
    "listarEventosHistDoc": (_events, _DOCUMENT, "tns:respuestaTo"),
    "consultarDocDteCedible": (_cedible, _DOCUMENT, "tns:respuestaTo"),
    "consultarFechaRecepcionSii": (_reception, _DOCUMENT, "xsd:string"),
    "getVersion": (_version, (), "xsd:string"),
}
