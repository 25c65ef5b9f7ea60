"""One simulated SII: clock, registry, sessions, ledger, faults and the checks, bound together."""

import asyncio
import dataclasses
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Protocol

from deploy.sandbox.sii.books import BookChecks, for_its_schema
from deploy.sandbox.sii.caf import IDK_OF_ENVIRONMENT
from deploy.sandbox.sii.catalogue import CLOCK, OPERATIONS
from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.cessions import Cessions
from deploy.sandbox.sii.claims import Claims
from deploy.sandbox.sii.clock import Clock
from deploy.sandbox.sii.clock_faults import jump
from deploy.sandbox.sii.document_checks import DocumentChecks
from deploy.sandbox.sii.editions import edition_at
from deploy.sandbox.sii.envelope_checks import EnvelopeChecks
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.faults import TOKEN, VERDICT, Faults, Rule
from deploy.sandbox.sii.journal import Journal
from deploy.sandbox.sii.keys import keep_key
from deploy.sandbox.sii.ledger import Ledger
from deploy.sandbox.sii.light import Glance, glance
from deploy.sandbox.sii.pipeline import Checks, Pipeline
from deploy.sandbox.sii.postbox import Postbox
from deploy.sandbox.sii.profiles import PROFILES, STEPS
from deploy.sandbox.sii.reading import Element, local, read
from deploy.sandbox.sii.references import apply_note
from deploy.sandbox.sii.registry import BOOKS, Finding, Registry, Upload
from deploy.sandbox.sii.schemas import Schemas
from deploy.sandbox.sii.sessions import Sessions, Token
from deploy.sandbox.sii.switches import Switches

# The switches of the request under way, where a fault gives its answer another form.
_OF_THE_REQUEST: ContextVar[Switches | None] = ContextVar("switches of the request", default=None)
_EXPONENT_OF_THE_SII = 65537
_WITHOUT_NOTES = 0.2  # share of seeds under which QueryEstUp leaves out type 61 (seen in 2026-06)
_LOOK = 8.0  # seconds of real time that a look waits for an examination under way


class Line(Protocol):
    """The listening port of a host, which a fault may close."""

    def close(self, form: str) -> None:
        """Take no connection: ``refused`` at once, or ``timeout``."""

    def open(self) -> None:
        """Take connections again."""


@dataclass(slots=True)
class Earlier:
    """What is remembered of a file: its first track id, how often it came, and when last (seconds of the clock).

    `unreadable`: the answer to the same bytes doesn't name the track id any more (F-LOST-6).
    """

    track_id: int
    times: int
    last: float
    unreadable: bool = False


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
        self.registry = Registry(folder / "fixtures.json", idk, self.caf_key)
        self.certificates = Certificates(self.registry.authorities)
        self.journal = Journal(folder / "received")
        self.ledger = Ledger(self.journal)
        self.faults = Faults(self.clock)
        self.lines: dict[str, Line] = {}
        self.addresses: dict[str, str] = {}
        self.faults.changed = self._fault_changed
        self._started_with: dict[str, Any] = {}
        self._start(seed)

    def start_with(self, values: dict[str, Any]) -> None:
        """Set the switches that the process was started with; a reset comes back to them. Raises ValueError."""
        self.configure(values)
        self._started_with = dict(values)

    def reset(self, seed: int | None = None, *, keep_fixtures: bool = False, keep_switches: bool = True) -> None:
        """A clean state: no uploads, documents, tokens or faults, the machine's time, and by default no fixtures.

        Switches go back to what the process was started with; without `keep_switches` to the built-in defaults.
        """
        self.pipeline.stop()
        self.postbox.stop()
        if keep_fixtures:
            self.registry.forget_documents()
        else:
            self.registry.forget_all()
            self.certificates.forget()
        self.faults.clear()
        self.journal.forget()
        self.ledger.reset()
        self.clock.reset()
        self._start(self.seed if seed is None else seed)
        if keep_switches:
            self.configure(self._started_with)

    def _start(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)  # noqa: S311 - chance that repeats, not a secret
        self._switches = Switches()
        self.sessions = Sessions(self.clock, lambda: self.switches, self.random)
        self._track_ids = {
            "soap": self.random.randrange(10**6, 9 * 10**8),
            "rest": self.random.randrange(10**10, 10**11),
            "rtc": self.random.randrange(10**4, 10**6),
        }
        self._dedupe: dict[tuple[str, ...], Earlier] = {}
        self.claims = Claims(self._switches)
        self.cessions = Cessions()
        self.postbox = Postbox(self.folder, self.clock, self._switches, self.faults, self.registry)
        self.postbox.written = lambda track_id: self.journal.add("mails", {"track_id": track_id})
        self.clock.on_move = self.postbox.clock_moved
        checks = Checks(
            EnvelopeChecks(self.registry, self.certificates, self.schemas, self._switches),
            DocumentChecks(self.registry, self.certificates, self._switches),
            BookChecks(self.registry, self.certificates, self.schemas, self._switches),
        )
        self.pipeline = Pipeline(self.registry, checks, self._switches, self.postbox.expect)
        self.pipeline.changed = self.journal.judged

    def effort(self) -> dict[str, float]:
        """Seconds of CPU that the process has used since it began, and what it has done for them since the reset."""
        uploads = self.registry.uploads.values()
        documents = sum(len(upload.documents) for upload in uploads)
        return {"cpu_seconds": time.process_time(), "uploads": len(uploads), "documents": documents}

    def resume(self) -> int:
        """Know again what was received before a restart, and examine what wasn't yet; answers how many files."""
        self.ledger.load()
        for upload in self.journal.uploads():
            data = self.journal.file(upload.track_id)
            self.registry.restore(upload)
            self.reserve_track_id(upload.channel, upload.track_id)
            self._remember(File(upload.channel, upload.sender, upload.company, upload.filename, data), upload)
            if not upload.final_state:
                self.pipeline.put(upload, data, glance(data) if self._switches.checks == "light" else read(data))
        for document in list(self.registry.documents.values()):
            apply_note(document, self.registry)
        return len(self.registry.uploads)

    @property
    def switches(self) -> Switches:
        """The switches in force; for a request whose answer a fault gives another form, with that form."""
        return _OF_THE_REQUEST.get() or self._switches

    @contextmanager
    def in_form(self, changes: dict[str, Any]) -> Iterator[None]:
        """Within the block, and for this request only, the switches are changed so."""
        if not changes:
            yield
            return
        mark = _OF_THE_REQUEST.set(dataclasses.replace(self._switches, **changes))
        try:
            yield
        finally:
            _OF_THE_REQUEST.reset(mark)

    def configure(self, values: dict[str, Any]) -> None:
        """Set switches; a profile also brings its faults, in the place of those of the profile before.

        Raises ValueError, and changes nothing, when a name or value is wrong.
        """
        dataclasses.replace(self._switches, steps={}, rest_steps={}).change(values)
        self._switches.change(values)
        if "profile" in values:
            for earlier in PROFILES:
                self.faults.lift(origin=earlier)
            profile = PROFILES[values["profile"]]
            if profile.varies and "omit_type_61" not in values:
                self._switches.omit_type_61 = self.random.random() < _WITHOUT_NOTES
            for place, rule in enumerate(profile.faults):
                self.faults.add(rule | {"seed": self.seed * 1000 + place}, origin=str(values["profile"]))

    def _fault_changed(self, rule: Rule, on: bool) -> None:  # noqa: FBT001 - told by place
        """A rule was put in force or lifted: clocks move, ports close and open."""
        if rule.entry.kind == CLOCK:
            if on:
                rule.args["seconds"] = jump(rule, self.clock.now())
            self.clock.advance(rule.args["seconds"] if on else -rule.args["seconds"])
        if rule.fault == "F-DNS":
            for name, line in self.lines.items():
                if rule.when.get("host", name) == name and name != "control":
                    line.close(str(rule.args.get("form", "refused"))) if on else line.open()

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
                if rule.fault == "F-TOK-4":
                    return "unknown"
                self.sessions.expire(value)
        token = self.sessions.find(channel, value)
        if isinstance(token, Token):
            exchange.occasion.person = token.person
        stray = self.switches.stray_003
        if stray and exchange.occasion.operation in OPERATIONS["query"] and self.random.random() < stray:
            return "unknown"
        return token

    def duplicate(self, file: File) -> Earlier | None:
        """What is remembered of the same file, when it came before within the window; it counts as seen once more."""
        earlier = self._dedupe.get(self._place(file))
        now = self.clock.now().timestamp()
        if earlier is None or not self.switches.remembers(now - earlier.last):
            return None
        earlier.times += 1
        if self.switches.dedupe_restarts:
            earlier.last = now
        self.journal.again(earlier.track_id, earlier.times, earlier.last)
        return earlier

    def forget_name(self, track_id: int) -> None:
        """Let the answer to the same bytes no longer name their first track id (F-LOST-6)."""
        for earlier in self._dedupe.values():
            earlier.unreadable = earlier.unreadable or earlier.track_id == track_id

    def _place(self, file: File) -> tuple[str, ...]:
        digest = hashlib.sha256(file.data).hexdigest()
        return (
            (file.company, digest, file.name, file.sender) if self.switches.dedupe_by_name else (file.company, digest)
        )

    def _remember(self, file: File, upload: Upload) -> None:
        if file.channel == "soap" or self.switches.rest_dedupe:
            times, last = self.journal.seen_again.get(upload.track_id, (1, upload.received_at.timestamp()))
            self._dedupe[self._place(file)] = Earlier(upload.track_id, times, last)

    def gateway_schema_faults(self, root: Element) -> list[str]:
        """What the gateway objects to in the whole of a file, in Xerces's words; nothing in kinds left unchecked."""
        name, checked = local(root), self.switches.sync_schema
        if name in self.schemas.missing() or checked == "off" or (checked == "books" and name not in BOOKS):
            return []
        read = for_its_schema(root, name, self.switches)
        return self.schemas.gateway_faults(read, name, edition_at(self.switches, self.clock.now().date()))

    def asks_permission_at_the_gateway(self) -> bool:
        """Whether who may not send for a company is refused at once; light checks have no later moment for it."""
        return self.switches.missing_permission == "gateway" or self.switches.checks == "light"

    def receive(self, exchange: Exchange, file: File, contents: Element | Glance | str) -> Upload:
        """Store a file under a new track id and let its examination begin.

        `contents` is its root element (or a light look), or what is wrong with a file that isn't even read (its verdict
        will be RSC).
        """
        track_id = self.next_track_id(file.channel)
        now = self.clock.now()
        timeline, at = {}, now
        steps = self.switches.steps_of(file.channel)
        for step in STEPS:
            at += timedelta(seconds=self.random.uniform(*steps[step]))
            timeline[step] = at
        upload = Upload(
            track_id=track_id,
            channel=file.channel,
            sender=file.sender,
            company=file.company,
            filename=file.name,
            sha256=hashlib.sha256(file.data).hexdigest(),
            size=len(file.data),
            root=_root(contents),
            received_at=now,
            document_count=len(exchange.occasion.document_types),
            timeline=timeline,
        )
        self._remember(file, upload)
        self.registry.uploads[track_id] = upload
        exchange.stored, exchange.track_id = True, track_id
        if isinstance(contents, str):
            upload.final_state = "RSC"
            upload.findings.append(Finding("ENV-3-0", contents))
        else:
            self._disturb(exchange, upload)
        self.journal.received(upload, file.data)
        if not isinstance(contents, str):
            self.pipeline.put(upload, file.data, contents)
        return upload

    def next_track_id(self, channel: str) -> int:
        """A new track id of a channel: soap, rest, or rtc."""
        self._track_ids[channel] += self.random.randrange(1, 60)
        return self._track_ids[channel]

    def reserve_track_id(self, channel: str, track_id: int) -> None:
        """Give out no track id of a channel up to this one."""
        self._track_ids[channel] = max(self._track_ids[channel], track_id)

    def keep(self, track_id: int, data: bytes) -> None:
        """Keep the bytes of a received file."""
        self.journal.keep(track_id, data)

    def _disturb(self, exchange: Exchange, upload: Upload) -> None:
        """Let a fault have its way with the verdict."""
        rule = self.faults.fire(VERDICT, exchange.occasion, stored=True)
        if rule is None:
            return
        exchange.faults.append(rule.fault)
        upload.verdict_fault = {"fault": rule.fault, "args": rule.args}
        upload.frozen = rule.fault == "F-STUCK-1"
        upload.empty_answers = int(rule.args.get("times", 1)) if rule.fault == "F-EPR-0" else 0
        if rule.fault == "F-LOST-9":
            exchange.lost = True
            late = timedelta(seconds=float(rule.args.get("seconds", 600)))
            upload.timeline |= {step: moment + late for step, moment in upload.timeline.items() if step == "EPR"}

    async def look(self, upload: Upload) -> str:
        """The state of an upload now; an examination under way is waited for, within reason."""
        try:
            await asyncio.wait_for(self.pipeline.done(upload), _LOOK)
        except TimeoutError:
            return "REC"
        return upload.state(self.clock.now())


def _root(contents: Element | Glance | str) -> str:
    if isinstance(contents, str):
        return ""
    return contents.root if isinstance(contents, Glance) else local(contents)
