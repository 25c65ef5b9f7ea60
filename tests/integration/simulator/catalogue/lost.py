"""Proofs about uploads whose answer is lost, about duplicates, and about front ends."""

import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.integration.simulator.catalogue.case import Case, Proof, is_lost, status
from tests.integration.simulator.client import AGENT, form, track_id
from tests.integration.simulator.documents import COMPANY, Sale

_DEADLINE = 10.0


def _found_by_its_bytes(case: Case, data: bytes) -> None:
    """The same bytes are answered with the track id of the one upload that was stored."""
    (upload,) = case.stored()
    again = case.upload(data)
    assert status(again) == "99"
    assert f"con Trackid {upload['track_id']}. Debe esperar 900 segundos" in again.text


def _lost_1(case: Case) -> None:
    data = case.invoice()
    case.fault("F-LOST-1")
    assert is_lost(lambda: case.upload(data))
    (entry,) = [e for e in case.ledger() if e["operation"] == "DTEUpload"]
    assert (entry["faults"], entry["stored"], entry["status"]) == (["F-LOST-1"], True, 0)
    _found_by_its_bytes(case, data)
    case.fault("F-LOST-1", when={"host": "boleta_up"})
    assert is_lost(lambda: case.send_boleta(case.boleta()))
    assert len(case.stored()) == 2


def _lost_2(case: Case) -> None:
    data, token = case.invoice(), case.taxpayer.token
    case.fault("F-LOST-2", args={"seconds": 20})
    with httpx.Client(timeout=0.5) as hasty:
        patient, case.sii.http = case.sii.http, hasty
        assert is_lost(lambda: case.upload(data, token=token))
        case.sii.http = patient
    _found_by_its_bytes(case, data)


def _lost_3(case: Case) -> None:
    data = case.invoice()
    case.fault("F-LOST-3", args={"bytes": 500}, when={"company": COMPANY})
    assert is_lost(lambda: case.upload(data))
    assert case.stored() == []
    (entry,) = [e for e in case.ledger() if e["operation"] == "DTEUpload"]
    assert (entry["faults"], entry["stored"], entry["status"]) == (["F-LOST-3"], False, 0)
    assert entry["body_size"] < len(data) or entry["body_size"] >= 500
    assert status(case.upload(data)) == "0"
    assert len(case.stored()) == 1


def _lost_4(case: Case) -> None:
    data, token = case.invoice(), case.taxpayer.token
    case.fault("F-LOST-4")
    received = b""
    try:
        with case.sii.http.stream(
            "POST", case.sii.hosts["dte"] + "/cgi_dte/UPL/DTEUpload", **_request(case, data, token)
        ) as r:
            for piece in r.iter_raw():
                received += piece
    except httpx.TransportError:
        pass
    begun = received.partition(b"<TRACKID>")[2]
    assert 0 < len(begun) < 10
    assert b"</TRACKID>" not in received
    _found_by_its_bytes(case, data)


def _request(case: Case, data: bytes, token: str) -> dict[str, Any]:
    headers = {"User-Agent": AGENT, "Content-Type": "multipart/form-data; boundary=b", "Cookie": f"TOKEN={token}"}
    return {"content": form("b", case.taxpayer.person.rut, COMPANY, data), "headers": headers}


def _lost_5(case: Case) -> None:
    data = case.invoice()
    case.fault("F-LOST-5")
    empty = case.upload(data)
    assert (empty.status_code, empty.content) == (200, b"")
    _found_by_its_bytes(case, data)


def _lost_6(case: Case) -> None:
    data = case.invoice()
    case.fault("F-LOST-6")
    assert is_lost(lambda: case.upload(data))
    again = case.upload(data)
    assert status(again) == "99"
    assert "Trackid" not in again.text
    assert case.document() == "DOK"


def _lost_7(case: Case) -> None:
    """The sender dies between the sending and the answer; the SII has the file."""
    data, token = case.invoice(), case.taxpayer.token
    rule = case.fault("F-LOST-7", id="pause")
    request = _request(case, data, token)
    head = "".join(f"{k}: {v}\r\n" for k, v in request["headers"].items())
    head = (
        f"POST /cgi_dte/UPL/DTEUpload HTTP/1.1\r\nHost: dte\r\nContent-Length: {len(request['content'])}\r\n{head}\r\n"
    )
    where = urlsplit(case.sii.hosts["dte"])
    with socket.create_connection((str(where.hostname), int(where.port or 80))) as sender:
        sender.sendall(head.encode() + request["content"])
        ends = time.monotonic() + _DEADLINE
        while not case.stored():
            assert time.monotonic() < ends
        sender.setblocking(False)
        assert _nothing_came(sender)
    assert case.sii.control("POST", "/faults/pause/release") == {"released": 1}
    assert case.sii.control("GET", "/faults")[0]["number"] == rule["number"]
    _found_by_its_bytes(case, data)
    # And let go, a second one is answered.
    case.lift()
    case.fault("F-LOST-7", id="pause")
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(case.upload(case.invoice(2), token=token)))
    thread.start()
    with httpx.Client(base_url=case.sii.hosts["control"]) as other:
        while not other.post("/faults/pause/release").is_success:
            assert time.monotonic() < ends + _DEADLINE
        thread.join(_DEADLINE)
    assert [status(answer) for answer in answers] == ["0"]


def _nothing_came(sender: socket.socket) -> bool:
    try:
        return not sender.recv(1)
    except BlockingIOError:
        return True


def _lost_8(case: Case) -> None:
    data = case.invoice()
    before = case.sii.control("GET", "/clock")["now"]
    case.fault("F-LOST-8")
    assert is_lost(lambda: case.upload(data))
    assert case.sii.control("GET", "/clock")["now"] > before
    # The window is over: the same bytes are a new upload, whose documents end up repeated.
    case.taxpayer.tokens.clear()
    second = track_id(case.upload(data))
    assert case.taxpayer.findings(second) == [["DTE-3-100"]]
    assert case.document() == "DOK"


def _lost_9(case: Case) -> None:
    data = case.invoice()
    case.fault("F-LOST-9")
    assert is_lost(lambda: case.upload(data))
    assert case.document() == "FAU"
    case.advance(599)
    assert case.document() == "FAU"
    case.advance(2)
    assert case.document() == "DOK"


def _duplicate(case: Case) -> None:
    data = case.invoice()
    first = case.taxpayer.send(data)
    texts = [case.upload(data).text for _ in range(2)]
    assert [f"enviado {n} veces con Trackid {first}." in text for n, text in zip((2, 3), texts, strict=True)] == [
        True
    ] * 2
    case.advance(901)
    assert track_id(case.upload(data)) != first
    case.switch(dedupe_window=-1.0)
    case.advance(1900)
    assert status(case.upload(data)) == "99"
    case.switch(dedupe_by_name=True)
    assert status(case.upload(data)) == "0"


def _known_folio(case: Case) -> None:
    first = case.taxpayer.send(case.invoice())
    second = case.taxpayer.send(case.invoice(item="Otro"))
    assert case.state(second).get("RECHAZADOS") == "1"
    assert case.taxpayer.findings(second) == [["DTE-3-101"]]
    case.fault("F-DUP-2")
    third = case.taxpayer.send(case.invoice(item="Tercero"))
    assert case.state(third).state == "RFR"
    assert (case.state(first).get("ACEPTADOS"), case.document()) == ("1", "DOK")


def _boleta_twice(case: Case) -> None:
    data = case.boleta()
    tracks = [case.send_boleta(data).json()["trackid"] for _ in range(2)]
    assert tracks[0] != tracks[1]
    assert case.taxpayer.findings(tracks[1]) == [["DTE-3-100"]]
    case.switch(rest_dedupe=True)
    other = case.boleta(2)
    assert case.send_boleta(other).status_code == 200
    refused = case.send_boleta(other)
    assert (refused.status_code, "Archivo ya fue enviado 2 veces" in refused.text) == (400, True)
    case.fault("F-DUP-3")
    assert [case.send_boleta(other).status_code for _ in range(2)] == [200, 400]


def _unavailable(case: Case) -> None:
    case.fault("F-HTTP-503", when={"operation": "upload"}, args={"headers": {"Retry-After": "30"}})
    data = case.invoice()
    answer = case.upload(data)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "Service Temporarily Unavailable" in answer.text
    assert case.stored() == []
    case.fault("F-HTTP-503", args={"state": "S"}, when={"operation": "upload"})
    assert case.upload(data).status_code == 503
    case.lift()
    _found_by_its_bytes(case, data)
    case.fault("F-HTTP-503", when={"operation": "query"})
    assert [case.raw_state().status_code for _ in range(2)] == [503, 200]


def _maintenance(case: Case) -> None:
    token, now = case.taxpayer.token, case.sii.control("GET", "/clock")["now"]
    rest = case.taxpayer.rest_token
    case.fault("F-MAINT", when={"until": now[:11] + "23:59:59"} if now[11:13] < "23" else {}, args={"status": 200})
    answers = [
        case.upload(case.invoice(), token=token),
        case.send_boleta(case.boleta(), token=rest),
        case.raw_state(),
        case.sii.rest("nada", rest),
        case.sii.http.get(case.sii.hosts["dte"] + "/DTEWS/CrSeed.jws?WSDL"),
    ]
    assert {(a.status_code, a.headers["Content-Type"], "Unavailable" in a.text) for a in answers} == {
        (200, "text/html", True)
    }
    case.advance(24 * 3600)
    case.taxpayer.tokens.clear()
    if now[11:13] < "23":
        assert status(case.upload(case.invoice())) == "0"
    case.lift()
    case.fault("F-MAINT", when={"host": "dte"})
    assert case.upload(case.invoice(2), token=token).status_code == 503
    assert case.sii.rest("nada", rest).status_code == 500


def _literal_500(case: Case) -> None:
    data = case.invoice()
    case.fault("F-500-LIT")
    answer = case.upload(data)
    assert (answer.status_code, answer.text, case.stored()) == (200, "Error 500", [])
    case.fault("F-500-LIT", args={"state": "S", "status": 500})
    assert case.upload(data).status_code == 500
    _found_by_its_bytes(case, data)


def _html_upload(case: Case) -> None:
    case.fault("F-HTML-UP")
    answer = case.upload(case.invoice())
    assert (answer.status_code, "HA OCURRIDO UN ERROR EN EL UPLOAD" in answer.text) == (200, True)
    assert case.stored() == []


def _status_9(case: Case) -> None:
    case.fault("F-9", times=2)
    answers = [status(case.upload(case.invoice())) for _ in range(3)]
    assert answers == ["9", "9", "0"]


def _status_n(case: Case) -> None:
    for number in (1, 2, 3, 6, 7, 8):
        texts = []
        for written in ("full", "minimal", "loose"):
            case.fault(f"F-STATUS-{number}", args={"form": written})
            answer = case.upload(case.invoice())
            assert status(answer) == str(number)
            texts.append(answer.text)
        full, minimal, loose = texts
        assert ("<DETAIL>" in full, "RUTSENDER" in full) == (True, True)
        assert "RUTSENDER" not in minimal
        assert ("<DETAIL>" in loose, "Error en el envio" in loose) == (False, True)
    assert case.stored() == []


def _chunked(case: Case) -> None:
    token = case.taxpayer.token
    sales = [Sale(n) for n in range(1, 6)]
    data = case.taxpayer.envelope(*sales)
    request = _request(case, data, token)
    body = request["content"]

    def pieces() -> Any:
        yield body[:1000]
        yield body[1000:]

    address = case.sii.hosts["dte"] + "/cgi_dte/UPL/DTEUpload"
    assert case.sii.http.post(address, content=pieces(), headers=request["headers"]).status_code == 400
    case.switch(chunked="cut")
    cut = case.sii.http.post(address, content=pieces(), headers=request["headers"])
    assert (status(cut), "LPX-00007: unexpected end-of-file" in cut.text) == ("7", True)
    assert case.stored() == []


def _long_line(case: Case) -> None:
    long = case.invoice().replace(b"</Caratula>", b"</Caratula>" + b" " * 4091)
    natural = case.upload(long)
    case.fault("F-LINE")
    forced = case.upload(case.invoice())
    assert [status(a) for a in (natural, forced)] == ["7", "7"]
    assert all("CHR-00002: Line too long (4090)" in a.text for a in (natural, forced))


PROOFS: dict[str, Proof] = {
    "F-LOST-1": _lost_1,
    "F-LOST-2": _lost_2,
    "F-LOST-3": _lost_3,
    "F-LOST-4": _lost_4,
    "F-LOST-5": _lost_5,
    "F-LOST-6": _lost_6,
    "F-LOST-7": _lost_7,
    "F-LOST-8": _lost_8,
    "F-LOST-9": _lost_9,
    "F-DUP-1": _duplicate,
    "F-DUP-2": _known_folio,
    "F-DUP-3": _boleta_twice,
    "F-HTTP-503": _unavailable,
    "F-MAINT": _maintenance,
    "F-500-LIT": _literal_500,
    "F-HTML-UP": _html_upload,
    "F-9": _status_9,
    "F-STATUS-n": _status_n,
    "F-CHUNK": _chunked,
    "F-LINE": _long_line,
}
