"""The command `fmgo` against a ledger and a Redis database of the test's own."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from tests.integration.enrolment import kit
from tests.unit.domain import material
from workers.cli.main import run_command


@dataclass(frozen=True)
class Answer:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as JSON, an object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Fmgo = Callable[..., Answer]


@pytest.fixture
def fmgo(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fmgo]:
    """Run a command in this process, with the environment of a sandbox and the run's own key for CAFs."""
    for name in [name for name in os.environ if name.startswith("FMGO_")]:
        monkeypatch.delenv(name)  # the doctor tells every variable that is none of FMgo's
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pem = tmp_path_factory.mktemp("keys") / "sii.pem"
    pem.write_bytes(material.public_pem(kit.key("sii")))
    monkeypatch.setenv("FMGO_TRUST_CAF_KEYS", f"100={pem}")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("FMGO_PASSWORD", raising=False)
    root = logging.getLogger()
    handlers, level, structured = root.handlers[:], root.level, structlog.get_config()

    def run(*arguments: object) -> Answer:
        capfd.readouterr()
        code = run_command([str(argument) for argument in arguments])
        written = capfd.readouterr()
        return Answer(code, written.out, written.err)

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structured)


ISSUER_ADD = (
    *("issuer", "add", kit.ISSUER, "--razon-social", "FERRETERÍA ÑUBLE", "--giro", "Ferretería", "--acteco", "475201"),
    *("--dir-origen", "Av. O'Higgins 123", "--cmna-origen", "Chillán"),
    *("--resolution-number", "0", "--resolution-date", "2014-08-22"),
)
