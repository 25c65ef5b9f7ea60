"""`fmgo document release|replace|cancel`: what a person does for documents that don't get on by themselves."""

import json
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.job import members_of, parse_job
from domain.problems import Problem
from domain.states import REPLACEABLE, UNSENDABLE
from workers.cli.access import Access, actor, read_file
from workers.cli.output import BAD_INPUT, DONE, NO, Json, coloured, complain, facts, say, write_json
from workers.database import overview
from workers.database.documents import replacement_of
from workers.database.verdicts import release_quarantined
from workers.enrolment_fields import EnrolmentError
from workers.taking_back import NotTakenBack

LONGEST_STEM = 190
"""Characters of the rejected document's key that the new one's begins with."""


def document_release(
    numbers: Annotated[list[str], typer.Argument(help="Ids, or their first digits.", metavar="ID")],
    as_json: Json = False,
) -> None:
    """Let quarantined documents go on where they stood, once what FMgo failed on is mended; each is taken alone."""
    worst = DONE
    with Access() as access:
        found = {number: access.found("documents", number) for number in numbers}
        ids = [one for one in found.values() if one is not None]
        released = access.ledger.repeated(lambda tx: release_quarantined(tx, ids, actor()))
        if released:
            access.bells.ring_for_sweep()
    for number, one in found.items():
        state = None if one is None else released.get(one)
        if state is None:
            worst = NO
            complain("NOT-QUARANTINED", f"{number} is no quarantined document.", as_json=as_json)
        elif as_json:
            write_json({"id": one, "state": state})
        else:
            say(f"{number}: {state}")
    raise typer.Exit(worst)


def document_cancel(
    numbers: Annotated[list[str], typer.Argument(help="Ids, or their first digits.", metavar="ID")],
    reason: Annotated[
        str | None, typer.Option(help="Why; needed for one that has its folio, which becomes void.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take documents back of which nothing has left for the SII.

    What has no folio yet is `cancelled`. What has one and surely was never sent is `withdrawn`, with --reason: it isn't
    sent, its folio is void, and its producer is told. Its key may be used again by a corrected job.

    Example: fmgo document cancel 35531d6d --reason "wrong receiver"
    """
    worst = DONE
    with Access() as access:
        for number in numbers:
            found = access.found("documents", number)
            try:
                taken = access.producer.cancel(found or uuid.UUID(int=0), reason, by=actor())
            except NotTakenBack as error:
                worst = max(worst, BAD_INPUT if error.problems[0].code == "DOCUMENT-REASON" else NO)
                complain(error.problems[0].code, f"{number}: {error.problems[0].message}", as_json=as_json)
                continue
            if as_json:
                write_json({"id": taken.document_id, "outcome": taken.outcome, "state": taken.state})
            else:
                say(f"{number}: {taken.state}" + (" already" if taken.outcome == "known" else ""))
    raise typer.Exit(worst)


def document_replace(
    number: Annotated[str, typer.Argument(help="Id of the rejected document, or its first digits.", metavar="ID")],
    file: Annotated[
        Path | None, typer.Option("--document", help="The corrected document, or a job that holds it; JSON.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key of the new job; made of the old one's.")] = None,
    as_json: Json = False,
) -> None:
    """Hand in a job that takes the place of a rejected document, or of one that can never go, under a new folio.

    Again, it is the same job. Without a corrected document the same sale is tried once more.
    """
    with Access() as access:
        found = access.found("documents", number)
        with access.ledger.transaction() as tx:
            row = None if found is None else overview.document(tx, found)
            body = None if found is None else overview.body(tx, found)
            heir = None if found is None else replacement_of(tx, found)
        if row is None or body is None or not (row["state"] in REPLACEABLE or row["held"] in UNSENDABLE or heir):
            state = "unknown" if row is None else row["state"]
            sentence = f"Only a document that was rejected, or can never go, is replaced; {number} is {state}."
            complain("NOT-REJECTED", sentence, as_json=as_json)
            raise typer.Exit(NO)
        job = parse_job(body).model_dump(mode="json", exclude_none=True)
        job["idempotency_key"] = key or f"{row['idempotency_key'][:LONGEST_STEM]}.r{row['attempt']}"
        job["replaces"] = str(row["id"])
        if heir is not None and heir.key != job["idempotency_key"]:
            sentence = (
                f"{number} is replaced already, by {heir.id} ({heir.key}, {heir.state}); a sale is replaced once."
            )
            complain("ALREADY-REPLACED", sentence, as_json=as_json)
            raise typer.Exit(NO)
        if file is not None:
            job["document"] = _document_in(file)
        (receipt,) = access.producer.enqueue_many([json.dumps(job, ensure_ascii=False)])
    if receipt.problems:
        problem = receipt.problems[0]
        complain(problem.code, problem.message, receipt.problems, as_json=as_json)
        raise typer.Exit(BAD_INPUT if receipt.outcome == "refused" else NO)
    if as_json:
        write_json({**receipt.as_dict(), "replaces": row["id"]})
    else:
        facts(
            [
                ("outcome", coloured(receipt.outcome)),
                ("document", str(receipt.document_id)),
                ("key", receipt.key),
                ("replaces", str(row["id"])),
            ]
        )
    raise typer.Exit(DONE)


def _document_in(file: Path) -> Any:
    members = members_of(read_file(file))
    document = members.get("document", members)
    if not isinstance(document, dict):
        raise EnrolmentError([Problem("DOCUMENT", str(file), f"{file} holds no document: write it as a JSON object.")])
    return document
