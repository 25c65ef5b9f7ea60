"""One simulator process for these tests; each test begins with a clean state and its own fixtures."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.simulator.client import Sii, track_id
from tests.integration.simulator.documents import COMPANY, Caf, Cover, Sale, envelope, signed_dte
from tests.integration.simulator.signing import Authority, Person, make_authority, make_person

_DEADLINE = 120


@dataclass
class Taxpayer:
    """A company enrolled at the simulated SII, with a person who acts for it and folios of four types."""

    sii: Sii
    authority: Authority
    person: Person
    cafs: dict[int, Caf] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def token(self) -> str:
        if "soap" not in self.tokens:
            self.tokens["soap"] = self.sii.login(self.person)
        return self.tokens["soap"]

    @property
    def rest_token(self) -> str:
        if "rest" not in self.tokens:
            self.tokens["rest"] = self.sii.rest_login(self.person)
        return self.tokens["rest"]

    def dte(self, sale: Sale, form: str = "sii") -> str:
        return signed_dte(sale.body(self.cafs[sale.document_type]), self.person, form)

    def envelope(self, *sales: Sale, **cover: Any) -> bytes:
        types = [sale.document_type for sale in sales]
        return envelope([self.dte(s) for s in sales], types, Cover(self.person.rut, **cover), self.person)

    def send(self, data: bytes) -> str:
        """Upload; answers the track id."""
        return track_id(self.sii.upload(self.token, data, sender=self.person.rut))

    def state(self, track: str) -> str:
        return self.sii.envelope_state(self.token, track).state

    def findings(self, track: str) -> list[list[str]]:
        """Codes of the findings of each document of an upload."""
        contents = self.sii.control("GET", f"/uploads/{track}")["contents"]
        return [[finding["code"] for finding in document["findings"]] for document in contents]

    def envelope_findings(self, track: str) -> list[str]:
        return [finding["code"] for finding in self.sii.control("GET", f"/uploads/{track}")["findings"]]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A simulator process."""
    folder = tmp_path_factory.mktemp("sii")
    with run_simulator(folder) as addresses:
        yield addresses


@contextmanager
def run_simulator(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """Start the simulator, give its addresses, and end it."""
    port_file = folder / "ports.json"
    port_file.unlink(missing_ok=True)
    arguments = ["-m", "deploy.sandbox.sii", "--folder", str(folder), "--port-file", str(port_file), *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *arguments], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _DEADLINE
        while not port_file.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the simulator doesn't start"
            time.sleep(0.02)
        yield json.loads(port_file.read_text())
    finally:
        process.terminate()
        assert process.wait(_DEADLINE) == 0


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture(scope="session")
def person(authority: Authority) -> Person:
    return make_person(authority, "11111111-1")


@pytest.fixture
def sii(hosts: dict[str, str]) -> Iterator[Sii]:
    """The simulator in a clean state."""
    with Sii(hosts) as client:
        client.control("POST", "/reset", {})
        yield client


@pytest.fixture
def taxpayer(sii: Sii, authority: Authority, person: Person) -> Taxpayer:
    return enrol(sii, authority, person)


def enrol(sii: Sii, authority: Authority, person: Person, caf_date: str | None = None) -> Taxpayer:
    """Enrol a company with folios 1 to 100 of 33, 39, 56 and 61."""
    cafs = [{"company": COMPANY, "type": t, "from": 1, "to": 100, "date": caf_date} for t in (33, 39, 56, 61)]
    made = sii.control(
        "POST",
        "/fixtures",
        {
            "authorities": [authority.pem],
            "companies": [
                {
                    "rut": COMPANY,
                    "razon_social": "FERRETERÍA & CÍA",
                    "resolution": {"number": 0, "date": "2014-08-22"},
                    "actecos": [475201],
                }
            ],
            "persons": [{"rut": person.rut, "name": "Persona"}],
            "permissions": [{"person": person.rut, "company": COMPANY, "can": ["send", "query", "sign"]}],
            "cafs": cafs,
        },
    )
    read = {row["type"]: Caf.read(base64.b64decode(row["xml_base64"])) for row in made["cafs"]}
    return Taxpayer(sii, authority, person, read)
