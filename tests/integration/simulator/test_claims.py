"""The registry of acceptance and claims: its transition table, its eight days, and who may say what."""

import base64
import datetime as dt
import re

import pytest

from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, RECEIVER, Caf, Sale, reference, today
from tests.integration.simulator.signing import Authority, Person, make_person


class Receiver:
    """A person who acts for the company that receives the sales."""

    def __init__(self, taxpayer: Taxpayer, person: Person) -> None:
        self.taxpayer = taxpayer
        self._person = person
        granted = {"person": person.rut, "company": RECEIVER, "can": ["query"]}
        taxpayer.sii.control("POST", "/fixtures", {"permissions": [granted]})
        self.token = taxpayer.sii.login(person)

    def log_in_again(self) -> None:
        self.token = self.taxpayer.sii.login(self._person)

    def say(self, action: str, folio: int = 1, **changed: str) -> str:
        """The codResp of an action."""
        return _code(self.ask("ingresarAceptacionReclamoDoc", folio, accionDoc=action, **changed))

    def ask(self, operation: str, folio: int = 1, token: str | None = None, **changed: str) -> str:
        number, digit = COMPANY.split("-")
        parameters = {"rutEmisor": number, "dvEmisor": digit, "tipoDoc": "33", "folio": str(folio)} | changed
        used = self.token if token is None else token
        answer = self.taxpayer.sii.claim(operation, used, parameters)
        assert answer.status_code == 200, answer.text
        return answer.text


def _code(text: str) -> str:
    found = re.search(r"<codResp>(-?\d+)</codResp><descResp>[^<]+</descResp>", text)
    assert found is not None, text
    return found.group(1)


def _events(text: str) -> list[str]:
    return re.findall(r"<codEvento>(\w+)</codEvento>", text)


@pytest.fixture(scope="module")
def buyer(authority: Authority) -> Person:
    return make_person(authority, "12222222-5")


@pytest.fixture
def receiver(taxpayer: Taxpayer, buyer: Person) -> Receiver:
    """The receiver of a sale that the SII has accepted."""
    assert taxpayer.state(taxpayer.send(taxpayer.envelope(Sale(1)))) == "EPR"
    return Receiver(taxpayer, buyer)


@pytest.mark.parametrize(
    ("before", "action", "code"),
    [
        ("", "ACD", "0"),
        ("", "ERM", "0"),
        ("", "RCD", "0"),
        ("", "RFP", "0"),
        ("", "RFT", "0"),
        ("RCD", "ACD", "12"),
        ("RFP", "ERM", "6"),
        ("RCD", "RCD", "7"),
        ("RCD", "RFT", "0"),
        ("ACD", "ACD", "7"),
        ("ACD", "ERM", "0"),
        ("ACD", "RCD", "11"),
        ("ACD", "RFP", "11"),
        ("ERM", "ACD", "0"),
        ("ERM", "ERM", "7"),
        ("ERM", "RFT", "13"),
    ],
)
def test_transition_table(receiver: Receiver, before: str, action: str, code: str) -> None:
    if before:
        assert receiver.say(before) == "0"
    assert receiver.say(action) == code
    said = [event["code"] for event in receiver.taxpayer.sii.control("GET", "/events")]
    assert said == [a for a, c in ((before, "0"), (action, code)) if a and c == "0"]


@pytest.mark.parametrize("action", ["ACD", "ERM", "RCD", "RFP", "RFT"])
def test_after_eight_days_nothing_is_taken(receiver: Receiver, action: str) -> None:
    _after_the_eighth_day(receiver)
    assert receiver.say(action) == "8"


def _after_the_eighth_day(receiver: Receiver) -> None:
    """The first minute of the ninth day in Chile, whatever the hour of the reception was."""
    receiver.taxpayer.sii.control("POST", "/clock", {"set": f"{_eighth_day(receiver)}T23:59:59"})
    receiver.taxpayer.sii.control("POST", "/clock", {"advance": 1})
    receiver.log_in_again()


def _eighth_day(receiver: Receiver) -> dt.date:
    (upload, *_) = receiver.taxpayer.sii.control("GET", "/uploads")
    return dt.date.fromisoformat(upload["received_at"][:10]) + dt.timedelta(days=8)


@pytest.mark.parametrize("at", ["00:00:05", "20:00:00"])
def test_the_eighth_day_counts_until_its_last_minute(taxpayer: Taxpayer, buyer: Person, at: str) -> None:
    """SII, FAQ 001.003.6914: received on 1 January at 20:00, open until 9 January at 23:59."""
    day = dt.date.fromisoformat(today())
    taxpayer.sii.control("POST", "/clock", {"set": f"{day}T{at}"})
    stamped = f"{day}T00:00:00"
    sale = Sale(1, issued_on=day.isoformat(), signed_at=stamped, stamped_at=stamped)
    assert taxpayer.state(taxpayer.send(taxpayer.envelope(sale))) == "EPR"
    ends = day + dt.timedelta(days=8)
    taxpayer.sii.control("POST", "/clock", {"set": f"{ends}T23:59:30"})
    receiver = Receiver(taxpayer, buyer)
    assert _code(receiver.ask("consultarDocDteCedible")) == "22"
    assert receiver.say("RCD") == "0"
    _after_the_eighth_day(receiver)
    assert receiver.say("ERM") == "8"


def test_the_asker_may_stand_beside_the_events(receiver: Receiver) -> None:
    receiver.say("ERM")
    assert "rutToken" not in receiver.ask("listarEventosHistDoc")
    receiver.taxpayer.sii.control("POST", "/switches", {"events_rut_token": True})
    assert "</listaEventosDoc><rutToken>12222222-5</rutToken></return>" in receiver.ask("listarEventosHistDoc")


def test_second_claim_may_be_refused_by_switch(receiver: Receiver) -> None:
    receiver.taxpayer.sii.control("POST", "/switches", {"second_claim": False})
    assert [receiver.say("RCD"), receiver.say("RFT")] == ["0", "5"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"dvEmisor": "1"}, "1"),
        ({"folio": "x"}, "2"),
        ({"folio": "0"}, "2"),
        ({"tipoDoc": "39"}, "3"),
        ({"accionDoc": "XXX"}, "4"),
        ({"folio": "99"}, "18"),
    ],
)
def test_what_is_wrong_with_the_request_has_a_code(receiver: Receiver, changed: dict[str, str], code: str) -> None:
    parameters = {"accionDoc": "ACD"} | {k: v for k, v in changed.items() if k != "folio"}
    number, digit = COMPANY.split("-")
    sent = {"rutEmisor": number, "dvEmisor": digit, "tipoDoc": "33", "folio": changed.get("folio", "1")} | parameters
    ordered = {name: sent[name] for name in ("rutEmisor", "dvEmisor", "tipoDoc", "folio", "accionDoc")}
    answer = receiver.taxpayer.sii.claim("ingresarAceptacionReclamoDoc", receiver.token, ordered)
    assert _code(answer.text) == code


def test_document_waits_for_its_envelope(taxpayer: Taxpayer, buyer: Person) -> None:
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_dte"})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    receiver = Receiver(taxpayer, buyer)
    assert receiver.say("ACD") == "18"
    taxpayer.sii.control("POST", "/clock", {"advance": 301})
    assert receiver.say("ACD") == "0"


def test_only_the_receiver_acts_and_only_the_parties_read(receiver: Receiver, authority: Authority) -> None:
    issuer = receiver.taxpayer.token
    stranger = make_person(authority, "13333333-9")
    receiver.taxpayer.sii.control("POST", "/fixtures", {"persons": [{"rut": stranger.rut}]})
    other = receiver.taxpayer.sii.login(stranger)
    assert _code(receiver.ask("ingresarAceptacionReclamoDoc", 1, issuer, accionDoc="ACD")) == "17"
    assert _code(receiver.ask("listarEventosHistDoc", 1, issuer)) == "16"
    assert _code(receiver.ask("listarEventosHistDoc", 1, other)) == "14"


def test_events_are_listed_in_the_recorded_form(receiver: Receiver) -> None:
    assert receiver.say("ERM") == "0"
    assert receiver.say("ACD") == "0"
    text = receiver.ask("listarEventosHistDoc")
    assert re.fullmatch(
        r'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        r'<ns2:listarEventosHistDocResponse xmlns:ns2="http://ws.registroreclamodte.diii.sdi.sii.cl"><return>'
        r"<codResp>15</codResp><descResp>Listado de eventos del documento</descResp>"
        r"<listaEventosDoc><codEvento>ERM</codEvento><descEvento>[^<]+</descEvento>"
        r"<rutResponsable>77900202</rutResponsable><dvResponsable>0</dvResponsable>"
        r"<fechaEvento>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d</fechaEvento></listaEventosDoc>"
        r"<listaEventosDoc><codEvento>ACD</codEvento><descEvento>Acepta Contenido del Documento</descEvento>.*"
        r"</return></ns2:listarEventosHistDocResponse></S:Body></S:Envelope>",
        text,
    )


@pytest.mark.parametrize(("code", "event"), [(1, "NCA"), (3, "ENC")])
def test_credit_notes_are_events(receiver: Receiver, code: int, event: str) -> None:
    taxpayer = receiver.taxpayer
    taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 1, code))))
    assert _events(receiver.ask("listarEventosHistDoc")) == [event]


def test_credit_note_is_an_event_once_its_envelope_shows(receiver: Receiver) -> None:
    taxpayer = receiver.taxpayer
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_dte"})
    taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 1, 1))))
    taxpayer.sii.control("GET", "/documents")
    assert _code(receiver.ask("listarEventosHistDoc")) == "16"
    taxpayer.sii.control("POST", "/clock", {"advance": 301})
    assert _events(receiver.ask("listarEventosHistDoc")) == ["NCA"]


def test_credit_note_after_the_term_leaves_a_document_cedible(receiver: Receiver) -> None:
    taxpayer = receiver.taxpayer
    _after_the_eighth_day(receiver)
    taxpayer.tokens.clear()
    taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 1, 1))))
    assert _events(receiver.ask("listarEventosHistDoc")) == ["NCA"]
    assert _code(receiver.ask("consultarDocDteCedible")) == "25"


def test_reception_is_the_uploads(receiver: Receiver) -> None:
    (upload,) = receiver.taxpayer.sii.control("GET", "/uploads")
    year, month, day = upload["received_at"][:10].split("-")
    at = f"{day}-{month}-{year} {upload['received_at'][11:19]}"
    assert f"<return>{at}</return>" in receiver.ask("consultarFechaRecepcionSii")
    assert "<return/>" in receiver.ask("consultarFechaRecepcionSii", 2)


def test_what_may_be_ceded(receiver: Receiver) -> None:
    taxpayer = receiver.taxpayer
    taxpayer.send(taxpayer.envelope(Sale(2), Sale(3), Sale(4)))
    taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 2, 1))))
    receiver.say("ERM", 3)
    receiver.say("RCD", 4)
    ask = [_code(receiver.ask("consultarDocDteCedible", folio)) for folio in (1, 2, 3, 4, 5)]
    assert ask == ["22", "21", "23", "24", "18"]
    _after_the_eighth_day(receiver)
    ask = [_code(receiver.ask("consultarDocDteCedible", folio)) for folio in (1, 2, 3, 4)]
    assert ask == ["25", "21", "23", "24"]


def test_document_of_before_the_law_is_not_in_the_registry(taxpayer: Taxpayer, buyer: Person) -> None:
    taxpayer.sii.control("POST", "/switches", {"caf_expires": False})
    caf = {"company": COMPANY, "type": 33, "from": 200, "to": 209, "date": "2016-01-01"}
    made = taxpayer.sii.control("POST", "/fixtures", {"cafs": [caf]})
    taxpayer.cafs[33] = Caf.read(base64.b64decode(made["cafs"][0]["xml_base64"]))
    track = taxpayer.send(taxpayer.envelope(Sale(200, issued_on="2016-12-01")))
    assert taxpayer.state(track) == "EPR"
    assert taxpayer.findings(track) == [["DTE-1-650"]]
    assert Receiver(taxpayer, buyer).say("ACD", 200) == "10"


def test_bad_token_is_a_fault(receiver: Receiver) -> None:
    number, digit = COMPANY.split("-")
    parameters = {"rutEmisor": number, "dvEmisor": digit, "tipoDoc": "33", "folio": "1"}
    for token in ("XXXXXXXXXXXXX", receiver.taxpayer.rest_token):
        answer = receiver.taxpayer.sii.claim("listarEventosHistDoc", token, parameters)
        assert answer.status_code == 500
        assert answer.text == (
            '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault'
            ' xmlns:ns4="http://www.w3.org/2003/05/soap-envelope"><faultcode>S:Server</faultcode><faultstring>'
            "Error de Autenticacion: TOKEN invalido</faultstring></S:Fault></S:Body></S:Envelope>"
        )


def test_unknown_operation_and_wrong_parameters_are_faults(receiver: Receiver) -> None:
    sii = receiver.taxpayer.sii
    for operation, parameters in (("borrar", {}), ("listarEventosHistDoc", {"folio": "1"})):
        answer = sii.claim(operation, receiver.token, parameters)
        assert answer.status_code == 500
        assert "Cannot find dispatch method" in answer.text
    assert sii.claim("getVersion", "", {}).status_code == 200


def test_other_environments_path_is_not_served(receiver: Receiver) -> None:
    url = receiver.taxpayer.sii.hosts["reclamo"] + "/WSREGISTRORECLAMODTE/registroreclamodteservice?wsdl"
    assert receiver.taxpayer.sii.http.get(url).status_code == 404


@pytest.mark.parametrize("code", [-1, 5, 9, 19, 27])
def test_any_code_comes_on_demand(receiver: Receiver, code: int) -> None:
    receiver.taxpayer.sii.control("POST", "/faults", {"fault": f"F-RCL-{code}", "times": 1})
    assert receiver.say("ACD") == str(code)
    assert receiver.say("ACD") == "0"


def test_fault_comes_on_demand(receiver: Receiver) -> None:
    receiver.taxpayer.sii.control(
        "POST", "/faults", {"fault": "F-RCL-x", "args": {"fault": "java.lang.NullPointerException"}}
    )
    number, digit = COMPANY.split("-")
    parameters = {"rutEmisor": number, "dvEmisor": digit, "tipoDoc": "33", "folio": "1"}
    answer = receiver.taxpayer.sii.claim("listarEventosHistDoc", receiver.token, parameters)
    assert (answer.status_code, "<faultstring>java.lang.NullPointerException<" in answer.text) == (500, True)
    assert _code(receiver.ask("listarEventosHistDoc")) == "16"
