"""The registry of cessions (RTC): files received, who holds which invoice, and since when.

A cession file (AEC) travels UPL, RCP, SOK, FSO, COK, VDC, VCS, EOK; what is refused ends as RSC, RFS, RCR, RDC or RCS
in the place of the step that it failed (SII, wsRPETCConsulta 1.2). Who holds a document: the last cesionario
registered, before any cession its issuer (of a factura de compra, 46, its receiver, who is the seller).
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from deploy.sandbox.sii.registry import Document, Finding, Identity

STATES = {
    "UPL": "Upload en Proceso",
    "RCP": "Envio Recibido",
    "RSC": "Rechazado por Error en Schema",
    "SOK": "Schema Validado",
    "RFS": "Rechazado por Error en Firma del Envio",
    "FSO": "Firma de Envio Validada",
    "RCR": "Rechazado por Error en Caratula",
    "COK": "Caratula OK",
    "VDC": "Validando Documento",
    "RDC": "Documento Invalido",
    "VCS": "Validando Cesiones",
    "RCS": "Cesion Invalida",
    "EOK": "Envio Aceptado",
    "EAN": "Envio Anulado",
}
STEPS = ("RCP", "SOK", "FSO", "COK", "VDC", "VCS", "EOK")
# The step in whose place a refusal shows.
_PLACE = {"RSC": "SOK", "RFS": "FSO", "RCR": "COK", "RDC": "VCS", "RCS": "EOK"}
_PURCHASE = 46


@dataclass(slots=True)
class AecUpload:
    """A cession file with a track id, and what became of it."""

    track_id: int
    sender: str
    company: str
    filename: str
    email: str
    sha256: str
    received_at: datetime
    timeline: dict[str, datetime]
    verdict: str = ""  # EOK or a refusal; empty while it hasn't been examined
    findings: list[Finding] = field(default_factory=list)
    identity: Identity | None = None
    examined: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def final_at(self) -> datetime:
        """When the verdict shows."""
        return self.timeline[_PLACE.get(self.verdict, "EOK")]

    def state(self, now: datetime) -> str:
        """The state that a query made at `now` shows."""
        if self.verdict and now >= self.final_at:
            return self.verdict
        passed = [step for step in STEPS[:-1] if now >= self.timeline[step]]
        return passed[-1] if passed else "UPL"


@dataclass(frozen=True, slots=True)
class Cession:
    """One cession of a document that was registered."""

    sequence: int
    cedente: str
    cesionario: str
    text_sha256: str  # of the Cesion element as written
    is_sworn: bool
    track_id: int
    at: datetime


class Cessions:
    """Files by track id, cessions by document."""

    def __init__(self) -> None:
        self.uploads: dict[int, AecUpload] = {}
        self._registered: defaultdict[Identity, list[Cession]] = defaultdict(list)

    def of(self, identity: Identity, now: datetime | None = None) -> list[Cession]:
        """The cessions of a document in their order; with a time, those registered by then."""
        found = self._registered.get(identity, [])
        return [cession for cession in found if now is None or cession.at <= now]

    def all(self) -> dict[Identity, list[Cession]]:
        """Every cession by document."""
        return dict(self._registered)

    def holder(self, document: Document) -> str:
        """Who may cede a document now."""
        found = self._registered.get(document.identity)
        return found[-1].cesionario if found else first_holder(document.identity, document.receiver)

    def register(self, identity: Identity, cession: Cession) -> None:
        """Enter a cession: the document has a new holder."""
        self._registered[identity].append(cession)


def first_holder(identity: Identity, receiver: str) -> str:
    """Who holds a document that was never ceded."""
    return receiver if identity[1] == _PURCHASE else identity[0]
