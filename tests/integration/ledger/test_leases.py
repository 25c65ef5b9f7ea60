"""Leases of envelopes and of logins: what a death, a late answer and an outage leave, and who goes on."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.integration.ledger.conftest import ISSUER, enter
from workers.database import attempts, envelopes, processes, services
from workers.database.claims import Lease
from workers.database.engine import Ledger, run
from workers.database.envelopes import ClaimedEnvelope, Step, claim_envelope, next_fence
from workers.pace import CHANNELS

PERSON = "12345678-5"
STATES = ["sealed", "uncertain"]
SEALED = """
    INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,
                         resolution_date)
    VALUES (:issuer, 'certification', 'X', 'X', 'X', 'X', 0, '2014-08-22');
    INSERT INTO persons (rut, name) VALUES (:person, 'X');
    INSERT INTO certificates (person, fingerprint, certificate_der, private_key_sealed, key_id, not_before, not_after)
    VALUES (:person, :sum, '', '', 'k', now(), now());
    INSERT INTO envelopes (id, issuer, environment, channel, lane, sender, certificate, documents, resolution_number,
                           resolution_date, filename, bytes, sha256, send_by, evidenced_at, due_at)
    SELECT :id, :issuer, 'certification', 'soap', 'bulk', :person, id, 1, 0, '2014-08-22', 'a.xml', 'x', :sum,
           fmgo_now(), fmgo_now(), fmgo_now()
    FROM certificates
"""


@pytest.fixture
def envelope(ledger: Ledger) -> uuid.UUID:
    """A sealed, evidenced envelope that is due."""
    number = uuid.uuid4()
    with ledger.transaction() as tx:
        for statement in SEALED.split(";"):
            run(tx, statement, id=number, issuer=ISSUER, person=PERSON, sum=bytes(32))
    return number


def claim(ledger: Ledger, lease: Lease) -> ClaimedEnvelope | None:
    with ledger.transaction() as tx:
        return claim_envelope(tx, STATES, "certification", lease, next_fence(tx), CHANNELS)


def claimed(ledger: Ledger, lease: Lease) -> ClaimedEnvelope:
    found = claim(ledger, lease)
    assert found is not None
    return found


def begin(ledger: Ledger, one: ClaimedEnvelope, lease: Lease) -> tuple[int, dt.datetime]:
    """Open an attempt, as the sender does before the first byte."""
    with ledger.transaction() as tx:
        sending = Step(one.state, "sending", 120, keep_lease=True, attempted=True)
        assert envelopes.step(tx, one.id, one.fence, lease.worker, sending)
        return attempts.open_attempt(tx, one, lease.worker, "http://sii", 60)


def close(ledger: Ledger, attempt: tuple[int, dt.datetime], outcome: str, track_id: str | None = None) -> None:
    with ledger.transaction() as tx:
        attempts.close_attempt(
            tx,
            attempt,
            outcome=outcome,
            http_status=200,
            sii_status=None,
            track_id=track_id,
            detail=None,
            answer=b"",
        )


def die(ledger: Ledger, lease: Lease) -> None:
    with ledger.transaction() as tx:
        processes.leave(tx, lease.worker)
        envelopes.release_dead(tx, grace_seconds=15, recheck_seconds=60)


def row(ledger: Ledger) -> Any:
    with ledger.transaction() as tx:
        return run(tx, "SELECT *, extract(epoch FROM due_at - fmgo_now()) AS wait FROM envelopes").one()


def move_clock(ledger: Ledger, seconds: float) -> None:
    with ledger.transaction() as tx:
        run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
        run(tx, "SELECT fmgo_move_clock(make_interval(secs => :seconds))", seconds=seconds)


def test_one_claims_an_envelope_and_keeps_it_while_it_lives(ledger: Ledger, envelope: uuid.UUID) -> None:
    lease = enter(ledger, seconds=0)
    assert claimed(ledger, lease).id == envelope
    assert claim(ledger, enter(ledger)) is None


def test_an_envelope_whose_sender_died_is_in_doubt_and_rests_past_the_deadline(
    ledger: Ledger, envelope: uuid.UUID
) -> None:
    lease = enter(ledger)
    begin(ledger, claimed(ledger, lease), lease)
    die(ledger, lease)
    found = row(ledger)
    assert (found.state, found.lease_owner) == ("uncertain", None)
    assert 74 < found.wait <= 75, "60 s of deadline and 15 s of grace"
    assert claim(ledger, enter(ledger)) is None


def test_an_envelope_whose_process_died_before_it_was_sent_is_sealed_and_due(
    ledger: Ledger, envelope: uuid.UUID
) -> None:
    lease = enter(ledger)
    claimed(ledger, lease)
    die(ledger, lease)
    assert row(ledger).state == "sealed"
    assert claimed(ledger, enter(ledger)).attempts == 0


def test_doubt_begins_with_the_first_attempt_that_may_have_arrived(ledger: Ledger, envelope: uuid.UUID) -> None:
    lease = enter(ledger)
    refused = begin(ledger, claimed(ledger, lease), lease)
    close(ledger, refused, "not_received")
    die(ledger, lease)
    began = []
    for outcome in (None, "unknown", "not_received"):
        move_clock(ledger, 200)
        lease = enter(ledger)
        attempt = begin(ledger, claimed(ledger, lease), lease)
        began.append(attempt[1])
        if outcome is not None:
            close(ledger, attempt, outcome)
        die(ledger, lease)
    move_clock(ledger, 200)
    assert claimed(ledger, enter(ledger)).doubt_since == began[0]


def test_a_late_step_with_an_old_fence_changes_nothing_and_a_late_track_id_is_kept(
    ledger: Ledger, envelope: uuid.UUID
) -> None:
    slow = enter(ledger)
    one = claimed(ledger, slow)
    attempt = begin(ledger, one, slow)
    die(ledger, slow)
    close(ledger, attempt, "received", "4711")
    with ledger.transaction() as tx:
        assert not envelopes.step(tx, one.id, one.fence, slow.worker, Step("sending", "sent", 30, track_id="4711"))
        assert attempts.known_track_id(tx, one.id) == "4711"
        assert attempts.adopt_late_track_id(tx, one.id, "4711")
        assert not attempts.adopt_late_track_id(tx, one.id, "4712")
    assert (row(ledger).state, row(ledger).track_id) == ("sent", "4711")


def test_a_claim_whose_answer_was_lost_is_given_back_by_its_number(ledger: Ledger, envelope: uuid.UUID) -> None:
    lease = enter(ledger)
    one = claimed(ledger, lease)
    with ledger.transaction() as tx:
        assert envelopes.give_back(tx, one.fence + 1, lease.worker) == 0
        assert envelopes.give_back(tx, one.fence, lease.worker + 1) == 0
        assert envelopes.give_back(tx, one.fence, lease.worker) == 1
    again = claimed(ledger, lease)
    begin(ledger, again, lease)
    with ledger.transaction() as tx:
        assert envelopes.give_back(tx, again.fence, lease.worker) == 0, "what is being sent is in doubt, not free"


def test_one_may_log_in_at_a_time_and_a_dead_one_s_right_is_free(ledger: Ledger, envelope: uuid.UUID) -> None:
    first, second = enter(ledger), enter(ledger)

    def take(lease: Lease) -> bool:
        with ledger.transaction() as tx:
            return services.take_login(tx, PERSON, "certification", "soap", lease.worker, 90)

    assert take(first)
    assert not take(second)
    with ledger.transaction() as tx:
        processes.leave(tx, first.worker)
    assert take(second)
    with ledger.transaction() as tx:
        assert services.keep_session(tx, PERSON, "certification", "soap", first.worker, b"old", "k") is None
        assert services.keep_session(tx, PERSON, "certification", "soap", second.worker, b"new", "k") == 1
    assert not take(first), "there is a session that nobody refused"


def test_only_the_session_that_was_used_is_refused(ledger: Ledger, envelope: uuid.UUID) -> None:
    lease = enter(ledger)
    name = (PERSON, "certification", "soap")

    def usable(tx: Connection) -> bool:
        found = services.session(tx, *name)
        return found is not None and found.usable

    for generation in (1, 2):
        with ledger.transaction() as tx:
            assert services.take_login(tx, *name, lease.worker, 90)
            assert services.keep_session(tx, *name, lease.worker, b"token", "k") == generation
            if generation == 1:
                assert services.refuse_session(tx, *name, 1, "token-not-taken")
                assert not services.refuse_session(tx, *name, 1, "token-not-taken"), "it was said before"
                assert not usable(tx)
    with ledger.transaction() as tx:
        assert not services.refuse_session(tx, *name, 1, "token-not-taken")
        assert usable(tx)
        assert services.refuse_session(tx, *name, 2, "token-not-taken")
        assert not usable(tx)


@pytest.mark.parametrize(
    ("channel", "tries", "possible"),
    [
        ("soap", [("received", "7", 0)], False),
        ("soap", [("not_received", None, 0), ("received", "7", 60)], False),
        ("soap", [("unknown", None, 0)], True),
        ("soap", [(None, None, 0), ("received", "7", 3600)], True),
        ("soap", [("unknown", None, 0), ("received", "7", 60)], False),  # taken as new where a repeat is recognised
        ("rest", [("unknown", None, 0), ("received", "7", 60)], True),
        ("soap", [("unknown", None, 0), ("duplicate", "7", 60)], False),
        ("soap", [("unknown", None, 0), ("duplicate", None, 60)], True),
        ("soap", [("unknown", None, 0), ("received", "7", 3600), ("duplicate", "7", 3660)], True),
        ("soap", [("received", "7", 0), ("unknown", None, 60)], True),
    ],
)
def test_another_upload_is_possible_while_an_attempt_isn_t_accounted_for(
    ledger: Ledger,
    envelope: uuid.UUID,
    channel: str,
    tries: list[tuple[str | None, str | None, int]],
    possible: bool,
) -> None:
    with ledger.transaction() as tx:
        run(tx, "UPDATE envelopes SET channel = :channel", channel=channel)
        for number, (outcome, track_id, after) in enumerate(tries, start=1):
            run(
                tx,
                "INSERT INTO envelope_attempts (envelope, number, worker, address, deadline_seconds, outcome, track_id,"
                " started_at) VALUES (:envelope, :number, 1, 'http://sii', 60, :outcome, :track_id,"
                " date_trunc('month', fmgo_now()) + make_interval(secs => :after))",
                envelope=envelope,
                number=number,
                outcome=outcome,
                track_id=track_id,
                after=after,
            )
        assert attempts.another_upload_is_possible(tx, envelope, 840) == possible
        expected = list(dict.fromkeys(track_id for _, track_id, _ in tries if track_id))
        assert attempts.track_ids(tx, envelope) == expected
