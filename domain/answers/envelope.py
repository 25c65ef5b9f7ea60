"""The state of an upload: QueryEstUp (SOAP) and boleta.electronica.envio (REST).

EPR ends the processing and is not an acceptance; the counters decide, and per document where not all were accepted.
Documents with repairs aren't counted as accepted; types may be missing from the counters (61 was, in 2026). An
unknown code is kept verbatim and is no verdict. Sources: SII, manual of QueryEstUp; API of boletas 1.0.5; answers
recorded in the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

from domain.answers.reading import UnreadableError, excerpt, number, read_json
from domain.answers.soap import Respuesta, SoapFault, read_soap
from domain.answers.table import ROWS
from domain.answers.table.envelopes import ENVELOPES
from domain.answers.table.row import NOTHING, meanings

Phase = Literal["pending", "processed", "refused", "token", "unknown"]

_PHASES: Final = meanings(ROWS, "QueryEstUp")
_REST_PHASES: Final = meanings(ROWS, "boleta upload status")
# No verdict, and waiting doesn't mend it: permission (106), the caller's RUT (-3, -6, -10, -13), a lost file (VOF).
_ALERTS: Final = frozenset(
    row.answer for row in ENVELOPES if row.is_code and row.meaning == "unknown" and row.person != NOTHING
)
_NOT_YET: Final = "-11"
_NOT_THEIRS: Final = "1"

_COUNTERS: Final[dict[str, str]] = {
    "INFORMADOS": "reported",
    "ACEPTADOS": "accepted",
    "RECHAZADOS": "rejected",
    "REPAROS": "repaired",
}
_UNAUTHORISED: Final = frozenset({401, 403})
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class TypeCounters:
    """How many documents of a type ended how; `repaired` are accepted too and not counted in `accepted`."""

    document_type: int | None
    reported: int | None
    accepted: int
    rejected: int
    repaired: int


@dataclass(frozen=True, slots=True)
class FindingError:
    """A reason: code as SECTION-LEVEL-CODE (level 3 rejects, 2 and 1 repair), the SII's text, its detail and line."""

    code: str
    text: str
    detail: str
    line: int | None


@dataclass(frozen=True, slots=True)
class DocumentFinding:
    """What a REST status says of one document: DOK, RPR, RCH or RLV, and why. Type and folio may be missing."""

    document_type: int | None
    folio: int | None
    state: str
    text: str
    errors: tuple[FindingError, ...]


@dataclass(frozen=True, slots=True)
class EnvelopeStatus:
    """How far an upload is.

    `phase`: "pending" and "unknown" are asked again, "token" after a new token, "processed" is decided by `counters`
    and per document, "refused" means that no document was received by this upload (RPT and RFR may mean that an earlier
    one was). `state` verbatim, `gloss` its words.
    `alert`: waiting alone doesn't help; somebody should look if it stays so. `counters` and `findings` may be empty.
    """

    phase: Phase
    state: str
    gloss: str
    counters: tuple[TypeCounters, ...] = ()
    findings: tuple[DocumentFinding, ...] = ()
    alert: bool = False
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None

    @property
    def accepted(self) -> int:
        """Documents accepted without repairs, over all types."""
        return sum(counter.accepted for counter in self.counters)

    @property
    def repaired(self) -> int:
        """Documents accepted with repairs, over all types."""
        return sum(counter.repaired for counter in self.counters)

    @property
    def rejected(self) -> int:
        """Documents rejected, over all types."""
        return sum(counter.rejected for counter in self.counters)


def read_envelope_status(http_status: int, body: bytes, *, retry_after: float | None = None) -> EnvelopeStatus:
    """Read what getEstUp answered."""
    base = EnvelopeStatus("unknown", "", "", http_status=http_status, body=body, retry_after=retry_after)
    try:
        answer = read_soap(body)
    except UnreadableError as error:
        phase: Phase = "token" if http_status in _UNAUTHORISED else "unknown"
        return replace(base, phase=phase, gloss=str(error))
    if isinstance(answer, SoapFault):
        phase = "token" if answer.speaks_of_token else "unknown"
        return replace(base, phase=phase, state="FAULT", gloss=answer.text)
    state = answer.state()
    foreign = state == _NOT_YET and answer.first("ERR_CODE") == _NOT_THEIRS
    return _judged(
        replace(base, state=state, gloss=answer.gloss() or _codes(answer), counters=_counters(answer), alert=foreign),
        _PHASES,
    )


def read_rest_envelope_status(http_status: int, body: bytes, *, retry_after: float | None = None) -> EnvelopeStatus:
    """Read the status of an upload of boletas. 404 soon after the upload is no verdict: it isn't visible yet."""
    base = EnvelopeStatus("unknown", "", excerpt(body), http_status=http_status, body=body, retry_after=retry_after)
    if http_status in _UNAUTHORISED or (http_status == _BAD_REQUEST and "token" in base.gloss.lower()):
        return replace(base, phase="token")
    if http_status == _NOT_FOUND:
        return replace(base, phase="pending")
    try:
        fields = read_json(body)
    except UnreadableError as error:
        return replace(base, gloss=str(error))
    if http_status != _OK or not isinstance(fields, dict) or not isinstance(fields.get("estado"), str):
        return base
    counters = tuple(
        counter for counter in map(_rest_counter, _dicts(fields.get("estadistica"))) if counter is not None
    )
    findings = tuple(map(_finding, _dicts(fields.get("detalle_rep_rech"))))
    state = str(fields["estado"]).strip()
    gloss = str(fields.get("descripcion") or fields.get("glosa") or "")
    return _judged(replace(base, state=state, gloss=gloss, counters=counters, findings=findings), _REST_PHASES)


def _judged(status: EnvelopeStatus, phases: Mapping[str, str]) -> EnvelopeStatus:
    """Add the phase; an EPR whose counters are missing or all zero is one that isn't ready."""
    phase = cast("Phase", phases.get(status.state, "unknown"))
    if status.state == "EPR" and status.accepted + status.rejected + status.repaired == 0:
        phase = "pending"
    return replace(status, phase=phase, alert=status.alert or status.state in _ALERTS)


def _counters(answer: Respuesta) -> tuple[TypeCounters, ...]:
    """Group flat siblings: a new group begins at each TIPO_DOCTO and wherever a name repeats."""
    groups: list[dict[str, str]] = []
    for name, text in answer.body:
        if name != "TIPO_DOCTO" and name not in _COUNTERS:
            continue
        if not groups or name == "TIPO_DOCTO" or name in groups[-1]:
            groups.append({})
        groups[-1][name] = text
    return tuple(counter for counter in map(_counter, groups) if counter is not None)


def _counter(group: Mapping[str, str]) -> TypeCounters | None:
    """Make a group's counters; one that isn't a number makes the group unreliable, so none of it is taken."""
    values = {field_name: number(group[name]) for name, field_name in _COUNTERS.items() if name in group}
    decided = [values.get(name, 0) for name in ("accepted", "rejected", "repaired")]
    accepted, rejected, repaired = decided
    if accepted is None or rejected is None or repaired is None or not values.keys() - {"reported"}:
        return None
    return TypeCounters(number(group.get("TIPO_DOCTO", "")), values.get("reported"), accepted, rejected, repaired)


def _rest_counter(entry: Mapping[str, object]) -> TypeCounters | None:
    """The same from ``estadistica``."""
    names = {"informados": "INFORMADOS", "aceptados": "ACEPTADOS", "rechazados": "RECHAZADOS", "reparos": "REPAROS"}
    group = {official: str(entry[name]) for name, official in names.items() if entry.get(name) is not None}
    if entry.get("tipo") is not None:
        group["TIPO_DOCTO"] = str(entry["tipo"])
    return _counter(group)


def _finding(entry: Mapping[str, object]) -> DocumentFinding:
    """One entry of ``detalle_rep_rech``."""
    return DocumentFinding(
        document_type=number(str(entry.get("tipo"))),
        folio=number(str(entry.get("folio"))),
        state=str(entry.get("estado") or ""),
        text=str(entry.get("descripcion") or ""),
        errors=tuple(map(_error, _dicts(entry.get("error")))),
    )


def _error(entry: Mapping[str, object]) -> FindingError:
    """One reason, with the familiar code of mails and portal, e.g. CRT-3-11."""
    code = "-".join(
        str(entry.get(name) if entry.get(name) is not None else "?") for name in ("seccion", "nivel", "codigo")
    )
    return FindingError(
        code=code,
        text=str(entry.get("descripcion") or ""),
        detail=str(entry.get("detalle") or ""),
        line=number(str(entry.get("linea"))),
    )


def _dicts(value: object) -> list[dict[str, object]]:
    """The objects of a JSON array that may be null or something else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _codes(answer: Respuesta) -> str:
    """The error codes of an answer without a gloss."""
    names = ("ERR_CODE", "GLOSA_ERR", "SRV_CODE", "SQL_CODE")
    return " ".join(f"{name}={text}" for name in names if (text := answer.first(name)) is not None)
