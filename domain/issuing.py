"""Issuing: from a document that was prepared to the bytes that are stored, sent and shown, made once.

The facade of this package for the pipeline: `prepare` checks and calculates, `issue` numbers, stamps, signs and has the
result judged by the SII's schema.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from domain.caf import CafError, StampingCaf
from domain.completion import IssuerData as IssuerData
from domain.dte import content_of, element_id, element_of, sign_document, unwritable
from domain.format.table import Profile
from domain.money import Number
from domain.preparing import Prepared as Prepared
from domain.preparing import ReferencedDocument as ReferencedDocument
from domain.preparing import prepare as prepare
from domain.preparing import references_of as references_of
from domain.problems import InvalidDocument
from domain.schema import validate_dte
from domain.signature import Signer
from domain.stamp import StampFields, build_stamp, local_timestamp


class Issuable(Protocol):
    """What issuing needs of a prepared document."""

    @property
    def document_type(self) -> int:
        """TipoDTE."""
        ...

    @property
    def issued_on(self) -> date:
        """FchEmis."""
        ...

    @property
    def receiver(self) -> str:
        """RUT of the receiver."""
        ...

    @property
    def total(self) -> Number:
        """MntTotal, in pesos or in the currency of an export."""
        ...

    @property
    def profile(self) -> Profile:
        """The edition of the format that it follows."""
        ...

    @property
    def stamp(self) -> StampFields:
        """What the stamp repeats."""
        ...

    def render(self, folio: int) -> str:
        """The text from `<Encabezado>` to the stamp, escaped, in the order of the schema."""
        ...


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document as it was issued, for good."""

    xml: bytes
    """`<DTE …>…</DTE>` alone, ISO-8859-1, no prolog: stored and sent as it is, never serialised again."""
    ted: bytes
    """The stamp, flat ISO-8859-1: the content of the barcode."""
    signature_value: str
    digest_value: str
    """Both base64 on one line."""
    element_id: str
    document_type: int
    folio: int
    total: Number
    receiver: str
    issued_on: date


def issue(prepared: Issuable, *, folio: int, caf: StampingCaf, signer: Signer, at: datetime) -> SignedDocument:
    """The document under that folio, stamped with the CAF's key and signed by `signer` at `at` (aware).

    The same arguments give the same bytes. Raises CafError when the CAF is not for this document (CAF-OTHER-DOCUMENT,
    CAF-FOLIO, CAF-LATER-THAN-DOCUMENT, CAF-EXPIRED), InvalidDocument when the result is not what the SII's schema or
    gateway takes (SCHEMA-…, DTE-ENCODING, DTE-LINE-TOO-LONG); then nothing was issued.
    """
    ted = _stamped(prepared.stamp, folio, caf, at)
    identifier = element_id(prepared.document_type, folio)
    signed = sign_document(
        content_of(prepared.render(folio), ted, at),
        element=element_of(prepared.document_type),
        identifier=identifier,
        signer=signer,
    )
    if found := validate_dte(signed.xml, prepared.profile):
        raise InvalidDocument(found)
    return SignedDocument(
        xml=signed.xml,
        ted=ted,
        signature_value=signed.signature_value,
        digest_value=signed.digest_value,
        element_id=identifier,
        document_type=prepared.document_type,
        folio=folio,
        total=prepared.total,
        receiver=prepared.receiver,
        issued_on=prepared.issued_on,
    )


def _stamped(fields: StampFields, folio: int, caf: StampingCaf, at: datetime) -> bytes:
    found = caf.problems_with(
        issuer=fields.issuer,
        document_type=fields.document_type,
        folio=folio,
        issued_on=fields.issued_on,
        stamped_on=date.fromisoformat(local_timestamp(at)[:10]),
    )
    if found:
        raise CafError(found)
    try:
        return build_stamp(fields, folio=folio, caf=caf, at=at)
    except UnicodeEncodeError as fault:
        raise InvalidDocument([unwritable(fault)]) from None
