"""Documents issued elsewhere: kept once, never confused with FMgo's own, and what notes may then change."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from domain.caf import StampingCaf, read_caf
from domain.envelope import Caratula, build_envelope
from domain.issuing import issue
from domain.preparing import prepare
from domain.signature import RsaSigner
from domain.verification import Trust
from tests.integration.enrolment import kit
from tests.integration.issuing.conftest import RECEIVER, Office, invoice, note
from tests.unit.domain import material, samples
from workers.clock import santiago
from workers.imports import Answer, Importer

NOW = dt.datetime.now(dt.UTC)
TODAY = santiago(NOW).date()


def signer() -> RsaSigner:
    return RsaSigner.load(
        material.pkcs8(kit.key("person", 2048)), kit._certificate(kit.PERSON).public_bytes(Encoding.DER)
    )


def elsewhere(raw: dict[str, Any], folio: int, **caf: Any) -> bytes:
    """A document as another program of the same company issued it."""
    ready = prepare(raw, issuer=samples.ISSUER, today=TODAY, referenced={})
    file = read_caf(kit.caf(document_type=ready.document_type, **caf))
    stamping = StampingCaf.load(file.caf_xml, file.private_key_der)
    return issue(ready, folio=folio, caf=stamping, signer=signer(), at=NOW).xml


def envelope(*documents: bytes, types: list[int]) -> bytes:
    caratula = Caratula(kit.ISSUER, kit.PERSON, dt.date(2014, 8, 22), 0)
    return build_envelope(list(documents), types, caratula=caratula, signer=signer(), at=NOW)


Import = Callable[..., list[Answer]]


@pytest.fixture
def take(office: Office) -> Import:
    def importing(data: bytes, *, unverified: bool = False, environment: str = "certification") -> list[Answer]:
        trust = Trust(kit.caf_keys())
        importer = Importer(office.ledger, environment, trust=trust, actor="test", unverified=unverified)
        return importer.take("old.xml", data)

    return importing


def outcomes(answers: list[Answer]) -> list[str]:
    return [answer.outcome for answer in answers]


def codes(answers: list[Answer]) -> list[str]:
    return [problem.code for answer in answers for problem in answer.problems]


def test_a_document_is_kept_with_its_bytes_once(office: Office, take: Import) -> None:
    xml = elsewhere(invoice(), 7)
    (answer,) = take(xml)
    assert (answer.outcome, answer.issuer, answer.document_type, answer.folio, answer.verified) == (
        "imported",
        kit.ISSUER,
        33,
        7,
        True,
    )
    assert outcomes(take(xml)) == ["known"]
    assert outcomes(take(envelope(xml, types=[33]))) == ["known"]
    row = office.rows(
        "SELECT id, state, folio, caf, receiver, total, net, vat, issued_on, due_at, version FROM documents"
    )
    assert row == [
        (answer.document_id, "imported", 7, None, RECEIVER["RUTRecep"], 11_900, 10_000, 1_900, TODAY, None, 0)
    ]
    assert office.rows("SELECT bytes FROM document_files") == [(xml,)]
    assert office.rows("SELECT count(*) FROM audit_log WHERE action = 'document.import'") == [(1,)]


def test_every_document_of_an_envelope_is_taken_and_a_bad_one_keeps_none_out(office: Office, take: Import) -> None:
    documents = [elsewhere(invoice(price), folio) for folio, price in enumerate((1_000, 2_000, 3_000), 1)]
    data = envelope(*documents, types=[33] * 3).replace(b"<MntTotal>2380<", b"<MntTotal>2381<")
    answers = take(data)
    assert outcomes(answers) == ["imported", "refused", "imported"]
    assert "SIG-DIGEST" in codes(answers)
    assert outcomes(take(data, unverified=True)) == ["known", "imported", "known"]
    assert office.rows("SELECT folio, total, verdict ->> 'verified' FROM documents ORDER BY folio") == [
        (1, 1_190, "true"),
        (2, 2_381, "false"),
        (3, 3_570, "true"),
    ]
    boletas = [elsewhere(samples.boleta(), folio) for folio in (1, 2)]
    assert outcomes(take(envelope(*boletas, types=[39, 39]))) == ["imported"] * 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda xml: b"folios", "XML-NONE"),
        (lambda xml: b"<a/>", "IMPORT-KIND"),
        (lambda xml: xml.replace(b"<Detalle>", b"<DTE></DTE><Detalle>", 1), "IMPORT-STRUCTURE"),
        (lambda xml: xml.replace(b"<TSTED>", b"<TSTED>1", 1), "TED-SIGNATURE"),
    ],
)
def test_what_can_not_be_taken_is_refused_with_its_reason(
    office: Office, take: Import, change: Callable[[bytes], bytes], code: str
) -> None:
    answers = take(change(elsewhere(invoice(), 7)))
    assert outcomes(answers) == ["refused"]
    assert code in codes(answers)
    assert office.rows("SELECT count(*) FROM documents") == [(0,)]


def test_strangers_other_worlds_and_unknown_keys_are_refused(office: Office, take: Import) -> None:
    xml = elsewhere(invoice(), 7)
    stranger = xml.replace(kit.ISSUER.encode(), kit.OTHER.encode())
    assert codes(take(stranger, unverified=True))[0] == "ISSUER-UNKNOWN"
    assert codes(take(xml, environment="production")) == ["IMPORT-OTHER-ENVIRONMENT"]
    assert codes(take(elsewhere(invoice(), 8, idk=999))) == ["CAF-FRMA-UNVERIFIABLE"]
    nothing = b'<DTE xmlns="http://www.sii.cl/SiiDte"><Documento/></DTE>'
    assert set(codes(take(nothing, unverified=True))) == {"IMPORT-INCOMPLETE"}


def test_an_imported_folio_is_never_given(office: Office, take: Import) -> None:
    office.load(33, first=1, last=8)
    for folio in (1, 3, 4, 8, 20):
        take(elsewhere(invoice(folio * 1_000), folio))
    numbers = office.record(*(invoice() for _ in range(5)))
    office.issue()
    assert sorted(office.states(numbers)) == ["signed"] * 4 + ["waiting"]
    assert office.rows("SELECT folio FROM documents WHERE state = 'signed' ORDER BY folio") == [(2,), (5,), (6,), (7,)]
    (row,) = office.desk.ranges()
    assert (row["used"], row["imported"], row["left"], row["next"]) == (4, 4, 0, 9)
    office.load(33, first=20, last=22)
    assert office.desk.ranges()[1]["next"] == 21


def test_a_folio_of_fmgo_s_own_is_a_conflict_and_its_own_document_is_known(office: Office, take: Import) -> None:
    office.load(33)
    (number,) = office.record(invoice())
    office.issue()
    ((own,),) = office.rows("SELECT bytes FROM document_files WHERE document_id = :id AND kind = 'dte'", id=number)
    answers = take(elsewhere(invoice(77), 1))
    assert (outcomes(answers), codes(answers), answers[0].document_id) == (["conflict"], ["IMPORT-CONFLICT"], number)
    assert outcomes(take(own)) == ["known"]
    take(elsewhere(invoice(), 50))
    assert codes(take(elsewhere(invoice(5), 50))) == ["IMPORT-CONFLICT"]
    assert office.rows("SELECT count(*) FROM documents") == [(2,)]


def test_a_note_on_an_imported_document_is_held_to_its_amounts_and_goes_at_once(office: Office, take: Import) -> None:
    office.load(61)
    take(elsewhere(invoice(), 7))
    numbers = [number for price in (6_000, 6_000, 4_000) for number in office.record(note(7, price))]
    office.issue()
    assert office.states(numbers) == ["signed", "invalid", "signed"]
    assert "DTE-REF-13" in office.codes(numbers[1])
    assert "DTE-REF-15" not in office.codes(numbers[0])
    assert office.rows("SELECT held, due_at IS NOT NULL FROM documents WHERE state = 'signed'") == [(None, True)] * 2


def test_an_imported_note_counts_against_what_it_changes(office: Office, take: Import) -> None:
    office.load(33, 61)
    office.record(invoice())
    office.issue()
    take(elsewhere(note(1, 6_000), 90))
    numbers = [number for price in (6_000, 4_000) for number in office.record(note(1, price))]
    office.issue()
    assert office.states(numbers) == ["invalid", "signed"]


def test_a_boleta_that_states_its_total_alone_can_be_annulled(office: Office, take: Import) -> None:
    office.load(61)
    xml = elsewhere(samples.boleta(), 3)
    start, end = xml.index(b"<Totales>"), xml.index(b"</Totales>")
    total = xml[xml.index(b"<MntTotal>") : end].strip()
    alone = xml[: start + len(b"<Totales>")] + total + xml[end:]
    assert outcomes(take(alone, unverified=True)) == ["imported"]
    ((amount, net),) = office.rows("SELECT total, net FROM documents")
    assert net is None
    annulment = note(3, int(amount), on=39, code=1)
    annulment["Encabezado"]["IdDoc"]["MntBruto"] = 1
    annulment["Encabezado"].pop("Receptor")
    (number,) = office.record(annulment)
    office.issue()
    assert office.states([number]) == ["signed"], office.codes(number)


def test_the_ledger_answers_with_its_folio_and_its_bytes(office: Office, take: Import) -> None:
    xml = elsewhere(invoice(), 7)
    (answer,) = take(xml)
    sql = "SELECT state, result ->> 'folio', xml FROM fmgo_results(ARRAY[CAST(:id AS uuid)])"
    assert office.rows(sql, id=answer.document_id) == [("imported", "7", xml)]
    assert office.rows("SELECT count(*) FROM results_due") == [(0,)]


def test_a_file_in_utf_8_is_kept_in_the_field_s_own_letters(office: Office, take: Import) -> None:
    xml = elsewhere(invoice(), 7)
    data = b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.decode("iso-8859-1").encode("utf-8")
    assert data != b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml
    assert outcomes(take(data)) == ["imported"]
    assert office.rows("SELECT bytes FROM document_files") == [(xml,)]


@pytest.mark.parametrize(("code", "state"), [(25, "signed"), (26, "invalid")])
def test_a_note_repeats_the_taxes_of_what_another_program_issued(
    office: Office, take: Import, code: int, state: str
) -> None:
    office.load(61)
    wine = invoice()
    wine["Detalle"][0]["CodImpAdic"] = 25
    assert outcomes(take(elsewhere(wine, 7))) == ["imported"]
    annuls = note(7, 10_000, code=1)
    annuls["Detalle"][0]["CodImpAdic"] = code
    (number,) = office.record(annuls)
    office.issue()
    assert office.states([number]) == [state]
    assert office.codes(number).count("DTE-REF-20") == (state == "invalid")
