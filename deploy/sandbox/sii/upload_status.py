"""QueryEstUp: the state of an upload, and at its end its counters, in the forms that have been recorded.

Counters come as flat siblings, in groups that begin at each TIPO_DOCTO; a group may lack its type, type 61 may be
missing, the first answer of EPR may have no counters at all, and ESTADO may stand in the body behind a 0 in the header.
"""

from datetime import timedelta

from deploy.sandbox.sii.answers import attention, token_states
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.glosses import envelope_gloss
from deploy.sandbox.sii.registry import Upload
from deploy.sandbox.sii.rut import joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import Service, response
from deploy.sandbox.sii.world import World

_NOTE = 61


async def get_upload_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstUp``: the state of an upload and, at its end, its counters."""
    company = joined(values["RutCompania"], values["DvCompania"])
    exchange.occasion.track_id = values["TrackId"].strip().lstrip("0")
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        exchange.outcome, gloss = token_states(world, token)
        return response(world, f"<ESTADO>{exchange.outcome}</ESTADO><GLOSA>{gloss}</GLOSA>")
    if not world.registry.may(token.person, company):
        return _error_106(world, exchange, "USUARIO AUTENTICADO NO TIENE PERMISOS SOBRE EMPRESA")
    upload = world.registry.upload(values["TrackId"], company, "soap")
    if upload is None:
        if world.switches.unknown_track == "106":
            return _error_106(world, exchange, "TrackId no encontrado")
        return _error_11(world, exchange, 1)
    if world.clock.now() < upload.received_at + timedelta(seconds=world.switches.visibility_delay):
        return _error_11(world, exchange, 2)
    state = await world.look(upload)
    exchange.outcome = state
    return _upload_state(world, upload, state)


def service() -> Service:
    """The service."""
    operation = get_upload_state, ("RutCompania", "DvCompania", "TrackId", "Token")
    return Service("/DTEWS/QueryEstUp.jws", {"getEstUp": operation})


def _error_106(world: World, exchange: Exchange, gloss: str) -> str:
    exchange.outcome = "106"
    return response(world, f"<ESTADO>106</ESTADO><GLOSA>{gloss}</GLOSA>")


def _error_11(world: World, exchange: Exchange, code: int) -> str:
    exchange.outcome = f"-11/{code}"
    source = 1 if code == 1 else 0
    return response(
        world,
        f"<ESTADO>-11</ESTADO><ERR_CODE>{code}</ERR_CODE><SQL_CODE>0</SQL_CODE><SRV_CODE>{source}</SRV_CODE>",
    )


def _upload_state(world: World, upload: Upload, state: str) -> str:
    counters = _counters(world, upload) if state == "EPR" else ""
    padded = f"<TRACKID>{upload.track_id:010}</TRACKID>"
    plain = f"<TRACKID>{upload.track_id}</TRACKID>"
    shown = f"<ESTADO>{state}</ESTADO><GLOSA>{envelope_gloss(state)}</GLOSA>"
    if world.choose(world.switches.upstatus_form, ("hdr", "hdr", "hdr", "estado0_in_hdr")) == "hdr":
        return response(world, f"{plain if upload.is_book else padded}{shown}{attention(world)}", counters)
    return response(world, "<ESTADO>0</ESTADO><GLOSA>consulta correcta</GLOSA>", f"{plain}{shown}{counters}")


def _counters(world: World, upload: Upload) -> str:
    if _is_early(world, upload):
        return ""
    rows = upload.shown_counters()
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


def _is_early(world: World, upload: Upload) -> bool:
    """Whether this answer of EPR comes before its counters: by a fault, or the first one by chance."""
    if upload.empty_answers > 0:
        upload.empty_answers -= 1
        return True
    upload.looks += 1
    early = world.switches.early_epr
    return upload.looks == 1 and early > 0 and world.random.random() < early
