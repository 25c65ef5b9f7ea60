"""`fmgo simulator`: it starts the simulator, shows what one that runs has seen, and switches faults on and off."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.integration.simulator.catalogue.case import Case, is_lost
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY
from workers.cli.main import run_command

_DEADLINE = 20


@pytest.fixture(autouse=True)
def _control(hosts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMGO_SIMULATOR_URL", hosts["control"])


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert run_command(["simulator", *arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_faults_are_added_listed_and_lifted(taxpayer: Taxpayer, capsys: pytest.CaptureFixture[str]) -> None:
    case = Case(taxpayer, Path())
    added = ["fault", "add", "F-LOST-1", "--id", "mine", "--company", COMPANY, "--times", "2", "--arg", "x=1"]
    (rule,) = _json(capsys, *added)
    assert (rule["fault"], rule["when"], rule["times"], rule["args"]) == ("F-LOST-1", {"company": COMPANY}, 2, {"x": 1})
    assert is_lost(lambda: case.upload(case.invoice()))
    (listed,) = _json(capsys, "fault", "list")
    assert (listed["id"], listed["fired"]) == ("mine", 1)
    assert run_command(["simulator", "fault", "list"]) == 0
    assert "F-LOST-1" in capsys.readouterr().out
    assert _json(capsys, "fault", "clear", "mine") == [{"lifted": [rule["number"]]}]
    assert _json(capsys, "fault", "list") == []
    assert run_command(["simulator", "fault", "add", "F-9", "--operation", "upload", "--probability", "0.5"]) == 0
    assert "F-9 is on (once)" in capsys.readouterr().out
    assert run_command(["simulator", "fault", "clear"]) == 0
    assert "1 lifted" in capsys.readouterr().out


def test_catalogue_is_shown(taxpayer: Taxpayer, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"F-XXE", "F-STATUS-n"} <= {entry["id"] for entry in _json(capsys, "fault", "catalogue")}
    assert run_command(["simulator", "fault", "catalogue"]) == 0
    assert "send the same bytes again" in capsys.readouterr().out


def test_held_answers_are_released(taxpayer: Taxpayer, capsys: pytest.CaptureFixture[str]) -> None:
    _json(capsys, "fault", "add", "F-LOST-7", "--id", "pause")
    assert _json(capsys, "fault", "release", "pause") == [{"released": 1}]
    case = Case(taxpayer, Path())
    assert not is_lost(lambda: case.upload(case.invoice()))


def test_show_tells_hosts_faults_requests_and_invariants(
    taxpayer: Taxpayer, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(taxpayer, Path())
    taxpayer.send(case.invoice())
    case.fault("F-9", id="mine", when={"company": "77900202-0"})
    assert run_command(["simulator", "show"]) == 0
    text = capsys.readouterr().out
    for part in (taxpayer.sii.hosts["dte"], "mine", "DTEUpload", "STATUS 0", "accepted=1", "the invariants hold"):
        assert part in text
    (shown,) = _json(capsys, "show")
    assert (shown["ok"], shown["accepted"]) == (True, 1)
    # The same folio in other bytes breaks an invariant, and the exit code says so.
    taxpayer.send(case.invoice(item="Otro"))
    assert run_command(["simulator", "show"]) == 1
    assert "received with different bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("fault", "add", "F-NADA"), 2, "no such fault"),
        (("fault", "add", "F-9", "--arg", "x"), 2, "NAME=VALUE"),
        (("fault", "clear", "nobody"), 1, "nothing of that name"),
        (("show", "--control", "http://127.0.0.1:9"), 1, "No simulator answers"),
    ],
)
def test_what_is_wrong_is_said(
    taxpayer: Taxpayer, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, text: str
) -> None:
    assert run_command(["simulator", *arguments]) == code
    told = capsys.readouterr()
    assert text in told.out + told.err


def test_command_starts_the_simulator(tmp_path: Path) -> None:
    ports = tmp_path / "ports.json"
    command = [
        sys.executable,
        "-m",
        "workers.cli.main",
        "simulator",
        "--folder",
        str(tmp_path),
        "--port-file",
        str(ports),
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        ends = time.monotonic() + _DEADLINE
        while not ports.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < ends
            time.sleep(0.02)
        hosts = json.loads(ports.read_text())
        assert hosts["pid"] == process.pid
        assert "A simulated SII" in httpx.get(hosts["control"]).text
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(_DEADLINE) == 0
