"""A restart of the simulator: what followed an upload is still known."""

import re
from pathlib import Path
from typing import Any

from tests.integration.simulator.cessions import FACTOR, Transfer, aec, ceded, cesion
from tests.integration.simulator.client import Sii
from tests.integration.simulator.conftest import Taxpayer, enrol, run_simulator
from tests.integration.simulator.documents import COMPANY, RECEIVER, Cover, Sale, envelope, reference, today
from tests.integration.simulator.signing import Authority, Person

_NUMBER, _DIGIT = COMPANY.split("-")


def _about(folio: int, **more: str) -> dict[str, str]:
    return {"rutEmisor": _NUMBER, "dvEmisor": _DIGIT, "tipoDoc": "33", "folio": str(folio)} | more


def _holder(sii: Sii, token: str) -> str:
    asked = {"Token": token, "RutEmisor": _NUMBER, "DVEmisor": _DIGIT, "TipoDoc": "33", "FolioDoc": "1"}
    related = asked | {"RutEmpresa": _NUMBER, "DVEmpresa": _DIGIT}
    return sii.soap("services/wsRPETCConsulta", "getEstCesionRelac", related).get("RUT_TENEDOR")


def _cede(taxpayer: Taxpayer, dte: str, sale: Sale) -> str:
    data = aec(ceded(dte, taxpayer.person), [cesion(sale, Transfer(), taxpayer.person)], taxpayer.person)
    found = re.search(r"<TRACKID>0*(\d+)<", taxpayer.sii.cede(taxpayer.token, data).text)
    assert found is not None
    return found.group(1)


def _file_state(taxpayer: Taxpayer, track: str) -> str:
    asked = {"Token": taxpayer.token, "TrackId": track}
    return taxpayer.sii.soap("services/wsRPETCConsulta", "getEstEnvio", asked).get("ESTADO_ENVIO")


def test_restart_keeps_notes_claims_and_holders(tmp_path: Path, authority: Authority, person: Person) -> None:
    sale = Sale(1)
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        first = enrol(sii, authority, person)
        granted = {"person": person.rut, "company": RECEIVER, "can": ["query"]}
        sii.control("POST", "/fixtures", {"permissions": [granted]})
        dtes = [first.dte(one) for one in (sale, Sale(2), Sale(3))]
        first.send(envelope(dtes, [33] * 3, Cover(person.rut), person))
        first.send(first.envelope(Sale(1, 61, references=reference(33, 2, 1))))
        answer = sii.claim("ingresarAceptacionReclamoDoc", first.token, _about(3, accionDoc="RCD"))
        assert "<codResp>0</codResp>" in answer.text
        track = _cede(first, dtes[0], sale)
        assert _file_state(first, track) == "EOK"
        before: dict[str, Any] = {name: sii.control("GET", f"/{name}") for name in ("events", "cessions")}
        assert len(sii.control("GET", "/mails")) == 3
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        again = Taxpayer(sii, authority, person, first.cafs)
        assert {name: sii.control("GET", f"/{name}") for name in before} == before
        assert sii.control("GET", "/mails") == []
        assert _holder(sii, again.token) == FACTOR
        assert _file_state(again, track) == "EOK"
        assert _file_state(again, _cede(again, dtes[0], sale)) == "RCS"
        assert (
            "<codResp>7</codResp>"
            in sii.claim("ingresarAceptacionReclamoDoc", again.token, _about(3, accionDoc="RCD")).text
        )
        assert "<codEvento>NCA</codEvento>" in sii.claim("listarEventosHistDoc", again.token, _about(2)).text
        assert sii.document_state(again.token, person, 33, 2, today(), 11900).state == "ANC"


def test_mail_that_was_due_is_written_after_the_restart(tmp_path: Path, authority: Authority, person: Person) -> None:
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        first = enrol(sii, authority, person)
        sii.control("POST", "/switches", {"timings": "prod_dte"})
        track = first.send(first.envelope(Sale(1)))
        assert sii.control("GET", "/mails") == []
    with run_simulator(tmp_path) as hosts, Sii(hosts) as sii:
        assert sii.control("GET", "/mails") == []
        sii.control("POST", "/clock", {"advance": 301})
        assert [mail["track_id"] for mail in sii.control("GET", "/mails")] == [int(track)]
