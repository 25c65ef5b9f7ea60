"""`fmgo document import`: documents that were issued elsewhere, so that notes can refer to them."""

from collections import Counter
from typing import Annotated

import typer

from domain.problems import Problem
from domain.verification import Trust
from domain.verification.reading import LARGEST_FILE
from workers.caf_keys import read_caf_keys
from workers.cli.access import Access, CaFKeyOption, actor
from workers.cli.output import BAD_INPUT, DONE, NO, Environment, Json, amount, say, show_problems, write_json
from workers.cli.sources import sources
from workers.imports import OUTCOMES, Answer, Importer


def document_import(
    files: Annotated[
        list[str],
        typer.Argument(
            help="DTE, EnvioDTE and EnvioBOLETA files, folders or ZIPs of them (- for standard input).", metavar="FILE"
        ),
    ],
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take also what isn't validly signed and stamped.")
    ] = False,
    trust_caf_key: CaFKeyOption = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Keep documents that another program issued: notes can refer to them, and their folios are never given.

    Ends with 1 when one was refused or its folio is another document's, 2 when a file isn't one of documents at all.
    """
    worst = DONE
    with Access() as access:
        keys = read_caf_keys(",".join([access.settings.trust_caf_keys, *(trust_caf_key or [])]))
        importer = Importer(access.ledger, environment, trust=Trust(keys), actor=actor(), unverified=unverified)
        for name, data in sources(files, LARGEST_FILE):
            answers = (
                [Answer(name, 0, "refused", problems=(data,))]
                if isinstance(data, Problem)
                else importer.take(name, data)
            )
            _show(answers, as_json=as_json)
            worst = max(worst, *map(_code, answers))
    raise typer.Exit(worst)


def _code(answer: Answer) -> int:
    if answer.outcome in ("imported", "known"):
        return DONE
    return NO if answer.number else BAD_INPUT


def _show(answers: list[Answer], *, as_json: bool) -> None:
    """A line a document as JSON; for a person what is wrong with each, and how many of a file ended how."""
    if as_json:
        for answer in answers:
            write_json(answer.as_dict())
        return
    for answer in answers:
        where = f"{answer.file}#{answer.number}" if answer.number else answer.file
        show_problems([Problem(p.code, f"{where} {p.path}".strip(), p.message, p.level) for p in answer.problems])
    counts = Counter(answer.outcome for answer in answers)
    told = ", ".join(f"{amount(counts[outcome])} {outcome}" for outcome in OUTCOMES if counts[outcome])
    say(f"{answers[0].file}: {told}")
