"""State of an upload: counters by position, verdicts only where there is one."""

import json

import pytest

from domain.answers import DocumentFinding, EnvelopeStatus, FindingError, TypeCounters
from domain.answers import read_envelope_status as read
from domain.answers import read_rest_envelope_status as read_rest
from tests.unit.answers.wire import UNAVAILABLE, counters, fault, respuesta, soap


def status(state: str, body: str = "", more: str = "") -> EnvelopeStatus:
    return read(200, soap(respuesta(f"<TRACKID>77</TRACKID><ESTADO>{state}</ESTADO>{more}", body)))


def test_all_accepted_is_processed_with_its_counters() -> None:
    answer = status("EPR", counters(33, 4, 0, 0), "<GLOSA>Envio Procesado</GLOSA><NUM_ATENCION>77</NUM_ATENCION>")
    assert (answer.phase, answer.state, answer.gloss) == ("processed", "EPR", "Envio Procesado")
    assert answer.counters == (TypeCounters(33, 4, 4, 0, 0),)
    assert (answer.accepted, answer.rejected, answer.repaired) == (4, 0, 0)


def test_several_types_are_grouped_by_position() -> None:
    answer = status("EPR", counters(33, 2, 0, 0) + counters(56, 0, 1, 0) + counters(61, 3, 0, 2))
    assert answer.counters == (
        TypeCounters(33, 2, 2, 0, 0),
        TypeCounters(56, 1, 0, 1, 0),
        TypeCounters(61, 5, 3, 0, 2),
    )


def test_counters_without_type_and_reported_are_read() -> None:
    answer = status("EPR", "<ACEPTADOS>0</ACEPTADOS><RECHAZADOS>1</RECHAZADOS><REPAROS>0</REPAROS>")
    assert (answer.phase, answer.counters) == ("processed", (TypeCounters(None, None, 0, 1, 0),))


def test_group_begins_where_a_name_repeats() -> None:
    group = "<ACEPTADOS>1</ACEPTADOS><RECHAZADOS>0</RECHAZADOS><REPAROS>0</REPAROS>"
    assert status("EPR", group + group).counters == (TypeCounters(None, None, 1, 0, 0),) * 2


@pytest.mark.parametrize(
    "body",
    ["", "<TIPO_DOCTO>33</TIPO_DOCTO>", "<TIPO_DOCTO>33</TIPO_DOCTO><INFORMADOS>4</INFORMADOS>", counters(33, 0, 0, 0)],
)
def test_processed_without_counters_above_zero_is_not_ready(body: str) -> None:
    assert status("EPR", body).phase == "pending"


def test_counter_that_is_no_number_spoils_its_group() -> None:
    assert status("EPR", counters(33, 2, 0, 0).replace(">2<", ">dos<")).phase == "pending"


def test_state_0_in_the_header_takes_the_body_s() -> None:
    body = "<TRACKID>77</TRACKID><ESTADO>EPR</ESTADO><GLOSA>Envio Procesado</GLOSA>" + counters(33, 1, 0, 0)
    answer = status("0", body)
    assert (answer.phase, answer.state, answer.gloss) == ("processed", "EPR", "Envio Procesado")


@pytest.mark.parametrize("state", ["REC", "SOK", "CRT", "FOK", "PDR", "PRD", "107", "004", "005", "007"])
def test_states_on_the_way_are_pending(state: str) -> None:
    assert (status(state).phase, status(state).alert) == ("pending", False)


@pytest.mark.parametrize("state", ["RSC", "RCT", "RFR", "RCH", "RPT", "RCO", "RDC"])
def test_refusals_of_the_whole_envelope(state: str) -> None:
    assert (status(state).phase, status(state).state) == ("refused", state)


@pytest.mark.parametrize("state", ["RPR", "RLV"])
def test_accepted_with_repairs_is_processed(state: str) -> None:
    assert status(state).phase == "processed"


@pytest.mark.parametrize("state", ["001", "002", "003"])
def test_dead_token_arrives_with_http_200(state: str) -> None:
    assert status(state).phase == "token"


@pytest.mark.parametrize("state", ["106", "VOF", "-3", "-6", "-10", "-13"])
def test_what_waiting_does_not_mend_is_no_verdict_and_alerts(state: str) -> None:
    assert (status(state).phase, status(state).alert) == ("unknown", True)


@pytest.mark.parametrize("state", ["XYZ", "-99", "106 ", "epr", ""])
def test_unknown_code_is_kept_and_no_verdict(state: str) -> None:
    answer = status(state)
    assert answer.state == state.strip()
    assert answer.phase == "unknown"


@pytest.mark.parametrize(("code", "alert"), [("2", False), ("1", True)])
def test_not_ready_is_told_from_not_theirs(code: str, alert: bool) -> None:
    answer = status("-11", "", f"<ERR_CODE>{code}</ERR_CODE><SQL_CODE>0</SQL_CODE><SRV_CODE>0</SRV_CODE>")
    assert (answer.phase, answer.alert) == ("pending", alert)
    assert answer.gloss == f"ERR_CODE={code} SRV_CODE=0 SQL_CODE=0"


def test_fault_is_no_verdict_unless_it_speaks_of_the_token() -> None:
    assert read(500, fault("No such operation 'getEstUp'")).phase == "unknown"
    assert read(500, fault("Error de Autenticacion: TOKEN invalido")).phase == "token"


@pytest.mark.parametrize("body", [b"", UNAVAILABLE, b"Error 500", soap(respuesta("<ESTADO>EPR</ESTADO>"))[:-9]])
def test_no_answer_is_no_verdict(body: bytes) -> None:
    answer = read(200, body, retry_after=5)
    assert (answer.phase, answer.state, answer.body, answer.retry_after) == ("unknown", "", body, 5)


def rest(estado: object, **more: object) -> EnvelopeStatus:
    fields = {"rut_emisor": "76900101-8", "trackid": 122883405310001, "estado": estado, **more}
    return read_rest(200, json.dumps(fields).encode())


def test_rest_counters_and_findings_are_read() -> None:
    error = {"seccion": "HED", "linea": 222, "nivel": 3, "codigo": 100, "descripcion": "Valor", "detalle": "[1] <> [2]"}
    answer = rest(
        "EPR",
        estadistica=[
            {"tipo": 39, "informados": 3, "aceptados": 2, "rechazados": 1, "reparos": 0},
            {"tipo": 41, "informados": 1, "aceptados": 0, "rechazados": 0, "reparos": 1},
        ],
        detalle_rep_rech=[
            {"tipo": 39, "folio": 1202, "estado": "RCH", "descripcion": "Dte Rechazado", "error": [error]},
            {"folio": None, "estado": "RPR", "error": None},
        ],
    )
    assert answer.phase == "processed"
    assert answer.counters == (TypeCounters(39, 3, 2, 1, 0), TypeCounters(41, 1, 0, 0, 1))
    assert answer.findings == (
        DocumentFinding(39, 1202, "RCH", "Dte Rechazado", (FindingError("HED-3-100", "Valor", "[1] <> [2]", 222),)),
        DocumentFinding(None, None, "RPR", "", ()),
    )


@pytest.mark.parametrize("estado", ["REC", "SOK", "CRT", "FOK", "PRD"])
def test_rest_states_on_the_way_have_null_fields(estado: str) -> None:
    assert rest(estado, estadistica=None, detalle_rep_rech=None).phase == "pending"


def test_rest_processed_without_statistics_is_not_ready() -> None:
    assert rest("EPR", estadistica=None).phase == "pending"


def test_rest_unknown_state_is_no_verdict() -> None:
    assert (rest("ZZZ").phase, rest("ZZZ").state) == ("unknown", "ZZZ")


def test_rest_404_is_not_visible_yet() -> None:
    assert read_rest(404, b"No existe recurso").phase == "pending"


@pytest.mark.parametrize(("http_status", "text"), [(401, b"NO ESTA AUTENTICADO"), (400, b"No trae TOKEN"), (403, b"")])
def test_rest_refused_token(http_status: int, text: bytes) -> None:
    assert read_rest(http_status, text).phase == "token"


@pytest.mark.parametrize("http_status", [400, 405, 429, 500, 503])
def test_rest_other_errors_are_no_verdict(http_status: int) -> None:
    answer = read_rest(http_status, b"algo", retry_after=60)
    assert (answer.phase, answer.gloss, answer.retry_after) == ("unknown", "algo", 60)


def test_rest_verdict_under_an_error_status_is_none() -> None:
    assert read_rest(500, b'{"estado": "RCH"}').phase == "unknown"


@pytest.mark.parametrize("body", [b"falta algo", b"[]", b"null", b'{"estado": 7}', b"{}", UNAVAILABLE])
def test_rest_text_sent_as_json_is_no_verdict(body: bytes) -> None:
    assert read_rest(200, body).phase == "unknown"
