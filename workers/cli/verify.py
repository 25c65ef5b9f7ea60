"""`fmgo verify`: what files of others are worth. Offline; nothing is fetched and nothing is stored."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from domain.problems import DomainError, Problem, shown
from domain.stamp import chile
from domain.verification import Trust, Verdict, verify
from domain.verification.readers import Reading, readings
from domain.verification.reading import LARGEST_FILE
from workers.cli.output import BAD_INPUT, DONE, NO, Json, amount, console, show_problems, write_json
from workers.cli.sources import sources

_LARGEST_KEY: Final = 256 * 1024
_LONGEST_AMOUNT: Final = 18
_SHOWN: Final = {True: "yes", False: "NO"}


class UsageError(DomainError):
    """An option or a file that cannot be used."""


def verify_files(
    files: Annotated[
        list[str], typer.Argument(help="XML files, folders or ZIPs of them; - for standard input.", metavar="FILE")
    ],
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

    Of a folder or a ZIP, every XML file in it. Beside the verdict: whether the file is genuine and whole, and whether
    the SII would take these bytes.

    Ends with 0 when all are accepted, 1 when one is rejected, 2 when one can't be read at all.
    """
    trust = _trust(trust_caf_key or [], trust_ca or [])
    moment = _moment(at)
    worst = DONE
    for name, data in sources(files, LARGEST_FILE):
        if isinstance(data, Problem):
            _show_unreadable(name, data, as_json=as_json)
            worst = BAD_INPUT
            continue
        verdict = verify(data, trust=trust, at=moment)
        if as_json:
            _write(name, verdict)
        else:
            _show(name, verdict, trust)
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
        with Path(path).open("rb") as file:
            return file.read(_LARGEST_KEY + 1)
    except OSError as fault:
        sentence = f"{path} can't be read: {fault.strerror or fault}."
        raise UsageError([Problem("FILE-UNREADABLE", option, sentence)]) from None


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


def _write(name: str, verdict: Verdict) -> None:
    write_json({"file": name, **verdict.as_dict(), "readings": readings(verdict).as_dict()})


def _show(name: str, verdict: Verdict, trust: Trust) -> None:
    colour = "green" if verdict.verdict == "accept" else "red"
    screen = console()
    screen.print(f"[{colour}]{verdict.verdict}[/] {escape(name)} ({verdict.kind}){escape(_contents(verdict))}")
    both = readings(verdict)
    if verdict.kind not in ("unknown", "resultado"):
        proven = both.receiver.holds and verdict.kind != "caf" and not trust.authorities
        unchecked = "; whose certificates these are was not checked (--trust-ca)" if proven else ""
        screen.print(escape(f"  genuine and whole: {_told(both.receiver)}{unchecked}"))
    if both.sii != Reading(None):
        inside = " (in an envelope)" if verdict.kind == "dte" else ""
        screen.print(escape(f"  would the SII take these bytes{inside}: {_told(both.sii)}"))
    facts = ", ".join(f"{fact} {_SHOWN[value]}" for fact, value in verdict.facts.items() if value is not None)
    if facts:
        screen.print(escape(f"  {facts}"))
    show_problems(verdict.problems, to_errors=False)


def _told(reading: Reading) -> str:
    because = ", ".join(reading.because)
    if because == "profile":
        because = "by the format of 2026, which is unverified"
    if reading.holds:
        return f"yes, with a remark ({because})" if because else "yes"
    return f"{'not known' if reading.holds is None else 'NO'} ({because})"


def _contents(verdict: Verdict) -> str:
    """What a file holds, for a person: the document, or how many of which type."""
    documents = verdict.documents
    if not documents:
        return ""
    if len(documents) > 1:
        counts = Counter(str(each["type"]) for each in documents)
        told = ", ".join(f"{count} of type {kind}" for kind, count in sorted(counts.items()))
        return f": {len(documents)} documents, {told}"
    (one,) = documents
    totals = one["totals"]
    total = totals.get("MntTotal") if isinstance(totals, Mapping) else None
    parts = (
        ("type", one["type"]),
        ("folio", one["folio"]),
        ("of", one["issuer"]),
        ("to", one["receiver"]),
        ("on", one["issued_on"]),
        ("for", _pesos(total)),
    )
    told = " ".join(f"{word} {shown(value)}" for word, value in parts if value)
    return f": {told}" if told else ""


def _pesos(text: object) -> str:
    plain = str(text or "").strip()
    short = plain.isascii() and plain.isdecimal() and len(plain) <= _LONGEST_AMOUNT
    return amount(int(plain)) if short else plain


def _show_unreadable(name: str, problem: Problem, *, as_json: bool) -> None:
    if as_json:
        _write(name, Verdict("unknown", None, {}, (problem,), ()))
    else:
        show_problems([problem])
