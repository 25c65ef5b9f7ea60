"""What receivers said of a document: listarEventosHistDoc of the registry of acceptance and claims.

The service is JAX-WS, rpc/literal: SOAP outside, the fields of ``return`` inside, unescaped; a bad token is a fault
(SII, WSREGISTRORECLAMODTE 1.2 of 2017-08; recorded answers). Eight days (corridos) from the SII's reception a receiver
may accept the content (ACD), acknowledge goods or services (ERM), or claim: the content (RCD), goods missing in part
(RFP) or altogether (RFT). Without a word the document counts as accepted after them (Ley 19.983, art. 3). Credit notes
that came (NCA, ENC) are in the list too, and aren't the receiver's word. A code nobody published is kept verbatim and
decides nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from lxml import etree

from domain.answers.reading import UnreadableError, decode, elements, excerpt, local, parse, storable, text_of
from domain.answers.soap import SoapFault
from domain.answers.table import ROWS
from domain.answers.table.row import meanings

Meaning = Literal["listed", "none", "not_received", "not_registered", "refused", "token", "unknown"]
State = Literal["claimed", "accepted", "goods_received", "deemed_accepted"]

CLAIMABLE: Final = frozenset({33, 34, 43})
"""Types that the registry knows."""
CLAIMS: Final = frozenset({"RCD", "RFP", "RFT"})
ACCEPTANCE: Final = "ACD"
RECEIPT: Final = "ERM"

_SERVICE: Final = "listarEventosHistDoc"
_CODES: Final = meanings(ROWS, _SERVICE)
_UNAUTHORISED: Final = frozenset({401, 403})
_AT: Final = re.compile(r"\d{2}-\d{2}-\d{4} \d{2}:\d{2}:\d{2}")
_SANTIAGO: Final = ZoneInfo("America/Santiago")
_MOST_EVENTS: Final = 500


@dataclass(frozen=True, slots=True)
class ClaimEvent:
    """An event of a document, verbatim; `by` is a RUT, `at` as the SII writes it (``dd-mm-yyyy HH:MM:SS``, Chile)."""

    code: str
    text: str
    by: str
    at: str

    @property
    def moment(self) -> datetime | None:
        """When, aware; None for a time in another form."""
        if not _AT.fullmatch(self.at):
            return None
        try:
            return datetime.strptime(self.at, "%d-%m-%Y %H:%M:%S").replace(tzinfo=_SANTIAGO)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class ClaimsAnswer:
    """What the registry says: `meaning` "listed" and "none" are answers about events, the others aren't."""

    meaning: Meaning
    code: str
    gloss: str
    events: tuple[ClaimEvent, ...] = ()
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None

    @property
    def is_about_events(self) -> bool:
        """Whether it says which events there are, or that there are none."""
        return self.meaning in ("listed", "none")


def read_claims(http_status: int, body: bytes, *, retry_after: float | None = None) -> ClaimsAnswer:
    """Read what listarEventosHistDoc answered; never raises."""
    base = ClaimsAnswer("unknown", "", "", http_status=http_status, body=body, retry_after=retry_after)
    try:
        root = parse(decode(body))
    except UnreadableError as error:
        return replace(base, meaning="token" if http_status in _UNAUTHORISED else "unknown", gloss=str(error))
    failed = next(elements(root, "Fault"), None)
    if failed is not None:
        fault = SoapFault(code=_of(failed, "faultcode"), text=_of(failed, "faultstring") or excerpt(text_of(failed)))
        return replace(base, meaning="token" if fault.speaks_of_token else "unknown", code="FAULT", gloss=fault.text)
    returned = next(elements(root, "return"), None)
    code = "" if returned is None else _of(returned, "codResp")
    if returned is None or not code:
        return replace(base, gloss=f"an answer without codResp: {excerpt(body)}")
    events = tuple(map(_event, elements(returned, "listaEventosDoc")))[:_MOST_EVENTS]
    meaning = cast("Meaning", _CODES.get(code, "unknown"))
    if meaning == "none" and events:
        meaning = "listed"
    return replace(base, meaning=meaning, code=code, gloss=_of(returned, "descResp"), events=events)


def claim_state(events: Iterable[ClaimEvent], *, over: bool) -> State | None:
    """What the events make of a document: any claim counts before an acceptance; `over`: the eight days have passed."""
    codes = {event.code for event in events}
    if codes & CLAIMS:
        return "claimed"
    if ACCEPTANCE in codes:
        return "accepted"
    if RECEIPT in codes:
        return "goods_received"
    return "deemed_accepted" if over else None


def _event(element: etree._Element) -> ClaimEvent:
    person = f"{_of(element, 'rutResponsable')}-{_of(element, 'dvResponsable').upper()}"
    return ClaimEvent(_of(element, "codEvento"), _of(element, "descEvento"), person, _of(element, "fechaEvento"))


def _of(element: etree._Element, name: str) -> str:
    found = next((child for child in element.iterchildren(etree.Element) if local(child) == name), None)
    return "" if found is None else storable(" ".join(text_of(found).split())[:2_000])
