"""The invented company of the benchmarks and its sales: invoices of so many lines, as a producer writes them."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from deploy.sandbox.people import Company, rut

COMPANIES: Final = tuple(
    Company(
        rut=rut(76_100_000 + 111 * n),
        razon_social=f"COMERCIAL BANCO DE PRUEBAS {n} LTDA.",
        giro="Venta al por menor de artículos de ferretería",
        acteco=475201,
        dir_origen="Av. O'Higgins 1234",
        cmna_origen="Chillán",
        ciudad_origen="Chillán",
    )
    for n in range(1, 5)
)
"""Four companies: a backlog is of several, and each may have a few uploads in flight."""

LINES: Final = 5
MANY_LINES: Final = 60
_NUMBERS: Final = count(1)


def document(lines: int) -> dict[str, Any]:
    """An invoice (33) with so many lines: the job's `document`."""
    return {
        "Encabezado": {
            "IdDoc": {"TipoDTE": 33, "FmaPago": 1},
            "Receptor": {
                "RUTRecep": rut(11_222_333),
                "RznSocRecep": "CONSTRUCTORA LOS ÁLAMOS S.A.",
                "GiroRecep": "Construcción de edificios",
                "DirRecep": "Camino El Alba 9500",
                "CmnaRecep": "Las Condes",
            },
        },
        "Detalle": [
            {"NmbItem": f"Señalética & cinta de peligro, artículo {n}", "QtyItem": n % 7 + 1, "PrcItem": 1_990 + 10 * n}
            for n in range(1, lines + 1)
        ],
    }


def job(lane: str, lines: int = LINES) -> bytes:
    """A job under a key of its own, the companies in turn."""
    number = next(_NUMBERS)
    return json.dumps(
        {
            "version": 1,
            "idempotency_key": f"{lane}-{number:07d}",
            "issuer": COMPANIES[number % len(COMPANIES)].rut,
            "lane": lane,
            "document": document(lines),
        },
        ensure_ascii=False,
    ).encode("utf-8")


def jobs(lane: str, how_many: int) -> Iterator[bytes]:
    """So many jobs."""
    return (job(lane) for _ in range(how_many))
