"""Descriptions (WSDL 1.1) of the SOAP services, complete enough for somebody else's client to be built from them.

As those of the real service: rpc/encoded, every parameter and result a string, unqualified, in a fixed order,
SOAPAction empty, everything in ``http://DefaultNamespace``.
"""

from collections.abc import Mapping, Sequence

NAMESPACE = "http://DefaultNamespace"
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_OPENING = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<wsdl:definitions targetNamespace="{NAMESPACE}"'
    f' xmlns:impl="{NAMESPACE}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"'
    ' xmlns:wsdlsoap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">\n'
)


def describe(service: str, operations: Mapping[str, Sequence[str]], address: str) -> str:
    """The WSDL of a service: its operations, each with its parameters in order, said to be served at `address`."""
    parts = [_OPENING]
    parts += [_messages(name, parameters) for name, parameters in operations.items()]
    parts += [f'<wsdl:portType name="{service}">\n', *map(_port_operation, operations), "</wsdl:portType>\n"]
    binding, transport = f"{service}SoapBinding", "http://schemas.xmlsoap.org/soap/http"
    parts.append(f'<wsdl:binding name="{binding}" type="impl:{service}">')
    parts += [f'<wsdlsoap:binding style="rpc" transport="{transport}"/>\n', *map(_bound_operation, operations)]
    parts.append(f'</wsdl:binding>\n<wsdl:service name="{service}Service">')
    parts.append(f'<wsdl:port binding="impl:{binding}" name="{service}"><wsdlsoap:address location="{address}"/>')
    return "".join((*parts, "</wsdl:port></wsdl:service>\n</wsdl:definitions>\n"))


def _messages(name: str, parameters: Sequence[str]) -> str:
    asked = "".join(f'<wsdl:part name="{parameter}" type="xsd:string"/>' for parameter in parameters)
    return (
        f'<wsdl:message name="{name}Request">{asked}</wsdl:message>\n<wsdl:message name="{name}Response">'
        f'<wsdl:part name="{name}Return" type="xsd:string"/></wsdl:message>\n'
    )


def _port_operation(name: str) -> str:
    return (
        f'<wsdl:operation name="{name}"><wsdl:input message="impl:{name}Request" name="{name}Request"/>'
        f'<wsdl:output message="impl:{name}Response" name="{name}Response"/></wsdl:operation>\n'
    )


def _bound_operation(name: str) -> str:
    body = f'<wsdlsoap:body encodingStyle="{_ENCODING}" namespace="{NAMESPACE}" use="encoded"/>'
    return (
        f'<wsdl:operation name="{name}"><wsdlsoap:operation soapAction=""/>'
        f'<wsdl:input name="{name}Request">{body}</wsdl:input>'
        f'<wsdl:output name="{name}Response">{body}</wsdl:output></wsdl:operation>\n'
    )
