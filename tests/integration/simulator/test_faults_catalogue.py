"""The catalogue of faults: every row of the specification is an entry, and every entry has a proof that runs here."""

import re
from pathlib import Path

import pytest

from tests.integration.simulator.catalogue import connections, lost, sessions, verdicts
from tests.integration.simulator.catalogue.case import Case, Proof
from tests.integration.simulator.client import Sii
from tests.integration.simulator.conftest import Taxpayer

PROOFS: dict[str, Proof] = sessions.PROOFS | lost.PROOFS | verdicts.PROOFS | connections.PROOFS

# Entries whose service has its tests elsewhere, with the file that proves them.
ELSEWHERE = {
    "F-MAIL-1": "test_result_mail.py",
    "F-MAIL-2": "test_result_mail.py",
    "F-RCL-x": "test_claims.py",
    "F-RTC-x": "test_cessions.py",
}

# Ids beyond the specification's table.
_OURS = {"F-HALF", "F-RCT"}


@pytest.mark.parametrize("fault", sorted(PROOFS))
def test_fault(taxpayer: Taxpayer, tmp_path: Path, fault: str) -> None:
    PROOFS[fault](Case(taxpayer, tmp_path))


def test_every_entry_has_a_proof(sii: Sii) -> None:
    entries = {entry["id"] for entry in sii.control("GET", "/faults/catalogue")}
    assert entries == set(PROOFS) | set(ELSEWHERE)
    assert not set(PROOFS) & set(ELSEWHERE)
    here = Path(__file__).parent
    for fault, file in ELSEWHERE.items():
        assert fault.removesuffix("x") in (here / file).read_text(encoding="utf-8")


def test_every_row_of_the_specification_is_an_entry(sii: Sii, shared: Path) -> None:
    text = (shared / "reference" / "sii-simulator.md").read_text(encoding="utf-8")
    table = text.partition("## 10.")[2].partition("## 11.")[0]
    rows = [cell for line in table.splitlines() if line.startswith("| F-") for cell in line.split("|")[1].split(",")]
    ids = {re.sub(r"\s", "", cell) for cell in rows}
    assert len(ids) > 50
    entries = {entry["id"] for entry in sii.control("GET", "/faults/catalogue")}
    assert ids | _OURS == entries


def test_entry_without_a_rule_says_how_it_comes_about(sii: Sii) -> None:
    answer = sii.http.post(sii.hosts["control"] + "/faults", json={"fault": "F-DUP-1"})
    assert (answer.status_code, "send the same bytes again" in answer.json()["error"]) == (400, True)


def test_one_rule_is_lifted_by_its_name(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    case.fault("F-9", id="mine", times=-1)
    case.fault("F-9", id="other", times=-1, when={"company": "77900202-0"})
    assert case.sii.control("DELETE", "/faults/mine") == {"lifted": [1]}
    assert [rule["id"] for rule in case.sii.control("GET", "/faults")] == ["other"]
    assert case.sii.http.delete(case.sii.hosts["control"] + "/faults/mine").status_code == 404


def test_rates_are_seeded(taxpayer: Taxpayer) -> None:
    case = Case(taxpayer, Path())
    draws = []
    for _ in range(2):
        rule = case.fault("F-HTTP-503", when={"operation": "query"}, probability=0.5, times=-1, seed=7)
        draws.append([case.raw_state().status_code for _ in range(20)])
        (shown,) = case.sii.control("GET", "/faults")
        assert shown["number"] == rule["number"]
        assert len(shown["requests"]) == shown["fired"] == draws[-1].count(503)
        case.lift()
    assert draws[0] == draws[1]
    assert 0 < draws[0].count(503) < 20
