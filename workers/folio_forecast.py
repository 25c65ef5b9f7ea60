"""For how many days the folios that are left will last, judged by the use of the last days.

A shop sells on Saturdays and a wholesaler doesn't: each day to come is taken to use what its weekday used on average
in the days looked at. A series younger than those is judged by the days that it has.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

DAYS_LOOKED_AT: Final = 28
"""Four of each weekday."""
FAR: Final = 366
_WEEK: Final = 7


def days_left(left: int, used: Mapping[date, int], today: date) -> int | None:
    """Whole days, after today, that `left` folios will last; None where nothing was used or more than a year is left.

    `used` is what each of the last 28 days used (days without use may be missing); today's own use counts as use, but
    not as a whole day, because it isn't over.
    """
    days = [day for day in used if used[day] > 0 and today - timedelta(days=DAYS_LOOKED_AT) <= day <= today]
    if not days:
        return None
    pace = _pace(used, min(days), today)
    rest = float(left)
    for number in range(1, FAR + 1):
        rest -= pace[(today + timedelta(days=number)).weekday()]
        if rest < 0:
            return number - 1
    return None


def _pace(used: Mapping[date, int], first: date, today: date) -> list[float]:
    """Folios of a Monday, a Tuesday …; the mean of all days for a weekday that hasn't been yet."""
    seen = [first + timedelta(days=number) for number in range((today - first).days)] or [today]
    of_all = sum(used.get(day, 0) for day in seen) / len(seen)
    pace = []
    for weekday in range(_WEEK):
        same = [used.get(day, 0) for day in seen if day.weekday() == weekday]
        pace.append(sum(same) / len(same) if same else of_all)
    return pace
