"""`fmgo document …`, `fmgo ledger migrate`: looking at documents, and the ledger's own tables."""

import sys
import uuid
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from alembic import command
from alembic.config import Config

from domain.dte import as_file
from domain.states import DOCUMENT_STATES
from workers.cli.access import Access, canonical
from workers.cli.output import (
    NO,
    Environment,
    EnvironmentFilter,
    Json,
    amount,
    coloured,
    complain,
    facts,
    say,
    table,
    write_json,
)
from workers.database import overview, schema
from workers.database.results import find, results

document = typer.Typer(no_args_is_help=True, help="Documents.")
ledger = typer.Typer(no_args_is_help=True, help="The ledger's own tables.")

Id = Annotated[str | None, typer.Argument(help="Id, or its first digits.", metavar="ID")]
Issuer = Annotated[str | None, typer.Option(help="RUT of the company.", metavar="RUT")]
KeyOption = Annotated[str | None, typer.Option("--key", help="The job's idempotency key, instead of an id.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="How many, the latest first.")]


@document.command("show")
def document_show(
    number: Id = None,
    issuer: Issuer = None,
    environment: Environment = "certification",
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """A document: its state, figures, problems, verdict and steps."""
    with Access() as access:
        found = _document(access, number, issuer, environment, key, as_json=as_json)
        with access.ledger.transaction() as tx:
            row = overview.document(tx, found)
            steps = overview.events(tx, found)
    if row is None:
        unknown("document", as_json=as_json)
        return
    if as_json:
        write_json({**row, "events": steps})
        return
    _show_document(row)
    _show_steps(steps)


@document.command("settle")
def document_settle(
    number: Annotated[str, typer.Argument(help="Id, or its first digits.", metavar="ID")],
    reason: Annotated[str, typer.Option(help="What was found, and where.")],
    accepted: Annotated[bool, typer.Option("--accepted/--rejected", help="Whether the SII holds this very document.")],
    as_json: Json = False,
) -> None:
    """Record what a person found at the SII of a document in conflict."""
    state: Literal["accepted", "rejected"] = "accepted" if accepted else "rejected"
    with Access() as access:
        found = access.found("documents", number)
        settled = found is not None and access.enrolment().settle_document(found, state, reason)
    if not settled:
        complain("NOT-IN-CONFLICT", f"There is no document {number} in conflict.", as_json=as_json)
        raise typer.Exit(NO)
    if as_json:
        write_json({"id": found, "state": state})
    else:
        say(f"it is {state}")


@document.command("events")
def document_events(
    number: Id = None,
    issuer: Issuer = None,
    environment: Environment = "certification",
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """The steps of a document, first to last."""
    with Access() as access:
        found = _document(access, number, issuer, environment, key, as_json=as_json)
        with access.ledger.transaction() as tx:
            steps = overview.events(tx, found)
    if as_json:
        for step in steps:
            write_json(step)
    else:
        _show_steps(steps)


@document.command("xml")
def document_xml(
    number: Id = None,
    issuer: Issuer = None,
    environment: Environment = "certification",
    key: KeyOption = None,
    ted: Annotated[bool, typer.Option("--ted", help="The stamp (TED) instead of the whole document.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write instead of standard output.")] = None,
    as_json: Json = False,
) -> None:
    """An issued document as a file that every XML tool opens: its bytes as they were signed, under a declaration.

    With --json the text alone, which for a stamp (--ted) is what a barcode holds.
    """
    with Access() as access:
        found = _document(access, number, issuer, environment, key, as_json=as_json)
        with access.ledger.transaction() as tx:
            result = results(tx, [found]).get(found)
    data = None if result is None else result.ted if ted else result.xml
    if data is None:
        state = result.state if result else "unknown"
        complain("NOT-ISSUED", f"The document is {state}: it has no bytes that may be shown.", as_json=as_json)
        raise typer.Exit(NO)
    if out is not None:
        out.write_bytes(as_file(data))
    if as_json:
        write_json({"id": found, "ted" if ted else "xml": data.decode("iso-8859-1")})
    elif out is None:
        sys.stdout.buffer.write(as_file(data))
        sys.stdout.buffer.flush()


@document.command("list")
def document_list(
    state: Annotated[str | None, typer.Option(help="Only documents in this state.")] = None,
    issuer: Issuer = None,
    environment: EnvironmentFilter = None,
    batch: Annotated[str | None, typer.Option(help="Only this batch's (id, or its first digits).")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Documents, the latest first."""
    with Access() as access:
        of_batch = None if batch is None else _batch(access, batch)
        with access.ledger.transaction() as tx:
            found = overview.documents(
                tx,
                state=state_named(state, DOCUMENT_STATES),
                issuer=None if issuer is None else canonical(issuer),
                environment=environment,
                batch=of_batch,
                limit=limit,
            )
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["document", "state", "#type", "#folio", "#total", "key", "cause", "issuer", "received"],
        [
            (
                row["id"],
                coloured(row["state"]),
                row["type"],
                row["folio"],
                amount(row["total"]),
                row["idempotency_key"],
                row["held"] or ", ".join(problem["code"] for problem in row["problems"] or ()) or _refused_as(row),
                row["issuer"],
                row["received_at"],
            )
            for row in found
        ],
    )


@ledger.command("migrate")
def ledger_migrate(as_json: Json = False) -> None:
    """Bring the ledger's tables to the newest step."""
    with Access() as access:
        before, after = step_of(access), newest_step()
        if before is not None and before not in _steps():
            sentence = f"{schema.complaint(before) or before}. Nothing was changed."
            complain("LEDGER-UNKNOWN", f"{sentence[0].upper()}{sentence[1:]}", as_json=as_json)
            raise typer.Exit(NO)
        command.upgrade(migrations(access.settings.database_url), "head")
    if as_json:
        write_json({"from": before, "to": after})
    else:
        say(f"the ledger is at step {after}" + (f" (was {before or 'empty'})" if before != after else " already"))


def migrations(database_url: str = "") -> Config:
    """Alembic's configuration for the steps that are shipped beside this package, found by path."""
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the folder of migrations isn't installed beside FMgo")
    config = Config()
    config.set_main_option("script_location", next(iter(spec.submodule_search_locations)))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def newest_step() -> str | None:
    """Name of the newest step that this FMgo knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and only asked for here

    return ScriptDirectory.from_config(migrations()).get_current_head()


def _steps() -> set[str]:
    """Names of all steps that this FMgo knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and only asked for here

    return {step.revision for step in ScriptDirectory.from_config(migrations()).walk_revisions()}


def step_of(access: Access) -> str | None:
    """Name of the step at which the ledger is; None when it has no tables."""
    with access.ledger.transaction() as tx:
        return schema.step_of(tx)


def _document(
    access: Access, number: str | None, issuer: str | None, environment: str, key: str | None, *, as_json: bool
) -> uuid.UUID:
    """The document meant: by its id, or by issuer, environment and key. Ends the command when there is none."""
    if (number is None) == (key is None) or (key is not None and issuer is None):
        raise typer.BadParameter("give an id, or --issuer and --key")
    if number is not None:
        found = access.found("documents", number)
    else:
        with access.ledger.transaction() as tx:
            found = find(tx, canonical(str(issuer)), environment, str(key))
    if found is None:
        unknown("document", as_json=as_json)
        raise AssertionError
    return found


def _batch(access: Access, text: str) -> uuid.UUID:
    """The batch meant; jobs may name one that nobody registered, so a whole id is taken as it is."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return access.found("batches", text) or uuid.UUID(int=0)


def state_named(stated: str | None, known: Collection[str]) -> str | None:
    """A state as a filter names it, if there is such a state at all."""
    if stated is not None and stated not in known:
        raise typer.BadParameter(f"there is no state {stated!r}: {', '.join(known)}")
    return stated


def unknown(what: str, *, as_json: bool) -> None:
    """Say that there is no such thing, and end the command."""
    complain("UNKNOWN", f"There is no such {what}.", as_json=as_json)
    raise typer.Exit(NO)


def _refused_as(row: dict[str, Any]) -> str | None:
    """What the SII answered of a document that it didn't accept."""
    verdict = row["verdict"] or {}
    return None if row["state"].startswith("accepted") else verdict.get("document") or verdict.get("envelope")


def _show_document(row: dict[str, Any]) -> None:
    facts(
        [
            ("document", str(row["id"])),
            ("state", coloured(row["state"])),
            ("held for", row["held"]),
            ("issuer", f"{row['issuer']}@{row['environment']}"),
            ("key", row["idempotency_key"] + (f" (try {row['attempt']})" if row["attempt"] > 1 else "")),
            ("lane", row["lane"]),
            ("branch, till", ", ".join(part for part in (row["branch"], row["till"]) if part)),
            ("batch", row["batch"] and str(row["batch"])),
            ("type, folio", f"{row['type']}, {row['folio']}" if row["folio"] else row["type"]),
            ("receiver", row["receiver"]),
            ("total", amount(row["total"])),
            ("of", row["issued_on"]),
            ("replaces", row["replaces"] and str(row["replaces"])),
            ("depends on", row["depends_on"] and str(row["depends_on"])),
            ("envelope", row["envelope"] and f"{row['envelope']} ({row['envelope_state']})"),
            ("track id", row["track_id"]),
            ("sent", row["sent_at"]),
            ("received", row["received_at"]),
            ("signed", row["signed_at"]),
            ("second copy", row["evidenced_at"]),
            ("decided", row["decided_at"]),
            ("due", row["due_at"]),
            ("verdict", row["verdict"]),
            ("claim", row["claim"]),
        ]
    )
    for problem in [*(row["problems"] or ()), *(row["warnings"] or ())]:
        say(f"{problem.get('level', 'error')} {problem['code']} {problem.get('path', '')}: {problem['message']}")


def _show_steps(steps: list[dict[str, Any]]) -> None:
    table(
        ["at", "from", "to", "#worker", "detail"],
        [
            (step["at"], coloured(step["from_state"]), coloured(step["to_state"]), step["worker"], step["detail"] or "")
            for step in steps
        ],
    )
