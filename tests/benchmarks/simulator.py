"""What the simulated SII costs: documents a second on one core, with full checks and with light ones.

    python -m tests.benchmarks.simulator

A simulator process of its own is sent ready-made envelopes over HTTP; it reports its CPU itself. The figures are of
CPU, so that they hold on a machine that others use too. Goals: 300 documents a second under full checks, 10,000 under
light ones.
"""

import argparse
import base64
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.integration.simulator.client import Sii
from tests.integration.simulator.conftest import run_simulator
from tests.integration.simulator.documents import COMPANY, Caf, Cover, Sale, envelope, signed_dte
from tests.integration.simulator.signing import Person, make_authority, make_person

GOALS: Final = {"full": 300, "light": 10_000}
"""Documents a second of CPU."""
ENVELOPE: Final = 100
LINES: Final = 5
DOCUMENTS: Final = {"full": 1000, "light": 20_000}


@dataclass(frozen=True, slots=True)
class Effort:
    """Documents examined, and seconds of the simulator's CPU and of the clock that it took."""

    checks: str
    documents: int
    cpu: float
    seconds: float

    @property
    def rate(self) -> float:
        """Documents for a second of CPU."""
        return self.documents / self.cpu


class Taxpayer:
    """An invented company with folios to spare, enrolled at a running simulator."""

    def __init__(self, sii: Sii) -> None:
        self.sii = sii
        authority = make_authority()
        self.person: Person = make_person(authority, "11111111-1")
        made = sii.control(
            "POST",
            "/fixtures",
            {
                "authorities": [authority.pem],
                "companies": [
                    {
                        "rut": COMPANY,
                        "razon_social": "FERRETERIA",
                        "resolution": {"number": 0, "date": "2014-08-22"},
                    }
                ],
                "permissions": [{"person": self.person.rut, "company": COMPANY, "can": ["send", "query", "sign"]}],
                "cafs": [{"company": COMPANY, "type": 33, "from": 1, "to": 1_000_000}],
            },
        )
        self.caf = Caf.read(base64.b64decode(made["cafs"][0]["xml_base64"]))
        self.token = sii.login(self.person)

    def envelopes(self, documents: int) -> Iterator[bytes]:
        """So many invoices of five lines, in signed envelopes."""
        for start in range(1, documents + 1, ENVELOPE):
            folios = range(start, min(start + ENVELOPE, documents + 1))
            dtes = [signed_dte(self._body(folio), self.person) for folio in folios]
            yield envelope(dtes, [33] * len(dtes), Cover(self.person.rut), self.person)

    def copies(self, documents: int) -> Iterator[bytes]:
        """The same to a light look: one envelope again and again, with other folios of the same length."""
        first = 100_000
        dtes = [signed_dte(self._body(first + n), self.person) for n in range(ENVELOPE)]
        model = envelope(dtes, [33] * ENVELOPE, Cover(self.person.rut), self.person)
        for number in range(documents // ENVELOPE):
            data = model
            for tag in (b"Folio", b"F"):
                data = data.replace(b"<%s>1%03d" % (tag, 0), b"<%s>%04d" % (tag, 1000 + number))
            yield data

    def _body(self, folio: int) -> str:
        text = Sale(folio, amount=50_000).body(self.caf)
        start, end = text.index("<Detalle>"), text.index("</Detalle>\n") + len("</Detalle>\n")
        line = text[start:end].replace(">50000<", ">10000<")
        lines = [line.replace("<NroLinDet>1<", f"<NroLinDet>{number}<") for number in range(1, LINES + 1)]
        return text[:start] + "".join(lines) + text[end:]


def measure(checks: str, folder: Path, documents: int) -> Effort:
    """Start a simulator, send it so many documents (light: whole envelopes), and read what it took."""
    with run_simulator(folder, "--checks", checks) as hosts, Sii(hosts) as sii:
        taxpayer = Taxpayer(sii)
        made = list(taxpayer.envelopes(documents) if checks == "full" else taxpayer.copies(documents))
        before, began = sii.control("GET", "/cpu"), time.monotonic()
        for data in made:
            answer = sii.upload(taxpayer.token, data, sender=taxpayer.person.rut)
            assert "<STATUS>0</STATUS>" in answer.text, answer.text
        held = sii.control("GET", "/invariants")
        after, seconds = sii.control("GET", "/cpu"), time.monotonic() - began
        assert held["ok"], held
        assert (held["accepted"], held["rejected"], after["documents"]) == (documents, 0, documents), held
        return Effort(checks, documents, after["cpu_seconds"] - before["cpu_seconds"], seconds)


def measure_both(folder: Path) -> list[Effort]:
    """Full and light checks, one after the other, in folders of their own."""
    found = []
    for checks in GOALS:
        (folder / checks).mkdir(parents=True)
        found.append(measure(checks, folder / checks, DOCUMENTS[checks]))
    return found


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for found in measure_both(Path(folder)):
            print(f"checks {found.checks}: {found.rate:,.0f} documents/s of CPU; goal {GOALS[found.checks]:,}")


if __name__ == "__main__":
    main()
