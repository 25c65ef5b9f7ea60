"""Faults on demand, the control port, and what a restart keeps."""

import base64
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.integration.simulator.client import REST_AGENT, Sii
from tests.integration.simulator.conftest import Taxpayer, enrol, run_simulator
from tests.integration.simulator.documents import COMPANY, Caf, Sale, today
from tests.integration.simulator.signing import Authority, Person, signed_get_token


def _fault(taxpayer: Taxpayer, fault: str, **rule: object) -> None:
    taxpayer.sii.control("POST", "/faults", {"fault": fault} | rule)


def _upload(taxpayer: Taxpayer, data: bytes) -> httpx.Response:
    return taxpayer.sii.upload(taxpayer.token, data, sender=taxpayer.person.rut)


def test_lost_answer_was_stored_and_the_same_bytes_find_it(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    _fault(taxpayer, "F-LOST-1", when={"operation": "upload", "company": COMPANY}, times=1)
    with pytest.raises(httpx.TransportError):
        _upload(taxpayer, data)
    (upload,) = taxpayer.sii.control("GET", "/uploads")
    answer = _upload(taxpayer, data)
    assert f"con Trackid {upload['track_id']}. " in answer.text
    (lost, again) = [e for e in taxpayer.sii.control("GET", "/ledger") if e["operation"] == "DTEUpload"]
    assert (lost["faults"], lost["stored"], lost["status"]) == (["F-LOST-1"], True, 0)
    assert (again["outcome"], again["stored"]) == ("STATUS 99", False)


def test_lost_answer_waits_for_an_upload_that_is_stored(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-LOST-1")
    assert "<STATUS>7</STATUS>" in _upload(taxpayer, b"no xml").text
    with pytest.raises(httpx.TransportError):
        _upload(taxpayer, taxpayer.envelope(Sale(1)))


def test_fault_of_another_company_does_not_fire(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-LOST-1", when={"company": "77900202-0"})
    assert taxpayer.send(taxpayer.envelope(Sale(1)))


def test_token_expires_on_demand(taxpayer: Taxpayer) -> None:
    token = taxpayer.token
    _fault(taxpayer, "F-TOK-1", when={"operation": "upload"})
    assert "<STATUS>5</STATUS>" in _upload(taxpayer, taxpayer.envelope(Sale(1))).text
    taxpayer.tokens.clear()
    assert taxpayer.token != token
    assert taxpayer.send(taxpayer.envelope(Sale(1)))
    assert taxpayer.sii.control("GET", "/invariants")["logins"] == {"11111111-1 soap": 2}


def test_half_of_an_envelope_is_rejected(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-HALF")
    single = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert taxpayer.findings(single) == [[]]
    track = taxpayer.send(taxpayer.envelope(*map(Sale, range(2, 7))))
    state = taxpayer.sii.envelope_state(taxpayer.token, track)
    assert (state.state, state.get("ACEPTADOS"), state.get("RECHAZADOS")) == ("EPR", "3", "2")
    assert taxpayer.findings(track) == [[], ["HED-3-861"], [], ["HED-3-861"], []]
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 3, today(), 11900).state == "FAU"
    facts = taxpayer.sii.control("GET", "/invariants")
    assert (facts["ok"], facts["accepted"], facts["rejected"]) == (True, 4, 2)


def test_half_may_be_of_one_type(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-HALF", args={"types": [61]}, times=-1)
    track = taxpayer.send(taxpayer.envelope(Sale(1), Sale(2)))
    assert taxpayer.findings(track) == [[], []]


def test_caratula_is_refused_on_demand(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-RCT")
    first = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert (taxpayer.state(first), taxpayer.envelope_findings(first)) == ("RCT", ["CRT-3-19"])
    again = taxpayer.send(taxpayer.envelope(Sale(1), counts={33: 1}).replace(b"\n</EnvioDTE>", b"</EnvioDTE>") + b"\n")
    assert taxpayer.state(again) == "EPR"


@pytest.mark.parametrize(
    ("fault", "args", "status", "text"),
    [
        ("F-9", {}, 200, "<STATUS>9</STATUS>"),
        ("F-STATUS-6", {"form": "full"}, 200, "<ERROR>"),
        ("F-500-LIT", {}, 200, "Error 500"),
        ("F-HTTP-503", {"headers": {"Retry-After": "30"}}, 503, "Service Temporarily Unavailable"),
        ("F-HTML-UP", {}, 200, "HA OCURRIDO UN ERROR EN EL UPLOAD"),
        ("F-UNK", {}, 200, "<STATUS>42</STATUS>"),
    ],
)
def test_answers_instead_of_work(
    taxpayer: Taxpayer, fault: str, args: dict[str, object], status: int, text: str
) -> None:
    data = taxpayer.envelope(Sale(1))
    _fault(taxpayer, fault, when={"operation": "upload"}, args=args)
    answer = _upload(taxpayer, data)
    assert answer.status_code == status
    assert text in answer.text
    assert taxpayer.sii.control("GET", "/uploads") == []
    assert taxpayer.send(data)


def test_faults_reach_queries_and_logins(taxpayer: Taxpayer) -> None:
    token = taxpayer.token
    for operation, service, name in (
        ("login", "CrSeed.jws", "getSeed"),
        ("envelope_status", "QueryEstUp.jws", "getEstUp"),
    ):
        _fault(taxpayer, "F-HTTP-503", when={"operation": operation})
        with pytest.raises(AssertionError):
            taxpayer.sii.soap(service, name, {} if name == "getSeed" else _query(token))
    rest = taxpayer.rest_token
    _fault(taxpayer, "F-HTTP-503", when={"operation": "envelope_status"})
    assert taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-1", rest).status_code == 503


def _query(token: str) -> dict[str, str]:
    return {"RutCompania": "76900101", "DvCompania": "8", "TrackId": "1", "Token": token}


def test_answers_are_cut_and_emptied(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-LOST-4")
    with pytest.raises(httpx.TransportError):
        _upload(taxpayer, taxpayer.envelope(Sale(1)))
    _fault(taxpayer, "F-LOST-5")
    assert _upload(taxpayer, taxpayer.envelope(Sale(2))).content == b""
    assert len(taxpayer.sii.control("GET", "/uploads")) == 2


def test_lost_boletas_are_stored(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1, 39, 11900), root="EnvioBOLETA")
    token = taxpayer.rest_token
    _fault(taxpayer, "F-LOST-1", when={"host": "boleta_up"})
    with pytest.raises(httpx.TransportError):
        taxpayer.sii.upload(token, data, sender=taxpayer.person.rut, agent=REST_AGENT, rest=True)
    assert [d["state"] for d in taxpayer.sii.control("GET", "/documents")] == ["accepted"]


def test_upload_stays_stuck_until_it_is_let_go(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-STUCK-1")
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.sii.control("POST", "/clock", {"advance": 3000})
    assert taxpayer.state(track) in {"REC", "PDR"}
    taxpayer.sii.control("POST", f"/uploads/{track}/freeze", {"frozen": False})
    assert taxpayer.state(track) == "EPR"


def test_end_may_come_without_counters_at_first(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-EPR-0", args={"times": 2})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    answers = [taxpayer.sii.envelope_state(taxpayer.token, track).get("ACEPTADOS") for _ in range(3)]
    assert answers == ["", "", "1"]


def test_state_may_be_forced(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.sii.control("POST", f"/uploads/{track}/force", {"state": "ZZZ"})
    assert taxpayer.state(track) == "ZZZ"


def test_nth_request_and_lifting(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-9", when={"operation": "upload", "nth": 2}, times=-1)
    assert taxpayer.send(taxpayer.envelope(Sale(1)))
    assert "<STATUS>9</STATUS>" in _upload(taxpayer, taxpayer.envelope(Sale(2))).text
    assert taxpayer.send(taxpayer.envelope(Sale(2)))
    _fault(taxpayer, "F-9", times=-1)
    assert taxpayer.sii.control("GET", "/faults")[1]["fault"] == "F-9"
    taxpayer.sii.control("DELETE", "/faults")
    assert taxpayer.send(taxpayer.envelope(Sale(3)))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"fault": "F-NADA"}),
        ("/faults", {"fault": "F-9", "when": {"moon": "full"}}),
        ("/fixtures", {"empresas": []}),
        ("/fixtures", {"persons": [{"rut": "11111111-2"}]}),
        ("/fixtures", {"cafs": [{"company": COMPANY, "type": 33, "from": 9, "to": 1}]}),
        ("/switches", {"nada": 1}),
        ("/switches", {"visibility_delay": "3"}),
        ("/clock", {"set": "ayer"}),
    ],
)
def test_control_port_names_what_is_wrong(taxpayer: Taxpayer, path: str, body: object) -> None:
    answer = taxpayer.sii.http.post(taxpayer.sii.hosts["control"] + path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_tokens_are_never_shown(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    for path in ("/ledger", "/tokens", "/", "/uploads"):
        shown = taxpayer.sii.http.get(taxpayer.sii.hosts["control"] + path).text
        assert taxpayer.token not in shown
        assert shown


def test_page_says_what_this_is(taxpayer: Taxpayer) -> None:
    _fault(taxpayer, "F-9", when={"company": "77900202-0"})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    page = taxpayer.sii.http.get(taxpayer.sii.hosts["control"]).text
    assert "A simulated SII" in page
    assert "STATUS 0" in page
    assert "F-9" in page


def test_clock_is_set_and_moved(sii: Sii) -> None:
    assert sii.control("POST", "/clock", {"set": "2026-12-24T10:00:00"})["now"].startswith("2026-12-24T10:00:")
    assert sii.control("POST", "/clock", {"advance": "3600s"})["now"].startswith("2026-12-24T11:00:")
    assert sii.control("GET", "/clock")["now"].endswith("-03:00")


def test_restart_keeps_keys_and_fixtures(tmp_path: Path, authority: Authority, person: Person) -> None:
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        first = enrol(sii, authority, person)
        key = sii.http.get(hosts["control"] + "/caf-key").text
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        again = Taxpayer(sii, authority, person, first.cafs)
        assert sii.http.get(hosts["control"] + "/caf-key").text == key
        track = again.send(again.envelope(Sale(1)))
        assert again.findings(track) == [[]]


def test_caf_has_the_form_of_real_ones_and_openssl_reads_it(taxpayer: Taxpayer, tmp_path: Path) -> None:
    body = {"cafs": [{"company": COMPANY, "type": 33, "from": 101, "to": 200}]}
    (row,) = taxpayer.sii.control("POST", "/fixtures", body)["cafs"]
    data = base64.b64decode(row["xml_base64"])
    assert data.startswith(
        b'<?xml version="1.0"?>\n<AUTORIZACION>\n<CAF version="1.0">\n<DA>\n<RE>76900101-8</RE>\n<RS>'
    )
    assert "<RS>FERRETERÍA &amp; CÍA</RS>\n<TD>33</TD>".encode("iso-8859-1") in data
    assert b"<E>Aw==</E>\n</RSAPK>\n<IDK>100</IDK>\n</DA>\n<FRMA algoritmo=" in data
    caf = Caf.read(data)
    assert (caf.key.key_size, caf.key.public_key().public_numbers().e) == (512, 3)
    pem = tmp_path / "key.pem"
    pem.write_bytes(data[data.index(b"-----BEGIN RSA") : data.index(b"</RSASK>")])
    checked = subprocess.run(["openssl", "rsa", "-check", "-noout", "-in", str(pem)], capture_output=True, check=True)
    assert b"RSA key ok" in checked.stdout


def test_two_runs_with_one_seed_draw_the_same(sii: Sii, authority: Authority, person: Person) -> None:
    drawn = []
    for _ in range(2):
        sii.control("POST", "/reset", {"seed": 7})
        enrol(sii, authority, person)
        seed = sii.seed()
        drawn.append((seed, sii.get_token(signed_get_token(person, seed)).text))
    assert drawn[0] == drawn[1]
