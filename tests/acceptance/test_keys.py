"""Keys that don't open delay nobody else, and secrets are in the clear nowhere."""

import base64
import datetime as dt
import hashlib

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works
from workers.vault.sealing import Sealed, Vault

KEY_OF = "certificates SET key_id = %s WHERE person IN (SELECT person FROM issuer_grants WHERE issuer = %s)"

WRONG = dt.date(2013, 1, 1)


def person_of(works: Works, company: Company) -> str:
    """RUT of who signs for a company."""
    return str(works.scalar("SELECT person FROM issuer_grants WHERE issuer = %s", company.rut))


def test_a_company_whose_key_does_not_open_delays_nobody_and_goes_on_with_its_key(works: Works) -> None:
    locked, other = works.company(), works.company()
    key_id = works.scalar("SELECT key_id FROM certificates WHERE person = %s", person_of(works, locked))
    works.change(f"UPDATE {KEY_OF}", "lost", locked.rut)
    jobs = [invoice(company, f"sale-{n}") for n in range(10) for company in (locked, other)]
    works.producer.enqueue_many(jobs)
    wait_until(lambda: works.states(other)["accepted"] == 10, lambda: f"others go on: {works.states(other)}")
    assert works.states(locked) == {"numbered": 10}
    works.change(f"UPDATE {KEY_OF}", key_id, locked.rut)
    works.clock.advance(dt.timedelta(seconds=61))
    works.await_states(locked, {"accepted": 10})
    for company in (locked, other):
        check_books(works, company)


def test_a_key_that_does_not_open_any_more_delays_nobody_s_envelopes(works: Works) -> None:
    locked, other = works.company(believed_resolution=WRONG), works.company()
    works.producer.enqueue_many([invoice(locked, f"sale-{n}") for n in range(3)])
    refused = works.await_envelope(locked, "refused")
    key_id = works.scalar("SELECT key_id FROM certificates WHERE person = %s", person_of(works, locked))
    works.change(f"UPDATE {KEY_OF}", "lost", locked.rut)
    works.kill("bulk")  # no process knows the key any more
    works.start("bulk")
    operator = works.enrolment.operator
    operator.set_resolution(locked.rut, ENVIRONMENT, locked.resolution_number, locked.resolution_date)
    assert operator.release_envelope(refused) == 3
    works.producer.enqueue_many([invoice(other, f"sale-{n}") for n in range(3)])
    wait_until(lambda: works.states(other)["accepted"] == 3, lambda: f"others go on: {works.states(other)}")
    assert works.states(locked) == {"signed": 3}
    works.change(f"UPDATE {KEY_OF}", key_id, locked.rut)
    works.await_states(locked, {"accepted": 3})
    check_books(works, locked)


def test_every_use_of_a_key_leaves_an_audit_row(works: Works) -> None:
    company = works.company((33, 39))
    person = person_of(works, company)
    works.producer.enqueue_many([invoice(company, "sale"), boleta(company, "boleta")])
    works.await_states(company, {"accepted": 2})
    uses = "SELECT sum((detail->>'documents')::int) FROM audit_log WHERE action = 'documents.sign' AND subject = %s"
    assert works.scalar(uses, person) == 2
    sealed = works.rows(
        "SELECT a.detail->>'person', a.actor ~ '^worker:[0-9]+$' FROM audit_log a"
        " JOIN envelopes e ON e.id::text = a.subject WHERE a.action = 'envelope.seal' AND e.issuer = %s",
        company.rut,
    )
    assert sealed == [(person, True)] * 2
    acts = dict(works.rows("SELECT action, count(*) FROM audit_log WHERE subject = %s GROUP BY 1", person))
    assert (acts["sii.login"], acts["certificate.add"]) == (2, 1)
    loaded = "SELECT count(*) FROM audit_log WHERE action = 'caf.add' AND subject LIKE %s"
    assert works.scalar(loaded, f"%{company.rut}%") == 2


def secrets_of(works: Works, company: Company) -> list[bytes]:
    """Everything that is sealed for a company, opened: its signer's key, its CAFs' keys, its tokens."""
    vault, person = Vault.from_settings(works.settings), person_of(works, company)
    opened = []
    sealed = works.rows(
        "SELECT 'certificate-key:', certificate_der, private_key_sealed, key_id FROM certificates WHERE person = %s"
        " UNION ALL SELECT 'caf-key:', caf_xml, private_key_sealed, key_id FROM cafs WHERE issuer = %s",
        person,
        company.rut,
    )
    for kind, public, data, key_id in sealed:
        purpose = f"{kind}{hashlib.sha256(bytes(public)).hexdigest()}"
        opened.append(vault.open(Sealed(key_id, bytes(data)), purpose=purpose))
    for channel, data, key_id in works.rows(
        "SELECT channel, token_sealed, key_id FROM sii_sessions WHERE person = %s", person
    ):
        opened.append(vault.open(Sealed(key_id, bytes(data)), purpose=f"token:certification:{channel}:{person}"))
    return opened


def test_no_key_and_no_token_is_anywhere_in_the_clear(works: Works) -> None:
    company = works.company((33, 39))
    works.producer.enqueue_many([invoice(company, "sale", lane="interactive"), boleta(company, "boleta")])
    works.await_states(company, {"accepted": 2})
    secrets = secrets_of(works, company)
    assert len(secrets) == 5
    places = [path.read_bytes() for path in works.sandbox.logs.glob("worker-*.log")]
    places += [works.redis.dump(name) or b"" for name in works.redis.scan_iter()]
    for table in ("certificates", "cafs", "sii_sessions", "audit_log", "envelope_attempts"):
        places += [str(row).encode() for row in works.rows(f"SELECT {table}::text FROM {table}")]
    for secret in secrets:
        shapes = {secret, secret.hex().encode(), base64.b64encode(secret), base64.b64encode(secret)[:60]}
        assert not any(shape in place for shape in shapes for place in places)
