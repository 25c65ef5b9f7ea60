"""What nobody published about the real service: each unknown is a switch with a documented default.

Where sources contradict, the default is the strict reading. `form` switches choose among forms of an answer that have
all been seen; ``random`` draws from the seeded generator.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any

Span = tuple[float, float]

# Seconds from the reception to each state of an envelope (its least and most), by profile.
STEPS = ("SOK", "CRT", "FOK", "PDR", "EPR")
PROFILES: dict[str, dict[str, Span]] = {
    # Seen and processed at the next look.
    "fast": dict.fromkeys(STEPS, (0.0, 0.0)),
    # From reception to verdict one to five minutes, as invoices in production.
    "prod_dte": dict.fromkeys(STEPS, (12.0, 60.0)),
    # Boletas: official advice is to ask after ten minutes.
    "prod_boleta": dict.fromkeys(STEPS, (120.0, 180.0)),
    # The certification environment takes hours.
    "cert": dict.fromkeys(STEPS, (600.0, 4800.0)),
}
# Switches that take one of a few words and would go wrong silently with another.
_FORMS: dict[str, Collection[Any]] = {
    "profile": PROFILES,
    "format_profile": ("2019", "2026"),
    "guide_rule": ("reject", "repair"),
}


@dataclass(slots=True)
class Switches:
    """Behaviour that a test may choose; times in seconds, sizes in bytes."""

    profile: str = "fast"
    steps: dict[str, Span] = field(default_factory=lambda: dict(PROFILES["fast"]))
    visibility_delay: float = 0.0
    token_ttl: float = 3600.0
    token_sliding: bool = True
    max_tokens_per_person: int = 0
    seed_ttl: float = 120.0
    dedupe_window: float = 900.0
    dedupe_restarts: bool = True
    rest_dedupe: bool = False
    max_upload_bytes: int = 5 * 1024 * 1024
    max_line_bytes: int = 4090
    max_rest_documents: int = 500
    attribute_order: bool = True
    soap_namespace: str = "default"  # default | jws | both
    hdr_order: str = "random"  # hdr_first | body_first | random
    charset: str = "random"  # utf8 | latin1_mislabelled | random: how accents in an answer travel
    inner_form: str = "random"  # plain | encoding | crlf | random: prolog and line ends of the inner document
    return_prefix: str = "random"  # none | ns1 | random: prefix of the return element
    upstatus_form: str = "random"  # hdr | estado0_in_hdr | random
    num_atencion: str = "random"  # full | digits | absent | random
    omit_type_61: bool = False
    single_type_without_tipo: str = "random"  # yes | no | random
    date_with_dashes: bool = True
    scope_with_xsi: bool = False  # accept documents signed with the envelope's xmlns:xsi in scope
    rejected_keeps_folio: bool = True  # a rejected document's folio counts as received (DTE-3-100/101)
    repeat_mode: str = "document"  # document | envelope: how an envelope of known documents with new bytes is refused
    caf_expires: bool = True
    format_profile: str = "2019"  # 2019 | 2026: edition of the schema that judges; 2026 has the guías' transport
    guide_rule: str = "reject"  # reject | repair: what a guía without data of transport gets since 2026-11-01

    def use_profile(self, name: str) -> None:
        """Take the times of a named profile; raises KeyError when there is none."""
        self.steps = dict(PROFILES[name])
        self.profile = name
        self.visibility_delay = 0.0 if name == "fast" else 3.0

    def change(self, values: dict[str, Any]) -> None:
        """Set switches by name; raises ValueError for an unknown name, profile or kind of value."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        for name, value in values.items():
            if name not in kinds or value not in _FORMS.get(name, (value,)):
                raise ValueError(f"no such switch: {name}={value!r}")
            if name == "profile":
                self.use_profile(str(value))
            elif name == "steps":
                self.steps |= {step: (float(low), float(high)) for step, (low, high) in dict(value).items()}
            elif not isinstance(value, kinds[name] if kinds[name] is not float else int | float):
                raise ValueError(f"switch {name} takes {kinds[name].__name__}, not {value!r}")
            else:
                setattr(self, name, value)
