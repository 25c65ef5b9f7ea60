"""What goes over the wire, to the byte: real sockets, scripted servers."""

import time
from datetime import UTC, datetime

import pytest

from tests.integration.sii.conftest import PERSON, MakeClient
from tests.integration.sii.scripted import COMPANY, DATA, RECEIPT, Connection, Server, answering, send, status
from tests.unit.answers.wire import respuesta, soap
from workers.sii import Deadline, Folio, Parcel


def test_upload_of_documents_is_written_to_the_byte(make_client: MakeClient) -> None:
    with answering(RECEIPT) as server:
        answer = send(make_client(server.host))
    assert (answer.outcome, answer.track_id) == ("received", "77")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    boundary = head.split(b"boundary=")[1].split(b"\r\n")[0].decode()
    assert head.decode() == (
        "POST /cgi_dte/UPL/DTEUpload HTTP/1.1\r\n"
        f"Host: {server.authority}\r\n"
        "User-Agent: Mozilla/4.0 (compatible; PROG 1.0; Windows NT 5.0; YComp 5.0.2.4)\r\n"
        "Accept: */*\r\n"
        "Accept-Language: es-cl\r\n"
        "Cache-Control: no-cache\r\n"
        "Cookie: TOKEN=XAuSbYXiNh9Ik\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
        "Connection: close\r\n"
        f"Content-Length: {len(body)}"
    )
    assert (
        body
        == (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="rutSender"\r\n\r\n15111222\r\n'
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="dvSender"\r\n\r\n6\r\n'
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="rutCompany"\r\n\r\n76900101\r\n'
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="dvCompany"\r\n\r\n8\r\n'
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="archivo"; filename="fmgo-1.xml"\r\n'
            "Content-Type: text/xml\r\n\r\n"
        ).encode()
        + DATA
        + f"\r\n--{boundary}--\r\n".encode()
    )


def test_upload_of_boletas_is_written_to_the_byte(make_client: MakeClient) -> None:
    with answering(b'{"trackid": 122883405310001, "estado": "REC"}') as server:
        answer = send(make_client(server.host), channel="rest")
    assert answer.track_id == "122883405310001"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    boundary = head.split(b"boundary=")[1].split(b"\r\n")[0].decode()
    assert head.decode() == (
        "POST /recursos/v1/boleta.electronica.envio HTTP/1.1\r\n"
        f"Host: {server.authority}\r\n"
        "User-Agent: Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)\r\n"
        "Accept: application/json\r\n"
        "Cookie: TOKEN=XAuSbYXiNh9Ik\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
        "Connection: close\r\n"
        f"Content-Length: {len(body)}"
    )
    assert DATA in body


def test_repeated_upload_has_the_same_bytes_and_a_connection_of_its_own(make_client: MakeClient) -> None:
    with answering(RECEIPT) as server:
        client = make_client(server.host)
        send(client)
        send(client)
    assert server.requests[0] == server.requests[1]
    assert server.connections == 2


def test_boundary_never_occurs_in_the_file(make_client: MakeClient) -> None:
    with answering(RECEIPT) as server:
        client = make_client(server.host)
        send(client)
        boundary = server.requests[0].split(b"boundary=")[1].split(b"\r\n")[0]
        send(client, data=DATA + boundary)
    _, _, body = server.requests[1].partition(b"\r\n\r\n")
    own = server.requests[1].split(b"boundary=")[1].split(b"\r\n")[0]
    assert body.count(own) == 6


@pytest.mark.parametrize("filename", ["", "../x", 'a".xml', "a b.xml", "ñ.xml", "x" * 101])
def test_file_name_that_a_form_cannot_carry_is_refused(make_client: MakeClient, filename: str) -> None:
    client = make_client("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="file name"):
        client.upload("soap", "x", Parcel(PERSON, COMPANY, filename, DATA), Deadline(1, time.monotonic()))
    with pytest.raises(ValueError, match="token"):
        client.upload("soap", "x; y", Parcel(PERSON, COMPANY, "x.xml", DATA), Deadline(1, time.monotonic()))


def test_soap_question_is_written_to_the_byte(make_client: MakeClient) -> None:
    with answering(status()) as server:
        answer = make_client(server.host).envelope_status("soap", "tok&en", COMPANY, "77")
    assert (answer.phase, answer.accepted) == ("processed", 1)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.decode() == (
        "POST /DTEWS/QueryEstUp.jws HTTP/1.1\r\n"
        f"Host: {server.authority}\r\n"
        "Content-Type: text/xml; charset=utf-8\r\n"
        'SOAPAction: ""\r\n'
        "User-Agent: Mozilla/4.0 (compatible; PROG 1.0; Windows NT 5.0; YComp 5.0.2.4)\r\n"
        "Accept: text/xml\r\n"
        f"Content-Length: {len(body)}"
    )
    assert body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<SOAP-ENV:Body><m:getEstUp xmlns:m="http://DefaultNamespace">'
        '<RutCompania xsi:type="xsd:string">76900101</RutCompania><DvCompania xsi:type="xsd:string">8</DvCompania>'
        '<TrackId xsi:type="xsd:string">77</TrackId><Token xsi:type="xsd:string">tok&amp;en</Token>'
        "</m:getEstUp></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def test_rest_questions_are_written_to_the_byte(make_client: MakeClient) -> None:
    with answering(b'{"codigo": "DOK", "descripcion": "x"}') as server:
        client = make_client(server.host)
        day = datetime(2026, 3, 4, tzinfo=UTC).date()
        told = client.document_status("rest", "tok", Folio(PERSON, COMPANY, "66666666-6", 39, 12, day, 1190))
        client.envelope_status("rest", "tok", COMPANY, "122883405310001")
    assert told.held
    parameters = "rut_receptor=66666666&dv_receptor=6&monto=1190&fechaEmision=04-03-2026"
    assert [request.split(b"\r\n")[0].decode() for request in server.requests] == [
        f"GET /recursos/v1/boleta.electronica/76900101-8-39-12/estado?{parameters} HTTP/1.1",
        "GET /recursos/v1/boleta.electronica.envio/76900101-8-122883405310001 HTTP/1.1",
    ]
    assert all(b"\r\nCookie: TOKEN=tok\r\n" in request for request in server.requests)
    assert server.connections == 1


def test_date_goes_out_without_separators_and_with_them_on_other_data(make_client: MakeClient) -> None:
    asked: list[str] = []

    def script(connection: Connection, request: bytes) -> None:
        asked.append(request.split(b'<FechaEmisionDte xsi:type="xsd:string">')[1].split(b"<")[0].decode())
        code = "DOK" if "-" in asked[-1] else "DNK"
        connection.answer(soap(respuesta(f"<ESTADO>{code}</ESTADO>"), operation="getEstDte"))

    day = datetime(2026, 3, 4, tzinfo=UTC).date()
    with Server(script) as server:
        asked_about = Folio(PERSON, COMPANY, "66666666-6", 33, 1, day, 1, signature_value="QUJD\nREVG")
        client = make_client(server.host)
        by_data = client.document_status("soap", "t", asked_about)
        by_signature = client.document_proof("t", asked_about)
    assert asked == ["04032026", "04-03-2026"] * 2
    assert (by_data.meaning, by_data.by_signature) == ("accepted", False)
    assert (by_signature.meaning, by_signature.by_signature) == ("accepted", True)


def test_the_signature_goes_out_on_one_line_and_the_parameters_in_the_wsdl_s_order(make_client: MakeClient) -> None:
    day = datetime(2026, 3, 4, tzinfo=UTC).date()
    with answering(soap(respuesta("<ESTADO>0</ESTADO>", "<ESTADO>DOK</ESTADO>"), operation="getEstDteAv")) as server:
        document = Folio(PERSON, COMPANY, "66666666-6", 33, 7, day, 1190, signature_value="QUJD\n REVG\r\n")
        told = make_client(server.host).document_proof("tok", document)
    assert told.held
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /DTEWS/services/QueryEstDteAv HTTP/1.1\r\n")
    values = (
        ("RutEmpresa", "76900101"),
        ("DvEmpresa", "8"),
        ("RutReceptor", "66666666"),
        ("DvReceptor", "6"),
        ("TipoDte", "33"),
        ("FolioDte", "7"),
        ("FechaEmisionDte", "04032026"),
        ("MontoDte", "1190"),
        ("FirmaDte", "QUJDREVG"),
        ("Token", "tok"),
    )
    written = "".join(f'<{name} xsi:type="xsd:string">{text}</{name}>' for name, text in values)
    assert f'<m:getEstDteAv xmlns:m="http://DefaultNamespace">{written}</m:getEstDteAv>' in body.decode()
