"""From a source's bytes to kept mails: what is the SII's is kept and joined, what only looks so is kept and logged.

Mails with nothing of the company's in them leave no trace but the mark that they were read: a mailbox holds other
people's letters, and may be several companies'.
"""

import hashlib
import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from domain.answers.result_mail import Letter, read_letter
from workers.clock import santiago
from workers.database import mail_sources, result_mails
from workers.database.engine import Ledger, business_time
from workers.database.issuers import is_enrolled
from workers.database.mail_sources import Source
from workers.database.result_mails import Kept, NewMail, Outcome
from workers.mail import folder, secrets
from workers.mail.errors import MailSourceError
from workers.mail.imap import Mailbox, address_of
from workers.settings import Settings
from workers.vault.sealing import Sealed, Vault, VaultError

log: Final = structlog.get_logger(__name__)

A_LOOK: Final = 200
"""Messages that are read in one look; what is more waits for the next, which comes at once."""


def look(ledger: Ledger, vault: Vault, settings: Settings, source: Source) -> tuple[int, bool]:
    """Read what is new in a source: how many mails were kept, and whether more is there.

    Raises `MailSourceError`; what was read before it happened stays read.
    """
    receiver = _Receiver(ledger, settings, source)
    if source.kind == "folder":
        return receiver.read_folder()
    return receiver.read_mailbox(vault)


def receive_by_hand(tx: Connection, settings: Settings, environment: str, data: bytes) -> tuple[Letter, Kept | None]:
    """Keep a mail that a person hands in: a message or the attached file; None when there is no result in it.

    Whoever hands it in may have forwarded it; that it comes from the SII must still be seen from it. Raises LookupError
    for a company that isn't enrolled.
    """
    letter = read_letter(data)
    if letter.result is None:
        return letter, None
    if not is_enrolled(tx, letter.result.company, environment):
        raise LookupError(letter.result.company)
    mail = new_mail(letter, data, letter.result.company, environment, None, settings.mail_writers, None)
    return letter, result_mails.keep(tx, mail)


def new_mail(
    letter: Letter,
    data: bytes,
    issuer: str,
    environment: str,
    source: int | None,
    domains: Collection[str],
    forwarders: Collection[str] | None,
) -> NewMail:
    """What is to be kept of a letter that is a result or would be one."""
    result, note = letter.result, letter.problem
    outcome: Outcome | None = None
    trusted = letter.is_from(domains, forwarders)
    if not trusted:
        by = f", sent on by {letter.forwarder}" if letter.forwarder else ""
        outcome, note = "not-the-sii", f"it comes from {letter.writer or 'nobody'}{by}"
    elif result is None:
        outcome = "unreadable"
    return NewMail(
        issuer=issuer,
        environment=environment,
        source=source,
        sha256=hashlib.sha256(data).digest(),
        writer=letter.writer,
        forwarder=letter.forwarder,
        subject=letter.subject,
        track_id=result.track_id if result is not None else None,
        said=result.as_dict() if result is not None else None,
        data=data,
        outcome=outcome,
        note=note,
    )


class _Receiver:
    """Reads one source once."""

    def __init__(self, ledger: Ledger, settings: Settings, source: Source) -> None:
        self._ledger = ledger
        self._settings = settings
        self._source = source
        self._kept = 0

    def read_folder(self) -> tuple[int, bool]:
        found = {file.name: file for file in folder.files(Path(self._source.address))}
        with self._ledger.statements() as tx:
            names = mail_sources.unseen(tx, self._source.id, list(found))
        for name in names[:A_LOOK]:
            data = found[name].read(self._settings.mail_bytes)
            with self._ledger.transaction() as tx:
                self._take(tx, data, name)
                mail_sources.seen(tx, self._source.id, name)
        return self._kept, len(names) > A_LOOK

    def read_mailbox(self, vault: Vault) -> tuple[int, bool]:
        source, settings = self._source, self._settings
        try:
            address = address_of(source.address)
        except ValueError as error:
            raise MailSourceError(str(error)) from None
        context = tls_context(settings)
        secret = self._secret(vault)
        token = None
        if source.auth == "xoauth2":
            token = self._access_token(vault, secret, context)
        with self._ledger.statements() as tx:
            today = santiago(business_time(tx)).date()
        with Mailbox(address, context, settings.mail_timeout_seconds) as mailbox:
            mailbox.log_in(password=secret.decode("utf-8"), access_token=token)
            known = source.last_uid if source.uid_validity == mailbox.uid_validity else None
            uids = mailbox.after(known, today)
            for message in mailbox.messages(uids[:A_LOOK], settings.mail_bytes):
                with self._ledger.transaction() as tx:
                    self._take(tx, message.data, f"UID {message.uid}")
                    mail_sources.read_up_to(tx, source.id, mailbox.uid_validity, message.uid)
            last = max(uids[:A_LOOK], default=mailbox.last_uid if known is None else known)
            if last is not None:
                with self._ledger.transaction() as tx:
                    mail_sources.read_up_to(tx, source.id, mailbox.uid_validity, last)
        return self._kept, len(uids) > A_LOOK

    def _secret(self, vault: Vault) -> bytes:
        source = self._source
        if source.secret_sealed is None or source.key_id is None:
            raise MailSourceError("the mailbox has no secret: add the source again")
        try:
            sealed = Sealed(source.key_id, source.secret_sealed)
            return vault.open(sealed, purpose=secrets.purpose(source.issuer, source.environment))
        except VaultError as error:
            raise MailSourceError(f"the source's secret doesn't open: {error}") from None

    def _access_token(self, vault: Vault, secret: bytes, context: ssl.SSLContext) -> str:
        source = self._source
        access = secrets.access(secret, context, self._settings.mail_timeout_seconds)
        if access.renewed is not None:
            sealed = secrets.seal(vault, access.renewed, source.issuer, source.environment)
            with self._ledger.transaction() as tx:
                mail_sources.replace_secret(tx, source.id, sealed.data, sealed.key_id)
        return access.token

    def _take(self, tx: Connection, data: bytes | None, name: str) -> None:
        """Keep a message if it is, or would be, a result."""
        source = self._source
        if data is None:
            log.warning("mail.too_large", source=source.id, mail=name, largest=self._settings.mail_bytes)
            return
        letter = read_letter(data)
        if letter.kind == "other":
            return
        if letter.result is not None and letter.result.company != source.issuer:
            log.info("mail.of_another_company", source=source.id, mail=name, company=letter.result.company)
            return
        mail = new_mail(
            letter,
            data,
            source.issuer,
            source.environment,
            source.id,
            self._settings.mail_writers,
            source.forwarders,
        )
        kept = result_mails.keep(tx, mail)
        self._kept += kept.new
        if kept.new and kept.outcome != "waiting":
            log.warning(
                "mail.not_joined",
                outcome=kept.outcome,
                mail=kept.id,
                issuer=source.issuer,
                track_id=mail.track_id,
                writer=mail.writer,
                note=mail.note,
            )


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Trust the public authorities, or only those of the file that the settings name; TLS 1.2 at least."""
    context = ssl.create_default_context(cafile=str(settings.mail_ca_file) if settings.mail_ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
