"""Outages as this process tells them: once when one begins, once when it is over, however many things notice it.

What FMgo depends on may be away for hours, and every thread that needs it notices each second. One sentence a cause is
enough for whoever reads the log, and one when it is over.
"""

import os
import threading
import time
from typing import Final

import structlog

log: Final = structlog.get_logger(__name__)


class Outage:
    """What this process knows of one thing that it depends on. Safe from many threads; a fork begins anew."""

    def __init__(self, name: str) -> None:
        """`name` begins the names of the log's events: `ledger.away`, `ledger.back`."""
        self._away: Final = f"{name}.away"
        self._back: Final = f"{name}.back"
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._since: float | None = None
        self._told: set[str] = set()

    def failed(self, why: str) -> None:
        """Note that it can't be used now; `why`, a sentence, is logged at its first time in an outage."""
        with self._lock:
            if self._pid != os.getpid():
                self._forget()
            if self._since is None:
                self._since = time.monotonic()
            if why in self._told:
                return
            self._told.add(why)
        log.warning(self._away, why=why)

    def works(self) -> None:
        """Note that it can be used; logged when that ends an outage."""
        if self._since is None:
            return
        with self._lock:
            since = self._since
            self._forget()
        if since is not None:
            log.warning(self._back, after_seconds=round(time.monotonic() - since, 1))

    @property
    def stands(self) -> bool:
        """Whether it was away when it was last used."""
        return self._since is not None and self._pid == os.getpid()


LEDGER: Final = Outage("ledger")
DOORBELL: Final = Outage("redis")
CACHE: Final = Outage("cache")
