"""An example for every command, shown at the end of its help.

They are written as a person types them; a test parses each, and finds a command without one.
"""

from collections.abc import Mapping
from typing import Final

import typer

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "calculate": ("fmgo calculate boleta.json", "fmgo calculate - --uf uf.json --json"),
    "render": (
        "fmgo render sale.json --caf CAF-33.xml --pfx firma.pfx --folio 1 --out signed",
        (
            "fmgo render jobs.jsonl --caf CAF-39.xml --pfx firma.pfx --folio 1 --envelope --resolution-date 2014-08-22"
            " --resolution-number 0"
        ),
    ),
    "verify": ("fmgo verify received/*.xml", "fmgo verify --at 2026-11-24 --json dte.xml"),
    "rules": ("fmgo rules --type 33", "fmgo rules --json"),
    "answers": ("fmgo answers RFR", "fmgo answers -11", "fmgo answers 'DET L2-2-200'"),
    "enqueue": ("fmgo enqueue boleta.json", "fmgo enqueue - --queue --json"),
    "stop": (
        "fmgo stop --sending --reason 'resolution is being mended'",
        "fmgo stop 76900101-8 --issuing --environment production",
    ),
    "resume": ("fmgo resume --sending", "fmgo resume 76900101-8 --issuing --environment production"),
    "doctor": ("fmgo doctor", "fmgo doctor --sii 76900101-8 --ask"),
    "worker": ("fmgo worker threads", "fmgo worker bulk --concurrency 4 --loglevel INFO"),
    "sandbox": ("fmgo sandbox", "fmgo sandbox --jobs november.jsonl"),
    "batch import": ("fmgo batch import november.jsonl --name 'November'",),
    "batch list": ("fmgo batch list --limit 5",),
    "document list": (
        "fmgo document list --state rejected",
        "fmgo document list --issuer 76900101-8 --limit 200 --json",
    ),
    "document show": ("fmgo document show 6f1c2a90", "fmgo document show --issuer 76900101-8 --key till-3-000123"),
    "document events": ("fmgo document events 6f1c2a90",),
    "document xml": ("fmgo document xml 6f1c2a90 --out dte.xml", "fmgo document xml 6f1c2a90 --ted"),
    "document cancel": ("fmgo document cancel 6f1c2a90 --reason 'the buyer left'",),
    "document settle": ("fmgo document settle 6f1c2a90 --rejected --reason 'the portal shows another receiver'",),
    "document import": ("fmgo document import old/*.xml", "fmgo document import old.xml --environment production"),
    "document release": ("fmgo document release 6f1c2a90 7a20bd11",),
    "document replace": ("fmgo document replace 6f1c2a90 --document corrected.json",),
    "envelope list": ("fmgo envelope list --state uncertain",),
    "envelope show": ("fmgo envelope show 0b52c6d1", "fmgo envelope show 0b52c6d1 --xml"),
    "envelope release": ("fmgo envelope release 0b52c6d1",),
    "envelope resend": ("fmgo envelope resend 0b52c6d1",),
    "refused list": ("fmgo refused list",),
    "refused show": ("fmgo refused show 17",),
    "refused retry": ("fmgo refused retry 17",),
    "mail add": (
        "fmgo mail add 76900101-8 --imap imaps://dte%40empresa.cl@mail.empresa.cl/INBOX --password-file F",
        "fmgo mail add 76900101-8 --folder /var/mail/sii",
    ),
    "mail sources": ("fmgo mail sources",),
    "mail remove": ("fmgo mail remove 2",),
    "mail import": ("fmgo mail import result.eml DTEMAIL77.xml",),
    "mail list": ("fmgo mail list --outcome contradicts",),
    "mail show": ("fmgo mail show 12 --raw",),
    "sii status": ("fmgo sii status",),
    "issuer add": (
        (
            "fmgo issuer add 76900101-8 --razon-social 'FERRETERÍA ÑUBLE' --giro Ferretería --acteco 475201"
            " --dir-origen 'Av. Uno 1' --cmna-origen Chillán --resolution-number 0 --resolution-date 2014-08-22"
        ),
    ),
    "issuer list": ("fmgo issuer list",),
    "issuer set-resolution": (
        (
            "fmgo issuer set-resolution 76900101-8 --resolution-number 80 --resolution-date 2014-08-22"
            " --environment production"
        ),
    ),
    "issuer adopt": ("fmgo issuer adopt 76900101-8 --caf CAF-33.xml --next 40",),
    "branch add": (
        (
            "fmgo branch add 76900101-8 centro --sucursal Centro --dir-origen 'Calle Dos 2' --cmna-origen Chillán"
            " --till 'caja 3'"
        ),
    ),
    "person add": ("fmgo person add 15845335-5 'Rosa Soto' --for 76900101-8@certification",),
    "certificate add": ("fmgo certificate add firma.pfx --for 76900101-8@certification --password-file F",),
    "certificate list": ("fmgo certificate list",),
    "caf add": ("fmgo caf add CAF-33.xml", "fmgo caf add CAF-33.xml --next 40 --used 52,60-71"),
    "caf list": ("fmgo caf list --issuer 76900101-8",),
    "folio list": ("fmgo folio list 76900101-8 --type 33",),
    "folio annul": ("fmgo folio annul 76900101-8 33 10-12,15 --reason 'annulled at the SII'",),
    "folio import-used": ("fmgo folio import-used used.csv --issuer 76900101-8",),
    "uf import": ("fmgo uf import uf.json",),
    "uf set": ("fmgo uf set 2026-11-24 39643.59",),
    "uf show": ("fmgo uf show 2026-11-24",),
    "evidence verify": ("fmgo evidence verify",),
    "ledger migrate": ("fmgo ledger migrate",),
    "simulator": ("fmgo simulator --folder .simulator --registry registry.json", "fmgo simulator --usage"),
    "simulator show": ("fmgo simulator show",),
    "simulator fault add": (
        "fmgo simulator fault add F-LOST-1 --operation upload --times 2",
        "fmgo simulator fault add F-HTTP-1 --arg status=503 --probability 0.1",
    ),
    "simulator fault list": ("fmgo simulator fault list",),
    "simulator fault catalogue": ("fmgo simulator fault catalogue --json",),
    "simulator fault clear": ("fmgo simulator fault clear 3",),
    "simulator fault release": ("fmgo simulator fault release 3",),
}


def show_examples(app: typer.Typer, above: tuple[str, ...] = ()) -> None:
    """Put examples below the help of each command of an application, and one of its commands' below a group's."""
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
        command.epilog = _below(EXAMPLES.get(" ".join((*above, name)), ()))
    for group in app.registered_groups:
        path = (*above, group.name or "")
        known = EXAMPLES.get(" ".join(path)) or next(
            (lines[:1] for words, lines in EXAMPLES.items() if words.startswith(" ".join(path) + " ")), ()
        )
        group.epilog = _below(known)
        if group.typer_instance is not None:
            show_examples(group.typer_instance, path)


def _below(lines: tuple[str, ...]) -> str | None:
    if not lines:
        return None
    told = "Example:" if len(lines) == 1 else "Examples:"
    return "\n\n".join([told, *(line.replace("[", "\\[") for line in lines)])
