"""Who is there: a seed, signed, becomes a token. The same engine serves the SOAP and the REST side.

The order of the checks in the real service isn't known; this is the simulator's.
"""

import re

from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.lenient_login import LooseSeed, loosely_signed, read_seed
from deploy.sandbox.sii.reading import DSIG, Element, NotXmlError, children, find, local, read, text_of
from deploy.sandbox.sii.signatures import ENVELOPED, BadSignatureError, Signature, open_signature, verify
from deploy.sandbox.sii.world import World

_PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>")
_GLOSAS = {
    "01": " XML Invalido, (IOException) funcion valSignedXml",
    "02": " XML Invalido, (SAXException) funcion valSignedXml",
    "04": " XML Invalido, No existe Signature",
    "05": " XML Invalido, firma invalida, funcion valSignedXml\n    ",
    "06": " XML Invalido, No existe Semilla",
    "10": " ERROR RETORNO DATOS",
    "11": " XML Invalido, No existe Certificate",
    "21": " Clave publica no corresponde al Certificado",
    "-3": "Error en Autenticación ",
    "-07": "Error (12) parse ERROR en Validacion del RUT",
}


class RefusedError(Exception):
    """The login failed: `state` is the ESTADO, `gloss` the GLOSA."""

    def __init__(self, state: str, gloss: str | None = None) -> None:
        super().__init__(state)
        self.state = state
        self.gloss = _GLOSAS.get(state, "") if gloss is None else gloss


def token_for(world: World, exchange: Exchange, channel: str, document: str) -> str:
    """The token that a signed getToken document earns; raises RefusedError."""
    try:
        person = _person(world, exchange, channel, document)
    except RefusedError as refused:
        exchange.outcome = refused.state
        raise
    seed, rut = person
    exchange.occasion.person = rut
    exchange.outcome = "00"
    return world.sessions.open(channel, seed, rut)


def _person(world: World, exchange: Exchange, channel: str, document: str) -> tuple[str, str]:
    """Seed and RUT of the person who signed it."""
    if not document.strip():
        raise RefusedError("01")
    try:
        root = read(_PROLOG.sub("", document).strip().encode("utf-8"), "utf-8")
    except NotXmlError as error:
        raise RefusedError("02") from error
    element = _signature_element(root)
    loose = _loose(root, element) if world.switches.seed_signature == "lenient" else None
    seed = text_of(root, "item/Semilla") if loose is None else loose.seed
    if not seed:
        raise RefusedError("06")
    if world.switches.seed_checked == "first":
        _check_seed(world, channel, seed)
    if find(element, "KeyInfo/X509Data/X509Certificate") is None:
        raise RefusedError("11")
    signature = _loosely(world, exchange, loose, element) if loose else _verified(world, root, element)
    _check_seed(world, channel, seed)
    if signature.certificate.fault_at(world.clock.now()) is not None:
        raise RefusedError("-3")
    rut = signature.certificate.rut
    if rut is None or rut not in world.registry.persons:
        raise RefusedError("-07")
    return seed, rut


def _check_seed(world: World, channel: str, seed: str) -> None:
    fault = world.sessions.seed_fault(channel, seed)
    if fault is not None:
        raise RefusedError("08", f" {fault} ")


def _signature_element(root: Element) -> Element:
    found = list(root.iter(f"{{{DSIG}}}Signature"))
    if len(found) != 1:
        raise RefusedError("04")
    if any(e.prefix is not None for e in found[0].iter() if isinstance(e.tag, str)):
        raise RefusedError("10")
    return found[0]


def _loose(root: Element, element: Element) -> LooseSeed:
    try:
        return read_seed(root, element)
    except BadSignatureError as error:
        raise RefusedError("05") from error


def _loosely(world: World, exchange: Exchange, loose: LooseSeed, element: Element) -> Signature:
    try:
        signature, departures = loosely_signed(loose, element, world.certificates)
    except BadSignatureError as error:
        raise RefusedError("05") from error
    if not signature.key_matches:
        raise RefusedError("21")
    exchange.warnings.extend(f"seed: {departure}" for departure in departures)
    return signature


def _verified(world: World, root: Element, element: Element) -> Signature:
    if local(root) != "getToken" or [local(c) for c in children(root)] != ["item", "Signature"]:
        raise RefusedError("05")
    try:
        signature = open_signature(element, "", frozenset({ENVELOPED}), world.certificates)
    except BadSignatureError as error:
        raise RefusedError("05") from error
    if not signature.key_matches:
        raise RefusedError("21")
    if not verify(signature):
        raise RefusedError("05")
    return signature
