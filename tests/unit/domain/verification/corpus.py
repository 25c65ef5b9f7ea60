"""The conformance corpus that others made, as far as it holds files to verify."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from domain.verification import Trust

KINDS = frozenset(
    {
        "aec",
        "caf",
        "control",
        "control_caf",
        "dte",
        "envio",
        "libro",
        "malicious",
        "malicious_caf",
        "ted",
        "template",
        "xml_attack",
    }
)
AT = dt.datetime(2026, 11, 24, 18, tzinfo=dt.UTC)
NOT_FACTS = frozenset({"totals", "stage", "private_key_error"})
"""Expectations that are no facts of ours: totals are compared apart, the others are words of the corpus's maker."""


@dataclass(frozen=True)
class Item:
    """One file of the corpus and what its makers found."""

    identifier: str
    kind: str
    data: bytes
    trust: Trust
    expected: Mapping[str, Any]
    totals: Mapping[str, Mapping[str, str]]
    policy: bool


@cache
def trusts(shared: Path) -> dict[str | None, Trust]:
    """The keys that apply, as the manifest names them."""
    corpus = shared / "corpus"
    authority = json.loads((corpus / "kit" / "kit.json").read_text(encoding="utf-8"))
    key = (corpus / "kit" / authority["sii_public_key"]).read_bytes()
    return {"sii": Trust(), "kit": Trust.with_keys([(authority["idk"], key)]), None: Trust()}


def items(shared: Path) -> Iterator[Item]:
    """The files of the corpus that a verifier takes."""
    corpus = shared / "corpus"
    with (corpus / "manifest.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            if raw["kind"] not in KINDS:
                continue
            expected = dict(raw["expectations"])
            totals = {
                name: {tag: str(value) for tag, value in values.items()}
                for name, values in expected.get("totals", {}).items()
            }
            if "verdict" in raw:
                expected["verdict"] = raw["verdict"]
            yield Item(
                raw["id"],
                raw["kind"],
                (corpus / raw["path"]).read_bytes(),
                trusts(shared)[raw.get("trust")],
                {name: value for name, value in expected.items() if name not in NOT_FACTS},
                totals,
                bool(raw.get("policy")),
            )
