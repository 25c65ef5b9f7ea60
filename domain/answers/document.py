"""The state of one document: QueryEstDte and QueryEstDteAv (SOAP), boleta.electronica/…/estado (REST).

All know only documents whose envelope was processed: FAU is the answer for one never received, still in process, or
rejected, so it is "absent" and never by itself a proof. QueryEstDteAv compares the document's SignatureValue too: its
DOK says that the SII holds these very bytes, its DNK that it holds others. An error of the question is no answer.
Codes: SII, manuals of QueryEstDte and QueryEstDteAv; API of boletas 1.0.5.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

from domain.answers.reading import DIGITS, UnreadableError, excerpt, read_json, without_zeros
from domain.answers.soap import Respuesta, SoapFault, read_soap
from domain.answers.table import ROWS
from domain.answers.table.row import meanings

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

_BY_DATA: Final = meanings(ROWS, "QueryEstDte")
_BY_SIGNATURE: Final = meanings(ROWS, "QueryEstDteAv")
_BOLETAS: Final = meanings(ROWS, "boleta status")
_HELD: Final[frozenset[Meaning]] = frozenset({"accepted", "modified", "annulled"})
_UNDERSTOOD: Final = frozenset({"", "0"})
_UNAUTHORISED: Final = frozenset({401, 403})
_BAD_REQUEST: Final = 400
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """What the SII says of a folio.

    `meaning`: "accepted" (held with these data), "modified" and "annulled" (held, and a later note changes it),
    "mismatch" (held with other data, or asked wrongly), "absent" (not received, in process, or rejected),
    "not_authorised", "folio_annulled", "company_not_authorised", "token" (ask again with a new one), "unknown".
    `code` verbatim, `gloss` the SII's words. `by_signature`: the SII compared the document's SignatureValue, so that
    "accepted" speaks of our very bytes and "mismatch" of others. `track_id`: of the upload that brought it, if told.
    """

    meaning: Meaning
    code: str
    gloss: str
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None
    by_signature: bool = False
    track_id: str | None = None

    @property
    def held(self) -> bool:
        """Whether the SII says that it holds this very document."""
        return self.meaning in _HELD


def read_document_status(http_status: int, body: bytes, *, retry_after: float | None = None) -> DocumentStatus:
    """Read what getEstDte answered."""
    base = DocumentStatus("unknown", "", "", http_status=http_status, body=body, retry_after=retry_after)
    answer = _soap(base)
    if isinstance(answer, DocumentStatus):
        return answer
    code = answer.state()
    return replace(base, meaning=_meaning(_BY_DATA, code), code=code, gloss=_gloss(answer))


def read_document_proof(http_status: int, body: bytes, *, retry_after: float | None = None) -> DocumentStatus:
    """Read what getEstDteAv answered: its header says whether the question was understood, its body the rest."""
    base = DocumentStatus(
        "unknown", "", "", http_status=http_status, body=body, retry_after=retry_after, by_signature=True
    )
    answer = _soap(base)
    if isinstance(answer, DocumentStatus):
        return answer
    header = next((text for name, text in answer.header if name == "ESTADO"), "")
    understood = header.lstrip("0") if header.strip("0") else "0" if header else ""
    code = (answer.in_body("ESTADO") or "") if understood in _UNDERSTOOD else understood
    meaning = _meaning(_BY_SIGNATURE, code)
    denied = (answer.in_body("RECIBIDO") or "").upper() == "NO"
    if meaning in _HELD and denied:
        return replace(base, code=code, gloss="held and not received at once: " + _gloss(answer))
    brought_by = (answer.in_body("TRACKID") or "").strip()
    track_id = without_zeros(brought_by) if meaning in _HELD and DIGITS.fullmatch(brought_by) else None
    return replace(base, meaning=meaning, code=code, gloss=_gloss(answer), track_id=track_id)


def _soap(base: DocumentStatus) -> Respuesta | DocumentStatus:
    """The inner document; where there is none, the status that this leaves."""
    try:
        answer = read_soap(base.body)
    except UnreadableError as error:
        meaning: Meaning = "token" if base.http_status in _UNAUTHORISED else "unknown"
        return replace(base, meaning=meaning, gloss=str(error))
    if isinstance(answer, SoapFault):
        meaning = "token" if answer.speaks_of_token else "unknown"
        return replace(base, meaning=meaning, code="FAULT", gloss=answer.text)
    return answer


def _gloss(answer: Respuesta) -> str:
    words = (answer.first("GLOSA_ESTADO"), answer.first("GLOSA"), answer.first("GLOSA_ERR"))
    return ": ".join(dict.fromkeys(word for word in words if word))


def _meaning(table: dict[str, str], code: str) -> Meaning:
    """The table's meaning of a code, which its test keeps to the words of `Meaning`."""
    return cast("Meaning", table.get(code, "unknown"))


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
    return replace(base, meaning=_meaning(_BOLETAS, code), code=code, gloss=str(fields.get("descripcion") or ""))
