"""A company with a mailbox on a server of this machine."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.mail.imap_server import PASSWORD, USER, Mailbox, mail_server
from workers.database import mail_sources
from workers.database.engine import Ledger, run
from workers.database.mail_sources import Auth, NewSource, Source
from workers.mail import secrets
from workers.settings import Settings
from workers.vault.sealing import Vault

COMPANY, ENVIRONMENT = "76900101-8", "certification"
Add = Callable[..., Source]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """The mailbox on its server."""
    with mail_server() as box:
        yield box


@pytest.fixture
def vault() -> Vault:
    """A vault with a key of its own."""
    return Vault({"k1": bytes(range(32))})


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """The settings of this test's servers."""
    return Settings.model_validate({name.removeprefix("FMGO_").lower(): text for name, text in environment.items()})


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """The ledger, with one company."""
    opened = Ledger(database, pool_size=3)
    with opened.transaction() as tx:
        run(
            tx,
            """
            INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,
                                 resolution_date)
            VALUES (:rut, :environment, 'X', 'Y', 'Z', 'W', 0, '2014-08-22')
            """,
            rut=COMPANY,
            environment=ENVIRONMENT,
        )
    yield opened
    opened.dispose()


@pytest.fixture
def add(ledger: Ledger, vault: Vault, mailbox: Mailbox) -> Add:
    """Adds the mailbox as a source, and takes it as a worker does."""

    def added(secret: str = PASSWORD, auth: Auth = "password", forwarders: tuple[str, ...] = ()) -> Source:
        sealed = secrets.seal(vault, secret.encode(), COMPANY, ENVIRONMENT)
        address = f"imap://{USER.replace('@', '%40')}@127.0.0.1:{mailbox.port}"
        source = NewSource(COMPANY, ENVIRONMENT, "imap", address, auth, sealed.data, sealed.key_id, forwarders)
        with ledger.transaction() as tx:
            mail_sources.add(tx, source)
        return taken(ledger)

    return added


def taken(ledger: Ledger) -> Source:
    """The source as it stands now."""
    with ledger.transaction() as tx:
        run(tx, "UPDATE mail_sources SET due_at = fmgo_now()")
        source = mail_sources.take(tx, ENVIRONMENT, 1)
    assert source is not None
    return source
