"""The state of one document: QueryEstDte (SOAP) and boleta.electronica/…/estado (REST).

Both know only documents whose envelope was processed: FAU is the answer for one never received, still in process, or
rejected, so it is "absent" and never by itself a proof. An error of the question is no answer. Codes: SII, manual of
QueryEstDte; API of boletas 1.0.5.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

from domain.answers.reading import UnreadableError, excerpt, read_json
from domain.answers.soap import SoapFault, read_soap

Meaning = Literal[
    "accepted",
    "mismatch",
    "absent",
    "not_authorised",
    "folio_annulled",
    "company_not_authorised",
    "modified",
    "annulled",
    "token",
    "unknown",
]

_MEANINGS: Final[dict[str, Meaning]] = {
    "DOK": "accepted",
    "DNK": "mismatch",
    "FAU": "absent",
    "FNA": "not_authorised",
    "FAN": "folio_annulled",
    "EMP": "company_not_authorised",
    "TMD": "modified",
    "TMC": "modified",
    "MMD": "modified",
    "MMC": "modified",
    "AND": "annulled",
    "ANC": "annulled",
    "001": "token",
    "002": "token",
    "003": "token",
}
_HELD: Final[frozenset[Meaning]] = frozenset({"accepted", "modified", "annulled"})
_UNAUTHORISED: Final = frozenset({401, 403})
_BAD_REQUEST: Final = 400
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """What the SII says of a folio.

    `meaning`: "accepted" (held with these data), "modified" and "annulled" (held, and a later note changes it),
    "mismatch" (held with other data, or asked wrongly), "absent" (not received, in process, or rejected),
    "not_authorised", "folio_annulled", "company_not_authorised", "token" (ask again with a new one), "unknown".
    `code` verbatim, `gloss` the SII's words.
    """

    meaning: Meaning
    code: str
    gloss: str
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None

    @property
    def held(self) -> bool:
        """Whether the SII says that it holds this very document."""
        return self.meaning in _HELD


def read_document_status(http_status: int, body: bytes, *, retry_after: float | None = None) -> DocumentStatus:
    """Read what getEstDte answered."""
    base = DocumentStatus("unknown", "", "", http_status=http_status, body=body, retry_after=retry_after)
    try:
        answer = read_soap(body)
    except UnreadableError as error:
        meaning: Meaning = "token" if http_status in _UNAUTHORISED else "unknown"
        return replace(base, meaning=meaning, gloss=str(error))
    if isinstance(answer, SoapFault):
        meaning = "token" if answer.speaks_of_token else "unknown"
        return replace(base, meaning=meaning, code="FAULT", gloss=answer.text)
    code = answer.state()
    words = (answer.first("GLOSA_ESTADO"), answer.first("GLOSA"), answer.first("GLOSA_ERR"))
    gloss = ": ".join(dict.fromkeys(word for word in words if word))
    return replace(base, meaning=_MEANINGS.get(code, "unknown"), code=code, gloss=gloss)


def read_rest_document_status(http_status: int, body: bytes, *, retry_after: float | None = None) -> DocumentStatus:
    """Read the status of a boleta. A text under ``application/json`` ("falta monto") and a 404 are no answer."""
    text = excerpt(body)
    base = DocumentStatus("unknown", "", text, http_status=http_status, body=body, retry_after=retry_after)
    if http_status in _UNAUTHORISED or (http_status == _BAD_REQUEST and "token" in text.lower()):
        return replace(base, meaning="token")
    try:
        fields = read_json(body)
    except UnreadableError:
        return base
    if http_status != _OK or not isinstance(fields, dict) or not isinstance(fields.get("codigo"), str):
        return base
    code = str(fields["codigo"]).strip()
    return replace(base, meaning=_MEANINGS.get(code, "unknown"), code=code, gloss=str(fields.get("descripcion") or ""))
