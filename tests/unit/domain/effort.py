"""How much work a call does, as a count: of calls of Python functions and of functions of C, whatever the machine."""

import sys
from collections.abc import Callable
from types import FrameType


def effort_of(call: Callable[[], object]) -> int:
    """The calls that happen while `call` runs."""
    count = 0

    def tally(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count
