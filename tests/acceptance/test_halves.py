"""Envelopes refused for their schema: halves are tried until the culprit stands alone, and the good documents go."""

import uuid
from typing import Any

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.commands import fmgo
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works

SALES = 8
BAD = 6
IN_VAIN = 7
"""Uploads of an envelope in which all is bad: the whole, both halves and all quarters."""


def bytes_of(works: Works, company: Company) -> dict[int, bytes]:
    rows = works.rows(
        "SELECT d.folio, f.sha256 FROM documents d JOIN document_files f ON f.document_id = d.id"
        " WHERE d.issuer = %s AND f.kind = 'dte'",
        company.rut,
    )
    return {folio: bytes(digest) for folio, digest in rows}


def refused(works: Works, company: Company, document_type: int, sale: Any, bad: list[int] | None) -> uuid.UUID:
    """The envelope with all sales of a company; the SII refuses whatever holds a bad folio (None: everything)."""
    works.change("UPDATE issuers SET sending_stopped_at = now() WHERE rut = %s", company.rut)
    works.producer.enqueue_many([sale(company, f"sale-{n}") for n in range(1, SALES + 1)])
    wait_until(lambda: works.states(company)["signed"] == SALES, "the sales weren't signed")
    works.fault("F-RSC", company, times=-1, args={} if bad is None else {"folios": bad}, id=f"bad-{company.rut}")
    works.change("UPDATE issuers SET sending_stopped_at = NULL WHERE rut = %s", company.rut)
    return works.await_envelope(company, "refused")


def culprit_envelope(works: Works, company: Company) -> uuid.UUID:
    """The envelope in which the culprit was refused alone."""
    found: uuid.UUID = works.scalar(
        "SELECT e.id FROM envelopes e JOIN envelope_documents r ON r.envelope = e.id JOIN documents d"
        " ON d.id = r.document_id WHERE d.issuer = %s AND d.folio = %s ORDER BY e.sealed_at DESC LIMIT 1",
        company.rut,
        BAD,
    )
    return found


def mend(works: Works, company: Company) -> None:
    works.window.delete(f"/faults/bad-{company.rut}").raise_for_status()


def held(works: Works, company: Company) -> dict[int, str]:
    return dict(works.rows("SELECT folio, held FROM documents WHERE issuer = %s AND held IS NOT NULL", company.rut))


@pytest.mark.parametrize(("document_type", "sale"), [(33, invoice), (39, boleta)])
def test_one_bad_document_of_eight_ends_alone_and_the_others_go(works: Works, document_type: int, sale: Any) -> None:
    company = works.company((document_type,))
    whole = refused(works, company, document_type, sale, [BAD])
    works.await_states(company, {"accepted": SALES - 1, "signed": 1})
    works.await_rows(f"SELECT count(*) FROM documents WHERE issuer = '{company.rut}' AND held = 'schema-refused'", 1)
    assert held(works, company) == {BAD: "schema-refused"}
    uploads = works.uploads(company)
    assert sorted(upload["documents"] for upload in uploads) == [1, 1, 2, 2, 4, 4, 8]
    assert sorted(upload["documents"] for upload in uploads if upload["verdict"] == "RSC") == [1, 2, 4, 8]
    asked = works.requests(company, "getEstDteAv" if document_type == 33 else "estado_documento")
    assert len(asked) >= 8 + 4 + 2 + 1
    halves = works.rows("SELECT origin, documents FROM envelope_halves WHERE origin = %s", whole)
    assert sorted(n for _, n in halves) == [1, 1, 2, 2, 4, 4]
    (shown,) = fmgo(works.sandbox.environment, "envelope", "show", culprit_envelope(works, company), "--json").objects
    assert (shown["part_of"], shown["documents"], shown["sii_state"]) == (str(whole), 1, "RSC")
    key = works.scalar("SELECT key FROM documents WHERE issuer = %s AND folio = %s", company.rut, BAD)
    culprit = works.producer.result((company.rut, ENVIRONMENT, key))
    assert culprit is not None
    told = wait_until(
        lambda: works.told(culprit.id).get("version") == str(culprit.version), "the producer wasn't told of the culprit"
    )
    assert told
    assert (culprit.held, culprit.state, culprit.verdict["state"]) == ("schema-refused", "signed", "RSC")
    assert "fmgo document replace" in culprit.verdict["person"]
    check_books(works, company)
    # Nothing more is tried: what is sold now goes without it, and its sale is made under another folio.
    replaced = fmgo(works.sandbox.environment, "document", "replace", culprit.id, "--json")
    assert replaced.code == 0, replaced
    works.await_states(company, {"accepted": SALES, "signed": 1})
    assert len(works.uploads(company)) == len(uploads) + 1
    assert held(works, company) == {BAD: "replaced"}
    assert works.enrolment.operator.release_envelope(uuid.UUID(str(culprit_envelope(works, company)))) == 0
    again = fmgo(works.sandbox.environment, "document", "replace", culprit.id, "--key", "otra", "--json")
    assert (again.code, again.objects[0]["error"]["code"]) == (1, "ALREADY-REPLACED")
    same = fmgo(works.sandbox.environment, "document", "replace", culprit.id, "--json")
    assert (same.code, same.objects[0]["outcome"]) == (0, "known")
    works.producer.enqueue(sale(company, "third", replaces=str(culprit.id)))
    third = works.producer.wait((company.rut, ENVIRONMENT, "third"), until="decided")
    assert [problem.code for problem in third.problems] == ["JOB-REPLACES-TAKEN"]


def test_what_the_gateway_refuses_for_its_schema_is_halved_too(works: Works) -> None:
    company = works.company()
    works.fault("F-STATUS-7", company, "DTEUpload", times=2)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(4)])
    works.await_states(company, {"accepted": 4})
    assert held(works, company) == {}
    rows = works.rows("SELECT state, documents, sii_state FROM envelopes WHERE issuer = %s", company.rut)
    sizes = sorted((state, n) for state, n, said in rows if said == "upload-7")
    assert len(sizes) == 2
    assert {state for state, _ in sizes} == {"refused"}
    assert len(works.requests(company, "getEstDteAv")) >= 4
    check_books(works, company)


def test_where_everything_is_refused_the_trying_ends_and_a_person_lets_it_go(works: Works) -> None:
    company = works.company()
    whole = refused(works, company, 33, invoice, None)
    before = bytes_of(works, company)
    stopped = f"SELECT count(*) FROM envelopes WHERE issuer = '{company.rut}' AND alert = 'refused-throughout'"
    works.await_rows(stopped, 4)
    wait_until(
        lambda: works.states(company) == {"signed": SALES} and len(held(works, company)) == SALES,
        lambda: f"all held; it is {works.states(company)} and {held(works, company)}",
    )
    assert set(held(works, company).values()) == {"envelope-refused:RSC"}
    assert len(works.uploads(company)) == IN_VAIN
    mend(works, company)
    assert works.enrolment.operator.release_envelope(whole) == SALES
    works.await_states(company, {"accepted": SALES})
    assert bytes_of(works, company) == before
    assert works.scalar(stopped) == 0
    assert works.scalar("SELECT count(*) FROM envelopes WHERE issuer = %s AND released_at IS NULL", company.rut) == len(
        [1 for _, state, _ in works.envelopes(company) if state == "processed"]
    )
    check_books(works, company)


def test_a_refusal_of_what_was_stored_all_the_same_doubles_nothing(works: Works) -> None:
    company = works.company()
    works.fault("F-STATUS-7", company, "DTEUpload", args={"state": "S"})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(4)])
    whole = works.await_envelope(company, "refused")

    def decided() -> bool:
        """Either they were sent again, in halves, or the SII held them at once: then a person lets them go."""
        alert = works.scalar("SELECT alert FROM envelopes WHERE id = %s", whole)
        if alert == "refused-and-held":
            assert works.enrolment.operator.release_envelope(whole) == 4
        return alert is not None or len(works.envelopes(company)) > 1

    wait_until(decided, lambda: works.envelopes(company))
    works.await_states(company, {"accepted": 4})
    check_books(works, company)
    assert sum(works.taken(company).values()) == 4


def test_where_the_sii_does_not_say_what_it_holds_the_asking_ends(works: Works) -> None:
    company = works.company()
    works.fault("F-STATUS-7", company, "DTEUpload")
    for operation in ("getEstDteAv", "getEstDte"):
        works.fault("F-UNK", company, operation, times=-1, id=f"{operation}-{company.rut}")
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(4)])
    whole = works.await_envelope(company, "refused")

    def ended() -> bool:
        if works.scalar("SELECT alert FROM envelopes WHERE id = %s", whole) is not None:
            return True
        wait = works.clock.time_to_next()
        if wait is not None:
            works.clock.advance(wait)
        return False

    wait_until(ended, lambda: works.rows("SELECT polls, due_at FROM envelopes WHERE id = %s", whole))
    assert works.scalar("SELECT alert FROM envelopes WHERE id = %s", whole) == "refused-and-held"
    assert set(held(works, company).values()) == {"envelope-refused:upload-7"}
    assert len(works.requests(company, "DTEUpload")) == 1
    asked = len(works.requests(company, "getEstDteAv"))
    assert asked <= 11 * 4
    for operation in ("getEstDteAv", "getEstDte"):
        works.window.delete(f"/faults/{operation}-{company.rut}").raise_for_status()
    assert works.enrolment.operator.release_envelope(whole) == 4
    works.await_states(company, {"accepted": 4})
    check_books(works, company)
