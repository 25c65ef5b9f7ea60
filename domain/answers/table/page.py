"""The table as a page (Markdown): what FMgo does with each answer of the SII, and what a person must do."""

from collections.abc import Iterator

from domain.answers.table import ELSEWHERE, ROWS, Row, Service
from domain.answers.table.alerts import ALERTS

_HEAD = """# What the SII answers

For each answer of each service: what it says, what FMgo does, and what a person must do ("nothing": FMgo goes on by
itself). Words in parentheses stand for what comes in a code's place. An answer that isn't here is never a verdict: it
is kept verbatim (`fmgo envelope show ID`) and asked about again. "Known from" says how surely: the SII's manual,
answers recorded in the field (by one source: seen once), or our reading of what comes without a code. This page is
written by `fmgo answers --page`; a test keeps it current. `fmgo answers CODE` explains one code.
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
    "ingresarAceptacionReclamoDoc": "Accepting and claiming: ingresarAceptacionReclamoDoc",
    "consultarDocDteCedible": "Whether a document can be ceded: consultarDocDteCedible",
    "RTCAnotEnvio": "Upload of a cession: RTCAnotEnvio",
    "cession status": "State of an upload of a cession: getEstEnvio",
    "cession query": "Questions about cessions: wsRPETCConsulta",
    "books": "State of an upload of books: QueryEstUp",
    "portal": "The portal: the last number of codes like 01.01.190.500.720.27",
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
        yield "| answer | says | FMgo | a person | known from |"
        yield "|---|---|---|---|---|"
        yield from (_line(row) for row in (*ROWS, *ELSEWHERE) if row.service == service)
        yield ""
    yield _ALERTS
    for alert in ALERTS:
        yield "| " + " | ".join(map(_cell, (alert.name, alert.on, alert.says, alert.person))) + " |"


def _line(row: Row) -> str:
    return "| " + " | ".join(map(_cell, (row.answer, row.says, row.does, row.person, row.source))) + " |"


def page() -> str:
    """The page, in Markdown, with a final newline."""
    return "\n".join(_lines()) + "\n"
