"""What waits because a service was silent is due at once when it answers again; what waits for other reasons isn't."""

import datetime as dt
import uuid

import pytest

from workers.database import pace, silence, wanted_mails
from workers.database.engine import Ledger, run
from workers.database.pace import Ask, Learnt, Limits, Pauses

LATER = "fmgo_now() + interval '25 minutes'"
ROWS = f"""
    INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,
                         resolution_date)
    VALUES ('76900101-8', 'certification', 'X', 'Y', 'Z', 'W', 0, '2014-08-22');
    INSERT INTO persons (rut, name) VALUES ('12345678-5', 'P');
    INSERT INTO certificates (person, fingerprint, certificate_der, private_key_sealed, key_id, not_before, not_after)
    VALUES ('12345678-5', sha256('c'), 'x', 'x', 'x', now(), now());
    INSERT INTO envelopes (id, issuer, environment, channel, lane, state, sender, certificate, documents,
                           resolution_number, resolution_date, filename, bytes, sha256, send_by, due_at,
                           last_attempt_at, silence)
    SELECT md5(v.name)::uuid, '76900101-8', 'certification', 'soap', 'bulk', 'uncertain', '12345678-5', c.id, 1, 0,
           '2014-08-22', v.name, 'x', sha256('x'), fmgo_now(), {LATER}, fmgo_now() - v.ago, v.silence
    FROM certificates c, (VALUES ('questions', 'dte.query', interval '1 hour'), ('upload', 'dte.upload', '1 second'),
                                 ('old upload', 'dte.upload', '1 hour'), ('other host', 'boleta.query', '1 hour'),
                                 ('absent', NULL, '1 hour')) AS v (name, silence, ago);
    INSERT INTO documents (id, issuer, environment, key, body_hash, lane)
    SELECT md5(name)::uuid, '76900101-8', 'certification', name, sha256(''), 'bulk'
    FROM (VALUES ('claims'), ('claims of another cause')) AS v (name);
    INSERT INTO claim_watches (document_id, environment, issuer, since, until, due_at, silence)
    SELECT id, environment, issuer, fmgo_now(), {LATER}, {LATER}, CASE WHEN key = 'claims' THEN 'reclamo.query' END
    FROM documents;
    INSERT INTO result_mails_wanted (envelope, environment, due_at, silence)
    SELECT id, environment, {LATER}, CASE filename WHEN 'questions' THEN 'dte.correo' END
    FROM envelopes WHERE filename IN ('questions', 'absent')
"""
DUE = """
    SELECT filename AS name FROM envelopes WHERE due_at <= fmgo_now()
    UNION ALL SELECT d.key FROM claim_watches w JOIN documents d ON d.id = w.document_id WHERE w.due_at <= fmgo_now()
    UNION ALL SELECT 'mail' FROM result_mails_wanted WHERE due_at <= fmgo_now()
"""
PAUSES = Pauses(3, 30, 300)


@pytest.fixture
def waiting(ledger: Ledger) -> Ledger:
    """A ledger in which everything waits for 25 minutes."""
    with ledger.transaction() as tx:
        for statement in ROWS.split(";"):
            run(tx, statement)
    return ledger


def due(ledger: Ledger) -> set[str]:
    with ledger.transaction() as tx:
        return {row.name for row in run(tx, DUE)}


def wake(ledger: Ledger, answered: str, *beside: str) -> int:
    with ledger.transaction() as tx:
        return silence.wake(tx, "certification", answered, beside, 60)


def test_each_service_wakes_what_waits_for_it_once(waiting: Ledger) -> None:
    assert wake(waiting, "dte.query") == 1
    assert due(waiting) == {"questions"}
    assert wake(waiting, "dte.query") == 0, "once"
    assert wake(waiting, "reclamo.query") == 1
    assert wake(waiting, "dte.correo") == 1
    assert wake(waiting, "boleta.query") == 1
    assert due(waiting) == {"questions", "claims", "mail", "other host"}


def test_an_upload_keeps_the_pause_in_which_the_sii_may_be_at_work_on_it(waiting: Ledger) -> None:
    assert wake(waiting, "dte.upload") == 2
    assert due(waiting) == {"old upload"}
    with waiting.transaction() as tx:
        left = run(tx, "SELECT due_at - fmgo_now() FROM envelopes WHERE filename = 'upload'").scalar_one()
    assert dt.timedelta(seconds=50) < left < dt.timedelta(seconds=60)


def test_services_beside_it_wake_theirs_unless_they_are_closed(waiting: Ledger) -> None:
    with waiting.transaction() as tx:
        run(
            tx,
            "INSERT INTO sii_services (environment, service, failures, closed_until)"
            " VALUES ('certification', 'dte.upload', 3, fmgo_now())",
        )
    assert wake(waiting, "dte.login", "dte.query", "dte.upload") == 1
    assert due(waiting) == {"questions"}


def test_what_somebody_has_in_his_hands_is_left_to_him(waiting: Ledger) -> None:
    with waiting.transaction() as tx:
        run(tx, "UPDATE envelopes SET lease_owner = 7")
    assert wake(waiting, "dte.query") == 0


@pytest.mark.parametrize(("code", "service"), [("0", None), ("", "dte.correo")])
def test_a_mail_that_came_while_the_answer_was_on_its_way_is_wanted_no_more(
    waiting: Ledger, code: str, service: str | None
) -> None:
    with waiting.transaction() as tx:
        run(tx, "UPDATE result_mails_wanted SET due_at = fmgo_now() WHERE silence IS NOT NULL")
        wanted = wanted_mails.take(tx, "certification", 60)
        assert wanted is not None
        wanted_mails.end(tx, wanted.envelope, None)
        wanted_mails.asked(tx, wanted.envelope, code, "", 60, silence=service)
        kept = run(tx, "SELECT asked, due_at FROM result_mails_wanted WHERE envelope = :id", id=wanted.envelope).one()
    assert tuple(kept) == (1 if code else 0, None)
    assert wake(waiting, "dte.correo") == 0


def test_a_service_answers_again_only_after_silence(ledger: Ledger) -> None:
    def ask(learnt: Learnt) -> bool:
        request = Ask("certification", "dte.query", 1, uuid.uuid4().hex)
        with ledger.transaction() as tx:
            assert pace.enter(tx, request, Limits(0.001, 10, 5)) is not None
            return pace.leave(tx, request, learnt, PAUSES).answers_again

    faults = [Learnt(None), Learnt("away"), Learnt(None), Learnt(None)]
    assert [ask(learnt) for learnt in faults] == [False, False, True, False]
