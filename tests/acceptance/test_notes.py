"""Notes on one document, issued by several processes at once: together they never take off more than there was."""

from typing import Any

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import invoice, job, receiver
from tests.acceptance.works import Works

NOTES = 12


def partial(company: Company, key: str, folio: int, on: str, *, price: int, lane: str) -> dict[str, Any]:
    """A nota de crédito (61) that takes `price` (net) off an invoice."""
    document = {
        "Encabezado": {"IdDoc": {"TipoDTE": 61}, "Receptor": receiver()},
        "Detalle": [{"NmbItem": "Descuento posterior", "QtyItem": 1, "PrcItem": price}],
        "Referencia": [{"TpoDocRef": 33, "FolioRef": folio, "FchRef": on, "CodRef": 3, "RazonRef": "Descuento"}],
    }
    return job(company, key, document, lane=lane)


def sold(works: Works, company: Company) -> tuple[int, str]:
    """Folio and day of an accepted invoice of 8,990 net."""
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    folio, on = works.rows("SELECT folio, issued_on FROM documents WHERE issuer = %s", company.rut)[0]
    return int(folio), on.isoformat()


def taken_off(works: Works, company: Company) -> int:
    query = "SELECT coalesce(sum(net), 0) FROM documents WHERE issuer = %s AND document_type = 61 AND folio IS NOT NULL"
    return int(works.scalar(query, company.rut))


def test_a_note_that_was_judged_before_another_got_its_folio_is_judged_again(works: Works) -> None:
    company = works.company((33, 61))
    folio, on = sold(works, company)
    numbering = f"OLD.state = 'received' AND NEW.state = 'numbered' AND NEW.issuer = '{company.rut}'"
    with gates(works.sandbox.database_url, ("documents", numbering)) as (gate,):
        # Bulk and tills have processes of their own: the first stands before its commit, the others have judged too.
        works.producer.enqueue(partial(company, "bulk", folio, on, price=5_000, lane="bulk"))
        gate.await_somebody()
        works.producer.enqueue(partial(company, "till", folio, on, price=5_000, lane="interactive"))
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        works.await_rows(held, 2)
        assert taken_off(works, company) == 0
    works.await_states(company, {"accepted": 2, "invalid": 1})
    assert taken_off(works, company) == 5_000
    problems = works.scalar("SELECT problems FROM documents WHERE issuer = %s AND state = 'invalid'", company.rut)
    assert [problem["code"] for problem in problems if problem["level"] == "error"] == ["DTE-REF-13"]
    check_books(works, company)


def test_many_notes_at_once_in_both_lanes_stop_where_nothing_is_left(works: Works) -> None:
    company = works.company((33, 61))
    folio, on = sold(works, company)
    lanes = ("bulk", "interactive")
    works.producer.enqueue_many(
        [partial(company, f"note-{n}", folio, on, price=2_000, lane=lanes[n % 2]) for n in range(NOTES)]
    )
    works.await_states(company, {"accepted": 1 + 4, "invalid": NOTES - 4})
    assert taken_off(works, company) == 8_000
    check_books(works, company)


def test_folios_that_are_annulled_while_they_are_given_are_one_or_the_other(works: Works) -> None:
    company = works.company(folios=60)
    numbering = f"OLD.state = 'received' AND NEW.state = 'numbered' AND NEW.issuer = '{company.rut}'"
    with gates(works.sandbox.database_url, ("documents", numbering)) as (gate,):
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(5)])
        gate.await_somebody()
        annulled = works.annul(company, 33, [(1, 3), (10, 12)])
        works.await_rows(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')", 1
        )
    assert annulled.exception(60) is not None, "documents bear 1 to 3: nothing is annulled"
    works.annul(company, 33, [(10, 12)]).result(60)
    works.producer.enqueue_many([invoice(company, f"later-{n}") for n in range(10)])
    works.await_states(company, {"accepted": 15})
    folios = [
        number for (number,) in works.rows("SELECT folio FROM documents WHERE issuer = %s ORDER BY 1", company.rut)
    ]
    assert folios == [*range(1, 10), *range(13, 19)]
    check_books(works, company)
