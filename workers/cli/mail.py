"""`fmgo mail …`: where the SII's result mails are read from, those that came, and handing one in.

A mailbox is never changed: nothing in it is marked, moved or deleted.
"""

from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer
from sqlalchemy.exc import IntegrityError

from domain.problems import Problem
from workers.cli.access import Access, PasswordFile, actor, canonical, password
from workers.cli.output import (
    BAD_INPUT,
    DONE,
    NO,
    Environment,
    EnvironmentFilter,
    Json,
    coloured,
    complain,
    facts,
    say,
    table,
    write_json,
)
from workers.database import mail_sources, result_mails
from workers.database.audit import audit
from workers.database.mail_sources import Auth, Kind, NewSource
from workers.enrolment import EnrolmentError
from workers.mail import secrets
from workers.mail.imap import address_of
from workers.mail.receiving import receive_by_hand
from workers.vault.sealing import Vault

mail = typer.Typer(no_args_is_help=True, help="The SII's result mails: where they are read, and what they said.")

LARGEST_SHOWN: Final = 100
MAIL_OUTCOMES: Final[tuple[str, ...]] = get_args(result_mails.Outcome)

Forwarder = Annotated[
    list[str] | None,
    typer.Option("--forwarder", help="Address or domain whose forwarded mails count. Repeats.", metavar="WHO"),
]


@mail.command("add")
def mail_add(
    rut: Annotated[str, typer.Argument(help="The company.", metavar="RUT")],
    folder: Annotated[Path | None, typer.Option(help="A maildir, or a folder of files.")] = None,
    imap: Annotated[
        str | None, typer.Option(help="imaps://USER@HOST:PORT/MAILBOX, port and mailbox as needed; %40 for @ in USER.")
    ] = None,
    oauth: Annotated[bool, typer.Option("--xoauth2", help="The secret is XOAUTH2's JSON, no password.")] = False,
    forwarder: Forwarder = None,
    password_file: PasswordFile = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Read a company's result mails from a folder or a mailbox; again replaces how it is opened."""
    if (folder is None) == (imap is None):
        raise typer.BadParameter("give --folder or --imap")
    issuer = canonical(rut)
    kind: Kind = "folder" if folder is not None else "imap"
    address = str(folder.absolute()) if folder is not None else str(imap)
    auth: Auth = "none" if kind == "folder" else "xoauth2" if oauth else "password"
    with Access() as access:
        sealed = None
        if kind == "imap":
            secret = password(password_file).encode()
            if not secret:
                raise EnrolmentError([Problem("PASSWORD", "password", "The password is empty.")])
            _check(address, secret, oauth=oauth)
            sealed = secrets.seal(Vault.from_settings(access.settings), secret, issuer, environment)
        source = NewSource(
            issuer=issuer,
            environment=environment,
            kind=kind,
            address=address,
            auth=auth,
            secret_sealed=None if sealed is None else sealed.data,
            key_id=None if sealed is None else sealed.key_id,
            forwarders=tuple(who.strip().lower() for who in forwarder or ()),
        )
        try:
            with access.ledger.transaction() as tx:
                number = mail_sources.add(tx, source)
                audit(tx, actor(), "mail_source.add", f"{issuer}@{environment}", {"source": number, "kind": kind})
        except IntegrityError:
            raise EnrolmentError([_not_enrolled(issuer, environment)]) from None
        access.bells.ring_for_sweep()
    if as_json:
        write_json({"source": number, "issuer": issuer, "environment": environment, "kind": kind, "address": address})
    else:
        say(f"source {number}: mails of {issuer}@{environment} are read from {address}")


@mail.command("sources")
def mail_sources_list(as_json: Json = False) -> None:
    """Where mails are read from, and how the last look went. Exit 1 when one doesn't work."""
    with Access() as access, access.ledger.transaction() as tx:
        rows = mail_sources.shown(tx)
    if as_json:
        for row in rows:
            write_json(row)
    else:
        table(
            ["#id", "company", "environment", "address", "forwarders", "looked", "#mails", "problem"],
            [
                (
                    row["id"],
                    row["issuer"],
                    row["environment"],
                    row["address"],
                    row["forwarders"],
                    row["looked_at"],
                    row["mails"],
                    row["problem"],
                )
                for row in rows
            ],
        )
    raise typer.Exit(NO if any(row["problem"] for row in rows) else DONE)


@mail.command("remove")
def mail_remove(
    number: Annotated[int, typer.Argument(help="The source's id.", metavar="ID")], as_json: Json = False
) -> None:
    """Read a source no more, and forget its secret; mails that came from it stay."""
    with Access() as access, access.ledger.transaction() as tx:
        removed = mail_sources.remove(tx, number)
        if removed:
            audit(tx, actor(), "mail_source.remove", str(number), {})
    if not removed:
        complain("UNKNOWN", f"There is no source {number}.", as_json=as_json)
        raise typer.Exit(NO)
    if as_json:
        write_json({"source": number, "removed": True})
    else:
        say(f"source {number} is read no more")


@mail.command("import")
def mail_import(
    files: Annotated[list[Path], typer.Argument(help="Messages (.eml) or attached files (.xml).", metavar="FILE…")],
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Hand in result mails. Exit 1 when one changes nothing, 2 when one is no result mail."""
    worst = DONE
    with Access() as access:
        for file in files:
            code, line = _import(access, file, environment)
            worst = max(worst, code)
            if as_json:
                write_json(line)
            else:
                told = line.get("problem") or f"{line['outcome']}, track id {line['track_id']}"
                say(f"{file}: {told}")
        access.bells.ring_for_sweep()
    raise typer.Exit(worst)


@mail.command("list")
def mail_list(
    issuer: Annotated[str | None, typer.Option(help="Only this company's.", metavar="RUT")] = None,
    environment: EnvironmentFilter = None,
    outcome: Annotated[str | None, typer.Option(help=f"Only mails that are {', '.join(MAIL_OUTCOMES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the latest first.")] = LARGEST_SHOWN,
    as_json: Json = False,
) -> None:
    """Mails that came, the latest first."""
    if outcome is not None and outcome not in MAIL_OUTCOMES:
        raise typer.BadParameter(f"there is no outcome {outcome!r}: {', '.join(MAIL_OUTCOMES)}")
    with Access() as access, access.ledger.transaction() as tx:
        rows = result_mails.shown(
            tx,
            issuer=None if issuer is None else canonical(issuer),
            environment=environment,
            outcome=outcome,
            limit=limit,
        )
    if as_json:
        for row in rows:
            write_json(row)
        return
    table(
        ["#id", "at", "company", "track id", "outcome", "from", "envelope", "note"],
        [
            (
                row["id"],
                row["at"],
                row["issuer"],
                row["track_id"],
                coloured(row["outcome"]),
                row["writer"],
                row["envelope"],
                row["note"],
            )
            for row in rows
        ],
    )


@mail.command("show")
def mail_show(
    number: Annotated[int, typer.Argument(help="The mail's id.", metavar="ID")],
    raw: Annotated[bool, typer.Option("--raw", help="The message's bytes as they came.")] = False,
    as_json: Json = False,
) -> None:
    """What a mail said."""
    with Access() as access, access.ledger.transaction() as tx:
        rows = result_mails.shown(tx, number=number)
        data = result_mails.data_of(tx, number) if raw else None
    if not rows:
        complain("UNKNOWN", f"There is no mail {number}.", as_json=as_json)
        raise typer.Exit(NO)
    if raw and data is not None:
        typer.get_binary_stream("stdout").write(data)
    elif as_json:
        write_json(rows[0])
    else:
        facts([(name, str(value) if name == "envelope" and value else value) for name, value in rows[0].items()])


def _import(access: Access, file: Path, environment: str) -> tuple[int, dict[str, Any]]:
    """Hand in one file: the exit code it asks for, and what is written of it."""
    largest = access.settings.mail_bytes
    try:
        with file.open("rb") as opened:
            data = opened.read(largest + 1)
    except OSError as error:
        return BAD_INPUT, {"file": str(file), "problem": f"can't be read: {error.strerror}"}
    if len(data) > largest:
        return BAD_INPUT, {"file": str(file), "problem": f"more than {largest} bytes"}
    try:
        with access.ledger.transaction() as tx:
            letter, kept = receive_by_hand(tx, access.settings, environment, data)
    except LookupError as company:
        return BAD_INPUT, {"file": str(file), "problem": _not_enrolled(str(company.args[0]), environment).message}
    if kept is None or letter.result is None:
        return BAD_INPUT, {"file": str(file), "problem": letter.problem or "no RESULTADO_ENVIO in it"}
    line = {
        "file": str(file),
        "mail": kept.id,
        "new": kept.new,
        "outcome": kept.outcome,
        "envelope": kept.envelope,
        "track_id": letter.result.track_id,
        "issuer": letter.result.company,
        "environment": environment,
    }
    return DONE if kept.outcome in ("waiting", "told") else NO, line


def _check(address: str, secret: bytes, *, oauth: bool) -> None:
    """Refuse an address or a secret that can't work, with a sentence."""
    try:
        address_of(address)
        if oauth:
            secrets.check_oauth(secret)
    except ValueError as error:
        raise EnrolmentError([Problem("MAIL-SOURCE", "imap", f"{error}.")]) from None


def _not_enrolled(issuer: str, environment: str) -> Problem:
    message = f"Issuer {issuer} isn't enrolled in the {environment} environment: add it (`fmgo issuer add`)."
    return Problem("ISSUER-UNKNOWN", "issuer", message)
