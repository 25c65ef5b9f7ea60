"""Hosts and ports, the registry file, profiles and switches, and what a restart still knows."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.integration.simulator.catalogue.case import Case, is_lost, status
from tests.integration.simulator.client import Sii, track_id
from tests.integration.simulator.conftest import Taxpayer, enrol, run_simulator
from tests.integration.simulator.documents import COMPANY, RECEIVER, Caf, Sale, reference
from tests.integration.simulator.signing import Authority, Person


@pytest.mark.parametrize("family", ["{alias}.localhost", "{alias}.example", "{real}.sii.cl"])
def test_one_port_serves_every_host_by_its_name(sii: Sii, family: str) -> None:
    def ask(alias: str, real: str, path: str) -> httpx.Response:
        host = family.format(alias=alias, real=real)
        return sii.http.get(sii.hosts["shared"] + path, headers={"Host": f"{host}:1"})

    assert "definitions" in ask("dte", "maullin", "/DTEWS/CrSeed.jws?WSDL").text
    assert "SEMILLA" in ask("boleta-api", "apicert", "/recursos/v1/boleta.electronica.semilla").text
    assert "Acceso Denegado" in ask("boleta-up", "pangal", "/recursos/v1/boleta.electronica.envio").text
    assert ask("reclamo", "ws2", "/nada").status_code == 404
    assert [e["host"] for e in sii.control("GET", "/ledger")] == ["dte", "boleta_api", "boleta_up", "reclamo"]
    assert "A simulated SII" in sii.http.get(sii.hosts["shared"]).text


def test_an_invoice_goes_through_the_shared_port(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    taxpayer.sii.hosts = taxpayer.sii.hosts | {"dte": taxpayer.sii.hosts["shared"]}
    taxpayer.sii.http.headers["Host"] = "palena.sii.cl"
    assert case.state(taxpayer.send(case.invoice())).state == "EPR"


def test_ports_may_be_shifted_and_one_may_be_named(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with run_simulator(tmp_path, "--dte-port", str(free)) as hosts:
        assert hosts["dte"] == f"http://127.0.0.1:{free}"
        assert len({hosts[name] for name in ("dte", "boleta_api", "boleta_up", "reclamo", "shared", "control")}) == 6


def test_environments_are_two_worlds(tmp_path: Path, authority: Authority, person: Person) -> None:
    with run_simulator(tmp_path, "--environment", "production") as hosts, Sii(hosts) as sii:
        production = enrol(sii, authority, person)
        body = {"cafs": [{"company": COMPANY, "type": 34, "from": 1, "to": 2}]}
        (row,) = sii.control("POST", "/fixtures", body)["cafs"]
        assert b"<IDK>300</IDK>" in base64.b64decode(row["xml_base64"])
        assert hosts["environment"] == "production"
        assert production.token


def _registry(folder: Path, authority: Authority, person: Person) -> Path:
    (folder / "ca.pem").write_text(authority.pem)
    path = folder / "registry.json"
    body: dict[str, Any] = {
        "authority_files": ["ca.pem"],
        "companies": [
            {"rut": COMPANY, "razon_social": "FERRETERÍA & CÍA", "resolution": {"number": 0, "date": "2014-08-22"}}
        ],
        "persons": [{"rut": person.rut}, {"rut": "12222222-5", "name": "Ana", "certificate_password": "clave"}],
        "permissions": [{"person": person.rut, "company": COMPANY, "can": ["send", "query", "sign"]}],
        "cafs": [{"company": COMPANY, "type": 33, "from": 1, "to": 50}],
    }
    path.write_text(json.dumps(body))
    return path


def test_registry_file_is_loaded_at_the_start(tmp_path: Path, authority: Authority, person: Person) -> None:
    path, home = _registry(tmp_path, authority, person), tmp_path / "home"
    home.mkdir()
    files = home / "cafs" / f"{COMPANY}-33-1-50.xml", home / "certificates" / "12222222-5.pfx"
    kept: list[list[bytes]] = []
    for _ in range(2):
        with run_simulator(home, "--registry", str(path)) as hosts, Sii(hosts) as sii:
            taxpayer = Taxpayer(sii, authority, person, {33: Caf.read(files[0].read_bytes())})
            track = taxpayer.send(taxpayer.envelope(Sale(1 + len(kept))))
            assert taxpayer.findings(track) == [[]]
            key, certificate, others = pkcs12.load_key_and_certificates(files[1].read_bytes(), b"clave")
            assert key is not None
            assert certificate is not None
            assert len(others) == 1
        kept.append([file.read_bytes() for file in files])
    # Loading it again gives out the same CAF and certificate.
    assert kept[0] == kept[1]


def test_registry_file_that_is_wrong_is_said(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    path.write_text('{"persons": [{"rut": "1-1"}]}')
    command = [sys.executable, "-m", "deploy.sandbox.sii", "--folder", str(tmp_path), "--registry", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, "registry.json: ValueError: not a RUT: '1-1'" in ended.stderr) == (2, True)


@contextmanager
def killed(folder: Path) -> Iterator[dict[str, str]]:
    """A simulator that is killed at the end of the block."""
    # It ends with SIGKILL's code, which `run_simulator` objects to.
    with pytest.raises(AssertionError, match="-9"), run_simulator(folder) as hosts:  # noqa: PT012 - ends by its block
        yield hosts
        os.kill(int(hosts["pid"]), signal.SIGKILL)


def test_what_was_received_outlives_a_kill(tmp_path: Path, authority: Authority, person: Person) -> None:
    note = Sale(1, 61, references=reference(33, 1, 1))
    with killed(tmp_path) as hosts, Sii(hosts) as sii:
        taxpayer = enrol(sii, authority, person)
        case = Case(taxpayer, tmp_path)
        first = taxpayer.envelope(Sale(1), Sale(2))
        tracks = [taxpayer.send(data) for data in (first, taxpayer.envelope(note))]
        case.fault("F-STUCK-1")
        stuck = taxpayer.send(case.invoice(3))
        again = case.upload(first)
        documents, uploads = sii.control("GET", "/documents"), sii.control("GET", "/uploads")
        facts, ledger = sii.control("GET", "/invariants"), case.ledger()
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        after = Case(Taxpayer(sii, authority, person, taxpayer.cafs), tmp_path)
        assert sii.control("GET", "/documents") == documents
        assert sii.control("GET", "/uploads") == uploads
        assert after.ledger()[: len(ledger)] == ledger
        held = sii.control("GET", "/invariants")
        assert {k: v for k, v in held.items() if k != "peak_concurrency"} == {
            k: v for k, v in facts.items() if k != "peak_concurrency"
        }
        assert sii.http.get(f"{hosts['control']}/uploads/{tracks[0]}/file").content == first
        assert [after.document(folio) for folio in (1, 2, 3)] == ["ANC", "DOK", "FAU"]
        assert after.state(stuck).state in {"REC", "PDR"}
        # The same bytes still find the first track id, counted on.
        assert "enviado 2 veces" in again.text
        assert f"enviado 3 veces con Trackid {tracks[0]}." in after.upload(first).text
        # And a known folio in other bytes is still refused.
        assert after.taxpayer.findings(after.taxpayer.send(after.invoice(item="Otro"))) == [["DTE-3-101"]]
        ids = [entry["id"] for entry in after.ledger()]
        assert len(ids) == len(set(ids))
        sii.control("POST", "/reset", {"keep_fixtures": True})
        assert after.stored() == after.ledger() == []
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        assert sii.control("GET", "/uploads") == []


def test_fresh_start_forgets_what_was_received(tmp_path: Path, authority: Authority, person: Person) -> None:
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        taxpayer = enrol(sii, authority, person)
        taxpayer.send(taxpayer.envelope(Sale(1)))
    with run_simulator(tmp_path, "--fresh") as hosts, Sii(hosts) as sii:
        assert sii.control("GET", "/uploads") == []
        assert Taxpayer(sii, authority, person, taxpayer.cafs).token


@pytest.mark.parametrize("profile", ["unit", "varied", "realistic", "bad-day", "cert", "strict", "lenient"])
def test_an_invoice_is_accepted_under_every_profile(taxpayer: Taxpayer, profile: str) -> None:
    case = Case(taxpayer, Path())
    case.sii.control("POST", "/reset", {"keep_fixtures": True, "profile": profile, "seed": 3})
    data = case.invoice()
    token = _until(lambda: case.login().get("TOKEN"))
    taxpayer.tokens["soap"] = token
    _until(lambda: _is_taken(case, data))
    case.advance(3000)
    _until(lambda: case.sii.control("GET", "/documents")[0]["state"] == "accepted")
    taxpayer.tokens["soap"] = _until(lambda: case.login().get("TOKEN"))
    assert _until(lambda: case.document() == "DOK")
    assert case.sii.control("GET", "/invariants")["ok"]


def _is_taken(case: Case, data: bytes) -> bool:
    answers: list[str] = []
    lost = is_lost(
        lambda: answers.append(
            status(answer) if (answer := case.upload(data)).status_code == 200 and answer.content else ""
        )
    )
    return not lost and answers[0] in {"0", "99"}


def _until(found: Any) -> Any:
    """What a call answers in the end; faults of the profile make it fail some times."""
    ends = time.monotonic() + 15
    while True:
        try:
            answer = found()
        except (AssertionError, httpx.HTTPError):
            answer = None
        if answer:
            return answer
        assert time.monotonic() < ends


def test_a_reset_keeps_the_switches_of_the_start(tmp_path: Path) -> None:
    options = ("--switch", "token_ttl=300", "--switch", "missing_permission=gateway")
    with run_simulator(tmp_path, *options) as hosts, Sii(hosts) as sii:
        sii.control("POST", "/switches", {"token_ttl": 5.0, "soap_bind": "name"})
        told = sii.control("POST", "/reset", {})["switches"]
        assert told == sii.control("GET", "/switches")
        assert (told["token_ttl"], told["missing_permission"], told["soap_bind"]) == (300.0, "gateway", "position")
        told = sii.control("POST", "/reset", {"switches": {"soap_bind": "name"}})["switches"]
        assert (told["token_ttl"], told["soap_bind"]) == (300.0, "name")
        told = sii.control("POST", "/reset", {"switches": "defaults"})["switches"]
        assert (told["token_ttl"], told["missing_permission"]) == (3600.0, "examination")
        with pytest.raises(AssertionError):
            sii.control("POST", "/reset", {"switches": "strange"})


def test_profile_brings_its_faults_and_takes_them_away(sii: Sii) -> None:
    sii.control("POST", "/faults", {"fault": "F-9", "id": "mine"})
    sii.control("POST", "/switches", {"profile": "bad-day"})
    assert {rule["origin"] for rule in sii.control("GET", "/faults")} == {"request", "bad-day"}
    switches = sii.control("POST", "/switches", {"profile": "unit"})
    assert (switches["profile"], switches["token_ttl"], switches["hdr_order"]) == ("unit", 3600.0, "body_first")
    assert [rule["id"] for rule in sii.control("GET", "/faults")] == ["mine"]


def test_every_switch_says_what_it_decides(sii: Sii) -> None:
    rows = sii.control("GET", "/switches/described")
    assert {row["name"] for row in rows} == set(sii.control("GET", "/switches"))
    assert all(len(row["decides"]) > 10 for row in rows)
    for row in rows:
        for value in row["values"]:
            assert sii.control("POST", "/switches", {row["name"]: value})[row["name"]] == value
        if row["values"]:
            wrong = sii.http.post(sii.hosts["control"] + "/switches", json={row["name"]: "otro"})
            assert (wrong.status_code, "is one of" in wrong.json()["error"]) == (400, True)


def test_a_wrong_switch_changes_nothing(sii: Sii) -> None:
    before = sii.control("GET", "/switches")
    for body in ({"token_ttl": 1.0, "nada": 1}, {"profile": "nada"}, {"time_scale": 0}, {"steps": {"ZZZ": [0, 0]}}):
        assert sii.http.post(sii.hosts["control"] + "/switches", json=body).status_code == 400
    assert sii.control("GET", "/switches") == before


@pytest.mark.parametrize(
    ("switches", "outcome"),
    [
        ({"max_tokens_per_person": 1}, ["001", "-11"]),
        ({"max_tokens_per_person": 2}, ["-11", "-11"]),
        ({"max_tokens_per_person": 1, "expired_state": "002"}, ["002", "-11"]),
        ({"token_ttl": 50.0, "token_sliding": True}, ["-11", "-11", "-11"]),
        ({"token_ttl": 50.0, "token_sliding": False}, ["-11", "001", "001"]),
        ({"stray_003": 1.0}, ["003"]),
        ({"unknown_track": "106"}, ["106"]),
    ],
)
def test_tokens_live_as_switched(taxpayer: Taxpayer, switches: dict[str, Any], outcome: list[str]) -> None:
    case = Case(taxpayer, Path())
    case.switch(**switches)
    tokens = (
        [case.login().get("TOKEN")] * 3 if "token_ttl" in switches else [case.login().get("TOKEN") for _ in range(2)]
    )
    found = []
    for token in tokens[: len(outcome)]:
        case.advance(30)
        found.append(case.sii.envelope_state(token, "1").state)
    assert found == outcome


def test_oracle_bounds_logins_and_queries_when_asked(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    track = taxpayer.send(case.invoice())
    for _ in range(3):
        assert case.login().state == "00"
        assert case.state(track).state == "EPR"
    assert case.sii.control("GET", "/invariants")["ok"]
    case.switch(max_logins_per_hour=3, max_queries_per_hour=2)
    facts = case.sii.control("GET", "/invariants")
    assert not facts["ok"]
    assert sorted(problem.split()[1] for problem in facts["problems"]) == ["logins", "queries"]
    assert max(facts["logins_per_hour"].values()) == 4
    assert facts["most_queries_per_hour"] == 3
    assert facts["peak_concurrency"] >= 1


def test_folios_are_annulled_and_uploads_forced(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    case.sii.control("POST", "/folios/annul", {"company": COMPANY, "type": 33, "from": 5, "to": 6})
    assert case.taxpayer.findings(taxpayer.send(case.invoice(5))) == [["DTE-3-601"]]
    assert case.document(6) == "FAN"
    track = taxpayer.send(case.invoice(1))
    counters = {"33": {"informados": 1, "aceptados": 0, "rechazados": 1, "reparos": 0}}
    case.sii.control("POST", f"/uploads/{track}/force", {"state": "EPR", "counters": counters})
    assert case.state(track).get("RECHAZADOS") == "1"
    case.sii.control("POST", f"/uploads/{track}/force", {})
    assert case.state(track).get("ACEPTADOS") == "1"


def test_refusals_in_full_and_strange_part_orders(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    case.switch(status_form="full", missing_permission="gateway")
    refused = case.upload(case.invoice(), company=RECEIVER)
    assert (status(refused), "<RUTSENDER>" in refused.text) == ("1", True)
    case.switch(sync_schema="all")
    wrong = case.upload(case.invoice().replace(b"</Caratula>", b"<Nada/></Caratula>"))
    assert (status(wrong), "<ERROR>cvc-complex-type.2.4." in wrong.text) == ("7", True)
    assert track_id(case.upload(case.invoice()))


def test_page_escapes_what_came_and_says_what_is_broken(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    for item in ("Martillo", "Otro"):
        taxpayer.send(case.invoice(item=item))
    case.sii.http.get(case.sii.hosts["dte"] + "/<script>alert(1)</script>")
    case.fault("F-SLOW", when={"path": "/<b>"}, probability=0.25, times=-1)
    page = case.sii.http.get(case.sii.hosts["control"]).text
    assert "What must hold does not hold" in page
    assert f"received with different bytes: {COMPANY} 33 1" in page
    assert "<script>alert" not in page
    assert "path=/&lt;b&gt;, 25.0% of them" in page
    assert "DTE-3-101" in page
    for link in ("ledger", "faults/catalogue", "switches/described", "profiles", "mails", "cpu"):
        assert f'href="{link}"' in page
        assert case.sii.http.get(f"{case.sii.hosts['control']}/{link}").status_code == 200
