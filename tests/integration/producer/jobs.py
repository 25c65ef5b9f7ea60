"""Jobs of an invented shop, and ways to play the workers' part in the ledger."""

import json
import uuid
from typing import Any

import psycopg

from workers.producer import Producer, ProducerSettings

ISSUER = "76900101-8"


def producer_at(database: str, redis_url: str) -> Producer:
    """A producer with these addresses."""
    return Producer(ProducerSettings(database_url=database, redis_url=redis_url))


def job(key: str, *, price: int = 1000, **members: Any) -> dict[str, Any]:
    """A job for one hammer; `members` replace or add members of the job."""
    return {
        "version": 1,
        "idempotency_key": key,
        "issuer": ISSUER,
        "document": {
            "Encabezado": {
                "IdDoc": {"TipoDTE": 33},
                "Receptor": {
                    "RUTRecep": "77900202-0",
                    "RznSocRecep": "Peñaflor & Cía.",
                    "GiroRecep": "Asesorías",
                    "DirRecep": "Los Aromos 45",
                    "CmnaRecep": "Providencia",
                },
            },
            "Detalle": [{"NmbItem": "Martillo", "QtyItem": 1, "PrcItem": price}],
        },
        **members,
    }


def body(key: str, **members: Any) -> bytes:
    """The same as the bytes of a message."""
    return json.dumps(job(key, **members), ensure_ascii=False).encode()


def scalar(database: str, query: str, *values: object) -> Any:
    """The first value of a query."""
    with psycopg.connect(database) as connection:
        row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None


def rows(database: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode(), values).fetchall()


def end_invalid(database: str, document: uuid.UUID) -> None:
    """What the issuing phase does with a bad document."""
    problems = json.dumps([{"code": "DTE-X", "path": "document", "message": "Mend it.", "level": "error"}])
    with psycopg.connect(database) as connection:
        connection.execute(
            b"UPDATE documents SET state = 'invalid', problems = %s, version = version + 1, due_at = NULL,"
            b" decided_at = fmgo_now() WHERE id = %s",
            (problems, document),
        )


def make_issued(database: str, document: uuid.UUID, *, folio: int, evidenced: bool = True) -> None:
    """What the issuing phase leaves of a good document: folio, bytes, and (if told) the second copy."""
    with psycopg.connect(database) as connection:
        connection.execute(
            b"INSERT INTO issuers (rut, environment, razon_social, giro, dir_origen, cmna_origen, resolution_number,"
            b" resolution_date)"
            b" VALUES (%s, 'certification', 'A', 'B', 'C', 'D', 0, '2014-08-22') ON CONFLICT DO NOTHING",
            (ISSUER,),
        )
        caf = connection.execute(
            b"INSERT INTO cafs (issuer, environment, document_type, first, last, authorised_on, idk, caf_xml,"
            b" private_key_sealed, key_id) VALUES (%s, 'certification', 33, %s, %s, '2026-11-01', 100, 'x', 'x', 'x')"
            b" RETURNING id",
            (ISSUER, folio, folio),
        ).fetchone()
        assert caf is not None
        connection.execute(
            b"UPDATE documents SET state = 'signed', document_type = 33, folio = %s, caf = %s, total = 1190,"
            b" signature_value = 'c2ln', version = version + 1, signed_at = fmgo_now(),"
            b" evidenced_at = CASE WHEN %s THEN fmgo_now() END WHERE id = %s",
            (folio, caf[0], evidenced, document),
        )
        for kind, data in (("dte", "<DTE>Ñ</DTE>"), ("ted", "<TED>Ñ</TED>")):
            connection.execute(
                b"INSERT INTO document_files (document_id, kind, received_at, bytes, sha256)"
                b" SELECT id, %s, received_at, %s, sha256(%s) FROM documents WHERE id = %s",
                (kind, data.encode("iso-8859-1"), data.encode("iso-8859-1"), document),
            )


def refuse_big_bodies(database: str) -> None:
    """A rule that is narrower than the job's own: data that only PostgreSQL finds bad."""
    with psycopg.connect(database) as connection:
        connection.execute(
            b"CREATE FUNCTION too_big() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            b" IF octet_length(NEW.body) > 5000 THEN RAISE EXCEPTION 'too big' USING ERRCODE = '22001'; END IF;"
            b" RETURN NEW; END $$"
        )
        connection.execute(b"CREATE TRIGGER too_big BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION too_big()")
