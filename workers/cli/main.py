"""The command `fmgo`: every command in its place, and what every command does with an error.

An error that a person can mend is told as a sentence with its code (as JSON with `--json`), never as a traceback: bad
input and a bad setting end with 2, a server that is away with 3. What nobody foresaw keeps its traceback, without the
values of variables, which may hold secrets.
"""

import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Final

import typer
from sqlalchemy.exc import DataError, DBAPIError

from domain.problems import DomainError
from workers.cache.connection import CacheUrlError
from workers.cli import (
    adoption,
    doctor,
    envelopes,
    evidence,
    folios,
    imports,
    jobs,
    ledger,
    mail,
    mending,
    offline,
    refused,
    render,
    run,
    setup,
    sii,
    simulator,
    uf,
    verify,
)
from workers.cli.access import first_line
from workers.cli.examples import show_examples
from workers.cli.output import AWAY, BAD_INPUT, DONE, NO, complain, say
from workers.database.away import why_away
from workers.database.engine import sqlstate
from workers.producer import ProducerError
from workers.settings import SettingsError
from workers.vault.sealing import VaultError

app: Final = typer.Typer(
    name="fmgo",
    epilog="Examples:\n\nfmgo doctor\n\nfmgo enqueue boleta.json\n\nfmgo document list",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
ledger.document.command("import")(imports.document_import)
ledger.document.command("release")(mending.document_release)
ledger.document.command("replace")(mending.document_replace)
ledger.document.command("cancel")(mending.document_cancel)
setup.issuer.command("adopt")(adoption.issuer_adopt)

OFFLINE: Final = "Without servers"
WORK: Final = "Jobs, documents and the SII"
COMPANIES: Final = "Companies"
RUNNING: Final = "Running FMgo"

app.command("calculate", rich_help_panel=OFFLINE)(offline.calculate)
app.command("render", rich_help_panel=OFFLINE)(render.render)
app.command("verify", rich_help_panel=OFFLINE)(verify.verify_files)
app.command("rules", rich_help_panel=OFFLINE)(offline.rules)
app.command("answers", context_settings=offline.CODES_MAY_BEGIN_WITH_MINUS, rich_help_panel=OFFLINE)(offline.answers)
app.command("enqueue", rich_help_panel=WORK)(jobs.enqueue)
app.add_typer(jobs.batch, name="batch", rich_help_panel=WORK)
app.add_typer(ledger.document, name="document", rich_help_panel=WORK)
app.add_typer(envelopes.envelope, name="envelope", rich_help_panel=WORK)
app.add_typer(refused.refused, name="refused", rich_help_panel=WORK)
app.add_typer(mail.mail, name="mail", rich_help_panel=WORK)
app.add_typer(sii.sii, name="sii", rich_help_panel=WORK)
app.command("stop", rich_help_panel=WORK)(sii.stop)
app.command("resume", rich_help_panel=WORK)(sii.resume)
app.add_typer(setup.issuer, name="issuer", rich_help_panel=COMPANIES)
app.add_typer(setup.branch, name="branch", rich_help_panel=COMPANIES)
app.add_typer(setup.person, name="person", rich_help_panel=COMPANIES)
app.add_typer(setup.certificate, name="certificate", rich_help_panel=COMPANIES)
app.add_typer(setup.caf, name="caf", rich_help_panel=COMPANIES)
app.add_typer(folios.folio, name="folio", rich_help_panel=COMPANIES)
app.add_typer(uf.uf, name="uf", rich_help_panel=COMPANIES)
app.add_typer(evidence.evidence, name="evidence", rich_help_panel=RUNNING)
app.command("doctor", rich_help_panel=RUNNING)(doctor.doctor)
app.add_typer(ledger.ledger, name="ledger", rich_help_panel=RUNNING)
app.command("worker", context_settings=run.PASS_ON, rich_help_panel=RUNNING)(run.worker)
app.command("sandbox", context_settings=run.PASS_ON, rich_help_panel=RUNNING)(run.sandbox)
app.add_typer(simulator.simulator, name="simulator", rich_help_panel=RUNNING)
show_examples(app)


def _tell_version(wanted: bool) -> None:
    if wanted:
        say(f"fmgo {version('fmgo')}")
        raise typer.Exit(DONE)


@app.callback()
def fmgo(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show FMgo's version and exit.")
    ] = False,
) -> None:
    """FMgo issues Chile's electronic tax documents: from a message on a queue to a document that the SII accepted."""


_NO_TABLES: Final = ("42P01", "42704", "42883", "3F000")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code."""
    as_json = "--json" in arguments
    try:
        app(args=list(arguments), prog_name="fmgo")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else NO if end.code else DONE
    except DomainError as error:
        complain(error.problems[0].code, error.problems[0].message, error.problems, as_json=as_json)
        return BAD_INPUT
    except (SettingsError, VaultError, CacheUrlError) as error:
        complain(error.code, str(error), as_json=as_json)
        return BAD_INPUT
    except ProducerError as error:
        complain(error.code, str(error), as_json=as_json)
        return AWAY
    except DBAPIError as error:
        return _database_fault(error, as_json=as_json)
    return DONE


def main() -> None:
    """Entry point of the command `fmgo`.

    Libraries' warnings about files of others (a certificate with too long a name) are not for the person who runs it;
    `python -W` or PYTHONWARNINGS shows them.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.exit(run_command(sys.argv[1:]))


def _database_fault(error: DBAPIError, *, as_json: bool) -> int:
    """A ledger that can't be used now is told as a sentence; anything else is raised again."""
    why = why_away(error)
    if why is None and isinstance(error, DataError):
        complain("VALUE", f"The ledger can't take a value that was given: {first_line(error)}.", as_json=as_json)
        return BAD_INPUT
    if why is None:
        raise error
    code = "LEDGER-EMPTY" if sqlstate(error) in _NO_TABLES else "LEDGER-AWAY"
    detail = "" if sqlstate(error) else f" ({first_line(error)})"
    complain(code, f"{why[0].upper()}{why[1:]}{detail}.", as_json=as_json)
    return AWAY


if __name__ == "__main__":
    main()
