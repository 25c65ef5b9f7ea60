"""`fmgo calculate`, `fmgo rules` and `fmgo answers`: what can be asked without a ledger, keys or a network.

`calculate` takes documents from files or standard input (an object, a list of objects, objects one after the other, or
JSON lines), each a job, a job's `document`, or `{"id", "document"}`, and answers a line each, in their order, with the
id: `{"id", "Totales", "Detalle": [{"MontoItem"}]}`, or `{"id", "problems"}`. In a pipe and with `--json` the answer is
JSON; at a terminal it is a table. The exit code is 2 when something wasn't a JSON object, 1 when a document has
problems, else 0.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from domain.answers.table import ELSEWHERE, ROWS, explained, level_of
from domain.answers.table.page import page as answers_page
from domain.codes.document_types import DOCUMENT_TYPES
from domain.format.table import PROFILES, Profile
from domain.job import NotAJob, members_of
from domain.money import unmistakable
from domain.problems import Problem
from domain.reckoning import Reckoning, reckon
from domain.rules import RULES, rules_of
from domain.rules.page import page, types_text
from workers.cli.jobs import bodies_in, refuse_nothing, refuse_other_kinds
from workers.cli.output import BAD_INPUT, DONE, NO, Json, complain, say, table, write_json
from workers.cli.units import UfOption, Units, unit_of

_EXACT_DIGITS = 15
CODES_MAY_BEGIN_WITH_MINUS: Final = {"ignore_unknown_options": True}
"""`fmgo answers -11` asks about the code -11."""

Asked = tuple[object, Mapping[str, Any]]
"""A document and the id that its answer bears, None without one."""


def calculate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Documents, JSON or JSON lines (- for standard input).", metavar="FILE")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of documents that state none.", metavar="DATE"),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Edition of the format, 2019 or 2026; by the document's day if left out.")
    ] = None,
    uf: UfOption = None,
    as_json: Json = False,
) -> None:
    """Calculate documents: amounts of the lines and totals, from what was sold."""
    edition = None if profile is None else _profile(profile)
    day = datetime.now(ZoneInfo("America/Santiago")).date() if on is None else on.date()
    units = unit_of(uf)
    shown = not as_json and sys.stdout.isatty()
    code, count = DONE, 0
    for body in _bodies(files or [Path("-")]):
        count += 1
        answer, ended = _answer(body, day, edition, units)
        code = max(code, ended)
        if shown:
            _show(answer)
        else:
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    refuse_nothing(count, files or ["-"], as_json=as_json)
    raise typer.Exit(code)


def rules(
    document_type: Annotated[int | None, typer.Option("--type", help="Only the rules of a type of document.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only those of an edition of the format: 2019 or 2026.")] = None,
    as_page: Annotated[bool, typer.Option("--page", help="Write the page of the documentation (Markdown).")] = False,
    as_json: Json = False,
) -> None:
    """List the rules that documents are held to."""
    if as_page:
        sys.stdout.write(page())
        return
    if document_type is not None and document_type not in DOCUMENT_TYPES:
        complain("TYPE", f"The SII has no electronic document of type {document_type}.", as_json=as_json)
        raise typer.Exit(BAD_INPUT)
    edition = None if profile is None else _profile(profile)
    chosen = RULES if document_type is None else rules_of(document_type, edition or PROFILES[-1])
    chosen = tuple(rule for rule in chosen if edition is None or edition in rule.profiles)
    if as_json:
        for rule in chosen:
            write_json(
                {
                    "id": rule.id,
                    "level": rule.level,
                    "types": sorted(rule.types),
                    "profiles": rule.profiles,
                    "path": rule.path,
                    "sentence": rule.sentence,
                    "source": rule.source,
                }
            )
        return
    lines = ((rule.id, rule.level, types_text(rule), rule.path, rule.sentence, rule.source) for rule in chosen)
    table(("id", "level", "types", "field", "what to do", "source"), lines, title="Rules")


def answers(
    code: Annotated[str | None, typer.Argument(help="Only the rows of this code, e.g. RFR.", metavar="CODE")] = None,
    as_page: Annotated[bool, typer.Option("--page", help="Write the page of the documentation (Markdown).")] = False,
    as_json: Json = False,
) -> None:
    """List what the SII may answer, what FMgo does then, and what a person must do."""
    if as_page:
        sys.stdout.write(answers_page())
        return
    chosen = [*ROWS, *ELSEWHERE] if code is None else explained(code)
    if not chosen:
        level = level_of(str(code))
        means = "asks again; it is no verdict" if level is None else f"judges by its {level}"
        said = f"FMgo knows no code {code} of the SII: it keeps such a one verbatim and {means}."
        complain("UNKNOWN", said, as_json=as_json)
        raise typer.Exit(NO)
    if as_json:
        for row in chosen:
            write_json(asdict(row))
        return
    lines = ((row.service, row.answer, row.says, row.does, row.person, row.source) for row in chosen)
    table(("service", "answer", "says", "FMgo", "a person", "known from"), lines, title="What the SII answers")


def _profile(text: str) -> Profile:
    for profile in PROFILES:
        if text == profile:
            return profile
    raise typer.BadParameter(f"{text!r} is no edition of the format: {' or '.join(PROFILES)}.")


def _bodies(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        try:
            data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            raise NotAJob([Problem("FILE", str(file), f"{file} can't be read: {error.strerror}.")]) from None
        refuse_other_kinds(data, "standard input" if str(file) == "-" else str(file))
        yield from bodies_in(data)


def _answer(body: bytes, day: date, profile: Profile | None, units: Units) -> tuple[dict[str, Any], int]:
    """What is written for one document, and the exit code that it asks for."""
    try:
        name, document = _asked(body)
    except NotAJob as refused:
        return {"problems": [problem.as_dict() for problem in refused.problems]}, BAD_INPUT
    head = {} if name is None else {"id": name}
    reckoning = reckon(document, today=day, profile=profile, uf=units(document, day))
    if reckoning.problems:
        return {**head, "problems": [problem.as_dict() for problem in reckoning.problems]}, NO
    return {**head, **_figures(reckoning)}, DONE


def _asked(body: bytes) -> Asked:
    members = members_of(body)
    if "document" not in members or "Encabezado" in members:
        return members.get("id") if "Encabezado" not in members else None, members
    document = members["document"]
    if not isinstance(document, dict):
        raise NotAJob([Problem("JOB-DOCUMENT", "document", "Write the document as an object of official tags.")])
    return members.get("id", members.get("idempotency_key")), document


def _figures(reckoning: Reckoning) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Totales": _plain(reckoning.totals),
        "Detalle": [{"MontoItem": _plain(amount)} for amount in reckoning.amounts],
    }
    if reckoning.other_currency:
        answer["OtraMoneda"] = _plain(reckoning.other_currency)
    if reckoning.warnings:
        answer["warnings"] = [problem.as_dict() for problem in reckoning.warnings]
    return answer


def _plain(value: Any) -> Any:
    """Figures as JSON numbers where these are exact, else as text; codes of taxes as numbers, as the SII's table."""
    if isinstance(value, dict):
        return {tag: int(item) if tag == "TipoImp" else _plain(item) for tag, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        exact = len(value.as_tuple().digits) <= _EXACT_DIGITS
        return float(value) if exact else unmistakable(format(value, "f"))
    return value


def _show(answer: Mapping[str, Any]) -> None:
    name = f"{answer['id']}: " if "id" in answer else ""
    for problem in answer.get("problems", ()):
        say(f"{name}{problem['code']} {problem['path']}  {problem['message']}")
    for problem in answer.get("warnings", ()):
        say(f"{name}{problem['code']} {problem['path']}  {problem['message']}")
    if "Totales" in answer:
        amounts = ", ".join(str(line["MontoItem"]) for line in answer["Detalle"])
        say(f"{name}lines {amounts}")
        rows = [(tag, json.dumps(value, ensure_ascii=False)) for tag, value in answer["Totales"].items()]
        table(("", "#amount"), rows)
