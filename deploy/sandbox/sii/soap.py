"""The SOAP front of the ``dte`` host: Axis 1.x, rpc/encoded.

An operation is found by its local name and the number of its parameters, which are taken in the WSDL's order: clients
with live runs call it in ``http://DefaultNamespace``, in the URL of its ``.jws`` or in no namespace, and give
getEstUp's first parameters names of their own. Switches (`soap_namespace`, `soap_bind`) make it as strict as its
WSDLs. A parameter whose name ends in ``?`` here may be left out at the end. What it returns is an XML document escaped
as text. Prologs, line ends, prefixes and the charset of that text can vary as they do in recorded answers.
"""

from collections.abc import Awaitable, Callable
from html import escape as escape_all

from deploy.sandbox.sii.exchange import Answer, Exchange
from deploy.sandbox.sii.faults import INSTEAD
from deploy.sandbox.sii.misbehaviour import instead, words
from deploy.sandbox.sii.reading import SOAP, Element, NotXmlError, children, find, local, namespace, read
from deploy.sandbox.sii.rut import joined
from deploy.sandbox.sii.world import World
from deploy.sandbox.sii.wsdl import AXIS_NAMESPACE, INTERNAL_HOST, axis_wsdl

Operation = Callable[[World, Exchange, dict[str, str]], Awaitable[str]]

_HOST = {"certification": "https://maullin.sii.cl", "production": "https://palena.sii.cl"}
_XML = "text/xml; charset=utf-8"
_SCHEMA, _MANUAL = "http://www.sii.cl/XMLSchema", "http://www.sii.cl/xxx"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)


# Pairs of parameters that name the company a request is about.
_COMPANY = (
    ("RutCompania", "DvCompania"),
    ("RutEmpresa", "DvEmpresa"),
    ("RutEmpresa", "DVEmpresa"),
    ("RutEmisor", "DVEmisor"),
)


class Service:
    """One SOAP service: its operations and their parameters in order."""

    def __init__(self, path: str, operations: dict[str, tuple[Operation, tuple[str, ...]]]) -> None:
        self.path = path
        self.operations = operations | {name: (_fixed(name), ()) for name in _HOUSEKEEPING}

    async def call(self, world: World, exchange: Exchange) -> Answer:
        """Answer one request."""
        if exchange.method == "GET":
            table = {name: [p.rstrip("?") for p in names] for name, (_, names) in self.operations.items()}
            return Answer(200, axis_wsdl(self.path, table, described_host(world, exchange)).encode(), _XML)
        called = called_operation(exchange)
        if isinstance(called, Answer):
            return called
        name = local(called)
        exchange.occasion.operation = name
        operation, parameters = self.operations.get(name, (None, ()))
        by_place = world.switches.soap_bind == "position" and _counts(called, parameters)
        bound = by_place or binds(called, parameters)
        if operation is None or not self._namespace_is_right(world, called) or not bound:
            exchange.outcome = "no such operation"
            return fault(f"No such operation '{name}'")
        texts = ["".join(child.itertext()) for child in children(called)]
        names = [p.rstrip("?") for p in parameters] if by_place else [local(child) for child in children(called)]
        values = dict(zip(names, texts, strict=False))
        pair = next((pair for pair in _COMPANY if set(pair) <= set(values)), None)
        if pair is not None:
            exchange.occasion.company = joined(*(values[part] for part in pair))
        rule = world.faults.fire(INSTEAD, exchange.occasion)
        if rule is not None:
            said = words(rule, exchange)
            return instead(rule, exchange) if said is None else self._returned(world, name, response(world, *said))
        inner = await operation(world, exchange, values)
        return self._returned(world, name, inner)

    def _namespace_is_right(self, world: World, called: Element) -> bool:
        space, wanted = namespace(called), world.switches.soap_namespace
        if wanted == "any":
            return True
        is_own = space in {f"{host}{self.path}" for host in _HOST.values()}
        allowed = {"default": (True, False), "jws": (False, True), "both": (True, True)}
        default, jws = allowed[wanted]
        return (default and space == AXIS_NAMESPACE) or (jws and is_own)

    def _returned(self, world: World, name: str, inner: str) -> Answer:
        prefix = {"ns1": "ns1:", "none": ""}[world.choose(world.switches.return_prefix, ("none", "ns1"))]
        text = escape_all(_prolog(world) + inner, quote=True).replace("&#x27;", "&apos;").replace("\r", "&#xd;")
        body = (
            f"{_ENVELOPE}<soapenv:Body><ns1:{name}Response"
            ' soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
            f' xmlns:ns1="{_HOST[world.environment]}{self.path}">'
            f'<{prefix}{name}Return xsi:type="xsd:string">{text}</{prefix}{name}Return>'
            f"</ns1:{name}Response></soapenv:Body></soapenv:Envelope>"
        )
        charset = "utf8"
        if not body.isascii():
            charset = world.choose(world.switches.charset, ("utf8", "latin1_mislabelled"))
        if charset == "replacement_char":
            body = "".join(letter if letter.isascii() else "\N{REPLACEMENT CHARACTER}" for letter in body)
        return Answer(200, body.encode("iso-8859-1" if charset == "latin1_mislabelled" else "utf-8"), _XML)


def described_host(world: World, exchange: Exchange) -> str:
    """The host that a WSDL names: the one that was asked, as clients in use follow it, or the internal one."""
    asked = exchange.header("Host")
    if world.switches.wsdl_address == "internal" or not asked:
        return INTERNAL_HOST
    is_tls = asked.partition(":")[0].endswith(".sii.cl") or "https" in {
        address.partition(":")[0] for name, address in world.addresses.items() if name != "control"
    }
    return f"{'https' if is_tls else 'http'}://{asked}"


def fault(text: str) -> Answer:
    """HTTP 500 with an Axis fault."""
    body = (
        f"{_ENVELOPE}<soapenv:Body><soapenv:Fault><faultcode>soapenv:Client</faultcode>"
        f"<faultstring>{escape_all(text).replace('&#x27;', '&apos;')}</faultstring><detail/></soapenv:Fault>"
        "</soapenv:Body></soapenv:Envelope>\n"
    )
    return Answer(500, body.encode(), _XML)


def response(world: World, header: str, body: str = "", *, empty_body: bool = False) -> str:
    """The inner document: RESP_HDR and, where there is one, RESP_BODY, in either order.

    `empty_body`: an empty RESP_BODY stands there too.
    """
    head = f"<SII:RESP_HDR>{header}</SII:RESP_HDR>"
    tail = f"<SII:RESP_BODY>{body}</SII:RESP_BODY>" if body else "<SII:RESP_BODY/>" if empty_body else ""
    order = world.choose(world.switches.hdr_order, ("hdr_first", "body_first"))
    parts = head + tail if order == "hdr_first" else tail + head
    space = _MANUAL if not tail and world.switches.error_namespace == "manual" else _SCHEMA
    return f'<SII:RESPUESTA xmlns:SII="{space}">{parts}</SII:RESPUESTA>'


def _prolog(world: World) -> str:
    form = world.choose(world.switches.inner_form, ("plain", "encoding", "crlf"))
    return {
        "plain": '<?xml version="1.0"?>',
        "encoding": '<?xml version="1.0" encoding="UTF-8"?>\n',
        "crlf": '<?xml version="1.0" encoding="UTF-8"?>\r\n',
    }[form]


def called_operation(exchange: Exchange) -> Element | Answer:
    """The element of the operation that a request calls, or the fault that it deserves."""
    if "SOAPAction" not in exchange.headers:
        return fault("no SOAPAction header!")
    try:
        root = read(exchange.body)
    except NotXmlError as error:
        return fault(f"org.xml.sax.SAXParseException: {error}")
    body = find(root, "Body") if root.tag == f"{{{SOAP}}}Envelope" else None
    inside = [] if body is None else children(body)
    return inside[0] if inside else fault("Bad envelope: no operation in the Body")


def binds(called: Element, parameters: tuple[str, ...]) -> bool:
    """Whether the parameters are those of the WSDL, in its order; unqualified, or in the operation's own namespace."""
    inside = children(called)
    spaces = {namespace(child) for child in inside}
    needed = [name for name in parameters if not name.endswith("?")]
    given = [local(child) for child in inside]
    return given in (needed, [name.rstrip("?") for name in parameters]) and spaces <= {"", namespace(called)}


def _counts(called: Element, parameters: tuple[str, ...]) -> bool:
    """Whether an operation is called with as many parameters as it takes."""
    given, most = len(children(called)), len(parameters)
    return most - sum(name.endswith("?") for name in parameters) <= given <= most


_HOUSEKEEPING = ("getVersion", "getVersionMayor", "getVersionMenor", "getVersionPatch", "getState")


def _fixed(name: str) -> Operation:
    async def answer(world: World, _exchange: Exchange, _values: dict[str, str]) -> str:
        if name == "getState":
            return response(world, "<ESTADO>0</ESTADO><GLOSA>Servicio Disponible</GLOSA>")
        return response(world, "<ESTADO>0</ESTADO>", "<VERSION>1.0.0</VERSION>")

    return answer
