"""Objections on demand: faults that give documents of an envelope findings which they don't deserve."""

from itertools import count
from typing import Any, Protocol

from deploy.sandbox.sii.registry import Document, Finding

_REJECTION = Finding("HED-3-861", "Actividad Economica No Registrada")
_REPAIR = Finding("TED-2-510", "Firma del Timbre Incorrecta")


class Objector(Protocol):
    """Looks at the documents of an envelope in their order."""

    def objection(self, document: Document) -> list[Finding]:
        """The findings for this document, or none."""


class Halving:
    """F-HALF: every second document of an envelope (of the types it names) gets an objection."""

    def __init__(self, args: dict[str, Any]) -> None:
        self._args = args
        self._places = count()

    def objection(self, document: Document) -> list[Finding]:
        """A finding for every second document."""
        wanted = self._args.get("types")
        if (wanted is not None and document.document_type not in wanted) or next(self._places) % 2 == 0:
            return []
        return [_finding(self._args, _REJECTION)]


class Mixing:
    """F-EPR-MIX: the last documents are rejected, those before them repaired, the rest accepted."""

    def __init__(self, args: dict[str, Any], total: int) -> None:
        self._rejected_from = total - int(args.get("rejected", 1))
        self._repaired_from = self._rejected_from - int(args.get("repaired", 1))
        self._places = count()

    def objection(self, document: Document) -> list[Finding]:  # noqa: ARG002 - its place alone decides
        """A finding by place."""
        place = next(self._places)
        if place >= self._rejected_from:
            return [_REJECTION]
        return [_REPAIR] if place >= self._repaired_from else []


class Everywhere:
    """F-REP: every document gets the same objection, or with no arguments at all, none."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def objection(self, document: Document) -> list[Finding]:  # noqa: ARG002 - all are alike
        """The same findings."""
        return list(self._findings)


def objections(fault: dict[str, Any], total: int) -> Objector:
    """The objector of an upload's fault of verdict (empty when it has none), for `total` documents."""
    args: dict[str, Any] = dict(fault.get("args") or {})
    if fault.get("fault") == "F-HALF":
        return Halving(args)
    if fault.get("fault") == "F-EPR-MIX":
        return Mixing(args, total)
    return Everywhere([_finding(args, _REPAIR)] if fault.get("fault") == "F-REP" else [])


def _finding(args: dict[str, Any], default: Finding) -> Finding:
    return Finding(str(args.get("code", default.code)), str(args.get("text", default.text)))
