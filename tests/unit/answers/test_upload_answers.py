"""Uploads: received, a duplicate, surely not received, or unknown."""

import json

import pytest

from domain.answers import read_rest_upload, read_upload
from tests.unit.answers.wire import UNAVAILABLE, fault, receipt

DUPLICATE = "Archivo ya fue enviado 2 veces con Trackid 251550580. Debe esperar 900 segundos antes de reintentar"


def test_receipt_gives_the_track_id_without_zeros() -> None:
    answer = read_upload(200, receipt("0", " <TRACKID>0251552460</TRACKID>\n"))
    assert (answer.outcome, answer.track_id, answer.status, answer.detail) == ("received", "251552460", "0", "")


@pytest.mark.parametrize("rest", ["", "<TRACKID></TRACKID>", "<TRACKID>no</TRACKID>", "<TRACKID>-4</TRACKID>"])
def test_receipt_without_a_track_id_is_unknown(rest: str) -> None:
    assert read_upload(200, receipt("0", rest)).outcome == "unknown"


def test_receipt_under_http_500_is_a_receipt() -> None:
    assert read_upload(500, receipt("0", "<TRACKID>0000000012</TRACKID>")).track_id == "12"


@pytest.mark.parametrize("status", ["99", "7", "106"])
def test_duplicate_is_known_by_its_words_whatever_the_status(status: str) -> None:
    answer = read_upload(200, receipt(status, f"<DETAIL>\n<ERROR>{DUPLICATE}</ERROR>\n</DETAIL>"))
    assert (answer.outcome, answer.track_id, answer.status, answer.detail) == (
        "duplicate",
        "251550580",
        status,
        DUPLICATE,
    )


@pytest.mark.parametrize(("rest", "track_id"), [("", None), ("<DETAIL>otra cosa</DETAIL>", None)])
def test_status_99_without_a_readable_track_id_gives_none(rest: str, track_id: str | None) -> None:
    answer = read_upload(200, receipt("99", rest))
    assert (answer.outcome, answer.track_id) == ("duplicate", track_id)


def test_file_name_is_never_taken_for_the_earlier_track_id() -> None:
    body = receipt("99").replace(b"EnvioDTE_trackid_12.xml", b"con Trackid 12.xml")
    assert read_upload(200, body).track_id is None


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        ("1", "never"),
        ("2", "never"),
        ("3", "later"),
        ("5", "token"),
        ("6", "never"),
        ("7", "never"),
        ("8", "never"),
        ("9", "later"),
    ],
)
def test_refusals_say_what_helps(status: str, retry: str) -> None:
    answer = read_upload(200, receipt(status))
    assert (answer.outcome, answer.retry, answer.status, answer.track_id) == ("not_received", retry, status, None)
    assert answer.detail


@pytest.mark.parametrize("status", ["4", "10", "106", "-1", "", "cero"])
def test_unlisted_status_is_unknown_and_kept(status: str) -> None:
    answer = read_upload(200, receipt(status))
    assert (answer.outcome, answer.retry, answer.status) == ("unknown", None, status)


def test_reduced_form_with_the_status_alone_is_read() -> None:
    answer = read_upload(200, b'<?xml version="1.0"?>\n<RECEPCIONDTE>\n  <STATUS>5</STATUS>\n</RECEPCIONDTE>\n')
    assert (answer.outcome, answer.retry) == ("not_received", "token")


def test_errors_and_loose_text_become_the_detail() -> None:
    errors = "<DETAIL>\n<ERROR>SCH-00010: Elemento\n Detalle</ERROR><ERROR>otro</ERROR>\n</DETAIL>"
    assert read_upload(200, receipt("7", errors)).detail == "SCH-00010: Elemento Detalle; otro"
    assert read_upload(200, receipt("7", "  no cumple\n con el esquema")).detail == "no cumple con el esquema"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"Error 500",
        UNAVAILABLE,
        b"<html><body><h2>HA OCURRIDO UN ERROR EN EL UPLOAD</h2></body></html>",
        receipt("0", "<TRACKID>0251552460</TRACKID>")[:-5],
        receipt("0", "<TRACKID>0251552460</TRACKID>")[:230],
        b"<otro/>",
        fault("algo"),
    ],
)
@pytest.mark.parametrize("http_status", [200, 500, 502, 503, 404])
def test_no_answer_is_unknown_never_failed(http_status: int, body: bytes) -> None:
    answer = read_upload(http_status, body)
    assert (answer.outcome, answer.retry, answer.http_status, answer.body) == ("unknown", None, http_status, body)


@pytest.mark.parametrize("http_status", [401, 403])
def test_unauthorised_without_an_answer_is_the_token(http_status: int) -> None:
    answer = read_upload(http_status, b"Unauthorized")
    assert (answer.outcome, answer.retry) == ("not_received", "token")


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert('Usted ha superado el máximo de sesiones autenticadas');</script>",
        '<html><form action="https://zeusr.sii.cl/cgi_AUT2000/CAutInicio.cgi"></form></html>',
    ],
)
def test_login_page_is_the_token(page: str) -> None:
    answer = read_upload(200, page.encode("iso-8859-1"))
    assert (answer.outcome, answer.retry) == ("not_received", "token")


def test_asked_too_often_is_not_received_and_says_when() -> None:
    answer = read_upload(429, b"", retry_after=30)
    assert (answer.outcome, answer.retry, answer.retry_after) == ("not_received", "later", 30)


def test_rest_receipt_gives_a_track_id_of_fifteen_digits_as_text() -> None:
    body = json.dumps({"rut_emisor": "76900101-8", "trackid": 122883405310001, "estado": "REC", "file": "x.xml"})
    answer = read_rest_upload(200, body.encode())
    assert (answer.outcome, answer.track_id, answer.status) == ("received", "122883405310001", "REC")


@pytest.mark.parametrize(
    ("http_status", "body", "retry"),
    [
        (401, b"NO ESTA AUTENTICADO", "token"),
        (403, b"", "token"),
        (400, b"No trae TOKEN", "token"),
        (400, b"demasiados documentos", "never"),
        (405, b"Method Not Allowed", "later"),
        (429, b"", "later"),
    ],
)
def test_rest_refusals_as_plain_text_say_what_helps(http_status: int, body: bytes, retry: str) -> None:
    answer = read_rest_upload(http_status, body, retry_after=10)
    assert (answer.outcome, answer.retry, answer.retry_after) == ("not_received", retry, 10)


def test_rest_wrong_host_is_not_received() -> None:
    answer = read_rest_upload(500, fault("Acceso Denegado (from client)"))
    assert (answer.outcome, answer.retry) == ("not_received", "later")


@pytest.mark.parametrize(
    "body", [b"", b"Error 500", UNAVAILABLE, b'{"trackid": 12', b"[]", b"null", b'{"estado": "REC"}']
)
@pytest.mark.parametrize("http_status", [200, 500, 503])
def test_rest_no_answer_is_unknown(http_status: int, body: bytes) -> None:
    assert read_rest_upload(http_status, body).outcome == "unknown"
