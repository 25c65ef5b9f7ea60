"""Workers that die by SIGKILL, at a place of the test's choosing: nothing is lost, doubled, or left in dead hands."""

import os
import signal
from pathlib import Path

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, hours

BATCH = 300


def step(company: Company, before: str, after: str, table: str = "documents") -> tuple[str, str]:
    """The place where a company's rows go from one state to another."""
    return table, f"OLD.state = '{before}' AND NEW.state = '{after}' AND NEW.issuer = '{company.rut}'"


def evidencing(company: Company, table: str = "documents") -> tuple[str, str]:
    """The place where a company's rows are told to be evidenced."""
    return table, f"OLD.evidenced_at IS NULL AND NEW.evidenced_at IS NOT NULL AND NEW.issuer = '{company.rut}'"


def telling(company: Company) -> tuple[str, str]:
    """The place where a company's results are told to be published."""
    return "documents", f"NEW.published_version > OLD.published_version AND NEW.issuer = '{company.rut}'"


def test_a_bulk_worker_killed_in_mid_batch_loses_and_doubles_nothing(works: Works) -> None:
    company = works.company()
    with gates(works.sandbox.database_url, step(company, "numbered", "signed")) as (signing,):
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(BATCH)])
        signing.await_somebody()
        assert works.states(company)["numbered"] > 0
        assert works.states(company)["received"] > 0
        works.kill("bulk")
        signing.turn_back()
        assert works.states(company)["numbered"] > 0
    works.start("bulk")
    works.await_states(company, {"accepted": BATCH})
    check_books(works, company)
    assert works.scalar("SELECT max(folio) FROM documents WHERE issuer = %s", company.rut) == BATCH
    assert works.scalar("SELECT max(deaths) FROM documents WHERE issuer = %s", company.rut) == 0


def test_a_killed_pool_process_is_replaced_and_its_chunk_goes_on_in_halves(works: Works) -> None:
    company = works.company()
    with gates(works.sandbox.database_url, step(company, "numbered", "signed")) as (signing,):
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(60)])
        signing.await_somebody()
        (victim, pid, size), *_ = works.rows(
            "SELECT w.id, w.pid, count(*) FROM documents d JOIN workers w ON w.id = d.lease_owner"
            " WHERE d.issuer = %s GROUP BY 1, 2 ORDER BY 3 DESC",
            company.rut,
        )
        assert pid != works.crew["bulk"].pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), "it isn't dead")
        signing.turn_back()
    works.await_states(company, {"accepted": 60})
    check_books(works, company)
    works.crew["bulk"].check()
    numbered_by_the_dead = works.scalar(
        "SELECT count(*) FROM document_events v JOIN documents d ON d.id = v.document_id"
        " WHERE d.issuer = %s AND v.to_state = 'numbered' AND v.worker = %s",
        company.rut,
        victim,
    )
    assert numbered_by_the_dead == size, "what the dead process had numbered keeps its folios"


def test_a_power_cut_while_every_phase_is_at_work(works: Works) -> None:
    uploaded, decided, told, numbered, signed = (works.company((33, 39)) for _ in range(5))
    works.fault("F-SLOW", uploaded, "DTEUpload", args={"seconds": 300})
    with gates(
        works.sandbox.database_url,
        step(decided, "enveloped", "accepted"),
        telling(told),
        step(numbered, "received", "numbered"),
        step(signed, "numbered", "signed"),
    ) as (deciding, publishing, numbering, signing):
        # The uploader: the SII has the file, its answer is under way.
        works.producer.enqueue_many([invoice(uploaded, f"sale-{n}") for n in range(5)])
        wait_until(lambda: works.uploads(uploaded), "nothing was uploaded")
        # The one who asks: the verdict is known, not yet committed.
        works.producer.enqueue_many([boleta(decided, f"sale-{n}") for n in range(5)])
        deciding.await_somebody()
        # The one who tells: Redis has the result, the ledger doesn't know that it was told.
        works.producer.enqueue_many([invoice(told, f"sale-{n}") for n in range(5)])
        publishing.await_somebody()
        # Those who issue: one gives folios, one has committed them and stores the signed bytes.
        works.producer.enqueue_many([invoice(numbered, f"sale-{n}", lane="interactive") for n in range(5)])
        numbering.await_somebody()
        works.producer.enqueue_many([boleta(signed, f"sale-{n}") for n in range(5)])
        signing.await_somebody()
        assert works.states(numbered) == {"received": 5}
        assert works.states(signed) == {"numbered": 5}
        works.kill("threads", "interactive", "bulk")
        for place in (deciding, publishing, numbering, signing):
            place.turn_back()
    works.start("threads", "interactive", "bulk")
    for company in (decided, told, numbered, signed, uploaded):
        works.await_states(company, {"accepted": 5})
        check_books(works, company)
    stored = works.uploads(uploaded)
    assert len(stored) == 1
    track_id = str(stored[0]["track_id"])
    assert works.attempts(uploaded) == [(None, None, None), ("duplicate", "99", track_id)]
    steps = works.rows(
        "SELECT v.to_state FROM envelope_events v JOIN envelopes e ON e.id = v.envelope WHERE e.issuer = %s"
        " ORDER BY v.id",
        uploaded.rut,
    )
    assert [name for (name,) in steps] == ["sealed", "sending", "uncertain", "sending", "sent", "processed"]


def test_a_power_cut_between_the_two_copies_lets_nothing_leave_unevidenced(works: Works) -> None:
    signed, sealed, answered = (works.company((33, 39)) for _ in range(3))
    with gates(
        works.sandbox.database_url,
        step(answered, "sending", "sent", "envelopes"),
        evidencing(signed),
        evidencing(sealed, "envelopes"),
    ) as (answering, signing, sealing):
        works.producer.enqueue_many([invoice(answered, f"sale-{n}") for n in range(5)])
        answering.await_somebody()
        works.producer.enqueue_many([invoice(signed, f"sale-{n}", lane="interactive") for n in range(5)])
        signing.await_somebody()
        works.producer.enqueue_many([boleta(sealed, f"sale-{n}") for n in range(5)])
        sealing.await_somebody()
        works.kill("threads", "interactive", "bulk")
        for place in (answering, signing, sealing):
            place.turn_back()
    assert works.states(signed) == {"signed": 5}
    due = "SELECT count(*) FROM results_due r JOIN documents d USING (id) WHERE d.issuer = %s"
    assert works.scalar(due, signed.rut) == 0
    assert works.states(sealed) == {"enveloped": 5}
    assert works.uploads(sealed) == []
    works.start("threads", "interactive", "bulk")
    works.clock.advance(hours(1 / 200))  # an envelope without evidence is taken up after ten seconds
    for company in (signed, sealed, answered):
        works.await_states(company, {"accepted": 5})
        check_books(works, company)
        # Each envelope went once. What a till waits for is sealed as soon as its second copy is there, so the halves in
        # which a dead process's documents are taken up may travel apart; an envelope that was sealed goes as it is.
        envelopes = works.scalar("SELECT count(*) FROM envelopes WHERE issuer = %s", company.rut)
        assert len(works.uploads(company)) == envelopes
        assert company == signed or envelopes == 1
    assert [outcome for outcome, _, _ in works.attempts(answered)] == [None, "duplicate"]
