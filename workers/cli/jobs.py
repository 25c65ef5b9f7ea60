"""`fmgo enqueue` and `fmgo batch …`: handing in jobs from files.

`enqueue` takes a few (an object, a list of objects, objects one after the other, or JSON lines) and answers for each.
`batch import` takes any number of JSON lines. What isn't a job never delays another; the exit code is 2 when there
was any, 1 when only keys were taken by other content, else 0.
"""

import io
import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain.problems import Problem
from workers.batch import BatchImporter, Import, batch_of
from workers.cli.access import Access
from workers.cli.output import (
    BAD_INPUT,
    DONE,
    NO,
    Json,
    amount,
    coloured,
    complain,
    complaints,
    facts,
    show_problems,
    table,
    write_json,
)
from workers.database import overview
from workers.enrolment import EnrolmentError
from workers.outcome import Outcome, Receipt

batch = typer.Typer(no_args_is_help=True, help="Files of many jobs.")

_HEAD: Final = 8192
"""Bytes that tell what kind of file it is."""
OUTCOMES: tuple[Outcome, ...] = ("recorded", "known", "conflict", "refused")


def enqueue(
    files: Annotated[
        list[Path], typer.Argument(help="Files of jobs, JSON or JSON lines (- for standard input).", metavar="FILE")
    ],
    queue: Annotated[bool, typer.Option("--queue", help="Put them on the job list instead of the ledger.")] = False,
    as_json: Json = False,
) -> None:
    """Hand in jobs; without --queue they are in the ledger when this returns."""
    bodies = [body for file in files for body in bodies_in(all_of(file))]
    refuse_nothing(len(bodies), files, as_json=as_json)
    with Access() as access:
        producer = access.producer
        receipts = producer.queue_many(bodies) if queue else producer.enqueue_many(bodies)
    if as_json:
        for receipt in receipts:
            write_json(receipt.as_dict())
    else:
        show_receipts(receipts)
    raise typer.Exit(exit_code(receipt.outcome for receipt in receipts))


def refuse_nothing(count: int, files: Iterable[object], *, as_json: bool) -> None:
    """End the command where files hold nothing at all: somebody expected something of them."""
    if not count:
        names = ", ".join("standard input" if str(file) == "-" else str(file) for file in files)
        complain("NOTHING", f"There is nothing in {names}.", as_json=as_json)
        raise typer.Exit(BAD_INPUT)


@batch.command("import")
def batch_import(
    file: Annotated[Path, typer.Argument(help="JSON lines, a job a line (- for standard input).", metavar="FILE")],
    name: Annotated[str | None, typer.Option(help="Name of the batch; the file's by default.")] = None,
    as_json: Json = False,
) -> None:
    """Import a file of jobs into the ledger, bulk lane; started again, it carries on."""
    title = name or ("standard input" if str(file) == "-" else file.name)
    with Access() as access:
        importer = BatchImporter(access.ledger, access.bells, job_bytes=access.settings.job_bytes)
        outcome = _import(importer, file, title)
    refuse_nothing(sum(outcome.counts.values()), [file], as_json=as_json)
    if as_json:
        for line in outcome.bad:
            write_json({"line": line.number, "outcome": line.outcome, "problems": list(line.problems)})
        write_json({"batch": outcome.batch, "name": title, **{o: outcome.counts.get(o, 0) for o in OUTCOMES}})
    else:
        _show_import(outcome, title)
    raise typer.Exit(exit_code(outcome.counts))


@batch.command("list")
def batch_list(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the latest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Batches, whether their files were read to the end, and how far their documents are."""
    with Access() as access, access.ledger.transaction() as tx:
        found = overview.batches(tx, limit)
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["batch", "name", "import", "begun", "#lines", "#refused", "documents"],
        [
            (
                row["id"],
                row["name"],
                coloured("whole" if row["finished_at"] else "not finished"),
                row["created_at"],
                amount(row["total"]),
                amount(row["refused"]),
                ", ".join(f"{amount(count)} {state}" for state, count in sorted(row["states"].items())),
            )
            for row in found
        ],
    )


def bodies_in(data: bytes) -> Iterator[bytes]:
    """The jobs in a file's bytes, each as it was written; else line by line, or as one."""
    try:
        text = data.decode("utf-8-sig")
        pieces = list(_values(text))
    except (ValueError, RecursionError):
        lines = [line for line in (line.strip() for line in data.splitlines()) if line]
        yield from lines if any(line.startswith(b"{") and line.endswith(b"}") for line in lines) else [data]
        return
    for piece in pieces:
        yield piece.encode("utf-8")


def _values(text: str) -> Iterator[str]:
    """JSON values one after the other, the items of lists in their place. Raises ValueError."""
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 0)
    while at < len(text):
        if text[at] == "[":
            at = _after_blanks(text, at + 1)
            while text[at : at + 1] != "]":
                _, end = decoder.raw_decode(text, at)
                yield text[at:end]
                at = _after_blanks(text, end)
                if text[at : at + 1] == ",":
                    at = _after_blanks(text, at + 1)
                elif text[at : at + 1] != "]":
                    raise ValueError("a list that doesn't end")
            at = _after_blanks(text, at + 1)
        else:
            _, end = decoder.raw_decode(text, at)
            yield text[at:end]
            at = _after_blanks(text, end)


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def refuse_other_kinds(data: bytes, name: str) -> None:
    """Say what a file is that holds no JSON at all, once, instead of a complaint about each line.

    Raises EnrolmentError (FILE-KIND). What begins as JSON, and what isn't plainly of another kind, is left to be read.
    """
    lines = [line.strip() for line in data[:_HEAD].removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()][:2]
    if not lines or any(line[:1] in (b"{", b"[") for line in lines):
        return
    instead = None
    if lines[0].startswith(b"<"):
        instead = "is XML: documents of others are kept with `fmgo document import`, looked at with `fmgo verify`"
    elif any(lines[0].count(mark) and lines[0].count(mark) == lines[-1].count(mark) for mark in (b";", b"\t", b",")):
        instead = "is CSV: turn each row into a job first"
    if instead is not None:
        sentence = f"{name} {instead}. Jobs are JSON, an object a line."
        raise EnrolmentError([Problem("FILE-KIND", name, sentence)])


def all_of(path: Path) -> bytes:
    """A file's bytes (`-`: standard input). Raises EnrolmentError with a sentence."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise EnrolmentError([Problem("FILE", str(path), f"{path} can't be read: {error.strerror}.")]) from None
    refuse_other_kinds(data, "standard input" if str(path) == "-" else str(path))
    return data


def _import(importer: BatchImporter, path: Path, title: str) -> Import:
    if str(path) == "-":
        return _with_progress(importer, sys.stdin.buffer, uuid.uuid4(), title, None)
    try:
        number, total = batch_of(path)
        file: io.BufferedReader = path.open("rb")
    except OSError as error:
        raise EnrolmentError([Problem("FILE", str(path), f"{path} can't be read: {error.strerror}.")]) from None
    with file:
        refuse_other_kinds(file.peek(_HEAD), str(path))
        return _with_progress(importer, file, number, title, total)


def _with_progress(importer: BatchImporter, file: BinaryIO, number: uuid.UUID, title: str, total: int | None) -> Import:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = complaints()
    with Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        return importer.run(file, number, name=title, total=total, progress=lambda lines: bar.advance(task, lines))


def show_receipts(receipts: list[Receipt]) -> None:
    """Write what became of each job, and why some are none."""
    table(
        ["outcome", "key", "issuer", "document", "state"],
        [(coloured(r.outcome), r.key, r.issuer, r.document_id, coloured(r.state)) for r in receipts],
    )
    for number, receipt in enumerate(receipts, 1):
        show_problems([Problem(p.code, f"job {number} {p.path}".strip(), p.message) for p in receipt.problems])


def _show_import(outcome: Import, title: str) -> None:
    for line in outcome.bad:
        show_problems([Problem(p.code, f"line {line.number} {p.path}".strip(), p.message) for p in line.problems])
    untold = sum(outcome.counts.get(o, 0) for o in ("conflict", "refused")) - len(outcome.bad)
    if untold > 0:
        complaints().print(f"… and {amount(untold)} other bad lines, kept among the refused messages")
    counted = ((name, amount(outcome.counts.get(name, 0))) for name in OUTCOMES)
    facts([("batch", str(outcome.batch)), ("name", title), *counted])


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """2 when something was no job, 1 when only keys were taken, else 0."""
    found = set(outcomes)
    return BAD_INPUT if "refused" in found else NO if "conflict" in found else DONE
