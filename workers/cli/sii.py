"""`fmgo sii status`, `fmgo stop`, `fmgo resume`: the SII's services, what waits for them, the switches."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from workers.cli.access import Access, canonical
from workers.cli.output import DONE, NO, Environment, Json, coloured, say, table, write_json
from workers.database import pace, switches
from workers.database.pace import FailingLogin, Punctuality, Service
from workers.database.switches import Stopped, What

sii = typer.Typer(no_args_is_help=True, help="The SII's services.")

Company = Annotated[str | None, typer.Argument(help="RUT of a company; none: all of them.", metavar="RUT")]
Issuing = Annotated[bool, typer.Option("--issuing", help="No new folios; jobs are still recorded.")]
Sending = Annotated[bool, typer.Option("--sending", help="Nothing new goes to the SII; documents are still issued.")]
Reason = Annotated[str | None, typer.Option(help="Why, for whoever finds it stopped.")]


@sii.command("status")
def status(as_json: Json = False) -> None:
    """Services and logins, what waits to be sent and until when, and what a person stopped.

    Ends with 1 while a service is closed or failing, or a login brings no token.
    """
    with Access() as access, access.ledger.transaction() as tx:
        services, logins = pace.services(tx), pace.failing_logins(tx)
        punctual, stopped = pace.punctuality(tx), switches.stopped(tx)
    if as_json:
        for service in services:
            write_json({"about": "service", **asdict(service), "state": service.state})
        for kind, rows in (("login", logins), ("documents", punctual), ("stopped", stopped)):
            for row in rows:
                write_json({"about": kind, **asdict(row)})
    else:
        _show(services, logins, punctual, stopped)
    raise typer.Exit(NO if logins or any(service.state != "ok" for service in services) else DONE)


def _show(
    services: list[Service], logins: list[FailingLogin], punctual: list[Punctuality], stopped: list[Stopped]
) -> None:
    lines = [
        (one.environment, one.service, coloured(one.state), _again(one), one.failing_since, one.reason)
        for one in services
    ]
    table(("environment", "service", "state", "asked again", "failing since", "said"), lines, title="Services")
    table(
        ("environment", "#type", "#waiting", "next by", "#late", "#by", "#sent in a day", "#sent late", "#by at most"),
        [
            (
                one.environment,
                one.document_type,
                one.waiting,
                one.next_send_by,
                one.late,
                _span(one.longest_late),
                one.sent,
                one.sent_late,
                _span(one.most_late),
            )
            for one in punctual
        ],
        title="Documents",
    )
    for login in logins:
        again = f"; next try {login.retry_at:%Y-%m-%d %H:%M} UTC" if login.retry_at else ""
        say(f"the login of {login.person} ({login.environment}, {login.channel}) fails: {login.problem}{again}")
    for one in stopped:
        whose = "all companies" if one.issuer is None else one.issuer
        why = f": {one.reason}" if one.reason else ""
        say(f"{one.what} is stopped for {whose} ({one.environment}) since {one.since:%Y-%m-%d %H:%M} UTC{why}")


def _again(service: Service) -> str:
    """When a closed service may be asked again."""
    if service.closed_seconds is None:
        return ""
    return f"in {timedelta(seconds=round(service.closed_seconds))}" if service.closed_seconds >= 1 else "now"


def _span(seconds: float | None) -> str:
    return str(timedelta(seconds=round(seconds))) if seconds is not None and seconds > 0 else ""


def stop(
    issuer: Company = None,
    issuing: Issuing = False,
    sending: Sending = False,
    reason: Reason = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Stop issuing, sending or both, for one company or all, until `fmgo resume`."""
    _turn(issuer, environment, _chosen(issuing, sending), as_json=as_json, stop=True, reason=reason)


def resume(
    issuer: Company = None,
    issuing: Issuing = False,
    sending: Sending = False,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Let what `fmgo stop` stopped go on."""
    _turn(issuer, environment, _chosen(issuing, sending), as_json=as_json, stop=False, reason=None)


def _chosen(issuing: bool, sending: bool) -> list[What]:
    pairs: list[tuple[What, bool]] = [("issuing", issuing), ("sending", sending)]
    chosen = [what for what, wanted in pairs if wanted]
    if not chosen:
        raise typer.BadParameter("say what: --issuing, --sending or both")
    return chosen


def _turn(
    issuer: str | None, environment: str, chosen: list[What], *, as_json: bool, stop: bool, reason: str | None
) -> None:
    rut = None if issuer is None else canonical(issuer)
    with Access() as access:
        for what in chosen:
            access.enrolment().turn(what, rut, environment, stop=stop, reason=reason)
    if as_json:
        write_json({"issuer": rut, "environment": environment, "stopped" if stop else "resumed": chosen})
        return
    say(f"{' and '.join(chosen)} {'stopped' if stop else 'goes on'} for {rut or 'all companies'} ({environment})")
