"""The exact bytes of requests: SOAP envelopes, multipart forms, headers.

SOAP: Axis 1.x, rpc/encoded; parameters are unqualified, typed and in the WSDL's order; UTF-8 (SII, WSDLs of palena).
The registry of claims is JAX-WS, rpc/literal: parameters without types (SII, WSDL of registroreclamodteservice).
Forms: parts in the order of the manual, CRLF, file last. The boundary is derived from the file, so that a repeated
upload has the same bytes from first to last. User-Agent: ``PROG 1.0`` makes DTEUpload answer XML, and the boletas'
hosts refuse with 401 whatever isn't on their list (recorded in 2026).
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from domain import rut

UPLOAD_USER_AGENT: Final = "Mozilla/4.0 (compatible; PROG 1.0; Windows NT 5.0; YComp 5.0.2.4)"
REST_USER_AGENT: Final = "Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)"

SOAP_HEADERS: Final = (
    ("Content-Type", "text/xml; charset=utf-8"),
    ("SOAPAction", '""'),
    ("User-Agent", UPLOAD_USER_AGENT),
    ("Accept", "text/xml"),
)

CLAIMS_NAMESPACE: Final = "http://ws.registroreclamodte.diii.sdi.sii.cl"

_FILENAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_COOKIE_VALUE: Final = re.compile(r"[!-:<-~]+")  # visible ASCII but ';', which would end the cookie
_BOUNDARY_DIGITS: Final = 14


def soap_request(operation: str, namespace: str, parameters: Sequence[tuple[str, str]]) -> bytes:
    """Return the envelope that calls `operation` with (name, text) parameters, in UTF-8."""
    values = "".join(f'<{name} xsi:type="xsd:string">{escape(text)}</{name}>' for name, text in parameters)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<SOAP-ENV:Body><m:{operation} xmlns:m="{escape(namespace)}">{values}</m:{operation}></SOAP-ENV:Body>'
        "</SOAP-ENV:Envelope>"
    ).encode()


def claims_request(operation: str, parameters: Sequence[tuple[str, str]]) -> bytes:
    """Return the envelope that calls the registry of claims (rpc/literal, parameters unqualified), in UTF-8."""
    values = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parameters)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:ws="{CLAIMS_NAMESPACE}"><soapenv:Header/>'
        f"<soapenv:Body><ws:{operation}>{values}</ws:{operation}></soapenv:Body></soapenv:Envelope>"
    ).encode()


def upload_form(sender: str, company: str, filename: str, data: bytes) -> tuple[str, bytes]:
    """Return content type and body of an upload's form; RUTs canonical, `data` as signed (ISO-8859-1), untouched.

    Raises ValueError for a file name of other characters than letters, digits, ``._-``.
    """
    if not _FILENAME.fullmatch(filename):
        raise ValueError(f"{filename!r} can't be an upload's file name: letters, digits, '.', '_' and '-' only")
    boundary = _boundary(data)
    sender_body, sender_digit = rut.split(sender)
    company_body, company_digit = rut.split(company)
    fields = (
        ("rutSender", sender_body),
        ("dvSender", sender_digit.upper()),
        ("rutCompany", company_body),
        ("dvCompany", company_digit.upper()),
    )
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields
    )
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="archivo"; filename="{filename}"\r\n'
        "Content-Type: text/xml\r\n\r\n"
    )
    body = b"".join((head.encode("ascii"), data, f"\r\n--{boundary}--\r\n".encode("ascii")))
    return f"multipart/form-data; boundary={boundary}", body


def cookie(token: str) -> tuple[str, str]:
    """Return the header that carries a token; raises ValueError for one that can't stand in it."""
    if not _COOKIE_VALUE.fullmatch(token):
        raise ValueError("a token with characters that a cookie can't carry")
    return ("Cookie", f"TOKEN={token}")


def _boundary(data: bytes) -> str:
    """A boundary that doesn't occur in the file and is always the same for it."""
    digest = hashlib.sha256(data).hexdigest()
    for start in range(len(digest) - _BOUNDARY_DIGITS):
        boundary = "-" * 27 + digest[start : start + _BOUNDARY_DIGITS]
        if boundary.encode("ascii") not in data:
            return boundary
    raise ValueError("a file that holds every boundary made from its own digest")  # pragma: no cover - none can
