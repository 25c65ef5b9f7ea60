"""Time as the phases are told it.

Business time comes from the ledger (`fmgo_now()`); what runs outside a transaction takes a `Clock`, so that a test
can say what time it is. Durations (deadlines, caches) use the monotonic reading, which no clock setter moves. Dates
printed in documents and in the SII's services are Chilean: America/Santiago, whose rules come from the system's or
the ``tzdata`` package's database.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What tells the time: an aware instant for the record, and seconds that only grow for durations."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, never going back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time, aware, in UTC."""
        return datetime.now(tz=UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic reading in seconds."""
        return time.monotonic()


def santiago(instant: datetime) -> datetime:
    """Return the same instant as a wall clock in Santiago shows it; raises ValueError for one without zone."""
    if instant.tzinfo is None:
        message = "an instant without time zone can't be told in Santiago: give an aware datetime"
        raise ValueError(message)
    return instant.astimezone(_zone())


@lru_cache(maxsize=1)
def _zone() -> ZoneInfo:
    """Load the zone at first use, so that importing this module reads no file."""
    return ZoneInfo("America/Santiago")
