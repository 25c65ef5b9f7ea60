"""The simulator's time: the wall clock of Santiago, which tests may move.

Every date that is printed, every expiry and every delay of the simulator reads this clock. Moving it shifts an offset:
time then runs on from there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SANTIAGO = ZoneInfo("America/Santiago")


class Clock:
    """Time in Santiago, with an offset from the machine's clock."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self.on_move: Callable[[], None] | None = None  # called after the clock was moved

    def now(self) -> datetime:
        """The present moment, aware, in the zone of Santiago."""
        return datetime.now(SANTIAGO) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds."""
        self._offset += timedelta(seconds=seconds)
        self._moved()

    def set(self, moment: datetime) -> None:
        """Put the clock to a moment; without a zone it is read as time of Santiago."""
        aware = moment.replace(tzinfo=SANTIAGO) if moment.tzinfo is None else moment
        self._offset = aware - datetime.now(SANTIAGO)
        self._moved()

    def reset(self) -> None:
        """Back to the machine's time."""
        self._offset = timedelta()
        self._moved()

    def _moved(self) -> None:
        if self.on_move is not None:
            self.on_move()


def stamp(moment: datetime) -> str:
    """``YYYY-MM-DD HH:MM:SS`` as the upload services print it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def stamp_day_first(moment: datetime) -> str:
    """``dd-mm-yyyy HH:MM:SS`` as cessions and claims print it."""
    return moment.strftime("%d-%m-%Y %H:%M:%S")
