"""Sales of an invented shop as jobs: invoices, boletas and notes, each under a key of its own."""

import json
from typing import Any

from deploy.sandbox.people import Company, rut


def receiver(number: int = 12_345_678) -> dict[str, Any]:
    """A customer with a RUT of that body."""
    return {
        "RUTRecep": rut(number),
        "RznSocRecep": "PANADERÍA LA ESPIGA LTDA.",
        "GiroRecep": "Elaboración de pan",
        "DirRecep": "Colo Colo 77",
        "CmnaRecep": "Concepción",
    }


def job(company: Company, key: str, document: dict[str, Any], *, lane: str = "bulk", **members: Any) -> dict[str, Any]:
    """A job around a document; `members` are added or replaced."""
    return {
        "version": 1,
        "idempotency_key": key,
        "issuer": company.rut,
        "lane": lane,
        "document": document,
        **members,
    }


def invoice(company: Company, key: str, *, price: int = 8_990, lane: str = "bulk", **members: Any) -> dict[str, Any]:
    """A factura (33) of one hammer."""
    document = {
        "Encabezado": {"IdDoc": {"TipoDTE": 33}, "Receptor": receiver()},
        "Detalle": [{"NmbItem": "Martillo carpintero Ñandú", "QtyItem": 1, "PrcItem": price}],
    }
    return job(company, key, document, lane=lane, **members)


def boleta(company: Company, key: str, *, price: int = 2_390, lane: str = "bulk", **members: Any) -> dict[str, Any]:
    """A boleta (39) of some nails, gross price."""
    document = {
        "Encabezado": {"IdDoc": {"TipoDTE": 39}},
        "Detalle": [{"NmbItem": "Caja de clavos", "QtyItem": 2, "PrcItem": price}],
    }
    return job(company, key, document, lane=lane, **members)


def annulment(company: Company, key: str, folio: int, on: str, *, lane: str = "bulk") -> dict[str, Any]:
    """A nota de crédito (61) that annuls the invoice of `folio`, which was issued on that day (ISO)."""
    document = {
        "Encabezado": {"IdDoc": {"TipoDTE": 61}, "Receptor": receiver()},
        "Detalle": [{"NmbItem": "Martillo carpintero Ñandú", "QtyItem": 1, "PrcItem": 8_990}],
        "Referencia": [{"TpoDocRef": 33, "FolioRef": folio, "FchRef": on, "CodRef": 1, "RazonRef": "Anula"}],
    }
    return job(company, key, document, lane=lane)


def body(made: dict[str, Any]) -> bytes:
    """The job as a message's bytes."""
    return json.dumps(made, ensure_ascii=False).encode()
