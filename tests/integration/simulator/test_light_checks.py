"""Light checks: files are counted and remembered, not examined; and the simulator says what it all cost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import simulator
from tests.integration.simulator.client import Sii
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import Sale


@pytest.fixture
def light(sii: Sii, taxpayer: Taxpayer) -> Iterator[Taxpayer]:
    sii.control("POST", "/switches", {"checks": "light"})
    yield taxpayer
    sii.control("POST", "/switches", {"checks": "full"})


def test_what_full_checks_refuse_is_counted(light: Taxpayer) -> None:
    forged = light.envelope(Sale(1), Sale(2, 61), Sale(3)).replace(b"<MntTotal>11900<", b"<MntTotal>99999<")
    track = light.send(forged)
    assert light.state(track) == "EPR"
    assert light.findings(track) == [[], [], []]
    counters = light.sii.control("GET", f"/uploads/{track}")["counters"]
    assert counters["33"] == {"informados": 2, "aceptados": 2, "rechazados": 0, "reparos": 0}
    light.sii.control("POST", "/switches", {"checks": "full"})
    assert light.state(light.send(forged.replace(b"99999", b"99998"))) == "RFR"


def test_duplicates_are_noticed(light: Taxpayer) -> None:
    first = light.envelope(Sale(1))
    track = light.send(first)
    again = light.sii.upload(light.token, first, sender=light.person.rut)
    assert "<STATUS>99</STATUS>" in again.text
    assert f"Trackid {track}." in again.text
    other = light.send(light.envelope(Sale(1, amount=20000)))
    assert light.findings(other) == [["DTE-3-101"]]
    light.sii.control("POST", "/clock", {"advance": 901})
    assert light.findings(light.send(first)) == [["DTE-3-100"]]
    held = light.sii.control("GET", "/invariants")
    assert (held["accepted"], held["rejected"], held["doubled"], held["reissued"]) == (1, 0, 0, 1)


def test_counts_must_agree(light: Taxpayer) -> None:
    track = light.send(light.envelope(Sale(1), Sale(2), counts={33: 3}))
    assert light.state(track) == "RCT"
    assert light.sii.control("GET", "/documents") == []


def test_what_is_no_envelope_is_refused_at_once(light: Taxpayer) -> None:
    answer = light.sii.upload(light.token, b"<?xml version='1.0'?><Otro/>", sender=light.person.rut)
    assert "<STATUS>7</STATUS>" in answer.text


def test_documents_can_be_asked_about(light: Taxpayer) -> None:
    sale = Sale(7)
    light.send(light.envelope(sale))
    ask = light.token, light.person, 33, 7, sale.issued_on
    assert light.sii.document_state(*ask, sale.stated_total).state == "DOK"
    assert light.sii.document_state(*ask, sale.stated_total + 1).state == "DNK"


def test_verdicts_can_be_disturbed(light: Taxpayer) -> None:
    light.sii.control("POST", "/faults", {"fault": "F-HALF"})
    assert light.findings(light.send(light.envelope(Sale(1), Sale(2)))) == [[], ["HED-3-861"]]
    light.sii.control("POST", "/faults", {"fault": "F-RFR"})
    assert light.state(light.send(light.envelope(Sale(3)))) == "RFR"


@pytest.mark.parametrize(("checks", "documents"), [("full", 5), ("light", simulator.ENVELOPE)])
def test_its_own_cpu_is_told(tmp_path: Path, checks: str, documents: int) -> None:
    found = simulator.measure(checks, tmp_path, documents)
    assert found.documents == documents
    assert found.cpu > 0
    assert found.rate > 0
