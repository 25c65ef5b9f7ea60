"""The SOAP services of the ``dte`` host, and its log-in: a seed, and a token for the seed signed."""

from deploy.sandbox.sii import cession_queries, document_status, mail_again, upload_status
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.login import RefusedError, token_for
from deploy.sandbox.sii.soap import Service, response
from deploy.sandbox.sii.world import World


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


def services() -> dict[str, Service]:
    """The services by path."""
    table = (
        Service("/DTEWS/CrSeed.jws", {"getSeed": (get_seed, ())}),
        Service("/DTEWS/GetTokenFromSeed.jws", {"getToken": (get_token, ("pszXml",))}),
        upload_status.service(),
        *document_status.services(),
        mail_again.service(),
        cession_queries.service(),
    )
    return {service.path: service for service in table}
