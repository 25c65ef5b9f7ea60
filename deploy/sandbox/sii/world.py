"""One simulated SII: clock, registry, sessions, ledger, faults and the checks, bound together."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from deploy.sandbox.sii.caf import IDK_OF_ENVIRONMENT
from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.clock import Clock
from deploy.sandbox.sii.document_checks import DocumentChecks
from deploy.sandbox.sii.envelope_checks import EnvelopeChecks
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.faults import TOKEN, VERDICT, Faults
from deploy.sandbox.sii.keys import keep_key
from deploy.sandbox.sii.ledger import Ledger
from deploy.sandbox.sii.pipeline import Pipeline
from deploy.sandbox.sii.reading import Element, local
from deploy.sandbox.sii.registry import Finding, Registry, Upload
from deploy.sandbox.sii.schemas import Schemas
from deploy.sandbox.sii.sessions import Sessions, Token
from deploy.sandbox.sii.switches import STEPS, Switches

_EXPONENT_OF_THE_SII = 65537
_LOOK = 8.0  # seconds of real time that a look waits for an examination under way


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was sent: by which channel and person, for which company, under which name."""

    channel: str
    sender: str
    company: str
    name: str
    data: bytes


class World:
    """Everything that one environment of the simulated SII is made of."""

    def __init__(self, folder: Path, environment: str, seed: int, schema_dir: Path | None = None) -> None:
        self.folder = folder
        self.environment = environment
        self.seed = seed
        idk = IDK_OF_ENVIRONMENT[environment]
        self.caf_key = keep_key(folder / "keys" / f"idk-{idk}.pem", _EXPONENT_OF_THE_SII)
        self.clock = Clock()
        self.schemas = Schemas(schema_dir)
        self.registry = Registry(folder / "registry.json", idk, self.caf_key)
        self.certificates = Certificates(self.registry.authorities)
        self.ledger = Ledger()
        self.faults = Faults(self.clock)
        self._start(seed)

    def reset(self, seed: int | None = None, *, keep_fixtures: bool = False) -> None:
        """A clean state: no uploads, documents, tokens or faults, the machine's time, and by default no fixtures."""
        self.pipeline.stop()
        if keep_fixtures:
            self.registry.forget_documents()
        else:
            self.registry.forget_all()
            self.certificates.forget()
        self.ledger.reset()
        self.faults.clear()
        self.clock.reset()
        self._start(self.seed if seed is None else seed)

    def _start(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)  # noqa: S311 - chance that repeats, not a secret
        self.switches = Switches(omit_type_61=self.random.random() < 0.2)  # noqa: PLR2004 - one in five (seen 2026-06)
        self.sessions = Sessions(self.clock, self.switches, self.random)
        self._track_ids = {
            "soap": self.random.randrange(10**6, 9 * 10**8),
            "rest": self.random.randrange(10**10, 10**11),
        }
        self._dedupe: dict[tuple[str, str], tuple[int, int, float]] = {}
        self.pipeline = Pipeline(
            self.registry,
            EnvelopeChecks(self.registry, self.certificates, self.schemas, self.switches),
            DocumentChecks(self.registry, self.certificates, self.switches),
            self.switches,
        )

    def choose(self, setting: str, forms: Sequence[str]) -> str:
        """The form that a switch sets, or one drawn when it says ``random``."""
        return self.random.choice(forms) if setting == "random" else setting

    def token(self, exchange: Exchange, channel: str, value: str) -> Token | str:
        """The token behind a value, or why it is none; faults may kill it first. Writes the person to the ledger."""
        known = next((t for t in self.sessions.tokens() if t.value == value), None) if self.faults.rules() else None
        if known is not None:
            exchange.occasion.person = known.person
            rule = self.faults.fire(TOKEN, exchange.occasion)
            if rule is not None:
                exchange.faults.append(rule.fault)
                self.sessions.expire(value)
        token = self.sessions.find(channel, value)
        if isinstance(token, Token):
            exchange.occasion.person = token.person
        return token

    def duplicate(self, company: str, data: bytes) -> tuple[int, int] | None:
        """Times seen and first track id of a file that came before within the window, None when it is new."""
        place = company, hashlib.sha256(data).hexdigest()
        now = self.clock.now().timestamp()
        track_id, times, last = self._dedupe.get(place, (0, 0, 0.0))
        if not times or now - last > self.switches.dedupe_window:
            return None
        self._dedupe[place] = track_id, times + 1, now if self.switches.dedupe_restarts else last
        return times + 1, track_id

    def receive(self, exchange: Exchange, file: File, contents: Element | str) -> Upload:
        """Store a file under a new track id and let its examination begin.

        `contents` is its root element, or what is wrong with a file that isn't even read (its verdict will be RSC).
        """
        self._track_ids[file.channel] += self.random.randrange(1, 60)
        track_id = self._track_ids[file.channel]
        now = self.clock.now()
        timeline, at = {}, now
        for step in STEPS:
            at += timedelta(seconds=self.random.uniform(*self.switches.steps[step]))
            timeline[step] = at
        upload = Upload(
            track_id=track_id,
            channel=file.channel,
            sender=file.sender,
            company=file.company,
            filename=file.name,
            sha256=hashlib.sha256(file.data).hexdigest(),
            size=len(file.data),
            root="" if isinstance(contents, str) else local(contents),
            received_at=now,
            document_count=len(exchange.occasion.document_types),
            timeline=timeline,
        )
        place = self.folder / "received"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{track_id}.xml").write_bytes(file.data)
        if file.channel == "soap" or self.switches.rest_dedupe:
            self._dedupe[file.company, upload.sha256] = track_id, 1, now.timestamp()
        self.registry.uploads[track_id] = upload
        exchange.stored, exchange.track_id = True, track_id
        if isinstance(contents, str):
            upload.final_state = "RSC"
            upload.findings.append(Finding("ENV-3-0", contents))
        else:
            self._disturb(exchange, upload)
            self.pipeline.put(upload, file.data, contents)
        return upload

    def _disturb(self, exchange: Exchange, upload: Upload) -> None:
        """Let a fault have its way with the verdict."""
        rule = self.faults.fire(VERDICT, exchange.occasion, stored=True)
        if rule is not None:
            exchange.faults.append(rule.fault)
            upload.verdict_fault = {"fault": rule.fault, "args": rule.args}
            upload.frozen = rule.fault == "F-STUCK-1"
            upload.empty_answers = int(rule.args.get("times", 1)) if rule.fault == "F-EPR-0" else 0

    async def look(self, upload: Upload) -> str:
        """The state of an upload now; an examination under way is waited for, within reason."""
        try:
            await asyncio.wait_for(self.pipeline.done(upload), _LOOK)
        except TimeoutError:
            return "REC"
        return upload.state(self.clock.now())
