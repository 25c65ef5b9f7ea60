"""What the simulator checks in each document, and what it answers about documents."""

import datetime as dt
import re

import pytest

from tests.integration.simulator.conftest import Taxpayer, enrol
from tests.integration.simulator.documents import (
    COMPANY,
    RECEIVER,
    SANTIAGO,
    Caf,
    Cover,
    Sale,
    envelope,
    reference,
    signed_dte,
    today,
)
from tests.integration.simulator.signing import (
    C14N,
    DSIG,
    SII,
    XSI,
    Authority,
    Person,
    make_authority,
    make_person,
    naive_canonical,
    sha1,
)


def _codes(taxpayer: Taxpayer, *sales: Sale) -> list[list[str]]:
    track = taxpayer.send(taxpayer.envelope(*sales))
    assert taxpayer.state(track) == "EPR", taxpayer.envelope_findings(track)
    return taxpayer.findings(track)


def _of_dtes(taxpayer: Taxpayer, *dtes: str) -> list[list[str]]:
    data = envelope(list(dtes), [33] * len(dtes), Cover(taxpayer.person.rut), taxpayer.person)
    track = taxpayer.send(data)
    assert taxpayer.state(track) == "EPR", taxpayer.envelope_findings(track)
    return taxpayer.findings(track)


@pytest.mark.parametrize("form", ["sii", "none"])
def test_both_scopes_of_real_documents_are_accepted(taxpayer: Taxpayer, form: str) -> None:
    assert _of_dtes(taxpayer, taxpayer.dte(Sale(1), form)) == [[]]


def test_scope_with_the_envelopes_xsi_is_refused_unless_switched_on(taxpayer: Taxpayer) -> None:
    assert _of_dtes(taxpayer, taxpayer.dte(Sale(1), "sii_xsi")) == [["DTE-3-505"]]
    taxpayer.sii.control("POST", "/switches", {"dte_scope": "any"})
    assert _of_dtes(taxpayer, taxpayer.dte(Sale(2), "sii_xsi")) == [[]]


def test_a_tag_that_lost_its_namespace_after_signing_is_refused(taxpayer: Taxpayer) -> None:
    """What a serialiser drops as redundant inside the envelope decides: the fragment is judged as it is written."""
    whole = taxpayer.dte(Sale(1))
    stripped = whole.replace(f'<DTE xmlns="{SII}"', "<DTE", 1)
    assert stripped != whole
    assert _of_dtes(taxpayer, stripped) == [["DTE-3-505"]]
    taxpayer.sii.control("POST", "/switches", {"dte_scope": "any"})
    again = taxpayer.dte(Sale(2)).replace(f'<DTE xmlns="{SII}"', "<DTE", 1)
    assert _of_dtes(taxpayer, again) == [[]]


def test_a_tag_that_gained_a_namespace_after_signing_is_refused(taxpayer: Taxpayer) -> None:
    gained = taxpayer.dte(Sale(1), "none").replace("<DTE ", f'<DTE xmlns="{SII}" ', 1)
    assert _of_dtes(taxpayer, gained) == [["DTE-3-505"]]


def test_a_tag_that_writes_both_namespaces_and_is_signed_so_is_accepted(taxpayer: Taxpayer) -> None:
    dte = taxpayer.dte(Sale(1), "sii_xsi").replace(f'<DTE xmlns="{SII}"', f'<DTE xmlns="{SII}" xmlns:xsi="{XSI}"', 1)
    assert _of_dtes(taxpayer, dte) == [[]]


@pytest.mark.parametrize("transform", [C14N, f"{DSIG}enveloped-signature", ""])
def test_a_document_may_be_signed_with_any_one_transform_or_none(taxpayer: Taxpayer, transform: str) -> None:
    dte = signed_dte(Sale(1).body(taxpayer.cafs[33]), taxpayer.person, transform=transform)
    data = envelope([dte], [33], Cover(taxpayer.person.rut, transform=transform), taxpayer.person)
    track = taxpayer.send(data)
    assert (taxpayer.state(track), taxpayer.findings(track)) == ("EPR", [[]])


@pytest.mark.parametrize("transform", [f"{DSIG}base64", "http://www.w3.org/2001/10/xml-exc-c14n#"])
def test_another_transform_is_refused(taxpayer: Taxpayer, transform: str) -> None:
    body = Sale(1).body(taxpayer.cafs[33])
    assert _of_dtes(taxpayer, signed_dte(body, taxpayer.person, transform=transform)) == [["DTE-3-505"]]


def test_naive_canonical_form_is_refused(taxpayer: Taxpayer) -> None:
    body = Sale(1).body(taxpayer.cafs[33])
    around = f'<DTE xmlns="http://www.sii.cl/SiiDte">{body}</DTE>'
    digest = sha1(naive_canonical(around, "{http://www.sii.cl/SiiDte}Documento"))
    assert _of_dtes(taxpayer, signed_dte(body, taxpayer.person, "sii", digest)) == [["DTE-3-505"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [("<PrcItem>10000", "<PrcItem>10001"), ("Ferretería", "Ferreteria"), ("</Detalle>\n", "</Detalle> \n")],
)
def test_one_changed_byte_is_refused(taxpayer: Taxpayer, old: str, new: str) -> None:
    good, other = taxpayer.dte(Sale(1)), taxpayer.dte(Sale(2))
    assert old in good
    assert _of_dtes(taxpayer, good.replace(old, new), other) == [["DTE-3-505"], []]


def test_signature_of_a_neighbour_is_refused(taxpayer: Taxpayer) -> None:
    first, second = taxpayer.dte(Sale(1)), taxpayer.dte(Sale(2))
    stolen = second[: second.index("<Signature")] + first[first.index("<Signature") :]
    assert _of_dtes(taxpayer, first, stolen) == [[], ["DTE-3-505"]]


def test_signer_without_permission_or_authority_is_refused(taxpayer: Taxpayer, authority: Authority) -> None:
    unknown, foreign = make_person(authority, "12222222-5"), make_person(make_authority("OTRA"), taxpayer.person.rut)
    for folio, person in ((1, unknown), (2, foreign)):
        body = Sale(folio).body(taxpayer.cafs[33])
        assert _of_dtes(taxpayer, signed_dte(body, person)) == [["DTE-3-505"]]


def test_repetition_within_an_envelope_is_refused(taxpayer: Taxpayer) -> None:
    other = Sale(1, amount=500).body(taxpayer.cafs[33]).replace("F1T33", "otro")
    dtes = taxpayer.dte(Sale(1)), signed_dte(other, taxpayer.person)
    assert _of_dtes(taxpayer, *dtes) == [[], ["DTE-3-101"]]


def test_rejected_document_keeps_its_folio_unless_switched_off(taxpayer: Taxpayer) -> None:
    assert _codes(taxpayer, Sale(1, acteco=1)) == [["HED-3-861"]]
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == "FAU"
    assert _codes(taxpayer, Sale(1)) == [["DTE-3-101"]]
    taxpayer.sii.control("POST", "/switches", {"rejected_keeps_folio": False})
    assert _codes(taxpayer, Sale(1, amount=500)) == [[]]


def test_annulled_folio_is_refused(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/folios/annul", {"company": COMPANY, "type": 33, "from": 1})
    assert _codes(taxpayer, Sale(1)) == [["DTE-3-601"]]
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == "FAN"


def test_folio_outside_the_range_is_refused(taxpayer: Taxpayer) -> None:
    assert _codes(taxpayer, Sale(101)) == [["CAF-3-999"]]


def test_changed_caf_is_refused(taxpayer: Taxpayer) -> None:
    caf = taxpayer.cafs[33]
    taxpayer.cafs[33] = Caf(caf.element.replace("<H>100</H>", "<H>999</H>"), caf.key)
    assert _codes(taxpayer, Sale(200)) == [["CAF-3-516"]]


def test_caf_of_the_other_environment_is_refused(taxpayer: Taxpayer) -> None:
    caf = taxpayer.cafs[33]
    taxpayer.cafs[33] = Caf(caf.element.replace("<IDK>100", "<IDK>300"), caf.key)
    assert _codes(taxpayer, Sale(1)) == [["CAF-3-516"]]


def test_caf_that_nobody_gave_out_is_refused(taxpayer: Taxpayer, person: Person, authority: Authority) -> None:
    old = taxpayer.cafs[33]
    taxpayer.sii.control("POST", "/reset", {})
    again = enrol(taxpayer.sii, authority, person)
    again.cafs[33] = old
    assert _codes(again, Sale(1)) == [["CAF-3-516"]]


def test_folios_of_credit_types_expire_after_six_months(
    taxpayer: Taxpayer, person: Person, authority: Authority
) -> None:
    long_ago = (dt.datetime.now(SANTIAGO).date() - dt.timedelta(days=190)).isoformat()
    again = enrol(taxpayer.sii, authority, person, long_ago)
    assert _codes(again, Sale(1)) == [["CAF-3-517"]]


def test_pretty_printed_stamp_is_a_repair(taxpayer: Taxpayer) -> None:
    assert _codes(taxpayer, Sale(1, pretty_stamp=True), Sale(2)) == [["TED-2-510"], []]
    (first, _) = taxpayer.sii.control("GET", "/documents")
    assert first["state"] == "repaired"
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == "DOK"


def test_stamp_spread_over_lines_after_its_signing_still_verifies(taxpayer: Taxpayer) -> None:
    body = Sale(1).body(taxpayer.cafs[33])
    head, dd, tail = re.split(r"(<DD>.*</DD>)", body)
    dte = signed_dte(head + dd.replace("><", ">\n<") + tail, taxpayer.person)
    assert _of_dtes(taxpayer, dte) == [[]]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<MNT>11900", "<MNT>11901", "TED-3-640"),
        ("<RSR>Señor", "<RSR>Señora", "TED-3-640"),
        ("<IT1>Martillo", "<IT1>Taladro", "TED-3-640"),
    ],
)
def test_stamp_of_another_document_is_refused(taxpayer: Taxpayer, old: str, new: str, code: str) -> None:
    body = Sale(1).body(taxpayer.cafs[33])
    assert old in body
    (codes,) = _of_dtes(taxpayer, signed_dte(body.replace(old, new), taxpayer.person))
    assert code in codes


@pytest.mark.parametrize(
    ("sale", "codes"),
    [
        (Sale(1, vat=1901), ["HED-2-302"]),
        (Sale(1, total=11901), ["HED-3-211"]),
        (Sale(1, issued_on="2020-01-01"), ["HED-3-305"]),
        (Sale(1, stamped_at="2020-01-01T10:00:00"), ["TED-1-646"]),
        (Sale(1, stamped_at="2049-01-01T10:00:00"), ["TED-1-647"]),
        (Sale(1, acteco=123456), ["HED-3-861"]),
    ],
)
def test_contents_are_examined(taxpayer: Taxpayer, sale: Sale, codes: list[str]) -> None:
    assert _codes(taxpayer, sale) == [codes]


def test_line_that_does_not_multiply_is_a_repair(taxpayer: Taxpayer) -> None:
    body = Sale(1).body(taxpayer.cafs[33]).replace("<QtyItem>1<", "<QtyItem>1.5<")
    assert _of_dtes(taxpayer, signed_dte(body, taxpayer.person)) == [["DET-1-200"]]


def test_late_document_is_a_repair(taxpayer: Taxpayer, person: Person, authority: Authority) -> None:
    week_ago = (dt.datetime.now(SANTIAGO).date() - dt.timedelta(days=7)).isoformat()
    again = enrol(taxpayer.sii, authority, person, week_ago)
    assert _codes(again, Sale(1, issued_on=week_ago)) == [["DTE-1-650"]]


@pytest.mark.parametrize(
    ("references", "codes"),
    [
        ("", ["REF-3-415"]),
        (reference(52, 1, 1), ["REF-3-415"]),
        (reference(33, 1, None), ["REF-3-758"]),
        (reference(33, 50, 1), ["REF-3-750"]),
        (reference(33, 2, 1), ["REF-2-780"]),
        (reference(33, 1, 2), ["REF-2-781"]),
        (reference(33, 1, 1, "2026-01-01"), ["REF-2-999"]),
        (reference(33, 1, 1), []),
        (reference(33, 1, 3), []),
    ],
)
def test_notes_need_an_accepted_document(taxpayer: Taxpayer, references: str, codes: list[str]) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1), Sale(2, amount=5000)))
    assert _codes(taxpayer, Sale(1, 61, references=references)) == [codes]


def test_a_document_is_annulled_once_unless_that_note_is_annulled(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    assert _codes(taxpayer, Sale(1, 61, references=reference(33, 1, 1))) == [[]]
    assert _codes(taxpayer, Sale(2, 61, references=reference(33, 1, 1))) == [["REF-3-999"]]
    assert _codes(taxpayer, Sale(1, 56, references=reference(33, 1, 1))) == [["REF-3-999", "REF-3-999"]]
    assert _codes(taxpayer, Sale(2, 56, references=reference(61, 1, 1))) == [[]]
    assert _codes(taxpayer, Sale(3, 61, references=reference(33, 1, 1))) == [[]]


def test_notes_take_off_no_more_than_there_was(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    assert _codes(taxpayer, Sale(1, 61, amount=7000, references=reference(33, 1, 3))) == [[]]
    assert _codes(taxpayer, Sale(2, 61, amount=4000, references=reference(33, 1, 3))) == [["REF-2-999"]]
    assert _codes(taxpayer, Sale(1, 56, amount=2000, references=reference(33, 1, 3))) == [[]]
    taxpayer.send(taxpayer.envelope(Sale(2)))
    assert _codes(taxpayer, Sale(3, 61, amount=7000, references=reference(33, 2, 3))) == [[]]
    assert _codes(taxpayer, Sale(2, 56, amount=7000, references=reference(61, 3, 1))) == [[]]
    assert _codes(taxpayer, Sale(4, 61, amount=10000, references=reference(33, 2, 3))) == [[]]


def test_a_note_annuls_or_corrects_the_text_of_one_document(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1), Sale(2)))
    two = reference(33, 1, 1) + reference(33, 2, 3).replace("<NroLinRef>1", "<NroLinRef>2")
    assert _codes(taxpayer, Sale(1, 61, references=two)) == [["REF-3-999"]]


def test_note_to_another_receiver_is_refused(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    note = Sale(1, 61, references=reference(33, 1, 1), receiver="96900303-1")
    assert _codes(taxpayer, note) == [["REF-3-751"]]


def test_note_is_refused_while_its_document_is_in_process(taxpayer: Taxpayer) -> None:
    steps = {step: [60, 60] for step in ("SOK", "CRT", "FOK", "PDR", "EPR")}
    taxpayer.sii.control("POST", "/switches", {"steps": steps})
    taxpayer.send(taxpayer.envelope(Sale(1)))
    early = taxpayer.send(taxpayer.envelope(Sale(1, 61, references=reference(33, 1, 1))))
    assert taxpayer.findings(early) == [["REF-3-750"]]


@pytest.mark.parametrize(("code", "state"), [(1, "ANC"), (3, "MMC")])
def test_accepted_note_shows_on_its_document(taxpayer: Taxpayer, code: int, state: str) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    assert _codes(taxpayer, Sale(1, 61, references=reference(33, 1, code))) == [[]]
    assert taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 11900).state == state


def test_queries_about_documents(taxpayer: Taxpayer) -> None:
    taxpayer.send(taxpayer.envelope(Sale(1)))

    def ask(folio: int = 1, total: int = 11900, day: str = today(), receiver: str = RECEIVER) -> str:
        return taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, folio, day, total, receiver).state

    assert ask() == "DOK"
    assert ask(total=11901) == "DNK"
    assert ask(day="2026-01-01") == "DNK"
    assert ask(receiver="96900303-1") == "DNK"
    assert ask(folio=2) == "FAU"
    assert ask(folio=101) == "FNA"
    answer = taxpayer.sii.document_state("X", taxpayer.person, 33, 1, today(), 11900)
    assert answer.state == "003"


def test_companies_that_are_not_enrolled(taxpayer: Taxpayer) -> None:
    body, digit = RECEIVER.split("-")
    parameters = {"RutConsultante": "11111111", "DvConsultante": "1", "RutCompania": body, "DvCompania": digit}
    parameters |= {"RutReceptor": "76900101", "DvReceptor": "8", "TipoDte": "33", "FolioDte": "1"}
    parameters |= {"FechaEmisionDte": "01012026", "MontoDte": "1", "Token": taxpayer.token}
    answer = taxpayer.sii.soap("QueryEstDte.jws", "getEstDte", parameters)
    assert (answer.state, answer.get("ERR_CODE")) == ("EMP", "6")
