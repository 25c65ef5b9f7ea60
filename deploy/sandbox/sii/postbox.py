"""The SII's outbox: each upload by DTEUpload gets a mail with its result when its final state shows.

Faults (F-MAIL-1, F-MAIL-2) let a mail come early, late, twice or never, in other shapes, or beside forged ones. What
was written is kept for the control port; it is delivered to a maildir (switch ``mail_maildir``, a folder, relative to
the simulator's own) and by SMTP (switch ``mail_smtp``, host:port) where these are set.
"""

import asyncio
import functools
import heapq
import mailbox
import smtplib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from deploy.sandbox.sii.clock import Clock
from deploy.sandbox.sii.faults import MAIL, Faults, Occasion
from deploy.sandbox.sii.registry import PENDING, Registry, Upload
from deploy.sandbox.sii.result_mail import FORGER, SENDER, Letter, contradicting_xml, message, result_xml, text_message
from deploy.sandbox.sii.switches import Switches

_TICK = 1.0  # seconds of real time between looks at mails that wait for a frozen upload
_LATE = 3600.0
_UNKNOWN_TRACK = 1_000_000_007
_DEFAULT_VARIANTS = {"F-MAIL-1": ("never",), "F-MAIL-2": ("forged", "unknown-track")}


@dataclass(slots=True)
class Mail:
    """A mail that was written; `lost`: it is never delivered. Its bytes are put together when somebody reads them."""

    number: int
    kind: str  # result | forged | unknown-track | cession
    track_id: int
    company: str
    to: str
    written_at: datetime
    make: Callable[[], bytes] = field(repr=False)
    variants: list[str] = field(default_factory=list)
    lost: bool = False
    delivered: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _made: bytes | None = field(default=None, repr=False)

    @property
    def data(self) -> bytes:
        """The message as it arrives."""
        if self._made is None:
            self._made = self.make()
        return self._made


@dataclass(order=True, slots=True)
class _Due:
    """A mail to be written at a time, if what it tells shows by then."""

    at: datetime
    number: int
    is_ready: Callable[[datetime], bool] = field(compare=False)
    write: Callable[[], Awaitable[None]] = field(compare=False)


class Postbox:
    """Mails due and mails written."""

    def __init__(self, folder: Path, clock: Clock, switches: Switches, faults: Faults, registry: Registry) -> None:
        self._folder = folder
        self._clock = clock
        self._switches = switches
        self._faults = faults
        self._registry = registry
        self.mails: list[Mail] = []
        self._due: list[_Due] = []
        self._held: list[_Due] = []
        self._numbers = count(1)
        self._moved = asyncio.Event()
        self._delivering = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self.written: Callable[[int], None] | None = None  # called with the track id of each result mail

    def expect(self, upload: Upload) -> None:
        """An upload has been examined: its mail is due when its final state shows."""
        if upload.channel != "soap" or not upload.final_state:
            return
        variants, arguments = self._variants(upload, "mail")
        at = upload.received_at if "early" in variants else upload.final_at
        if "late" in variants:
            at += timedelta(seconds=float(arguments.get("seconds", _LATE)))
        ready = functools.partial(_is_told, upload, early="early" in variants)
        self._expect(at, ready, functools.partial(self.write, upload, variants))

    def expect_text(self, letter: Letter, subject: str, text: str) -> None:
        """A mail of text, about a cession, is due when the letter is written."""
        write = functools.partial(self._post, "cession", letter, functools.partial(text_message, letter, subject, text))
        self._expect(letter.written_at, lambda _now: True, write)

    def _expect(self, at: datetime, is_ready: Callable[[datetime], bool], write: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._due, _Due(at, next(self._numbers), is_ready, write))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work())
        self._moved.set()

    def clock_moved(self) -> None:
        """The clock was moved: look again what is due."""
        self._moved.set()

    def stop(self) -> None:
        """Write nothing more."""
        self._due.clear()
        self._held.clear()
        if self._worker is not None:
            self._worker.cancel()

    async def deliver_due(self) -> None:
        """Write and deliver every mail whose time has come."""
        async with self._delivering:
            now = self._clock.now()
            for held in self._held:
                heapq.heappush(self._due, held)
            self._held.clear()
            while self._due and self._due[0].at <= now:
                due = heapq.heappop(self._due)
                if due.is_ready(now):
                    await due.write()
                else:
                    self._held.append(due)

    async def send_again(self, upload: Upload) -> bool:
        """Write the mail of an upload once more; False when there is none yet."""
        if upload.state(self._clock.now()) in PENDING:
            return False
        await self.write(upload, self._variants(upload, "reenvioCorreo")[0])
        return True

    async def write(self, upload: Upload, variants: Collection[str] = ()) -> None:
        """Write and deliver the mail of an examined upload now, in these variants."""
        state = upload.state(self._clock.now())
        shown = upload.final_state if state in PENDING else state
        data = result_xml(upload, shown, variants, all_types=self._switches.mail_lists_all_types)
        letter = self._letter(upload.track_id, upload.company, data)
        for _ in range(2 if "twice" in variants else 1):
            await self._post("result", letter, functools.partial(message, letter, variants), variants)
        if "forged" in variants:
            forged = self._letter(upload.track_id, upload.company, contradicting_xml(upload, upload.track_id))
            await self._post("forged", forged, functools.partial(message, forged, (), FORGER))
        if "unknown-track" in variants:
            number = _UNKNOWN_TRACK + upload.track_id % 1000
            unknown = self._letter(number, upload.company, contradicting_xml(upload, number))
            await self._post("unknown-track", unknown, functools.partial(message, unknown))

    async def _work(self) -> None:
        while self._due or self._held:
            self._moved.clear()
            await self.deliver_due()
            wait = (self._due[0].at - self._clock.now()).total_seconds() if self._due else _TICK
            if self._due or self._held:
                await self._pause(max(0.0, min(wait, _TICK) if self._held else wait))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._moved.wait(), seconds)
        except TimeoutError:
            return

    def _variants(self, upload: Upload, operation: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        occasion = Occasion("mail", "", operation, upload.sender, upload.company, str(upload.track_id))
        rule = self._faults.fire(MAIL, occasion)
        if rule is None:
            return (), {}
        return tuple(rule.args.get("variants", _DEFAULT_VARIANTS[rule.fault])), rule.args

    def _letter(self, track_id: int, company: str, attachment: bytes) -> Letter:
        known = self._registry.companies.get(company)
        address = known.contact if known and known.contact else f"dte@{company.lower()}.example"
        return Letter(track_id, company, address, self._clock.now(), attachment)

    async def _post(self, kind: str, letter: Letter, make: Callable[[], bytes], variants: Collection[str] = ()) -> None:
        mail = Mail(
            number=len(self.mails) + 1,
            kind=kind,
            track_id=letter.track_id,
            company=letter.company,
            to=letter.to,
            written_at=letter.written_at,
            make=make,
            variants=list(variants),
            lost="never" in variants,
        )
        self.mails.append(mail)
        if kind == "result" and self.written is not None:
            self.written(mail.track_id)
        if mail.lost:
            return
        if self._switches.mail_maildir:
            try:
                mailbox.Maildir(self._folder / self._switches.mail_maildir, create=True).add(mail.data)
            except OSError as error:
                mail.errors.append(f"maildir: {error}")
            else:
                mail.delivered.append("maildir")
        if self._switches.mail_smtp:
            await self._send(mail)

    async def _send(self, mail: Mail) -> None:
        host, _, port = self._switches.mail_smtp.rpartition(":")
        try:
            await asyncio.to_thread(_send, host, int(port), mail)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            mail.errors.append(f"SMTP: {error}")
        else:
            mail.delivered.append("smtp")


def _is_told(upload: Upload, now: datetime, *, early: bool) -> bool:
    return early or upload.state(now) not in PENDING


def _send(host: str, port: int, mail: Mail) -> None:
    with smtplib.SMTP(host, port, timeout=10) as server:
        server.sendmail(FORGER if mail.kind == "forged" else SENDER, [mail.to], mail.data)
