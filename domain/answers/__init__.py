"""What the SII's services answer, read without trusting it.

An answer may be what its manual says, or an HTML page, a text, a fault, half of itself, or a code that nobody
published. Every function here takes the status and bytes of an HTTP answer and returns a frozen value; none raises,
none does I/O, and none turns into a verdict what isn't one: an unknown code is kept verbatim and means "ask again"
(SII services for electronic documents; forms recorded in the field 2006-2026).
"""

from domain.answers.document import (
    DocumentStatus,
    read_document_proof,
    read_document_status,
    read_rest_document_status,
)
from domain.answers.envelope import (
    DocumentFinding,
    EnvelopeStatus,
    FindingError,
    TypeCounters,
    read_envelope_status,
    read_rest_envelope_status,
)
from domain.answers.login import SeedAnswer, TokenAnswer, read_seed, read_token
from domain.answers.soap import SoapFault, is_no_such_operation
from domain.answers.upload import UploadAnswer, read_rest_upload, read_upload

__all__ = [
    "DocumentFinding",
    "DocumentStatus",
    "EnvelopeStatus",
    "FindingError",
    "SeedAnswer",
    "SoapFault",
    "TokenAnswer",
    "TypeCounters",
    "UploadAnswer",
    "is_no_such_operation",
    "read_document_proof",
    "read_document_status",
    "read_envelope_status",
    "read_rest_document_status",
    "read_rest_envelope_status",
    "read_rest_upload",
    "read_seed",
    "read_token",
    "read_upload",
]
