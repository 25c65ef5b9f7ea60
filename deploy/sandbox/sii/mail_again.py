"""wsDTECorreo: asks for the mail with the result of an upload once more; it goes to the registered address."""

from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.rut import canonical, joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import Service, response
from deploy.sandbox.sii.world import World

_GLOSSES = {
    "0": "Requerimiento recibido OK.",
    "101": "Digito verificador de la empresa incorrecto",
    "102": "Faltan datos de entrada",
    "104": "Token inactivo o no existe",
    "105": "Trackid no existe",
    "106": "Usuario autenticado no tiene permiso sobre la empresa",
    "114": "Validacion del envio no ha terminado",
}


async def send_mail_again(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``reenvioCorreo``: the ESTADO says whether the mail was sent."""
    exchange.outcome = await _outcome(world, exchange, {name: text.strip() for name, text in values.items()})
    gloss = _GLOSSES[exchange.outcome]
    return response(
        world, f"<SII:ESTADO>{exchange.outcome}</SII:ESTADO><SII:GLOSA>{gloss}</SII:GLOSA>", empty_body=True
    )


async def get_environment(world: World, exchange: Exchange, _values: dict[str, str]) -> str:
    """``getEnv``: the name of the environment."""
    exchange.outcome = "0"
    return response(world, "<SII:ESTADO>0</SII:ESTADO>", f"<ENTORNO>{world.environment}</ENTORNO>")


def service() -> Service:
    """The service."""
    operation = send_mail_again, ("Token", "RutEmpresa", "DvEmpresa", "TrackId")
    return Service("/DTEWS/services/wsDTECorreo", {"reenvioCorreo": operation, "getEnv": (get_environment, ())})


async def _outcome(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    company = joined(values["RutEmpresa"], values["DvEmpresa"])
    exchange.occasion.track_id = values["TrackId"].lstrip("0")
    if values["RutEmpresa"] and values["DvEmpresa"] and canonical(company) is None:
        return "101"
    if not all(values.values()):
        return "102"
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        return "104"
    upload = world.registry.upload(values["TrackId"], company, "soap")
    if upload is None:
        return "105"
    if not world.registry.may(token.person, company):
        return "106"
    await world.look(upload)
    return "0" if await world.postbox.send_again(upload) else "114"
