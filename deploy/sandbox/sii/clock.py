"""The simulator's time: the wall clock of Santiago, which tests may move.

Every date that is printed, every expiry and every delay of the simulator reads this clock. Moving it shifts an offset:
time then runs on from there.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SANTIAGO = ZoneInfo("America/Santiago")


class Clock:
    """Time in Santiago, with an offset from the machine's clock."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present moment, aware, in the zone of Santiago."""
        return datetime.now(SANTIAGO) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds."""
        self._offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Put the clock to a moment; without a zone it is read as time of Santiago."""
        aware = moment.replace(tzinfo=SANTIAGO) if moment.tzinfo is None else moment
        self._offset = aware - datetime.now(SANTIAGO)

    def reset(self) -> None:
        """Back to the machine's time."""
        self._offset = timedelta()


def stamp(moment: datetime) -> str:
    """``YYYY-MM-DD HH:MM:SS`` as the upload services print it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
