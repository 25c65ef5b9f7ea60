"""Folio authorisations: what is opened, and every way in which one is refused."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.caf import SII_PUBLIC_KEYS
from tests.integration.enrolment import kit
from tests.integration.producer.jobs import rows, scalar
from tests.unit.domain import material
from workers.caf_keys import read_caf_keys
from workers.database.engine import Ledger, run
from workers.database.folios import FolioRequest, give_folios
from workers.database.issuers import cafs
from workers.database.waiting import wake_waiting
from workers.enrolment import Enrolment, EnrolmentError
from workers.vault.sealing import Sealed, Vault
from workers.vault.signers import KeyRing


@pytest.fixture(autouse=True)
def company(operator: Enrolment) -> None:
    operator.add_issuer(kit.FERRETERIA)


def load(operator: Enrolment, data: bytes, **options: object) -> list[str]:
    """Codes of the refusal; empty when the CAF was taken."""
    try:
        operator.add_caf(data, **{"environment": "certification", **options})  # type: ignore[arg-type]
    except EnrolmentError as error:
        return [problem.code for problem in error.problems]
    return []


def request(lane: str = "interactive") -> FolioRequest:
    today = dt.datetime.now(dt.UTC).date()
    return FolioRequest(uuid.uuid4(), kit.ISSUER, "certification", 33, today, lane)


def test_a_caf_opens_its_folios_and_its_key_stamps(operator: Enrolment, ledger: Ledger, vault: Vault) -> None:
    added = operator.add_caf(kit.caf(), environment="certification")
    assert (added.issuer, added.document_type, added.first, added.last, added.next) == (kit.ISSUER, 33, 1, 100, 1)
    with ledger.transaction() as tx:
        (grant,) = give_folios(tx, [request()], dt.datetime.now(dt.UTC).date())
        sealed = cafs(tx, [added.id])[added.id]
    assert grant.folio == 1
    ready = KeyRing(vault).stamping_caf(1, sealed.caf_xml, Sealed(sealed.key_id, sealed.private_key_sealed))
    assert (ready.issuer, ready.first, ready.last) == (kit.ISSUER, 1, 100)
    assert sealed.expires_on is not None


def test_a_partly_used_range_explains_its_numbers_and_keeps_a_reserve(
    operator: Enrolment, ledger: Ledger, database: str
) -> None:
    operator.add_caf(kit.caf(first=1, last=12), environment="certification", first_free=10, reserve=2)
    assert rows(database, "SELECT first, last FROM folio_voids") == [(1, 9)]
    today = dt.datetime.now(dt.UTC).date()
    with ledger.transaction() as tx:
        bulk = give_folios(tx, [request("bulk"), request("bulk")], today)
        tills = give_folios(tx, [request(), request(), request()], today)
    assert [grant.folio for grant in bulk] == [10]
    assert [grant.folio for grant in tills] == [11, 12]


def test_the_same_caf_again_is_known_and_changes_nothing(operator: Enrolment, database: str) -> None:
    data = kit.caf()
    first = operator.add_caf(data, environment="certification")
    again = operator.add_caf(data, environment="certification")
    assert (again.id, again.new) == (first.id, False)
    assert load(operator, data, first_free=5) == ["CAF-ALREADY-LOADED"]
    assert rows(database, "SELECT next FROM folio_counters") == [(1,)]


LONG_AGO = dt.date(2020, 1, 1)
REFUSED: dict[str, tuple[Callable[[], bytes], dict[str, object], list[str]]] = {
    "another company's": (kit.caf, {"issuer": kit.OTHER}, ["CAF-OTHER-ISSUER", "ISSUER-UNKNOWN"]),
    "the other environment's": (lambda: kit.caf(idk=300), {}, ["CAF-OTHER-ENVIRONMENT"]),
    "expired": (lambda: kit.caf(authorised_on=LONG_AGO), {}, ["CAF-EXPIRED"]),
    "of tomorrow": (lambda: kit.caf(authorised_on=dt.date(2099, 1, 1)), {}, ["CAF-FUTURE"]),
    "signed by a stranger": (lambda: kit.caf(signed_by="stranger"), {}, ["CAF-FRMA-INVALID"]),
    "without its own key": (lambda: kit.with_another_private_key(kit.caf()), {}, ["CAF-KEY-MISMATCH"]),
    "no XML": (lambda: b"folios", {}, ["CAF-UNREADABLE"]),
    "next outside": (kit.caf, {"first_free": 101}, ["CAF-NEXT"]),
    "reserve beyond": (kit.caf, {"reserve": 101}, ["CAF-RESERVE"]),
    "no environment": (kit.caf, {"environment": "prod"}, ["CAF-ENVIRONMENT"]),
    "unknown company": (lambda: kit.caf(issuer=kit.OTHER), {}, ["ISSUER-UNKNOWN"]),
    "all at once": (
        lambda: kit.with_another_private_key(kit.caf(authorised_on=LONG_AGO, idk=300, signed_by="stranger")),
        {"issuer": kit.OTHER},
        [
            "CAF-KEY-MISMATCH",
            "CAF-OTHER-ISSUER",
            "CAF-OTHER-ENVIRONMENT",
            "CAF-EXPIRED",
            "CAF-FRMA-INVALID",
            "ISSUER-UNKNOWN",
        ],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_tells_every_reason_and_stores_nothing(operator: Enrolment, database: str, name: str) -> None:
    data, options, expected = REFUSED[name]
    assert load(operator, data(), **options) == expected
    assert rows(database, "SELECT (SELECT count(*) FROM cafs), (SELECT count(*) FROM folio_counters)") == [(0, 0)]
    assert scalar(database, "SELECT count(*) FROM audit_log WHERE action = 'caf.add'") == 0


@pytest.mark.parametrize(("first", "last"), [(1, 10), (100, 200), (50, 60), (1, 300)])
def test_overlapping_ranges_are_refused(operator: Enrolment, first: int, last: int) -> None:
    operator.add_caf(kit.caf(first=10, last=100), environment="certification")
    assert load(operator, kit.caf(first=first, last=last)) == ["CAF-OVERLAP"]
    assert load(operator, kit.caf(first=101, last=110)) == []
    assert load(operator, kit.caf(first=first, last=last, document_type=61)) == []


def test_two_overlapping_ranges_loaded_at_once_open_one(database: str, vault: Vault) -> None:
    together = threading.Barrier(2)

    def load_it(data: bytes) -> list[str]:
        own = Ledger(database)
        try:
            together.wait(timeout=30)
            return load(Enrolment(own, vault, None, caf_keys=kit.caf_keys()), data)
        finally:
            own.dispose()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(load_it, [kit.caf(first=1, last=50), kit.caf(first=50, last=99)]))
    assert answers == [[], ["CAF-OVERLAP"]]


def test_a_key_that_nobody_knows_is_a_warning(operator: Enrolment) -> None:
    added = operator.add_caf(kit.caf(idk=999), environment="certification")
    assert [problem.code for problem in added.warnings] == ["CAF-FRMA-UNVERIFIABLE"]


def test_documents_that_waited_for_folios_go_on(operator: Enrolment, ledger: Ledger, database: str) -> None:
    operator.add_certificate(kit.pfx(), kit.PASSWORD, [kit.COMPANY])
    with ledger.transaction() as tx:
        run(
            tx,
            "INSERT INTO documents (id, issuer, environment, key, body_hash, lane, state, held, document_type)"
            " VALUES (:id, :issuer, 'certification', 'k', sha256('x'), 'bulk', 'waiting', 'folio', 33)",
            id=uuid.uuid4(),
            issuer=kit.ISSUER,
        )
        assert wake_waiting(tx, 10) == 0
    operator.add_caf(kit.caf(), environment="certification")
    with ledger.transaction() as tx:
        assert wake_waiting(tx, 10) == 1
    assert rows(database, "SELECT state, held FROM documents") == [("received", None)]


def test_keys_to_trust_are_read_beside_the_siis_own(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.pem"
    path.write_bytes(material.public_pem(kit.key("sii")))
    keys = read_caf_keys(f"100={path}, 999={path},")
    assert keys[100] == (*SII_PUBLIC_KEYS[100], path.read_bytes())
    assert keys[999] == (path.read_bytes(),)
    (tmp_path / "text.pem").write_text("no key", encoding="utf-8")
    with pytest.raises(EnrolmentError) as refused:
        read_caf_keys(f"x={path},100={tmp_path / 'missing'},100={tmp_path / 'text.pem'},100=")
    assert [problem.code for problem in refused.value.problems] == ["CAF-KEYS"] * 4
