"""The UF that limits go by, for commands that work without a ledger: a value, or a file of values by day (`--uf`)."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.codes.uf import LARGEST_FILE, UfError, fixing_day, read_uf, uf_value
from domain.money import Number
from domain.preparing import stated_day
from domain.problems import Problem

UfOption = Annotated[
    str | None,
    typer.Option(
        "--uf",
        help="Value in pesos of the UF of 31 December before, which fixes the limit of 135 UF for a year, or a file of "
        "values by day (CSV or JSON). Without it that limit isn't asked about.",
        metavar="VALUE|FILE",
    ),
]

Units = Callable[[Mapping[str, Any], date], Number | None]
"""The UF that limits of a document's day go by; the day given is for documents that state none."""


def unit_of(option: str | None) -> Units:
    """What `--uf` says. Raises UfError (UF-VALUE, UF-FILE)."""
    if option is None:
        return lambda _document, _day: None
    path = Path(option)
    if not path.is_file() and option.strip()[:1].isdigit():
        value = uf_value(option, "--uf")
        return lambda _document, _day: value
    try:
        with path.open("rb") as file:
            values = read_uf(file.read(LARGEST_FILE + 1))
    except OSError as fault:
        raise UfError([Problem("UF-FILE", "--uf", f"{option} can't be read: {fault.strerror}.")]) from None

    def of_day(document: Mapping[str, Any], day: date) -> Number | None:
        stated = values.get(fixing_day(stated_day(document) or day))
        return None if stated is None else stated.value

    return of_day
