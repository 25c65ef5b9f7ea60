"""How much work a PFX asks for before its password is known to be right: the rounds of its key derivations.

A PFX states them itself, in the clear, so a file may ask for hours. They are read from the file's DER without opening
anything: wherever an octet string (the salt) is followed by an integer inside one sequence, that integer is rounds
(RFC 7292, MacData and pkcs-12PbeParams; RFC 8018, PBKDF2-params). What can't be walked through is left to whoever opens
the file: it isn't a PFX that opens.
"""

from collections.abc import Iterator

MOST_ROUNDS = 10_000_000
"""Rounds in all that are still worked through; usual files have 2,000 to 600,000 in each of two or three places."""

_DEEPEST = 24
_MOST_PARTS = 20_000
"""Parts of the largest file that is walked through."""
_INTEGER, _OCTETS, _SEQUENCE, _CONSTRUCTED = 0x02, 0x04, 0x30, 0x20
_LONG, _INDEFINITE, _MOST_LENGTH_BYTES = 0x80, 0x80, 4


def rounds_of(data: bytes) -> int:
    """The rounds that a file asks for, in all places together; 0 for what is no DER."""
    total = parts = 0
    todo: list[tuple[int, int, int]] = [(0, len(data), 0)]
    while todo:
        begin, end, depth = todo.pop()
        before = 0
        for tag, start, stop in _values(data, begin, end):
            parts += 1
            if parts > _MOST_PARTS:
                return total
            if tag == _INTEGER and before == _OCTETS:
                total += int.from_bytes(data[start:stop][:16], "big")
            if depth < _DEEPEST and (tag & _CONSTRUCTED or (tag == _OCTETS and _is_sequence(data, start, stop))):
                todo.append((start, stop, depth + 1))
            before = tag
    return total


def _is_sequence(data: bytes, start: int, stop: int) -> bool:
    """Whether an octet string holds one sequence and nothing else; ciphertext that looks so is rarer than damage."""
    first = next(_values(data, start, stop), None)
    return first is not None and first[0] == _SEQUENCE and first[2] == stop


def _values(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag, start and end of the values one after the other; ends where they are none."""
    at = begin
    while at + 2 <= end:
        tag, length = data[at], data[at + 1]
        at += 2
        if length == _INDEFINITE:
            yield tag, at, end
            return
        if length & _LONG:
            count = length & ~_LONG
            if count > _MOST_LENGTH_BYTES or at + count > end:
                return
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > end:
            return
        yield tag, at, at + length
        at += length
