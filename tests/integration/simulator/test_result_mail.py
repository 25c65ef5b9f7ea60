"""Result mails: what they say, in which forms they come, and how they are delivered."""

import mailbox
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.integration.simulator.client import Sii
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, Sale, reference

_DEADLINE = 10


def _mails(taxpayer: Taxpayer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = taxpayer.sii.control("GET", "/mails")
    return found


def _attachment(mail: EmailMessage) -> bytes:
    (part,) = mail.iter_attachments()
    assert (part.get_filename() or "").startswith("DTEMAIL")
    assert part.get_content_type() in {"application/xml", "text/xml"}
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def _only(taxpayer: Taxpayer) -> etree._Element:
    """The result of the only mail."""
    (row,) = _mails(taxpayer)
    return etree.fromstring(_attachment(taxpayer.sii.mail(row["number"])))


def _with_variants(taxpayer: Taxpayer, *variants: str, fault: str = "F-MAIL-1", **args: object) -> None:
    rule = {"fault": fault, "args": {"variants": list(variants)} | args}
    taxpayer.sii.control("POST", "/faults", rule)


def test_mail_names_the_envelope_and_what_is_wrong_with_its_documents(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1), Sale(2, acteco=1), Sale(3, pretty_stamp=True)))
    (row,) = _mails(taxpayer)
    assert (row["kind"], row["track_id"], row["to"]) == ("result", int(track), "dte@76900101-8.example")
    mail = taxpayer.sii.mail(row["number"])
    assert mail["Subject"] == f"Resultado de Revision Envio {track} - {COMPANY}"
    assert mail["From"].endswith("@sii.cl")
    root = etree.fromstring(_attachment(mail))
    assert [(e.tag, e.text) for e in root.findall("IDENTIFICACION/*")][:3] == [
        ("RUTEMISOR", COMPANY),
        ("RUTENVIA", "11111111-1"),
        ("TRACKID", track),
    ]
    assert root.findtext("IDENTIFICACION/ESTADO") == "EPR - Envio Procesado"
    received = root.findtext("IDENTIFICACION/TMSTRECEPCION") or ""
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", received)
    assert [(e.tag, e.text) for e in root.findall("ESTADISTICA/SUBTOTAL/*")] == [
        ("TIPODOC", "33"),
        ("INFORMADO", "3"),
        ("RECHAZO", "1"),
        ("REPARO", "1"),
        ("ACEPTA", "1"),
    ]
    reviews = [(r.findtext("FOLIO"), r.findtext("ESTADO"), r.findtext("DETALLE")) for r in root.iter("REVISIONDTE")]
    assert reviews == [
        ("2", "RCH - DTE Rechazado", "(HED-3-861) Actividad Economica No Registrada"),
        ("3", "RPR - DTE Aceptado con Reparos", "(TED-2-510) Firma del Timbre Incorrecta"),
    ]


@pytest.mark.parametrize("cover", [{}, {"resolution_number": 80}, {"in_context": False}])
def test_every_final_state_writes_one_mail(taxpayer: Taxpayer, cover: dict[str, Any]) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1), **cover))
    root = _only(taxpayer)
    state = taxpayer.state(track)
    assert (root.findtext("IDENTIFICACION/ESTADO") or "").startswith(f"{state} - ")
    assert (root.find("ERRORENVIO/DETERRENVIO") is None) is (state == "EPR")


def test_schema_of_the_mail_is_the_published_one(shared: Path, taxpayer: Taxpayer) -> None:
    schema = etree.XMLSchema(etree.parse(shared / "reference/xsd/RespSII_v10.xsd"))
    taxpayer.send(taxpayer.envelope(Sale(1), Sale(2, acteco=1), Sale(3, pretty_stamp=True)))
    taxpayer.send(taxpayer.envelope(Sale(4), resolution_number=80))
    taxpayer.send(taxpayer.envelope(Sale(5)).replace(b"<FmaPago>1</FmaPago>", b"<FmaPago>9</FmaPago>"))
    _with_variants(taxpayer, "unknown-codes", "utf-8")
    taxpayer.send(taxpayer.envelope(Sale(6), Sale(1, 61, references=reference(33, 1, 1))))
    mails = _mails(taxpayer)
    assert len(mails) == 4
    for row in mails:
        schema.assertValid(etree.fromstring(_attachment(taxpayer.sii.mail(row["number"]))))


def test_type_61_is_in_the_mail_even_when_the_query_omits_it(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"omit_type_61": True})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.send(taxpayer.envelope(Sale(2), Sale(1, 61, references=reference(33, 1, 1))))
    last = _mails(taxpayer)[-1]
    root = etree.fromstring(_attachment(taxpayer.sii.mail(last["number"])))
    assert [e.text for e in root.iter("TIPODOC")] == ["33", "61"]


def test_types_that_the_schema_does_not_know_are_left_out_unless_switched_on(taxpayer: Taxpayer) -> None:
    for folio, listed in ((1, []), (2, ["39"])):
        taxpayer.sii.control("POST", "/switches", {"mail_lists_all_types": bool(listed)})
        taxpayer.send(taxpayer.envelope(Sale(folio, 39), root="EnvioBOLETA"))
        last = _mails(taxpayer)[-1]
        root = etree.fromstring(_attachment(taxpayer.sii.mail(last["number"])))
        assert [e.text for e in root.iter("TIPODOC")] == listed


def test_mail_goes_to_the_registered_address(taxpayer: Taxpayer) -> None:
    company = {
        "rut": COMPANY,
        "razon_social": "X",
        "resolution": {"number": 0, "date": "2014-08-22"},
        "contact": "sii@empresa.example",
    }
    taxpayer.sii.control("POST", "/fixtures", {"companies": [company]})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    assert [mail["to"] for mail in _mails(taxpayer)] == ["sii@empresa.example"]


def test_mail_waits_for_the_final_state(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_dte"})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert _mails(taxpayer) == []
    taxpayer.sii.control("POST", "/clock", {"advance": 301})
    assert [mail["track_id"] for mail in _mails(taxpayer)] == [int(track)]


def test_frozen_upload_has_no_mail_and_a_forced_one_has(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_dte"})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.sii.control("POST", f"/uploads/{track}/freeze", {})
    taxpayer.sii.control("POST", "/clock", {"advance": 301})
    assert _mails(taxpayer) == []
    taxpayer.sii.control("POST", f"/uploads/{track}/force", {"state": "RPT"})
    assert _only(taxpayer).findtext("IDENTIFICACION/ESTADO") == "RPT - Repetido"


def test_mail_comes_early(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"timings": "prod_dte"})
    _with_variants(taxpayer, "early")
    taxpayer.sii.control("POST", "/switches", {"visibility_delay": 0.0})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert _only(taxpayer).findtext("IDENTIFICACION/ESTADO") == "EPR - Envio Procesado"
    assert taxpayer.state(track) == "REC"


def test_mail_comes_late(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "late", seconds=7200)
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert (taxpayer.state(track), _mails(taxpayer)) == ("EPR", [])
    taxpayer.sii.control("POST", "/clock", {"advance": 7201})
    assert len(_mails(taxpayer)) == 1


def test_mail_comes_twice(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "twice")
    taxpayer.send(taxpayer.envelope(Sale(1)))
    first, second = _mails(taxpayer)
    assert first["track_id"] == second["track_id"]


def test_mail_never_comes_and_can_be_asked_for_again(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "never")
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert [mail["lost"] for mail in _mails(taxpayer)] == [True]
    assert taxpayer.sii.mail_again(taxpayer.token, track).state == "0"
    assert [mail["lost"] for mail in _mails(taxpayer)] == [True, False]


def test_mail_is_forwarded_as_a_message(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "forwarded")
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    mail = taxpayer.sii.mail(1)
    assert not mail["From"].endswith("@sii.cl")
    (part,) = mail.iter_attachments()
    assert part.get_content_type() == "message/rfc822"
    original = part.get_content()
    assert original["Subject"] == f"Resultado de Revision Envio {track} - {COMPANY}"
    assert b"<TRACKID>" + track.encode() in _attachment(original)


def test_mail_is_forwarded_inline(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "forwarded-inline")
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    mail = taxpayer.sii.mail(1)
    assert mail["Subject"].startswith("RV: Resultado de Revision Envio")
    body = mail.get_body()
    assert body is not None
    assert "> From: siidte@sii.cl" in body.get_content()
    assert b"<TRACKID>" + track.encode() in _attachment(mail)


def test_attachment_comes_quoted_printable(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "quoted-printable")
    taxpayer.send(taxpayer.envelope(Sale(1)))
    (part,) = taxpayer.sii.mail(1).iter_attachments()
    assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert b"<RESULTADO_ENVIO>" in _attachment(taxpayer.sii.mail(1))


@pytest.mark.parametrize(
    ("variants", "declared", "encoding"),
    [
        ((), b'encoding="ISO-8859-1"', "iso-8859-1"),
        (("utf-8",), b'encoding="UTF-8"', "utf-8"),
        (("windows-1252",), b'encoding="windows-1252"', "windows-1252"),
        (("utf-8", "mislabelled"), b'encoding="UTF-8"', "iso-8859-1"),
    ],
)
def test_attachment_comes_in_other_charsets(
    taxpayer: Taxpayer, variants: tuple[str, ...], declared: bytes, encoding: str
) -> None:
    _with_variants(taxpayer, *variants)
    taxpayer.sii.control("POST", "/faults", {"fault": "F-HALF", "args": {"text": "Actividad Económica"}})
    taxpayer.send(taxpayer.envelope(Sale(1), Sale(2)))
    assert len(_mails(taxpayer)) == 1
    data = _attachment(taxpayer.sii.mail(1))
    assert declared in data
    assert "(HED-3-861) Actividad Económica".encode(encoding) in data


def test_mail_brings_codes_that_nobody_published(taxpayer: Taxpayer) -> None:
    _with_variants(taxpayer, "unknown-codes", fault="F-MAIL-2")
    taxpayer.send(taxpayer.envelope(Sale(1)))
    review = _only(taxpayer).find("REVISIONENVIO/REVISIONDTE")
    assert review is not None
    assert (review.findtext("ESTADO"), review.findtext("DETALLE")) == (
        "QQX - Estado Que Nadie Publico",
        "(QRS-7-4242) Codigo Que Nadie Publico",
    )


def test_forged_mails_come_beside_the_true_one(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/faults", {"fault": "F-MAIL-2"})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert [mail["kind"] for mail in _mails(taxpayer)] == ["result", "forged", "unknown-track"]
    true, forged, unknown = (taxpayer.sii.mail(number) for number in (1, 2, 3))
    assert not forged["From"].endswith("@sii.cl")
    assert b"RFR - " in _attachment(forged)
    assert b"EPR - " in _attachment(true)
    assert unknown["From"].endswith("@sii.cl")
    assert track not in str(unknown["Subject"])


def test_mail_is_written_on_demand(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.sii.control("POST", f"/uploads/{track}/mail", {"variants": ["forwarded"]})
    assert [mail["variants"] for mail in _mails(taxpayer)] == [[], ["forwarded"]]


def test_unknown_variant_is_no_fault(taxpayer: Taxpayer) -> None:
    rule = {"fault": "F-MAIL-1", "args": {"variants": ["by-pigeon"]}}
    answer = taxpayer.sii.http.post(taxpayer.sii.hosts["control"] + "/faults", json=rule)
    assert answer.status_code == 400


def test_boletas_by_rest_have_no_mail(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1, 39), root="EnvioBOLETA")
    agent = "Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)"
    answer = taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, agent=agent, rest=True)
    assert answer.status_code == 200
    assert _mails(taxpayer) == []


def test_maildir_gets_what_was_written(taxpayer: Taxpayer, tmp_path: Path) -> None:
    taxpayer.sii.control("POST", "/switches", {"mail_maildir": str(tmp_path / "box")})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert [mail["delivered"] for mail in _mails(taxpayer)] == [["maildir"]]
    (mail,) = mailbox.Maildir(tmp_path / "box", create=False)
    assert mail["Subject"] == f"Resultado de Revision Envio {track} - {COMPANY}"


class _Sink(socketserver.StreamRequestHandler):
    """An SMTP server that takes every mail, as far as smtplib needs one."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _SinkServer)
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline().strip().upper():
            if line == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                server.received.append(b"".join(text.removeprefix(b".") for text in lines))
            self.wfile.write(b"221 bye\r\n" if line == b"QUIT" else b"250 sink\r\n")


class _SinkServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    received: list[bytes]


@contextmanager
def _smtp_sink() -> Iterator[_SinkServer]:
    with _SinkServer(("127.0.0.1", 0), _Sink) as server:
        server.received = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_smtp_gets_what_was_written_without_being_asked(taxpayer: Taxpayer) -> None:
    with _smtp_sink() as sink:
        taxpayer.sii.control("POST", "/switches", {"mail_smtp": f"127.0.0.1:{sink.server_address[1]}"})
        track = taxpayer.send(taxpayer.envelope(Sale(1)))
        deadline = time.monotonic() + _DEADLINE
        while not sink.received:
            assert time.monotonic() < deadline, "no mail came"
            time.sleep(0.01)
    assert f"Subject: Resultado de Revision Envio {track} - {COMPANY}".encode() in sink.received[0]


def test_clock_moved_lets_mails_go_out_without_being_asked(taxpayer: Taxpayer) -> None:
    with _smtp_sink() as sink:
        switches = {"timings": "prod_dte", "mail_smtp": f"127.0.0.1:{sink.server_address[1]}"}
        taxpayer.sii.control("POST", "/switches", switches)
        track = taxpayer.send(taxpayer.envelope(Sale(1)))
        taxpayer.sii.control("GET", f"/uploads/{track}")
        taxpayer.sii.control("POST", "/clock", {"advance": 301})
        deadline = time.monotonic() + _DEADLINE
        while not sink.received:
            assert time.monotonic() < deadline, "no mail came"
            time.sleep(0.01)


def test_mail_that_smtp_refuses_says_so(sii: Sii, taxpayer: Taxpayer) -> None:
    sii.control("POST", "/switches", {"mail_smtp": "127.0.0.1:9"})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    (mail,) = _mails(taxpayer)
    assert (mail["delivered"], mail["errors"][0][:5]) == ([], "SMTP:")
