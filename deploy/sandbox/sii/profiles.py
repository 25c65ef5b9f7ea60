"""Named sets of behaviour: times from reception to verdict, and profiles of switches with their faults.

A profile begins at the defaults of the switches it doesn't name. Chance in its faults comes from the simulator's seed.
"""

from dataclasses import dataclass, field
from typing import Any

Span = tuple[float, float]

STEPS = ("SOK", "CRT", "FOK", "PDR", "EPR")


def _times(low: float, high: float) -> dict[str, Span]:
    return dict.fromkeys(STEPS, (low, high))


# Seconds from one state of an envelope to the next (least and most), by channel.
TIMINGS: dict[str, dict[str, dict[str, Span]]] = {
    # Seen and processed at the next look.
    "fast": {"soap": _times(0, 0), "rest": _times(0, 0)},
    # Production: invoices take one to five minutes, boletas at least ten (the official advice is to ask then).
    "prod": {"soap": _times(12, 60), "rest": _times(120, 180)},
    "prod_dte": {"soap": _times(12, 60), "rest": _times(12, 60)},
    "prod_boleta": {"soap": _times(120, 180), "rest": _times(120, 180)},
    # The certification environment takes hours.
    "cert": {"soap": _times(600, 4800), "rest": _times(600, 4800)},
}

# Forms of an answer that have all been seen, drawn from the seeded generator.
_VARIED_FORMS: dict[str, Any] = {
    "seed_state": "random",
    "hdr_order": "random",
    "charset": "random",
    "inner_form": "random",
    "return_prefix": "random",
    "upstatus_form": "random",
    "document_av_form": "random",
    "num_atencion": "random",
    "single_type_without_tipo": "random",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set: switches, and rules of faults that are put in force with it.

    `varies`: forms of answers vary by chance, type 61 missing in QueryEstUp (seen in 2026-06) for one seed in five.
    """

    says: str
    switches: dict[str, Any]
    faults: tuple[dict[str, Any], ...] = field(default=())
    varies: bool = False


def _often(fault: str, chance: float, **rule: Any) -> dict[str, Any]:
    return {"fault": fault, "times": -1, "probability": chance} | rule


PROFILES: dict[str, Profile] = {
    "unit": Profile("All at once, every form fixed, no faults: the defaults.", {"timings": "fast"}),
    "varied": Profile(
        "All at once, forms of answers vary by chance, no faults.", {"timings": "fast"} | _VARIED_FORMS, varies=True
    ),
    "realistic": Profile(
        "Times of production divided by ten, forms vary, one transport in a hundred goes wrong.",
        {"timings": "prod", "time_scale": 10.0, "early_epr": 0.1} | _VARIED_FORMS,
        (
            _often("F-HTTP-503", 0.004),
            _often("F-LOST-1", 0.003),
            _often("F-LOST-5", 0.002),
            _often("F-CUT-XML", 0.003),
            _often("F-CUT-JSON", 0.003),
        ),
        varies=True,
    ),
    "bad-day": Profile(
        "503 for one request in ten, STATUS 9, tokens of five minutes, one lost answer in ten, slow answers.",
        {"timings": "prod", "time_scale": 10.0, "token_ttl": 300.0, "early_epr": 0.3} | _VARIED_FORMS,
        (
            _often("F-HTTP-503", 0.1),
            _often("F-9", 0.05),
            _often("F-LOST-1", 0.1),
            _often("F-SLOW", 0.05, args={"seconds": 2}),
        ),
        varies=True,
    ),
    "cert": Profile(
        "The certification environment: hours to the verdict divided by a thousand, not ready at first, stray 003.",
        {"timings": "cert", "time_scale": 1000.0, "early_epr": 0.3, "stray_003": 0.02} | _VARIED_FORMS,
        varies=True,
    ),
    "strict": Profile(
        "The strictest reading of every unknown; it refuses programs in use.",
        _VARIED_FORMS
        | {
            "arithmetic": "strict",
            "timings": "fast",
            "token_sliding": False,
            "max_tokens_per_person": 1,
            "seed_signature": "strict",
            "soap_namespace": "default",
            "soap_bind": "name",
            "user_agent": "prog",
            "wsdl_address": "internal",
            "missing_permission": "gateway",
            "sync_schema": "all",
            "ted_text": "exact",
            "ted_quotes": "literal",
            "future_stamp": 600.0,
            "guide_rule": "reject",
            "dedupe_by_name": True,
            "repeat_mode": "envelope",
            "part_order": "refuse",
            "omit_type_61": True,
            "date_with_dashes": False,
            "chunked": "refuse",
            "unknown_track": "106",
            "second_claim": False,
            "book_signature": "own",
            "expired_state": "002",
        },
    ),
    "lenient": Profile(
        "The most lenient reading of every unknown; to find out what a product does wrong, not whether it is right.",
        {
            "timings": "fast",
            "dedupe_window": -1.0,
            "rest_dedupe": True,
            "rejected_keeps_folio": False,
            "max_upload_bytes": 60 * 1024 * 1024,
            "max_rest_documents": 100_000,
            "attribute_order": False,
            "sync_schema": "off",
            "dte_scope": "any",
            "caf_expires": False,
        },
    ),
}


def profile_named(name: str) -> Profile:
    """The profile of that name; raises ValueError when there is none."""
    if name not in PROFILES:
        raise ValueError(f"no such profile: {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]
