"""`fmgo simulator`: starting the simulated SII, and telling a running one what to do.

Without a command of its own, what follows are options of the simulator, which this process then becomes; nothing of it
is imported here. `fault` and `show` speak to the control port of one that runs.
"""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

import httpx
import typer
from typer.core import TyperGroup

from workers.cli.output import BAD_INPUT, NO, Json, complain, say, table, write_json
from workers.cli.run import become, needs_extra

_HELP: Final = frozenset({"-h", "--help"})
_PATIENCE: Final = 60.0
_BAD_REQUEST: Final = 400
_SHOWN: Final = 15
_MANY: Final = 60

Control = Annotated[
    str,
    typer.Option(help="Its control port.", envvar="FMGO_SIMULATOR_URL", metavar="URL", show_default=True),
]
_DEFAULT: Final = "http://127.0.0.1:18499"


class StartOrTell(TyperGroup):
    """A group whose arguments, where they don't name one of its commands, are those of the process to start."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave the arguments of a start as they are."""
        if args and (args[0] in self.commands or args[0] in _HELP):
            return list(super().parse_args(ctx, args))
        ctx.args = list(args)
        return list(ctx.args)


simulator: Final = typer.Typer(
    cls=StartOrTell,
    invoke_without_command=True,
    help="Run the simulated SII alone (its options: `fmgo simulator --folder DIR --usage`), or tell a running one.",
)
fault: Final = typer.Typer(help="Faults of a running simulator: docs/simulator.md lists them.", no_args_is_help=True)
simulator.add_typer(fault, name="fault")


@simulator.callback()
def start(context: typer.Context) -> None:
    """Run the simulated SII alone, with options of its own (--usage lists them); or tell a running one."""
    if context.invoked_subcommand is None:
        needs_extra("xmlsec")
        arguments = ["--help" if argument == "--usage" else argument for argument in context.args]
        become([sys.executable, "-m", "deploy.sandbox.sii", *arguments])


@simulator.command("show")
def show(control: Control = _DEFAULT, as_json: Json = False) -> None:
    """What a running simulator is, which faults are on, what came last, and whether the invariants hold.

    Exit 1 when they don't.
    """
    facts = {
        name: _ask(control, "GET", f"/{name}", as_json=as_json) for name in ("hosts", "faults", "ledger", "invariants")
    }
    held = facts["invariants"]
    if as_json:
        write_json(held | {"hosts": facts["hosts"], "faults": facts["faults"], "requests": len(facts["ledger"])})
    else:
        for name, address in facts["hosts"].items():
            say(f"{name:<12} {address}")
        rules = [(r["number"], r["id"], r["fault"], _short(r["when"]), r["fired"], r["times"]) for r in facts["faults"]]
        table(("number", "id", "fault", "when", "fired", "times"), rules)
        last = facts["ledger"][-_SHOWN:]
        rows = [
            (e["time"][11:19], e["host"], e["operation"] or e["path"], e["outcome"], " ".join(e["faults"]))
            for e in last
        ]
        table(("time", "host", "request", "outcome", "faults"), rows)
        figures = ("accepted", "repaired", "rejected", "doubled", "reissued", "early_requests", "peak_concurrency")
        say(" ".join(f"{name}={held[name]}" for name in figures))
        for problem in held["problems"]:
            say(f"problem: {problem}")
        say("the invariants hold" if held["ok"] else "the invariants are broken")
    if not held["ok"]:
        raise typer.Exit(NO)


@fault.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="FAULT", help="Its id in the catalogue, such as F-LOST-1.")],
    rule_id: Annotated[str, typer.Option("--id", help="A name of your own for the rule.")] = "",
    operation: Annotated[str, typer.Option(help="Only this operation, or group: upload, query, login …")] = "",
    host: Annotated[str, typer.Option(help="Only this host: dte, boleta_api, boleta_up, reclamo.")] = "",
    path: Annotated[str, typer.Option(help="Only this path.")] = "",
    company: Annotated[str, typer.Option(help="Only for this company (RUT).")] = "",
    person: Annotated[str, typer.Option(help="Only for this person (RUT).")] = "",
    track_id: Annotated[str, typer.Option(help="Only about this track id.")] = "",
    nth: Annotated[int, typer.Option(help="Only the n-th request that matches.", min=0)] = 0,
    after: Annotated[str, typer.Option(help="From this time of the simulator's clock (ISO 8601).")] = "",
    until: Annotated[str, typer.Option(help="Until this time.")] = "",
    times: Annotated[int | None, typer.Option(help="How often; -1: until it is lifted.")] = None,
    probability: Annotated[float, typer.Option(min=0, max=1, help="Chance of each matching request.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of that chance.")] = 0,
    args: Annotated[list[str] | None, typer.Option("--arg", metavar="NAME=VALUE", help="An argument; repeats.")] = None,
    control: Control = _DEFAULT,
    as_json: Json = False,
) -> None:
    """Switch a fault on: for the next request, for some share of them, or for so many."""
    conditions = {
        "operation": operation,
        "host": host,
        "path": path,
        "company": company,
        "person": person,
        "trackid": track_id,
        "nth": nth,
        "after": after,
        "until": until,
    }
    rule: dict[str, Any] = {"fault": name, "when": {key: value for key, value in conditions.items() if value}}
    rule |= {"probability": probability, "seed": seed, "args": dict(_argument(text) for text in args or [])}
    rule |= {"id": rule_id} if rule_id else {}
    rule |= {} if times is None else {"times": times}
    made = _ask(control, "POST", "/faults", rule, as_json=as_json)
    if as_json:
        write_json(made)
    else:
        say(f"{made['number']} {made['fault']} is on ({_times(made['times'])})")


@fault.command("list")
def list_rules(control: Control = _DEFAULT, as_json: Json = False) -> None:
    """The rules in force, with how often each has fired."""
    rules = _ask(control, "GET", "/faults", as_json=as_json)
    if as_json:
        for rule in rules:
            write_json(rule)
    else:
        rows = [
            (r["number"], r["id"], r["fault"], _short(r["when"]), _short(r["args"]), r["fired"], r["times"])
            for r in rules
        ]
        table(("number", "id", "fault", "when", "args", "fired", "times"), rows)


@fault.command("catalogue")
def catalogue(control: Control = _DEFAULT, as_json: Json = False) -> None:
    """Every fault that there is: what it does, what it means when nothing else is said, its arguments."""
    entries = _ask(control, "GET", "/faults/catalogue", as_json=as_json)
    if as_json:
        for entry in entries:
            write_json(entry)
    else:
        rows = [(e["id"], e["does"], e["operations"], _short(e["args"]), e["natural"]) for e in entries]
        table(("fault", "what happens", "requests", "arguments", "by itself"), rows)


@fault.command("clear")
def clear(
    which: Annotated[str | None, typer.Argument(metavar="RULE", help="Its number or id; all when left out.")] = None,
    control: Control = _DEFAULT,
    as_json: Json = False,
) -> None:
    """Lift one rule, or all."""
    answer = _ask(
        control, "DELETE", "/faults" if which is None else f"/faults/{quote(which, safe='')}", as_json=as_json
    )
    if as_json:
        write_json(answer)
    else:
        lifted = answer["lifted"]
        say(f"{lifted if isinstance(lifted, int) else len(lifted)} lifted")


@fault.command("release")
def release(
    which: Annotated[str, typer.Argument(metavar="RULE", help="Its number or id.")],
    control: Control = _DEFAULT,
    as_json: Json = False,
) -> None:
    """Let go the answers that a rule holds back (F-LOST-7)."""
    answer = _ask(control, "POST", f"/faults/{quote(which, safe='')}/release", as_json=as_json)
    if as_json:
        write_json(answer)
    else:
        say(f"{answer['released']} released")


def _ask(control: str, method: str, path: str, body: Mapping[str, Any] | None = None, *, as_json: bool = False) -> Any:
    """One call of the control port; ends the command when nobody is there or the call is refused."""
    try:
        answer = httpx.request(method, control.rstrip("/") + path, json=body, timeout=_PATIENCE)
        found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        complain("SIMULATOR-AWAY", f"No simulator answers at {control}: {error}", as_json=as_json)
        raise typer.Exit(NO) from error
    if answer.status_code >= _BAD_REQUEST:
        sentence = found.get("error", f"There is nothing of that name: {path}")
        complain("SIMULATOR-REFUSED", sentence, as_json=as_json)
        raise typer.Exit(BAD_INPUT if answer.status_code == _BAD_REQUEST else NO)
    return found


def _argument(text: str) -> tuple[str, Any]:
    """A rule's argument: its value is JSON where it is JSON, text where not."""
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"an argument is NAME=VALUE, not {text!r}", param_hint="--arg")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _short(values: Mapping[str, Any]) -> str:
    text = " ".join(f"{name}={value}" for name, value in values.items())
    return text if len(text) <= _MANY else text[: _MANY - 1] + "…"


def _times(times: int) -> str:
    return "until it is lifted" if times < 0 else "once" if times == 1 else f"{times} times"
