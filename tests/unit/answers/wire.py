"""Answers of the SII, written anew in the shapes that its services use."""

from xml.sax.saxutils import escape


def soap(inner: str, *, operation: str = "getEstUp", prefix: str = "ns1:", encoding: str = "utf-8") -> bytes:
    """A SOAP answer whose return value is `inner`, escaped as text."""
    declared = f' xmlns:{prefix[:-1]}="https://sii.test/DTEWS/Service.jws"' if prefix else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<{prefix}{operation}Response{declared}><{prefix}{operation}Return xsi:type="xsd:string">{escape(inner)}'
        f"</{prefix}{operation}Return></{prefix}{operation}Response></soapenv:Body></soapenv:Envelope>"
    ).encode(encoding)


def fault(text: str) -> bytes:
    """A fault as Axis 1 writes it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope'
        ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>soapenv:Client</faultcode><faultstring>{escape(text)}</faultstring><detail/>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    ).encode()


def respuesta(header: str = "", body: str = "", *, namespace: str = "http://www.sii.cl/XMLSchema") -> str:
    """The inner document, body first (the service isn't consistent; the other order has its own tests)."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<SII:RESPUESTA xmlns:SII="{namespace}"><SII:RESP_BODY>{body}</SII:RESP_BODY>'
        f"<SII:RESP_HDR>{header}</SII:RESP_HDR></SII:RESPUESTA>"
    )


def counters(document_type: int, accepted: int, rejected: int, repaired: int) -> str:
    """One group of flat siblings."""
    return (
        f"<TIPO_DOCTO>{document_type}</TIPO_DOCTO><INFORMADOS>{accepted + rejected + repaired}</INFORMADOS>"
        f"<ACEPTADOS>{accepted}</ACEPTADOS><RECHAZADOS>{rejected}</RECHAZADOS><REPAROS>{repaired}</REPAROS>"
    )


def receipt(status: str, rest: str = "") -> bytes:
    """An answer of DTEUpload with its stray blank lines."""
    return (
        '<?xml version="1.0"?>\n<RECEPCIONDTE>\n <RUTSENDER>76900102-6</RUTSENDER>\n'
        " <RUTCOMPANY>76900101-8</RUTCOMPANY>\n <FILE>EnvioDTE_trackid_12.xml</FILE>\n"
        f" <TIMESTAMP>2026-11-24 10:00:00</TIMESTAMP>\n <STATUS>{status}</STATUS>\n\n\n{rest}\n</RECEPCIONDTE>\n"
    ).encode("iso-8859-1")


UNAVAILABLE = (
    b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>"
    b"<h1>Service Temporarily Unavailable</h1></body></html>"
)
