"""Unwrapping: what is read, and what is refused before anything is read into it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answers import (
    SoapFault,
    is_no_such_operation,
    read_document_status,
    read_envelope_status,
    read_rest_document_status,
    read_rest_envelope_status,
    read_rest_upload,
    read_seed,
    read_token,
    read_upload,
)
from domain.answers.reading import LARGEST, UnreadableError, decode, parse, read_json
from domain.answers.soap import Respuesta, read_soap
from tests.unit.answers.wire import UNAVAILABLE, fault, respuesta, soap


def inner(body: bytes) -> Respuesta:
    answer = read_soap(body)
    assert isinstance(answer, Respuesta)
    return answer


@pytest.mark.parametrize("prefix", ["ns1:", "", "x:"])
def test_return_element_is_found_by_local_name(prefix: str) -> None:
    assert inner(soap(respuesta("<ESTADO>REC</ESTADO>"), prefix=prefix)).state() == "REC"


@pytest.mark.parametrize("namespace", ["http://www.sii.cl/XMLSchema", "http://www.sii.cl/xxx"])
def test_namespace_of_the_inner_document_does_not_matter(namespace: str) -> None:
    assert inner(soap(respuesta("<ESTADO>REC</ESTADO>", namespace=namespace))).state() == "REC"


def test_order_of_header_and_body_does_not_matter() -> None:
    head, body = (
        "<SII:RESP_HDR><ESTADO>00</ESTADO></SII:RESP_HDR>",
        "<SII:RESP_BODY><SEMILLA>7</SEMILLA></SII:RESP_BODY>",
    )
    for parts in (head + body, body + head):
        answer = inner(soap(f'<SII:RESPUESTA xmlns:SII="urn:x">{parts}</SII:RESPUESTA>'))
        assert (answer.state(), answer.first("SEMILLA")) == ("00", "7")


def test_prefixed_state_is_found() -> None:
    document = (
        '<SII:RESPUESTA xmlns:SII="urn:x"><SII:RESP_HDR><SII:ESTADO>104</SII:ESTADO></SII:RESP_HDR></SII:RESPUESTA>'
    )
    assert inner(soap(document)).state() == "104"


def test_carriage_returns_of_the_inner_document_vanish() -> None:
    body = soap(respuesta("<ESTADO>REC</ESTADO><GLOSA>uno\ndos</GLOSA>")).replace(b"\n&lt;SII", b"&#xd;\n&lt;SII")
    assert inner(body).first("GLOSA") == "uno\ndos"


def test_inner_document_that_was_not_escaped_is_read_too() -> None:
    document = respuesta("<ESTADO>REC</ESTADO>").partition("\n")[2]
    body = soap("HERE").replace(b"HERE", document.encode())
    assert inner(body).state() == "REC"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_accents_survive_whatever_the_prolog_says(encoding: str) -> None:
    body = soap(respuesta("<ESTADO>-3</ESTADO><GLOSA>Error en Autenticación</GLOSA>"), encoding=encoding)
    assert inner(body).gloss() == "Error en Autenticación"


def test_state_0_in_the_header_gives_way_to_the_one_in_the_body() -> None:
    answer = inner(
        soap(
            respuesta(
                "<ESTADO>0</ESTADO><GLOSA>consulta correcta</GLOSA>",
                "<ESTADO>EPR</ESTADO><GLOSA>Envio Procesado</GLOSA>",
            )
        )
    )
    assert (answer.state(), answer.gloss()) == ("EPR", "Envio Procesado")


def test_fault_is_told_from_an_answer() -> None:
    assert read_soap(fault("algo falló")) == SoapFault("soapenv:Client", "algo falló")


def test_no_such_operation_is_recognised_and_nothing_else_is() -> None:
    assert is_no_such_operation(fault("No such operation 'getEstUp'"))
    assert not is_no_such_operation(fault("java.lang.NullPointerException"))
    assert not is_no_such_operation(soap(respuesta("<ESTADO>REC</ESTADO>")))
    assert not is_no_such_operation(UNAVAILABLE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \r\n",
        "Error 500",
        "<RESPUESTA><RESP_HDR>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><RESPUESTA>&a;</RESPUESTA>",
        "<RESPUESTA>&a;</RESPUESTA>",
        '<!DOCTYPE html><html lang="es"></html>',
        "<a/><b/>",
        "<a>\x00</a>",
        "<a>" * 300 + "</a>" * 300,
    ],
)
def test_what_is_no_plain_xml_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableError):
        parse(text)


def test_dtd_inside_the_returned_text_is_refused() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><RESPUESTA>&b;</RESPUESTA>'
    with pytest.raises(UnreadableError):
        read_soap(soap(bomb))


def test_external_entity_is_never_fetched() -> None:
    with pytest.raises(UnreadableError):
        parse('<!DOCTYPE r SYSTEM "file:///etc/hostname"><r/>')
    with pytest.raises(UnreadableError):
        parse('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>')


def test_answer_above_the_limit_is_not_read() -> None:
    with pytest.raises(UnreadableError):
        decode(b"x" * (LARGEST + 1))


def test_comment_inside_a_value_does_not_cut_it() -> None:
    assert inner(soap(respuesta("<ESTADO>E<!-- x -->PR</ESTADO>"))).state() == "EPR"


def test_soap_answers_that_return_nothing_or_something_else_are_unreadable() -> None:
    empty = soap("").replace(b"getEstUpReturn", b"getEstUpNothing")
    for body in (empty, soap(""), soap("hola"), soap("<otro/>"), b"<otro/>"):
        with pytest.raises(UnreadableError):
            read_soap(body)


@pytest.mark.parametrize("body", [b"", b"falta rut_receptor", b"[" * 100_000, b"<html></html>", b"{"])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_json(body)


def test_numbers_of_json_stay_text() -> None:
    assert read_json(b'{"trackid": 123456789012345, "x": 1.50}') == {"trackid": "123456789012345", "x": "1.50"}


def test_no_text_holds_what_a_database_refuses() -> None:
    body = rb'{"estado": "E\u0000R\ud800", "detalle_rep_rech": [{"descripcion": "a\u001bb", "\udfff": 1}]}'
    status = read_rest_envelope_status(200, body)
    assert (status.state, status.findings[0].text) == ("E�R?", "a�b")
    assert read_upload(200, b"Error\x00 500\xff").detail == "no XML: Error� 500ÿ"
    assert read_rest_upload(200, b"\x00\xff").detail == "�ÿ"
    assert read_rest_envelope_status(200, b"\x00").gloss == "�"


@given(status=st.integers(min_value=100, max_value=599), body=st.binary(max_size=400))
def test_no_bytes_make_a_reader_raise_or_reach_a_verdict(status: int, body: bytes) -> None:
    assert read_seed(status, body).seed is None
    assert read_token(status, body).token is None
    assert read_upload(status, body).outcome in ("unknown", "not_received")
    assert read_rest_upload(status, body).outcome in ("unknown", "not_received")
    assert read_envelope_status(status, body).phase in ("unknown", "token")
    assert read_rest_envelope_status(status, body).phase in ("unknown", "token", "pending")
    assert read_document_status(status, body).meaning in ("unknown", "token")
    assert read_rest_document_status(status, body).meaning in ("unknown", "token")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_json_value_makes_a_reader_raise(value: object) -> None:
    fields = {"trackid": value, "estado": value, "estadistica": value, "detalle_rep_rech": [value, {"error": value}]}
    for candidate in (value, fields, {"codigo": value, "descripcion": value}):
        body = json.dumps(candidate).encode()
        read_rest_upload(200, body)
        read_rest_envelope_status(200, body)
        read_rest_document_status(200, body)
