"""A plain client of the simulator's services, written from the protocol's description for these tests."""

import email
import email.policy
import html
import re
import uuid
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Self

import httpx

from tests.integration.simulator.documents import COMPANY, RECEIVER
from tests.integration.simulator.signing import Person, signed_get_token

AGENT = "Mozilla/4.0 (compatible; PROG 1.0; Windows NT 5.0; YComp 5.0.2.4)"
REST_AGENT = "Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)"
_NAMESPACE = "http://DefaultNamespace"


@dataclass
class Answer:
    """The inner document of a SOAP answer, or a REST one: elements by local name, in order."""

    text: str

    def all(self, tag: str) -> list[str]:
        return re.findall(rf"<(?:\w+:)?{tag}>([^<]*)</", self.text)

    def get(self, tag: str) -> str:
        found = self.all(tag)
        return found[0].strip() if found else ""

    @property
    def state(self) -> str:
        """ESTADO, from wherever it stands: a HDR of 0 means that the body has it."""
        states = self.all("ESTADO")
        return states[-1] if states and states[0] == "0" and "TRACKID" in self.text else self.get("ESTADO")


@dataclass
class Sii:
    """The running simulator, with the sessions of one person."""

    hosts: dict[str, str]
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, self.hosts["control"] + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw_soap(self, service: str, body: str | bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        chosen = {"SOAPAction": '""'} if headers is None else headers
        return self.http.post(
            f"{self.hosts['dte']}/DTEWS/{service}", content=body, headers={"Content-Type": "text/xml"} | chosen
        )

    def soap(self, service: str, operation: str, parameters: dict[str, str]) -> Answer:
        answer = self.raw_soap(service, soap_body(operation, parameters))
        assert answer.status_code == 200, answer.text
        return Answer(inner(answer.content))

    def seed(self) -> str:
        return self.soap("CrSeed.jws", "getSeed", {}).get("SEMILLA")

    def get_token(self, document: str) -> Answer:
        return self.soap("GetTokenFromSeed.jws", "getToken", {"pszXml": document})

    def login(self, person: Person) -> str:
        token = self.get_token(signed_get_token(person, self.seed())).get("TOKEN")
        assert len(token) == 13
        return token

    def rest_login(self, person: Person) -> str:
        seed = Answer(self.http.get(self.hosts["boleta_api"] + "/recursos/v1/boleta.electronica.semilla").text)
        answer = self.http.post(
            self.hosts["boleta_api"] + "/recursos/v1/boleta.electronica.token",
            content=signed_get_token(person, seed.get("SEMILLA")).encode(),
            headers={"Content-Type": "application/xml"},
        )
        token = Answer(answer.text).get("TOKEN")
        assert len(token) == 13, answer.text
        return token

    def upload(
        self,
        token: str,
        data: bytes,
        *,
        sender: str,
        company: str = COMPANY,
        agent: str = AGENT,
        rest: bool = False,
    ) -> httpx.Response:
        boundary = uuid.uuid4().hex
        path = "/recursos/v1/boleta.electronica.envio" if rest else "/cgi_dte/UPL/DTEUpload"
        headers = {"User-Agent": agent, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        if token:
            headers["Cookie"] = f"TOKEN={token}"
        return self.http.post(
            self.hosts["boleta_up" if rest else "dte"] + path,
            content=form(boundary, sender, company, data),
            headers=headers,
        )

    def envelope_state(self, token: str, track_id: str, company: str = COMPANY) -> Answer:
        body, digit = company.split("-")
        parameters = {"RutCompania": body, "DvCompania": digit, "TrackId": track_id, "Token": token}
        return self.soap("QueryEstUp.jws", "getEstUp", parameters)

    def document_state(
        self, token: str, person: Person, document_type: int, folio: int, day: str, total: int, receiver: str = RECEIVER
    ) -> Answer:
        year, month, date = day.split("-")
        pairs = (("Consultante", person.rut), ("Compania", COMPANY), ("Receptor", receiver))
        parameters = {}
        for name, rut in pairs:
            parameters[f"Rut{name}"], parameters[f"Dv{name}"] = rut.split("-")
        parameters |= {
            "TipoDte": str(document_type),
            "FolioDte": str(folio),
            "FechaEmisionDte": date + month + year,
            "MontoDte": str(total),
            "Token": token,
        }
        return self.soap("QueryEstDte.jws", "getEstDte", parameters)

    def by_signature(self, token: str, document: dict[str, str], signature: str) -> Answer:
        """QueryEstDteAv; `document` has the eight parameters that describe one."""
        parameters = document | {"FirmaDte": signature, "Token": token}
        return self.soap("services/QueryEstDteAv", "getEstDteAv", parameters)

    def mail_again(self, token: str, track_id: str, company: str = COMPANY) -> Answer:
        body, digit = company.split("-")
        parameters = {"Token": token, "RutEmpresa": body, "DvEmpresa": digit, "TrackId": track_id}
        return self.soap("services/wsDTECorreo", "reenvioCorreo", parameters)

    def mail(self, number: int) -> EmailMessage:
        """A mail that the simulator has written."""
        answer = self.http.get(f"{self.hosts['control']}/mails/{number}")
        assert answer.status_code == 200, answer.text
        return email.message_from_bytes(answer.content, policy=email.policy.default)

    def claim(self, operation: str, token: str, parameters: dict[str, str]) -> httpx.Response:
        """The registry of claims, at the path of certification."""
        inside = "".join(f"<{name}>{html.escape(value)}</{name}>" for name, value in parameters.items())
        body = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
            ' xmlns:ws="http://ws.registroreclamodte.diii.sdi.sii.cl"><soapenv:Header/><soapenv:Body>'
            f"<ws:{operation}>{inside}</ws:{operation}></soapenv:Body></soapenv:Envelope>"
        )
        return self.http.post(
            f"{self.hosts['reclamo']}/WSREGISTRORECLAMODTECERT/registroreclamodteservice",
            content=body.encode(),
            headers={"Content-Type": "text/xml", "SOAPAction": '""', "Cookie": f"TOKEN={token}"},
        )

    def cede(
        self, token: str, data: bytes, company: str = COMPANY, email: str = "cobranza@empresa.example"
    ) -> httpx.Response:
        """RTCAnotEnvio."""
        boundary = uuid.uuid4().hex
        body, digit = company.split("-")
        fields = {"emailNotif": email, "rutCompany": body, "dvCompany": digit}
        return self.http.post(
            self.hosts["dte"] + "/cgi_rtc/RTC/RTCAnotEnvio.cgi",
            content=multipart(boundary, fields, data, "cesion.xml"),
            headers={
                "User-Agent": AGENT,
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Cookie": f"TOKEN={token}",
            },
        )

    def rest(self, path: str, token: str, **parameters: str) -> httpx.Response:
        headers = {"Cookie": f"TOKEN={token}"} if token else {}
        return self.http.get(f"{self.hosts['boleta_api']}/recursos/v1/{path}", headers=headers, params=parameters)


def soap_body(operation: str, parameters: dict[str, str], namespace: str = _NAMESPACE) -> bytes:
    inside = "".join(
        f'<{name} xsi:type="xsd:string">{html.escape(value)}</{name}>' for name, value in parameters.items()
    )
    prefix, declared = ("m:", f' xmlns:m="{namespace}"') if namespace else ("", "")
    return (
        '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope'
        ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SOAP-ENV:Body><{prefix}{operation}{declared}>'
        f"{inside}</{prefix}{operation}></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


def inner(body: bytes) -> str:
    """The document that a SOAP answer carries as text."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("iso-8859-1")
    found = re.search(r"<(?:\w+:)?\w+Return[^>]*>(.*?)</", text, re.DOTALL)
    assert found is not None, text
    return html.unescape(found.group(1))


def form(boundary: str, sender: str, company: str, data: bytes) -> bytes:
    """The multipart form of an upload."""
    fields = dict(zip(("rutSender", "dvSender"), sender.split("-"), strict=True))
    fields |= dict(zip(("rutCompany", "dvCompany"), company.split("-"), strict=True))
    return multipart(boundary, fields, data, "envio.xml")


def multipart(boundary: str, fields: dict[str, str], data: bytes, filename: str) -> bytes:
    """A form of text fields and then the file."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="archivo"; filename="{filename}"\r\n'
        "Content-Type: text/xml\r\n\r\n"
    )
    return "".join(parts).encode() + head.encode() + data + f"\r\n--{boundary}--\r\n".encode()


def track_id(answer: httpx.Response) -> str:
    """The track id of a STATUS 0, without its zeros."""
    assert "<STATUS>0</STATUS>" in answer.text, answer.text
    found = re.search(r"<TRACKID>(\d{10})</TRACKID>", answer.text)
    assert found is not None
    return found.group(1).lstrip("0")
