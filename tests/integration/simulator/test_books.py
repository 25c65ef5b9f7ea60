"""Books and reports of folios: taken by DTEUpload, examined as a whole, told apart by states of their own."""

import dataclasses
import re
from collections.abc import Callable

import pytest
from lxml import etree

from tests.integration.simulator.books import boletas, delivery_notes, report, sales
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.signing import Authority, Person, make_person

_BOOKS: list[Callable[..., bytes]] = [sales, delivery_notes, boletas, report]


def _why(taxpayer: Taxpayer, track: str) -> str:
    return " ".join(finding["text"] for finding in taxpayer.sii.control("GET", f"/uploads/{track}")["findings"])


@pytest.mark.parametrize("book", _BOOKS)
def test_good_book_is_accepted(taxpayer: Taxpayer, book: Callable[..., bytes]) -> None:
    track = taxpayer.send(book(taxpayer.person))
    assert taxpayer.state(track) == "LOK", _why(taxpayer, track)
    assert taxpayer.sii.control("GET", "/invariants")["ok"]


@pytest.mark.parametrize(
    ("book", "why"),
    [
        (lambda person: sales(person, 11901), "33: TotMntTotal [11901 <> 11900]"),
        (lambda person: delivery_notes(person, 11901), "52: TotMntGuiaVta [11901 <> 11900]"),
        (lambda person: delivery_notes(person, moved=2), "traslado 5: CantGuia [2 <> 1]"),
        (lambda person: boletas(person, 2381), "39 3: TotMntTotal [2381 <> 2380]"),
        (lambda person: report(person, used=4), "39: FoliosUtilizados [4 <> 2 + 1]"),
        (lambda person: report(person, last=14), "39: RangoUtilizados cubre 4 folios [2]"),
        (lambda person: report(person, total=2381), "39: MntTotal [2381 <> 2380]"),
    ],
)
def test_book_that_does_not_add_up_is_lrh(taxpayer: Taxpayer, book: Callable[[Person], bytes], why: str) -> None:
    track = taxpayer.send(book(taxpayer.person))
    assert (taxpayer.state(track), _why(taxpayer, track)) == ("LRH", why)


def test_schema_caratula_and_signature_have_states_of_their_own(taxpayer: Taxpayer, authority: Authority) -> None:
    taxpayer.sii.control("POST", "/switches", {"sync_schema": "off"})
    good = sales(taxpayer.person)
    schema = good.replace(b"<TotDoc>1</TotDoc>", b"<TotDoc>uno</TotDoc>")
    assert taxpayer.state(taxpayer.send(schema)) == "LRS"
    assert taxpayer.state(taxpayer.send(sales(taxpayer.person, resolution="2014-08-23"))) == "LRC"
    changed = re.sub(rb"<RznSoc>Se.or", b"<RznSoc>Don", good)
    assert changed != good
    assert taxpayer.state(taxpayer.send(changed)) == "LRF"
    other = make_person(authority, "12222222-5")
    track = taxpayer.send(sales(dataclasses.replace(other, rut=taxpayer.person.rut)))
    assert taxpayer.state(track) == "LRF"
    assert _why(taxpayer, track).endswith("RUT del certificado distinto a RutEnvia")
    assert taxpayer.state(taxpayer.send(good)) == "LOK"


_WRONG = [
    (b"<TotDoc>1</TotDoc>", b"<TotDoc>uno</TotDoc>", "cvc-datatype-valid.1.2.1: 'uno' is not a valid value for '"),
    (b"<TotDoc>1</TotDoc>", b"", "cvc-complex-type.2.4.a: Invalid content was found starting with element 'TotAnu"),
    (b"</Caratula>", b"<Nada/></Caratula>", "cvc-complex-type.2.4."),
    (b'<EnvioLibro ID="', b'<EnvioLibro Id="', "cvc-complex-type.3.2.2: Attribute 'Id' is not allowed to appear in"),
    (b"<TipoOperacion>VENTA", b"<TipoOperacion>OTRA", "cvc-enumeration-valid: Value 'OTRA' is not facet-valid with"),
    (b"<PeriodoTributario>20", b"<PeriodoTributario>2", "cvc-datatype-valid.1.2.1: '2"),
]


@pytest.mark.parametrize(("old", "new", "words"), _WRONG)
def test_book_that_is_not_schema_valid_is_refused_at_once(
    taxpayer: Taxpayer, old: bytes, new: bytes, words: str
) -> None:
    """In the words of the real gateway's validator (12 of 12 recorded answers, 2026-08)."""
    good = sales(taxpayer.person)
    assert old in good
    answer = taxpayer.sii.upload(taxpayer.token, good.replace(old, new), sender=taxpayer.person.rut)
    root = etree.fromstring(answer.content)
    assert root.findtext("STATUS") == "7"
    errors = [error.text or "" for error in root.findall("DETAIL/ERROR")]
    assert errors[0].startswith(words), errors
    assert all(error.startswith("cvc-") for error in errors)
    assert taxpayer.sii.control("GET", "/uploads") == []


@pytest.mark.parametrize("book", _BOOKS)
def test_second_book_of_the_same_turn_is_lnc(taxpayer: Taxpayer, book: Callable[..., bytes]) -> None:
    assert taxpayer.state(taxpayer.send(book(taxpayer.person))) == "LOK"
    again = book(taxpayer.person).replace(b"</Caratula>\n", b"</Caratula>\n\n")
    assert taxpayer.state(taxpayer.send(again)) == "LNC"


def test_report_of_the_next_turn_is_accepted(taxpayer: Taxpayer) -> None:
    tracks = [taxpayer.send(report(taxpayer.person, turn)) for turn in (1, 2)]
    assert [taxpayer.state(track) for track in tracks] == ["LOK", "LOK"]


def test_report_nobody_needs_gets_a_repair(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"report_state": "LRP"})
    track = taxpayer.send(report(taxpayer.person))
    assert (taxpayer.state(track), _why(taxpayer, track)) == ("LRP", "RVD no es obligatorio")


def test_segment_is_compared_with_its_own_lines(taxpayer: Taxpayer) -> None:
    assert taxpayer.state(taxpayer.send(sales(taxpayer.person, 1, kind="PARCIAL"))) == "LRH"
    assert taxpayer.state(taxpayer.send(sales(taxpayer.person, kind="PARCIAL"))) == "LOK"


def test_states_of_a_book_follow_the_clock(taxpayer: Taxpayer) -> None:
    steps = {step: [60, 60] for step in ("SOK", "CRT", "FOK", "PDR", "EPR")}
    taxpayer.sii.control("POST", "/switches", {"steps": steps, "upstatus_form": "hdr", "num_atencion": "absent"})
    track = taxpayer.send(sales(taxpayer.person))
    seen = [taxpayer.state(track)]
    for advance in (60, 180, 60):
        taxpayer.sii.control("POST", "/clock", {"advance": advance})
        seen.append(taxpayer.state(track))
    assert seen == ["REC", "LSO", "LSO", "LOK"]
    taxpayer.sii.control("POST", "/clock", {"advance": -120})
    answer = taxpayer.sii.envelope_state(taxpayer.token, track)
    header = (
        f"<SII:RESP_HDR><TRACKID>{track}</TRACKID><ESTADO>LSO</ESTADO>"
        "<GLOSA>Schema de Envio de Libro Correcto</GLOSA></SII:RESP_HDR>"
    )
    assert header in answer.text


def test_result_of_a_book_comes_by_mail(taxpayer: Taxpayer) -> None:
    taxpayer.send(sales(taxpayer.person, 11901))
    (row,) = taxpayer.sii.control("GET", "/mails")
    (part,) = taxpayer.sii.mail(row["number"]).iter_attachments()
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    root = etree.fromstring(data)
    assert root.findtext("IDENTIFICACION/ESTADO") == "LRH - Envio de Libro Rechazado - Descuadrado"
    assert "TotMntTotal" in (root.findtext("ERRORENVIO/DETERRENVIO") or "")


def test_book_by_rest_is_refused(taxpayer: Taxpayer) -> None:
    agent = "Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)"
    answer = taxpayer.sii.upload(
        taxpayer.rest_token, report(taxpayer.person), sender=taxpayer.person.rut, agent=agent, rest=True
    )
    body, digit = "76900101", "8"
    path = f"boleta.electronica.envio/{body}-{digit}-{answer.json()['trackid']}"
    state = taxpayer.sii.rest(path, taxpayer.rest_token).json()
    assert state["estado"] == "RSC"
    assert state["detalle_rep_rech"][0]["error"][0]["descripcion"] == "SCH-00001: Invalid Schema Name"


@pytest.mark.parametrize(
    ("setting", "own", "state"),
    [
        ("either", True, "LOK"),
        ("either", False, "LOK"),
        ("own", True, "LOK"),
        ("own", False, "LRS"),
        ("w3c", True, "LRF"),
        ("w3c", False, "LOK"),
    ],
)
def test_book_of_boletas_is_signed_in_one_of_two_namespaces(
    taxpayer: Taxpayer, setting: str, own: bool, state: str
) -> None:
    taxpayer.sii.control("POST", "/switches", {"book_signature": setting, "sync_schema": "off"})
    track = taxpayer.send(boletas(taxpayer.person, own=own))
    assert taxpayer.state(track) == state, _why(taxpayer, track)


@pytest.mark.parametrize("place", [rb"(<FolioDoc>)1", rb"(<DigestValue>)[^9]", rb"(<SignatureValue>\s*)[^9]"])
def test_own_signature_is_verified(taxpayer: Taxpayer, place: bytes) -> None:
    changed, count = re.subn(place, rb"\g<1>9", boletas(taxpayer.person, own=True), count=1)
    assert count == 1
    track = taxpayer.send(changed)
    assert taxpayer.state(track) == "LRF"
    assert _why(taxpayer, track) == "Firma del Libro Incorrecta: firma no verifica"
