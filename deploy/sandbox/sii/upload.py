"""DTEUpload: takes envelopes of invoices and notes, answers with a track id or with the reason why not.

The synchronous checks in their order, the first that fails answers. STATUS 0 is a receipt only. STATUS 99 says that the
same bytes came before, and under which track id (recorded in 2026).
"""

import re
from collections.abc import Sequence

from deploy.sandbox.sii.clock import stamp
from deploy.sandbox.sii.exchange import Answer, Exchange, html, plain
from deploy.sandbox.sii.faults import INSTEAD
from deploy.sandbox.sii.gateway import ObjectionError, document_types, is_let_in, open_file
from deploy.sandbox.sii.light import Glance
from deploy.sandbox.sii.misbehaviour import instead, upload_status
from deploy.sandbox.sii.multipart import ORDER, Form, read_form
from deploy.sandbox.sii.registry import BOOKS
from deploy.sandbox.sii.rut import joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.world import Earlier, File, World

PATH = "/cgi_dte/UPL/DTEUpload"
_ROOTS = frozenset({"EnvioDTE", "EnvioBOLETA"}) | BOOKS
_XML = "text/xml"
CUT_AT = 4096  # bytes that are left of a chunked file where chunks aren't refused (seen in 2026)
_CODED = re.compile(r"[A-Z]{3}-\d+|cvc-|Archivo ya fue enviado")
_MOST_ERRORS = 10  # how many faults of the schema an answer lists


async def dte_upload(world: World, exchange: Exchange) -> Answer:
    """Answer one POST of DTEUpload."""
    exchange.occasion.operation = "DTEUpload"
    form = read_form(exchange.header("Content-Type"), exchange.body)
    if exchange.method != "POST" or form is None:
        return _html_error(exchange, "no multipart form")
    if exchange.is_chunked() and world.switches.chunked == "refuse":
        exchange.outcome = "no Content-Length"
        return plain(400, "Bad Request")
    if not is_let_in(exchange.header("User-Agent"), world.switches):
        return _html_error(exchange, "User-Agent")
    exchange.occasion.company = joined(form.fields.get("rutCompany", ""), form.fields.get("dvCompany", ""))
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None:
        return instead(rule, exchange)
    return _received(world, exchange, form)


def _received(world: World, exchange: Exchange, form: Form) -> Answer:
    """The answer to a form that came whole."""
    if form.missing or form.file is None:
        return _html_error(exchange, "missing parts") if form.missing else _status(exchange, 3, world)
    if form.order != ORDER:
        if world.switches.part_order == "refuse":
            return _html_error(exchange, "parts in unusual order")
        exchange.warnings.append(f"parts in unusual order: {', '.join(form.order)}")
    refused = _refusal(world, exchange, form, form.file)
    return refused or _take(world, exchange, form, form.file[:CUT_AT] if exchange.is_chunked() else form.file)


def status_answer(status: int, *errors: str, loose: str = "") -> Answer:
    """An answer with a STATUS and, where there are reasons, a DETAIL with an ERROR each, or loose text."""
    if errors:
        text = f"<RECEPCIONDTE>\n <STATUS>{status}</STATUS>\n{_detail(errors)}</RECEPCIONDTE>\n"
    elif loose:
        text = f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n <STATUS>{status}</STATUS>\n  {loose}\n</RECEPCIONDTE>\n'
    else:
        text = f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n  <STATUS>{status}</STATUS>\n</RECEPCIONDTE>\n'
    return Answer(200, text.encode("iso-8859-1", "xmlcharrefreplace"), _XML)


def _detail(errors: Sequence[str]) -> str:
    lines = "".join(f"<ERROR>{error}</ERROR>\n" for error in errors)
    return f" <DETAIL>\n{lines}</DETAIL>\n"


def repeated(earlier: Earlier, window: float) -> str:
    """The text that says that the same file came before, and under which track id (recorded in 2026)."""
    named = "" if earlier.unreadable else f" con Trackid {earlier.track_id}"
    wait = f"Debe esperar {window:.0f} segundos antes de reintentar" if window >= 0 else "No reintente"
    return f"Archivo ya fue enviado {earlier.times} veces{named}. {wait}"


def _refusal(world: World, exchange: Exchange, form: Form, data: bytes) -> Answer | None:
    """The answer of the first check on sender, company and size that fails."""
    token = world.token(exchange, "soap", exchange.cookie_token())
    if not isinstance(token, Token):
        return _status(exchange, 5, world)
    company = exchange.occasion.company
    sender = joined(form.fields["rutSender"], form.fields["dvSender"])
    if sender != token.person:
        return _status(exchange, 1, world)
    if world.asks_permission_at_the_gateway() and not world.registry.may(sender, company, "send"):
        return _status(exchange, 1, world)
    known = world.registry.companies.get(company)
    if known is None or not known.authorised:
        return _status(exchange, 6, world)
    if not 0 < len(data) <= world.switches.max_upload_bytes:
        return _status(exchange, 2, world)
    return None if form.closed else _status(exchange, 3, world)


def _take(world: World, exchange: Exchange, form: Form, data: bytes) -> Answer:
    """Look at the bytes and store them."""
    company = exchange.occasion.company
    try:
        root = open_file(data, _ROOTS, world.switches)
    except ObjectionError as objection:
        exchange.outcome = f"STATUS 7 {objection}"
        return _refused(world, exchange, form, 7, str(objection))
    sender = joined(form.fields["rutSender"], form.fields["dvSender"])
    file = File("soap", sender, company, form.filename, data)
    again = world.duplicate(file)
    if again is not None:
        exchange.outcome, exchange.track_id = "STATUS 99", again.track_id
        return _refused(world, exchange, form, 99, repeated(again, world.switches.dedupe_window))
    faults = [] if isinstance(root, Glance) else world.gateway_schema_faults(root)
    if faults:
        exchange.outcome = "STATUS 7 schema"
        return _refused(world, exchange, form, 7, *faults[:_MOST_ERRORS])
    exchange.occasion.document_types = document_types(root)
    upload = world.receive(exchange, file, root)
    exchange.outcome = "STATUS 0"
    track = f" <STATUS>0</STATUS>\n\n\n <TRACKID>{upload.track_id:010}</TRACKID>\n\n</RECEPCIONDTE>\n"
    text = _particulars(world, exchange, form, sender) + track
    return Answer(200, text.encode("iso-8859-1", "xmlcharrefreplace"), _XML)


def _refused(world: World, exchange: Exchange, form: Form, status: int, *errors: str) -> Answer:
    """A refusal with its reasons: short as some have been recorded, or with the file's particulars as others."""
    texts = [_escaped(error) for error in errors]
    if world.choose(world.switches.status_form, ("minimal", "full")) == "minimal":
        return status_answer(status, *texts)
    sender = joined(form.fields["rutSender"], form.fields["dvSender"])
    inside = _detail(texts) if _CODED.match(errors[0]) else f"  {' '.join(texts)}\n"
    body = f"{_particulars(world, exchange, form, sender)} <STATUS>{status}</STATUS>\n{inside}</RECEPCIONDTE>\n"
    return Answer(200, body.encode("iso-8859-1", "xmlcharrefreplace"), _XML)


def _particulars(world: World, exchange: Exchange, form: Form, sender: str) -> str:
    """How a full answer begins."""
    return (
        f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n <RUTSENDER>{sender}</RUTSENDER>\n'
        f" <RUTCOMPANY>{exchange.occasion.company}</RUTCOMPANY>\n <FILE>{_escaped(form.filename)}</FILE>\n"
        f" <TIMESTAMP>{stamp(world.clock.now())}</TIMESTAMP>\n"
    )


def _status(exchange: Exchange, status: int, world: World) -> Answer:
    exchange.outcome = f"STATUS {status}"
    if world.choose(world.switches.status_form, ("minimal", "full")) == "minimal":
        return status_answer(status)
    return upload_status(status, "full")


def _html_error(exchange: Exchange, why: str) -> Answer:
    exchange.outcome = f"HTML error: {why}"
    return html(200, "Servicio de Impuestos Internos", "\n<h2>HA OCURRIDO UN ERROR EN EL UPLOAD</h2>\n")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
