"""wsRPETCConsulta: what became of a cession file, and who holds a document.

``getEstCesion`` says to anybody that a document was ceded; who names the cession (IdCesion, the track id of its file)
is told its particulars. ``getEstCesionRelac`` tells them to a company that is party to the document (SII,
wsRPETCConsulta 1.2, 2008; what IdCesion is in the real service isn't published).
"""

from deploy.sandbox.sii.cessions import STATES, Cession
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.registry import Identity
from deploy.sandbox.sii.rut import canonical
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import Service, response
from deploy.sandbox.sii.world import World

_DATA_ERROR, _NOTHING, _NO_PERMISSION, _NOT_LINKED = "1", "2", "10", "-15"
_TOKEN_CODES = {"expired": ("3", "Token Inactivo"), "unknown": ("4", "Token No Existe")}


async def get_file_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstEnvio``: the state of a cession file."""
    exchange.occasion.track_id = values["TrackId"].strip().lstrip("0")
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        return _refused(world, exchange, *_TOKEN_CODES[token])
    number = values["TrackId"].strip()
    if not number.isascii() or not number.isdigit():
        return _refused(world, exchange, _DATA_ERROR, "Error en Datos de Entrada")
    upload = world.cessions.uploads.get(int(number))
    if upload is None:
        return _refused(world, exchange, _NOTHING, "No Hay Informacion")
    exchange.occasion.company = upload.company
    if not world.registry.may(token.person, upload.company):
        return _not_permitted(world, exchange, token.person, upload.company)
    await upload.examined.wait()
    state = upload.state(world.clock.now())
    exchange.outcome = state
    body = f"<TRACKID>{upload.track_id}</TRACKID><ESTADO_ENVIO>{state}</ESTADO_ENVIO>"
    return response(world, "<SII:ESTADO>0</SII:ESTADO>", f"{body}<DESC_ESTADO>{STATES[state]}</DESC_ESTADO>")


async def get_cession_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstCesion``: whether a document was ceded."""
    found = await _ceded(world, exchange, values)
    if isinstance(found, str):
        return found
    _, _, cessions = found
    wanted = values.get("IdCesion", "").strip()
    if not wanted:
        exchange.outcome = "0"
        return response(world, "<SII:ESTADO>0</SII:ESTADO><SII:GLOSA>Documento Cedido</SII:GLOSA>", empty_body=True)
    named = next((cession for cession in cessions if str(cession.track_id) == wanted.lstrip("0")), None)
    if named is None:
        return _refused(world, exchange, _NOTHING, "No Hay Informacion")
    return _particulars(world, exchange, named)


async def get_related_cession_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstCesionRelac``: who holds a document, for a company that is party to it."""
    found = await _ceded(world, exchange, values)
    if isinstance(found, str):
        return found
    person, identity, cessions = found
    company = canonical(f"{values['RutEmpresa']}-{values['DVEmpresa']}")
    if company is None:
        return _refused(world, exchange, _DATA_ERROR, "Error en Datos de Entrada")
    if not world.registry.may(person, company):
        return _not_permitted(world, exchange, person, company)
    document = world.registry.documents[identity]
    parties = {document.issuer, document.receiver}
    parties |= {party for cession in cessions for party in (cession.cedente, cession.cesionario)}
    if company not in parties:
        return _refused(world, exchange, _NOT_LINKED, "Empresa No Relacionada con el Documento")
    return _particulars(world, exchange, cessions[-1])


def service() -> Service:
    """The service."""
    document = ("Token", "RutEmisor", "DVEmisor", "TipoDoc", "FolioDoc")
    return Service(
        "/DTEWS/services/wsRPETCConsulta",
        {
            "getEstEnvio": (get_file_state, ("Token", "TrackId")),
            "getEstCesion": (get_cession_state, (*document, "IdCesion?")),
            "getEstCesionRelac": (get_related_cession_state, (*document, "RutEmpresa", "DVEmpresa")),
        },
    )


async def _ceded(world: World, exchange: Exchange, values: dict[str, str]) -> tuple[str, Identity, list[Cession]] | str:
    """Who asks, about which document, and its cessions; or the answer that there is nothing to say."""
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        return _refused(world, exchange, *_TOKEN_CODES[token])
    issuer = canonical(f"{values['RutEmisor']}-{values['DVEmisor']}")
    figures = values["TipoDoc"].strip(), values["FolioDoc"].strip()
    if issuer is None or not all(figure.isascii() and figure.isdigit() for figure in figures):
        return _refused(world, exchange, _DATA_ERROR, "Error en Datos de Entrada")
    identity = issuer, int(figures[0]), int(figures[1])
    exchange.identity = "{} {} {}".format(*identity)
    for upload in world.cessions.uploads.values():
        await upload.examined.wait()
    cessions = world.cessions.of(identity, world.clock.now())
    if not cessions:
        return _refused(world, exchange, _NOTHING, "Documento No Cedido")
    return token.person, identity, cessions


def _particulars(world: World, exchange: Exchange, cession: Cession) -> str:
    exchange.outcome = "0"
    sworn = "<DEC_JURADA>EXISTE</DEC_JURADA>" if cession.is_sworn else ""
    return response(
        world,
        "<SII:ESTADO>0</SII:ESTADO>",
        f"<RUT_TENEDOR>{cession.cesionario}</RUT_TENEDOR>"
        f"<FECHA_ULT_ANOT>{cession.at:%Y-%m-%d %H:%M:%S}</FECHA_ULT_ANOT>{sworn}",
    )


def _not_permitted(world: World, exchange: Exchange, person: str, company: str) -> str:
    text = f"Usuario [{person}] sin permiso en empresa [{company}]"
    return _refused(world, exchange, _NO_PERMISSION, text)


def _refused(world: World, exchange: Exchange, code: str, text: str) -> str:
    exchange.outcome = code
    return response(world, f"<SII:ESTADO>{code}</SII:ESTADO><SII:GLOSA>{text}</SII:GLOSA>")
