"""`fmgo evidence …`: looking at the second copies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from domain.problems import Problem
from workers.cli.access import Access
from workers.cli.output import DONE, NO, Json, coloured, say, table, write_json
from workers.enrolment import EnrolmentError
from workers.evidence import Damage, files_of, scan

evidence = typer.Typer(no_args_is_help=True, help="The second copies of documents.")


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds."""

    records: int
    damage: tuple[Damage, ...]
    unreadable: str = ""

    @property
    def verdict(self) -> str:
        """`whole`; `torn` where only its end is no record (its process died); else `damaged` or `unreadable`."""
        if self.unreadable:
            return "unreadable"
        if any(not one.at_the_end for one in self.damage):
            return "damaged"
        return "torn" if self.damage else "whole"


@evidence.command("verify")
def evidence_verify(
    folder: Annotated[Path | None, typer.Argument(help="The folder; by default FMGO_EVIDENCE_DIR.")] = None,
    as_json: Json = False,
) -> None:
    """Read every file of evidence: what can be read back, what is torn or damaged. Example: fmgo evidence verify.

    A torn end is what a process leaves that dies while it writes: nothing of it had left FMgo. Anything else that is
    no whole record was damaged on the disk (exit code 1); the records behind it are read all the same.
    """
    where = folder or _configured()
    try:
        files = files_of(where)
    except OSError as error:
        raise EnrolmentError([Problem("FILE", str(where), f"{where} can't be read: {error.strerror}.")]) from None
    found = {path: _look(path) for path in files}
    if as_json:
        for path, one in found.items():
            parts = [{"at": part.at, "bytes": part.size, "at_the_end": part.at_the_end} for part in one.damage]
            write_json({"file": str(path), "verdict": one.verdict, "records": one.records, "damage": parts})
    else:
        _show(where, found)
    bad = any(one.verdict in ("damaged", "unreadable") for one in found.values())
    raise typer.Exit(NO if bad else DONE)


def _configured() -> Path:
    with Access() as access:
        return access.settings.evidence_dir


def _look(path: Path) -> Found:
    records, damage = 0, []
    try:
        for part in scan(path):
            if isinstance(part, Damage):
                damage.append(part)
            else:
                records += 1
    except OSError as error:
        return Found(records, tuple(damage), error.strerror or type(error).__name__)
    return Found(records, tuple(damage))


def _show(where: Path, found: dict[Path, Found]) -> None:
    if not found:
        say(f"{where} holds no evidence")
        return
    table(
        ["file", "verdict", "#records", "no record"],
        [(path.name, coloured(one.verdict), one.records, one.unreadable or _parts(one)) for path, one in found.items()],
    )


def _parts(found: Found) -> str:
    return ", ".join(f"{part.size} bytes at {part.at}" for part in found.damage)
