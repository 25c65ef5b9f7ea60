"""Sound files made on the spot, and what an adversary makes of them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from domain.caf import StampingCaf, read_caf
from domain.envelope import Caratula, build_envelope
from domain.issuing import issue
from domain.signature import SII_NAMESPACE, RsaSigner, canonical_signed_info, digest_of, signature_element
from domain.verification import Trust, Verdict, verify
from tests.unit.domain import material

AT = dt.datetime(2026, 11, 24, 18, tzinfo=dt.UTC)
IDK = 999


@dataclass(frozen=True)
class Forge:
    """Keys of one run and what they make."""

    caf_key: rsa.RSAPrivateKey
    sii_key: rsa.RSAPrivateKey
    signer: RsaSigner

    @property
    def trust(self) -> Trust:
        """Trust in the key that plays the SII's part."""
        return Trust.with_keys([(IDK, material.public_pem(self.sii_key))])

    def caf(self, document_type: int = 33, **changes: object) -> StampingCaf:
        """A CAF with folios 1 to 100."""
        text = material.caf_file(self.caf_key, self.sii_key, document_type=document_type, **changes)  # type: ignore[arg-type]
        caf = read_caf(text.encode("iso-8859-1"))
        return StampingCaf.load(caf.caf_xml, caf.private_key_der)

    def document(self, folio: int = 1, *, signer: RsaSigner | None = None, sale: material.Sale | None = None) -> bytes:
        """A sound document."""
        made = sale or material.Sale()
        caf = self.caf(made.document_type)
        return issue(made, folio=folio, caf=caf, signer=signer or self.signer, at=material.AT).xml

    def signed_anew(self, good: str, bad: str) -> bytes:
        """A document with something in it that this house would not sign, signed all the same."""
        text = self.document().decode("iso-8859-1")
        element = text[text.index("<Documento ") : text.index("<Signature ")].rstrip()
        assert good in element
        element = element.replace(good, bad)
        canonical = element.replace("<Documento ", f'<Documento xmlns="{SII_NAMESPACE}" ', 1).encode()
        digest = digest_of(canonical)
        value = self.signer.sign(canonical_signed_info(uri="#F1T33", digest=digest))
        signature = signature_element(uri="#F1T33", digest=digest, value=value, signer=self.signer)
        return f'<DTE xmlns="{SII_NAMESPACE}" version="1.0">{element}{signature}</DTE>'.encode("iso-8859-1")

    def envelope(self, documents: int = 2, document_type: int = 33) -> bytes:
        """A sound envelope."""
        sale = material.Sale(document_type=document_type)
        return self.envelope_of([self.document(folio, sale=sale) for folio in range(1, documents + 1)], document_type)

    def envelope_of(self, made: list[bytes], document_type: int = 33) -> bytes:
        """An envelope of documents of one type."""
        caratula = Caratula(material.ISSUER, material.PERSON, dt.date(2014, 8, 22), 0)
        return build_envelope(made, [document_type] * len(made), caratula=caratula, signer=self.signer, at=material.AT)

    def judge(self, data: bytes, at: dt.datetime = AT) -> Verdict:
        """The verdict on a file."""
        return verify(data, trust=self.trust, at=at)


def signer_with(key: rsa.RSAPrivateKey, make: Callable[[rsa.RSAPrivateKey], x509.Certificate]) -> RsaSigner:
    """A signer whose certificate is made with `make`."""
    return RsaSigner.load(material.pkcs8(key), make(key).public_bytes(Encoding.DER))


def codes(verdict: Verdict) -> set[str]:
    """The codes of its problems."""
    return {each.code for each in verdict.problems}
