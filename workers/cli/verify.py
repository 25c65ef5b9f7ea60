"""`fmgo verify`: what files of others are worth. Offline; nothing is fetched and nothing is stored."""

import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from domain.format.table import PROFILES
from domain.problems import DomainError, Problem
from domain.stamp import chile
from domain.verification import Trust, Verdict, verify
from domain.verification.reading import LARGEST_FILE
from workers.cli.output import BAD_INPUT, DONE, NO, Json, console, show_problems, write_json

STANDARD_INPUT: Final = "-"
_LARGEST_KEY: Final = 256 * 1024
_SHOWN: Final = {True: "yes", False: "NO"}


class UsageError(DomainError):
    """An option or a file that cannot be used."""


def verify_files(
    files: Annotated[list[str], typer.Argument(help="XML files; - for standard input.", metavar="FILE")],
    trust_caf_key: Annotated[
        list[str] | None,
        typer.Option(help="Another public key that signs CAFs. Repeats, also for one IDK.", metavar="IDK=PEM"),
    ] = None,
    trust_ca: Annotated[
        list[Path] | None,
        typer.Option(help="Certificates of authorities: signers must be theirs. Repeats.", metavar="PEM"),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Judge as of this date or moment; now if left out.", metavar="MOMENT")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what documents, envelopes, cessions, answers, books, stamps and CAF files are worth: one verdict a file.

    Ends with 0 when all are accepted, 1 when one is rejected, 2 when one can't be read at all.
    """
    trust = _trust(trust_caf_key or [], trust_ca or [])
    moment = _moment(at)
    worst = DONE
    for name in files:
        try:
            data = _bytes_of(name, LARGEST_FILE)
        except OSError as fault:
            problem = Problem("FILE-UNREADABLE", name, f"The file can't be read: {fault.strerror or fault}.")
            _show_unreadable(name, problem, as_json=as_json)
            worst = BAD_INPUT
            continue
        verdict = verify(data, trust=trust, at=moment)
        if as_json:
            write_json({"file": name, **verdict.as_dict()})
        else:
            _show(name, verdict)
        if verdict.verdict == "reject":
            worst = max(worst, NO)
    raise typer.Exit(worst)


def _trust(keys: list[str], authorities: list[Path]) -> Trust:
    pairs = []
    for text in keys:
        idk, separator, path = text.partition("=")
        if not separator or not idk.strip().isdecimal():
            sentence = f"Write IDK=PEM, a number and a file, not {text}."
            raise UsageError([Problem("TRUST-CAF-KEY", "--trust-caf-key", sentence)])
        pairs.append((int(idk), _key_file(path, "--trust-caf-key")))
    return Trust.with_keys(pairs, [_key_file(str(path), "--trust-ca") for path in authorities])


def _key_file(path: str, option: str) -> bytes:
    try:
        return _bytes_of(path, _LARGEST_KEY)
    except OSError as fault:
        sentence = f"{path} can't be read: {fault.strerror or fault}."
        raise UsageError([Problem("FILE-UNREADABLE", option, sentence)]) from None


def _bytes_of(name: str, most: int) -> bytes:
    """The bytes of a file, and one more than `most` of a larger one, so that it is known to be too large."""
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read(most + 1)
    with Path(name).open("rb") as file:
        return file.read(most + 1)


def _moment(text: str | None) -> datetime:
    """The moment of judgement; of a date, its last second in Chile."""
    if text is None:
        return datetime.now(UTC)
    try:
        if len(text) == len("2026-11-24"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), chile())
        found = datetime.fromisoformat(text)
    except ValueError:
        sentence = f"Write a date as 2026-11-24 or a moment as 2026-11-24T10:15:00, not {text}."
        raise UsageError([Problem("AT-UNREADABLE", "--at", sentence)]) from None
    return found.replace(tzinfo=chile()) if found.tzinfo is None else found


def _show(name: str, verdict: Verdict) -> None:
    colour = "green" if verdict.verdict == "accept" else "red"
    told = ", ".join(f"{fact} {_SHOWN[value]}" for fact, value in verdict.facts.items() if value is not None)
    profile = (verdict.values or {}).get("profile")
    if profile is not None and profile != PROFILES[0]:
        told = f"{told}; by the format of {profile}, which is unverified"
    console().print(
        f"[{colour}]{verdict.verdict}[/] {escape(name)} ({verdict.kind}): {escape(told or 'nothing to judge')}"
    )
    show_problems(verdict.problems, to_errors=False)


def _show_unreadable(name: str, problem: Problem, *, as_json: bool) -> None:
    if as_json:
        nothing = Verdict("unknown", None, {}, (problem,), ())
        write_json({"file": name, **nothing.as_dict()})
    else:
        show_problems([problem])
