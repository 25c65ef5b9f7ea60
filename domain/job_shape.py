"""Bodies in another shape than a job's, and what whoever wrote them must change.

Other programs of the field send the document itself (Encabezado, Detalle … at the top), or under `dte` or `Documento`;
spreadsheets and other languages write "1" for 1 and numbers for keys. None of this is guessed at, all of it is named.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from domain.problems import Problem, shown

_ZONES = frozenset({"encabezado", "detalle", "subtotinfo", "dscrcgglobal", "referencia", "comisiones", "georefemision"})
"""What stands right under a document, in small letters."""
_MOST_QUOTED = 40


def misplaced_document(members: Mapping[str, Any]) -> tuple[tuple[str, ...], Problem | None]:
    """The members that are the document or parts of it, and what to do about them."""
    zones = tuple(name for name in members if name.casefold() in _ZONES)
    holders = tuple(name for name, value in members.items() if name != "document" and _holds_document(value))
    if zones:
        named = ", ".join(map(shown, zones))
        where = "into document" if "document" in members else "under a member called document"
        sentence = f"Put {named} {where}: a job is an object of version, idempotency_key, issuer and document."
    elif holders:
        way = "Encabezado, Detalle … stand right under it"
        sentence = f"Rename {shown(holders[0])} to document, which is what a job calls it: {way}."
    else:
        return (), None
    return zones + holders, Problem("JOB-DOCUMENT", "document", sentence)


def strange_member(name: str, known: Iterable[str]) -> Problem:
    """A member that a job hasn't."""
    plain = name.casefold().replace("-", "_")
    words = {each: each for each in known} | {each.replace("_", ""): each for each in known} | _OTHER_NAMES
    near = get_close_matches(plain, words, 1, 0.8)
    hint = f" Did you mean {words[near[0]]}?" if near else ""
    return Problem("JOB-MEMBER", shown(name), f"Take {shown(name)} out: a job has no such member.{hint}")


_OTHER_NAMES = {
    "key": "idempotency_key",
    "external_id": "idempotency_key",
    "idempotencykey": "idempotency_key",
    "emisor": "issuer",
    "rut_emisor": "issuer",
    "rutemisor": "issuer",
    "ambiente": "environment",
    "env": "environment",
    "sucursal": "branch",
    "caja": "till",
    "documento": "document",
    "doc": "document",
}
"""What else a member is called."""


def kind_of_value(member: str, written: object) -> str:
    """What is wrong with the kind of a value, as a part of a sentence; empty where it isn't the kind."""
    if member == "version" and isinstance(written, str):
        return f"as a number, without quotes: {shown(written)} in quotes is a text"
    if member == "version" and isinstance(written, (float, bool)):
        return f"as a whole number, not {_spelled(written)}"
    if member != "version" and isinstance(written, (bool, int, float)):
        return f"as a text, in quotes: {_spelled(written)} is no text"
    return ""


def _spelled(written: object) -> str:
    return str(written).casefold() if isinstance(written, bool) else shown(written)[:_MOST_QUOTED]


def _holds_document(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    names = {str(name).casefold() for name in value}
    return "encabezado" in names or any(
        isinstance(each, Mapping) and "encabezado" in {str(name).casefold() for name in each} for each in value.values()
    )
