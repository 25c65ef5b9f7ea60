"""`fmgo folio …`: what became of a company's folios, and numbers that are not to be given."""

from pathlib import Path
from typing import Annotated

import typer

from domain.problems import Problem
from workers.cli.access import Access, actor, canonical, read_file
from workers.cli.output import DONE, NO, Environment, Json, complain, say, table, write_json
from workers.enrolment_fields import EnrolmentError
from workers.folio_desk import FolioDesk, Voided
from workers.folio_ranges import Range, read_ranges, written

folio = typer.Typer(no_args_is_help=True, help="Folios: given, void, and still to come.")

Issuer = Annotated[str, typer.Argument(help="RUT of the company.", metavar="RUT")]


def ranges_in(text: str) -> list[Range]:
    """Ranges of folios that a person wrote. Raises EnrolmentError with a sentence."""
    try:
        return read_ranges(text)
    except ValueError as fault:
        raise EnrolmentError([Problem("FOLIO-RANGES", "folios", f"{fault}.")]) from None


@folio.command("list")
def folio_list(
    issuer: Issuer,
    document_type: Annotated[int | None, typer.Option("--type", help="Only this type.")] = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """A company's ranges: next folio, used, void with reasons, how many are left, until when."""
    with Access() as access:
        found = FolioDesk(access.ledger, canonical(issuer), environment, actor=actor()).ranges(document_type)
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["#type", "#first", "#last", "#next", "#used", "#imported", "#void", "#left", "authorised", "expires", "voids"],
        [
            (
                row["type"],
                row.get("first"),
                row.get("last"),
                row.get("next"),
                row.get("used"),
                row.get("imported"),
                row["void"],
                row.get("left"),
                row.get("authorised_on"),
                "withdrawn" if row.get("withdrawn_at") else "EXPIRED" if row.get("expired") else row.get("expires_on"),
                "; ".join(f"{written([(void['first'], void['last'])])} {void['reason']}" for void in row["voids"]),
            )
            for row in found
        ],
    )


@folio.command("annul")
def folio_annul(
    issuer: Issuer,
    document_type: Annotated[int, typer.Argument(help="Type of document.", metavar="TYPE")],
    folios: Annotated[str, typer.Argument(help="Folios, e.g. 10-12,15.", metavar="FOLIOS")],
    reason: Annotated[str, typer.Option(help="Why; it stays with the numbers.")],
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Say that folios are never to be given, e.g. after annulling them in the SII's portal.

    Ends with 1 when a document bears one of them; then nothing has changed.
    """
    wanted = ranges_in(folios)
    with Access() as access:
        desk = FolioDesk(access.ledger, canonical(issuer), environment, actor=actor())
        try:
            done = desk.annul(document_type, wanted, reason)
        except EnrolmentError as refusal:
            if [problem.code for problem in refusal.problems] != ["FOLIO-USED"]:
                raise
            complain("FOLIO-USED", refusal.problems[0].message, as_json=as_json)
            raise typer.Exit(NO) from None
    _show([done], as_json=as_json)


@folio.command("import-used")
def folio_import_used(
    file: Annotated[Path, typer.Argument(help="CSV lines type,folio[,reason] (- for standard input).", metavar="FILE")],
    issuer: Annotated[str, typer.Option(help="RUT of the company.", metavar="RUT")],
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Say which folios another program used; none of them is given. All lines go in, or none."""
    data = read_file(file)
    with Access() as access:
        done = FolioDesk(access.ledger, canonical(issuer), environment, actor=actor()).import_used(data)
    _show(done, as_json=as_json)


def _show(done: list[Voided], *, as_json: bool) -> None:
    for one in done:
        if as_json:
            write_json(one.as_dict())
            continue
        parts = [f"void {written(one.fresh)}" if one.fresh else "nothing new"]
        parts += [
            f"{word} {written(ranges)}"
            for word, ranges in (
                ("void before", one.known),
                ("documents have", one.documents),
                ("in no loaded range", one.outside),
            )
            if ranges
        ]
        say(f"type {one.document_type}: {'; '.join(parts)}")
    raise typer.Exit(DONE)
