"""The SOAP services of the ``dte`` host: seed, token, state of an upload, state of a document."""

import re
from datetime import timedelta

from deploy.sandbox.sii.amounts import figure
from deploy.sandbox.sii.answers import DOCUMENT_STATES, document_state, envelope_gloss
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.login import RefusedError, token_for
from deploy.sandbox.sii.registry import Upload
from deploy.sandbox.sii.rut import canonical, joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import Service, response
from deploy.sandbox.sii.world import World

_DATE = re.compile(r"(\d\d)(-?)(\d\d)\2(\d{4})")
_NOTE = 61
_TOKEN_STATES = {"unknown": ("003", "TOKEN NO EXISTE"), "expired": ("001", "TOKEN INACTIVO")}


async def get_seed(world: World, exchange: Exchange, _values: dict[str, str]) -> str:
    """``getSeed``: a seed of twelve digits."""
    exchange.outcome = "00"
    seed = world.sessions.new_seed("soap")
    return response(world, "<ESTADO>00</ESTADO>", f"<SEMILLA>{seed}</SEMILLA>")


async def get_token(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getToken``: a token for a signed seed, or the ESTADO that says why not."""
    try:
        token = token_for(world, exchange, "soap", values["pszXml"])
    except RefusedError as refused:
        return response(world, f"<ESTADO>{refused.state}</ESTADO><GLOSA>{refused.gloss}</GLOSA>")
    return response(world, "<ESTADO>00</ESTADO><GLOSA>Token Creado</GLOSA>", f"<TOKEN>{token}</TOKEN>")


async def get_upload_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstUp``: the state of an upload and, at its end, its counters."""
    company = joined(values["RutCompania"], values["DvCompania"])
    exchange.occasion.company = company
    exchange.occasion.track_id = values["TrackId"].strip().lstrip("0")
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        return _token_refused(world, exchange, token)
    if not world.registry.may(token.person, company):
        exchange.outcome = "106"
        return response(world, "<ESTADO>106</ESTADO><GLOSA>USUARIO AUTENTICADO NO TIENE PERMISOS SOBRE EMPRESA</GLOSA>")
    number = values["TrackId"].strip()
    upload = world.registry.uploads.get(int(number)) if number.isascii() and number.isdigit() else None
    if upload is None or upload.company != company or upload.channel != "soap":
        return _error_11(world, exchange, 1)
    if world.clock.now() < upload.received_at + timedelta(seconds=world.switches.visibility_delay):
        return _error_11(world, exchange, 2)
    state = await world.look(upload)
    exchange.outcome = state
    return _upload_state(world, upload, state)


async def get_document_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstDte``: whether a document was received and agrees with what the query says of it."""
    company = joined(values["RutCompania"], values["DvCompania"])
    receiver = joined(values["RutReceptor"], values["DvReceptor"])
    exchange.occasion.company = company
    exchange.identity = f"{company} {values['TipoDte']} {values['FolioDte']}"
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        return _token_refused(world, exchange, token)
    day = _DATE.fullmatch(values["FechaEmisionDte"].strip())
    figures = [values[name].strip() for name in ("TipoDte", "FolioDte")]
    total = figure(values["MontoDte"].strip())
    if day is None or total is None or not all(f.isascii() and f.isdigit() for f in figures) or not canonical(company):
        exchange.outcome = "-3"
        return response(world, "<ESTADO>-3</ESTADO><GLOSA_ESTADO>Error en Parametros de Entrada</GLOSA_ESTADO>")
    issued_on = f"{day.group(4)}-{day.group(3)}-{day.group(1)}"
    if day.group(2) and not world.switches.date_with_dashes:
        issued_on = ""
    identity = company, int(figures[0]), int(figures[1])
    code = await document_state(world, identity, receiver, total, issued_on)
    exchange.outcome = code
    error, gloss, detail = DOCUMENT_STATES[code]
    return response(
        world,
        f"<ESTADO>{code}</ESTADO><GLOSA_ESTADO>{gloss}</GLOSA_ESTADO><ERR_CODE>{error}</ERR_CODE>"
        f"<GLOSA_ERR>{detail}</GLOSA_ERR>{_attention(world)}",
    )


def services() -> dict[str, Service]:
    """The services by path."""
    parties = [f"{part}{name}" for name in ("Consultante", "Compania", "Receptor") for part in ("Rut", "Dv")]
    table = (
        Service("/DTEWS/CrSeed.jws", {"getSeed": (get_seed, ())}),
        Service("/DTEWS/GetTokenFromSeed.jws", {"getToken": (get_token, ("pszXml",))}),
        Service(
            "/DTEWS/QueryEstUp.jws", {"getEstUp": (get_upload_state, ("RutCompania", "DvCompania", "TrackId", "Token"))}
        ),
        Service(
            "/DTEWS/QueryEstDte.jws",
            {
                "getEstDte": (
                    get_document_state,
                    (*parties, "TipoDte", "FolioDte", "FechaEmisionDte", "MontoDte", "Token"),
                )
            },
        ),
    )
    return {service.path: service for service in table}


def _token_refused(world: World, exchange: Exchange, why: str) -> str:
    state, gloss = _TOKEN_STATES[why]
    exchange.outcome = state
    return response(world, f"<ESTADO>{state}</ESTADO><GLOSA>{gloss}</GLOSA>")


def _error_11(world: World, exchange: Exchange, code: int) -> str:
    exchange.outcome = f"-11/{code}"
    service = 1 if code == 1 else 0
    return response(
        world,
        f"<ESTADO>-11</ESTADO><ERR_CODE>{code}</ERR_CODE><SQL_CODE>0</SQL_CODE><SRV_CODE>{service}</SRV_CODE>",
    )


def _upload_state(world: World, upload: Upload, state: str) -> str:
    counters = _counters(world, upload) if state == "EPR" else ""
    track = f"<TRACKID>{upload.track_id:010}</TRACKID>"
    shown = f"<ESTADO>{state}</ESTADO><GLOSA>{envelope_gloss(state)}</GLOSA>"
    if world.choose(world.switches.upstatus_form, ("hdr", "hdr", "hdr", "estado0_in_hdr")) == "hdr":
        return response(world, f"{track}{shown}{_attention(world)}", counters)
    return response(world, "<ESTADO>0</ESTADO><GLOSA>consulta correcta</GLOSA>", f"{track}{shown}{counters}")


def _counters(world: World, upload: Upload) -> str:
    if upload.empty_answers > 0:
        upload.empty_answers -= 1
        return ""
    table = upload.forced.get("counters") if upload.forced else None
    rows = {int(k): v for k, v in table.items()} if table else upload.counters()
    single = len(rows) == 1 and (
        world.choose(world.switches.single_type_without_tipo, ("no", "no", "no", "yes")) == "yes"
    )
    parts = []
    for document_type, row in rows.items():
        if document_type == _NOTE and world.switches.omit_type_61 and len(rows) > 1:
            continue
        if not single:
            parts.append(f"<TIPO_DOCTO>{document_type}</TIPO_DOCTO><INFORMADOS>{row['informados']}</INFORMADOS>")
        parts.append(
            f"<ACEPTADOS>{row['aceptados']}</ACEPTADOS><RECHAZADOS>{row['rechazados']}</RECHAZADOS>"
            f"<REPAROS>{row['reparos']}</REPAROS>"
        )
    return "".join(parts)


def _attention(world: World) -> str:
    form = world.choose(world.switches.num_atencion, ("full", "digits", "absent"))
    number = world.random.randrange(1, 10**6)
    moment = world.clock.now().strftime("%Y/%m/%d %H:%M:%S")
    text = {"full": f"{number} ( {moment})", "digits": str(number), "absent": ""}[form]
    return f"<NUM_ATENCION>{text}</NUM_ATENCION>" if text else ""
