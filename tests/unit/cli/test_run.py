"""Starting processes: which command this process becomes, and with which variables."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from workers.cli.main import run_command
from workers.queues import QUEUES
from workers.vault.sealing import new_key

Became = list[tuple[list[str], dict[str, str]]]


class GoneError(Exception):
    """This process would be another now."""


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> Iterator[Became]:
    found: Became = []

    def execve(path: str, argv: Sequence[str], environment: dict[str, str]) -> None:
        assert path == argv[0] == sys.executable
        found.append((list(argv), environment))
        raise GoneError

    niceness: list[int] = []
    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr(os, "nice", niceness.append)
    yield found
    assert niceness == ([5] if any("bulk@%h" in argv for argv, _ in found) else [])


def start(*arguments: str) -> None:
    with pytest.raises(GoneError):
        run_command(arguments)


def settings_of(folder: Path) -> dict[str, str]:
    """What a worker must be told."""
    return {
        "FMGO_DATABASE_URL": "postgresql://x/x",
        "FMGO_REDIS_URL": "redis://x",
        "FMGO_EVIDENCE_DIR": str(folder / "evidence"),
        "FMGO_VAULT_KEYS": new_key("k1"),
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FMGO_VAULT_KEYS", "k1:c2hvcnQ=", "32 bytes"),
        ("FMGO_EVIDENCE_DIR", "/proc/none", "/proc/none can't be made"),
        ("FMGO_SII_CA_FILE", "/nonexistent", "FMGO_SII_CA_FILE: /nonexistent can't be read"),
        ("FMGO_SII_ENVIROMENT", "production", "did you mean FMGO_SII_ENVIRONMENT?"),
        ("FMGO_BEAT_SECONDS", "10", "FMGO_DEAD_AFTER_SECONDS"),
    ],
)
def test_a_worker_that_cant_begin_says_why_and_ends_with_2(
    became: Became,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
) -> None:
    for one, good in settings_of(tmp_path).items():
        monkeypatch.setenv(one, good)
    monkeypatch.setenv(name, value)
    assert run_command(["worker", "bulk"]) == 2
    told = capsys.readouterr().err
    assert said in told.replace("\n", " ")
    assert "Traceback" not in told
    assert became == []


@pytest.mark.parametrize("kind", QUEUES)
def test_a_worker_serves_the_queues_of_its_kind(
    became: Became, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in settings_of(tmp_path).items():
        monkeypatch.setenv(name, value)
    start("worker", kind, "--concurrency", "3", "--loglevel", "INFO")
    ((argv, environment),) = became
    assert argv[argv.index("--queues") + 1] == ",".join(QUEUES[kind])
    assert argv[argv.index("--concurrency") + 1] == "3"
    assert argv[argv.index("--hostname") + 1] == f"{kind}@%h"
    assert argv[-2:] == ["--loglevel", "INFO"]
    assert environment["FMGO_WORKER_KIND"] == kind


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (("sandbox",), ["deploy.sandbox.up"]),
        (("sandbox", "--jobs", "x.jsonl"), ["deploy.sandbox.demo", "--jobs", "x.jsonl"]),
        (("simulator", "--folder", "/x"), ["deploy.sandbox.sii", "--folder", "/x"]),
    ],
)
def test_the_sandbox_is_started_by_name(became: Became, arguments: tuple[str, ...], module: list[str]) -> None:
    start(*arguments)
    assert became[0][0] == [sys.executable, "-m", *module]


def test_a_worker_without_settings_says_which_are_missing(
    became: Became, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FMGO_DATABASE_URL", raising=False)
    assert run_command(["worker", "bulk"]) == 2
    assert "FMGO_DATABASE_URL is not set" in capsys.readouterr().err
    assert became == []


def test_an_unknown_kind_is_bad_usage() -> None:
    assert run_command(["worker", "slow"]) == 2
