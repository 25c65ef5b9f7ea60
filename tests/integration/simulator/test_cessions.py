"""The registry of cessions: the upload and its table, the checks of a file, who holds a document, and what is told."""

import re
from pathlib import Path

import pytest

from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.cessions import first_holder
from deploy.sandbox.sii.extraction import cut
from deploy.sandbox.sii.reading import Element, read
from deploy.sandbox.sii.schemas import Schemas
from deploy.sandbox.sii.signatures import BadSignatureError, sign_check, sign_checks
from tests.integration.simulator.cessions import FACTOR, SECOND_FACTOR, Transfer, aec, ceded, cesion
from tests.integration.simulator.client import AGENT, Answer, multipart
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, RECEIVER, Cover, Sale, envelope, reference
from tests.integration.simulator.signing import Authority, Person, make_authority, make_person


class Cedente:
    """A taxpayer whose sale the SII has accepted, and factors that take cessions of it."""

    def __init__(self, taxpayer: Taxpayer, factor: Person) -> None:
        self.taxpayer, self.factor, self.person = taxpayer, factor, taxpayer.person
        resolution = {"number": 0, "date": "2014-08-22"}
        companies = [{"rut": rut, "razon_social": "F", "resolution": resolution} for rut in (FACTOR, SECOND_FACTOR)]
        granted = [{"person": factor.rut, "company": FACTOR, "can": ["send", "sign", "query"]}]
        taxpayer.sii.control("POST", "/fixtures", {"companies": companies, "permissions": granted})
        self.sale = Sale(1)
        self.dte = taxpayer.dte(self.sale)
        self.accept()

    def accept(self) -> None:
        data = envelope([self.dte], [33], Cover(self.person.rut), self.person)
        assert self.taxpayer.state(self.taxpayer.send(data)) == "EPR"

    @property
    def ceded(self) -> str:
        return ceded(self.dte, self.person)

    def file(self, transfer: Transfer | None = None) -> bytes:
        return aec(self.ceded, [cesion(self.sale, transfer or Transfer(), self.person)], self.person)

    def send(self, data: bytes) -> str:
        """Upload; answers the track id."""
        answer = self.taxpayer.sii.cede(self.taxpayer.token, data)
        found = re.search(r"<TRACKID>(\d{10})</TRACKID>", answer.text)
        assert found is not None, answer.text
        return found.group(1).lstrip("0")

    def state(self, track: str, token: str | None = None) -> str:
        return self.query("getEstEnvio", token, TrackId=track).get("ESTADO_ENVIO")

    def why(self, track: str) -> str:
        files = self.taxpayer.sii.control("GET", "/cessions")["files"]
        return next(" ".join(f["text"] for f in file["findings"]) for file in files if str(file["track_id"]) == track)

    def query(self, operation: str, token: str | None = None, **parameters: str) -> Answer:
        asked = {"Token": self.taxpayer.token if token is None else token} | parameters
        return self.taxpayer.sii.soap("services/wsRPETCConsulta", operation, asked)

    def about(self, operation: str = "getEstCesion", token: str | None = None, **more: str) -> Answer:
        number, digit = COMPANY.split("-")
        document = {"RutEmisor": number, "DVEmisor": digit, "TipoDoc": "33", "FolioDoc": "1"}
        return self.query(operation, token, **document | more)


@pytest.fixture(scope="module")
def factor(authority: Authority) -> Person:
    return make_person(authority, "12222222-5")


@pytest.fixture
def cedente(taxpayer: Taxpayer, factor: Person) -> Cedente:
    return Cedente(taxpayer, factor)


def _relative(cedente: Cedente, company: str, token: str | None = None) -> Answer:
    number, digit = company.split("-")
    return cedente.about("getEstCesionRelac", token, RutEmpresa=number, DVEmpresa=digit)


def test_cession_is_accepted_and_changes_the_holder(cedente: Cedente) -> None:
    assert cedente.about().get("ESTADO") == "2"
    answer = cedente.taxpayer.sii.cede(cedente.taxpayer.token, cedente.file())
    pattern = (
        r'<\?xml version="1.0"\?>\n<RECEPCIONAEC>\n <RUTSENDER>11111111-1</RUTSENDER>\n'
        r" <RUTCOMPANY>76900101-8</RUTCOMPANY>\n <FILE>cesion.xml</FILE>\n"
        r" <TIMESTAMP>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d</TIMESTAMP>\n <STATUS>0</STATUS>\n"
        r" <TRACKID>(\d{10})</TRACKID>\n</RECEPCIONAEC>\n"
    )
    match = re.fullmatch(pattern, answer.text)
    assert match is not None, answer.text
    track = match.group(1).lstrip("0")
    state = cedente.query("getEstEnvio", TrackId=match.group(1))
    assert state.all("ESTADO") == ["0"]
    assert state.get("ESTADO_ENVIO") == "EOK", cedente.why(track)
    assert (state.get("TRACKID"), state.get("DESC_ESTADO")) == (track, "Envio Aceptado")
    general = cedente.about()
    assert (general.get("ESTADO"), general.get("GLOSA"), "<SII:RESP_BODY/>" in general.text) == (
        "0",
        "Documento Cedido",
        True,
    )
    for detail in (cedente.about(IdCesion=track), _relative(cedente, COMPANY)):
        assert detail.get("ESTADO") == "0"
        assert (detail.get("RUT_TENEDOR"), detail.get("DEC_JURADA")) == (FACTOR, "EXISTE")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", detail.get("FECHA_ULT_ANOT"))


def test_mail_tells_the_address_of_the_form(cedente: Cedente) -> None:
    track = cedente.send(cedente.file())
    again = cedente.send(cedente.file())
    mails = [mail for mail in cedente.taxpayer.sii.control("GET", "/mails") if mail["kind"] == "cession"]
    assert [(mail["track_id"], mail["to"]) for mail in mails] == [
        (int(track), "cobranza@empresa.example"),
        (int(again), "cobranza@empresa.example"),
    ]
    first, second = (cedente.taxpayer.sii.mail(mail["number"]).get_content() for mail in mails)
    assert "Estado: EOK" in first
    assert "Estado: RCS" in second


def test_cession_goes_on_to_a_second_factor(cedente: Cedente) -> None:
    first = cesion(cedente.sale, Transfer(), cedente.person)
    whole = cedente.ceded
    assert cedente.state(cedente.send(aec(whole, [first], cedente.person))) == "EOK"
    sii = cedente.taxpayer.sii
    token = sii.login(cedente.factor)
    transfer = Transfer(2, FACTOR, SECOND_FACTOR)
    second = cesion(cedente.sale, transfer, cedente.factor)
    data = aec(whole, [first, second], cedente.factor, FACTOR, SECOND_FACTOR)
    answer = sii.cede(token, data, FACTOR)
    track = re.findall(r"<TRACKID>0*(\d+)<", answer.text)[0]
    assert cedente.state(track, token) == "EOK", cedente.why(track)
    assert _relative(cedente, COMPANY).get("RUT_TENEDOR") == SECOND_FACTOR
    registered = sii.control("GET", "/cessions")["registered"]
    assert [(c["sequence"], c["cedente"], c["cesionario"]) for c in registered] == [
        (1, COMPANY, FACTOR),
        (2, FACTOR, SECOND_FACTOR),
    ]


def test_sworn_declaration_may_not_get_lost(cedente: Cedente) -> None:
    first, whole = cesion(cedente.sale, Transfer(), cedente.person), cedente.ceded
    assert cedente.state(cedente.send(aec(whole, [first], cedente.person))) == "EOK"
    second = cesion(cedente.sale, Transfer(2, FACTOR, SECOND_FACTOR, sworn=False), cedente.factor)
    token = cedente.taxpayer.sii.login(cedente.factor)
    answer = cedente.taxpayer.sii.cede(
        token, aec(whole, [first, second], cedente.factor, FACTOR, SECOND_FACTOR), FACTOR
    )
    track = re.findall(r"<TRACKID>0*(\d+)<", answer.text)[0]
    assert (cedente.state(track, token), "Declaracion Jurada" in cedente.why(track)) == ("RCS", True)


def test_two_people_may_have_to_sign(cedente: Cedente) -> None:
    granted = {"person": cedente.factor.rut, "company": COMPANY, "can": ["sign"]}
    cedente.taxpayer.sii.control("POST", "/fixtures", {"permissions": [granted]})
    both = cesion(cedente.sale, Transfer(), cedente.person, cedente.factor)
    track = cedente.send(aec(cedente.ceded, [both], cedente.person))
    assert cedente.state(track) == "EOK", cedente.why(track)


@pytest.mark.parametrize(
    ("transfer", "why"),
    [
        (Transfer(sequence=2), "Secuencia"),
        (Transfer(amount=11901), "Monto Mayor"),
        (Transfer(total=11901), "MntTotal Distinto"),
        (Transfer(due="2020-01-01"), "Vencimiento"),
        (Transfer(at="2049-01-01T00:00:00"), "Fecha Posterior"),
        (Transfer(authorised=("12222222-5",)), "RUTAutorizado"),
        (Transfer(authorised=("11111111-1", "12222222-5")), "RUTAutorizado"),
    ],
)
def test_cession_that_does_not_hold_is_rcs(cedente: Cedente, transfer: Transfer, why: str) -> None:
    track = cedente.send(cedente.file(transfer))
    assert (cedente.state(track), why in cedente.why(track)) == ("RCS", True), cedente.why(track)
    assert cedente.about().get("ESTADO") == "2"
    assert cedente.state(cedente.send(cedente.file())) == "EOK"


def test_only_the_holder_cedes(cedente: Cedente) -> None:
    cession = cesion(cedente.sale, Transfer(1, FACTOR, SECOND_FACTOR), cedente.factor)
    data = aec(cedente.ceded, [cession], cedente.factor, FACTOR, SECOND_FACTOR)
    token = cedente.taxpayer.sii.login(cedente.factor)
    track = re.findall(r"<TRACKID>0*(\d+)<", cedente.taxpayer.sii.cede(token, data, FACTOR).text)[0]
    assert cedente.state(track, token) == "RCS"
    assert cedente.why(track) == f"Cedente de la Cesion 1 No es el Tenedor {COMPANY}"


def test_seller_of_a_factura_de_compra_is_its_receiver() -> None:
    assert first_holder((COMPANY, 33, 1), RECEIVER) == COMPANY
    assert first_holder((COMPANY, 46, 1), RECEIVER) == RECEIVER


def test_same_file_again_is_rcs(cedente: Cedente) -> None:
    data = cedente.file()
    assert [cedente.state(cedente.send(data)) for _ in range(2)] == ["EOK", "RCS"]
    assert len(cedente.taxpayer.sii.control("GET", "/cessions")["registered"]) == 1


def test_registered_cession_may_not_change_in_the_next(cedente: Cedente) -> None:
    first, changed = (cesion(cedente.sale, Transfer(amount=a), cedente.person) for a in (11900, 11899))
    whole = cedente.ceded
    assert cedente.state(cedente.send(aec(whole, [first], cedente.person))) == "EOK"
    token = cedente.taxpayer.sii.login(cedente.factor)
    second = cesion(cedente.sale, Transfer(2, FACTOR, SECOND_FACTOR), cedente.factor)
    data = aec(whole, [changed, second], cedente.factor, FACTOR, SECOND_FACTOR)
    answer = cedente.taxpayer.sii.cede(token, data, FACTOR)
    track = re.findall(r"<TRACKID>0*(\d+)<", answer.text)[0]
    assert (cedente.state(track, token), cedente.why(track)) == ("RCS", "Cesion 1 Distinta a la Registrada")


def test_broken_signatures_are_refused_at_their_step(cedente: Cedente) -> None:
    good = cedente.file().decode("iso-8859-1")
    outer = re.sub(r"<TmstFirmaEnvio>\d{4}", "<TmstFirmaEnvio>2025", good)
    assert cedente.state(cedente.send(outer.encode("iso-8859-1"))) == "RFS"
    inner = cesion(cedente.sale, Transfer(), cedente.person).replace("FACTORING", "FACTURING")
    assert cedente.state(cedente.send(aec(cedente.ceded, [inner], cedente.person))) == "RCS"
    around = re.sub(r"(</DTE><TmstFirma>\d{4})-\d\d", r"\1-01", cedente.ceded)
    cession = cesion(cedente.sale, Transfer(), cedente.person)
    track = cedente.send(aec(around, [cession], cedente.person))
    assert cedente.state(track) == "RDC"
    assert cedente.why(track) == "Firma de DocumentoDTECedido Incorrecta: firma no verifica"


def test_file_that_is_no_cession_is_rsc(cedente: Cedente) -> None:
    for data in (b"no xml", b'<?xml version="1.0"?><AEC/>', cedente.taxpayer.envelope(Sale(2))):
        assert cedente.state(cedente.send(data)) == "RSC"


def test_caratula_must_name_the_last_cession(cedente: Cedente) -> None:
    data = aec(
        cedente.ceded, [cesion(cedente.sale, Transfer(), cedente.person)], cedente.person, COMPANY, SECOND_FACTOR
    )
    assert cedente.state(cedente.send(data)) == "RCR"


def test_document_must_be_the_received_one(cedente: Cedente) -> None:
    other = cedente.taxpayer.dte(Sale(1, amount=20000))
    for dte, sale in ((other, Sale(1, amount=20000)), (cedente.taxpayer.dte(Sale(2)), Sale(2))):
        file = aec(ceded(dte, cedente.person), [cesion(sale, Transfer(), cedente.person)], cedente.person)
        assert cedente.state(cedente.send(file)) == "RDC"


def test_document_whose_text_was_changed_is_not_the_received_one(cedente: Cedente) -> None:
    changed = cedente.dte.replace("Martillo", "Martilla", 1)
    assert changed != cedente.dte
    cession = cesion(cedente.sale, Transfer(), cedente.person)
    track = cedente.send(aec(ceded(changed, cedente.person), [cession], cedente.person))
    assert (cedente.state(track), cedente.why(track)) == ("RDC", "Firma de Documento Incorrecta: firma no verifica")


def test_who_signs_the_file_needs_permission_in_the_company(cedente: Cedente) -> None:
    cession = cesion(cedente.sale, Transfer(), cedente.person)
    track = cedente.send(aec(cedente.ceded, [cession], cedente.factor))
    assert cedente.state(track) == "RFS"
    assert cedente.why(track).endswith(f"{cedente.factor.rut} sin permiso en {COMPANY}")


def test_certificates_of_unknown_authorities_sign_nothing(cedente: Cedente) -> None:
    foreign = make_person(make_authority("OTRA"), cedente.person.rut)
    good = cesion(cedente.sale, Transfer(), cedente.person)
    files = {
        "RFS": aec(cedente.ceded, [good], foreign),
        "RDC": aec(ceded(cedente.dte, foreign), [good], cedente.person),
        "RCS": aec(cedente.ceded, [cesion(cedente.sale, Transfer(), foreign)], cedente.person),
    }
    assert [cedente.state(cedente.send(data)) for data in files.values()] == list(files)


def test_claimed_or_annulled_document_is_not_ceded(cedente: Cedente) -> None:
    taxpayer = cedente.taxpayer
    granted = {"person": cedente.factor.rut, "company": RECEIVER, "can": ["query"]}
    taxpayer.sii.control("POST", "/fixtures", {"permissions": [granted]})
    number, digit = COMPANY.split("-")
    said = {"rutEmisor": number, "dvEmisor": digit, "tipoDoc": "33", "folio": "1", "accionDoc": "RCD"}
    answer = taxpayer.sii.claim("ingresarAceptacionReclamoDoc", taxpayer.sii.login(cedente.factor), said)
    assert "<codResp>0</codResp>" in answer.text
    track = cedente.send(cedente.file())
    assert (cedente.state(track), cedente.why(track)) == ("RDC", "Documento Reclamado (RCD)")
    second = Sale(2)
    dte = taxpayer.dte(second)
    cedente.dte, cedente.sale = dte, second
    cedente.accept()
    taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 2, 1))))
    assert cedente.state(cedente.send(cedente.file())) == "RDC"


def test_states_follow_the_clock(cedente: Cedente) -> None:
    cedente.taxpayer.sii.control("POST", "/switches", {"steps": {"SOK": [60, 60]}})
    good, bad = cedente.send(cedente.file()), cedente.send(cedente.file(Transfer(sequence=7)))
    seen = [(cedente.state(good), cedente.state(bad))]
    for _ in range(7):
        cedente.taxpayer.sii.control("POST", "/clock", {"advance": 60})
        seen.append((cedente.state(good), cedente.state(bad)))
    steps = ["UPL", "RCP", "SOK", "FSO", "COK", "VDC", "VCS"]
    assert [state for state, _ in seen] == [*steps, "EOK"]
    assert [state for _, state in seen] == [*steps, "RCS"]


def _raw(cedente: Cedente, fields: dict[str, str], data: bytes | None, token: str, agent: str = AGENT) -> str:
    content = multipart("B", fields, data or b"", "cesion.xml")
    if data is None:
        content = content.replace(b'name="archivo"', b'name="otro"')
    headers = {"User-Agent": agent, "Content-Type": "multipart/form-data; boundary=B", "Cookie": f"TOKEN={token}"}
    url = cedente.taxpayer.sii.hosts["dte"] + "/cgi_rtc/RTC/RTCAnotEnvio.cgi"
    return cedente.taxpayer.sii.http.post(url, content=content, headers=headers).text


def test_upload_has_a_table_of_its_own(cedente: Cedente) -> None:
    number, digit = COMPANY.split("-")
    fields = {"emailNotif": "a@empresa.example", "rutCompany": number, "dvCompany": digit}
    token, data = cedente.taxpayer.token, cedente.file()
    expired = _raw(cedente, fields, data, "XXXXXXXXXXXXX")
    assert "<RUTSENDER>-</RUTSENDER>" in expired
    assert "<STATUS>5</STATUS>" in expired
    for missing in fields:
        assert "<STATUS>4</STATUS>" in _raw(cedente, {k: v for k, v in fields.items() if k != missing}, data, token)
    assert "<STATUS>4</STATUS>" in _raw(cedente, fields, None, token)
    other, other_digit = SECOND_FACTOR.split("-")
    assert "<STATUS>1</STATUS>" in _raw(cedente, fields | {"rutCompany": other, "dvCompany": other_digit}, data, token)
    assert "<STATUS>2</STATUS>" in _raw(cedente, fields, b"", token)
    assert "HA OCURRIDO UN ERROR EN EL UPLOAD" in _raw(cedente, fields, data, token, "curl/8")
    company = {
        "rut": COMPANY,
        "razon_social": "X",
        "resolution": {"number": 0, "date": "2014-08-22"},
        "authorised": False,
    }
    cedente.taxpayer.sii.control("POST", "/fixtures", {"companies": [company]})
    assert "<STATUS>6</STATUS>" in _raw(cedente, fields, data, token)
    assert cedente.taxpayer.sii.control("GET", "/cessions") == {"files": [], "registered": []}


@pytest.mark.parametrize("status", [4, 9, 10])
def test_any_status_comes_on_demand(cedente: Cedente, status: int) -> None:
    cedente.taxpayer.sii.control("POST", "/faults", {"fault": f"F-RTC-{status}"})
    answer = cedente.taxpayer.sii.cede(cedente.taxpayer.token, cedente.file())
    assert f"<STATUS>{status}</STATUS>" in answer.text
    assert cedente.state(cedente.send(cedente.file())) == "EOK"


@pytest.mark.parametrize("verdict", ["RFS", "RCS", "EAN"])
def test_any_verdict_comes_on_demand(cedente: Cedente, verdict: str) -> None:
    cedente.taxpayer.sii.control("POST", "/faults", {"fault": "F-RTC", "args": {"verdict": verdict}})
    assert cedente.state(cedente.send(cedente.file())) == verdict
    assert cedente.about().get("ESTADO") == "2"
    assert cedente.state(cedente.send(cedente.file())) == "EOK"


def test_queries_have_codes_of_their_own(cedente: Cedente, authority: Authority) -> None:
    track = cedente.send(cedente.file())
    token = cedente.taxpayer.sii.login(cedente.factor)
    assert cedente.query("getEstEnvio", "XXXXXXXXXXXXX", TrackId=track).get("ESTADO") == "4"
    assert cedente.query("getEstEnvio", TrackId="x").get("ESTADO") == "1"
    assert cedente.query("getEstEnvio", TrackId="999").get("ESTADO") == "2"
    stranger = cedente.query("getEstEnvio", token, TrackId=track)
    assert stranger.get("ESTADO") == "10"
    assert stranger.get("GLOSA") == f"Usuario [{cedente.factor.rut}] sin permiso en empresa [{COMPANY}]"
    assert cedente.about(IdCesion="999").get("ESTADO") == "2"
    assert cedente.about(token=token).get("ESTADO") == "0"
    assert _relative(cedente, FACTOR).get("ESTADO") == "10"
    assert _relative(cedente, FACTOR, token).get("RUT_TENEDOR") == FACTOR
    granted = {"person": cedente.factor.rut, "company": SECOND_FACTOR, "can": ["query"]}
    cedente.taxpayer.sii.control("POST", "/fixtures", {"permissions": [granted]})
    assert _relative(cedente, SECOND_FACTOR, token).get("ESTADO") == "-15"
    wrong = {"RutEmisor": "1", "DVEmisor": "1", "TipoDoc": "33", "FolioDoc": "1"}
    assert cedente.query("getEstCesion", **wrong).get("ESTADO") == "1"
    cedente.taxpayer.sii.control("POST", "/clock", {"advance": 3601})
    assert cedente.about().get("ESTADO") == "3"


def test_cession_of_others_verifies_in_its_three_layers(shared: Path) -> None:
    (path,) = (shared / "corpus/xml/aec").glob("*.xml")
    data, certificates = path.read_bytes(), Certificates([])
    root = read(data)
    assert Schemas().faults(root, "AEC") == []
    assert sign_check(root, "DocumentoAEC", certificates).certificate.rut
    (around,) = cut(data, "DTECedido", 1)
    (dte,) = cut(around.data, "DTE", 1)
    (cession,) = cut(data, "Cesion", 1)
    layers = ((around, "DocumentoDTECedido", [True, False]), (dte, "Documento", [False, True]))
    for piece, name, expected in (*layers, (cession, "DocumentoCesion", [True, False])):
        readings = [piece.alone(), *piece.other_scopes(with_xsi=False)]
        assert [_verifies(reading, name, certificates) for reading in readings] == expected


def _verifies(element: Element, name: str, certificates: Certificates) -> bool:
    try:
        return len(sign_checks(element, name, certificates)) == 1
    except BadSignatureError:
        return False
