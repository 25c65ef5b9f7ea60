"""WSDL descriptions of the services, written from their tables of operations.

``.jws`` and ``services/`` are rpc/encoded, the registry of claims is rpc/literal. The address in each is the host that
was asked; the switch `wsdl_address` puts there the internal one that real ones of certification have been seen to
name: a client that trusts it fails here as it would there (SII protocol, 1.1).
"""

from collections.abc import Mapping, Sequence
from html import escape

AXIS_NAMESPACE = "http://DefaultNamespace"
CLAIMS_NAMESPACE = "http://ws.registroreclamodte.diii.sdi.sii.cl"
INTERNAL_HOST = "https://nogal.sii.cl"
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
_ENCODED = 'use="encoded" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
_EVENT = ("codEvento", "descEvento", "rutResponsable", "dvResponsable", "fechaEvento")

Operations = Mapping[str, Sequence[str]]


def axis_wsdl(path: str, operations: Operations, host: str = INTERNAL_HOST) -> str:
    """The description of an Axis service at a host: operations by name, their parameters in order, all strings."""
    name = path.rpartition("/")[2].removesuffix(".jws")
    replies = {operation: (f"{operation}Return", "xsd:string") for operation in operations}
    messages = _messages(operations, replies, asked="Request")
    names = {"port_type": name, "binding": f"{name}SoapBinding", "service": f"{name}Service", "port": name}
    body = f'{_ENCODED} namespace="{AXIS_NAMESPACE}"'
    return _document(AXIS_NAMESPACE, messages + _description(operations, names, body, host + path, asked="Request"))


def claims_wsdl(path: str, operations: Operations, results: Mapping[str, str], host: str = INTERNAL_HOST) -> str:
    """The description of the registry of claims; `results` names the XSD type that each operation returns."""
    types = (
        f'<types><xsd:schema targetNamespace="{CLAIMS_NAMESPACE}"><xsd:complexType name="respuestaTo"><xsd:sequence>'
        '<xsd:element name="codResp" type="xsd:int" minOccurs="0"/>'
        '<xsd:element name="descResp" type="xsd:string" minOccurs="0"/>'
        '<xsd:element name="listaEventosDoc" type="tns:dteEventoDocTo" nillable="true" minOccurs="0"'
        ' maxOccurs="unbounded"/></xsd:sequence></xsd:complexType><xsd:complexType name="dteEventoDocTo"><xsd:sequence>'
        + "".join(f'<xsd:element name="{tag}" type="xsd:string" minOccurs="0"/>' for tag in _EVENT)
        + "</xsd:sequence></xsd:complexType></xsd:schema></types>"
    )
    messages = _messages(operations, {name: ("return", kind) for name, kind in results.items()}, asked="")
    names = {
        "port_type": "RegistroReclamoDteService",
        "binding": "RegistroReclamoDteServicePortBinding",
        "service": "RegistroReclamoDteServiceEndpointService",
        "port": "RegistroReclamoDteServicePort",
    }
    body = f'use="literal" namespace="{CLAIMS_NAMESPACE}"'
    return _document(CLAIMS_NAMESPACE, types + messages + _description(operations, names, body, host + path, asked=""))


def _document(namespace: str, inside: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions targetNamespace="{namespace}"'
        f' xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="{namespace}" xmlns:wsdlsoap="{_SOAP}"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema">\n{inside}</definitions>\n'
    )


def _messages(operations: Operations, replies: Mapping[str, tuple[str, str]], *, asked: str) -> str:
    lines = []
    for name, parameters in operations.items():
        parts = "".join(f'<part name="{parameter}" type="xsd:string"/>' for parameter in parameters)
        part, kind = replies[name]
        lines += [
            f'<message name="{name}{asked}">{parts}</message>',
            f'<message name="{name}Response"><part name="{part}" type="{kind}"/></message>',
        ]
    return "\n".join(lines) + "\n"


def _description(operations: Operations, names: Mapping[str, str], body: str, address: str, *, asked: str) -> str:
    abstract, concrete = [], []
    for name, parameters in operations.items():
        order = f' parameterOrder="{" ".join(parameters)}"' if parameters else ""
        abstract.append(
            f'<operation name="{name}"{order}><input name="{name}Request" message="tns:{name}{asked}"/>'
            f'<output name="{name}Response" message="tns:{name}Response"/></operation>'
        )
        concrete.append(
            f'<operation name="{name}"><wsdlsoap:operation soapAction=""/>'
            f'<input name="{name}Request"><wsdlsoap:body {body}/></input>'
            f'<output name="{name}Response"><wsdlsoap:body {body}/></output></operation>'
        )
    port_type, binding = names["port_type"], names["binding"]
    return "\n".join(
        (
            f'<portType name="{port_type}">',
            *abstract,
            "</portType>",
            f'<binding name="{binding}" type="tns:{port_type}">',
            f'<wsdlsoap:binding style="rpc" transport="{_TRANSPORT}"/>',
            *concrete,
            "</binding>",
            f'<service name="{names["service"]}"><port name="{names["port"]}" binding="tns:{binding}">',
            f'<wsdlsoap:address location="{escape(address)}"/></port></service>\n',
        )
    )
