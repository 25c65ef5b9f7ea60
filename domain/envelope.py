"""Envelopes (EnvioDTE, EnvioBOLETA): signed documents of one issuer with a Carátula, signed by the person who sends.

Documents go in as the bytes they were signed as. The envelope's own signature covers SetDTE where it stands, so the
namespaces of the root take part in it (SII, Instructivo técnico; RFR when `xmlns:xsi` is left out). The canonical text
is digested document by document and never held whole, in time proportional to the envelope.
Sources: SII, EnvioDTE_v10.xsd, EnvioBOLETA_v11.xsd; what the upload gateway refuses (CHR-00002, SCH-00001).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.dte import canonical_in_envelope
from domain.problems import DomainError, Problem
from domain.rut import SII
from domain.signature import (
    SCHEMA_INSTANCE,
    SII_NAMESPACE,
    Signer,
    canonical_signed_info,
    digest_of_pieces,
    signature_element,
)
from domain.stamp import local_timestamp

BOLETA_TYPES = frozenset({39, 41})
"""Types that travel in an EnvioBOLETA to the REST service; all others go by EnvioDTE to DTEUpload."""
MOST_DOCUMENTS = {"EnvioDTE": 2000, "EnvioBOLETA": 500}
"""Documents in one envelope (SII, EnvioDTE_v10.xsd; EnvioBOLETA_v11.xsd of 2020)."""
SCHEMA_FILES = {"EnvioDTE": "EnvioDTE_v10.xsd", "EnvioBOLETA": "EnvioBOLETA_v11.xsd"}
"""What xsi:schemaLocation names; the gateway refuses an envelope without it (SCH-00001)."""

_SCOPE = f' xmlns:xsi="{SCHEMA_INSTANCE}"'
_FACTS = re.compile(
    rb'<(?:Documento|Liquidacion|Exportaciones) ID="([^"]+)">'
    rb".*?<TipoDTE>(\d+)</TipoDTE>.*?<RUTEmisor>([^<]+)</RUTEmisor>",
    re.DOTALL,
)


class EnvelopeError(DomainError):
    """Documents that cannot travel in one envelope, or not under this Carátula."""


@dataclass(frozen=True, slots=True)
class Caratula:
    """What an envelope says of itself; RUTs are canonical."""

    issuer: str
    """RutEmisor: issuer of every document inside."""
    sender: str
    """RutEnvia: the person whose certificate signs the envelope."""
    resolution_date: date
    """FchResol of the issuer in the environment that the envelope goes to."""
    resolution_number: int
    """NroResol; 0 in certification."""
    receiver: str = SII
    """RutReceptor: the SII, or the customer for the copy sent to him."""


def channel_of(document_type: int) -> Literal["soap", "rest"]:
    """The way to the SII for documents of that type: boletas by REST, all others by SOAP and DTEUpload."""
    return "rest" if document_type in BOLETA_TYPES else "soap"


def build_envelope(
    documents: Sequence[bytes],
    types: Sequence[int],
    *,
    caratula: Caratula,
    signer: Signer,
    at: datetime,
    element_id: str = "SetDoc",
) -> bytes:
    """The envelope with these documents, as bytes to store and to send (ISO-8859-1, with prolog).

    `documents` are as `domain.issuing.issue` wrote them, `types` their TipoDTE in the same order, `at` (aware) becomes
    TmstFirmaEnv. Raises EnvelopeError: ENV-EMPTY, ENV-MIXED (boletas beside others), ENV-TOO-MANY, ENV-TYPES,
    ENV-ISSUER, ENV-DUPLICATE, ENV-SENDER, ENV-FOREIGN.
    """
    root = "EnvioBOLETA" if channel_of(types[0] if types else 0) == "rest" else "EnvioDTE"
    if found := _problems(root, documents, types, caratula, signer, element_id):
        raise EnvelopeError(found)
    head = _caratula_text(caratula, types, at)
    try:
        digest = digest_of_pieces(_canonical_set(head, documents, element_id))
    except ValueError as fault:
        raise EnvelopeError([Problem("ENV-FOREIGN", "SetDTE", f"A document cannot be enveloped: {fault}.")]) from None
    uri = f"#{element_id}"
    value = signer.sign(canonical_signed_info(uri=uri, digest=digest, in_scope=_SCOPE))
    signature = signature_element(uri=uri, digest=digest, value=value, signer=signer)
    opening = (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        f'<{root} xmlns="{SII_NAMESPACE}"{_SCOPE} '
        f'xsi:schemaLocation="{SII_NAMESPACE} {SCHEMA_FILES[root]}" version="1.0">\n'
        f'<SetDTE ID="{element_id}">\n{head}'
    )
    closing = f"</SetDTE>\n{signature}\n</{root}>\n"
    return b"\n".join((opening.encode("ascii"), *documents, closing.encode("ascii")))


def _canonical_set(head: str, documents: Sequence[bytes], element_id: str) -> Iterator[bytes]:
    """The canonical SetDTE in its place, which carries every namespace of the root, a document at a time."""
    yield f'<SetDTE xmlns="{SII_NAMESPACE}"{_SCOPE} ID="{element_id}">\n{head}'.encode("ascii")
    for document in documents:
        yield b"\n"
        yield canonical_in_envelope(document)
    yield b"\n</SetDTE>"


def _caratula_text(caratula: Caratula, types: Sequence[int], at: datetime) -> str:
    subtotals = "".join(
        f"<SubTotDTE><TpoDTE>{document_type}</TpoDTE><NroDTE>{count}</NroDTE></SubTotDTE>"
        for document_type, count in sorted(Counter(types).items())
    )
    return (
        f'<Caratula version="1.0"><RutEmisor>{caratula.issuer}</RutEmisor><RutEnvia>{caratula.sender}</RutEnvia>'
        f"<RutReceptor>{caratula.receiver}</RutReceptor><FchResol>{caratula.resolution_date.isoformat()}</FchResol>"
        f"<NroResol>{caratula.resolution_number}</NroResol><TmstFirmaEnv>{local_timestamp(at)}</TmstFirmaEnv>"
        f"{subtotals}</Caratula>"
    )


def _problems(
    root: str, documents: Sequence[bytes], types: Sequence[int], caratula: Caratula, signer: Signer, element_id: str
) -> list[Problem]:
    """What would make the SII refuse the envelope as a whole, found before anything is signed."""
    found = []
    if not documents:
        found.append(Problem("ENV-EMPTY", "SetDTE", "An envelope holds at least one document."))
    if len({channel_of(each) for each in types}) > 1:
        found.append(Problem("ENV-MIXED", "SetDTE", "Boletas (39, 41) do not travel with other documents."))
    if len(documents) > MOST_DOCUMENTS[root]:
        found.append(
            Problem("ENV-TOO-MANY", "SetDTE", f"{len(documents)} documents; {root} holds up to {MOST_DOCUMENTS[root]}.")
        )
    if signer.rut != caratula.sender:
        found.append(
            Problem(
                "ENV-SENDER",
                "Caratula/RutEnvia",
                f"RutEnvia is {caratula.sender} but the certificate that signs is of {signer.rut}.",
            )
        )
    return found + _documents_problems(documents, types, caratula.issuer, element_id)


def _documents_problems(
    documents: Sequence[bytes], types: Sequence[int], issuer: str, element_id: str
) -> list[Problem]:
    if len(documents) != len(types):
        return [Problem("ENV-TYPES", "SetDTE", f"{len(documents)} documents but {len(types)} types were given.")]
    found = []
    seen = {element_id}
    for at, (document, document_type) in enumerate(zip(documents, types, strict=True)):
        path = f"DTE[{at}]"
        facts = _FACTS.search(document)
        if facts is None:
            found.append(Problem("ENV-FOREIGN", path, "Not a document that was written here."))
            continue
        identifier, written_type, written_issuer = (each.decode("iso-8859-1") for each in facts.groups())
        if int(written_type) != document_type:
            found.append(Problem("ENV-TYPES", path, f"The document is a {written_type}, not a {document_type}."))
        if written_issuer != issuer:
            found.append(Problem("ENV-ISSUER", path, f"The document is of {written_issuer}, the envelope of {issuer}."))
        if identifier in seen:
            found.append(Problem("ENV-DUPLICATE", path, f"{identifier} stands twice in the envelope."))
        seen.add(identifier)
    return found
