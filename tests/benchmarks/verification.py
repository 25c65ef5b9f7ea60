"""What verifying costs against its floor, and whether an envelope of many documents costs no more a document.

The floor is what no verifier can leave out, done by nothing of FMgo's: one parse, the canonical form of the document
and of what was signed, the check of the signature (2048 bits) and of the stamp (512), the judgement of the schema.

    python -m tests.benchmarks.verification
"""

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from domain.caf import StampingCaf, read_caf
from domain.envelope import Caratula, build_envelope
from domain.issuing import issue
from domain.schema import official_folder
from domain.signature import RsaSigner
from domain.verification import Trust, verify
from tests.unit.domain import material

_SII = "{http://www.sii.cl/SiiDte}"
_DSIG = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True)
class Figures:
    """What was measured, in milliseconds of CPU and ratios."""

    lines: int
    floor: float
    verify: float

    @property
    def ratio(self) -> float:
        """How many floors a verification costs."""
        return self.verify / self.floor


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

    def envelope(self, documents: int) -> bytes:
        """An envelope of so many invoices of five lines."""
        caratula = Caratula(material.ISSUER, material.PERSON, material.TODAY, 0)
        return build_envelope(
            [self.document(5, folio) for folio in range(1, documents + 1)],
            [33] * documents,
            caratula=caratula,
            signer=self.signer,
            at=material.AT,
        )

    def judge(self, data: bytes) -> None:
        """Verify it, and insist."""
        verdict = verify(data, trust=self.trust, at=material.AT)
        assert verdict.verdict == "accept", verdict.problems


class Floor:
    """The least that verifying a document takes."""

    def __init__(self, workshop: Workshop) -> None:
        self._schema = etree.XMLSchema(etree.parse(official_folder() / "DTE_v10.xsd"))
        self._parser = etree.XMLParser(encoding="ISO-8859-1", resolve_entities=False, no_network=True)
        self._key = x509.load_der_x509_certificate(workshop.signer.certificate_der).public_key()
        self._caf_key = workshop.caf_key.public_key()
        self._padding, self._sha1 = padding.PKCS1v15(), hashes.SHA1()  # noqa: S303  (fixed by the SII)

    def judge(self, data: bytes) -> None:
        """One document, by hand."""
        root = etree.fromstring(data, self._parser)
        self._schema.assertValid(root)
        document, signature = root.find(f"{_SII}Documento"), root.find(f"{_DSIG}Signature")
        assert document is not None
        assert signature is not None
        digest = hashlib.sha1(self._canonical(document)).digest()  # noqa: S324  (fixed by the SII)
        assert digest == base64.b64decode(str(signature.findtext(f".//{_DSIG}DigestValue")))
        info = signature.find(f"{_DSIG}SignedInfo")
        assert info is not None
        assert isinstance(self._key, rsa.RSAPublicKey)
        value = base64.b64decode(str(signature.findtext(f"{_DSIG}SignatureValue")))
        self._key.verify(value, self._canonical(info), self._padding, self._sha1)
        stamp = base64.b64decode(str(document.findtext(f"{_SII}TED/{_SII}FRMT")))
        dd = data[data.index(b"<DD>") : data.index(b"</DD>") + 5]
        self._caf_key.verify(stamp, dd, self._padding, self._sha1)

    def _canonical(self, element: etree._Element) -> bytes:
        alone = etree.fromstring(etree.tostring(element, with_tail=False), self._parser)
        return etree.tostring(alone, method="c14n", with_comments=False)


def milliseconds(work: Callable[[], object], *, times: int, rounds: int = 7) -> float:
    """CPU of one call: the median of several rounds."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        taken.append((time.process_time() - began) * 1000 / times)
    return median(taken)


def against_floor(workshop: Workshop, lines: int) -> Figures:
    """A document's verification beside its floor, in turns."""
    floor, document = Floor(workshop), workshop.document(lines, 1)
    times = 3000 // (lines + 5)
    pairs = [
        (
            milliseconds(lambda: floor.judge(document), times=times, rounds=1),
            milliseconds(lambda: workshop.judge(document), times=times, rounds=1),
        )
        for _ in range(9)
    ]
    return Figures(lines, median(each for each, _ in pairs), median(each for _, each in pairs))


def per_document(workshop: Workshop, documents: int) -> float:
    """Milliseconds a document of an envelope of so many."""
    data = workshop.envelope(documents)
    return milliseconds(lambda: workshop.judge(data), times=max(1, 200 // documents), rounds=5) / documents


def main() -> None:
    """Measure and print."""
    workshop = Workshop()
    for lines in (1, 5, 60):
        figures = against_floor(workshop, lines)
        print(
            f"verify, {lines} lines: {figures.verify:.3f} ms, floor {figures.floor:.3f} ms, ratio {figures.ratio:.2f}"
            " (asked: at most 1.5)"
        )
    few, many = per_document(workshop, 5), per_document(workshop, 500)
    print(f"envelope: {few:.3f} ms a document of 5, {many:.3f} of 500, ratio {many / few:.2f} (asked: at most 1.3)")


if __name__ == "__main__":
    main()
