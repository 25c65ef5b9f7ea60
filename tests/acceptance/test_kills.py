"""Workers that die by SIGKILL, at a place of the test's choosing: nothing is lost, doubled, or left in dead hands."""

import os
import signal
from contextlib import ExitStack

from tests.acceptance.books import check_books
from tests.acceptance.gates import gate
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, hours

BATCH = 300
SIGNING = "OLD.state = 'numbered' AND NEW.state = 'signed'"
NUMBERING = "OLD.state = 'received' AND NEW.state = 'numbered'"
EVIDENCING = "OLD.evidenced_at IS NULL AND NEW.evidenced_at IS NOT NULL"
DECIDING = "OLD.state = 'enveloped' AND NEW.state = 'accepted'"
TELLING = "NEW.published_version > OLD.published_version"


def test_a_bulk_worker_killed_in_mid_batch_loses_and_doubles_nothing(works: Works) -> None:
    company = works.company()
    with gate(works.sandbox.database_url, "documents", f"{SIGNING} AND NEW.issuer = '{company.rut}'") as signing:
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(BATCH)])
        signing.await_somebody()
        assert works.states(company)["numbered"] > 0
        assert works.states(company)["received"] > 0
        works.kill("bulk")
    works.start("bulk")
    works.await_states(company, {"accepted": BATCH})
    check_books(works, company)
    assert works.scalar("SELECT max(folio) FROM documents WHERE issuer = %s", company.rut) == BATCH
    assert works.scalar("SELECT max(deaths) FROM documents WHERE issuer = %s", company.rut) == 0


def test_a_killed_pool_process_is_replaced_and_its_chunk_goes_on_in_halves(works: Works) -> None:
    company = works.company()
    with gate(works.sandbox.database_url, "documents", f"{SIGNING} AND NEW.issuer = '{company.rut}'") as signing:
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(60)])
        signing.await_somebody()
        (victim, pid, size), *_ = works.rows(
            "SELECT w.id, w.pid, count(*) FROM documents d JOIN workers w ON w.id = d.lease_owner"
            " WHERE d.issuer = %s GROUP BY 1, 2 ORDER BY 3 DESC",
            company.rut,
        )
        assert pid != works.crew["bulk"].pid
        os.kill(pid, signal.SIGKILL)
    works.await_states(company, {"accepted": 60})
    check_books(works, company)
    works.crew["bulk"].check()
    sizes = works.rows(
        "SELECT count(*) FROM document_events v JOIN documents d ON d.id = v.document_id"
        " WHERE d.issuer = %s AND v.to_state = 'numbered' AND v.worker = %s",
        company.rut,
        victim,
    )
    assert sizes == [(size,)], "what the dead process had numbered keeps its folios"


def test_a_power_cut_while_every_phase_is_at_work(works: Works) -> None:
    uploading, deciding, telling, numbering, signing = (works.company((33, 39)) for _ in range(5))
    database = works.sandbox.database_url
    works.fault("F-SLOW", uploading, "DTEUpload", args={"seconds": 300})
    with ExitStack() as gates:
        # The uploader: the SII has the file, its answer is under way.
        works.producer.enqueue_many([invoice(uploading, f"sale-{n}") for n in range(5)])
        wait_until(lambda: works.uploads(uploading), "nothing was uploaded")
        # The one who asks: the verdict is known, not yet committed.
        at = gates.enter_context(gate(database, "documents", f"{DECIDING} AND NEW.issuer = '{deciding.rut}'"))
        works.producer.enqueue_many([boleta(deciding, f"sale-{n}") for n in range(5)])
        at.await_somebody()
        # The one who tells: Redis has the result, the ledger doesn't know that it was told.
        at = gates.enter_context(gate(database, "documents", f"{TELLING} AND NEW.issuer = '{telling.rut}'"))
        works.producer.enqueue_many([invoice(telling, f"sale-{n}") for n in range(5)])
        at.await_somebody()
        # The issuers: one gives folios, one has committed them and stores the signed bytes.
        at = gates.enter_context(gate(database, "documents", f"{NUMBERING} AND NEW.issuer = '{numbering.rut}'"))
        works.producer.enqueue_many([invoice(numbering, f"sale-{n}", lane="interactive") for n in range(5)])
        at.await_somebody()
        at = gates.enter_context(gate(database, "documents", f"{SIGNING} AND NEW.issuer = '{signing.rut}'"))
        works.producer.enqueue_many([boleta(signing, f"sale-{n}") for n in range(5)])
        at.await_somebody()
        works.kill("threads", "interactive", "bulk")
    assert works.states(numbering) == {"received": 5}
    assert works.states(signing) == {"numbered": 5}
    works.start("threads", "interactive", "bulk")
    for company in (deciding, telling, numbering, signing, uploading):
        works.await_states(company, {"accepted": 5})
        check_books(works, company)
    stored = works.uploads(uploading)
    assert len(stored) == 1
    track_id = str(stored[0]["track_id"])
    assert works.attempts(uploading) == [(None, None, None), ("duplicate", "99", track_id)]
    steps = works.rows(
        "SELECT v.to_state FROM envelope_events v JOIN envelopes e ON e.id = v.envelope WHERE e.issuer = %s"
        " ORDER BY v.id",
        uploading.rut,
    )
    assert [step for (step,) in steps] == ["sealed", "sending", "uncertain", "sending", "sent", "processed"]


def test_a_power_cut_between_signing_and_evidence_lets_nothing_leave_unevidenced(works: Works) -> None:
    signed, sealed, answered = (works.company((33, 39)) for _ in range(3))
    database = works.sandbox.database_url
    with ExitStack() as gates:
        condition = f"OLD.state = 'sending' AND NEW.state = 'sent' AND NEW.issuer = '{answered.rut}'"
        at = gates.enter_context(gate(database, "envelopes", condition))
        works.producer.enqueue_many([invoice(answered, f"sale-{n}") for n in range(5)])
        at.await_somebody()
        at = gates.enter_context(gate(database, "documents", f"{EVIDENCING} AND NEW.issuer = '{signed.rut}'"))
        works.producer.enqueue_many([invoice(signed, f"sale-{n}", lane="interactive") for n in range(5)])
        at.await_somebody()
        at = gates.enter_context(gate(database, "envelopes", f"{EVIDENCING} AND NEW.issuer = '{sealed.rut}'"))
        works.producer.enqueue_many([boleta(sealed, f"sale-{n}") for n in range(5)])
        at.await_somebody()
        works.kill("threads", "interactive", "bulk")
    assert works.states(signed) == {"signed": 5}
    assert (
        works.scalar("SELECT count(*) FROM results_due r JOIN documents d USING (id) WHERE issuer = %s", signed.rut)
        == 0
    )
    assert works.states(sealed) == {"enveloped": 5}
    assert works.uploads(sealed) == []
    works.start("threads", "interactive", "bulk")
    works.clock.advance(hours(1 / 200))  # an envelope without evidence is taken up after ten seconds
    for company in (signed, sealed, answered):
        works.await_states(company, {"accepted": 5})
        check_books(works, company)
        assert len(works.uploads(company)) == 1
    assert [outcome for outcome, _, _ in works.attempts(answered)] == [None, "duplicate"]
