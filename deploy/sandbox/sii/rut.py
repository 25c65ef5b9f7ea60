"""RUTs as the SII writes them: body, hyphen, check digit in capitals."""

import re

_SHAPE = re.compile(r"0*([1-9]\d{0,7})-([\dkK])")
_FACTORS = (2, 3, 4, 5, 6, 7)


def canonical(text: str) -> str | None:
    """``76900101-8`` from any usual writing of it; None when shape or check digit is wrong."""
    match = _SHAPE.fullmatch(text.strip().replace(".", ""))
    if match is None:
        return None
    body, digit = match.group(1), match.group(2).upper()
    total = sum(int(figure) * _FACTORS[i % 6] for i, figure in enumerate(reversed(body)))
    return f"{body}-{digit}" if "0K987654321"[total % 11] == digit else None


def joined(body: str, digit: str) -> str:
    """The RUT of two form fields, canonical when it is one, as written when not."""
    written = f"{body.strip()}-{digit.strip()}"
    return canonical(written) or written
