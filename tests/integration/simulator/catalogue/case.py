"""A taxpayer at a simulator in a clean state, and the requests that proofs make."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.integration.simulator.client import REST_AGENT, Answer, Sii, soap_body
from tests.integration.simulator.conftest import Taxpayer, enrol, run_simulator
from tests.integration.simulator.documents import ANONYMOUS, COMPANY, Sale, today
from tests.integration.simulator.signing import signed_get_token


@dataclass
class Case:
    taxpayer: Taxpayer
    folder: Path

    @property
    def sii(self) -> Sii:
        return self.taxpayer.sii

    def fault(self, fault: str, **rule: Any) -> dict[str, Any]:
        added: dict[str, Any] = self.sii.control("POST", "/faults", {"fault": fault} | rule)
        return added

    def lift(self) -> None:
        self.sii.control("DELETE", "/faults")

    def upload(self, data: bytes, **changes: Any) -> httpx.Response:
        given = {"sender": self.taxpayer.person.rut} | changes
        return self.sii.upload(given.pop("token", None) or self.taxpayer.token, data, **given)

    def invoice(self, folio: int = 1, **changes: Any) -> bytes:
        return self.taxpayer.envelope(Sale(folio, **changes))

    def boleta(self, folio: int = 1) -> bytes:
        return self.taxpayer.envelope(Sale(folio, 39, 11900), root="EnvioBOLETA")

    def send_boleta(self, data: bytes, **changes: Any) -> httpx.Response:
        token = changes.pop("token", None) or self.taxpayer.rest_token
        return self.upload(data, token=token, rest=True, **({"agent": REST_AGENT} | changes))

    def track_of_boleta(self, folio: int = 1) -> int:
        return int(self.send_boleta(self.boleta(folio)).json()["trackid"])

    def boleta_state(self, track: int) -> httpx.Response:
        return self.sii.rest(f"boleta.electronica.envio/{COMPANY}-{track}", self.taxpayer.rest_token)

    def boleta_document(self, **changes: str) -> httpx.Response:
        year, month, day = today().split("-")
        body, digit = ANONYMOUS.split("-")
        given = {"rut_receptor": body, "dv_receptor": digit, "monto": "11900", "fechaEmision": f"{day}-{month}-{year}"}
        path = f"boleta.electronica/{COMPANY}-39-1/estado"
        return self.sii.rest(path, self.taxpayer.rest_token, **{k: v for k, v in (given | changes).items() if v})

    def state(self, track: str) -> Answer:
        return self.sii.envelope_state(self.taxpayer.token, track)

    def document(self, folio: int = 1, kind: int = 33) -> str:
        answer = self.sii.document_state(self.taxpayer.token, self.taxpayer.person, kind, folio, today(), 11900)
        return answer.state

    def signed_seed(self, seed: str | None = None) -> str:
        return signed_get_token(self.taxpayer.person, seed or self.sii.seed())

    def login(self, seed: str | None = None) -> Answer:
        return self.sii.get_token(self.signed_seed(seed))

    def raw_state(self, track: str = "1") -> httpx.Response:
        body, digit = COMPANY.split("-")
        given = {"RutCompania": body, "DvCompania": digit, "TrackId": track, "Token": self.taxpayer.token}
        return self.sii.raw_soap("QueryEstUp.jws", soap_body("getEstUp", given))

    def stored(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sii.control("GET", "/uploads")
        return found

    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.sii.control("GET", "/ledger")
        return entries

    def advance(self, seconds: float) -> None:
        self.sii.control("POST", "/clock", {"advance": seconds})

    def switch(self, **values: Any) -> None:
        self.sii.control("POST", "/switches", values)

    @contextmanager
    def another(self, *options: str) -> Iterator["Case"]:
        """A simulator of its own with the same company, started with these options."""
        folder = self.folder / "another"
        folder.mkdir(exist_ok=True)
        with run_simulator(folder, *options) as hosts, Sii(hosts) as sii:
            yield Case(enrol(sii, self.taxpayer.authority, self.taxpayer.person), folder)


Proof = Callable[[Case], None]


def is_lost(send: Callable[[], object]) -> bool:
    """Whether a request ends without a usable answer."""
    try:
        send()
    except httpx.TransportError:
        return True
    return False


def status(answer: httpx.Response) -> str:
    """The STATUS of an answer of DTEUpload."""
    found = re.search(r"<STATUS>(\d+)</STATUS>", answer.text)
    assert found is not None, answer.text
    return found.group(1)
