"""Talking to the simulated SII's control side: its registry, its clock, its faults, its ledger."""

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class SiiCaf:
    """A CAF that the simulated SII has just authorised; `data` is the file as a taxpayer downloads it."""

    company: str
    document_type: int
    data: bytes


class SiiControl:
    """The control API of one simulated SII."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        answer.raise_for_status()
        return dict(answer.json())

    def register(self, fixtures: dict[str, Any]) -> list[SiiCaf]:
        """Add companies, persons, permissions, authorities and CAFs to the registry; returns the CAFs' files."""
        cafs = self._post("/fixtures", fixtures).get("cafs", [])
        return [SiiCaf(caf["company"], caf["type"], base64.b64decode(caf["xml_base64"])) for caf in cafs]

    def caf_key(self) -> bytes:
        """Public key (PEM) that verifies the CAFs of this SII."""
        answer = self._client.get("/caf-key")
        answer.raise_for_status()
        return answer.content

    def fault(self, rule: dict[str, Any]) -> None:
        """Switch a fault on (a rule of the simulator's catalogue)."""
        self._post("/faults", rule)

    def switch(self, switches: dict[str, Any]) -> None:
        """Set switches of the simulator (`deploy/sandbox/sii/switches.py`)."""
        self._post("/switches", switches)

    def advance(self, by: dt.timedelta) -> None:
        """Move the SII's clock."""
        self._post("/clock", {"advance": by.total_seconds()})

    def documents(self) -> list[dict[str, Any]]:
        """Every document the SII has seen, with its verdict."""
        answer = self._client.get("/documents")
        answer.raise_for_status()
        return list(answer.json())

    def invariants(self) -> dict[str, Any]:
        """The oracle: `ok`, `accepted`, `doubled`, `problems`."""
        answer = self._client.get("/invariants")
        answer.raise_for_status()
        return dict(answer.json())
