"""Files that something happened to: bytes changed, left out, doubled or cut off, by a seeded chance."""

from random import Random


def damaged(data: bytes, chance: Random) -> bytes:
    """The file with one piece of damage."""
    at, other = sorted(chance.randrange(len(data)) for _ in range(2))
    ways = (
        lambda: data[:at] + chance.randbytes(chance.randint(1, 4)) + data[at + 1 :],
        lambda: data[:at] + data[other:],
        lambda: data[:other] + data[at:],
        lambda: data[:at],
        lambda: data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :],
        lambda: data[:at] + data[at : at + 200] + data[at:],
        lambda: data + data[at:other],
    )
    return chance.choice(ways)()
