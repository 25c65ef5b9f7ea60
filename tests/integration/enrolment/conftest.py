"""A ledger to set up, with a vault of its own."""

from collections.abc import Iterator

import pytest

from tests.integration.enrolment import kit
from workers.database.engine import Ledger
from workers.enrolment import Enrolment
from workers.outside_bells import OutsideBells
from workers.vault.sealing import Vault


@pytest.fixture
def vault() -> Vault:
    return Vault({"test-1": bytes(range(32))})


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    opened = Ledger(database)
    yield opened
    opened.dispose()


@pytest.fixture
def operator(ledger: Ledger, redis_url: str, vault: Vault) -> Iterator[Enrolment]:
    bells = OutsideBells(redis_url)
    yield Enrolment(ledger, vault, bells, caf_keys=kit.caf_keys(), actor="test")
    bells.close()
