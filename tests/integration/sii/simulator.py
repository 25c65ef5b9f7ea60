"""The SII simulator as a process of its own, and an invented company that issues through it."""

import base64
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from domain.caf import StampingCaf, read_caf
from domain.envelope import Caratula, build_envelope
from domain.issuing import IssuerData, SignedDocument, issue, prepare
from tests.integration.sii.conftest import PERSON, Identity

COMPANY = "76900101-8"
RESOLUTION = date(2026, 1, 2)
_STARTS_WITHIN = 60


@dataclass(frozen=True)
class Simulator:
    """Addresses of a running simulator, and its control port."""

    dte: str
    boleta_api: str
    boleta_up: str
    control: str

    def tell(self, path: str, body: dict[str, Any] | None = None, *, method: str | None = None) -> Any:
        """One call of the control port."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    @property
    def hosts(self) -> dict[str, str]:
        """As the settings name them."""
        return {
            "sii_soap_url": self.dte,
            "sii_rest_url": self.boleta_api,
            "sii_rest_upload_url": self.boleta_up,
        }

    def now(self) -> datetime:
        """The simulator's time."""
        return datetime.fromisoformat(self.tell("/clock", {"advance": 0})["now"]).astimezone(UTC)


@contextmanager
def running(folder: Path) -> Iterator[Simulator]:
    """Start a simulator and end it with the block."""
    ports = folder / "ports.json"
    log = (folder / "log").open("wb")
    command = [sys.executable, "-m", "deploy.sandbox.sii", "--folder", str(folder), "--port-file", str(ports)]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            ends = time.monotonic() + _STARTS_WITHIN
            while not ports.exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < ends, "the simulator did not start"
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            found = json.loads(ports.read_text())
            yield Simulator(found["dte"], found["boleta_api"], found["boleta_up"], found["control"])
        finally:
            process.terminate()
            process.wait(20)


class Shop:
    """An invented company: enrolled at the simulator, with folios of its own, issuing documents."""

    def __init__(self, simulator: Simulator, identity: Identity) -> None:
        self.simulator = simulator
        self.identity = identity
        made = simulator.tell(
            "/fixtures",
            {
                "authorities": [identity.certificate_pem],
                "companies": [
                    {
                        "rut": COMPANY,
                        "razon_social": "COMERCIAL LINDEROS SPA",
                        "resolution": {"number": 0, "date": RESOLUTION.isoformat()},
                    }
                ],
                "persons": [{"rut": PERSON, "name": "Persona"}],
                "permissions": [{"person": PERSON, "company": COMPANY, "can": ["send", "query", "sign"]}],
                "cafs": [
                    {"company": COMPANY, "type": kind, "from": 1, "to": 1000, "date": "2026-11-02"} for kind in (33, 39)
                ],
            },
        )
        cafs = (read_caf(base64.b64decode(caf["xml_base64"])) for caf in made["cafs"])
        self._cafs = {caf.document_type: StampingCaf.load(caf.caf_xml, caf.private_key_der) for caf in cafs}
        self._next = dict.fromkeys(self._cafs, 1)
        self.issuer = IssuerData(
            rut=COMPANY,
            environment="certification",
            razon_social="COMERCIAL LINDEROS SPA",
            giro="VENTA AL POR MENOR",
            acteco=(471100,),
            dir_origen="CALLE UNO 1",
            cmna_origen="SANTIAGO",
            ciudad_origen="SANTIAGO",
            telefono=None,
            correo=None,
            sucursal=None,
            cdg_sii_sucur=None,
        )

    def document(self, kind: int) -> SignedDocument:
        """Issue the next invoice (33) or boleta (39)."""
        now = self.simulator.now()
        receiver = {
            "RUTRecep": "76900102-6",
            "RznSocRecep": "FERRETERÍA Ñ",
            "DirRecep": "CALLE DOS 2",
            "CmnaRecep": "SANTIAGO",
        }
        if kind == 33:
            receiver["GiroRecep"] = "FERRETERIA"
        prepared = prepare(
            {
                "Encabezado": {"IdDoc": {"TipoDTE": kind, "FchEmis": now.date().isoformat()}, "Receptor": receiver},
                "Detalle": [{"NmbItem": "Clavo", "QtyItem": 10, "PrcItem": 119}],
            },
            issuer=self.issuer,
            today=now.date(),
            referenced={},
        )
        folio = self._next[kind]
        self._next[kind] += 1
        return issue(prepared, folio=folio, caf=self._cafs[kind], signer=self.identity.signer, at=now)

    def envelope(self, *documents: SignedDocument, resolution: date = RESOLUTION) -> bytes:
        """Put documents into a signed envelope."""
        return build_envelope(
            [document.xml for document in documents],
            [document.document_type for document in documents],
            caratula=Caratula(COMPANY, PERSON, resolution, 0),
            signer=self.identity.signer,
            at=self.simulator.now(),
        )
