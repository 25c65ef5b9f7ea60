"""Ranges of folios, as people write them and as sets of numbers are kept: inclusive, sorted, apart from each other."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

Range = tuple[int, int]
"""First and last number, both inclusive."""

LARGEST_FOLIO: Final = 9_999_999_999
"""Folios have up to ten digits (SII, SiiTypes_v10.xsd, FolioType)."""

_PART: Final = re.compile(r"([0-9]{1,10})(?:\s*-\s*([0-9]{1,10}))?", re.ASCII)


def read_ranges(text: str) -> list[Range]:
    """The ranges in a text as `10-57,61`. Raises ValueError with a sentence."""
    found = []
    for part in (piece.strip() for piece in text.split(",")):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part[:40]!r} is no folio and no range of folios; write 10-57,61")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 < first <= last:
            raise ValueError(f"{part!r} is no range of folios: its first number is 1 or more, its last not smaller")
        found.append((first, last))
    return joined(found)


def written(ranges: Iterable[Range]) -> str:
    """Ranges as people write them."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in as few ranges as possible."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """The numbers of `ranges` that aren't in `taken`."""
    gone = joined(taken)
    found = []
    for first, last in joined(ranges):
        start = first
        for from_, to in gone:
            if to < start or from_ > last:
                continue
            if from_ > start:
                found.append((start, from_ - 1))
            start = to + 1
        if start <= last:
            found.append((start, last))
    return found


def overlap(ranges: Iterable[Range], others: Iterable[Range]) -> list[Range]:
    """The numbers that are in both."""
    mine = joined(ranges)
    return without(mine, without(mine, others))


def size(ranges: Iterable[Range]) -> int:
    """How many numbers there are in ranges that are apart from each other."""
    return sum(last - first + 1 for first, last in ranges)


def free_from(number: int, taken: Sequence[Range]) -> int:
    """The first number from `number` on that isn't in `taken` (sorted, apart from each other)."""
    for first, last in taken:
        if first <= number <= last:
            number = last + 1
        elif first > number:
            break
    return number
