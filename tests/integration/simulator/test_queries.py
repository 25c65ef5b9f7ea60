"""QueryEstUp, QueryEstDte, QueryEstDteAv and wsDTECorreo: orders of checks, codes, and forms of the answers."""

import base64
import re

import pytest

from tests.integration.simulator.client import Answer
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, RECEIVER, Caf, Sale, reference, today
from tests.integration.simulator.signing import Authority, make_person

_FORMS = {
    "hdr_order": "body_first",
    "inner_form": "plain",
    "upstatus_form": "hdr",
    "num_atencion": "absent",
    "single_type_without_tipo": "no",
    "document_av_form": "plain",
}


def _switch(taxpayer: Taxpayer, **switches: object) -> None:
    taxpayer.sii.control("POST", "/switches", switches)


def _ask(taxpayer: Taxpayer, sale: Sale, **changed: str) -> Answer:
    """QueryEstDte about a sale, with some parameters changed."""
    year, month, day = sale.issued_on.split("-")
    parameters = {}
    for name, rut in (("Consultante", taxpayer.person.rut), ("Compania", COMPANY), ("Receptor", sale.receiver)):
        parameters[f"Rut{name}"], parameters[f"Dv{name}"] = rut.split("-")
    parameters |= {
        "TipoDte": str(sale.document_type),
        "FolioDte": str(sale.folio),
        "FechaEmisionDte": day + month + year,
        "MontoDte": str(sale.stated_total),
        "Token": taxpayer.token,
    }
    return taxpayer.sii.soap("QueryEstDte.jws", "getEstDte", parameters | changed)


def _described(sale: Sale) -> dict[str, str]:
    """The parameters of QueryEstDteAv that describe a sale."""
    year, month, day = sale.issued_on.split("-")
    (issuer, issuer_digit), (receiver, receiver_digit) = COMPANY.split("-"), sale.receiver.split("-")
    return {
        "RutEmpresa": issuer,
        "DvEmpresa": issuer_digit,
        "RutReceptor": receiver,
        "DvReceptor": receiver_digit,
        "TipoDte": str(sale.document_type),
        "FolioDte": str(sale.folio),
        "FechaEmisionDte": day + month + year,
        "MontoDte": str(sale.stated_total),
    }


def _signature(dte: bytes) -> str:
    found = re.findall(rb"<SignatureValue>(.*?)</SignatureValue>", dte, re.DOTALL)
    return "".join(found[0].decode().split())


@pytest.fixture
def debit_notes(taxpayer: Taxpayer) -> Taxpayer:
    """The taxpayer with folios for debit notes too."""
    made = taxpayer.sii.control("POST", "/fixtures", {"cafs": [{"company": COMPANY, "type": 56, "from": 1, "to": 9}]})
    taxpayer.cafs[56] = Caf.read(base64.b64decode(made["cafs"][0]["xml_base64"]))
    return taxpayer


@pytest.mark.parametrize(
    ("changed", "state", "error"),
    [
        ({}, "DOK", "0"),
        ({"MontoDte": "11901"}, "DNK", "1"),
        ({"RutReceptor": "60803000", "DvReceptor": "K"}, "DNK", "1"),
        ({"FechaEmisionDte": "01012020"}, "DNK", "1"),
        ({"FolioDte": "2"}, "FAU", "3"),
        ({"FolioDte": "500"}, "FNA", "4"),
        ({"FolioDte": "50"}, "FAN", "5"),
        ({"RutCompania": "77900202", "DvCompania": "0"}, "EMP", "6"),
    ],
)
def test_document_query_answers_in_its_order(
    taxpayer: Taxpayer, changed: dict[str, str], state: str, error: str
) -> None:
    taxpayer.sii.control("POST", "/folios/annul", {"company": COMPANY, "type": 33, "from": 50})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    answer = _ask(taxpayer, Sale(1), **changed)
    assert (answer.state, answer.get("ERR_CODE")) == (state, error)
    assert answer.get("GLOSA_ESTADO")
    assert answer.get("GLOSA_ERR")


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"Token": "XXXXXXXXXXXXX"}, "003"),
        ({"FolioDte": "uno"}, "-3"),
        ({"FechaEmisionDte": "2026-11-24"}, "-3"),
        ({"MontoDte": ""}, "-3"),
        ({"DvCompania": "1"}, "-3"),
    ],
)
def test_query_without_token_or_sense_is_no_verdict(taxpayer: Taxpayer, changed: dict[str, str], state: str) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    assert _ask(taxpayer, Sale(1), **changed).state == state


@pytest.mark.parametrize(
    ("notes", "state", "error"),
    [
        (((61, 1),), "ANC", "15"),
        (((61, 2),), "TMC", "11"),
        (((61, 3),), "MMC", "13"),
        (((56, 2),), "TMD", "10"),
        (((56, 3),), "MMD", "12"),
        (((61, 2), (61, 3)), "MMC", "13"),
        (((56, 3), (61, 1)), "ANC", "15"),
    ],
)
def test_accepted_notes_show_on_the_document(
    debit_notes: Taxpayer, notes: tuple[tuple[int, int], ...], state: str, error: str
) -> None:
    debit_notes.send(debit_notes.envelope(Sale(1)))
    for folio, (kind, code) in enumerate(notes, start=1):
        note = Sale(folio, kind, references=reference(33, 1, code))
        track = debit_notes.send(debit_notes.envelope(note))
        assert debit_notes.state(track) == "EPR"
        assert "rejected" not in {d["state"] for d in debit_notes.sii.control("GET", f"/uploads/{track}")["contents"]}
    answer = _ask(debit_notes, Sale(1))
    assert (answer.state, answer.get("ERR_CODE")) == (state, error)


def test_debit_note_that_annuls_shows_on_the_credit_note(debit_notes: Taxpayer) -> None:
    credit = Sale(1, 61, references=reference(33, 1, 1))
    for sale in (Sale(1), credit, Sale(1, 56, references=reference(61, 1, 1))):
        track = debit_notes.send(debit_notes.envelope(sale))
        assert (debit_notes.state(track), debit_notes.findings(track)) == ("EPR", [[]])
    answer = _ask(debit_notes, credit)
    assert (answer.state, answer.get("ERR_CODE")) == ("AND", "14")


def test_date_with_dashes_is_taken_or_not_by_switch(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    year, month, day = today().split("-")
    written = f"{day}-{month}-{year}"
    assert _ask(taxpayer, Sale(1), FechaEmisionDte=written).state == "DOK"
    _switch(taxpayer, date_with_dashes=False)
    assert _ask(taxpayer, Sale(1), FechaEmisionDte=written).state == "DNK"


def test_expired_token_is_001_or_002(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.sii.control("POST", "/clock", {"advance": 3601})
    assert (taxpayer.state(track), _ask(taxpayer, Sale(1)).state) == ("001", "001")
    _switch(taxpayer, expired_state="002")
    assert (taxpayer.state(track), _ask(taxpayer, Sale(1)).state) == ("002", "002")


def test_query_by_signature_proves_whose_bytes_were_received(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    signature = _signature(data)
    sii = taxpayer.sii
    assert sii.by_signature(taxpayer.token, _described(Sale(1)), signature).all("ESTADO") in (
        ["0", "FAU"],
        ["FAU", "0"],
    )
    taxpayer.send(data)
    _switch(taxpayer, **_FORMS | {"hdr_order": "hdr_first"})
    answer = sii.by_signature(taxpayer.token, _described(Sale(1)), signature[:64] + "\n" + signature[64:])
    assert answer.text.endswith(
        "<SII:RESP_HDR><SII:ESTADO>0</SII:ESTADO></SII:RESP_HDR><SII:RESP_BODY><RECIBIDO>SI</RECIBIDO>"
        "<ESTADO>DOK</ESTADO><GLOSA>Documento Recibido por el SII. Datos Coinciden con los Registrados</GLOSA>"
        "</SII:RESP_BODY></SII:RESPUESTA>"
    )
    other = sii.by_signature(taxpayer.token, _described(Sale(1)), _signature(taxpayer.envelope(Sale(2))))
    assert (other.get("RECIBIDO"), other.all("ESTADO")) == ("SI", ["0", "DNK"])
    absent = sii.by_signature(taxpayer.token, _described(Sale(2)), signature)
    assert (absent.get("RECIBIDO"), absent.all("ESTADO")) == ("NO", ["0", "FAU"])


def test_query_by_signature_may_name_the_track_id(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    track = taxpayer.send(data)
    _switch(taxpayer, document_av_form="extended")
    answer = taxpayer.sii.by_signature(taxpayer.token, _described(Sale(1)), _signature(data))
    assert answer.get("TRACKID") == track
    assert answer.get("NUMATENCION").isdigit()


def test_query_by_signature_has_header_codes_of_its_own(taxpayer: Taxpayer, authority: Authority) -> None:
    data = taxpayer.envelope(Sale(1))
    taxpayer.send(data)
    sii, signature, described = taxpayer.sii, _signature(data), _described(Sale(1))
    stranger = make_person(authority, "12222222-5")
    sii.control("POST", "/fixtures", {"persons": [{"rut": stranger.rut}]})
    assert sii.by_signature(sii.login(stranger), described, signature).all("ESTADO") == ["9"]
    assert sii.by_signature("XXXXXXXXXXXXX", described, signature).all("ESTADO") == ["2"]
    assert sii.by_signature(taxpayer.token, described, " ").all("ESTADO") == ["5"]
    assert sii.by_signature(taxpayer.token, described | {"FolioDte": "x"}, signature).all("ESTADO") == ["5"]
    sii.control("POST", "/clock", {"advance": 3601})
    assert sii.by_signature(taxpayer.token, described, signature).all("ESTADO") == ["1"]


def test_query_by_signature_shows_what_notes_did(taxpayer: Taxpayer) -> None:
    data = taxpayer.envelope(Sale(1))
    taxpayer.send(data)
    taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 1, 1))))
    answer = taxpayer.sii.by_signature(taxpayer.token, _described(Sale(1)), _signature(data))
    assert (answer.get("RECIBIDO"), "ANC" in answer.all("ESTADO")) == ("SI", True)


def test_first_answer_may_come_before_its_counters(taxpayer: Taxpayer) -> None:
    _switch(taxpayer, **_FORMS | {"early_epr": 1.0})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    first, second = (taxpayer.sii.envelope_state(taxpayer.token, track) for _ in range(2))
    assert (first.state, first.all("ACEPTADOS")) == ("EPR", [])
    assert (second.state, second.all("ACEPTADOS")) == ("EPR", ["1"])


def test_counters_may_lack_their_type(taxpayer: Taxpayer) -> None:
    _switch(taxpayer, **_FORMS | {"single_type_without_tipo": "yes"})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    answer = taxpayer.sii.envelope_state(taxpayer.token, track)
    assert "<ACEPTADOS>1</ACEPTADOS><RECHAZADOS>0</RECHAZADOS><REPAROS>0</REPAROS>" in answer.text
    assert "TIPO_DOCTO" not in answer.text
    assert "INFORMADOS" not in answer.text


@pytest.mark.parametrize(
    ("form", "pattern"), [("full", r"\d+ \( \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\)"), ("digits", r"\d+")]
)
def test_number_of_attention_has_two_forms(taxpayer: Taxpayer, form: str, pattern: str) -> None:
    _switch(taxpayer, **_FORMS | {"num_atencion": form})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert re.fullmatch(pattern, taxpayer.sii.envelope_state(taxpayer.token, track).get("NUM_ATENCION"))
    assert re.fullmatch(pattern, _ask(taxpayer, Sale(1)).get("NUM_ATENCION"))


def test_state_may_stand_in_the_body(taxpayer: Taxpayer) -> None:
    _switch(taxpayer, **_FORMS | {"upstatus_form": "estado0_in_hdr", "hdr_order": "hdr_first"})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    answer = taxpayer.sii.envelope_state(taxpayer.token, track)
    assert "<SII:RESP_HDR><ESTADO>0</ESTADO><GLOSA>consulta correcta</GLOSA></SII:RESP_HDR>" in answer.text
    assert answer.all("ESTADO") == ["0", "EPR"]


def test_unknown_track_id_is_11_or_106(taxpayer: Taxpayer) -> None:
    assert taxpayer.state("999") == "-11"
    _switch(taxpayer, unknown_track="106")
    answer = taxpayer.sii.envelope_state(taxpayer.token, "999")
    assert (answer.state, answer.get("GLOSA")) == ("106", "TrackId no encontrado")


def test_padded_track_id_is_the_same(taxpayer: Taxpayer) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert taxpayer.state(track.zfill(12)) == "EPR"


def test_mail_is_asked_for_again(taxpayer: Taxpayer, authority: Authority) -> None:
    sii, token = taxpayer.sii, taxpayer.token
    _switch(taxpayer, inner_form="plain", hdr_order="hdr_first")
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert sii.mail_again(token, track.zfill(10)).text.endswith(
        "<SII:RESP_HDR><SII:ESTADO>0</SII:ESTADO><SII:GLOSA>Requerimiento recibido OK.</SII:GLOSA></SII:RESP_HDR>"
        "<SII:RESP_BODY/></SII:RESPUESTA>"
    )
    assert [mail["track_id"] for mail in sii.control("GET", "/mails")] == [int(track)] * 2
    stranger = make_person(authority, "12222222-5")
    sii.control("POST", "/fixtures", {"persons": [{"rut": stranger.rut}]})
    assert sii.mail_again(token, track, "76900101-1").state == "101"
    assert sii.mail_again(token, "", "76900101-1").state == "101"
    assert sii.mail_again(token, "").state == "102"
    assert sii.mail_again("", track).state == "102"
    assert sii.mail_again("XXXXXXXXXXXXX", track).state == "104"
    assert sii.mail_again(token, "999").state == "105"
    assert sii.mail_again(token, track, RECEIVER).state == "105"
    assert sii.mail_again(sii.login(stranger), track).state == "106"
    _switch(taxpayer, timings="prod_dte")
    pending = taxpayer.send(taxpayer.envelope(Sale(2)))
    assert sii.mail_again(token, pending).state == "114"
    assert len(sii.control("GET", "/mails")) == 2
