"""What every phase stands on: how it is registered, how it fails, and the tools its process keeps.

A phase never raises MemoryError into Celery (that ends the whole worker, which then dies on the same message again): it
becomes an ordinary failure here. A failed phase loses nothing, because its claims are given back or freed by the sweep.
A phase that finds the ledger away, read-only, full or of another version hasn't failed: it breaks off, the outage is
told once, and the work is found again when the ledger is back.
"""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import structlog

from workers.activity import activity
from workers.app import app
from workers.cache.connection import connect
from workers.cache.results import Results
from workers.cache.tokens import TokenCopies
from workers.database.away import why_away
from workers.database.engine import ledger
from workers.database.issuers import SealedCaf
from workers.exchanges import Exchanges
from workers.outages import LEDGER
from workers.settings import settings
from workers.sii.client import SiiClient
from workers.vault.sealing import Vault
from workers.vault.signers import KeyRing

log: Final = structlog.get_logger(__name__)

# Chunks that one bell may lead to before the phase rings again: keeps a worker's shutdown and its other bells near.
CHUNKS_A_BELL: Final = 20


class PhaseFailedError(Exception):
    """A phase failed; its cause is chained. What it had claimed is given back."""

    code: Final = "PHASE-FAILED"
    retry_helps: Final = True


def phase(name: str) -> Callable[[Callable[..., None]], Any]:
    """Register a function as the task of a phase."""

    def register(function: Callable[..., None]) -> Any:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> None:
            try:
                with activity().phase(name):
                    function(*args, **kwargs)
            except MemoryError as error:
                raise PhaseFailedError(f"{name}: out of memory") from error
            except Exception as error:
                why = why_away(error)
                if why is None:
                    log.exception("phase.failed", phase=name)
                    raise
                LEDGER.failed(why)
                log.debug("phase.broken_off", phase=name, why=why)

        return app.task(name=name)(guarded)

    return register


@dataclass(frozen=True, slots=True)
class Tools:
    """What a process keeps between bells: opened keys, the cache, the SII."""

    vault: Vault
    keys: KeyRing
    results: Results
    tokens: TokenCopies
    sii: SiiClient
    cafs: dict[int, SealedCaf] = field(default_factory=dict)


@lru_cache(maxsize=2)
def _tools_of(_pid: int) -> Tools:
    vault = Vault.from_settings(settings())
    cache = connect(settings().cache)
    return Tools(
        vault=vault,
        keys=KeyRing(vault),
        results=Results(cache, ttl_seconds=settings().result_ttl_seconds),
        tokens=TokenCopies(cache, vault),
        sii=SiiClient(settings(), Exchanges(ledger(), settings().sii_environment).keep),
    )


def tools() -> Tools:
    """This process's tools, made at first use (never inherited over a fork)."""
    return _tools_of(os.getpid())
