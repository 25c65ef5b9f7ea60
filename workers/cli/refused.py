"""`fmgo refused …`: messages that were no jobs: which, why, and putting one through again."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.job import NotAJob
from workers.cache.bounded import Budget, connect_within
from workers.celery_messages import bodies_of
from workers.cli.access import Access, canonical
from workers.cli.jobs import all_of, bodies_in, exit_code, show_receipts
from workers.cli.ledger import unknown
from workers.cli.output import NO, Json, amount, complain, facts, say, table, write_json
from workers.database import refused as rows
from workers.job_lists import CELERY, JOBS, aside_of

refused = typer.Typer(no_args_is_help=True, help="Messages that were no jobs.")

_SHOWN: Final = 4000
"""Bytes of a message that a person is shown; --raw writes all that is kept."""

Number = Annotated[int, typer.Argument(help="Number of the message (`fmgo refused list`).", metavar="NUMBER", min=1)]


@refused.command("list")
def refused_list(
    code: Annotated[str | None, typer.Option(help="Only this reason's, e.g. JOB-JSON.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Only of this company.", metavar="RUT")] = None,
    source: Annotated[str | None, typer.Option(help="Only from here: list, celery, producer, batch.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the latest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Messages that were no jobs, the latest first."""
    with Access() as access, access.ledger.transaction() as tx:
        found = rows.shown(
            tx, code=code, issuer=None if issuer is None else canonical(issuer), source=source, limit=limit
        )
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["#number", "at", "from", "code", "issuer", "key", "#bytes", "again", "reason"],
        [
            (
                row["id"],
                row["at"],
                row["source"].partition(":")[0],
                row["code"],
                row["issuer"],
                row["key"],
                amount(row["size"]),
                row["retried_at"],
                row["reason"],
            )
            for row in found
        ],
    )


@refused.command("show")
def refused_show(
    number: Number,
    raw: Annotated[bool, typer.Option("--raw", help="Write the message's bytes as they came, nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """A message that was no job: why, where its sender finds the answer, and what it was."""
    row = _row(number, as_json=as_json)
    body: bytes = row.pop("body")
    if raw:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    text = body.decode("utf-8", "backslashreplace")
    if as_json:
        write_json({**row, "body": text})
        return
    facts(
        [
            ("number", row["id"]),
            ("at", row["at"]),
            ("from", row["source"]),
            ("reason", f"{row['code']}: {row['reason']}"),
            ("issuer", row["issuer"]),
            ("environment", row["environment"]),
            ("key", row["key"]),
            ("document", row["document_id"] and str(row["document_id"])),
            ("answered under", ", ".join([f"fmgo:result:{row['digest']}", *row["names"]])),
            ("answered at", row["told_at"]),
            ("put through again", row["retried_at"]),
            ("bytes", f"{row['size']}" + (f", the first {len(body)} are kept" if len(body) < row["size"] else "")),
        ]
    )
    say("")
    say(text[:_SHOWN] + ("… (--raw has it all)" if len(text) > _SHOWN else ""))


@refused.command("retry")
def refused_retry(
    number: Number,
    job: Annotated[
        Path | None, typer.Option("--job", help="The job as it should be (- for standard input), instead of what came.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a message through again: mended (--job), or as it came, once what refused it is mended."""
    row = _row(number, as_json=as_json)
    with Access() as access:
        if job is None and len(row["body"]) < row["size"]:
            _put_back(access, row, as_json=as_json)
            return
        receipts = access.producer.enqueue_many(_jobs(access, row) if job is None else list(bodies_in(all_of(job))))
        if any(receipt.outcome in ("recorded", "known") for receipt in receipts):
            with access.ledger.transaction() as tx:
                rows.mark_retried(tx, number)
    if as_json:
        for receipt in receipts:
            write_json(receipt.as_dict())
    else:
        show_receipts(receipts)
    raise typer.Exit(exit_code(receipt.outcome for receipt in receipts))


def _row(number: int, *, as_json: bool) -> dict[str, Any]:
    with Access() as access, access.ledger.transaction() as tx:
        row = rows.message(tx, number)
    if row is None:
        unknown("refused message", as_json=as_json)
        raise AssertionError
    return row


def _jobs(access: Access, row: dict[str, Any]) -> list[bytes]:
    """The jobs of a message as it came; one of Celery's that couldn't be read at all holds them deeper."""
    body: bytes = row["body"]
    if row["source"] != "celery":
        return [body]
    try:
        return [one.data for one in bodies_of(body, access.settings.job_bytes)]
    except NotAJob:
        return [body]


def _put_back(access: Access, row: dict[str, Any], *, as_json: bool) -> None:
    """Put a message that was too large to be read back on its list; it is read if the limit is higher now."""
    name = CELERY if row["source"] == "celery" else JOBS
    client = connect_within(access.settings.redis_url, Budget(0, 0), answer_seconds=30)
    try:
        found = client.lmove(aside_of(name, row["digest"]), name, "RIGHT", "LEFT")
    finally:
        client.close()
    if found is None:
        message = f"Only the beginning of message {row['id']} is kept (for a week Redis has all of it): use --job."
        complain("REFUSED-GONE", message, as_json=as_json)
        raise typer.Exit(NO)
    with access.ledger.transaction() as tx:
        rows.mark_retried(tx, row["id"])
    if as_json:
        write_json({"id": row["id"], "outcome": "queued"})
    else:
        say(f"it lies on {name} again; it is read if FMGO_JOB_BYTES of the workers is {row['size']} or more")
