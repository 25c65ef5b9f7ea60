"""CPU that groups of processes have used, read from /proc (Linux, proc(5): `stat`).

A group is a process with all its descendants; the time of those that ended is in their parent's count once it has
waited for them, so nothing is lost or counted twice. Resolution: one tick, 10 ms.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_seconds(groups: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU of each group, named with the number of its oldest process."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(entry.name)] = int(fields[1])
        used[int(entry.name)] = sum(int(ticks) for ticks in fields[11:15]) / _TICKS
    totals = dict.fromkeys(groups, 0.0)
    names = {number: name for name, number in groups.items()}
    for number, seconds in used.items():
        owner = number
        while owner not in names and owner in parents:
            owner = parents[owner]
        if owner in names:
            totals[names[owner]] += seconds
    return totals


def parent_of(number: int) -> int:
    """Number of a process's parent. Raises OSError when it has ended."""
    text = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    return int(text.rpartition(")")[2].split()[1])


def used_between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each group between two readings."""
    return {name: after[name] - before[name] for name in after}


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))
