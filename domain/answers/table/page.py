"""The table as a page (Markdown): what FMgo does with each answer of the SII, and what a person must do."""

from collections.abc import Iterator

from domain.answers.table import ROWS, Row, Service
from domain.answers.table.alerts import ALERTS

_HEAD = """# What the SII answers

For each answer of each service: what it says, what FMgo does, and what a person must do ("nothing": FMgo goes on by
itself). Words in parentheses stand for what comes in a code's place. An answer that isn't here is never a verdict: it
is kept verbatim (`fmgo envelope show ID`) and asked about again. This page is written by `fmgo answers --page`; a test
keeps it current.
"""
_TITLES: dict[Service, str] = {
    "seed": "Login: the seed (CrSeed, boleta.electronica.semilla)",
    "token": "Login: the token (GetTokenFromSeed, boleta.electronica.token)",
    "DTEUpload": "Upload of documents: STATUS of DTEUpload",
    "boleta upload": "Upload of boletas (boleta.electronica.envio)",
    "QueryEstUp": "State of an upload: QueryEstUp",
    "boleta upload status": "State of an upload of boletas",
    "QueryEstDte": "State of a document: QueryEstDte",
    "QueryEstDteAv": "State of a document with its signature: QueryEstDteAv",
    "boleta status": "State of a boleta",
    "wsDTECorreo": "Asking for the result mail again: wsDTECorreo",
    "listarEventosHistDoc": "Acceptance and claims: listarEventosHistDoc",
    "reasons": "Reasons for single documents and envelopes",
}
_ALERTS = """## Alerts

What waiting alone doesn't mend has a name, in `fmgo doctor` and `fmgo envelope show`:

| alert | of | says | a person |
|---|---|---|---|"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _lines() -> Iterator[str]:
    yield _HEAD
    for service, title in _TITLES.items():
        yield f"## {title}\n"
        yield "| answer | says | FMgo | a person |"
        yield "|---|---|---|---|"
        yield from (_line(row) for row in ROWS if row.service == service)
        yield ""
    yield _ALERTS
    for alert in ALERTS:
        yield "| " + " | ".join(map(_cell, (alert.name, alert.on, alert.says, alert.person))) + " |"


def _line(row: Row) -> str:
    return "| " + " | ".join(map(_cell, (row.answer, row.says, row.does, row.person))) + " |"


def page() -> str:
    """The page, in Markdown, with a final newline."""
    return "\n".join(_lines()) + "\n"
