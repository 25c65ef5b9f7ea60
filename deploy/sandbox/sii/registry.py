"""What the simulated SII knows: companies, persons, permissions, folios, uploads and documents.

Companies, persons, permissions, authorities and CAFs come from fixtures and are kept in one file of the simulator's
folder, so that a restart still knows the CAFs it gave out. Uploads and documents live in memory; `journal` keeps them.
"""

import base64
import json
import os
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from deploy.sandbox.sii.caf import Caf, Range, authorise, read_caf
from deploy.sandbox.sii.keys import PrivateKey, PublicKey, read_public_key

Identity = tuple[str, int, int]  # issuer, type, folio
_REPEATED = frozenset({"DTE-3-100", "DTE-3-101"})

# Root elements of files that are not envelopes of documents: books, and the report of folios used by boletas.
BOOKS = frozenset({"LibroCompraVenta", "LibroGuia", "LibroBoleta", "ConsumoFolios"})
_STEPS = tuple((step, step) for step in ("SOK", "CRT", "FOK", "PDR"))
PENDING = frozenset({"REC", "SOK", "CRT", "FOK", "PDR", "LSO"})  # states that aren't final
# The step at which a final state shows that isn't one of the whole examination.
_LAST_STEP = {"RSC": "SOK", "RCT": "CRT", "RFR": "FOK", "LRS": "SOK", "LRC": "CRT", "LNC": "CRT", "LRF": "FOK"}


@dataclass(slots=True)
class Company:
    """A company that issues documents, as enrolled at the SII."""

    rut: str
    razon_social: str
    resolution_number: int
    resolution_date: date
    actecos: tuple[int, ...] | None = None
    authorised: bool = True
    contact: str = ""  # the address for the SII's mails


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection: `code` is SECTION-LEVEL-NUMBER; level 3 rejects, 2 and 1 are repairs."""

    code: str
    text: str

    @property
    def level(self) -> int:
        """3, 2 or 1."""
        return int(self.code.split("-")[1])


@dataclass(slots=True)
class Document:
    """A document that was examined, with its verdict: accepted, repaired or rejected."""

    issuer: str
    document_type: int
    folio: int
    digest: str
    receiver: str
    issued_on: str
    total: int | Decimal  # pesos, or an export's currency
    net: int | Decimal | None
    exempt: int | Decimal | None
    vat: int | Decimal | None
    signature: str
    track_id: int
    final_at: datetime
    findings: list[Finding] = field(default_factory=list)
    notes: list[tuple[int, int]] = field(default_factory=list)  # type and CodRef of accepted notes on it
    noted_by: list[Identity] = field(default_factory=list)  # these notes
    changes: tuple[tuple[Identity, str], ...] = ()  # what an accepted note did to which documents: CodRef
    taken_off: int | Decimal = 0  # what accepted notes took off, less what they added
    annulled: bool = False
    sale_kind: str = ""  # TpoTranVenta

    @property
    def identity(self) -> Identity:
        """Issuer, type and folio."""
        return self.issuer, self.document_type, self.folio

    @property
    def state(self) -> str:
        """``accepted``, ``repaired`` or ``rejected``, from the findings."""
        if any(finding.level == 3 for finding in self.findings):  # noqa: PLR2004 - the level that rejects
            return "rejected"
        return "repaired" if self.findings else "accepted"


@dataclass(slots=True)
class Upload:
    """A file received with a track id, and what became of it."""

    track_id: int
    channel: str  # soap | rest
    sender: str
    company: str
    filename: str
    sha256: str
    size: int
    root: str
    received_at: datetime
    document_count: int
    timeline: dict[str, datetime]
    final_state: str = ""  # EPR, RSC, RCT, RFR, those of books; empty while it hasn't been examined
    findings: list[Finding] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    verdict_fault: dict[str, Any] | None = None
    frozen: bool = False
    forced: dict[str, Any] | None = None
    looks: int = 0
    empty_answers: int = 0

    @property
    def final_at(self) -> datetime:
        """When the final state shows."""
        return self.timeline[_LAST_STEP.get(self.final_state, "EPR")]

    @property
    def is_book(self) -> bool:
        """Whether the file is a book or a report of folios, not an envelope of documents."""
        return self.root in BOOKS

    def state(self, now: datetime) -> str:
        """The state that a query made at `now` shows."""
        if self.forced and "state" in self.forced:
            return str(self.forced["state"])
        if self.final_state and not self.frozen and now >= self.final_at:
            return self.final_state
        shown = "REC"
        for step, name in (("SOK", "LSO"),) if self.is_book else _STEPS:
            if now >= self.timeline[step] and not (self.final_state and self.timeline[step] >= self.final_at):
                shown = name
        return "PDR" if self.frozen and shown != "REC" and not self.is_book else shown

    def shown_counters(self) -> dict[int, dict[str, int]]:
        """The counters that answers show: those forced by the control port, or the true ones."""
        forced = self.forced.get("counters") if self.forced else None
        return {int(k): v for k, v in forced.items()} if forced else self.counters()

    def counters(self) -> dict[int, dict[str, int]]:
        """Documents by type: informados, aceptados, rechazados, reparos."""
        names = {"accepted": "aceptados", "repaired": "reparos", "rejected": "rechazados"}
        table: dict[int, dict[str, int]] = {}
        for document in self.documents:
            row = table.setdefault(
                document.document_type, {"informados": 0, "aceptados": 0, "rechazados": 0, "reparos": 0}
            )
            row["informados"] += 1
            row[names[document.state]] += 1
        return table


class Registry:
    """All of it, with the look-ups that the checks need."""

    def __init__(self, path: Path, idk: int, authority: PrivateKey) -> None:
        self._path = path
        self.idk = idk
        self._authority = authority
        self.companies: dict[str, Company] = {}
        self.persons: dict[str, str] = {}
        self.permissions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.authorities: list[str] = []
        self.cafs: dict[tuple[str, int, int], Caf] = {}
        self.frma_keys: dict[int, list[PublicKey]] = {idk: [authority.public]}
        self._extra_keys: list[tuple[int, str]] = []
        self.annulled: set[Identity] = set()
        self.forget_documents()
        self._load()

    def forget_documents(self) -> None:
        """Drop every upload and document; fixtures stay."""
        self.uploads: dict[int, Upload] = {}
        self.documents: dict[Identity, Document] = {}
        self.history: defaultdict[Identity, list[Document]] = defaultdict(list)
        self.received: defaultdict[Identity, set[str]] = defaultdict(set)
        self.errors: list[str] = []  # bugs of the simulator itself, met while examining
        self.acceptances: list[tuple[Identity, str, int]] = []

    def forget_all(self) -> None:
        """Drop documents and fixtures."""
        self.forget_documents()
        self.companies.clear()
        self.persons.clear()
        self.permissions.clear()
        self.authorities.clear()
        self.cafs.clear()
        self.annulled.clear()
        self._extra_keys.clear()
        self.frma_keys = {self.idk: [self._authority.public]}
        self.save()

    def may(self, person: str, company: str, *actions: str) -> bool:
        """Whether the person may do one of the actions for the company; with none named, anything at all."""
        granted = self.permissions.get((person, company), set())
        return bool(granted & set(actions)) if actions else bool(granted)

    def authorise_folios(self, asked: Range) -> Caf:
        """Give out a new range."""
        return self.add_caf(authorise(asked, self.idk, self._authority))

    def add_caf(self, caf: Caf) -> Caf:
        """Know a range."""
        self.cafs[caf.identity] = caf
        return caf

    def upload(self, number: str, company: str, channel: str) -> Upload | None:
        """The upload of that track id as written (leading zeros don't count), company and channel."""
        written = number.strip()
        found = self.uploads.get(int(written)) if written.isascii() and written.isdigit() else None
        return found if found is not None and (found.company, found.channel) == (company, channel) else None

    def is_authorised(self, identity: Identity) -> bool:
        """Whether some CAF covers the folio."""
        company, document_type, folio = identity
        ranges = (c for c in self.cafs.values() if (c.company, c.document_type) == (company, document_type))
        return any(caf.first <= folio <= caf.last for caf in ranges)

    def trust_frma_key(self, idk: int, pem: str) -> None:
        """Let CAFs of that IDK be signed by this key too."""
        key = read_public_key(pem.encode("ascii"))
        if key not in self.frma_keys.setdefault(idk, []):
            self.frma_keys[idk].append(key)
            self._extra_keys.append((idk, pem))

    def accept(self, document: Document) -> None:
        """Enter an accepted document; every entry is remembered, whatever was there before."""
        self.documents[document.identity] = document
        self.acceptances.append((document.identity, document.digest, document.track_id))

    def restore(self, upload: Upload) -> None:
        """Know an upload and its documents again, as they were before a restart."""
        self.uploads[upload.track_id] = upload
        for document in upload.documents:
            self.enter(document)

    def enter(self, document: Document) -> None:
        """Enter a document that was examined; one that was received before adds nothing to the history."""
        self.received[document.identity].add(document.digest)
        if not {finding.code for finding in document.findings} & _REPEATED:
            self.history[document.identity].append(document)
        if document.state != "rejected":
            self.accept(document)

    def save(self) -> None:
        """Write the fixtures to the simulator's folder, atomically."""
        state = {
            "companies": [
                asdict(c) | {"resolution_date": c.resolution_date.isoformat()} for c in self.companies.values()
            ],
            "persons": self.persons,
            "permissions": [[p, c, sorted(can)] for (p, c), can in self.permissions.items()],
            "authorities": self.authorities,
            "cafs": [base64.b64encode(caf.xml).decode("ascii") for caf in self.cafs.values()],
            "frma_keys": self._extra_keys,
            "annulled": sorted(self.annulled),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(state, ensure_ascii=False, indent=1), "utf-8")
        beside.chmod(0o600)
        os.replace(beside, self._path)  # noqa: PTH105 - the same either way

    def _load(self) -> None:
        if not self._path.exists():
            return
        state = json.loads(self._path.read_text("utf-8"))
        for row in state["companies"]:
            actecos = tuple(row["actecos"]) if row["actecos"] is not None else None
            day = date.fromisoformat(row["resolution_date"])
            self.companies[row["rut"]] = Company(**row | {"resolution_date": day, "actecos": actecos})
        self.persons.update(state["persons"])
        for person, company, can in state["permissions"]:
            self.permissions[person, company] |= set(can)
        self.authorities.extend(state["authorities"])
        for text in state["cafs"]:
            self.add_caf(read_caf(base64.b64decode(text)))
        for idk, pem in state["frma_keys"]:
            self.trust_frma_key(idk, pem)
        self.annulled.update((str(c), int(t), int(f)) for c, t, f in state["annulled"])
