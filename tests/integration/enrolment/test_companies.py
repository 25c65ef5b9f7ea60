"""Companies, branches, people and their certificates: what is stored, what is refused, what stays shut."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.enrolment import kit
from tests.integration.producer.jobs import rows, scalar
from workers.database.engine import Ledger
from workers.database.enrolment import BranchRow
from workers.database.issuers import issuer_data, resolution_of, signers_of
from workers.enrolment import Enrolment, EnrolmentError
from workers.vault.sealing import Sealed, Vault, VaultKeysMissingError
from workers.vault.signers import KeyRing

BRANCH = BranchRow(kit.ISSUER, "certification", "centro", "Centro", "12345", "Calle 1", "Chillán", None, ("caja 1",))


def codes(refused: pytest.ExceptionInfo[EnrolmentError]) -> list[str]:
    return [problem.code for problem in refused.value.problems]


def test_a_company_is_added_once_and_replaced_after(operator: Enrolment, ledger: Ledger, database: str) -> None:
    assert operator.add_issuer(kit.FERRETERIA) is True
    assert operator.add_issuer(replace(kit.FERRETERIA, giro="Otro  giro ")) is False
    with ledger.transaction() as tx:
        data = issuer_data(tx, [kit.COMPANY])[kit.ISSUER, "certification", None]
    assert (data.razon_social, data.giro, data.acteco) == ("FERRETERÍA ÑUBLE & CÍA", "Otro giro", (475201,))
    assert rows(database, "SELECT actor, action, subject FROM audit_log ORDER BY id") == [
        ("test", "issuer.add", "76900101-8@certification"),
        ("test", "issuer.update", "76900101-8@certification"),
    ]


def test_every_fault_of_a_company_is_told_at_once_and_nothing_is_stored(operator: Enrolment, database: str) -> None:
    wrong = replace(
        kit.FERRETERIA,
        rut="76900101-9",
        environment="prod",
        razon_social="漢" * 3,
        giro="",
        acteco=(1234567,),
        cmna_origen="x" * 21,
        cdg_sii_sucur="abc",
        resolution_number=-1,
    )
    with pytest.raises(EnrolmentError) as refused:
        operator.add_issuer(wrong)
    assert codes(refused) == [
        "ISSUER-RUT",
        "ISSUER-ENVIRONMENT",
        "ISSUER-RAZON-SOCIAL",
        "ISSUER-GIRO",
        "ISSUER-ACTECO",
        "ISSUER-CMNA-ORIGEN",
        "ISSUER-CDG-SII-SUCUR",
        "ISSUER-RESOLUTION-NUMBER",
    ]
    assert all(problem.message.endswith(".") for problem in refused.value.problems)
    assert scalar(database, "SELECT count(*) FROM issuers") == 0
    assert scalar(database, "SELECT count(*) FROM audit_log") == 0


def test_a_resolution_is_replaced_for_the_next_envelope(operator: Enrolment, ledger: Ledger) -> None:
    operator.add_issuer(kit.FERRETERIA)
    operator.set_resolution(kit.ISSUER, "certification", 80, dt.date(2020, 1, 2))
    with ledger.transaction() as tx:
        found = resolution_of(tx, *kit.COMPANY)
    assert (found.number, found.date) == (80, dt.date(2020, 1, 2))
    with pytest.raises(EnrolmentError) as refused:
        operator.set_resolution(kit.OTHER, "certification", 80, dt.date(2020, 1, 2))
    assert codes(refused) == ["ISSUER-UNKNOWN"]


def test_a_branch_has_its_own_address_and_tills(operator: Enrolment, ledger: Ledger, database: str) -> None:
    with pytest.raises(EnrolmentError) as refused:
        operator.add_branch(BRANCH)
    assert codes(refused) == ["ISSUER-UNKNOWN"]
    operator.add_issuer(kit.FERRETERIA)
    assert operator.add_branch(BRANCH) is True
    assert operator.add_branch(replace(BRANCH, tills=("caja 2",), dir_origen="Calle 2")) is False
    with ledger.transaction() as tx:
        data = issuer_data(tx, [kit.COMPANY])[kit.ISSUER, "certification", "centro"]
    assert (data.dir_origen, data.cdg_sii_sucur) == ("Calle 2", "12345")
    assert rows(database, "SELECT code FROM tills ORDER BY code") == [("caja 1",), ("caja 2",)]


@pytest.mark.parametrize("paper", [kit.pfx, kit.pem], ids=["pfx", "pem"])
def test_a_certificates_key_is_sealed_and_signs_for_its_companies(
    operator: Enrolment, ledger: Ledger, vault: Vault, database: str, paper: Callable[[], bytes]
) -> None:
    operator.add_issuer(kit.FERRETERIA)
    added = operator.add_certificate(paper(), kit.PASSWORD, [kit.COMPANY])
    assert (added.person, added.name, added.new) == (kit.PERSON, "María Peña Núñez", True)
    with ledger.transaction() as tx:
        found = signers_of(tx, [kit.COMPANY])[kit.COMPANY]
    signer = KeyRing(vault).signer(1, found.certificate_der, Sealed(found.key_id, found.private_key_sealed))
    assert signer.rut == kit.PERSON
    private = kit.key("person", 2048).private_numbers().p
    assert private.to_bytes(128, "big") not in found.private_key_sealed
    said = str(rows(database, "SELECT * FROM audit_log"))
    assert "certificate.add" in said
    assert kit.PASSWORD not in said


def test_a_certificate_added_again_is_known_and_keeps_the_persons_name(operator: Enrolment, database: str) -> None:
    operator.add_issuer(kit.FERRETERIA)
    operator.add_person(kit.PERSON, "Doña María")
    paper = kit.pfx()
    first = operator.add_certificate(paper, kit.PASSWORD)
    again = operator.add_certificate(paper, kit.PASSWORD, [kit.COMPANY])
    assert (again.id, again.new) == (first.id, False)
    assert rows(database, "SELECT name FROM persons") == [("Doña María",)]
    assert rows(database, "SELECT issuer, person FROM issuer_grants") == [(kit.ISSUER, kit.PERSON)]


YESTERDAY = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=1)
TOMORROW = YESTERDAY + dt.timedelta(days=2)
BAD_PAPERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "wrong password": (lambda: kit.pfx(password="otra"), "PFX-PASSWORD"),
    "no pfx": (lambda: b"<html>", "PFX-UNREADABLE"),
    "without RUT": (lambda: kit.pfx(rut=None), "CERT-WITHOUT-RUT"),
    "expired": (lambda: kit.pfx(not_after=YESTERDAY), "CERT-EXPIRED"),
    "not yet valid": (lambda: kit.pfx(not_before=TOMORROW), "CERT-NOT-YET-VALID"),
    "wrong PEM password": (lambda: kit.pem(password="otra"), "PEM-PASSWORD"),
}


@pytest.mark.parametrize("name", BAD_PAPERS)
def test_a_bad_certificate_is_refused_with_all_other_faults_and_nothing_is_stored(
    operator: Enrolment, database: str, name: str
) -> None:
    paper, code = BAD_PAPERS[name]
    with pytest.raises(EnrolmentError) as refused:
        operator.add_certificate(paper(), kit.PASSWORD, [kit.COMPANY])
    assert codes(refused) == [code, "ISSUER-UNKNOWN"]
    assert rows(database, "SELECT (SELECT count(*) FROM certificates), (SELECT count(*) FROM persons)") == [(0, 0)]
    assert scalar(database, "SELECT count(*) FROM audit_log") == 0


def test_without_vault_no_key_is_taken(ledger: Ledger) -> None:
    keyless = Enrolment(ledger, None, None)
    keyless.add_issuer(kit.FERRETERIA)
    with pytest.raises(VaultKeysMissingError):
        keyless.add_certificate(kit.pfx(), kit.PASSWORD, [kit.COMPANY])


def test_a_change_rings_for_the_sweep(operator: Enrolment, redis_url: str) -> None:
    operator.add_issuer(kit.FERRETERIA)
    operator.add_person(kit.PERSON, "María", [kit.COMPANY])
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("fmgo.sweep") == 1
