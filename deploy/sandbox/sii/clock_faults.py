"""Where faults of clocks move the simulator's clock to: away from the client's, past a CAF's life, to summer time."""

from datetime import UTC, datetime, timedelta

from deploy.sandbox.sii.clock import SANTIAGO
from deploy.sandbox.sii.faults import Rule

_BEFORE = 30.0  # seconds before a change of summer time (or the moment named) to which F-SKEW-3 moves the clock
_PAST_A_CAF = timedelta(days=184)


def jump(rule: Rule, now: datetime) -> float:
    """By how many seconds a fault of clocks moves the clock."""
    if rule.fault == "F-SKEW-1":
        return float(rule.args.get("seconds", 600))
    if rule.fault == "F-SKEW-2":
        return float(rule.args.get("seconds", _PAST_A_CAF.total_seconds()))
    goal = datetime.fromisoformat(str(rule.args["set"])) if "set" in rule.args else next_change(now)
    aware = goal.replace(tzinfo=SANTIAGO) if goal.tzinfo is None else goal
    # Two moments of one zone are subtracted as their clocks show them: so by UTC.
    return (aware.astimezone(UTC) - now.astimezone(UTC)).total_seconds() - _BEFORE


def next_change(now: datetime) -> datetime:
    """The moment at which the zone of Santiago next changes its offset, to the second."""
    low = now.astimezone(UTC).replace(microsecond=0)
    offset = low.astimezone(SANTIAGO).utcoffset()
    days = (low + timedelta(days=n) for n in range(1, 400))
    high = next((day for day in days if day.astimezone(SANTIAGO).utcoffset() != offset), low + timedelta(days=1))
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        low, high = (middle, high) if middle.astimezone(SANTIAGO).utcoffset() == offset else (low, middle)
    return high
