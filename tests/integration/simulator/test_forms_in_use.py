"""Requests in the form of programs in use that no package index has: let in and accepted with default switches.

`tests/foreign/forms.py` says what is theirs and where it was read. Each logs in, uploads, asks in its own form, over
SOAP and, where it has that side, REST; nothing that was accepted has a finding. Under the profile `strict` some of them
are refused: what the real service would say isn't known.
"""

import dataclasses
import re
from typing import Any

import httpx
import pytest

from tests.foreign.forms import DEVLAS, DTE_CHILE, LIBREDTE, PROGRAMS, Program
from tests.integration.simulator.client import Answer, inner
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, RECEIVER, Cover, reference

_NUMBER, _DIGIT = COMPANY.split("-")


@dataclasses.dataclass
class InUse:
    """A program at work for a taxpayer."""

    program: Program
    taxpayer: Taxpayer

    def ask(self, path: str, operation: str, parameters: dict[str, str]) -> httpx.Response:
        """A SOAP call; its SOAPAction is there and empty."""
        body = self.program.soap(path, operation, parameters)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": ""}
        return httpx.post(self.taxpayer.sii.hosts["dte"] + path, content=body, headers=headers, timeout=30)

    def answer(self, path: str, operation: str, parameters: dict[str, str]) -> Answer:
        """What a call was answered."""
        response = self.ask(path, operation, parameters)
        assert response.status_code == 200, response.text
        return Answer(inner(response.content))

    def log_in(self) -> str:
        """A token for its signed seed."""
        seed = self.answer("/DTEWS/CrSeed.jws", "getSeed", {}).get("SEMILLA")
        document = self.program.signed_seed(self.taxpayer.person, seed)
        answer = self.answer("/DTEWS/GetTokenFromSeed.jws", "getToken", {"pszXml": document})
        assert answer.state == "00", answer.text
        return answer.get("TOKEN")

    def log_in_for_boletas(self) -> str:
        """The same over REST."""
        base = self.taxpayer.sii.hosts["boleta_api"] + "/recursos/v1/boleta.electronica"
        seed = Answer(httpx.get(f"{base}.semilla", headers={"Accept": "application/xml"}).text).get("SEMILLA")
        document = self.program.signed_seed(self.taxpayer.person, seed)
        headers = {"Content-Type": "application/xml", "Accept": "application/xml"}
        answer = Answer(httpx.post(f"{base}.token", content=document.encode(), headers=headers).text)
        assert answer.state == "00", answer.text
        return answer.get("TOKEN")

    def upload(self, address: str, agent: str, token: str, data: bytes) -> httpx.Response:
        """Its multipart upload: fields in the SII's order, then the file."""
        number, digit = self.taxpayer.person.rut.split("-")
        fields = {"rutSender": number, "dvSender": digit, "rutCompany": _NUMBER, "dvCompany": _DIGIT}
        files = {"archivo": (self.program.file_name, data, self.program.file_type)}
        headers = {"User-Agent": agent, "Cookie": f"TOKEN={token}"}
        return httpx.post(address, data=fields, files=files, headers=headers, timeout=30)

    def send(self, token: str, data: bytes) -> str:
        """Upload to DTEUpload; answers the track id."""
        address = self.taxpayer.sii.hosts["dte"] + "/cgi_dte/UPL/DTEUpload"
        answer = self.upload(address, self.program.agent, token, data)
        found = re.search(r"<STATUS>0</STATUS>\s*<TRACKID>0*(\d+)</TRACKID>", answer.text)
        assert found is not None, answer.text
        return found.group(1)

    def envelope(self, *folios: int, document_type: int = 33, **changed: Any) -> bytes:
        sales = [self.program.sale(folio, document_type, **changed) for folio in folios]
        caf, person = self.taxpayer.cafs[document_type], self.taxpayer.person
        root = "EnvioBOLETA" if document_type == 39 else "EnvioDTE"
        dtes = [self.program.document(sale, caf, person) for sale in sales]
        return self.program.envelope(dtes, [document_type] * len(folios), Cover(person.rut, root=root), person)


@pytest.fixture(params=PROGRAMS, ids=lambda program: program.name)
def in_use(request: pytest.FixtureRequest, taxpayer: Taxpayer) -> InUse:
    return InUse(request.param, taxpayer)


def test_it_logs_in_uploads_asks_and_is_accepted(in_use: InUse) -> None:
    token = in_use.log_in()
    track = in_use.send(token, in_use.envelope(1, 2))
    state = in_use.answer(
        "/DTEWS/QueryEstUp.jws",
        "getEstUp",
        dict(zip((*in_use.program.company, "TrackId", "Token"), (_NUMBER, _DIGIT, track, token), strict=True)),
    )
    assert (state.state, state.get("INFORMADOS"), state.get("ACEPTADOS")) == ("EPR", "2", "2"), state.text
    assert in_use.taxpayer.findings(track) == [[], []]
    note = in_use.envelope(1, document_type=61, references=reference(33, 1, 1))
    assert in_use.taxpayer.findings(in_use.send(token, note)) == [[]]
    assert in_use.taxpayer.sii.control("GET", "/invariants")["ok"]


def test_its_queries_are_understood(in_use: InUse) -> None:
    token = in_use.log_in()
    track = in_use.send(token, in_use.envelope(1))
    sale = in_use.program.sale(1)
    year, month, day = sale.issued_on.split("-")
    receiver, digit = RECEIVER.split("-")
    # devlas' program asks in the company's name, the others in the person's: the parameter is not compared.
    about = {"RutConsultante": _NUMBER, "DvConsultante": _DIGIT, "RutCompania": _NUMBER, "DvCompania": _DIGIT}
    about |= {"RutReceptor": receiver, "DvReceptor": digit, "TipoDte": "33", "FolioDte": "1"}
    about |= {"FechaEmisionDte": day + month + year, "MontoDte": str(sale.stated_total), "Token": token}
    assert in_use.answer("/DTEWS/QueryEstDte.jws", "getEstDte", about).state == "DOK"
    again = {"Token": token, "RutEmpresa": _NUMBER, "DvEmpresa": _DIGIT, "TrackId": track}
    assert in_use.answer("/DTEWS/services/wsDTECorreo", "reenvioCorreo", again).state == "0"


@pytest.mark.parametrize("program", [DEVLAS, DTE_CHILE], ids=lambda program: program.name)
def test_its_boletas_are_accepted(taxpayer: Taxpayer, program: Program) -> None:
    """LibreDTE's library sends none over REST."""
    in_use = InUse(program, taxpayer)
    token = in_use.log_in_for_boletas()
    data = in_use.envelope(1, document_type=39, amount=11900)
    address = taxpayer.sii.hosts["boleta_up"] + "/recursos/v1/boleta.electronica.envio"
    answer = in_use.upload(address, program.rest_agent, token, data)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["estado"], answer.json()["trackid"] > 0) == ("REC", True)
    assert taxpayer.findings(str(answer.json()["trackid"])) == [[]]


def test_one_changed_figure_is_refused(in_use: InUse) -> None:
    data = in_use.envelope(1)
    assert b"<PrcItem>10000" in data
    track = in_use.send(in_use.log_in(), data.replace(b"<PrcItem>10000", b"<PrcItem>10001"))
    assert in_use.taxpayer.state(track) == "RFR"


def test_a_seed_signed_by_another_key_is_not_let_in(in_use: InUse) -> None:
    seed = in_use.answer("/DTEWS/CrSeed.jws", "getSeed", {}).get("SEMILLA")
    document = in_use.program.signed_seed(in_use.taxpayer.person, seed)
    value = document.index("<SignatureValue>") + 20
    spoilt = document[:value] + ("A" if document[value] != "A" else "B") + document[value + 1 :]
    answer = in_use.answer("/DTEWS/GetTokenFromSeed.jws", "getToken", {"pszXml": spoilt})
    assert answer.state == "05"


_STRICTLY = {"LibreDTE": True, "LibreDTE with the WSDLs of 2015": False, "devlas dte-sii": False, "dte-chile": False}


def test_strict_services_refuse_what_the_descriptions_do_not_say(in_use: InUse) -> None:
    in_use.taxpayer.sii.control("POST", "/switches", {"soap_namespace": "default", "soap_bind": "name"})
    assert (in_use.ask("/DTEWS/CrSeed.jws", "getSeed", {}).status_code == 200) == _STRICTLY[in_use.program.name]


def test_stamps_an_hour_ahead_of_chile_are_remarked_where_clocks_are_held_to_ten_minutes(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"future_stamp": 600.0})
    in_use = InUse(DEVLAS, taxpayer)
    assert taxpayer.findings(in_use.send(in_use.log_in(), in_use.envelope(1))) == [["TED-1-647"]]
    other = InUse(LIBREDTE, taxpayer)
    assert taxpayer.findings(other.send(other.log_in(), other.envelope(2))) == [[]]
