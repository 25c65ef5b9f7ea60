"""Invented keys as files, for commands that need no ledger."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from tests.unit.domain import material

IDK = 999
DOCUMENT: dict[str, Any] = {
    "Encabezado": {
        "IdDoc": {"TipoDTE": 33, "FmaPago": 1},
        "Emisor": {"GiroEmis": "Ferretería", "Acteco": 475201, "DirOrigen": "Av. 1", "CmnaOrigen": "Chillán"},
        "Receptor": {
            "RUTRecep": "77777777-7",
            "RznSocRecep": "EMPRESA Ñ & CÍA",
            "GiroRecep": "Comercio",
            "DirRecep": "Calle",
            "CmnaRecep": "Providencia",
        },
    },
    "Detalle": [{"NmbItem": "Tornillo", "QtyItem": 1.5, "PrcItem": 1000}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented keys as files."""
    folder = tmp_path_factory.mktemp("keys")
    caf_key, sii_key = material.short_key(), material.short_key(exponent=65537)
    person = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = material.certificate(person, alternative_rut=material.ia5(material.PERSON))
    pfx = pkcs12.serialize_key_and_certificates(b"x", person, certificate, None, BestAvailableEncryption(b"secreto"))
    (folder / "person.pfx").write_bytes(pfx)
    (folder / "password").write_text("secreto\n", encoding="utf-8")
    (folder / "sii.pem").write_bytes(material.public_pem(sii_key))
    (folder / "caf.xml").write_bytes(material.caf_file(caf_key, sii_key).encode("iso-8859-1"))
    for kind in (34, 39, 43, 46, 52, 56, 61, 110, 111, 112):
        text = material.caf_file(caf_key, sii_key, document_type=kind)
        (folder / f"caf-{kind}.xml").write_bytes(text.encode("iso-8859-1"))
    (folder / "sale.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    job = {"version": 1, "idempotency_key": "a", "issuer": "76900101-8", "document": DOCUMENT}
    (folder / "jobs.jsonl").write_text(f"{json.dumps(job)}\n{json.dumps(job)}\n", encoding="utf-8")
    return folder
