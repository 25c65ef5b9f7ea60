"""QueryEstDte and QueryEstDteAv: whether a document was received, and whether it is the one the query describes.

The second also compares the value of the document's signature, so that it proves whose bytes were received; its
header has codes of its own (SII protocol, 7.2).
"""

import re
from dataclasses import dataclass

from deploy.sandbox.sii.amounts import figure
from deploy.sandbox.sii.answers import DOCUMENT_STATES, NOT_HELD, Asked, attention, document_state, token_states
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.registry import Identity
from deploy.sandbox.sii.rut import canonical, joined
from deploy.sandbox.sii.sessions import Token
from deploy.sandbox.sii.soap import Service, response
from deploy.sandbox.sii.world import World

_DATE = re.compile(r"(\d\d)(-?)(\d\d)\2(\d{4})")
_FIGURE = re.compile(r"\d{1,10}", re.ASCII)
_TOKEN_CODES = {"expired": "1", "unknown": "2"}
_BAD_INPUT, _NOT_AUTHORISED = "5", "9"


@dataclass(frozen=True, slots=True)
class _Query:
    """What both queries say of a document."""

    identity: Identity
    asked: Asked


async def get_document_state(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstDte``: whether a document was received and agrees with what the query says of it."""
    company = joined(values["RutCompania"], values["DvCompania"])
    exchange.identity = f"{company} {values['TipoDte']} {values['FolioDte']}"
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        exchange.outcome, gloss = token_states(world, token)
        return response(world, f"<ESTADO>{exchange.outcome}</ESTADO><GLOSA>{gloss}</GLOSA>")
    query = _read(world, company, values)
    if query is None:
        exchange.outcome = "-3"
        return response(world, "<ESTADO>-3</ESTADO><GLOSA_ESTADO>Error en Parametros de Entrada</GLOSA_ESTADO>")
    code = await document_state(world, query.identity, query.asked)
    exchange.outcome = code
    error, gloss, detail = DOCUMENT_STATES[code]
    return response(
        world,
        f"<ESTADO>{code}</ESTADO><GLOSA_ESTADO>{gloss}</GLOSA_ESTADO><ERR_CODE>{error}</ERR_CODE>"
        f"<GLOSA_ERR>{detail}</GLOSA_ERR>{attention(world)}",
    )


async def get_document_state_by_signature(world: World, exchange: Exchange, values: dict[str, str]) -> str:
    """``getEstDteAv``: the same, with the signature of the document compared too."""
    company = joined(values["RutEmpresa"], values["DvEmpresa"])
    exchange.identity = f"{company} {values['TipoDte']} {values['FolioDte']}"
    token = world.token(exchange, "soap", values["Token"])
    if not isinstance(token, Token):
        return _refused(world, exchange, _TOKEN_CODES[token])
    query = _read(world, company, values)
    signature = "".join(values["FirmaDte"].split())
    if query is None or not signature:
        return _refused(world, exchange, _BAD_INPUT)
    if not world.registry.may(token.person, company):
        return _refused(world, exchange, _NOT_AUTHORISED)
    code = await document_state(world, query.identity, query.asked, signature)
    exchange.outcome = code
    body = f"<RECIBIDO>{'NO' if code in NOT_HELD else 'SI'}</RECIBIDO><ESTADO>{code}</ESTADO>"
    body += f"<GLOSA>{DOCUMENT_STATES[code][2]}</GLOSA>"
    if world.choose(world.switches.document_av_form, ("plain", "extended")) == "extended" and code not in NOT_HELD:
        body += f"<TRACKID>{world.registry.documents[query.identity].track_id}</TRACKID>"
        body += f"<NUMATENCION>{world.random.randrange(1, 10**6)}</NUMATENCION>"
    return response(world, "<SII:ESTADO>0</SII:ESTADO>", body)


def services() -> tuple[Service, Service]:
    """The two services."""
    parties = [f"{part}{name}" for name in ("Consultante", "Compania", "Receptor") for part in ("Rut", "Dv")]
    document = ("TipoDte", "FolioDte", "FechaEmisionDte", "MontoDte")
    simple = get_document_state, (*parties, *document, "Token")
    own = ("RutEmpresa", "DvEmpresa", "RutReceptor", "DvReceptor")
    by_signature = get_document_state_by_signature, (*own, *document, "FirmaDte", "Token")
    return (
        Service("/DTEWS/QueryEstDte.jws", {"getEstDte": simple}),
        Service("/DTEWS/services/QueryEstDteAv", {"getEstDteAv": by_signature}),
    )


def _read(world: World, company: str, values: dict[str, str]) -> _Query | None:
    """The query behind the parameters, None when one of them can't be read."""
    day = _DATE.fullmatch(values["FechaEmisionDte"].strip())
    figures = [values[name].strip() for name in ("TipoDte", "FolioDte")]
    total = figure(values["MontoDte"].strip())
    if day is None or total is None or not all(_FIGURE.fullmatch(text) for text in figures) or not canonical(company):
        return None
    issued_on = f"{day.group(4)}-{day.group(3)}-{day.group(1)}"
    if day.group(2) and not world.switches.date_with_dashes:
        issued_on = ""
    receiver = joined(values["RutReceptor"], values["DvReceptor"])
    return _Query((company, int(figures[0]), int(figures[1])), Asked(receiver, total, issued_on))


def _refused(world: World, exchange: Exchange, code: str) -> str:
    exchange.outcome = code
    gloss = {
        "1": "Token Inactivo (expirado)",
        "2": "Token No Existe",
        _BAD_INPUT: "Error en Parametros de Entrada",
        _NOT_AUTHORISED: "Usuario No Autorizado en la Empresa",
    }[code]
    return response(world, f"<SII:ESTADO>{code}</SII:ESTADO><SII:GLOSA>{gloss}</SII:GLOSA>")
