"""`fmgo issuer adopt`: load a partly used CAF after asking the SII about the folios that would be given first."""

from pathlib import Path
from typing import Annotated

import typer

from domain.caf import CafError, read_authorisation
from domain.envelope import channel_of
from domain.problems import Problem
from workers.adoption import NoAnswerError, Search, search
from workers.cli.access import Access, CaFKeyOption, actor, canonical, read_file
from workers.cli.folios import ranges_in
from workers.cli.output import DONE, NO, Environment, Json, complain, say, show_problems, write_json
from workers.database.audit import audit
from workers.enrolment_fields import EnrolmentError
from workers.pace import NotNowError
from workers.questions import Questions
from workers.sessions import NoSessionError


def issuer_adopt(
    rut: Annotated[str, typer.Argument(help="RUT of the company.", metavar="RUT")],
    caf: Annotated[Path, typer.Option(help="The CAF file.", metavar="FILE")],
    first_free: Annotated[
        int | None, typer.Option("--next", help="First folio to be given; by default the CAF's first.")
    ] = None,
    used: Annotated[str | None, typer.Option(help="Folios known to be used, e.g. 10-57,61.")] = None,
    trust_caf_key: CaFKeyOption = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Take over a company's folios from another program: a CAF whose next folios the SII doesn't hold.

    Ends with 1, and proposes the next free folio, when the SII holds one of those that would be given first.
    """
    data, issuer = read_file(caf), canonical(rut)
    gone = ranges_in(used) if used else []
    try:
        range_of = read_authorisation(data)
    except CafError as error:
        raise EnrolmentError(error.problems) from None
    if range_of.issuer != issuer:
        sentence = f"This CAF is {range_of.issuer}'s, not {issuer}'s."
        raise EnrolmentError([Problem("CAF-ISSUER", "DA/RE", sentence)])
    start = range_of.first if first_free is None else first_free
    kind, channel = range_of.document_type, channel_of(range_of.document_type)
    with Access() as access:
        operator = access.enrolment(trust_caf_key)
        try:
            with Questions(issuer, environment, actor()) as questions:
                found = search(
                    lambda folio: questions.folio(channel, kind, folio, range_of.authorised_on),
                    start,
                    range_of.last,
                    gone,
                )
        except (NoAnswerError, NoSessionError, NotNowError) as error:
            complain(error.code, f"Nothing was loaded: {error}.", as_json=as_json)
            raise typer.Exit(NO) from None
        adopted = found.free is not None and not found.used
        with access.ledger.transaction() as tx:
            action = "issuer.adopt" if adopted else "issuer.adopt-refused"
            detail = {"type": kind, "next": start, "answers": found.answers, "free": found.free}
            audit(tx, actor(), action, f"{issuer}@{environment}", detail)
        if not adopted:
            _refused(found, start, as_json=as_json)
        added = operator.add_caf(data, environment=environment, issuer=issuer, first_free=start, used=gone)
    if as_json:
        write_json(
            {
                "caf": added.id,
                "issuer": issuer,
                "environment": environment,
                "type": kind,
                "next": added.next,
                "last": added.last,
                "new": added.new,
                "asked": found.answers,
            }
        )
    else:
        show_problems(added.warnings)
        say(f"the SII holds none of {', '.join(map(str, found.answers))}; type {kind} goes on with {added.next}")
    raise typer.Exit(DONE)


def _refused(found: Search, start: int, *, as_json: bool) -> None:
    """Say which folio is used and what to start with instead."""
    ahead = (
        "no free folio was found in the rest of the range"
        if found.free is None
        else f"the next one that it doesn't hold is {found.free}: `--next {found.free}`"
    )
    held = ", ".join(f"{folio} ({found.answers[folio]})" for folio in found.used[:3])
    sentence = f"Nothing was loaded: the SII holds folio {held} of those from {start} on; {ahead}."
    if as_json:
        write_json({"error": {"code": "FOLIO-USED", "message": sentence}, "free": found.free, "asked": found.answers})
    else:
        complain("FOLIO-USED", sentence, as_json=False)
    raise typer.Exit(NO)
