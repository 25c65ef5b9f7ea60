"""The specific tax on fuels where its variable component makes it negative.

The schema in circulation has no tax below 1, so the SII has MontoImp say 1 and the true amount stand as text at the end
of the line's description: "Impuesto específico diésel negativo de 1.200". The total is less by that amount. The format
of 2026 takes a signed MontoImp; either is read there. Source: SII, pregunta frecuente 001.003.8044 of 2025-02-26.
"""

import re
from collections.abc import Iterable

from domain.format.reading import Values

WRITTEN = 1
"""MontoImp of a negative tax, whatever its amount."""

_NEGATIVE = re.compile(
    r"impuesto\s+espec[ií]fico\b.*\bnegativo\s+de\s+\$?\s?([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)\s*\.?\s*$",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)


def negative_tax(description: str | None) -> int:
    """The pesos, above 0, that the text at the end of a DscItem takes off; 0 where it says nothing of the kind.

    The point separates thousands there, as in the SII's own example: pesos have no decimals.
    """
    found = _NEGATIVE.search(description or "")
    return int(found[1].replace(".", "")) if found else 0


def negative_taxes(code: str, lines: Iterable[Values]) -> int:
    """What the lines with a code take off together."""
    return sum(negative_tax(line.get("DscItem")) for line in lines if code in (line.get("CodImpAdic") or ()))
