"""Faults on demand: rules that make the simulator behave as the real service is known to misbehave.

A rule: ``{"fault": "F-LOST-1", "when": {...}, "times": 1, "probability": 1.0, "seed": 0, "args": {...}}``. `when`
narrows by ``host`` (dte, boleta_api, boleta_up), ``operation`` (see OPERATIONS), ``path``, ``company``, ``person``
(``rut`` is read as either), ``trackid``, ``nth`` (only the n-th request that matches the rest), ``after`` and
``until`` (times of the clock). `times` -1 means for ever. Of one kind the first rule that matches wins; each firing
is written to the ledger.
"""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from deploy.sandbox.sii.clock import SANTIAGO, Clock

TOKEN, INSTEAD, AFTER, VERDICT, MAIL = "token", "instead", "after", "verdict", "mail"

# What each fault touches: the token before it is looked at, the answer instead of any work, the answer after the work,
# the verdict on an envelope, or the
# mail with its result.
FAULTS = {
    "F-TOK-1": TOKEN,
    "F-TOK-3": TOKEN,
    "F-9": INSTEAD,
    "F-STATUS": INSTEAD,
    "F-500-LIT": INSTEAD,
    "F-HTTP-503": INSTEAD,
    "F-MAINT": INSTEAD,
    "F-HTML-UP": INSTEAD,
    "F-UNK": INSTEAD,
    "F-LOST-1": AFTER,
    "F-LOST-2": AFTER,
    "F-LOST-4": AFTER,
    "F-LOST-5": AFTER,
    "F-SLOW": AFTER,
    "F-CUT-XML": AFTER,
    "F-CUT-JSON": AFTER,
    "F-HALF": VERDICT,
    "F-RCT": VERDICT,
    "F-RFR": VERDICT,
    "F-RSC": VERDICT,
    "F-STUCK-1": VERDICT,
    "F-EPR-0": VERDICT,
    "F-RCL": INSTEAD,
    "F-RTC": INSTEAD,
    "F-MAIL-1": MAIL,
    "F-MAIL-2": MAIL,
}

# What may happen to a result mail (args ``variants``), and which operation each service's own fault touches.
MAIL_VARIANTS = frozenset(
    {
        "early",
        "late",
        "twice",
        "never",
        "forwarded",
        "forwarded-inline",
        "quoted-printable",
        "utf-8",
        "windows-1252",
        "mislabelled",
        "unknown-codes",
        "forged",
        "unknown-track",
    }
)
_OWN = {"F-RCL": "claims", "F-RTC": "RTCAnotEnvio"}
_CODES = {"F-STATUS-": "status", "F-RCL-": "code", "F-RTC-": "status"}

# Names of operations in `when`, with the groups that stand for several.
OPERATIONS = {
    "upload": {"DTEUpload", "envio"},
    "envelope_status": {"getEstUp", "estado_envio"},
    "document_status": {"getEstDte", "getEstDteAv", "estado_documento"},
    "login": {"getSeed", "getToken", "semilla", "token"},
    "claims": {
        "ingresarAceptacionReclamoDoc",
        "listarEventosHistDoc",
        "consultarDocDteCedible",
        "consultarFechaRecepcionSii",
    },
}


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


@dataclass(slots=True)
class Rule:
    """One fault and when it fires."""

    number: int
    fault: str
    when: dict[str, Any]
    times: int
    probability: float
    random: Random
    args: dict[str, Any]
    seen: int = 0
    fired: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The rule as the control API shows it."""
        return {
            "number": self.number,
            "fault": self.fault,
            "when": self.when,
            "times": self.times,
            "args": self.args,
            "fired": self.fired,
        }


class Faults:
    """The rules in force."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rules: list[Rule] = []
        self._numbers = 0

    def add(self, rule: dict[str, Any]) -> Rule:
        """Put a rule in force; raises ValueError when it names no known fault or condition."""
        fault = str(rule.get("fault") or rule.get("id") or "")
        for prefix, argument in _CODES.items():
            if fault.startswith(prefix):
                rule = rule | {"args": {argument: int(fault.removeprefix(prefix))} | rule.get("args", {})}
                fault = prefix.rstrip("-")
                break
        if set((rule.get("args") or {}).get("variants", ())) - MAIL_VARIANTS:
            raise ValueError(f"no such variants of a mail: {rule['args']['variants']}")
        when = dict(rule.get("when") or {})
        known = {"host", "operation", "path", "rut", "company", "person", "trackid", "nth", "after", "until"}
        if fault not in FAULTS or set(when) - known:
            raise ValueError(f"no such fault or condition: {fault!r} {sorted(set(when) - known)}")
        self._numbers += 1
        entry = Rule(
            number=self._numbers,
            fault=fault,
            when=when,
            times=int(rule.get("times", 1)),
            probability=float(rule.get("probability", 1.0)),
            random=Random(int(rule.get("seed", 0))),  # noqa: S311 - chance on demand, not a secret
            args=dict(rule.get("args") or {}),
        )
        self._rules.append(entry)
        return entry

    def clear(self) -> None:
        """Lift all rules."""
        self._rules.clear()

    def rules(self) -> list[Rule]:
        """The rules, in order."""
        return list(self._rules)

    def fire(self, kind: str, occasion: Occasion, *, stored: bool = False) -> Rule | None:
        """The rule of that kind that fires now, None when none does. `stored`: the work of an upload was done."""
        for rule in self._rules:
            if FAULTS[rule.fault] != kind or rule.fired == rule.times or not self._matches(rule, occasion, stored):
                continue
            rule.seen += 1
            if "nth" in rule.when and rule.seen != int(rule.when["nth"]):
                continue
            if rule.probability < 1 and rule.random.random() >= rule.probability:
                continue
            rule.fired += 1
            return rule
        return None

    def _matches(self, rule: Rule, occasion: Occasion, stored: bool) -> bool:  # noqa: FBT001 - internal
        when, now = rule.when, self._clock.now()
        operation = when.get("operation", _OWN.get(rule.fault, occasion.operation))
        is_upload = occasion.operation in OPERATIONS["upload"]
        conditions = (
            occasion.operation in OPERATIONS.get(operation, {operation}),
            when.get("host", occasion.host) == occasion.host,
            when.get("path", occasion.path) == occasion.path,
            when.get("company", occasion.company) == occasion.company,
            when.get("person", occasion.person) == occasion.person,
            when.get("rut", occasion.company) in {occasion.company, occasion.person},
            str(when.get("trackid", occasion.track_id)) == occasion.track_id,
            "after" not in when or now >= _moment(when["after"]),
            "until" not in when or now < _moment(when["until"]),
            # A lost upload is one that was stored; verdicts are only about uploads.
            stored or not is_upload or not rule.fault.startswith("F-LOST"),
            FAULTS[rule.fault] != VERDICT or is_upload,
            rule.fault != "F-HALF" or len(chosen_types(rule, occasion.document_types)) > 1,
            # By default only uploads are lost, and status 9 and the like are answers of uploads.
            "operation" in when or is_upload or rule.fault not in _UPLOAD_FAULTS,
        )
        return all(conditions)


_UPLOAD_FAULTS = frozenset(
    {"F-LOST-1", "F-LOST-2", "F-LOST-4", "F-LOST-5", "F-9", "F-STATUS", "F-HTML-UP", "F-500-LIT"}
)


def chosen_types(rule: Rule, document_types: list[int]) -> list[int]:
    """Those documents (by type) of an envelope that an F-HALF rule speaks of."""
    wanted = rule.args.get("types")
    return [t for t in document_types if wanted is None or t in wanted]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=SANTIAGO) if moment.tzinfo is None else moment
