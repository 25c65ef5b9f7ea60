"""What a producer is told: receipts for jobs handed in, results of documents.

`workers.producer` hands these out; the command line and the sandbox show them. A result is the ledger's own
(`fmgo_results`) or Redis's copy of it; both have the same fields, and the version says which is newer.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from domain.problems import Problem
from domain.states import ACCEPTED, DECIDED, ISSUED, SENT
from workers.cache.results import Result as Told
from workers.database.results import Result as Stored

Outcome = Literal["recorded", "known", "conflict", "refused", "queued"]
Until = Literal["issued", "sent", "decided"]

TOLD_AS_ISSUED: Final = ISSUED | {SENT}
"""States of results that have folio and bytes."""
FINAL: Final = DECIDED | {"quarantined", "refused"}
"""States in which waiting on helps nobody: decided, put aside for a person, or no job at all."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one job handed in.

    `recorded`: a new row; `known`: it was there already, with the same content; `conflict`: its key has another
    content; `refused`: it is no job (`problems` say why); `queued`: it lies on the list, and only its key is sure.
    """

    outcome: Outcome
    key: str | None
    issuer: str | None
    environment: str | None
    document_id: uuid.UUID | None = None
    state: str | None = None
    problems: tuple[Problem, ...] = ()
    digest: str | None = None
    """SHA-256 of what lies on the list, in hex: a refusal is told under it."""

    def as_dict(self) -> dict[str, Any]:
        """The receipt as members of a JSON object; what is unknown is left out."""
        members = {
            "outcome": self.outcome,
            "idempotency_key": self.key,
            "issuer": self.issuer,
            "environment": self.environment,
            "id": str(self.document_id) if self.document_id else None,
            "state": self.state,
            "problems": [problem.as_dict() for problem in self.problems] or None,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Result:
    """A document as it is known. `xml` (the DTE) and `ted` (its stamp) are ISO-8859-1, None before issuing."""

    id: uuid.UUID
    version: int
    state: str
    issuer: str
    environment: str
    key: str
    document_type: int | None
    folio: int | None
    total: int | Decimal | None
    """Pesos; a Decimal with the currency's own decimals in an export."""
    held: str | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    verdict: Mapping[str, Any]
    """What the SII said, verbatim; empty before it said anything."""
    xml: bytes | None = field(repr=False)
    ted: bytes | None = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    """Everything that the result says, as JSON's own kinds."""

    @property
    def issued(self) -> bool:
        """Whether it has folio, stamp and bytes that are durable twice: it may be printed."""
        return self.state in TOLD_AS_ISSUED and self.xml is not None

    @property
    def sent(self) -> bool:
        """Whether the SII has given a receipt for it: it may be handed over, whatever its type."""
        return "sent_at" in self.body

    @property
    def track_id(self) -> str | None:
        """The number of the SII's receipt."""
        said = self.body.get("track_id")
        return None if said is None else str(said)

    @property
    def decided(self) -> bool:
        """Whether nothing more will come: the SII's verdict, or a refusal before any folio."""
        return self.state in DECIDED

    @property
    def claim(self) -> str | None:
        """What its receiver said at the SII: claimed, accepted, goods_received, deemed_accepted; None: nothing yet."""
        said = self.body.get("claim")
        return None if said is None else str(said)

    @property
    def accepted(self) -> bool:
        """Whether the SII holds it."""
        return self.state in ACCEPTED


def reached(result: Result, until: Until) -> bool:
    """Whether a wait for `until` is over: reached, or ended before it."""
    if until == "issued":
        return result.issued or (result.state in FINAL and result.state not in ISSUED)
    return result.state in FINAL or (until == "sent" and result.sent)


def told_reached(told: Told, until: Until) -> bool:
    """The same of Redis's copy, which holds nothing that isn't durable twice."""
    state = told.fields.get("state", "")
    wanted = {"issued": TOLD_AS_ISSUED, "sent": {SENT}, "decided": frozenset[str]()}
    return state in FINAL or state in wanted[until]


def of_stored(stored: Stored) -> Result:
    """The ledger's answer as a result."""
    return _result(stored.id, stored.version, stored.body, stored.xml, stored.ted)


def of_told(number: uuid.UUID, told: Told) -> Result:
    """Redis's copy as a result; its bytes are only there for interactive documents."""
    body = json.loads(told.fields.get("result", "{}"))
    xml, ted = told.fields.get("xml"), told.fields.get("ted")
    return _result(
        number,
        told.version,
        {**body, "state": told.fields.get("state", body.get("state", ""))},
        xml.encode("iso-8859-1") if xml is not None else None,
        ted.encode("iso-8859-1") if ted is not None else None,
    )


def _result(number: uuid.UUID, version: int, body: Mapping[str, Any], xml: bytes | None, ted: bytes | None) -> Result:
    return Result(
        id=number,
        version=version,
        state=str(body["state"]),
        issuer=str(body.get("issuer", "")),
        environment=str(body.get("environment", "")),
        key=str(body.get("idempotency_key", "")),
        document_type=body.get("type"),
        folio=body.get("folio"),
        total=_amount(body.get("total")),
        held=body.get("held"),
        problems=_problems(body.get("problems")),
        warnings=_problems(body.get("warnings")),
        verdict=body.get("verdict") or {},
        xml=xml,
        ted=ted,
        body=body,
    )


def _amount(total: float | str | None) -> int | Decimal | None:
    if total is None:
        return None
    exact = Decimal(str(total))
    return int(exact) if exact == exact.to_integral_value() else exact


def _problems(told: list[dict[str, str]] | None) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            problem["code"],
            problem.get("path", ""),
            problem.get("message", ""),
            "warning" if problem.get("level") == "warning" else "error",
        )
        for problem in told or ()
    )
