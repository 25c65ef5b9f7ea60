"""Folios: given once, in order, from ranges that may be used, with a reserve for whoever stands at a till."""

import datetime as dt
import threading
import uuid

import pytest

from tests.integration.ledger.conftest import ISSUER
from workers.database.engine import Ledger, run
from workers.database.folios import FolioRequest, give_folios

TODAY = dt.date(2026, 11, 24)
OTHER = "77900202-0"


def caf(ledger: Ledger, first: int, last: int, **columns: object) -> int:
    """A range of folios, all still to come; `columns` replace what it has by default."""
    values: dict[str, object] = {
        "issuer": ISSUER,
        "document_type": 33,
        "authorised_on": "2026-11-01",
        "expires_on": None,
        "reserve": 0,
        **columns,
    }
    with ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,"
            " resolution_date) VALUES (:issuer, 'certification', 'X', 'X', 'X', 'X', 0, '2014-08-22')"
            " ON CONFLICT DO NOTHING",
            issuer=values["issuer"],
        )
        number = run(
            tx,
            "INSERT INTO cafs (issuer, environment, document_type, first, last, authorised_on, expires_on, reserve,"
            " idk, caf_xml, private_key_sealed, key_id) VALUES (:issuer, 'certification', :document_type, :first,"
            " :last, :authorised_on, :expires_on, :reserve, 100, '', '', 'k') RETURNING id",
            first=first,
            last=last,
            **values,
        ).scalar_one()
        run(
            tx,
            "INSERT INTO folio_counters (caf, issuer, environment, document_type, next, last)"
            " VALUES (:caf, :issuer, 'certification', :document_type, :first, :last)",
            caf=number,
            issuer=values["issuer"],
            document_type=values["document_type"],
            first=first,
            last=last,
        )
    return int(number)


def ask(ledger: Ledger, how_many: int, *, lane: str = "bulk", on: dt.date = TODAY, today: dt.date = TODAY) -> list[int]:
    """Folios that so many documents of a lane and day get."""
    requests = [FolioRequest(uuid.uuid4(), ISSUER, "certification", 33, on, lane) for _ in range(how_many)]
    with ledger.transaction() as tx:
        return [grant.folio for grant in give_folios(tx, requests, today)]


def test_folios_come_in_order_from_the_oldest_range_on(ledger: Ledger) -> None:
    caf(ledger, 101, 200, authorised_on="2026-11-10")
    caf(ledger, 1, 3, authorised_on="2026-11-02")
    assert ask(ledger, 5) == [1, 2, 3, 101, 102]
    assert ask(ledger, 1) == [103]


def test_a_range_authorised_after_the_document_s_day_is_not_used_for_it(ledger: Ledger) -> None:
    caf(ledger, 1, 10, authorised_on="2026-11-20")
    assert ask(ledger, 1, on=dt.date(2026, 11, 19)) == []
    assert ask(ledger, 1, on=dt.date(2026, 11, 20)) == [1]


def test_an_expired_range_is_not_used(ledger: Ledger) -> None:
    caf(ledger, 1, 10, expires_on="2026-11-23")
    assert ask(ledger, 1) == []
    assert ask(ledger, 1, today=dt.date(2026, 11, 23)) == [1]


def test_a_withdrawn_range_is_not_used(ledger: Ledger) -> None:
    caf(ledger, 1, 10)
    with ledger.transaction() as tx:
        run(tx, "UPDATE cafs SET withdrawn_at = fmgo_now()")
    assert ask(ledger, 1) == []


def test_bulk_leaves_the_reserve_to_tills(ledger: Ledger) -> None:
    caf(ledger, 1, 10, reserve=4)
    assert ask(ledger, 20) == [1, 2, 3, 4, 5, 6]
    assert ask(ledger, 20, lane="interactive") == [7, 8, 9, 10]


def test_a_rolled_back_chunk_spends_no_folio(ledger: Ledger) -> None:
    caf(ledger, 1, 10)

    def give_and_fail() -> None:
        with ledger.transaction() as tx:
            give_folios(tx, [FolioRequest(uuid.uuid4(), ISSUER, "certification", 33, TODAY, "bulk")], TODAY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_and_fail()
    assert ask(ledger, 1) == [1]


def test_many_at_once_over_crossing_series_get_each_folio_once_and_never_meet_in_a_circle(ledger: Ledger) -> None:
    for issuer in (ISSUER, OTHER):
        caf(ledger, 1, 60, issuer=issuer)
        caf(ledger, 61, 400, issuer=issuer, authorised_on="2026-11-02")
    given: list[tuple[str, int]] = []
    start = threading.Barrier(6)

    def take(issuers: tuple[str, str]) -> None:
        start.wait(30)
        for _ in range(10):
            wanted = [issuer for issuer in issuers for _ in range(3)]
            requests = [FolioRequest(uuid.uuid4(), issuer, "certification", 33, TODAY, "bulk") for issuer in wanted]
            names = {request.document_id: request.issuer for request in requests}
            with ledger.transaction() as tx:
                grants = give_folios(tx, requests, TODAY)
            given.extend((names[grant.document_id], grant.folio) for grant in grants)

    orders = [(ISSUER, OTHER), (OTHER, ISSUER)] * 3
    threads = [threading.Thread(target=take, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(given) == [(issuer, folio) for issuer in (ISSUER, OTHER) for folio in range(1, 181)]
    with ledger.transaction() as tx:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert run(tx, query).scalar_one() == 0
