"""Proofs about examinations, their verdicts, and the forms in which queries tell them."""

import json

import pytest

from tests.integration.simulator.catalogue.case import Case, Proof, is_lost, status
from tests.integration.simulator.client import soap_body
from tests.integration.simulator.documents import Sale, reference
from tests.integration.simulator.signing import make_authority, make_person, signed_get_token


def _stuck(case: Case) -> None:
    case.fault("F-STUCK-1")
    track = case.taxpayer.send(case.invoice())
    case.advance(3000)
    assert case.state(track).state in {"REC", "PDR"}
    case.sii.control("POST", f"/uploads/{track}/freeze", {"frozen": False})
    assert case.state(track).state == "EPR"


def _not_ready(case: Case) -> None:
    track, boleta = case.taxpayer.send(case.invoice()), case.track_of_boleta()
    case.fault("F-STUCK-2", times=2, when={"operation": "getEstUp"})
    answers = [case.state(track) for _ in range(3)]
    assert [(a.state, a.get("ERR_CODE")) for a in answers] == [("-11", "2"), ("-11", "2"), ("EPR", "")]
    case.fault("F-STUCK-2", when={"operation": "estado_envio"})
    assert [case.boleta_state(boleta).status_code for _ in range(2)] == [404, 200]


def _no_counters(case: Case) -> None:
    case.fault("F-EPR-0", args={"times": 2})
    track = case.taxpayer.send(case.invoice())
    answers = [case.state(track) for _ in range(3)]
    assert [(a.state, a.get("ACEPTADOS")) for a in answers] == [("EPR", ""), ("EPR", ""), ("EPR", "1")]


def _notes_left_out(case: Case) -> None:
    case.switch(omit_type_61=False)
    case.taxpayer.send(case.invoice())
    note = Sale(1, 61, references=reference(33, 1, 1))
    track = case.taxpayer.send(case.taxpayer.envelope(Sale(2), note))
    case.fault("F-EPR-61")
    assert [case.state(track).all("TIPO_DOCTO") for _ in range(2)] == [["33"], ["33", "61"]]


def _mixed(case: Case) -> None:
    case.switch(omit_type_61=False)
    case.taxpayer.send(case.taxpayer.envelope(Sale(11), Sale(12)))
    case.fault("F-EPR-MIX")
    notes = [Sale(n, 61, references=reference(33, 10 + n, 1)) for n in (1, 2)]
    track = case.taxpayer.send(case.taxpayer.envelope(Sale(1), Sale(2), Sale(3), *notes))
    answer = case.state(track)
    rows = [answer.all(tag) for tag in ("TIPO_DOCTO", "INFORMADOS", "ACEPTADOS", "REPAROS", "RECHAZADOS")]
    assert rows == [["33", "61"], ["3", "2"], ["3", "0"], ["0", "1"], ["0", "1"]]
    assert case.taxpayer.findings(track)[3:] == [["TED-2-510"], ["HED-3-861"]]


def _half(case: Case) -> None:
    case.fault("F-HALF")
    assert case.taxpayer.findings(case.taxpayer.send(case.invoice())) == [[]]
    track = case.taxpayer.send(case.taxpayer.envelope(*map(Sale, range(2, 6))))
    assert case.taxpayer.findings(track) == [[], ["HED-3-861"], [], ["HED-3-861"]]
    assert case.document(3) == "FAU"


def _zero_in_the_header(case: Case) -> None:
    case.switch(upstatus_form="hdr")
    track = case.taxpayer.send(case.invoice())
    case.fault("F-HDR0")
    first, second = (case.state(track).all("ESTADO") for _ in range(2))
    assert (first, second) == (["0", "EPR"], ["EPR"]) or first[0] == "EPR"
    assert sorted(first) == ["0", "EPR"]


def _repairs(case: Case) -> None:
    case.fault("F-REP")
    case.fault("F-REP", args={"code": "DET-1-200"})
    for folio, code in ((1, "TED-2-510"), (2, "DET-1-200")):
        track = case.taxpayer.send(case.invoice(folio))
        answer = case.state(track)
        assert [answer.get(tag) for tag in ("ACEPTADOS", "RECHAZADOS", "REPAROS")] == ["0", "0", "1"]
        assert case.taxpayer.findings(track) == [[code]]
        assert case.document(folio) == "DOK"


def _refused(case: Case, fault: str, state: str) -> None:
    case.fault(fault)
    track = case.taxpayer.send(case.invoice())
    assert (case.state(track).state, case.document()) == (state, "FAU")
    # Nothing was registered, the folio is free: the same document in other bytes is accepted.
    again = case.taxpayer.send(case.invoice().replace(b"\n</EnvioDTE>", b"</EnvioDTE>") + b"\n")
    assert (case.state(again).state, case.document()) == ("EPR", "DOK")


def _caratula(case: Case) -> None:
    _refused(case, "F-RCT", "RCT")


def _signature(case: Case) -> None:
    _refused(case, "F-RFR", "RFR")
    data = case.invoice(2)
    cut = data.rindex(b"<SignatureValue>") + 20
    wrong = data[:cut] + (b"A" if data[cut : cut + 1] != b"A" else b"B") + data[cut + 1 :]
    assert case.state(case.taxpayer.send(wrong)).state == "RFR"


def _schema(case: Case) -> None:
    _refused(case, "F-RSC", "RSC")
    wrong = case.invoice(2).replace(b"</Caratula>", b"<Nada/></Caratula>")
    assert case.state(case.taxpayer.send(wrong)).state == "RSC"


def _unknown_codes(case: Case) -> None:
    track, boleta = case.taxpayer.send(case.invoice()), case.track_of_boleta()
    case.fault("F-UNK")
    assert status(case.upload(case.invoice(2))) == "42"
    for estado in ("007", "ZZZ"):
        case.fault("F-UNK", when={"operation": "getEstUp"}, args={"estado": estado})
        assert case.state(track).state == estado
    case.fault("F-UNK", when={"operation": "document_status"}, times=2)
    assert (case.document(), case.boleta_document().json()["codigo"]) == ("ZZZ", "ZZZ")
    case.fault("F-UNK", when={"operation": "estado_envio"})
    assert case.boleta_state(boleta).json()["estado"] == "ZZZ"
    assert (case.state(track).state, case.document()) == ("EPR", "DOK")


def _early_404(case: Case) -> None:
    boleta = case.track_of_boleta()
    case.fault("F-404", times=2)
    answers = [case.boleta_state(boleta) for _ in range(3)]
    assert [a.status_code for a in answers] == [404, 404, 200]
    assert answers[0].text == "No existe recurso\n"
    case.switch(visibility_delay=3.0)
    late = case.track_of_boleta(2)
    assert case.boleta_state(late).status_code == 404
    case.advance(4)
    assert case.boleta_state(late).status_code == 200


def _text_that_says_json(case: Case) -> None:
    case.track_of_boleta()
    natural = case.boleta_document(monto="")
    case.fault("F-TXT200")
    forced = case.boleta_document()
    for answer, text in ((natural, "falta monto"), (forced, "falta rut_receptor")):
        assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (200, "application/json", text)
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    assert case.boleta_document().json()["codigo"] == "DOK"


def _namespace(case: Case) -> None:
    case.fault("F-NSOP", times=1)
    answers = [case.sii.raw_soap("CrSeed.jws", soap_body("getSeed", {})) for _ in range(2)]
    assert [a.status_code for a in answers] == [500, 200]
    assert "No such operation &apos;getSeed&apos;" in answers[0].text
    case.fault("F-NSOP")
    own = "https://maullin.sii.cl/DTEWS/CrSeed.jws"
    assert case.sii.raw_soap("CrSeed.jws", soap_body("getSeed", {}, own)).status_code == 200


def _mislabelled(case: Case) -> None:
    case.switch(charset="utf8")
    stranger = make_person(make_authority("OTRA CA"), case.taxpayer.person.rut)
    found = []
    case.fault("F-L1", when={"operation": "get_token"})
    for _ in range(2):
        body = soap_body("getToken", {"pszXml": signed_get_token(stranger, case.sii.seed())})
        found.append(case.sii.raw_soap("GetTokenFromSeed.jws", body).content)
    assert all(b'encoding="UTF-8"' in content for content in found)
    assert ["Autenticación".encode(e) in c for c, e in zip(found, ("iso-8859-1", "utf-8"), strict=True)] == [True, True]


def _cut_xml(case: Case) -> None:
    track = case.taxpayer.send(case.invoice())
    case.fault("F-CUT-XML")
    assert is_lost(lambda: case.state(track))
    assert case.state(track).state == "EPR"


def _cut_json(case: Case) -> None:
    boleta = case.track_of_boleta()
    case.fault("F-CUT-JSON")
    assert is_lost(lambda: case.boleta_state(boleta))
    assert case.boleta_state(boleta).json()["estado"] == "EPR"


PROOFS: dict[str, Proof] = {
    "F-STUCK-1": _stuck,
    "F-STUCK-2": _not_ready,
    "F-EPR-0": _no_counters,
    "F-EPR-61": _notes_left_out,
    "F-EPR-MIX": _mixed,
    "F-HALF": _half,
    "F-HDR0": _zero_in_the_header,
    "F-REP": _repairs,
    "F-RCT": _caratula,
    "F-RFR": _signature,
    "F-RSC": _schema,
    "F-UNK": _unknown_codes,
    "F-404": _early_404,
    "F-TXT200": _text_that_says_json,
    "F-NSOP": _namespace,
    "F-L1": _mislabelled,
    "F-CUT-XML": _cut_xml,
    "F-CUT-JSON": _cut_json,
}
