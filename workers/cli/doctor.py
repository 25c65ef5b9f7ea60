"""`fmgo doctor`: whether everything that FMgo needs is there, and what to do where it isn't.

Exit 0 when nothing fails (warnings may stand), 1 when something does.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from workers.cli import checks, checks_running, sending
from workers.cli.access import Access, canonical
from workers.cli.checks import Finding
from workers.cli.output import DONE, NO, Json, Markup, cell, coloured, console, say, table, write_json
from workers.settings import Settings, SettingsError


def doctor(
    issuer: Annotated[str | None, typer.Argument(help="With --sii: only this company.", metavar="RUT")] = None,
    sii: Annotated[bool, typer.Option("--sii", help="What each company can send to the SII, and why not.")] = False,
    ask: Annotated[bool, typer.Option("--ask", help="With --sii: log in and ask the SII harmless questions.")] = False,
    as_json: Json = False,
) -> None:
    """Look at settings, servers, secrets, workers, companies and what stands still; or at what can be sent."""
    if sii or ask:
        with Access() as access:
            sending.look(access, None if issuer is None else canonical(issuer), ask=ask, as_json=as_json)
    if issuer is not None:
        raise typer.BadParameter("a company is looked at with --sii")
    findings = []
    for finding in _findings():
        findings.append(finding)
        if as_json:
            write_json(asdict(finding))
    if not as_json:
        _show(findings)
    raise typer.Exit(NO if any(finding.level == "fail" for finding in findings) else DONE)


def _findings() -> Iterator[Finding]:
    with Access() as access:
        try:
            settings = access.settings
        except SettingsError as error:
            for sentence in error.sentences:
                yield Finding("fail", "settings", sentence, "Set it in the environment of every process.")
            return
        world = f"the SII's {settings.sii_environment} environment at {settings.soap_host}"
        yield from checks.look_at_settings(settings)
        yield Finding("ok", "settings", world)
        yield from checks.look_at_ringing(settings)
        yield from checks_running.look_at_redis(settings)
        yield from checks.look_at_evidence(settings)
        yield from checks.look_at_schemas(settings)
        try:
            yield from _in_the_ledger(access, settings)
        except DBAPIError as error:
            yield checks_running.away(error)


def _in_the_ledger(access: Access, settings: Settings) -> Iterator[Finding]:
    """Looks that need the ledger, each in a transaction of its own; without its tables, only the first."""
    looks: list[Callable[[Connection], Iterator[Finding]]] = [
        checks_running.look_at_ledger,
        checks.look_at_copies,
        lambda tx: checks.look_at_vault(settings, tx),
        lambda tx: checks_running.look_at_workers(settings, tx),
        checks.look_at_companies,
        checks.look_at_mail,
        checks.look_at_uf,
        checks.look_at_documents,
        checks.look_at_envelopes,
        checks.look_at_sii,
    ]
    for look in looks:
        with access.ledger.transaction() as tx:
            found = list(look(tx))
        yield from found
        if look is checks_running.look_at_ledger and any(f.level == "fail" and f.about == "ledger" for f in found):
            return


def _show(findings: list[Finding]) -> None:
    """Matters that are well on one line each; where several findings are about one matter, only what isn't well."""
    troubled = {finding.about for finding in findings if finding.level != "ok"}
    shown = [f for f in findings if f.level != "ok" or f.about not in troubled]
    names = [(coloured(finding.level), Markup(f"[bold]{cell(finding.about)}[/]")) for finding in shown]
    if console().is_terminal:
        told = [f"{finding.said}\n→ {finding.todo}" if finding.todo else finding.said for finding in shown]
        table(["", "what", "found, and what to do"], [(*name, text) for name, text in zip(names, told, strict=True)])
    else:
        lines = [(*name, finding.said, finding.todo) for name, finding in zip(names, shown, strict=True)]
        table(["", "what", "found", "to do"], lines)
    fails = sum(finding.level == "fail" for finding in findings)
    warns = sum(finding.level == "warn" for finding in findings)
    say(f"{fails} to mend, {warns} to know" if fails or warns else "all is well")
