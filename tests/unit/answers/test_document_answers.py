"""State of a document: held, held otherwise, absent, or no answer."""

import json

import pytest

from domain.answers import DocumentStatus
from domain.answers import read_document_status as read
from domain.answers import read_rest_document_status as read_rest
from tests.unit.answers.wire import UNAVAILABLE, fault, respuesta, soap

CODES = [
    ("DOK", "accepted", True),
    ("DNK", "mismatch", False),
    ("FAU", "absent", False),
    ("FNA", "not_authorised", False),
    ("FAN", "folio_annulled", False),
    ("EMP", "company_not_authorised", False),
    ("TMD", "modified", True),
    ("TMC", "modified", True),
    ("MMD", "modified", True),
    ("MMC", "modified", True),
    ("AND", "annulled", True),
    ("ANC", "annulled", True),
]


def status(state: str, more: str = "") -> DocumentStatus:
    return read(200, soap(respuesta(f"<ESTADO>{state}</ESTADO>{more}"), operation="getEstDte"))


@pytest.mark.parametrize(("code", "meaning", "held"), CODES)
def test_codes_of_both_services_mean_the_same(code: str, meaning: str, held: bool) -> None:
    for answer in (status(code), read_rest(200, json.dumps({"codigo": code, "descripcion": "x"}).encode())):
        assert (answer.meaning, answer.code, answer.held) == (meaning, code, held)


@pytest.mark.parametrize("code", ["001", "002", "003"])
def test_dead_token_arrives_with_http_200(code: str) -> None:
    assert status(code).meaning == "token"


@pytest.mark.parametrize("code", ["ZZZ", "-1", "-3", "107", "3", ""])
def test_unknown_code_is_kept_and_no_answer(code: str) -> None:
    assert (status(code).meaning, status(code).code, status(code).held) == ("unknown", code, False)


def test_words_of_the_answer_are_kept() -> None:
    more = "<GLOSA_ESTADO>DTE No Recibido</GLOSA_ESTADO><ERR_CODE>3</ERR_CODE><GLOSA_ERR>No Recibido</GLOSA_ERR>"
    assert status("FAU", more).gloss == "DTE No Recibido: No Recibido"


def test_advanced_form_has_its_code_in_the_body() -> None:
    document = (
        '<SII:RESPUESTA xmlns:SII="urn:x"><SII:RESP_HDR><SII:ESTADO>0</SII:ESTADO></SII:RESP_HDR>'
        "<SII:RESP_BODY><RECIBIDO>SI</RECIBIDO><ESTADO>DOK</ESTADO><GLOSA>Recibido</GLOSA></SII:RESP_BODY></SII:RESPUESTA>"
    )
    answer = read(200, soap(document, operation="getEstDteAv"))
    assert (answer.meaning, answer.gloss) == ("accepted", "Recibido")


def test_fault_is_no_answer_unless_it_speaks_of_the_token() -> None:
    assert read(500, fault("java.sql.SQLException")).meaning == "unknown"
    assert read(500, fault("Error de Autenticacion: TOKEN invalido")).meaning == "token"


@pytest.mark.parametrize("body", [b"", UNAVAILABLE, b"Error 500"])
def test_no_answer_is_not_absent(body: bytes) -> None:
    assert read(200, body).meaning == "unknown"
    assert read_rest(200, body).meaning == "unknown"


@pytest.mark.parametrize("text", [b"falta rut_receptor", b"falta monto", b"falta fechaEmision"])
def test_rest_text_sent_as_json_is_kept(text: bytes) -> None:
    answer = read_rest(200, text)
    assert (answer.meaning, answer.gloss) == ("unknown", text.decode())


def test_rest_404_is_not_absent() -> None:
    assert read_rest(404, b"No existe recurso").meaning == "unknown"


@pytest.mark.parametrize(("http_status", "text"), [(401, b"NO ESTA AUTENTICADO"), (400, b"No trae TOKEN"), (403, b"")])
def test_rest_refused_token(http_status: int, text: bytes) -> None:
    assert read_rest(http_status, text).meaning == "token"


def test_rest_code_under_an_error_status_is_no_answer() -> None:
    assert read_rest(500, b'{"codigo": "FAU"}').meaning == "unknown"


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"codigo": 3}', b"{}"])
def test_rest_json_of_another_shape_is_no_answer(body: bytes) -> None:
    assert read_rest(200, body).meaning == "unknown"
