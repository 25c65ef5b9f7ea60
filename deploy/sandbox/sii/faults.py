"""Faults on demand: rules that make the simulator behave as the real service is known to misbehave.

A rule: ``{"id": "my name", "fault": "F-LOST-1", "when": {...}, "times": 1, "probability": 1.0, "seed": 0,
"args": {...}}``. `when` narrows by ``host`` (dte, boleta_api, boleta_up, reclamo), ``operation`` (one, a group of
`catalogue.OPERATIONS`, or a list), ``path``, ``company``, ``person`` (``rut`` is read as either), ``trackid``, ``nth``
(only the n-th request that matches the rest), ``after`` and ``until`` (times of the clock). `times` -1 means for ever.
Of one kind the first rule that matches wins; each firing is written to the ledger, and to the rule, with the number of
its request.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from deploy.sandbox.sii.catalogue import (
    AFTER,
    INSTEAD,
    MAIL,
    MAIL_VARIANTS,
    NATURAL,
    OPERATIONS,
    TOKEN,
    VERDICT,
    Fault,
    named,
    operations_of,
)
from deploy.sandbox.sii.clock import SANTIAGO, Clock

__all__ = ["AFTER", "INSTEAD", "MAIL", "TOKEN", "VERDICT", "Faults", "Occasion", "Rule", "chosen_types"]

_CONDITIONS = frozenset(
    {"host", "operation", "path", "rut", "company", "person", "trackid", "nth", "after", "until", "types"}
)
_REMEMBERED = 100


@dataclass(slots=True)
class Occasion:
    """The request that faults are matched against."""

    host: str
    path: str
    operation: str = ""
    person: str = ""
    company: str = ""
    track_id: str = ""
    document_types: list[int] = field(default_factory=list)
    number: int = 0


@dataclass(slots=True)
class Rule:
    """One fault and when it fires. `origin` is ``request`` or the profile that brought it."""

    number: int
    name: str
    entry: Fault
    when: dict[str, Any]
    times: int
    probability: float
    random: Random
    args: dict[str, Any]
    origin: str = "request"
    seen: int = 0
    fired: int = 0
    requests: list[int] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def fault(self) -> str:
        """The id of its fault; ``F-STATUS-6`` is of the entry F-STATUS-n."""
        return self.entry.id

    @property
    def kind(self) -> str:
        """Where it takes hold. With the argument ``state`` S the work is done before the answer is made up."""
        stores = self.entry.kind == INSTEAD and self.args.get("state") == "S"
        return AFTER if stores else self.entry.kind

    @property
    def in_force(self) -> bool:
        """Whether it may fire again."""
        return self.fired != self.times

    def as_dict(self) -> dict[str, Any]:
        """The rule as the control API shows it."""
        return {
            "number": self.number,
            "id": self.name,
            "fault": self.fault,
            "when": self.when,
            "times": self.times,
            "probability": self.probability,
            "args": self.args,
            "origin": self.origin,
            "fired": self.fired,
            "requests": self.requests[-_REMEMBERED:],
        }


class Faults:
    """The rules in force. `changed` is told a rule when it is put in force (True) and when it is lifted (False)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rules: list[Rule] = []
        self._numbers = 0
        self.changed: Callable[[Rule, bool], None] = lambda _rule, _on: None

    def add(self, rule: dict[str, Any], origin: str = "request") -> Rule:
        """Put a rule in force; raises ValueError when it names no known fault or condition."""
        entry, given = named(str(rule.get("fault") or rule.get("id") or ""))
        if entry.kind == NATURAL:
            raise ValueError(f"{entry.id} needs no rule: {entry.natural}")
        if set((rule.get("args") or {}).get("variants", ())) - MAIL_VARIANTS:
            raise ValueError(f"no such variants of a mail: {rule['args']['variants']}")
        when = dict(rule.get("when") or {})
        unknown = set(when) - _CONDITIONS | set(rule) - {"id", "fault", "when", "times", "probability", "seed", "args"}
        if unknown:
            raise ValueError(f"no such condition: {', '.join(sorted(unknown))}")
        for name in ("after", "until"):
            if name in when:
                _moment(str(when[name]))
        self._numbers += 1
        made = Rule(
            number=self._numbers,
            name=str(rule.get("id") or f"{entry.id}#{self._numbers}"),
            entry=entry,
            when=when,
            times=int(rule.get("times", entry.times)),
            probability=float(rule.get("probability", 1.0)),
            random=Random(int(rule.get("seed", 0))),  # noqa: S311 - chance on demand, not a secret
            args=given | dict(rule.get("args") or {}),
            origin=origin,
        )
        self.changed(made, True)  # noqa: FBT003 - told by place
        self._rules.append(made)
        return made

    def lift(self, which: str | None = None, origin: str | None = None) -> list[Rule]:
        """Lift the rule of that number or name, those of an origin, or all; answers those lifted."""
        chosen = [
            r
            for r in self._rules
            if (which is None or which in {str(r.number), r.name}) and (origin is None or r.origin == origin)
        ]
        for rule in chosen:
            self._rules.remove(rule)
            rule.released.set()
            self.changed(rule, False)  # noqa: FBT003 - told by place
        return chosen

    def clear(self) -> None:
        """Lift all rules, and number the next from one again."""
        self.lift()
        self._numbers = 0

    def release(self, which: str) -> int:
        """Let go the answers that a rule holds back, now and later; answers how many rules that were."""
        chosen = [r for r in self._rules if which in {str(r.number), r.name}]
        for rule in chosen:
            rule.released.set()
        return len(chosen)

    def rules(self) -> list[Rule]:
        """The rules, in order."""
        return list(self._rules)

    def fire(self, kind: str, occasion: Occasion, *, stored: bool = False) -> Rule | None:
        """The rule of that kind that fires now, None when none does. `stored`: the work of an upload was done."""
        return next(self._firing(kind, occasion, stored=stored), None)

    def fire_all(self, kind: str, occasion: Occasion) -> list[Rule]:
        """Every rule of that kind that fires now."""
        return list(self._firing(kind, occasion, stored=False))

    def _firing(self, kind: str, occasion: Occasion, *, stored: bool) -> Iterator[Rule]:
        for rule in self._rules:
            if rule.kind != kind or not rule.in_force or not self._matches(rule, occasion, stored=stored):
                continue
            rule.seen += 1
            if "nth" in rule.when and rule.seen != int(rule.when["nth"]):
                continue
            if rule.probability < 1 and rule.random.random() >= rule.probability:
                continue
            rule.fired += 1
            rule.requests.append(occasion.number)
            yield rule

    def _matches(self, rule: Rule, occasion: Occasion, *, stored: bool) -> bool:
        when, now = rule.when, self._clock.now()
        wanted = when.get("operation") or rule.entry.operations
        is_upload = occasion.operation in OPERATIONS["upload"]
        conditions = (
            not wanted or occasion.operation in operations_of(wanted),
            when.get("host", occasion.host) == occasion.host,
            when.get("path", occasion.path) == occasion.path,
            when.get("company", occasion.company) == occasion.company,
            when.get("person", occasion.person) == occasion.person,
            when.get("rut", occasion.company) in {occasion.company, occasion.person},
            str(when.get("trackid", occasion.track_id)) == occasion.track_id,
            set(when.get("types", occasion.document_types)) <= set(occasion.document_types),
            "after" not in when or now >= _moment(when["after"]),
            "until" not in when or now < _moment(when["until"]),
            # A lost upload is one that was stored; verdicts are only about uploads.
            stored or not is_upload or rule.kind != AFTER or not _is_about_the_stored(rule),
            rule.kind != VERDICT or is_upload,
            rule.fault != "F-HALF" or len(chosen_types(rule, occasion.document_types)) > 1,
        )
        return all(conditions)


def chosen_types(rule: Rule, document_types: list[int]) -> list[int]:
    """Those documents (by type) of an envelope that an F-HALF rule speaks of."""
    wanted = rule.args.get("types")
    return [t for t in document_types if wanted is None or t in wanted]


def _is_about_the_stored(rule: Rule) -> bool:
    return rule.fault.startswith("F-LOST") or rule.args.get("state") == "S"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=SANTIAGO) if moment.tzinfo is None else moment
