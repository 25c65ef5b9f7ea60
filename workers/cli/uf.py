"""`fmgo uf …`: values of the UF, which a limit of boletas is in."""

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.access import Access, actor, read_file
from workers.cli.output import DONE, NO, Json, complain, say, table, write_json
from workers.uf_desk import UfDesk

uf = typer.Typer(no_args_is_help=True, help="Values of the UF (unidad de fomento), in pesos by day.")

A_MONTH = 31


@uf.command("import")
def uf_import(
    file: Annotated[Path, typer.Argument(help="CSV lines day,value, or JSON (- for standard input).", metavar="FILE")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the file's value where a day has another.")] = False,
    as_json: Json = False,
) -> None:
    """Take values from a file: all lines go in, or none; the same file again changes nothing."""
    data = read_file(file)
    with Access() as access:
        done = UfDesk(access.ledger, actor=actor()).import_values(data, replace=replace)
    if as_json:
        write_json(
            {"new": done.new, "replaced": done.replaced, "known": done.known, "from": done.first, "to": done.last}
        )
    else:
        say(f"{done.new} new, {done.replaced} replaced, {done.known} known, {done.first} to {done.last}")
    raise typer.Exit(DONE)


@uf.command("set")
def uf_set(
    day: Annotated[str, typer.Argument(help="Day, 2026-11-24.", metavar="DATE")],
    value: Annotated[str, typer.Argument(help="Pesos, 39643.59.", metavar="VALUE")],
    as_json: Json = False,
) -> None:
    """Set the value of a day, also in the place of another."""
    with Access() as access:
        when, figure, changed = UfDesk(access.ledger, actor=actor()).set_value(day, value)
    if as_json:
        write_json({"date": when, "value": figure, "changed": changed})
    else:
        say(f"{when}: {figure}" if changed else f"{when}: {figure} already")
    raise typer.Exit(DONE)


@uf.command("show")
def uf_show(
    day: Annotated[str | None, typer.Argument(help="One day; else the latest that are known.", metavar="DATE")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the latest first.")] = A_MONTH,
    as_json: Json = False,
) -> None:
    """Values that are known; of one day, 1 is the exit code when there is none."""
    with Access() as access:
        desk = UfDesk(access.ledger, actor=actor())
        found = desk.latest(limit) if day is None else []
        when, figure = (None, None) if day is None else desk.value(day)
    if day is not None and figure is None:
        complain("UF-UNKNOWN", f"No value of {when} is known.", as_json=as_json)
        raise typer.Exit(NO)
    if day is not None:
        found = [{"date": when, "value": figure}]
    if as_json:
        for row in found:
            write_json(row)
    else:
        table(["date", "#value"], [(row["date"], str(row["value"])) for row in found])
