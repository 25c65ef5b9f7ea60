"""What verifying costs beside its floor, and what envelopes cost: CPU of each document inside, memory of the largest.

python -m tests.benchmarks.verification
"""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from domain.caf import StampingCaf, read_caf
from domain.envelope import Caratula, build_envelope
from domain.issuing import issue
from domain.signature import RsaSigner
from domain.verification import Trust, verify
from tests.benchmarks.verification_floor import VerificationFloor
from tests.unit.domain import material

FEW, MANY, LARGEST = 5, 500, 2000
"""Documents of the envelopes that are compared, and of the largest one that the SII takes."""
_TURNS: Final = 120
_MILLISECONDS_A_TURN: Final = 8


@dataclass(frozen=True, slots=True)
class Verifying:
    """CPU of one document in milliseconds, and that of its floor in the same turns."""

    lines: int
    floor: float
    verify: float

    @property
    def ratio(self) -> float:
        """How many floors a verification costs."""
        return self.verify / self.floor


@dataclass(frozen=True, slots=True)
class Envelopes:
    """CPU in milliseconds a document of verifying envelopes, and memory while the largest one is built."""

    of_few: float
    of_many: float
    size: int
    """Bytes of the largest envelope."""
    beside: int
    """Bytes of memory that building it takes beside its own, at most."""

    @property
    def ratio(self) -> float:
        """What a document costs among many, in what it costs among few."""
        return self.of_many / self.of_few


class Workshop:
    """Invented keys and what is made with them."""

    def __init__(self) -> None:
        self.caf_key, sii = material.short_key(), material.short_key(exponent=65537)
        self.person = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = material.certificate(self.person, alternative_rut=material.ia5(material.PERSON))
        self.signer = RsaSigner.load(material.pkcs8(self.person), certificate.public_bytes(Encoding.DER))
        caf = read_caf(material.caf_file(self.caf_key, sii, last=9999).encode("iso-8859-1"))
        self.caf = StampingCaf.load(caf.caf_xml, caf.private_key_der)
        self.trust = Trust.with_keys([(999, material.public_pem(sii))])

    def document(self, lines: int, folio: int) -> bytes:
        """A sound invoice with so many lines."""
        sale = material.Sale(items=("Llave inglesa de acero cromado 10",) * lines)
        return issue(sale, folio=folio, caf=self.caf, signer=self.signer, at=material.AT).xml

    def documents(self, how_many: int) -> list[bytes]:
        """So many sound invoices of five lines."""
        return [self.document(5, folio) for folio in range(1, how_many + 1)]

    def envelope(self, documents: list[bytes]) -> bytes:
        """The envelope with these invoices."""
        caratula = Caratula(material.ISSUER, material.PERSON, material.TODAY, 0)
        types = [33] * len(documents)
        return build_envelope(documents, types, caratula=caratula, signer=self.signer, at=material.AT)

    def floor(self) -> VerificationFloor:
        """The floor of what is made here."""
        return VerificationFloor(self.person.public_key(), self.caf_key.public_key())

    def judge(self, data: bytes) -> None:
        """Verify it, and insist."""
        verdict = verify(data, trust=self.trust, at=material.AT)
        assert verdict.verdict == "accept", verdict.problems


def measure_verifying(workshop: Workshop, lines: int) -> Verifying:
    """A document's verification beside its floor, in short turns: the quarter that was disturbed least of each."""
    floor, document = workshop.floor(), workshop.document(lines, 1)
    bare, whole = _in_turns(lambda: floor.judge(document), lambda: workshop.judge(document))
    return Verifying(lines, bare, whole)


def measure_envelopes(workshop: Workshop) -> Envelopes:
    """Envelopes of few and of many documents in turns, and the memory of the largest."""
    documents = workshop.documents(LARGEST)
    few, many = workshop.envelope(documents[:FEW]), workshop.envelope(documents[:MANY])

    def few_often() -> None:
        for _ in range(MANY // FEW):
            workshop.judge(few)

    of_few, of_many = _in_turns(few_often, lambda: workshop.judge(many), turns=12)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        size = len(workshop.envelope(documents))
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Envelopes(of_few / MANY, of_many / MANY, size, highest - before - size)


def _in_turns(one: Callable[[], object], other: Callable[[], object], *, turns: int = _TURNS) -> tuple[float, float]:
    """CPU of one call of each in milliseconds: the lower quartile of many short turns, so that both meet the same."""
    times = max(1, round(_MILLISECONDS_A_TURN / _timed(one, 3)))
    _timed(other, 3)
    taken = [(_timed(one, times), _timed(other, times)) for _ in range(turns)]
    quarter = turns // 4
    return sorted(first for first, _ in taken)[quarter], sorted(second for _, second in taken)[quarter]


def _timed(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) * 1000 / times


def main() -> None:
    """Measure and print."""
    workshop = Workshop()
    for lines in (1, 5, 60):
        found = measure_verifying(workshop, lines)
        print(f"verify, {lines} lines: {found.verify:.3f} ms, floor {found.floor:.3f} ms, ratio {found.ratio:.2f}")
    envelopes = measure_envelopes(workshop)
    print(f"verify a document among {FEW}: {envelopes.of_few:.3f} ms, among {MANY}: {envelopes.of_many:.3f} ms")
    print(f"building {LARGEST}: {envelopes.size / 1e6:.1f} MB, {envelopes.beside / 1e6:.1f} MB of memory beside them")


if __name__ == "__main__":
    main()
