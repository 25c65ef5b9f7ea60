"""The registry of acceptance and claims (Ley 19.983 and 20.956): what receivers say of the documents they got.

Until 23:59 of the eighth day (corrido) after that of the SII's reception, in Chile, a receiver may accept the content
(ACD), acknowledge the goods (ERM), or claim: the content (RCD), goods missing in part (RFP) or altogether (RFT); what
was received on 1 January at 20:00 is open until 9 January at 23:59 (SII, FAQ 001.003.6914). Codes and transitions are
those of the service's manual (WSREGISTRORECLAMODTE 1.2, 2017).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.sandbox.sii.clock import SANTIAGO
from deploy.sandbox.sii.registry import Identity
from deploy.sandbox.sii.switches import Switches

_TERM = timedelta(days=8)
CLAIMS = frozenset({"RCD", "RFP", "RFT"})
ACTIONS = {
    "ACD": "Acepta Contenido del Documento",
    "RCD": "Reclamo al Contenido del Documento",
    "ERM": "Otorga Recibo de Mercaderias o Servicios",
    "RFP": "Reclamo por Falta Parcial de Mercaderias",
    "RFT": "Reclamo por Falta Total de Mercaderias",
}
NOTES = {
    "NCA": "Recepcion de NC de Anulacion que Referencia Documento",
    "ENC": "Recepcion de NC, Distinta de Anulacion",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something said of a document: its code, the company that said it, and when."""

    code: str
    company: str
    at: datetime

    @property
    def text(self) -> str:
        """The description of the event."""
        return ACTIONS.get(self.code) or NOTES[self.code]


def term_is_over(received_at: datetime, at: datetime) -> bool:
    """Whether the eighth day after a reception is past at that moment; days are those of Chile."""
    return at.astimezone(SANTIAGO).date() > received_at.astimezone(SANTIAGO).date() + _TERM


class Claims:
    """Events by document."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._events: defaultdict[Identity, list[Event]] = defaultdict(list)

    def of(self, identity: Identity) -> list[Event]:
        """What receivers said of a document, the earliest first."""
        return list(self._events.get(identity, ()))

    def all(self) -> dict[Identity, list[Event]]:
        """Every event by document."""
        return dict(self._events)

    def claim(self, identity: Identity) -> str | None:
        """The code of the first claim on a document, None when there is none."""
        return next((event.code for event in self._events.get(identity, ()) if event.code in CLAIMS), None)

    def enter(self, identity: Identity, event: Event, received_at: datetime) -> tuple[int, str]:
        """Enter an action of the receiver; answers codResp and descResp. Only code 0 has entered it."""
        refused = self._refusal(identity, event.code, term_is_over(received_at, event.at))
        if refused is not None:
            return refused
        self._events[identity].append(event)
        return 0, "Acción Completada OK"

    def restore(self, identity: Identity, event: Event) -> None:
        """Know an event again, as it was before a restart."""
        self._events[identity].append(event)

    def _refusal(self, identity: Identity, action: str, is_late: bool) -> tuple[int, str] | None:  # noqa: FBT001
        said = {event.code for event in self._events.get(identity, ())}
        claim = self.claim(identity)
        if is_late:
            return 8, "Pasados 8 dias despues de la recepcion no es posible registrar reclamos o eventos"
        if action in said:
            return 7, "Evento registrado previamente"
        if action in CLAIMS:
            return self._claim_refusal(said, claim)
        if claim is not None:
            code, what = {"ACD": (12, "aceptar un DTE"), "ERM": (6, "dar acuse de recibo, DTE")}[action]
            return code, f"No es posible {what} reclamado por {claim}"
        return None

    def _claim_refusal(self, said: set[str], claim: str | None) -> tuple[int, str] | None:
        if "ACD" in said:
            return 11, "No es posible reclamar un DTE aceptado"
        if "ERM" in said:
            return 13, "No es posible reclamar un DTE con recibo de mercaderias"
        if claim is not None and not self._switches.second_claim:
            return 5, f"DTE ya reclamado por {claim}"
        return None
