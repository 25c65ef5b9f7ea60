"""Every row of the table of answers, held against an answer of that kind; and the page that is written from it."""

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from domain.answers import (
    read_document_proof,
    read_document_status,
    read_envelope_status,
    read_rest_document_status,
    read_rest_envelope_status,
    read_rest_upload,
    read_seed,
    read_token,
    read_upload,
)
from domain.answers.claims import read_claims
from domain.answers.mail_again import read_mail_again
from domain.answers.table import ROWS, Row, explained
from domain.answers.table.page import page
from tests.unit.answers.wire import UNAVAILABLE, counters, fault, receipt, respuesta, soap
from workers.cli.main import run_command

ROOT = Path(__file__).parents[3]
PAGES = (UNAVAILABLE, b"", b"Error 500", b"<html><body>HA OCURRIDO", b'<?xml version="1.0"?><soapenv:Envelope xml')
INSTEAD = "(page, text, fault or nothing)"
ALONE = "(page, text, cut or nothing)"


def seeded(code: str) -> bytes:
    body = "<SEMILLA>000000000078</SEMILLA>" if code in {"0", "00"} else ""
    return soap(respuesta(f"<ESTADO>{code}</ESTADO>", body), operation="getSeed")


def tokened(code: str) -> bytes:
    body = "<TOKEN>XAuSbYXiNh9Ik</TOKEN>" if code == "00" else ""
    return soap(respuesta(f"<ESTADO>{code}</ESTADO>", body), operation="getToken")


def received(code: str) -> bytes:
    if code == "99":
        return receipt("99", "Archivo ya fue enviado 2 veces con Trackid 77. Debe esperar 900 segundos")
    return receipt(code, "<TRACKID>0000000077</TRACKID>" if code == "0" else "")


def upload_state(code: str) -> bytes:
    return soap(respuesta(f"<ESTADO>{code}</ESTADO>", counters(33, 1, 0, 0)))


def boleta_state(code: str) -> bytes:
    told = [{"tipo": 39, "informados": 1, "aceptados": 1, "rechazados": 0, "reparos": 0}]
    return json.dumps({"trackid": 77, "estado": code, "estadistica": told}).encode()


def document_state(code: str) -> bytes:
    return soap(respuesta(f"<ESTADO>{code}</ESTADO>"), operation="getEstDte")


def proof(code: str) -> bytes:
    if code.isdigit():
        return soap(respuesta(f"<SII:ESTADO>{code}</SII:ESTADO>"), operation="getEstDteAv")
    return soap(respuesta("<SII:ESTADO>0</SII:ESTADO>", f"<ESTADO>{code}</ESTADO>"), operation="getEstDteAv")


def boleta_document(code: str) -> bytes:
    return json.dumps({"codigo": code, "descripcion": "algo"}).encode()


def mail_again(code: str) -> bytes:
    return soap(respuesta(f"<SII:ESTADO>{code}</SII:ESTADO><SII:GLOSA>algo</SII:GLOSA>"), operation="reenvioCorreo")


def listed_events(code: str) -> bytes:
    event = (
        "<listaEventosDoc><codEvento>RCD</codEvento><descEvento>Reclamo</descEvento><rutResponsable>76543210"
        "</rutResponsable><dvResponsable>3</dvResponsable><fechaEvento>29-09-2026 12:05:36</fechaEvento>"
        "</listaEventosDoc>"
    )
    return (
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><ns2:listarEventosHistDocResponse'
        ' xmlns:ns2="http://ws.registroreclamodte.diii.sdi.sii.cl"><return>'
        f"<codResp>{code}</codResp><descResp>algo</descResp>{event if code == '15' else ''}"
        "</return></ns2:listarEventosHistDocResponse></S:Body></S:Envelope>"
    ).encode()


WRITTEN = {
    "seed": seeded,
    "token": tokened,
    "DTEUpload": received,
    "QueryEstUp": upload_state,
    "boleta upload status": boleta_state,
    "QueryEstDte": document_state,
    "QueryEstDteAv": proof,
    "boleta status": boleta_document,
    "wsDTECorreo": mail_again,
    "listarEventosHistDoc": listed_events,
}
# What comes in a code's place: HTTP status and body, several for a row that speaks of several.
INSTEAD_OF_CODES: dict[tuple[str, str], list[tuple[int, bytes]]] = {
    ("seed", INSTEAD): [(status, body) for status in (200, 503) for body in PAGES],
    ("token", INSTEAD): [(status, body) for status in (200, 503) for body in PAGES],
    ("token", "(unknown code)"): [(200, tokened("77")), (200, tokened("XX"))],
    ("DTEUpload", "(unknown code)"): [(200, receipt("42")), (200, receipt("106")), (200, receipt("-1"))],
    ("DTEUpload", "(receipt without TRACKID)"): [(200, receipt("0"))],
    ("DTEUpload", "(Error 500)"): [(200, b"Error 500"), (500, b"Error 500")],
    ("DTEUpload", "(page)"): [(200, UNAVAILABLE), (200, b"<html><h2>HA OCURRIDO UN ERROR EN EL UPLOAD</h2></html>")],
    ("DTEUpload", "(page of the login)"): [(200, b"<html><script>alert('x')</script></html>")],
    ("DTEUpload", "(empty)"): [(200, b""), (200, receipt("0", "<TRACKID>0000000077</TRACKID>")[:-40])],
    ("DTEUpload", "(HTTP 401 or 403)"): [(401, b"no"), (403, UNAVAILABLE)],
    ("DTEUpload", "(HTTP 405 or 429)"): [(405, b"no"), (429, b"")],
    ("DTEUpload", "(HTTP 5xx)"): [(500, b""), (502, UNAVAILABLE), (503, UNAVAILABLE)],
    ("boleta upload", "(track id)"): [(200, b'{"trackid": 12288340531, "estado": "REC"}')],
    ("boleta upload", "(HTTP 401 or 403)"): [(401, b"NO ESTA AUTENTICADO"), (403, b"")],
    ("boleta upload", "(HTTP 400 No trae TOKEN)"): [(400, b"No trae TOKEN")],
    ("boleta upload", "(HTTP 400)"): [(400, b"multipart")],
    ("boleta upload", "(HTTP 405 or 429)"): [(405, b""), (429, b"")],
    ("boleta upload", "(Acceso Denegado)"): [(500, fault("Acceso Denegado (from client)"))],
    ("boleta upload", "(anything else)"): [(200, b"algo"), (404, b"x"), (503, UNAVAILABLE), (200, b'{"trackid"')],
    ("QueryEstUp", "(EPR without counters)"): [
        (200, soap(respuesta("<ESTADO>EPR</ESTADO>"))),
        (200, soap(respuesta("<ESTADO>EPR</ESTADO>", counters(33, 0, 0, 0)))),
    ],
    ("QueryEstUp", "(unknown code)"): [(200, upload_state("LSO")), (200, upload_state("-99"))],
    ("QueryEstUp", ALONE): [(200, body) for body in PAGES],
    ("QueryEstUp", "(fault about the token)"): [(500, fault("Error de Autenticacion: TOKEN invalido"))],
    ("QueryEstUp", "(other fault)"): [(500, fault("java.net.SocketException"))],
    ("boleta upload status", "(EPR without counters)"): [(200, b'{"estado": "EPR", "estadistica": null}')],
    ("boleta upload status", "(HTTP 401 or 403)"): [(401, b"NO ESTA AUTENTICADO"), (403, b"")],
    ("boleta upload status", "(HTTP 404)"): [(404, b"No existe recurso")],
    ("boleta upload status", "(unknown code)"): [(200, boleta_state("XYZ"))],
    ("boleta upload status", ALONE): [(200, body) for body in PAGES] + [(200, b"falta monto"), (500, b"{")],
    ("QueryEstDte", "(unknown code)"): [(200, document_state("XYZ"))],
    ("QueryEstDte", "(page, text, fault, cut or nothing)"): [(200, body) for body in (*PAGES, fault("socket"))],
    ("QueryEstDte", "(fault about the token)"): [(500, fault("Error de Autenticacion: TOKEN invalido"))],
    ("QueryEstDteAv", "(unknown code)"): [(200, proof("XYZ")), (200, proof("15"))],
    ("QueryEstDteAv", "(page, text, fault, cut or nothing)"): [(200, body) for body in (*PAGES, fault("socket"))],
    ("boleta status", "(HTTP 401 or 403)"): [(401, b"NO ESTA AUTENTICADO"), (403, b"")],
    ("boleta status", "(HTTP 404)"): [(404, b"No existe recurso")],
    ("boleta status", "(plain text sent as JSON)"): [(200, b"falta rut_receptor"), (200, b"falta monto")],
    ("boleta status", "(unknown code)"): [(200, boleta_document("XYZ"))],
    ("boleta status", "(page, cut or nothing)"): [(200, body) for body in PAGES],
    ("wsDTECorreo", "(unknown code)"): [(200, mail_again("77")), (200, mail_again("ZZ"))],
    ("wsDTECorreo", "(page, text, fault, cut or nothing)"): [(200, body) for body in (*PAGES, fault("socket"))],
    ("wsDTECorreo", "(fault about the token)"): [(500, fault("Error de Autenticacion: TOKEN invalido"))],
    ("listarEventosHistDoc", "(unknown code)"): [(200, listed_events("27")), (200, listed_events("0"))],
    ("listarEventosHistDoc", "(page, text, fault, cut or nothing)"): [
        (200, body) for body in (*PAGES, fault("socket"), listed_events("15").replace(b"codResp", b"otro"))
    ],
    ("listarEventosHistDoc", "(fault about the token)"): [(500, fault("Error de Autenticacion: TOKEN invalido"))],
}


def _login(kind: str, status: int, body: bytes) -> str:
    if kind == "seed":
        return "seed" if read_seed(status, body).seed else "later"
    answer = read_token(status, body)
    return "token" if answer.token else str(answer.retry)


def _upload(kind: str, status: int, body: bytes) -> str:
    answer = (read_upload if kind == "DTEUpload" else read_rest_upload)(status, body)
    return f"{answer.outcome} {answer.retry}" if answer.retry else answer.outcome


READERS: dict[str, Callable[[int, bytes], str]] = {
    "seed": partial(_login, "seed"),
    "token": partial(_login, "token"),
    "DTEUpload": partial(_upload, "DTEUpload"),
    "boleta upload": partial(_upload, "boleta upload"),
    "QueryEstUp": lambda status, body: read_envelope_status(status, body).phase,
    "boleta upload status": lambda status, body: read_rest_envelope_status(status, body).phase,
    "QueryEstDte": lambda status, body: read_document_status(status, body).meaning,
    "QueryEstDteAv": lambda status, body: read_document_proof(status, body).meaning,
    "boleta status": lambda status, body: read_rest_document_status(status, body).meaning,
    "wsDTECorreo": lambda status, body: read_mail_again(status, body).meaning,
    "listarEventosHistDoc": lambda status, body: read_claims(status, body).meaning,
}
ROWS_THAT_ARE_READ = [row for row in ROWS if row.service != "reasons" and (row.answer != "(no connection)")]


@pytest.mark.parametrize("row", ROWS_THAT_ARE_READ, ids=lambda row: f"{row.service} {row.answer}")
def test_each_row_is_what_its_reader_reads(row: Row) -> None:
    answers = [(200, WRITTEN[row.service](row.answer))] if row.is_code else INSTEAD_OF_CODES[row.service, row.answer]
    assert {READERS[row.service](*answer) for answer in answers} == {row.meaning}


def test_an_answer_stands_in_one_row_of_its_service() -> None:
    assert max(Counter((row.service, row.answer) for row in ROWS).values()) == 1


def test_codes_are_kept_verbatim_whether_known_or_not() -> None:
    for code in ("EPR", "-11", "LSO", "ZZZ", "106"):
        assert read_envelope_status(200, upload_state(code)).state == code
    for code in ("DOK", "ZZZ"):
        assert read_document_status(200, document_state(code)).code == code
        assert read_document_proof(200, proof(code)).code == code
        assert read_rest_document_status(200, boleta_document(code)).code == code
    assert read_upload(200, receipt("42")).status == "42"


def test_whoever_must_act_is_told_what_to_do() -> None:
    idle = [row for row in ROWS if row.retry == "person" and row.person == "nothing"]
    assert not idle


def test_a_proof_that_contradicts_itself_is_none() -> None:
    body = "<RECIBIDO>NO</RECIBIDO><ESTADO>DOK</ESTADO>"
    told = read_document_proof(200, soap(respuesta("<SII:ESTADO>0</SII:ESTADO>", body), operation="getEstDteAv"))
    assert (told.meaning, told.code) == ("unknown", "DOK")


def test_a_proof_s_header_error_is_no_state_of_the_document() -> None:
    body = "<RECIBIDO>SI</RECIBIDO><ESTADO>DOK</ESTADO>"
    told = read_document_proof(200, soap(respuesta("<SII:ESTADO>5</SII:ESTADO>", body), operation="getEstDteAv"))
    assert (told.meaning, told.code) == ("unknown", "5")


def test_the_page_is_current() -> None:
    written = (ROOT / "docs" / "sii-answers.md").read_text(encoding="utf-8")
    assert written == page(), "run `fmgo answers --page > docs/sii-answers.md`"


def test_answers_are_listed_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["answers", "RFR", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["service"] for row in rows} == {"QueryEstUp", "boleta upload status"}
    assert run_command(["answers", "RFR"]) == 0
    assert run_command(["answers", "NOT-THERE"]) == 1


@pytest.mark.parametrize(
    ("asked", "service", "code"),
    [
        ("-11", "QueryEstUp", "-11"),
        ("-07", "token", "-07"),
        ("rfr", "QueryEstUp", "RFR"),
        ("REF-2-781", "reasons", "REF-2-781"),
        ("HED-2-220", "reasons", "HED-2-220"),
        ("CRT-3-18", "reasons", "CRT-3-18"),
        ("DET L3-2-200", "reasons", "DET-2-200"),
        ("DETL-3-854", "reasons", "DET-3-854"),
        ("LRH", "books", "LRH"),
        ("EOK", "cession status", "EOK"),
    ],
)
def test_a_code_is_explained_however_it_is_written(
    capsys: pytest.CaptureFixture[str], asked: str, service: str, code: str
) -> None:
    assert run_command(["answers", asked, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (service, code) in {(row["service"], row["answer"]) for row in rows}


def test_an_unknown_reason_is_judged_by_its_level_and_another_code_is_no_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["answers", "HED-3-999"]) == 1
    assert "level 3" in capsys.readouterr().err
    assert run_command(["answers", "ZZZ"]) == 1
    assert "no verdict" in capsys.readouterr().err


@pytest.mark.needs_shared
def test_every_code_of_the_reference_is_explained(shared: Path) -> None:
    text = "".join((shared / "reference" / name).read_text("utf-8") for name in ("validations.md", "sii-protocol.md"))
    codes = set(re.findall(r"\b(?:ENV|CRT|DTE|CAF|TED|HED|DET|REF|DRG)-[123]-\d+\b", text))
    assert len(codes) > 30
    assert not {code for code in codes if not explained(code)}
