"""`fmgo render`: signed documents, or envelopes of them, from files alone: no ledger, no network, nothing recorded.

Folios are given by hand, so whoever renders keeps count of them. Documents are jobs, a job's `document`, or
`{"id", "document"}`, as for `fmgo calculate`, from files or standard input. With `--json` every document is answered by
an object on a line, in order: what was made, with its XML when no folder is named, or its problems.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.caf import read_caf
from domain.certificate import open_credential
from domain.dte import as_file
from domain.envelope import Caratula, build_envelope, channel_of
from domain.format.table import PROFILES, Profile
from domain.issued import IssuedDocument, documents_in
from domain.job import NotAJob, members_of
from domain.job_shape import misplaced_document
from domain.problems import DomainError, Problem
from domain.rut import SII
from domain.signature import RsaSigner
from domain.stamp import chile
from workers.cli.access import PasswordFile, password_for, read_file
from workers.cli.jobs import bodies_in
from workers.cli.output import BAD_INPUT, DONE, NO, Json, complain, say, show_problems, write_json
from workers.cli.press import Asked, Press, Printed, RenderError, issuer_in, usable
from workers.cli.units import UfOption, unit_of

_LARGEST_FILE: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Refused:
    """A document that can't be made, and why."""

    asked: Asked
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """Bytes to hand over: one document, or an envelope of several."""

    name: str
    data: bytes
    held: Sequence[Printed]


def render(
    files: Annotated[
        list[str], typer.Argument(help="Jobs or documents, JSON or JSON lines; - for standard input.", metavar="FILE")
    ],
    caf: Annotated[list[Path], typer.Option(help="CAF file of the type. Repeats.", metavar="FILE")],
    pfx: Annotated[
        Path, typer.Option(help="Certificate and key of the person who signs: PFX, or PEM with both.", metavar="FILE")
    ],
    folio: Annotated[int, typer.Option(help="Folio of the first document of each type; the next ones follow.", min=1)],
    password_file: PasswordFile = None,
    issuer: Annotated[
        Path | None, typer.Option(help="JSON of the issuer's tags, for documents without Emisor.", metavar="FILE")
    ] = None,
    refers: Annotated[
        list[Path] | None,
        typer.Option(help="XML of documents that notes refer to. Repeats. Without it they are checked less."),
    ] = None,
    envelope: Annotated[bool, typer.Option("--envelope", help="Put the documents into an envelope.")] = False,
    resolution_date: Annotated[
        str | None, typer.Option(help="Date of the issuer's resolution, for the envelope.", metavar="DATE")
    ] = None,
    resolution_number: Annotated[int, typer.Option(help="Its number; 0 in certification.", min=0)] = 0,
    receiver: Annotated[str, typer.Option(help="RutReceptor of the envelope; the SII if left out.")] = SII,
    at: Annotated[str | None, typer.Option(help="Moment of signing; now if left out.", metavar="MOMENT")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Edition of the format, 2019 or 2026; by the document's day if left out.")
    ] = None,
    uf: UfOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write into; standard output if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Make signed documents, or envelopes of them (boletas in one of their own), offline.

    Ends with 0 when all were made, 1 when one was refused, 2 when the files do not go together.
    """
    moment, edition = _moment(at), None if profile is None else _profile(profile)
    resolved = _date(resolution_date) if envelope else None
    known = [each for path in refers or () for each in _issued(path)]
    company = issuer_in(read_file(issuer)) if issuer is not None else {}
    units = unit_of(uf)
    keys = read_file(pfx)
    credential = open_credential(keys, password_for(keys, password_file), at=moment)
    signer = RsaSigner.load(credential.private_key_der, credential.certificate_der)
    cafs = [usable(read_caf(read_file(each)), moment) for each in caf]
    press = Press(cafs, signer, moment, folio=folio, profile=edition, units=units, issuer=company, issued=known)
    answers = [_answer(press, asked) for asked in _documents(files)]
    made = [each for each in answers if isinstance(each, Printed)]
    refused = len(made) < len(answers)
    if resolved is None:
        _hand_over([_file_of(each) if isinstance(each, Printed) else each for each in answers], out, as_json=as_json)
    elif refused:
        _hand_over([each for each in answers if isinstance(each, _Refused)], out, as_json=as_json)
        complain("RENDER-ENVELOPE", "No envelope was made, because a document was refused.", as_json=as_json)
    else:
        envelopes = list(_envelopes(made, signer, resolved, resolution_number, receiver, moment))
        _hand_over(envelopes, out, as_json=as_json)
    raise typer.Exit(NO if refused else DONE)


def _answer(press: Press, asked: Asked) -> Printed | _Refused:
    try:
        return press.print(asked)
    except DomainError as fault:
        return _Refused(asked, fault.problems)


def _documents(files: Sequence[str]) -> Iterator[Asked]:
    for name in files:
        data = sys.stdin.buffer.read(_LARGEST_FILE) if name == "-" else _large(Path(name))
        for at, body in enumerate(bodies_in(data), 1):
            place = f"{name}:{at}"
            members = _object(place, body)
            document = members if "Encabezado" in members else members.get("document")
            if not isinstance(document, dict) or "Encabezado" not in document:
                _, misplaced = misplaced_document(members)
                sentence = "Write a job, or a document with its Encabezado."
                raise NotAJob([Problem("JOB-DOCUMENT", place, misplaced.message if misplaced else sentence)])
            wrapped = document is not members
            issuer = members.get("issuer") if wrapped else None
            called = members.get("id", members.get("idempotency_key")) if wrapped else None
            yield Asked(
                place, None if called is None else str(called), document, issuer if isinstance(issuer, str) else None
            )


def _issued(path: Path) -> Sequence[IssuedDocument]:
    try:
        return documents_in(_large(path))
    except DomainError as fault:
        raise RenderError(
            Problem(each.code, f"--refers {path} {each.path}".rstrip(), each.message) for each in fault.problems
        ) from None


def _large(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE)
    except OSError as fault:
        raise RenderError([Problem("FILE", str(path), f"{path} can't be read: {fault.strerror}.")]) from None


def _object(place: str, body: bytes) -> dict[str, Any]:
    """One object, read as jobs are; its problems name the place in the file."""
    try:
        return members_of(body)
    except NotAJob as refused:
        raise NotAJob(
            Problem(each.code, f"{place} {each.path}".strip(), each.message) for each in refused.problems
        ) from None


def _file_of(printed: Printed) -> _File:
    made = printed.made
    return _File(f"T{made.document_type}F{made.folio}.xml", as_file(made.xml), [printed])


def _envelopes(
    made: Sequence[Printed], signer: RsaSigner, resolved: date, number: int, receiver: str, at: datetime
) -> Iterator[_File]:
    """An envelope for each company and way to the SII: boletas never travel with others."""
    groups: dict[tuple[str, str], list[Printed]] = {}
    for each in made:
        groups.setdefault((each.issuer, channel_of(each.made.document_type)), []).append(each)
    for (issuer, channel), held in groups.items():
        caratula = Caratula(issuer, signer.rut, resolved, number, receiver)
        documents, types = [each.made.xml for each in held], [each.made.document_type for each in held]
        data = build_envelope(documents, types, caratula=caratula, signer=signer, at=at)
        root = "EnvioBOLETA" if channel == "rest" else "EnvioDTE"
        named = "envelope" if len(groups) == 1 else f"{root}-{issuer}"
        yield _File(f"{named}.xml", data, held)


def _hand_over(results: Sequence[_File | _Refused], out: Path | None, *, as_json: bool) -> None:
    """Write files and answers in their order."""
    if out is None and not as_json and sum(isinstance(each, _File) for each in results) > 1:
        sentence = "Several files do not go to standard output one after the other: name a folder (--out)."
        complain("RENDER-OUT", sentence, as_json=as_json)
        raise typer.Exit(BAD_INPUT)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for each in results:
        if isinstance(each, _Refused):
            _show_refused(each, as_json=as_json)
        else:
            _put(each, out, as_json=as_json)


def _put(file: _File, out: Path | None, *, as_json: bool) -> None:
    place = None if out is None else out / file.name
    if place is not None:
        place.write_bytes(file.data)
    if as_json:
        text = {"xml": file.data.decode("iso-8859-1")} if place is None else {}
        named = None if place is None else str(place)
        write_json({"file": named, **text, "documents": [_facts(one) for one in file.held]})
        return
    if place is None:
        sys.stdout.buffer.write(file.data)
    else:
        held = ", ".join(f"{one.made.document_type} folio {one.made.folio} of {one.made.total}" for one in file.held)
        say(f"{place}: {held}")
    _warn(file)


def _warn(file: _File) -> None:
    for each in file.held:
        show_problems(each.warnings)


def _show_refused(refused: _Refused, *, as_json: bool) -> None:
    if as_json:
        problems = [each.as_dict() for each in refused.problems]
        write_json({"file": None, "from": refused.asked.place, "id": refused.asked.name, "problems": problems})
        return
    named = f" ({refused.asked.name})" if refused.asked.name is not None else ""
    complain("RENDER-REFUSED", f"{refused.asked.place}{named} was not made:", as_json=False)
    show_problems(refused.problems)


def _facts(printed: Printed) -> dict[str, object]:
    made = printed.made
    return {
        "from": printed.asked.place,
        "id": printed.asked.name,
        "type": made.document_type,
        "folio": made.folio,
        "total": made.total,
        "receiver": made.receiver,
        "issued_on": made.issued_on.isoformat(),
        "ted": made.ted.decode("iso-8859-1"),
        "warnings": [each.as_dict() for each in printed.warnings],
    }


def _profile(text: str) -> Profile:
    for profile in PROFILES:
        if text == profile:
            return profile
    raise typer.BadParameter(f"{text!r} is no edition of the format: {' or '.join(PROFILES)}.")


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        sentence = f"Write a moment as 2026-11-24T10:15:00, not {text}."
        raise RenderError([Problem("AT-UNREADABLE", "--at", sentence)]) from None
    return found.replace(tzinfo=chile()) if found.tzinfo is None else found


def _date(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        sentence = "An envelope needs the date of the issuer's resolution, e.g. 2014-08-22."
        raise RenderError([Problem("RENDER-RESOLUTION", "--resolution-date", sentence)]) from None
