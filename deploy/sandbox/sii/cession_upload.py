"""RTCAnotEnvio: takes cession files (AEC). Its table of STATUS is its own (SII, RPETCEnvio 1.0, 2007).

Parts emailNotif, rutCompany, dvCompany, archivo: the sender is the token's person. Nothing here knows the same bytes
again: a file sent twice ends as RCS, because its cession is registered already.
"""

import asyncio
import hashlib
import sys
import traceback
from datetime import timedelta

from deploy.sandbox.sii.cession_checks import examine
from deploy.sandbox.sii.cessions import STATES, STEPS, AecUpload
from deploy.sandbox.sii.clock import stamp_day_first
from deploy.sandbox.sii.exchange import Answer, Exchange, html, plain
from deploy.sandbox.sii.faults import INSTEAD
from deploy.sandbox.sii.misbehaviour import instead
from deploy.sandbox.sii.multipart import Form, read_form
from deploy.sandbox.sii.restart import keep_cession, restore_cessions
from deploy.sandbox.sii.result_mail import Letter
from deploy.sandbox.sii.rut import joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.world import World

PATH = "/cgi_rtc/RTC/RTCAnotEnvio.cgi"
_PARTS = ("emailNotif", "rutCompany", "dvCompany")
_TURN = asyncio.Lock()  # files are examined one after the other
_TASKS: set[asyncio.Task[None]] = set()


async def cession_upload(world: World, exchange: Exchange) -> Answer:
    """Answer one POST of a cession file."""
    exchange.occasion.operation = "RTCAnotEnvio"
    form = read_form(exchange.header("Content-Type"), exchange.body)
    if exchange.method != "POST" or form is None or "PROG 1.0" not in exchange.header("User-Agent"):
        exchange.outcome = "HTML error"
        return html(200, "Servicio de Impuestos Internos", "\n<h2>HA OCURRIDO UN ERROR EN EL UPLOAD</h2>\n")
    if exchange.is_chunked():
        exchange.outcome = "no Content-Length"
        return plain(400, "Bad Request")
    exchange.occasion.company = joined(form.fields.get("rutCompany", ""), form.fields.get("dvCompany", ""))
    verdict = ""
    rule = world.faults.fire(INSTEAD, exchange.occasion)
    if rule is not None and rule.fault == "F-RTC-x":
        exchange.faults.append(rule.fault)
        if "verdict" not in rule.args:
            return _answer(world, exchange, form, int(rule.args.get("status", 10)))
        verdict = str(rule.args["verdict"])
    elif rule is not None:
        return instead(rule, exchange)
    status = _refusal(world, exchange, form)
    return _take(world, exchange, form, verdict) if status is None else _answer(world, exchange, form, status)


def _refusal(world: World, exchange: Exchange, form: Form) -> int | None:
    """The STATUS of the first check that fails."""
    if form.file is None or any(not form.fields.get(name) for name in _PARTS):
        return 4
    token = world.token(exchange, "soap", exchange.cookie_token())
    if not isinstance(token, Token):
        return 5
    if not world.registry.may(token.person, exchange.occasion.company, "send"):
        return 1
    company = world.registry.companies.get(exchange.occasion.company)
    if company is None or not company.authorised:
        return 6
    return None if 0 < len(form.file) <= world.switches.max_upload_bytes and form.closed else 2


def _take(world: World, exchange: Exchange, form: Form, verdict: str) -> Answer:
    """Store the file and let its examination begin, unless its verdict is given."""
    data = form.file or b""
    now = world.clock.now()
    timeline, at = {}, now
    for step in STEPS:
        at += timedelta(seconds=world.random.uniform(*world.switches.steps["SOK"]))
        timeline[step] = at
    upload = AecUpload(
        track_id=world.next_track_id("rtc"),
        sender=exchange.occasion.person,
        company=exchange.occasion.company,
        filename=form.filename,
        email=form.fields["emailNotif"],
        sha256=hashlib.sha256(data).hexdigest(),
        received_at=now,
        timeline=timeline,
        verdict=verdict,
    )
    world.keep(upload.track_id, data)
    world.cessions.uploads[upload.track_id] = upload
    keep_cession(world, upload)
    exchange.stored, exchange.track_id = True, upload.track_id
    _begin(world, upload, data)
    return _answer(world, exchange, form, 0, f" <TRACKID>{upload.track_id:010}</TRACKID>\n")


def resume(world: World) -> None:
    """Know the files again that came before a restart, and examine those that weren't yet."""
    restore_cessions(world)
    for upload in world.cessions.uploads.values():
        if upload.verdict:
            upload.examined.set()
        else:
            _begin(world, upload, world.journal.file(upload.track_id))


def _begin(world: World, upload: AecUpload, data: bytes) -> None:
    task = asyncio.get_running_loop().create_task(_examine(world, upload, data))
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


async def _examine(world: World, upload: AecUpload, data: bytes) -> None:
    async with _TURN:
        try:
            if not upload.verdict:
                await examine(world, upload, data)
        except Exception:  # noqa: BLE001 - a bug here must be seen and must not stop what comes after
            world.registry.errors.append(f"cession {upload.track_id}: {traceback.format_exc()}")
            traceback.print_exc(file=sys.stderr)
        finally:
            keep_cession(world, upload)
            upload.examined.set()
    world.postbox.expect_text(*_mail(upload))


def _mail(upload: AecUpload) -> tuple[Letter, str, str]:
    """The mail to the address that the form named, with its subject and text; its form isn't published."""
    letter = Letter(upload.track_id, upload.company, upload.email, upload.final_at, b"")
    reasons = "".join(f"  {finding.text}\n" for finding in upload.findings)
    text = (
        f"Identificador de Envio: {upload.track_id}\nArchivo: {upload.filename}\n"
        f"Estado: {upload.verdict} - {STATES.get(upload.verdict, '')}\n{reasons}"
    )
    return letter, f"Resultado de Envio de Cesion {upload.track_id} - {upload.company}", text


def _answer(world: World, exchange: Exchange, form: Form, status: int, track: str = "") -> Answer:
    exchange.outcome = f"STATUS {status}"
    sender = exchange.occasion.person or "-"
    name = form.filename.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = (
        f'<?xml version="1.0"?>\n<RECEPCIONAEC>\n <RUTSENDER>{sender}</RUTSENDER>\n'
        f" <RUTCOMPANY>{exchange.occasion.company}</RUTCOMPANY>\n <FILE>{name}</FILE>\n"
        f" <TIMESTAMP>{stamp_day_first(world.clock.now())}</TIMESTAMP>\n <STATUS>{status}</STATUS>\n{track}"
        "</RECEPCIONAEC>\n"
    )
    return Answer(200, text.encode("iso-8859-1", "xmlcharrefreplace"), "text/xml")
