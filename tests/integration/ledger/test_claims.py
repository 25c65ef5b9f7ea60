"""Claiming: round robin, leases that only a death frees, halves around what kills, and the epoch."""

from collections import Counter

from tests.integration.ledger.conftest import enter, job, record
from workers.database import claims, processes
from workers.database.claims import claim_documents, give_back, release_dead
from workers.database.documents import Refusal, end_invalid
from workers.database.engine import Ledger, run

ISSUERS = ("76900101-8", "77900202-0", "60803000-K")


def test_a_claim_takes_turns_over_issuers(ledger: Ledger) -> None:
    record(ledger, *(job(f"a{n}", issuer=ISSUERS[0]) for n in range(30)))
    record(ledger, *(job(f"b{n}", issuer=issuer) for issuer in ISSUERS[1:] for n in range(3)))
    with ledger.transaction() as tx:
        claim = claim_documents(tx, lane="bulk", state="received", size=9, lease=enter(ledger))
    assert claim is not None
    assert Counter(document.issuer for document in claim.documents) == dict.fromkeys(ISSUERS, 3)


def test_two_claims_never_share_a_row_and_a_living_owner_keeps_its_rows(ledger: Ledger) -> None:
    record(ledger, *(job(f"a{n}") for n in range(20)))
    lease = enter(ledger, seconds=0)  # the lease's end is at once: it frees nothing
    with ledger.transaction() as tx:
        first = claim_documents(tx, lane="bulk", state="received", size=15, lease=lease)
    with ledger.transaction() as tx:
        second = claim_documents(tx, lane="bulk", state="received", size=15, lease=enter(ledger))
    with ledger.transaction() as tx:
        third = claim_documents(tx, lane="bulk", state="received", size=15, lease=enter(ledger))
    assert first is not None
    assert second is not None
    assert (len(first.documents), len(second.documents), third) == (15, 5, None)
    assert not {d.id for d in first.documents} & {d.id for d in second.documents}


def test_what_a_dead_process_held_is_claimed_in_halves_until_the_one_that_kills_stands_alone(ledger: Ledger) -> None:
    receipts = record(ledger, *(job(f"a{n}") for n in range(8)))
    killer = receipts[5].document_id
    deadly = []
    for _ in range(30):
        lease = enter(ledger)
        with ledger.transaction() as tx:
            claim = claim_documents(tx, lane="bulk", state="received", size=8, lease=lease)
            if claim is None:
                break
            ids = [document.id for document in claim.documents]
            if killer not in ids:
                end_invalid(tx, [Refusal(number, []) for number in ids], claim.fence, lease.worker)
                continue
        deadly.append(len(ids))
        with ledger.transaction() as tx:
            processes.leave(tx, lease.worker)
            release_dead(tx, quarantine_after=3)
    assert deadly == [8, 4, 2, 1, 1, 1]
    with ledger.transaction() as tx:
        states = Counter(row.state for row in run(tx, "SELECT state FROM documents"))
        put_aside = run(tx, "SELECT id, held, due_at FROM documents WHERE state = 'quarantined'").one()
        detail = run(tx, "SELECT detail FROM document_events WHERE to_state = 'quarantined'").scalar_one()
    assert states == {"invalid": 7, "quarantined": 1}
    assert tuple(put_aside) == (killer, "deaths", None)
    assert detail == {"deaths": 3}


def test_a_missing_beat_is_a_death_and_a_declared_death_is_final(ledger: Ledger) -> None:
    lease = enter(ledger)
    with ledger.transaction() as tx:
        seen = processes.beats(tx)
        assert seen == {lease.worker: 0}
        assert processes.beat(tx, lease.worker) == lease.epoch
        assert processes.bury(tx, seen) == [], "it has beaten since"
        assert processes.bury(tx, processes.beats(tx)) == [lease.worker]
        assert processes.beat(tx, lease.worker) is None
        assert processes.beats(tx) == {}
        assert processes.buried_lately(tx) == {"bulk": 1}


def test_who_leaves_in_good_order_is_not_buried(ledger: Ledger) -> None:
    lease = enter(ledger)
    with ledger.transaction() as tx:
        seen = processes.beats(tx)
        processes.leave(tx, lease.worker)
        assert processes.bury(tx, seen) == []
        assert processes.buried_lately(tx) == {}


def test_what_a_process_is_at_shows_who_is_stuck(ledger: Ledger) -> None:
    lease = enter(ledger)
    with ledger.transaction() as tx:
        processes.beat(tx, lease.worker, processes.Doing("fmgo.issue", 200.0))
        (stuck,) = processes.stuck(tx, 180)
        assert (stuck.id, stuck.kind, stuck.phase, stuck.seconds) == (lease.worker, "bulk", "fmgo.issue", 200.0)
        processes.beat(tx, lease.worker, processes.Doing("fmgo.issue", 0.1))
        assert processes.stuck(tx, 180) == []


def test_a_clock_that_is_set_back_brings_what_is_due_nearer(ledger: Ledger) -> None:
    record(ledger, job("a"))
    lease = enter(ledger)
    with ledger.transaction() as tx:
        run(tx, "UPDATE documents SET due_at = fmgo_now() + interval '59 minutes'")
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=lease) is None
        assert processes.follow_the_clock_back(tx, 3600) == 1
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=lease) is not None


def test_a_claim_that_failed_is_given_back_without_counting_a_death(ledger: Ledger) -> None:
    record(ledger, job("a"))
    lease = enter(ledger)
    with ledger.transaction() as tx:
        claim = claim_documents(tx, lane="bulk", state="received", size=1, lease=lease)
        assert claim is not None
        assert give_back(tx, claim.fence, after_seconds=0) == 1
        row = run(tx, "SELECT deaths, suspect, lease_owner FROM documents").one()
    assert tuple(row) == (0, None, None)


def test_a_raised_epoch_gives_nothing_to_processes_of_the_older_one(ledger: Ledger) -> None:
    record(ledger, job("a"))
    old = enter(ledger)
    with ledger.transaction() as tx:
        run(tx, "UPDATE ledger_epoch SET epoch = epoch + 1, replayed_at = NULL, reason = 'restored'")
    with ledger.transaction() as tx:
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=old) is None
        assert processes.beat(tx, old.worker) == old.epoch + 1
    new = enter(ledger)
    with ledger.transaction() as tx:
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=new) is None
        run(tx, "UPDATE ledger_epoch SET replayed_at = clock_timestamp()")
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=new) is not None


def test_the_due_index_serves_the_claim(ledger: Ledger) -> None:
    record(ledger, *(job(f"a{n}") for n in range(400)))
    with ledger.transaction() as tx:
        run(tx, "ANALYZE documents")
        run(tx, "SET LOCAL enable_seqscan = off")
        plan = run(
            tx,
            "EXPLAIN SELECT id FROM documents WHERE lane = 'bulk' AND state = 'received' AND issuer = '76900101-8'"
            " AND due_at <= fmgo_now() ORDER BY due_at LIMIT 50",
        )
        text = "\n".join(row[0] for row in plan)
    assert "documents_due" in text
    assert "due_at <= " in text.split("Index Cond:")[1]


def test_a_claim_that_its_living_owner_forgot_is_freed_without_a_death(ledger: Ledger) -> None:
    record(ledger, job("a"))
    lease = enter(ledger)
    with ledger.transaction() as tx:
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=lease) is not None
        run(tx, "UPDATE documents SET due_at = fmgo_now() - interval '61 seconds'")
        processes.beat(tx, lease.worker, processes.Doing("fmgo.issue", 61.0))
        assert claims.release_forgotten(tx) == 0, "it is still at it"
        processes.beat(tx, lease.worker)
        assert claims.release_forgotten(tx) == 1
        assert tuple(run(tx, "SELECT deaths, suspect, lease_owner FROM documents").one()) == (0, None, None)
        assert claim_documents(tx, lane="bulk", state="received", size=1, lease=lease) is not None
        processes.beat(tx, lease.worker)
        assert claims.release_forgotten(tx) == 0, "its lease has not ended"


def test_a_lease_by_name_lets_one_through(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        assert processes.take_lease(tx, "sweep", 1, 60)
        assert not processes.take_lease(tx, "sweep", 2, 60)
        run(tx, "UPDATE leases SET until = clock_timestamp() - interval '1 second'")
        assert processes.take_lease(tx, "sweep", 2, 60)


def test_a_lease_of_a_clock_that_was_set_back_holds_nobody_up(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        assert processes.take_lease(tx, "sweep", 1, 60)
        run(tx, "UPDATE leases SET until = until + interval '1 hour'")
        assert processes.take_lease(tx, "sweep", 2, 60)


def test_due_work_names_lanes_and_states(ledger: Ledger) -> None:
    record(ledger, job("a", lane="interactive"), job("b"))
    with ledger.transaction() as tx:
        due = {tuple(row) for row in claims.due_work(tx)}
    assert due == {("interactive", "received", False), ("bulk", "received", False)}
