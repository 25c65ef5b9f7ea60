"""Result mails as they lie in mailboxes: every form in which they come is read, and others raise nothing."""

import base64
import json
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answers.result_mail import Letter, Reason, ResultMail, read_letter

SII = ("sii.cl",)
TEXT = "Folio para este Tipo de documento ya fue recibido en el SII; señal «ñandú»"


def xml(charset: str = "ISO-8859-1", *, declared: str | None = None, detail: str = f"(DTE-3-101) {TEXT}") -> bytes:
    """The attached file."""
    text = (
        f'<?xml version="1.0" encoding="{declared or charset}"?>\n<RESULTADO_ENVIO>\n<IDENTIFICACION>'
        "<RUTEMISOR>76900101-8</RUTEMISOR><RUTENVIA>76900102-6</RUTENVIA><TRACKID>0251767784</TRACKID>"
        "<TMSTRECEPCION>15/06/2026 12:00:00</TMSTRECEPCION><ESTADO>EPR - Envio Procesado</ESTADO></IDENTIFICACION>"
        "<ESTADISTICA><SUBTOTAL><TIPODOC>33</TIPODOC><INFORMADO>2</INFORMADO><RECHAZO>1</RECHAZO><ACEPTA>1</ACEPTA>"
        "</SUBTOTAL><SUBTOTAL><TIPODOC>61</TIPODOC><INFORMADO>7</INFORMADO><REPARO>2</REPARO><ACEPTA>5</ACEPTA>"
        "</SUBTOTAL></ESTADISTICA><REVISIONENVIO><REVISIONDTE><FOLIO>101</FOLIO><TIPODTE>33</TIPODTE>"
        f"<ESTADO>RCH - DTE Rechazado</ESTADO><DETALLE>{detail}</DETALLE></REVISIONDTE></REVISIONENVIO>"
        "</RESULTADO_ENVIO>\n"
    )
    return text.encode(charset)


def message(
    attachment: bytes, *, sender: str = "SII <siidte@sii.cl>", kind: str = "application", cte: str = "base64"
) -> EmailMessage:
    """A message as the SII sends it."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, "dte@empresa.example"
    mail["Subject"] = "Resultado de Revision Envio 251767784 - 76900101-8"
    mail.set_content("Se adjunta el resultado de la revisión.\n", charset="iso-8859-1", cte="8bit")
    mail.add_attachment(attachment, maintype=kind, subtype="xml", filename="DTEMAIL251767784.xml", cte=cte)
    return mail


def reasons(letter: Letter) -> tuple[Reason, ...]:
    assert letter.result is not None, letter
    return letter.result.reviews[0].reasons


def test_a_mail_says_what_became_of_each_document() -> None:
    letter = read_letter(message(xml()).as_bytes(policy=SMTP))
    assert (letter.kind, letter.writer, letter.forwarder) == ("result", "siidte@sii.cl", None)
    result = letter.result
    assert result is not None
    assert (result.company, result.track_id, result.state, result.text) == (
        "76900101-8",
        "251767784",
        "EPR",
        "Envio Procesado",
    )
    assert [(c.document_type, c.reported, c.accepted, c.rejected, c.repaired) for c in result.counters] == [
        (33, 2, 1, 1, 0),
        (61, 7, 5, 0, 2),
    ]
    (review,) = result.reviews
    assert (review.document_type, review.folio, review.state, review.meaning) == (33, 101, "RCH", "rejected")
    assert review.reasons == (Reason("DTE-3-101", TEXT),)
    assert ResultMail.from_dict(json.loads(json.dumps(result.as_dict()))) == result


@pytest.mark.parametrize("kind", ["application", "text"])
@pytest.mark.parametrize("cte", ["base64", "quoted-printable"])
@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("iso-8859-1", "ISO-8859-1"),
        ("utf-8", "UTF-8"),
        ("windows-1252", "windows-1252"),
        ("iso-8859-1", "UTF-8"),
        ("utf-8", "ISO-8859-1"),
        ("utf-16", "UTF-16"),
    ],
)
def test_every_encoding_gives_the_same_words(kind: str, cte: str, charset: str, declared: str) -> None:
    letter = read_letter(message(xml(charset, declared=declared), kind=kind, cte=cte).as_bytes(policy=SMTP))
    assert reasons(letter) == (Reason("DTE-3-101", TEXT),)


def test_the_attached_file_alone_is_read_and_has_no_sender() -> None:
    letter = read_letter(xml())
    assert (letter.bare, letter.writer) == (True, "")
    assert reasons(letter)[0].code == "DTE-3-101"
    assert letter.is_from(SII, ())


def forwarded(*, inner_encoding: str | None = None) -> bytes:
    original = message(xml())
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ana <ana@empresa.example>", "dte@empresa.example", "Fwd: Resultado"
    mail.set_content("Para su información.\n")
    mail.add_attachment(original)
    if inner_encoding is None:
        return mail.as_bytes(policy=SMTP)
    head, _, _ = mail.as_bytes(policy=SMTP).partition(b"Content-Type: message/rfc822")
    boundary = str(mail.get_boundary())
    body = base64.encodebytes(original.as_bytes(policy=SMTP)).replace(b"\n", b"\r\n")
    return (
        head
        + b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + body
        + f"\r\n--{boundary}--\r\n".encode()
    )


@pytest.mark.parametrize("encoding", [None, "base64"])
def test_a_mail_forwarded_as_a_message_keeps_its_writer(encoding: str | None) -> None:
    letter = read_letter(forwarded(inner_encoding=encoding))
    assert (letter.writer, letter.forwarder) == ("siidte@sii.cl", "ana@empresa.example")
    assert reasons(letter)[0].code == "DTE-3-101"
    assert letter.is_from(SII, ("empresa.example",))
    assert letter.is_from(SII, ("ana@empresa.example",))
    assert letter.is_from(SII, None)
    assert not letter.is_from(SII, ("otra.example", "beto@empresa.example"))
    assert not letter.is_from(SII, ())


@pytest.mark.parametrize("name", ["From", "De", "> From", "> De", "*De"])
def test_a_mail_forwarded_with_its_file_keeps_the_writer_that_its_text_names(name: str) -> None:
    mail = message(xml(), sender="ana@empresa.example")
    mail.replace_header("Subject", "RV: Resultado")
    mail.get_payload(0).set_content(  # type: ignore[union-attr]
        f"Hola\n\n---- Mensaje reenviado ----\n{name}: SII <siidte@sii.cl>\nPara: dte@empresa.example\n"
    )
    letter = read_letter(mail.as_bytes(policy=SMTP))
    assert (letter.writer, letter.forwarder) == ("siidte@sii.cl", "ana@empresa.example")


def test_a_result_pasted_as_text_is_read() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ana@empresa.example", "el correo del SII"
    quoted = "\n".join(f"> {line}" for line in xml("utf-8").decode().splitlines())
    mail.set_content(f"Mira:\n> De: siidte@sii.cl\n{quoted}\n", cte="quoted-printable")
    letter = read_letter(mail.as_bytes(policy=SMTP))
    assert (letter.kind, letter.writer, letter.forwarder) == ("result", "siidte@sii.cl", "ana@empresa.example")
    assert reasons(letter)[0].code == "DTE-3-101"


@pytest.mark.parametrize(
    "sender",
    [
        "siidte@sii-cl.example",
        "siidte@sii.cl.example",
        "siidte@notsii.cl",
        '"siidte@sii.cl" <otro@empresa.example>',
        "siidte@sii.cl, otro@empresa.example",
        "",
    ],
)
def test_who_only_looks_like_the_sii_is_not(sender: str) -> None:
    letter = read_letter(message(xml(), sender=sender).as_bytes(policy=SMTP))
    assert letter.kind == "result"
    assert not letter.is_from(SII, ())


@pytest.mark.parametrize("sender", ["siidte@sii.cl", "SIIDTE@SII.CL", "x@correo.sii.cl"])
def test_the_sii_is_its_domain_and_what_lies_below(sender: str) -> None:
    assert read_letter(message(xml(), sender=sender).as_bytes(policy=SMTP)).is_from(SII, ())


def test_codes_that_nobody_published_are_kept_verbatim() -> None:
    data = xml(detail="(QRS-7-4242) Nadie lo publicó").replace(b"RCH - DTE Rechazado", b"QQX - Otro")
    result = read_letter(message(data).as_bytes(policy=SMTP)).result
    assert result is not None
    (review,) = result.reviews
    assert (review.state, review.text, review.meaning) == ("QQX", "Otro", "unknown")
    assert review.reasons == (Reason("QRS-7-4242", "Nadie lo publicó"),)


def test_a_reason_without_a_code_is_all_words() -> None:
    assert reasons(read_letter(xml(detail="Sin código")))[0] == Reason("", "Sin código")


def test_other_letters_are_nothing_of_ours() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ana@empresa.example", "almuerzo"
    mail.set_content("¿Vamos?\n")
    assert read_letter(mail.as_bytes(policy=SMTP)).kind == "other"
    assert read_letter(b"").kind == "other"
    assert read_letter(b"<html><body>hola</body></html>").kind == "other"
    assert read_letter(b"<EnvioDTE/>").kind == "other"


@pytest.mark.parametrize(
    "data",
    [
        xml()[:-40],
        xml().replace(b"<TRACKID>0251767784</TRACKID>", b""),
        xml().replace(b"0251767784", b"no es un numero"),
        xml().replace(b"76900101-8", b"76900101-9"),
        xml().replace(b"<IDENTIFICACION>", b"<IDENTIFICACION>&xxe;"),
        xml().replace(b"</REVISIONENVIO>", b""),
    ],
)
def test_what_would_be_a_result_and_cannot_be_read_is_said(data: bytes) -> None:
    letter = read_letter(message(data).as_bytes(policy=SMTP))
    assert (letter.kind, letter.result) == ("unreadable", None)
    assert letter.problem


def test_entities_and_their_files_are_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    hostile = xml(detail="&file;").replace(
        b"<RESULTADO_ENVIO>",
        f'<!DOCTYPE RESULTADO_ENVIO [<!ENTITY file SYSTEM "{secret}">]>\n<RESULTADO_ENVIO>'.encode(),
    )
    assert "SECRET" not in repr(read_letter(message(hostile).as_bytes(policy=SMTP)))


def test_size_depth_and_number_are_bounded() -> None:
    assert read_letter(b"x" * (9 * 1024 * 1024)).kind == "unreadable"
    many = xml()
    review = many[many.index(b"<REVISIONDTE>") : many.index(b"</REVISIONENVIO>")]
    result = read_letter(many.replace(review, review * 6000)).result
    assert result is not None
    assert len(result.reviews) == 5000
    nested = message(xml())
    for _ in range(30):
        outer = EmailMessage()
        outer["From"] = "ana@empresa.example"
        outer.set_content("x")
        outer.add_attachment(nested)
        nested = outer
    assert read_letter(nested.as_bytes(policy=SMTP)).kind == "other"


def test_what_the_sii_itself_sends_may_quote_others() -> None:
    mail = message(xml())
    mail.get_payload(0).set_content("De: ana@empresa.example\n")  # type: ignore[union-attr]
    assert read_letter(mail.as_bytes(policy=SMTP)).is_from(SII, ())


@pytest.mark.parametrize(
    "head", [b"Subject: =?utf-8?b?abc?=", b"From: =?x?q?=FF?= <", b"Content-Type: text/xml; charset=x"]
)
def test_broken_heads_are_no_obstacle(head: bytes) -> None:
    letter = read_letter(head + b"\r\n\r\n" + xml())
    assert letter.kind == "result"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [b"<RESULTADO_ENVIO " * 200_000, b"\n" * 1_000_000 + b"De: ", b"> " * 1_000_000, b"De: " + b"a" * 1_000_000],
)
def test_hostile_texts_take_no_time(text: bytes) -> None:
    assert read_letter(b"From: a@sii.cl\r\nSubject: x\r\n\r\n" + text).result is None


@given(st.binary(max_size=400))
def test_no_bytes_raise(noise: bytes) -> None:
    read_letter(noise)
    read_letter(message(xml()).as_bytes(policy=SMTP)[: 200 + len(noise)] + noise)
    read_letter(b"From: x@sii.cl\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + noise + b"\r\n--b--")


def test_the_recorded_form_is_read(shared: Path) -> None:
    file = shared / "reference" / "sii-samples" / "correo-resultado-envio-construido.xml"
    letter = read_letter(file.read_bytes())
    assert letter.result is not None
    assert letter.result.track_id == "251767784"
    assert [c.document_type for c in letter.result.counters] == [33, 61], "61 is in the mail"
