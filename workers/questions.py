"""A person's questions to the SII, beside the phases: with the workers' sessions, pace and record.

Only what changes nothing at the SII is asked: a login, the state of a service, of an upload, of a folio. Where the pace
lets nobody through for a moment it is waited for; where a service is closed, or the login is refused, that is the
answer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import TracebackType
from typing import Final, Self, TypeVar

from domain.answers import DocumentStatus, EnvelopeStatus
from domain.problems import Problem
from domain.signature import RsaSigner
from workers.cache.connection import connect
from workers.cache.tokens import TokenCopies
from workers.database.audit import audit
from workers.database.engine import ledger
from workers.database.issuers import SealedCertificate, signers_of
from workers.database.sealing import Channel
from workers.enrolment_fields import EnrolmentError
from workers.exchanges import Exchanges, about_document, about_person
from workers.pace import NotNowError, admitted
from workers.process import end_this_process, this_process
from workers.sessions import NoSessionError, Sessions
from workers.settings import settings
from workers.sii import Folio
from workers.sii.client import SiiClient
from workers.vault.sealing import Sealed, Vault
from workers.vault.signers import KeyRing

NOBODY: Final = "66666666-6"
"""Receiver of a question about a folio of which nothing is known: the anonymous buyer of boletas."""
PATIENCE_SECONDS: Final = 60.0
LONGEST_PAUSE_SECONDS: Final = 3.0

T = TypeVar("T")


@dataclass(slots=True, weakref_slot=True)
class Session:
    """The ways of one command to the SII."""

    worker: int
    vault: Vault
    keys: KeyRing
    sii: SiiClient
    sessions: Sessions


@dataclass
class Questions:
    """Questions for one company. `actor` is who the audit rows name. To be used in a `with` block."""

    issuer: str
    environment: str
    actor: str
    _opened: Session | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        """Enter this process in the ledger, as one that may hold a session; raises EnrolmentError (SII-ENVIRONMENT)."""
        if settings().sii_environment != self.environment:
            sentence = (
                f"These settings talk to {settings().sii_environment}; ask about {self.environment} where"
                f" FMGO_SII_ENVIRONMENT={self.environment}."
            )
            raise EnrolmentError([Problem("SII-ENVIRONMENT", "environment", sentence)])
        worker = this_process("command").id
        vault = Vault.from_settings(settings())
        sii = SiiClient(settings(), Exchanges(ledger(), self.environment).keep)
        copies = TokenCopies(connect(settings().cache), vault)
        self._opened = Session(worker, vault, KeyRing(vault), sii, Sessions(ledger(), vault, copies, sii, worker))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections and leave the ledger."""
        self._way.sii.close()
        end_this_process()

    @property
    def _way(self) -> Session:
        if self._opened is None:
            msg = "questions are asked in a `with` block"
            raise RuntimeError(msg)
        return self._opened

    @cached_property
    def sender(self) -> SealedCertificate:
        """Who asks: the certificate that envelopes are sealed with. Raises EnrolmentError."""
        with ledger().transaction() as tx:
            found = signers_of(tx, [(self.issuer, self.environment)]).get((self.issuer, self.environment))
        if found is None:
            sentence = (
                f"Nobody with a certificate in force may sign and send for {self.issuer}@{self.environment}: add one"
                " (`fmgo certificate add`)."
            )
            raise EnrolmentError([Problem("ISSUER-WITHOUT-CERTIFICATE", "issuer", sentence)])
        return found

    @cached_property
    def _signer(self) -> RsaSigner:
        who = self.sender
        return self._way.keys.signer(who.id, who.certificate_der, Sealed(who.key_id, who.private_key_sealed))

    def log_in(self, channel: Channel) -> None:
        """Get a new token that nobody keeps, as a proof; raises SiiLoginError or NotNowError."""

        def work() -> None:
            with about_person(self.sender.person), admitted(channel, "login", self._way.worker, lane="interactive"):
                self._way.sii.login(channel, self._signer)

        _patiently(work)
        with ledger().transaction() as tx:
            detail = {"channel": channel, "environment": self.environment, "kept": False}
            audit(tx, self.actor, "sii.login", self.sender.person, detail)

    def state(self) -> str | None:
        """What the service of uploads' states says of itself (getState); None when it doesn't answer."""
        return self._way.sii.state()

    def upload(self, channel: Channel, track_id: str) -> EnvelopeStatus:
        """How far an upload is; raises NoSessionError or NotNowError."""

        def work(token: str) -> EnvelopeStatus:
            with admitted(channel, "query", self._way.worker, lane="interactive") as admission:
                said = self._way.sii.envelope_status(channel, token, self.issuer, track_id)
                admission.learn(answered=bool(said.state), words=said.gloss, retry_after=said.retry_after)
                return said

        return self._asked(channel, work, lambda said: said.phase == "token")

    def folio(self, channel: Channel, document_type: int, folio: int, issued_on: date) -> DocumentStatus:
        """What the SII says of a folio of which nothing is known (amount and receiver are invented).

        "absent": not received, or received and rejected; "mismatch" (DNK) or held: a document bears it. Raises
        NoSessionError or NotNowError.
        """
        document = Folio(self.sender.person, self.issuer, NOBODY, document_type, folio, issued_on, 1)

        def work(token: str) -> DocumentStatus:
            with (
                about_document(document_type, folio),
                admitted(channel, "query", self._way.worker, lane="interactive") as admission,
            ):
                said = self._way.sii.document_status(channel, token, document)
                admission.learn(answered=bool(said.code), words=said.gloss, retry_after=said.retry_after)
                return said

        return self._asked(channel, work, lambda said: said.meaning == "token")

    def _asked(self, channel: Channel, work: Callable[[str], T], refused: Callable[[T], bool]) -> T:
        """Ask with a token, and once more with a new one where the SII refuses the first."""
        who, sessions = self.sender.person, self._way.sessions

        def once() -> T:
            token = sessions.token(who, self.environment, channel, self._signer)
            said = work(token.value)
            if refused(said):
                sessions.refuse(who, self.environment, channel, token)
            else:
                sessions.taken(who, self.environment, channel, token)
            return said

        said = _patiently(once)
        return _patiently(once) if refused(said) else said


def _patiently(work: Callable[[], T]) -> T:
    """Do a piece of work, again after the short pauses that the pace or another's login asks for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except (NotNowError, NoSessionError) as error:
            if error.after_seconds > LONGEST_PAUSE_SECONDS or time.monotonic() + error.after_seconds > deadline:
                raise
            time.sleep(error.after_seconds)
