"""Waiting on a condition with a deadline, instead of sleeping for as long as it usually takes."""

import time
from collections.abc import Callable
from typing import TypeVar

LOOK_EVERY_SECONDS = 0.05

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str | Callable[[], object], *, seconds: float = 90) -> T:
    """Look until the condition gives something true, and return that; `what` says what was missing at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            missing = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds:.0f} s: {missing}")
        time.sleep(LOOK_EVERY_SECONDS)
