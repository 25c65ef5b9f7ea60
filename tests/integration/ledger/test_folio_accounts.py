"""Numbers that are taken: passed over when folios are given, explained by one row each."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from tests.integration.ledger.conftest import ISSUER
from tests.integration.ledger.test_folios import ask, caf
from workers.database.engine import Ledger, run
from workers.enrolment_fields import EnrolmentError
from workers.folio_desk import FolioDesk


def desk(ledger: Ledger) -> FolioDesk:
    return FolioDesk(ledger, ISSUER, "certification", actor="test")


def codes(refusal: pytest.ExceptionInfo[EnrolmentError]) -> list[str]:
    return [problem.code for problem in refusal.value.problems]


def counter(ledger: Ledger) -> tuple[int, int]:
    with ledger.transaction() as tx:
        row = run(tx, "SELECT next, taken FROM folio_counters").one()
    return row.next, row.taken


def test_annulled_numbers_are_passed_over_wherever_they_are(ledger: Ledger) -> None:
    caf(ledger, 1, 12)
    assert ask(ledger, 2) == [1, 2]
    assert desk(ledger).annul(33, [(3, 4), (7, 7), (11, 12)], "daños").fresh == ((3, 4), (7, 7), (11, 12))
    assert counter(ledger) == (5, 3)
    assert ask(ledger, 3) == [5, 6, 8]
    assert counter(ledger) == (9, 2)
    assert ask(ledger, 5) == [9, 10]
    assert counter(ledger) == (13, 0)
    (row,) = desk(ledger).ranges()
    assert (row["next"], row["left"], row["void"]) == (13, 0, 5)


def test_a_range_whose_rest_is_void_is_used_up(ledger: Ledger) -> None:
    caf(ledger, 1, 5)
    desk(ledger).annul(33, [(1, 5)], "todos")
    assert counter(ledger) == (6, 0)
    assert ask(ledger, 1) == []


def test_what_a_document_bears_is_not_annulled(ledger: Ledger) -> None:
    number = caf(ledger, 1, 12)
    with ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO documents (id, issuer, environment, key, body_hash, lane, state, document_type, folio, caf)"
            " VALUES (:id, :issuer, 'certification', 'k', sha256('x'), 'bulk', 'signed', 33, 4, :caf)",
            id=uuid.uuid4(),
            issuer=ISSUER,
            caf=number,
        )
    with pytest.raises(EnrolmentError) as refused:
        desk(ledger).annul(33, [(3, 5)], "error")
    assert codes(refused) == ["FOLIO-USED"]
    assert desk(ledger).ranges()[0]["voids"] == []
    used = desk(ledger).import_used(b"type,folio\n33,3-5\n")
    assert [(one.fresh, one.documents) for one in used] == [(((3, 3), (5, 5)), ((4, 4),))]


def test_saying_it_again_changes_nothing(ledger: Ledger) -> None:
    caf(ledger, 1, 12)
    first = desk(ledger).annul(33, [(3, 5)], "daños")
    again = desk(ledger).annul(33, [(2, 5)], "otra vez")
    assert (first.fresh, again.fresh, again.known) == (((3, 5),), ((2, 2),), ((3, 5),))
    (row,) = desk(ledger).ranges()
    assert [(void["first"], void["last"], void["reason"]) for void in row["voids"]] == [
        (2, 2, "otra vez"),
        (3, 5, "daños"),
    ]
    with ledger.transaction() as tx:
        assert run(tx, "SELECT count(*) FROM audit_log WHERE action = 'folio.annul'").scalar_one() == 2


def test_numbers_used_elsewhere_are_known_before_their_range_is_loaded(ledger: Ledger) -> None:
    caf(ledger, 1, 2, document_type=61)
    told = desk(ledger).import_used("33;10-57;sistema viejo Ñ\n33;61\n\n61;2\n".encode("iso-8859-1"))
    assert [(one.document_type, one.fresh, one.outside) for one in told] == [
        (33, ((10, 57), (61, 61)), ((10, 57), (61, 61))),
        (61, ((2, 2),), ()),
    ]
    outside = desk(ledger).ranges(33)[-1]
    assert (outside["caf"], outside["void"], outside["voids"][0]["reason"]) == (
        None,
        49,
        "used elsewhere: sistema viejo Ñ",
    )


BAD = b"type,folio\n33,5\nx,9\n33\n99,4\n33,9-8\n"


def test_every_bad_line_is_told_and_none_goes_in(ledger: Ledger) -> None:
    caf(ledger, 1, 12)
    with pytest.raises(EnrolmentError) as refused:
        desk(ledger).import_used(BAD)
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [
        ("FOLIO-LINE", "line 3"),
        ("FOLIO-LINE", "line 4"),
        ("FOLIO-TYPE", "line 5"),
        ("FOLIO-LINE", "line 6"),
    ]
    assert desk(ledger).ranges()[0]["voids"] == []
    with pytest.raises(EnrolmentError) as empty:
        desk(ledger).import_used(b"type,folio\n")
    assert codes(empty) == ["FOLIO-LINE"]


def test_a_stranger_s_folios_a_strange_type_and_no_reason_are_refused(ledger: Ledger) -> None:
    with pytest.raises(EnrolmentError) as unknown:
        desk(ledger).annul(33, [(1, 1)], "x")
    assert codes(unknown) == ["ISSUER-UNKNOWN"]
    with pytest.raises(EnrolmentError) as strange:
        desk(ledger).annul(35, [(1, 1)], " ")
    assert codes(strange) == ["FOLIO-TYPE", "FOLIO-REASON"]


def test_a_number_is_explained_once(ledger: Ledger) -> None:
    caf(ledger, 1, 12)
    sql = (
        "INSERT INTO folio_voids (issuer, environment, document_type, first, last, reason)"
        f" VALUES ('{ISSUER}', 'certification', 33, :first, :last, 'x')"
    )
    with ledger.transaction() as tx:
        run(tx, sql, first=2, last=4)
    with pytest.raises(DBAPIError) as refused, ledger.transaction() as tx:
        run(tx, sql, first=4, last=5)
    assert isinstance(refused.value.orig, errors.ExclusionViolation)


def test_annulling_while_folios_are_given_leaves_each_number_with_one_owner(ledger: Ledger) -> None:
    caf(ledger, 1, 400)
    together = threading.Barrier(3)

    def give() -> list[int]:
        together.wait(30)
        return [number for _ in range(40) for number in ask(ledger, 3)]

    def annul() -> list[int]:
        together.wait(30)
        gone = []
        for first in range(5, 400, 10):
            try:
                gone += [n for a, b in desk(ledger).annul(33, [(first, first + 1)], "x").fresh for n in range(a, b + 1)]
            except EnrolmentError:
                continue
        return gone

    with ThreadPoolExecutor(3) as pool:
        given_a, given_b, annulled = pool.submit(give), pool.submit(give), pool.submit(annul)
        numbers = [*given_a.result(60), *given_b.result(60)]
        gone = set(annulled.result(60))
    assert len(numbers) == len(set(numbers)) == 240
    # No documents are written in this test, so a number may be annulled after it was given, but never given after.
    with ledger.transaction() as tx:
        row = run(tx, "SELECT next, taken FROM folio_counters").one()
    next_, taken = row.next, row.taken
    assert set(range(1, next_)) == set(numbers) | {number for number in gone if number < next_}
    assert taken == len([number for number in gone if number > next_])
