"""DTEUpload, and what becomes of an envelope as a whole."""

import re
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from lxml import etree

from tests.integration.simulator.client import AGENT, form, inner, soap_body, track_id
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import Cover, Sale, envelope, today
from tests.integration.simulator.signing import Authority, make_person


def test_good_envelope_is_accepted_with_counters(taxpayer: Taxpayer) -> None:
    answer = taxpayer.sii.upload(taxpayer.token, taxpayer.envelope(Sale(1), Sale(2)), sender=taxpayer.person.rut)
    pattern = (
        r'<\?xml version="1.0"\?>\n<RECEPCIONDTE>\n <RUTSENDER>11111111-1</RUTSENDER>\n'
        r" <RUTCOMPANY>76900101-8</RUTCOMPANY>\n <FILE>envio.xml</FILE>\n"
        r" <TIMESTAMP>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d</TIMESTAMP>\n <STATUS>0</STATUS>\n\n\n"
        r" <TRACKID>(\d{10})</TRACKID>\n\n</RECEPCIONDTE>\n"
    )
    match = re.fullmatch(pattern, answer.text)
    assert match is not None, answer.text
    state = taxpayer.sii.envelope_state(taxpayer.token, match.group(1))
    assert state.state == "EPR"
    assert (state.get("ACEPTADOS"), state.get("RECHAZADOS"), state.get("REPAROS")) == ("2", "0", "0")
    assert taxpayer.findings(match.group(1)) == [[], []]
    document = taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900)
    assert document.state == "DOK"
    facts = taxpayer.sii.control("GET", "/invariants")
    assert (facts["ok"], facts["accepted"], facts["doubled"]) == (True, 2, 0)


def test_received_bytes_are_kept(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    track = taxpayer.send(data)
    kept = taxpayer.sii.http.get(f"{taxpayer.sii.hosts['control']}/uploads/{track}/file")
    assert kept.content == data
    (upload,) = taxpayer.sii.control("GET", "/uploads")
    assert (upload["track_id"], upload["verdict"], upload["documents"]) == (int(track), "EPR", 1)


def test_several_types_come_as_flat_siblings(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"omit_type_61": False})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    note = Sale(1, 61, references=_reference(33, 1, 1))
    track = taxpayer.send(taxpayer.envelope(Sale(2), Sale(3), note))
    state = taxpayer.sii.envelope_state(taxpayer.token, track)
    assert state.all("TIPO_DOCTO") == ["33", "61"]
    assert state.all("INFORMADOS") == ["2", "1"]
    taxpayer.sii.control("POST", "/switches", {"omit_type_61": True})
    assert taxpayer.sii.envelope_state(taxpayer.token, track).all("TIPO_DOCTO") == ["33"]


def _reference(document_type: int, folio: int, code: int) -> str:
    return (
        f"<Referencia><NroLinRef>1</NroLinRef><TpoDocRef>{document_type}</TpoDocRef><FolioRef>{folio}</FolioRef>"
        f"<FchRef>{today()}</FchRef><CodRef>{code}</CodRef></Referencia>\n"
    )


@pytest.mark.parametrize("agent", ["python-httpx/0.28", "Mozilla/5.0 (Windows NT 10.0) Chrome/120", ""])
def test_wrong_user_agent_gets_html_and_nothing_is_stored(taxpayer: Taxpayer, agent: str) -> None:
    data = taxpayer.envelope(Sale(1))
    answer = taxpayer.sii.upload(taxpayer.token, data, sender=taxpayer.person.rut, agent=agent)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html"
    assert "HA OCURRIDO UN ERROR EN EL UPLOAD" in answer.text
    assert taxpayer.sii.control("GET", "/uploads") == []


def test_upload_without_a_session_is_status_5(taxpayer: Taxpayer) -> None:
    for token in ("", "XXXXXXXXXXXXX"):
        answer = taxpayer.sii.upload(token, taxpayer.envelope(Sale(1)), sender=taxpayer.person.rut)
        assert answer.text == '<?xml version="1.0"?>\n<RECEPCIONDTE>\n  <STATUS>5</STATUS>\n</RECEPCIONDTE>\n'


def test_sender_who_is_not_the_session_is_status_1(taxpayer: Taxpayer) -> None:
    answer = taxpayer.sii.upload(taxpayer.token, taxpayer.envelope(Sale(1)), sender="12222222-5")
    assert "<STATUS>1</STATUS>" in answer.text


def test_missing_permission_shows_at_the_examination(taxpayer: Taxpayer) -> None:
    """STATUS 0 and then RFR, with a sound signature (ten envelopes of a certification of 2026)."""
    body = {"person": taxpayer.person.rut, "company": "76900101-8", "can": ["send"]}
    assert taxpayer.sii.control("POST", "/permissions/revoke", body) == {"can": ["query", "sign"]}
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert (taxpayer.state(track), taxpayer.envelope_findings(track)) == ("RFR", ["ENV-3-6"])
    assert taxpayer.sii.control("GET", "/documents") == []
    granted = {"permissions": [{"person": taxpayer.person.rut, "company": "76900101-8", "can": ["send"]}]}
    taxpayer.sii.control("POST", "/fixtures", granted)
    again = taxpayer.send(taxpayer.envelope(Sale(1, item="Otro")))
    assert (taxpayer.state(again), taxpayer.findings(again)) == ("EPR", [[]])


def test_missing_permission_is_status_1_by_switch_and_106(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"missing_permission": "gateway"})
    data = taxpayer.envelope(Sale(1))
    track = taxpayer.send(data)
    body = {"person": taxpayer.person.rut, "company": "76900101-8"}
    assert taxpayer.sii.control("POST", "/permissions/revoke", body) == {"can": []}
    answer = taxpayer.sii.upload(taxpayer.token, data, sender=taxpayer.person.rut)
    assert "<STATUS>1</STATUS>" in answer.text
    assert taxpayer.state(track) == "106"


def test_company_that_is_not_authorised_is_status_6(taxpayer: Taxpayer) -> None:
    company = {
        "rut": "76900101-8",
        "razon_social": "X",
        "resolution": {"number": 0, "date": "2014-08-22"},
        "authorised": False,
    }
    taxpayer.sii.control("POST", "/fixtures", {"companies": [company]})
    answer = taxpayer.sii.upload(taxpayer.token, taxpayer.envelope(Sale(1)), sender=taxpayer.person.rut)
    assert "<STATUS>6</STATUS>" in answer.text


def test_size_is_limited(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"max_upload_bytes": 1000})
    for data in (b"", taxpayer.envelope(Sale(1))):
        answer = taxpayer.sii.upload(taxpayer.token, data, sender=taxpayer.person.rut)
        assert "<STATUS>2</STATUS>" in answer.text


def _post(taxpayer: Taxpayer, body: bytes, **headers: str) -> str:
    url = taxpayer.sii.hosts["dte"] + "/cgi_dte/UPL/DTEUpload"
    content = {"Content-Type": "multipart/form-data; boundary=B", "User-Agent": AGENT}
    cookie = {"Cookie": f"TOKEN={taxpayer.token}"}
    return taxpayer.sii.http.post(url, content=body, headers=content | cookie | headers).text


def test_form_that_is_cut_is_status_3(taxpayer: Taxpayer) -> None:
    whole = form("B", taxpayer.person.rut, "76900101-8", taxpayer.envelope(Sale(1)))
    assert "<STATUS>3</STATUS>" in _post(taxpayer, whole[: -len(b"\r\n--B--\r\n")])


def test_form_without_its_parts_is_refused(taxpayer: Taxpayer) -> None:
    whole = form("B", taxpayer.person.rut, "76900101-8", b"x")
    assert "HA OCURRIDO UN ERROR" in _post(taxpayer, whole.replace(b"rutCompany", b"rutEmpresa"))
    assert "<STATUS>3</STATUS>" in _post(taxpayer, whole.replace(b'"archivo"', b'"file"'))
    assert "HA OCURRIDO UN ERROR" in _post(taxpayer, whole, **{"Content-Type": "text/xml"})


def test_unusual_order_of_the_parts_is_noted(taxpayer: Taxpayer) -> None:
    whole = form("B", taxpayer.person.rut, "76900101-8", taxpayer.envelope(Sale(1)))
    names = (b"rutSender", b"dvSender")
    parts = [
        re.escape(b'--B\r\nContent-Disposition: form-data; name="' + n + b'"') + rb".*?\r\n\r\n.*?\r\n" for n in names
    ]
    swapped = re.sub(b"(" + parts[0] + b")(" + parts[1] + b")", rb"\2\1", whole, flags=re.DOTALL)
    assert swapped != whole
    assert "<STATUS>0</STATUS>" in _post(taxpayer, swapped)
    (entry,) = [e for e in taxpayer.sii.control("GET", "/ledger") if e["operation"] == "DTEUpload"]
    assert entry["warnings"] == ["parts in unusual order: dvSender, rutSender, rutCompany, dvCompany, archivo"]


def test_every_form_of_a_state_parses(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.sii.control("POST", "/switches", {"profile": "varied"})
    forms = set()
    for _ in range(60):
        body = {"RutCompania": "76900101", "DvCompania": "8", "TrackId": track, "Token": taxpayer.token}
        answer = taxpayer.sii.raw_soap("QueryEstUp.jws", soap_body("getEstUp", body))
        etree.fromstring(answer.content)
        root = etree.fromstring(re.sub(r"^<\?xml.*?\?>", "", inner(answer.content)))
        assert [e.text for e in root.iter("ACEPTADOS")] == ["1"]
        forms.add((root[0].tag, root.findtext(".//ESTADO"), root.find(".//TIPO_DOCTO") is None))
    assert len(forms) > 4


def test_chunked_body_is_a_bad_request(taxpayer: Taxpayer) -> None:
    whole = form("B", taxpayer.person.rut, "76900101-8", taxpayer.envelope(Sale(1)))
    where = urlsplit(taxpayer.sii.hosts["dte"])
    head = (
        f"POST /cgi_dte/UPL/DTEUpload HTTP/1.1\r\nHost: x\r\nUser-Agent: {AGENT}\r\nCookie: TOKEN={taxpayer.token}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head.encode() + f"{len(whole):x}\r\n".encode() + whole + b"\r\n0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert taxpayer.sii.control("GET", "/uploads") == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda d: d.replace(b"\n", b""), "CHR-00002: Line too long (4090)"),
        (lambda d: d.replace(b'"ISO-8859-1"?', b'"ISO-8859-1" standalone="no"?'), "SCH-00001: Invalid Schema Name"),
        (lambda d: re.sub(rb' xsi:schemaLocation="[^"]*"', b"", d), "SCH-00001: Invalid Schema Name"),
        (lambda d: re.sub(rb'(<EnvioDTE) (.*?) (version="1.0")', rb"\1 \3 \2", d, count=1), "SCH-00001"),
        (lambda d: d.replace(b"EnvioDTE", b"RespuestaDTE"), "SCH-00001: Invalid Schema Name"),
        (lambda d: d.replace(b"ISO-8859-1", b"UTF-8"), "encoding"),
        (lambda d: d[:-30], "LPX-00007"),
        (lambda d: d.replace(b"?>\n", b'?>\n<!DOCTYPE EnvioDTE [<!ENTITY a "b">]>\n', 1), "LPX-00007"),
    ],
)
def test_gateway_refuses_bytes_it_does_not_like(
    taxpayer: Taxpayer, change: Callable[[bytes], bytes], error: str
) -> None:
    data = change(taxpayer.envelope(Sale(1)))
    answer = taxpayer.sii.upload(taxpayer.token, data, sender=taxpayer.person.rut)
    assert "<STATUS>7</STATUS>" in answer.text
    assert error in answer.text
    assert taxpayer.sii.control("GET", "/uploads") == []


def test_line_of_4090_bytes_is_taken(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    filler = b"<!--" + b"x" * (4090 - 7) + b"-->"
    assert len(filler) == 4090
    assert track_id(taxpayer.sii.upload(taxpayer.token, data + filler, sender=taxpayer.person.rut))
    answer = taxpayer.sii.upload(taxpayer.token, data + b" " + filler, sender=taxpayer.person.rut)
    assert "CHR-00002" in answer.text


def test_same_bytes_again_are_status_99_with_the_first_track_id(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    track = taxpayer.send(data)
    for times in (2, 3):
        taxpayer.sii.control("POST", "/clock", {"advance": 800})
        answer = taxpayer.sii.upload(taxpayer.token, data, sender=taxpayer.person.rut)
        wait = "Debe esperar 900 segundos antes de reintentar"
        assert answer.text == (
            "<RECEPCIONDTE>\n <STATUS>99</STATUS>\n <DETAIL>\n"
            f"<ERROR>Archivo ya fue enviado {times} veces con Trackid {track}. {wait}</ERROR>\n</DETAIL>\n"
            "</RECEPCIONDTE>\n"
        )


def test_same_bytes_after_the_window_are_a_new_upload_of_known_documents(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    first = taxpayer.send(data)
    taxpayer.sii.control("POST", "/clock", {"advance": 901})
    second = taxpayer.send(data)
    assert first != second
    state = taxpayer.sii.envelope_state(taxpayer.token, second)
    assert (state.state, state.get("RECHAZADOS")) == ("EPR", "1")
    assert taxpayer.findings(second) == [["DTE-3-100"]]
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == "DOK"
    facts = taxpayer.sii.control("GET", "/invariants")
    assert (facts["ok"], facts["accepted"]) == (True, 1)


def test_other_bytes_for_a_known_folio_are_refused_and_break_an_invariant(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    track = taxpayer.send(taxpayer.envelope(Sale(1, amount=20000)))
    assert taxpayer.state(track) == "EPR"
    assert taxpayer.findings(track) == [["DTE-3-101"]]
    facts = taxpayer.sii.control("GET", "/invariants")
    assert (facts["ok"], facts["doubled"], facts["reissued"]) == (False, 0, 1)


def test_repeated_envelope_may_be_refused_as_a_whole(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"repeat_mode": "envelope"})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    assert taxpayer.state(taxpayer.send(taxpayer.envelope(Sale(1, amount=20000)))) == "RFR"


@pytest.mark.parametrize(
    ("cover", "state", "code"),
    [
        ({"resolution_number": 80}, "RCT", "CRT-3-19"),
        ({"resolution_date": "2014-08-23"}, "RCT", "CRT-3-19"),
        ({"receiver": "77900202-0"}, "RCT", "CRT-3-18"),
        ({"counts": {33: 2}}, "RCT", "CRT-3-999"),
        ({"company": "77900202-0"}, "RCT", "CRT-3-11"),
        ({"in_context": False}, "RFR", "ENV-3-999"),
    ],
)
def test_envelope_is_refused_as_a_whole(taxpayer: Taxpayer, cover: dict[str, object], state: str, code: str) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1), **cover))
    assert taxpayer.state(track) == state
    assert taxpayer.envelope_findings(track) == [code]
    assert taxpayer.sii.control("GET", "/documents") == []
    again = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert taxpayer.state(again) == "EPR"
    assert taxpayer.findings(again) == [[]]


def test_schema_fault_refuses_the_envelope(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)).replace(b"<FmaPago>1</FmaPago>", b"<FmaPago>9</FmaPago>"))
    assert taxpayer.state(track) == "RSC"
    assert taxpayer.envelope_findings(track) == ["ENV-3-0"]


def test_change_in_the_caratula_breaks_the_envelope_signature(taxpayer: Taxpayer) -> None:
    data = re.sub(rb"<TmstFirmaEnv>\d{4}", b"<TmstFirmaEnv>2025", taxpayer.envelope(Sale(1)))
    track = taxpayer.send(data)
    assert taxpayer.state(track) == "RFR"


def test_envelope_signed_by_another_person_is_refused(taxpayer: Taxpayer, authority: Authority) -> None:
    other = make_person(authority, "12222222-5")
    data = envelope([taxpayer.dte(Sale(1))], [33], Cover(taxpayer.person.rut), other)
    assert taxpayer.state(taxpayer.send(data)) == "RFR"


def test_upload_of_another_company_is_not_shown(taxpayer: Taxpayer) -> None:
    state = taxpayer.sii.envelope_state(taxpayer.token, "123")
    assert (state.state, state.get("ERR_CODE")) == ("-11", "1")


def test_states_follow_the_clock(taxpayer: Taxpayer) -> None:
    steps = {step: [60, 60] for step in ("SOK", "CRT", "FOK", "PDR", "EPR")}
    taxpayer.sii.control("POST", "/switches", {"steps": steps, "visibility_delay": 3.0})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    early = taxpayer.sii.envelope_state(taxpayer.token, track)
    assert (early.state, early.get("ERR_CODE")) == ("-11", "2")
    taxpayer.sii.control("POST", "/clock", {"advance": 5})
    seen = [taxpayer.state(track)]
    for _ in range(4):
        taxpayer.sii.control("POST", "/clock", {"advance": 60})
        seen.append(taxpayer.state(track))
    assert seen == ["REC", "SOK", "CRT", "FOK", "PDR"]
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == "FAU"
    taxpayer.sii.control("POST", "/clock", {"advance": 60})
    assert taxpayer.state(track) == "EPR"
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == "DOK"


def test_refusal_shows_at_its_own_step(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_dte"})
    track = taxpayer.send(taxpayer.envelope(Sale(1), resolution_number=80))
    taxpayer.sii.control("POST", "/clock", {"advance": 4})
    assert taxpayer.state(track) == "REC"
    taxpayer.sii.control("POST", "/clock", {"advance": 121})
    assert taxpayer.state(track) == "RCT"
