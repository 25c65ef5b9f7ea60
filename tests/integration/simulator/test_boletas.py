"""The REST services of boletas."""

import pytest

from tests.integration.simulator.client import REST_AGENT, Sii
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import ANONYMOUS, COMPANY, Sale, reference, today


def _boletas(taxpayer: Taxpayer, *sales: Sale) -> bytes:
    return taxpayer.envelope(*sales, root="EnvioBOLETA")


def _send(taxpayer: Taxpayer, data: bytes) -> int:
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, agent=REST_AGENT, rest=True)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["trackid"])


def _state(taxpayer: Taxpayer, track: int) -> dict[str, object]:
    answer = taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-{track}", taxpayer.rest_token)
    assert answer.status_code == 200, answer.text
    result: dict[str, object] = answer.json()
    return result


def _document(taxpayer: Taxpayer, folio: int, **changes: str) -> dict[str, str]:
    year, month, day = today().split("-")
    body, digit = ANONYMOUS.split("-")
    given = {"rut_receptor": body, "dv_receptor": digit, "monto": "11900", "fechaEmision": f"{day}-{month}-{year}"}
    path = f"boleta.electronica/{COMPANY}-39-{folio}/estado"
    answer = taxpayer.sii.rest(path, taxpayer.rest_token, **(given | changes))
    assert answer.status_code == 200, answer.text
    result: dict[str, str] = answer.json()
    return result


def test_boletas_are_accepted(taxpayer: Taxpayer) -> None:
    data = _boletas(taxpayer, Sale(1, 39, 11900), Sale(2, 39, 990))
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, agent=REST_AGENT, rest=True)
    received = answer.json()
    assert answer.headers["Content-Type"].startswith("application/json")
    assert (received["rut_emisor"], received["rut_envia"], received["estado"]) == (COMPANY, "11111111-1", "REC")
    assert received["trackid"] > 2**31
    state = _state(taxpayer, received["trackid"])
    assert state["estado"] == "EPR", state
    row = {"tipo": 39, "informados": 2, "aceptados": 2, "rechazados": 0, "reparos": 0}
    assert (state["estadistica"], state["detalle_rep_rech"]) == ([row], None)
    assert _document(taxpayer, 1)["codigo"] == "DOK"
    assert _document(taxpayer, 1, monto="1")["codigo"] == "DNK"
    assert _document(taxpayer, 50)["codigo"] == "FAU"


def test_note_on_a_boleta_is_accepted(taxpayer: Taxpayer) -> None:
    _send(taxpayer, _boletas(taxpayer, Sale(1, 39, 11900)))
    note = Sale(1, 61, receiver=ANONYMOUS, references=reference(39, 1, 1))
    track = taxpayer.send(taxpayer.envelope(note))
    assert taxpayer.state(track) == "EPR"
    assert taxpayer.findings(track) == [[]]
    assert _document(taxpayer, 1)["codigo"] == "ANC"


def test_state_before_the_end_has_no_figures(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_boleta"})
    track = _send(taxpayer, _boletas(taxpayer, Sale(1, 39, 11900)))
    early = taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-{track}", taxpayer.rest_token)
    assert (early.status_code, early.text.strip()) == (404, "No existe recurso")
    taxpayer.sii.control("POST", "/clock", {"advance": 5})
    state = _state(taxpayer, track)
    assert (state["estado"], state["estadistica"], state["detalle_rep_rech"]) == ("REC", None, None)
    taxpayer.sii.control("POST", "/clock", {"advance": 900})
    assert _state(taxpayer, track)["estado"] == "EPR"


def test_findings_come_apart(taxpayer: Taxpayer) -> None:
    track = _send(taxpayer, _boletas(taxpayer, Sale(1, 39, 11900, pretty_stamp=True), Sale(2, 39, 11900, total=11901)))
    state = _state(taxpayer, track)
    detail = state["detalle_rep_rech"]
    assert isinstance(detail, list)
    assert [row["estado"] for row in detail] == ["RPR", "RCH"]
    error = detail[0]["error"][0]
    assert (error["seccion"], error["nivel"], error["codigo"]) == ("TED", 2, 510)


def test_duplicate_gets_a_second_track_id_and_known_documents(taxpayer: Taxpayer) -> None:
    data = _boletas(taxpayer, Sale(1, 39, 11900))
    first, second = _send(taxpayer, data), _send(taxpayer, data)
    assert first != second
    assert taxpayer.findings(str(second)) == [["DTE-3-100"]]
    assert taxpayer.sii.control("GET", "/invariants")["ok"]


@pytest.mark.parametrize(
    "agent", ["python-httpx/0.28", "Mozilla/5.0 Chrome/120", "curl/8.1", "Mozilla/5.0 (X11; Linux)"]
)
def test_wrong_user_agent_looks_like_an_expired_token(taxpayer: Taxpayer, agent: str) -> None:
    data = _boletas(taxpayer, Sale(1, 39, 11900))
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, agent=agent, rest=True)
    assert (answer.status_code, answer.text.strip()) == (401, "NO ESTA AUTENTICADO")
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(("agent", "strictly"), [("Mozilla/5.0 (compatible; Programa/1.0)", 401), (REST_AGENT, 200)])
def test_programs_that_call_themselves_compatible_are_let_in(taxpayer: Taxpayer, agent: str, strictly: int) -> None:
    sender = taxpayer.person.rut
    data = _boletas(taxpayer, Sale(1, 39, 11900))
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=sender, agent=agent, rest=True)
    assert answer.status_code == 200
    taxpayer.sii.control("POST", "/switches", {"user_agent": "prog"})
    other = _boletas(taxpayer, Sale(2, 39, 11900))
    answer = taxpayer.sii.upload(taxpayer.rest_token, other, sender=sender, agent=agent, rest=True)
    assert answer.status_code == strictly


def test_sessions_are_needed(taxpayer: Taxpayer) -> None:
    data = _boletas(taxpayer, Sale(1, 39, 11900))
    for token, status, text in (("", 400, "No trae TOKEN"), ("X", 401, "NO ESTA AUTENTICADO")):
        answer = taxpayer.sii.upload(token, data, sender=taxpayer.person.rut, agent=REST_AGENT, rest=True)
        assert (answer.status_code, answer.text.strip()) == (status, text)
        answer = taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-1", token)
        assert (answer.status_code, answer.text.strip()) == (status, text)


def test_wrong_hosts_answer_with_a_soap_fault(taxpayer: Taxpayer) -> None:
    post = taxpayer.sii.http.post(taxpayer.sii.hosts["boleta_api"] + "/recursos/v1/boleta.electronica.envio")
    get = taxpayer.sii.http.get(taxpayer.sii.hosts["boleta_up"] + f"/recursos/v1/boleta.electronica.envio/{COMPANY}-1")
    tables = taxpayer.sii.http.get(taxpayer.sii.hosts["boleta_api"] + "/recursos/v1/globales.envio.estado")
    for answer in (post, get, tables):
        assert answer.status_code == 500
        assert "Acceso Denegado (from client)" in answer.text


def test_unknown_things_are_404(taxpayer: Taxpayer) -> None:
    answer = taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-77", taxpayer.rest_token)
    assert (answer.status_code, answer.text.strip()) == (404, "No existe recurso")
    nowhere = taxpayer.sii.http.post(taxpayer.sii.hosts["boleta_up"] + "/nada")
    assert nowhere.status_code == 404


def test_the_host_of_queries_answers_500_to_any_path(taxpayer: Taxpayer) -> None:
    answer = taxpayer.sii.rest("boleta.electronica.nada", taxpayer.rest_token)
    assert (answer.status_code, "Acceso Denegado" in answer.text) == (500, True)


@pytest.mark.parametrize("name", ["rut_receptor", "dv_receptor", "monto", "fechaEmision"])
def test_missing_parameter_is_plain_text_under_200(taxpayer: Taxpayer, name: str) -> None:
    given = {"rut_receptor": "66666666", "dv_receptor": "6", "monto": "1", "fechaEmision": "01-01-2026"}
    given.pop(name)
    answer = taxpayer.sii.rest(f"boleta.electronica/{COMPANY}-39-1/estado", taxpayer.rest_token, **given)
    assert (answer.status_code, answer.text.strip()) == (200, f"falta {name}")
    assert answer.headers["Content-Type"] == "application/json"


def test_login_errors_come_with_200(sii: Sii) -> None:
    url = sii.hosts["boleta_api"] + "/recursos/v1/boleta.electronica.token"
    answer = sii.http.post(url, content=b"<getToken/>")
    assert answer.status_code == 200
    assert "<ESTADO>04</ESTADO>" in answer.text


def test_too_many_boletas_are_refused(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"max_rest_documents": 1})
    data = _boletas(taxpayer, Sale(1, 39, 11900), Sale(2, 39, 990))
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, agent=REST_AGENT, rest=True)
    assert answer.status_code == 400


def test_invoices_are_not_taken_here(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, agent=REST_AGENT, rest=True)
    track = answer.json()["trackid"]
    assert _state(taxpayer, track)["estado"] == "RSC"
