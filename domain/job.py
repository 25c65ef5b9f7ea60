"""The job: what a producer asks for, as JSON that any language can write.

    {"version": 1, "idempotency_key": …, "issuer": …, "environment"?, "branch"?, "till"?, "lane"?, "batch"?,
     "replaces"?, "document": {official tags}}

It promises that a body is either a job, whose key, issuer and hash are sure, or refused with every reason; that no body
makes it fail otherwise; and that figures reach the document as they were written, to the last decimal. An issuer that
can never exist is refused here, or its job would wait for it for ever. What stands in `document` isn't judged here
(domain/preparing does), so that a job with a bad document is still known by its key.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints, ValidationError
from pydantic.functional_validators import AfterValidator
from pydantic_core import ErrorDetails

from domain.job_shape import kind_of_value, misplaced_document, strange_member
from domain.money import exact_number
from domain.problems import DomainError, Problem, shown
from domain.rut import ANONYMOUS, FOREIGNER, InvalidRut, normalise

DEEPEST = 24
"""Levels of objects and lists in a job; a document has at most six."""
LONGEST_KEY = 200
LARGEST = 1024 * 1024
"""Bytes of a job unless an installation says otherwise. A document of the most lines that the format allows (60 of an
invoice, 1,000 of a boleta) has some three hundred thousand; an ordinary one has one or two thousand."""
LONGEST_NUMBER = 40
"""Characters of a number that is still kept as one; a longer one stays a text, which the document then refuses."""

Environment = Literal["certification", "production"]
Lane = Literal["interactive", "bulk"]


class NotAJob(DomainError):  # noqa: N818  (named for what the sender sees)
    """Bytes that can't be taken for a job: nothing is recorded but the bytes and why."""


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("printable characters")
    return text


def _issuer(text: str) -> str:
    try:
        rut = normalise(text)
    except InvalidRut as fault:
        raise ValueError(str(fault)) from None
    if rut in (ANONYMOUS, FOREIGNER):
        raise ValueError(f"{rut} stands for receivers without a RUT and issues nothing")
    return rut


def _object(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("an object")  # noqa: TRY004  (pydantic tells ValueError)
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number")  # noqa: TRY004  (pydantic tells ValueError)
    return value


def _uuid(value: object) -> object:
    if isinstance(value, str):
        return uuid.UUID(value)
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY), AfterValidator(_printable)]
"""A name that a producer gives: 1 to 200 printable characters."""


class Job(BaseModel):
    """A job as it came; `document` is still the producer's own, `issuer` is canonical and may exist."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[Literal[1], BeforeValidator(_number)] = Field(description="Version of this format.")
    idempotency_key: Name = Field(
        description="The producer's own name for this sale, one for an issuer and environment. The same key with the "
        "same issuer and document is the same sale, however often it is sent.",
    )
    issuer: Annotated[str, StringConstraints(max_length=20), AfterValidator(_issuer)] = Field(
        description="RUT of the company that issues, e.g. 76900101-8.",
    )
    environment: Environment = Field(default="certification", description="Which of the SII's worlds; never guessed.")
    branch: Name | None = Field(default=None, description="The issuer's branch, by the name it was registered under.")
    till: Name | None = Field(default=None, description="The till or terminal.")
    lane: Lane = Field(default="interactive", description="interactive when somebody waits, bulk for billing runs.")
    batch: Annotated[uuid.UUID, BeforeValidator(_uuid)] | None = Field(
        default=None,
        description="The batch that the job belongs to.",
    )
    replaces: Name | None = Field(
        default=None,
        description="Idempotency key or document id of the rejected document that this one replaces.",
    )
    document: Annotated[dict[str, Any], PlainValidator(_object, json_schema_input_type=dict[str, Any])] = Field(
        description="Official tags: Encabezado, Detalle, DscRcgGlobal, Referencia. Emisor, folio, day, numbers of "
        "lines and totals may be left out. Figures are JSON numbers, or texts with a decimal point; a text with "
        "exactly three digits behind its point is refused, because in Chile that point separates thousands.",
    )


_CODES = {
    "version": ("JOB-VERSION", "Write version 1."),
    "idempotency_key": ("JOB-KEY", "Give the job a key of 1 to 200 printable characters."),
    "issuer": ("JOB-ISSUER", "Write the issuer's RUT as 12345678-9."),
    "environment": ("JOB-ENVIRONMENT", "Write certification or production, or leave it out for certification."),
    "branch": ("JOB-BRANCH", "Write the branch's name, 1 to 200 printable characters, or leave it out."),
    "till": ("JOB-TILL", "Write the till's name, 1 to 200 printable characters, or leave it out."),
    "lane": ("JOB-LANE", "Write interactive or bulk, or leave it out for interactive."),
    "batch": ("JOB-BATCH", "Write the batch's UUID, or leave it out."),
    "replaces": ("JOB-REPLACES", "Write the key or the id of the rejected document, or leave it out."),
    "document": ("JOB-DOCUMENT", "Write the document as an object of official tags."),
    "reply": ("JOB-REPLY", "Take reply out: results are told in the usual places only (hash, stream, ledger)."),
}
"""Code and sentence of each member that can be wrong."""
_TEXTS = ("idempotency_key", "issuer", "environment", "branch", "till", "lane", "batch", "replaces")


def parse_job(body: bytes, most_bytes: int = LARGEST) -> Job:
    """The job in a message's body (UTF-8 JSON). Raises NotAJob with every reason, and nothing else."""
    if len(body) > most_bytes:
        raise too_large(len(body), most_bytes)
    members = members_of(body)
    known = {name: value for name, value in members.items() if name in Job.model_fields}
    wrong = dict.fromkeys((name for name in members if name not in known), "")
    try:
        job = Job.model_validate(known)
    except ValidationError as fault:
        errors = fault.errors(include_url=False, include_input=False, include_context=False)
        wrong |= {str(error["loc"][0]): _why(error) for error in errors}
        job = None
    if job is None or wrong:
        raise NotAJob(_problems(members, wrong))
    return job


def _problems(members: Mapping[str, Any], wrong: Mapping[str, str]) -> Iterator[Problem]:
    """What to do about each wrong member; a document that stands elsewhere is told once."""
    parts, misplaced = misplaced_document(members)
    if misplaced is not None:
        yield misplaced
    for member, why in wrong.items():
        if member not in parts and not (misplaced is not None and member == "document"):
            yield _problem(member, why or _kind(member, members))


def _kind(member: str, members: Mapping[str, Any]) -> str:
    said = kind_of_value(member, members.get(member)) if member in ("version", *_TEXTS) else ""
    return f"write it {said}" if said else ""


def _why(error: ErrorDetails) -> str:
    """Why an issuer is none, where its shape is right; the other sentences say all by themselves."""
    said = error["msg"].removeprefix("Value error, ")
    return (
        said if error["loc"] == ("issuer",) and error["type"] == "value_error" and not said.startswith("write") else ""
    )


def too_large(size: int, most_bytes: int) -> NotAJob:
    """What is said of a job of too many bytes; none of it needs to be read for that."""
    return _refused("JOB-TOO-LARGE", f"A job has at most {most_bytes} bytes; this one has {size}: split it.")


def body_hash(job: Job) -> bytes:
    """SHA-256 of what the job asks for: issuer and document as canonical JSON (sorted members, no blanks, ASCII)."""
    asked = {"issuer": job.issuer, "document": job.document}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode("ascii")).digest()


def document_id(issuer: str, environment: str, key: str, attempt: int) -> uuid.UUID:
    """The id of the document that a job becomes; anybody with the key can compute it. `attempt` counts from 1.

    It is the first half of the SHA-256 of environment, issuer, attempt and key, a line each; the ledger does the same.
    """
    named = "\n".join((environment, issuer, str(attempt), key)).encode()
    return uuid.UUID(bytes=hashlib.sha256(named).digest()[:16])


def job_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a job, generated from the model."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Job.model_json_schema()}


def _problem(member: str, why: str) -> Problem:
    if member in _CODES:
        code, sentence = _CODES[member]
        return Problem(code, member, f"{sentence.removesuffix('.')}: {why}." if why else sentence)
    return strange_member(member, Job.model_fields)


def _refused(code: str, sentence: str) -> NotAJob:
    return NotAJob([Problem(code, "", sentence)])


class _Duplicate(Exception):  # noqa: N818  (a finding on the way out of the parser)
    """A JSON object names a member twice."""


def members_of(body: bytes) -> dict[str, Any]:
    """The members of one JSON object (UTF-8), read strictly and exactly. Raises NotAJob with the reason."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _refused("JOB-ENCODING", f"Write UTF-8: byte {fault.start} is something else.") from None
    try:
        members = _parsed(text)
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(members, dict):
        raise _refused("JOB-OBJECT", "Write one JSON object.")
    if _depth_exceeds(members, DEEPEST):
        raise _too_deep()
    return members


def _parsed(text: str) -> Any:
    try:
        return _loads(text, None)
    except _Duplicate as fault:
        name = shown(fault.args[0])
        raise NotAJob([Problem("JOB-DUPLICATE", name, f"Write {name} once: an object names it twice.")]) from None
    except json.JSONDecodeError as fault:
        raise _refused("JOB-JSON", f"Write valid JSON: {fault.msg} at character {fault.pos}.") from None
    except ValueError:  # a whole number of thousands of digits
        return _loads(text, _whole)


def _loads(text: str, whole: Callable[[str], int | str] | None) -> Any:
    return json.loads(
        text,
        object_pairs_hook=_once,
        parse_float=_figure,
        parse_int=whole,
        parse_constant=_no_number,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Duplicate(next(name for name in names if names.count(name) > 1))
    return members


def _figure(text: str) -> float | str:
    """A number with a fraction or exponent: as float where that is exact, else as a text of the same figure."""
    return exact_number(text, LONGEST_NUMBER)


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= LONGEST_NUMBER else text


def _no_number(name: str) -> None:
    raise _refused("JOB-JSON", f"Write valid JSON: {name} is no number.")


def _too_deep() -> NotAJob:
    return _refused("JOB-DEPTH", f"Write at most {DEEPEST} levels of objects and lists.")


def _depth_exceeds(members: dict[str, Any], deepest: int) -> bool:
    level: list[Any] = [members]
    for _ in range(deepest):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in (dict, list)
        ]
        if not level:
            return False
    return True
